"""A dispatcher's word on how an emergency ended is kept until the unit has said that it is safe.

Revision 0019. What the columns mean stands in psn/schema/dispatch.py.
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("alter table emergency add desk_outcome text")


def downgrade() -> None:
    """Take it away."""
    op.execute("alter table emergency drop desk_outcome")
