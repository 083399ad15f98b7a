"""Warnings are told in voice groups, to radios, and by web push.

Revision 0028. A recipient is a group (``group:2``) or a device's subscription; who talks in a
recording may be an agency, which has something announced.
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None

BEFORE = "channel in ('sms', 'email', 'webhook', 'cell')"
CHANNELS = "channel in ('sms', 'email', 'webhook', 'cell', 'spoken', 'radio_text', 'push')"
TALKERS_BEFORE = "talker ~ '^(person|unit|device):[1-9][0-9]*$'"
TALKERS = "talker ~ '^(person|unit|device|agency):[1-9][0-9]*$'"


def upgrade() -> None:
    """Let there be such recipients and talkers."""
    _check("warning_recipient", "warning_recipient_channel_check", CHANNELS)
    _check("recording", "recording_talker_check", TALKERS)


def downgrade() -> None:
    """Keep what was told and said; no more of it may come."""
    _check("warning_recipient", "warning_recipient_channel_check", BEFORE, " not valid")
    _check("recording", "recording_talker_check", TALKERS_BEFORE, " not valid")


def _check(table: str, name: str, what: str, how: str = "") -> None:
    op.execute(f"alter table {table} drop constraint {name}")
    op.execute(f"alter table {table} add constraint {name} check ({what}){how}")
