"""A red button pressed again raises its emergency anew; letters to units; numbers past 99,999.

Revision 0018. What the columns mean stands in psn/schema/dispatch.py.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NUMBER = """
    create or replace function next_number(agency integer, what text) returns text
    language sql as $$
        with next as (
            insert into counter as c (agency_id, kind, year, last)
            values (agency, what,
                    extract(year from now() at time zone interval '-06:00')::smallint, 1)
            on conflict (agency_id, kind, year) do update set last = c.last + 1
            returning year, last)
        select a.code || case what when 'incident' then '-' else '-' || upper(left(what, 1)) end
               || right(next.year::text, 2) || '-' || {digits}
          from next, agency a where a.id = agency
    $$
"""
_SHORT = "lpad(next.last::text, 5, '0')"
# lpad cuts what is longer than it is to be.
_LONG = "lpad(next.last::text, greatest(5, length(next.last::text)), '0')"
_TIMES = "'unit_id', 'raised_at', {more}'ended_at', 'outcome'"


def upgrade() -> None:
    """Change the function and the times that stay; add the letters."""
    op.execute(_NUMBER.format(digits=_LONG))
    op.execute("alter table emergency add pressed_at timestamptz not null default now()")
    op.execute("update emergency set pressed_at = said_at")
    _watch(_TIMES.format(more=""))
    op.execute("""
        create table unit_letter (
            id uuid primary key default gen_random_uuid(),
            unit_id integer not null references unit (id),
            agency_id integer not null references agency (id),
            text text not null,
            author text not null,
            at timestamptz not null default now(),
            sent_at timestamptz
        )
    """)
    op.execute("create index unit_letter_unsent on unit_letter (at) where sent_at is null")
    op.execute(
        "create index assignment_unsent on assignment (ordered_at)"
        " where sent_at is null and ended_at is null"
    )


def downgrade() -> None:
    """As it was."""
    op.execute("drop index assignment_unsent")
    op.execute("drop table unit_letter")
    _watch(_TIMES.format(more="'desk_safe_at', "))
    op.execute("alter table emergency drop pressed_at")
    op.execute(_NUMBER.format(digits=_SHORT))


def _watch(columns: str) -> None:
    op.execute("drop trigger emergency_times on emergency")
    op.execute(
        "create trigger emergency_times before update on emergency for each row"
        f" execute function times_stay({columns})"
    )
