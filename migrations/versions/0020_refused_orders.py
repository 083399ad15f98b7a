"""An assignment says when, and why, the record refused its order for good.

Revision 0020. What the columns mean stands in psn/schema/dispatch.py.
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, which go together."""
    op.execute("""
        alter table assignment add refused_at timestamptz, add refusal text,
            add constraint assignment_refused_check
                check (num_nonnulls(refused_at, refusal) in (0, 2))
    """)


def downgrade() -> None:
    """Take them away."""
    op.execute("alter table assignment drop refused_at, drop refusal")
