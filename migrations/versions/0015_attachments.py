"""Attachments: photos, voice notes and notes, and the names of files that are to be removed.

Revision 0015. Bytes are in files (PSN_FILES); a row says what is in which. Whoever deletes a row,
or refuses one, leaves the names of its files in file_orphan in the same transaction; the server
removes them. So a file goes also after a crash, and never one of which no row has ever spoken.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KINDS = "('track', 'message', 'attachment', 'recording', 'audit')"
OLD_KINDS = "('track', 'message', 'recording', 'audit')"

STATEMENTS = (
    """
    create table attachment (
        id uuid primary key,
        agency_id integer not null references agency,
        author text not null,
        kind text not null constraint attachment_kind_check
            check (kind in ('photo', 'voice', 'document')),
        said_type text not null,
        type text,
        size bigint not null constraint attachment_size_check check (size > 0),
        sha256 bytea not null constraint attachment_sha256_check check (length(sha256) = 32),
        about text constraint attachment_about_check
            check (about ~ '^(message:[0-9a-f-]{36}|incident:[1-9][0-9]*)$'),
        state text not null default 'receiving' constraint attachment_state_check
            check (state in ('receiving', 'checking', 'ready', 'refused')),
        code text,
        reason text,
        made_at timestamptz not null default now(),
        stored_size bigint,
        width integer,
        height integer,
        seconds double precision
    )
    """,
    "create index attachment_agency on attachment (agency_id, made_at)",
    "create index attachment_about on attachment (about)",
    """
    create index attachment_under_way on attachment (state, made_at)
     where state in ('receiving', 'checking')
    """,
    "create table file_orphan (name text primary key)",
    """
    create function attachment_files_go() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    begin
        if tg_op = 'UPDATE' and new.state = 'ready' then
            insert into file_orphan values (old.id || '.part') on conflict do nothing;
        elsif tg_op = 'DELETE' or new.state = 'refused' then
            insert into file_orphan
            select old.id || ending
              from unnest(array['', '.part', '.made', '.small', '.preview']) as ending
                on conflict do nothing;
        end if;
        return null;
    end
    $$
    """,
    """
    create trigger attachment_files_go after update of state or delete on attachment
    for each row execute function attachment_files_go()
    """,
    # What is ready and about an incident stands in its log, in the order of commits.
    """
    create function attachment_in_log() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp as $$
    declare
        incident integer := split_part(new.about, ':', 2)::integer;
        number integer;
    begin
        update incident_card set log_head = log_head + 1 where incident_id = incident
        returning log_head into number;
        if found then
            insert into incident_event
                (incident_id, seq, author, author_name, agency_id, kind, details)
            values (incident, number, new.author, coalesce(
                case split_part(new.author, ':', 1)
                when 'person' then (select full_name from person
                                     where id = split_part(new.author, ':', 2)::integer)
                when 'unit' then (select callsign from unit
                                   where id = split_part(new.author, ':', 2)::integer)
                end, new.author), new.agency_id, 'attached',
                jsonb_build_object('attachment', new.id, 'kind', new.kind));
        end if;
        return null;
    end
    $$
    """,
    """
    create trigger attachment_in_log after update of state on attachment for each row
    when (new.state = 'ready' and old.state <> 'ready' and new.about like 'incident:%')
    execute function attachment_in_log()
    """,
    "alter table retention drop constraint retention_kind_check",
    f"alter table retention add constraint retention_kind_check check (kind in {KINDS})",
)


def upgrade() -> None:
    """Add the tables, and the period of attachments."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forget all attachments; their files stay where they are."""
    op.execute("delete from retention where kind = 'attachment'")
    op.execute("alter table retention drop constraint retention_kind_check")
    op.execute(
        f"alter table retention add constraint retention_kind_check check (kind in {OLD_KINDS})"
    )
    op.execute("drop table attachment")
    op.execute("drop function attachment_files_go()")
    op.execute("drop function attachment_in_log()")
    op.execute("drop table file_orphan")
