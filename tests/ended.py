"""Calls, incidents and lookouts that ended some days ago, put into a database for pruning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
from stage import ANA, BPD, CAR

Connection = asyncpg.Connection
NOW = datetime(2026, 11, 1, 15, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def incident(
    conn: Connection,
    days: int,
    agency: int = BPD,
    *,
    units: dict[int, int] | None = None,
    partners: tuple[int, ...] = (),
    asked: int | None = None,
    author: str = ANA,
    title: str = "Juan Perez was hit",
) -> int:
    """One that was closed so many days ago: a call, a log of three, and units of agencies on it.

    ``asked``: an agency that was asked to take part, and declined.
    """
    closed = NOW - timedelta(days=days)
    opened = closed - 3 * HOUR
    id = int(
        await conn.fetchval(
            "insert into incident (agency_id, title, opened_by, opened_at, closed_at)"
            " values ($1, $2, $3, $4, $5) returning id",
            *(agency, title, author, opened, closed),
        )
    )
    await conn.execute(
        "update incident_card set place = 'Mile 8', details = 'bleeding', outcome = 'done',"
        " log_head = 3, point = st_setsrid(st_point(-88.2005, 17.5005), 4326)"
        " where incident_id = $1",
        id,
    )
    for seq, kind in enumerate(("opened", "note", "closed"), 1):
        await conn.execute(
            "insert into incident_event (incident_id, seq, at, author, author_name, agency_id,"
            " kind, private, details) values ($1, $2, $3, $4, 'Ana', $5, $6, $7, $8)",
            *(id, seq, opened + seq * HOUR, author, agency, kind, kind == "note"),
            '{"text": "said by Juan Perez"}',
        )
    for each in (agency, *partners):
        await conn.execute(
            "insert into incident_member (incident_id, agency_id, reason, author)"
            " values ($1, $2, 'x', 'test')",
            *(id, each),
        )
    for unit, whose in ({CAR: BPD} if units is None else units).items():
        await _sent(conn, id, unit, whose, opened)
    if asked is not None:
        await _asked(conn, id, agency, asked)
    await call(conn, days, agency, of=id)
    return id


async def _asked(conn: Connection, id: int, agency: int, asked: int) -> None:
    invitation = await conn.fetchval(
        "insert into invitation (incident_id, agency_id, from_agency, text, author, answer,"
        " answer_text, answered_at, answered_by)"
        " values ($1, $2, $3, 'for Juan', 'test', 'declined', 'Juan is here', now(), 'test')"
        " returning id",
        *(id, asked, agency),
    )
    await conn.execute(
        "insert into alarm (agency_id, kind, about, details, ended_at)"
        " values ($1, 'invitation_answered', 'invitation:' || $2::int, $3, now())",
        *(agency, invitation, '{"text": "Juan is here"}'),
    )


async def _sent(conn: Connection, id: int, unit: int, agency: int, opened: datetime) -> None:
    await conn.execute(
        "insert into incident_member (incident_id, unit_id, reason, author)"
        " values ($1, $2, 'assigned', 'test')",
        *(id, unit),
    )
    sent = await conn.fetchval(
        "insert into assignment (incident_id, unit_id, agency_id, order_text, ordered_by,"
        " ordered_at, acknowledged_at, on_scene_at, ended_at, outcome)"
        " values ($1, $2, $3, 'go to Juan', 'test', $4, $5, $6, $7, 'cleared') returning id",
        *(id, unit, agency, opened + HOUR / 2, opened + HOUR, opened + HOUR * 2),
        opened + HOUR * 3,
    )
    await conn.execute(
        "insert into alarm (agency_id, kind, about, details, ended_at)"
        " values ($1, 'unacknowledged', 'assignment:' || $2::int, '{}', $3)",
        *(agency, sent, opened + HOUR),
    )


async def call(
    conn: Connection, days: int, agency: int = BPD, of: int | None = None, taken_by: int = 1
) -> int:
    """One that ended so many days ago: closed, or with an incident."""
    ended = NOW - timedelta(days=days) - 3 * HOUR
    number: int = await conn.fetchval(
        "insert into call (agency_id, number, line, state, caller_name, caller_number, notes,"
        " taken_by, received_at, taken_at, ended_at, incident_id, outcome)"
        " values ($1, next_number($1, 'call'), '911', $2, 'Maria Caller', '501-600-1234',"
        " 'Juan Perez lies there', $3, $4, $4, $5, $6, $7) returning id",
        *(agency, "closed" if of is None else "incident", taken_by),
        *(ended - timedelta(minutes=5), ended, of, "nothing" if of is None else None),
    )
    return number


async def lookout(
    conn: Connection,
    days: int,
    agency: int = BPD,
    *,
    ended: bool = True,
    told: tuple[int, ...] = (),
    author: str = ANA,
) -> int:
    """One that has been over for so many days, by word or by itself."""
    over = NOW - timedelta(days=days)
    number: int = await conn.fetchval(
        "insert into lookout (agency_id, number, subject, title, plate, agencies, author,"
        " issued_at, until, ended_at, outcome)"
        " values ($1, next_number($1, 'lookout'), 'person', 'Juan Perez', 'C-1', $2, $3, $4, $5,"
        " $6, $7) returning id",
        *(agency, list(told), author, over - 5 * HOUR, over + 9 * HOUR if ended else over),
        *(over if ended else None, "found" if ended else None),
    )
    return number


async def attached(
    conn: Connection, about: int, days: int, agency: int = BPD, state: str = "ready"
) -> UUID:
    """A photo of an incident."""
    id = uuid4()
    await conn.execute(
        "insert into attachment (id, agency_id, author, kind, said_type, size, sha256, about,"
        " state, made_at) values ($1, $2, 'unit:1', 'photo', '', 1, $3, 'incident:' || $4::int,"
        " $5, $6)",
        *(id, agency, bytes(32), about, state, NOW - timedelta(days=days)),
    )
    return id


async def hold(conn: Connection, subject: str) -> None:
    await conn.execute(
        "insert into legal_hold (subject, reason, author, starts_at)"
        " values ($1, 'inquest', 'test', '2026-01-01')",
        subject,
    )


async def ids(conn: Connection, table: str) -> set[int]:
    return {row[0] for row in await conn.fetch(f"select id from {table}")}


async def everything(conn: Connection) -> str:
    """Every row of every table of dispatch as text, to look for what must be gone."""
    texts = []
    for table in (
        *("incident", "incident_card", "incident_event", "incident_link", "incident_member"),
        *("invitation", "call", "assignment", "alarm", "lookout", "attachment", "reminder"),
        *("welfare_check", "incident_figure", "assignment_figure"),
    ):
        rows = await conn.fetch(f"select to_jsonb(t)::text from {table} t")
        texts += [f"{table} {row[0]}" for row in rows]
    return "\n".join(texts)
