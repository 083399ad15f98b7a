"""A password that somebody else made is good for a few days, and only to choose another.

Revision 0011. What the column means stands in psn/schema.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; passwords there are stay good."""
    op.execute("alter table person add column password_until timestamptz")


def downgrade() -> None:
    """Take the column away."""
    op.execute("alter table person drop column password_until")
