"""Newest positions are overwritten in place.

Revision 0002. The index on their places moved with every position and kept PostgreSQL from
updating rows in place; nearness is asked of the picture in memory. With room left on each page
the new row lies beside the old one and no index changes (a heap-only tuple).
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop the index, and leave half of each page free."""
    op.execute("drop index latest_position_place")
    op.execute("alter table latest_position set (fillfactor = 50)")


def downgrade() -> None:
    """The index again."""
    op.execute("alter table latest_position reset (fillfactor)")
    op.execute("create index latest_position_place on latest_position using gist (place)")
