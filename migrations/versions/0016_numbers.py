"""An index for numbers: an agency's incidents by when they were opened.

Revision 0016.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.execute("create index incident_opened on incident (agency_id, opened_at)")


def downgrade() -> None:
    """Take it away."""
    op.execute("drop index incident_opened")
