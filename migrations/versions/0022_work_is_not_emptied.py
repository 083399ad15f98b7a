"""TRUNCATE stops at the same tables as UPDATE and DELETE: it runs none of their row triggers.

Revision 0022. The tables are those of ``psn.watched.DOORS`` with a trigger ``…_not_emptied``.
"""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("incident", "incident_event", "assignment", "call", "lookout", "unit_status_log")

REFUSE = """
    create function is_not_emptied() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    begin
        raise insufficient_privilege using
            message = format('%s is not emptied', tg_table_name),
            hint = case tg_table_name
                when 'unit_status_log' then 'What units did is history, and stays.'
                else 'What has ended goes when its period is over, by psn retention run.' end;
    end
    $$
"""


def upgrade() -> None:
    """Add the doors that were missing."""
    op.execute(REFUSE)
    for table in TABLES:
        op.execute(
            f"create trigger {table}_not_emptied before truncate on {table}"
            " for each statement execute function is_not_emptied()"
        )


def downgrade() -> None:
    """Let them be emptied again."""
    for table in TABLES:
        op.execute(f"drop trigger {table}_not_emptied on {table}")
    op.execute("drop function is_not_emptied()")
