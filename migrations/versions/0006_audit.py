"""The audit: a chain of entries that only grows, and every change of who is who in it.

Revision 0006. The theory is in psn/trail/audit.py. A table is put under audit with one line,
``select audit_table('sharing', 'sharing')``: the table, the word that names its rows, columns that
are secret, and columns whose change alone is no news. Rows that change are noted by a trigger
after each statement in ``audit_pending``, and go into the chain when the transaction commits: so
nobody holds the chain's lock while he thinks, or waits for a row with it in his hands.

The functions name their schemas, so that a temporary table called ``audit`` deceives none of them,
and look up by key whatever the sizes: a plan made while a table is small is kept for long.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    """
    create table audit (
        seq bigint primary key,
        body text not null,
        hash bytea not null,
        at timestamptz not null generated always as
            (to_timestamp((body::jsonb ->> 'at')::double precision / 1000)) stored,
        actor text not null generated always as (body::jsonb ->> 'actor') stored,
        agency integer generated always as ((body::jsonb ->> 'agency')::integer) stored,
        action text not null generated always as (body::jsonb ->> 'action') stored,
        object text generated always as (body::jsonb ->> 'object') stored,
        owner integer generated always as ((body::jsonb ->> 'owner')::integer) stored,
        session text generated always as (body::jsonb ->> 'session') stored
    )
    """,
    "create index audit_at on audit (at)",
    *(
        f"create index audit_{column} on audit ({column}, seq)"
        for column in ("actor", "agency", "action", "object", "owner", "session")
    ),
    """
    create table audit_checkpoint (
        seq bigint not null,
        hash bytea not null,
        at timestamptz not null,
        key bytea not null,
        signature bytea not null,
        primary key (seq, at)
    )
    """,
    # Empty but while a transaction is under way, so a crash has nothing to lose here.
    """
    create unlogged table audit_pending (
        id bigint generated always as identity primary key,
        entries jsonb[] not null
    )
    """,
)

REFUSE = (
    """
    create function audit_refuse() returns trigger language plpgsql as $$
    begin
        raise insufficient_privilege using
            message = format('%s is append-only', tg_table_name),
            hint = 'What stands in the audit stays; psn audit verify finds whatever was changed.';
    end
    $$
    """,
    *(
        f"""
        create trigger {table}_stays before update or delete or truncate on {table}
        for each statement execute function audit_refuse()
        """
        for table in ("audit", "audit_checkpoint")
    ),
)

APPEND = """
    create function audit_append(entries jsonb[]) returns bigint
    language plpgsql set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$
    declare
        moment bigint;
        before bigint;
        last bigint;
        link bytea;
        entry jsonb;
        body text;
        bodies text[] := '{}';
        links bytea[] := '{}';
    begin
        -- One after the other, whoever writes; what is read next is what the one before committed.
        perform pg_advisory_xact_lock(x'70736E03'::bigint);
        select a.seq, a.hash into before, link from audit a order by a.seq desc limit 1;
        before := coalesce(before, 0);
        last := before;
        link := coalesce(link, decode(repeat('00', 32), 'hex'));
        moment := floor(extract(epoch from clock_timestamp()) * 1000);
        foreach entry in array entries loop
            last := last + 1;
            body := jsonb_build_object(
                'at', coalesce(entry -> 'at', to_jsonb(moment)),
                'actor', entry -> 'actor',
                'actor_name', entry -> 'actor_name',
                'agency', entry -> 'agency',
                'source', entry -> 'source',
                'session', entry -> 'session',
                'action', entry -> 'action',
                'object', entry -> 'object',
                'owner', entry -> 'owner',
                'details', coalesce(entry -> 'details', '{}')
            )::text;
            link := sha256(link || int8send(last) || convert_to(body, 'UTF8'));
            bodies := bodies || body;
            links := links || link;
        end loop;
        insert into audit (seq, body, hash)
        select before + e.n, e.body, e.hash
          from unnest(bodies, links) with ordinality as e (body, hash, n);
        return last;
    end
    $$
