"""Talk is kept: whose, in which group, when, and its sound, until its period is over.

Revision 0023. What the columns mean stands in psn/schema/recordings.py. A recording grows while its
talk goes on and is never changed otherwise; it goes with its incident, or in a transaction whose
entry of the audit names it.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table recording (
        id uuid primary key,
        group_address text not null constraint recording_group_check
            check (group_address ~ '^(group|incident|call):[1-9][0-9]*$'),
        group_name text not null,
        incident_id integer references incident (id),
        talker text not null constraint recording_talker_check
            check (talker ~ '^(person|unit):[1-9][0-9]*$'),
        talker_name text not null,
        agency_id integer not null references agency (id),
        call text not null constraint recording_call_check
            check (call in ('normal', 'peril', 'emergency')),
        parties text[] not null,
        begun_at timestamptz not null,
        milliseconds integer not null default 0,
        ended_at timestamptz
    )
    """,
    "create index recording_group on recording (group_address, begun_at)",
    "create index recording_incident on recording (incident_id) where incident_id is not null",
    "create index recording_agency on recording (agency_id, begun_at)",
    "create index recording_talker on recording (talker)",
    "create index recording_going_on on recording (begun_at) where ended_at is null",
    """
    create table recording_part (
        recording_id uuid not null references recording (id) on delete cascade,
        number integer not null,
        pages bytea not null,
        primary key (recording_id, number)
    )
    """,
    # Opus is as small as it gets.
    "alter table recording_part alter column pages set storage external",
    """
    create function recording_grows() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    declare
        grows constant text[] := '{milliseconds,parties,ended_at}';
    begin
        if old.ended_at is null and new.milliseconds >= old.milliseconds
           and new.parties @> old.parties
           and to_jsonb(new) - grows = to_jsonb(old) - grows then
            return new;
        end if;
        raise insufficient_privilege using
            message = 'a recording is never changed',
            hint = 'It only grows, while its talk goes on.';
    end
    $$
    """,
    """
    create trigger recording_grows before update on recording
    for each row execute function recording_grows()
    """,
    """
    create function recording_part_stays() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    begin
        raise insufficient_privilege using
            message = 'what was recorded is never changed',
            hint = 'It goes with its recording, by psn retention run.';
    end
    $$
    """,
    """
    create trigger recording_part_stays before update on recording_part
    for each row execute function recording_part_stays()
    """,
    """
    create function recording_part_in_time() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    begin
        if exists (select from recording where id = new.recording_id and ended_at is not null) then
            raise insufficient_privilege using
                message = 'a recording that has ended does not grow',
                hint = 'What is said later is a talk of its own.';
        end if;
        return new;
    end
    $$
    """,
    """
    create trigger recording_part_in_time before insert on recording_part
    for each row execute function recording_part_in_time()
    """,
    """
    create function recording_goes() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    declare
        named jsonb;
    begin
        if tg_table_name = 'recording_part' then
            if not exists (select from recording where id = old.recording_id) then
                return null;
            end if;
        else
            if old.incident_id is not null
               and not exists (select from incident where id = old.incident_id) then
                return null;
            end if;
            select a.body::jsonb -> 'details' -> 'ids' into named
              from audit a where a.action = 'recording.pruned' order by a.seq desc limit 1;
            if named @> to_jsonb(old.id) then
                return null;
            end if;
        end if;
        raise insufficient_privilege using
            message = 'a recording is not deleted by hand',
            hint = 'It goes when its period is over, by psn retention run.';
    end
    $$
    """,
    """
    create constraint trigger recording_goes after delete on recording
    deferrable initially deferred for each row execute function recording_goes()
    """,
    """
    create constraint trigger recording_part_goes after delete on recording_part
    deferrable initially deferred for each row execute function recording_goes()
    """,
)


def upgrade() -> None:
    """Add the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
    for table in ("recording", "recording_part"):
        op.execute(
            f"create trigger {table}_not_emptied before truncate on {table}"
            " for each statement execute function is_not_emptied()"
        )


def downgrade() -> None:
    """Forget all recordings."""
    op.execute("drop table recording_part")
    op.execute("drop table recording")
    op.execute("drop function recording_grows()")
    op.execute("drop function recording_part_stays()")
    op.execute("drop function recording_part_in_time()")
    op.execute("drop function recording_goes()")
