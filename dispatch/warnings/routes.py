"""Warnings over HTTP: what was written, whom it has reached, and how the ways out are."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from dispatch.alerting import life
from dispatch.asking import Asked, Download, Route, not_allowed, not_found
from dispatch.warnings import report, rows
from dispatch.warnings.drafts import may_read
from dispatch.warnings.outbox import CHANNELS
from dispatch.warnings.report import Report
from dispatch.warnings.room import ROOM
from geo import belize, people
from geo.coordinates import E7
from psn import access, database

CSV: Final = "text/csv"
MOST: Final = 200


class Summary(Struct):
    """A message; times in milliseconds UTC."""

    id: int
    warning: int
    agency: int
    kind: str
    stage: str
    status: str
    called: str
    digest: str
    changed: int
    sent: int | None
    alone: str | None


class Summaries(Struct):
    """Messages, newest first: of the own agency all for who warns, of others those sent."""

    messages: list[Summary]


class Whole(Struct, kw_only=True):
    """A message with all that it says, for who writes or approves it.

    ``content`` is what is approved, ``drawn`` its area as it was drawn, ``document`` the alert as
    it went out (CAP); ``phrase`` has to be typed to approve it.
    """

    id: int
    warning: int
    kind: str
    stage: str
    digest: str
    phrase: str
    authors: list[int]
    approved_by: int | None
    alone: str | None
    held: str | None
    content: dict[str, Any]
    drawn: dict[str, Any] | None
    document: str | None


class Way(Struct, kw_only=True):
    """A way out; times in milliseconds UTC."""

    channel: str
    name: str
    waiting: int
    handed: int
    """Since the server began."""
    succeeded: int | None
    failing_since: int | None
    problem: str | None
    refused: int
    """Tries that failed for what is wrong with their recipient, and not with the way."""
    refused_problem: str | None


class Ways(Struct):
    """Every way out that is set up, and how it is; ``missing``: channels that have none."""

    ways: list[Way]
    missing: list[str]


async def messages(asked: Asked) -> Summaries:
    """The newest messages of warnings that the caller may see."""
    if not access.is_ever_warned(asked.who):
        raise not_allowed()
    own = asked.who.agency if may_read(asked.who, asked.who.agency) else None
    found = await asked.pool.fetch(_MESSAGES, own, asked.number("limit", 50, 1, MOST))
    return Summaries(
        [
            Summary(
                row["id"],
                row["warning_id"],
                row["agency_id"],
                row["kind"],
                row["stage"],
                row["status"],
                row["called"],
                row["digest"],
                database.milliseconds(row["changed_at"]),
                _ms(row["sent_at"]),
                row["alone"],
            )
            for row in found
        ]
    )


async def whole(asked: Asked) -> Whole:
    """One message of the caller's agency, with all that it says."""
    row = await _row(asked)
    return Whole(
        id=row["id"],
        warning=row["warning_id"],
        kind=row["kind"],
        stage=row["stage"],
        digest=row["digest"],
        phrase=life.phrase(rows.message(row)),
        authors=row["authors"],
        approved_by=row["approved_by"],
        alone=row["alone"],
        held=row["held"],
        content=msgspec.json.decode(row["content"]),
        drawn=None if row["drawn"] is None else msgspec.json.decode(row["drawn"]),
        document=row["document"],
    )


async def reached(asked: Asked) -> Report:
    """Whom a message of the caller's agency has reached, by channel and district, as of now."""
    row = await _row(asked)
    async with asked.pool.acquire() as connection:
        shown = await report.shown_units(connection, row["id"])
        found = await report.of(connection, row["id"], _missed(asked, row, shown))
    area = rows.message(row).content.area
    found.people = None if area is None else await asyncio.to_thread(people.inside, area.shape)
    return found


async def reached_csv(asked: Asked) -> Download:
    """The same as a table."""
    found = await reached(asked)
    return Download(report.as_csv(found.lines), CSV, f"warning-{found.message}.csv")


async def recipients_csv(asked: Asked) -> Download:
    """What became of each recipient of a message, as a table."""
    row = await _row(asked)
    await asked.record("warning.exported", f"warning_message:{row['id']}", row["agency_id"], {})
    async with asked.pool.acquire() as connection:
        table = await report.recipients_csv(connection, row["id"])
    return Download(table, CSV, f"warning-{row['id']}-recipients.csv")


async def ways(asked: Asked) -> Ways:
    """How the ways out are, for who writes or approves warnings."""
    if not may_read(asked.who, asked.who.agency):
        raise not_allowed()
    waiting = {
        row["channel"]: row["count"]
        for row in await asked.pool.fetch(
            # Each by its own index: of what was told there may be millions.
            "select channel, count(*) from ("
            " select channel from warning_delivery where state = 'waiting' union all"
            " select channel from warning_delivery where state = 'handing') d group by channel"
        )
    }
    lanes = asked.request.app[ROOM].outbox.lanes
    found = [
        Way(
            channel=each.health.channel,
            name=each.health.name,
            waiting=waiting.get(each.health.channel, 0),
            handed=each.health.handed,
            succeeded=_milliseconds(each.health.succeeded),
            failing_since=_milliseconds(each.health.failing_since),
            problem=each.health.problem,
            refused=each.health.refused,
            refused_problem=each.health.refused_problem,
        )
        for each in lanes
    ]
    there = {each.channel for each in found}
    return Ways(found, [str(each) for each in CHANNELS if each not in there])


async def _row(asked: Asked) -> asyncpg.Record:
    """The message of the path, if its agency's people who warn ask."""
    row = await asked.pool.fetchrow(
        f"select {rows.COLUMNS}, digest, held, drawn, document from warning_message where id = $1",
        asked.path_id(),
    )
    if row is None or not may_read(asked.who, row["agency_id"]):
        raise not_found()
    return row


def _missed(asked: Asked, row: asyncpg.Record, shown: set[int]) -> dict[str | None, int]:
    """Units that were last heard of inside the area, and were shown nothing, by district."""
    message = rows.message(row)
    area = message.content.area
    if area is None or message.sent is None:
        return {}
    counted: Counter[str | None] = Counter()
    for number, seat in asked.core.picture.newest.items():
        unit = asked.core.directory.units.get(number)
        lon, lat = seat.fix.lon / E7, seat.fix.lat / E7
        if unit is None or unit.retired or number in shown or not area.covers(lon, lat):
            continue
        district = belize.district_of(lon, lat)
        counted[None if district is None else district.code] += 1
    return dict(counted)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else database.milliseconds(at)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1_000)


_MESSAGES: Final = """
    select id, warning_id, agency_id, kind, stage, content ->> 'status' as status,
           coalesce(content #>> '{texts,0,event}', content ->> 'event') as called, digest,
           changed_at, sent_at, alone
      from warning_message where stage = 'sent' or agency_id = $1 order by id desc limit $2
"""
ROUTES: Final = (
    Route("/api/warnings", messages, Summaries, ("limit",)),
    Route("/api/warnings/ways", ways, Ways),
    Route("/api/warnings/{id}", whole, Whole),
    Route("/api/warnings/{id}/report", reached, Report),
    Route("/api/warnings/{id}/report.csv", reached_csv, None, gives=(CSV,)),
    Route("/api/warnings/{id}/recipients.csv", recipients_csv, None, gives=(CSV,)),
)
"""``id`` is that of a message."""