"""

SETTLE = (
    """
    create function audit_settle() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
    begin
        perform audit_append(new.entries);
        delete from audit_pending where id = new.id;
        return null;
    end
    $$
    """,
    """
    create constraint trigger audit_pending_settled after insert on audit_pending
    deferrable initially deferred for each row execute function audit_settle()
    """,
)

# Arguments: the word for a row, its key columns, its secret ones, those whose change is no news.
CHANGE = r"""
    create function audit_change() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public, pg_temp
    set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
    declare
        name text := tg_argv[0];
        keys text[] := string_to_array(tg_argv[1], ',');
        secret text[] := string_to_array(tg_argv[2], ',');
        ignored text[] := string_to_array(tg_argv[3], ',');
        looks_secret text := '(password|secret|token|seal|hash)';
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
        olds jsonb[];
        news jsonb[];
        entries jsonb[];
    begin
        if tg_op = 'TRUNCATE' then
            entries := array[who || jsonb_build_object(
                'action', name || '.emptied', 'object', name || ':*', 'details', role)];
        elsif tg_op = 'INSERT' and name = 'session' then
            -- A sign-in has its entry already; a session without one was made by hand.
            news := array(
                select to_jsonb(n.*) from new_rows n
                 where (select count(*) filter (where a.action = 'session.started') from audit a
                         where a.session = substr(to_jsonb(n.*) ->> 'token_hash', 3, 8)) = 0);
        elsif tg_op = 'INSERT' then
            news := array(select to_jsonb(n.*) from new_rows n);
        elsif tg_op = 'DELETE' then
            olds := array(select to_jsonb(o.*) from old_rows o);
        else
            -- Grouped, not joined: a plan for joining one row would be kept for ten thousand.
            select array_agg(p.old order by p.place, p.old is null),
                   array_agg(p.new order by p.place, p.old is null)
              into olds, news
              from (select min(r.place) as place,
                           (array_agg(r.line) filter (where r.was))[1] as old,
                           (array_agg(r.line) filter (where not r.was))[1] as new
                      from (select row_number() over () as place, true as was, to_jsonb(o.*) as line
                              from old_rows o
                             union all
                            select row_number() over (), false, to_jsonb(n.*) from new_rows n) as r
                     group by (select string_agg(r.line ->> k, '/') from unnest(keys) as k)) as p
             where p.old is distinct from p.new;
        end if;

        if cardinality(olds) > 0 or cardinality(news) > 0 then
            select array_agg(
                who || jsonb_build_object(
                    'action', name || '.' || case
                        when r.old is null then 'added'
                        when r.new is null then 'removed'
                        else coalesce(turned.word, ended.word, 'changed') end,
                    'object', name || ':' || keyed.key,
                    'owner', coalesce(
                        line ->> 'agency_id',
                        line ->> 'owner_agency',
                        case when name = 'agency' then line ->> 'id' end,
                        (select p.agency_id from person p
                          where p.id = (line ->> 'person_id')::integer)::text,
                        (select d.agency_id from device d
                          where d.id = (line ->> 'device_id')::integer)::text,
                        (select u.agency_id from unit u
                          where u.id = (line ->> 'unit_id')::integer)::text)::integer,
                    'details', jsonb_strip_nulls(jsonb_build_object(
                        'secrets', differ.secrets)) || role || case
                        when r.old is null then
                            jsonb_build_object('new', jsonb_strip_nulls(differ.new))
                        when r.new is null then
                            jsonb_build_object('old', jsonb_strip_nulls(differ.old))
                        else jsonb_build_object('old', coalesce(differ.old, '{}'),
                                                'new', coalesce(differ.new, '{}')) end)
                order by r.place)
              into entries
              from unnest(olds, news) with ordinality as r (old, new, place)
             cross join lateral (select coalesce(r.new, r.old) as line) as l
             cross join lateral (
                   select string_agg(
                              case when k <> all (secret) and k !~ looks_secret
                                   then line ->> k
                                   when starts_with(line ->> k, '\x')
                                   then substr(line ->> k, 3, 8)
                                   else left(encode(sha256(
                                       convert_to(line ->> k, 'UTF8')), 'hex'), 8) end,
                              '/' order by n) as key
                     from unnest(keys) with ordinality as u (k, n)) as keyed
             cross join lateral (
                   select count(*) as columns,
                          jsonb_object_agg(c.k, c.old) filter (where not c.hidden) as old,
                          jsonb_object_agg(c.k, c.new) filter (where not c.hidden) as new,
                          jsonb_agg(c.k) filter (where c.hidden) as secrets
                     from (select k, k = any (secret) or k ~ looks_secret as hidden,
                                  case when length((r.old -> k)::text) > 4000
                                       then to_jsonb('sha256:' || encode(sha256(
                                            convert_to((r.old -> k)::text, 'UTF8')), 'hex'))
                                       else r.old -> k end as old,
                                  case when length((r.new -> k)::text) > 4000
                                       then to_jsonb('sha256:' || encode(sha256(
                                            convert_to((r.new -> k)::text, 'UTF8')), 'hex'))
                                       else r.new -> k end as new
                             from jsonb_object_keys(line) as k
                            where r.old -> k is distinct from r.new -> k
                              and k <> all (ignored)) as c) as differ
              left join lateral (
                   select case when r.new ->> (w || '_at') is null then back else w end as word
                     from unnest(array['disabled', 'wiped', 'wipe_ordered', 'revoked', 'retired',
                                       'ended', 'closed', 'reviewed', 'used'],
                                 array['enabled', 'unwiped', 'wipe_recalled', 'restored',
                                       'reinstated', 'reopened', 'reopened', 'unreviewed',
                                       'unused']) with ordinality as words (w, back, n)
                    where (r.old ->> (w || '_at') is null) <> (r.new ->> (w || '_at') is null)
                    order by n limit 1) as turned on true
              left join lateral (
                   select 'ended' as word
                    where r.old -> 'ends_at' is distinct from r.new -> 'ends_at'
                      and (r.new ->> 'ends_at')::timestamptz <= greatest(
                          clock_timestamp() + interval '1 minute',
                          (r.new ->> 'starts_at')::timestamptz)) as ended on true
             where differ.columns > 0;
        end if;

        if entries is not null then
            insert into audit_pending (entries) values (entries);
        end if;
        return null;
    end
    $$
