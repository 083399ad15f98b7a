"""Many recipients: their import is one entry of the audit, and what is to be forgotten is found.

Revision 0031. One statement that adds more than twenty recipients is one entry: whose they are, how
many by channel, their first and last number, and a SHA-256 over all of them, which anybody can
work out again from the table (docs/decisions/0036). Up to twenty have an entry each, as before.
"""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None

# Entries have the shape of those of audit_change() (revision 0006), which writes all other changes.
ADDED = r"""
    create function audit_recipients() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp as $$
    declare
        actor text := nullif(current_setting('psn.actor', true), '');
        who jsonb := jsonb_build_object(
            'actor', coalesce(actor, 'database: ' || session_user),
            'actor_name', nullif(current_setting('psn.actor_name', true), ''),
            'agency', nullif(current_setting('psn.agency', true), '')::integer,
            'source', nullif(current_setting('psn.source', true), ''),
            'session', nullif(current_setting('psn.session', true), ''));
        -- Anyone can say who he is with a setting; what the database knows stands beside it.
        role jsonb := case when actor is null then '{}'
                           else jsonb_build_object('role', session_user) end;
        entries jsonb[];
    begin
        if (select count(*) from new_rows) > 20 then
            select array_agg(
                who || jsonb_build_object(
                    'action', 'warning_recipient.imported',
                    'object', format('warning_recipient:%s-%s', a.first, a.last),
                    'owner', a.agency_id,
                    'details', role || jsonb_strip_nulls(jsonb_build_object(
                        'count', a.count, 'channels', a.channels,
                        'first', a.first, 'last', a.last, 'added_at', a.added_at,
                        'sha256', encode(sha256(convert_to(a.lines, 'UTF8')), 'hex'),
                        'file', nullif(current_setting('psn.file', true), ''))))
                order by a.agency_id)
              into entries
              from (select n.agency_id, count(*) as count, min(n.id) as first, max(n.id) as last,
                           min(n.added_at) as added_at,
                           (select jsonb_object_agg(c.channel, c.count)
                              from (select m.channel, count(*) as count from new_rows m
                                     where m.agency_id = n.agency_id group by 1) as c) as channels,
                           string_agg(
                               concat_ws(' ', n.id, n.channel, n.address, n.language, n.district),
                               chr(10) order by n.id) as lines
                      from new_rows n group by n.agency_id) as a;
        else
            select array_agg(
                who || jsonb_build_object(
                    'action', 'warning_recipient.added',
                    'object', 'warning_recipient:' || n.id,
                    'owner', n.agency_id,
                    'details', role || jsonb_build_object(
                        'new', jsonb_strip_nulls(to_jsonb(n.*) - 'secret')) || case
                        when n.secret is null then '{}'
                        else '{"secrets": ["secret"]}'::jsonb end)
                order by n.id)
              into entries
              from new_rows n;
        end if;
        if entries is not null then
            insert into audit_pending (entries) values (entries);
        end if;
        return null;
    end
    $$
"""
UP = (
    # Each hour it is looked for addresses that are to be forgotten; there may be millions of rows.
    "create index warning_delivery_addressed on warning_delivery (message_id)"
    " where address not like 'recipient:%'",
    ADDED,
    "drop trigger audited_insert on warning_recipient",
    "create trigger audited_insert after insert on warning_recipient"
    " referencing new table as new_rows for each statement execute function audit_recipients()",
)
DOWN = (
    "drop trigger audited_insert on warning_recipient",
    "create trigger audited_insert after insert on warning_recipient"
    " referencing new table as new_rows for each statement execute function"
    " audit_change('warning_recipient', 'id', 'secret', '')",
    "drop function audit_recipients()",
    "drop index warning_delivery_addressed",
)


def upgrade() -> None:
    """One entry for many; and an index."""
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """As it was."""
    for statement in DOWN:
        op.execute(statement)
