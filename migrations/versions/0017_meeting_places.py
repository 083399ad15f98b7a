"""An assignment may have a place of its own: a pier where the boat is met, a road block.

Revision 0017.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TIMES = (
    "'incident_id', 'unit_id', 'ordered_at', 'sent_at', 'delivered_at', 'acknowledged_at',"
    " 'en_route_at', 'on_scene_at', 'ended_at', 'outcome'"
)


def upgrade() -> None:
    """Add it; like everything of an order it stays as it was written."""
    op.execute(
        "alter table assignment add place text not null default '', add point geometry(Point, 4326)"
    )
    _watch(f"{_TIMES}, 'place', 'point'")


def downgrade() -> None:
    """Take it away."""
    _watch(_TIMES)
    op.execute("alter table assignment drop place, drop point")


def _watch(columns: str) -> None:
    op.execute("drop trigger assignment_times on assignment")
    op.execute(
        "create trigger assignment_times before update on assignment for each row"
        f" execute function times_stay({columns})"
    )