"""

ATTACH = """
    create function audit_table(
        what regclass, name text, secret text[] default '{}', ignored text[] default '{}'
    ) returns void language plpgsql as $$
    declare
        keys text;
        calls text;
    begin
        select string_agg(a.attname, ',' order by k.n) into strict keys
          from pg_index i
         cross join unnest(i.indkey) with ordinality as k (number, n)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
         where i.indrelid = what and i.indisprimary;
        calls := format(
            'for each statement execute function audit_change(%L, %L, %L, %L)',
            name, keys, array_to_string(secret, ','), array_to_string(ignored, ','));
        execute format('create trigger audited_insert after insert on %s'
                       ' referencing new table as new_rows %s', what, calls);
        execute format('create trigger audited_update after update on %s'
                       ' referencing old table as old_rows new table as new_rows %s', what, calls);
        execute format('create trigger audited_delete after delete on %s'
                       ' referencing old table as old_rows %s', what, calls);
        execute format('create trigger audited_truncate after truncate on %s %s', what, calls);
    end
    $$
"""

AUDITED = (
    "select audit_table('agency', 'agency')",
    "select audit_table('person', 'person', '{password_hash}')",
    "select audit_table('unit', 'unit')",
    "select audit_table('device', 'device')",
    "select audit_table('enrolment', 'enrolment', '{code_hash}')",
    "select audit_table('talkgroup', 'group')",
    "select audit_table('group_member', 'group_member')",
    "select audit_table('agreement', 'agreement')",
    "select audit_table('unit_exception', 'exception')",
    "select audit_table('broken_glass', 'glass')",
    "select audit_table('incident', 'incident')",
    "select audit_table('incident_member', 'incident_member')",
    "select audit_table('fence', 'fence')",
    "select audit_table('session', 'session', '{token_hash}', '{active_at}')",
)


def upgrade() -> None:
    """Build the chain, its only entrance, its guards, and put who is who under audit."""
    for statement in (*TABLES, *REFUSE, APPEND, *SETTLE, CHANGE, ATTACH, *AUDITED):
        op.execute(statement)


def downgrade() -> None:
    """Take the audit away, with everything in it."""
    # What revisions behind this one have changed on their way back is settled first.
    op.execute("set constraints all immediate")
    op.execute("drop function audit_table(regclass, text, text[], text[])")
    op.execute("drop function audit_change() cascade")
    for table in ("audit_pending", "audit_checkpoint", "audit"):
        op.execute(f"drop table {table}")
    op.execute("drop function audit_settle()")
    op.execute("drop function audit_append(jsonb[])")
    op.execute("drop function audit_refuse()")
