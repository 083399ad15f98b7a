"""What others warn of, as the page shows it, and how the feeds are on which it was heard."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct

from dispatch.alerting import areas, hearing, standing
from dispatch.alerting.cap import Alert, Verdict
from dispatch.alerting.hearing import Advice, Heard
from dispatch.alerting.standing import State
from dispatch.asking import Asked, Route, not_allowed, not_found
from dispatch.warnings import reissuing
from dispatch.warnings.drafts import may_read
from dispatch.warnings.items import Circle, Words
from dispatch.warnings.room import ROOM
from dispatch.warnings.sources import Source
from geo import belize
from geo.coordinates import E7
from psn import database

log = logging.getLogger(__name__)

MOST: Final = 200
"""Alerts that are listed."""


class AdviceShown(Struct, kw_only=True):
    """An alert of others, how it stands, and what its signature is worth; milliseconds UTC.

    ``near``: it may concern Belize; ``warning``: which of ours was begun from it, or from what it
    names.
    """

    id: int
    feed: str
    sender: str
    identifier: str
    kind: str
    status: str
    state: str
    severity: str
    texts: list[Words]
    area: str
    sent: int
    heard: int
    ends: int
    by: str | None
    """What ended it: an Update, a Cancel."""
    verdict: str
    signer: str
    near: bool
    warning: int | None
    message: int | None
    """The newest message of that warning."""


class AdviceWhole(AdviceShown, kw_only=True):
    """The same with its area: degrees x 10^7, metres."""

    polygons: list[list[tuple[int, int]]]
    circles: list[Circle]


class FeedShown(Struct, kw_only=True):
    """A feed, and how it is; milliseconds UTC."""

    name: str
    title: str
    url: str
    signed: bool
    """The certificates of who signs it are known."""
    tried: int | None
    succeeded: int | None
    failing_since: int | None
    problem: str | None
    in_force: int


class HeardShown(Struct):
    """What is heard: alerts of others, what is in force first, and every feed."""

    alerts: list[AdviceShown]
    feeds: list[FeedShown]


@dataclass(frozen=True, slots=True)
class Ours:
    """Warnings of ours that were begun from alerts of others."""

    warnings: Mapping[standing.Key, int]
    newest: Mapping[int, int]
    """The newest message of each."""

    def of(self, alert: Alert) -> int | None:
        """Ours about an alert, or about what it names."""
        keys = [standing.key(alert), *(standing.key(each) for each in alert.references)]
        return next((self.warnings[key] for key in keys if key in self.warnings), None)


async def heard(asked: Asked) -> HeardShown:
    """What others warn of, for who writes or approves warnings."""
    if not may_read(asked.who, asked.who.agency):
        raise not_allowed()
    sources = asked.request.app[ROOM].listening.sources
    async with asked.pool.acquire() as connection:
        found, ours = await read(connection, asked.who.agency)
        rows = await connection.fetch(_FEEDS)
    listed = await asyncio.to_thread(hearing.advice, found, datetime.now(UTC))
    titles = {each.name: each.title for each in sources}
    shown = [_shown(each, ours, titles) for each in listed if each.heard.feed in titles]
    return HeardShown(shown[:MOST], _feeds(sources, rows, listed))


async def health(connection: database.Connection, sources: Sequence[Source]) -> list[FeedShown]:
    """How feeds are."""
    found, _ = await read(connection, None)
    rows = await connection.fetch(_FEEDS)
    return _feeds(sources, rows, hearing.advice(found, datetime.now(UTC)))


async def heard_one(asked: Asked) -> AdviceWhole:
    """One of them with its area; raises ``not_found``."""
    if not may_read(asked.who, asked.who.agency):
        raise not_allowed()
    number = asked.path_id()
    async with asked.pool.acquire() as connection:
        found, ours = await read(connection, asked.who.agency)
    listed = await asyncio.to_thread(hearing.advice, found, datetime.now(UTC))
    one = next((each for each in listed if each.heard.id == number), None)
    if one is None:
        raise not_found()
    titles = {each.name: each.title for each in asked.request.app[ROOM].listening.sources}
    shown = msgspec.structs.asdict(_shown(one, ours, titles))
    polygons, circles = _shapes(one.heard.alert)
    return AdviceWhole(**shown, polygons=polygons, circles=circles)


async def read(connection: database.Connection, agency: int | None) -> tuple[list[Heard], Ours]:
    """Everything that was heard, and what an agency has begun from it (None: any agency)."""
    found, warnings = [], {}
    for row in await connection.fetch(_HEARD, datetime.now(UTC) - hearing.KEPT, agency):
        try:
            alert = msgspec.json.decode(row["alert"], type=Alert)
        except msgspec.MsgspecError as problem:  # Of another version: it hides no other.
            log.error("alert %d of others cannot be read: %s", row["id"], problem)
            continue
        found.append(
            Heard(
                row["id"],
                row["feed"],
                Verdict(row["verdict"]),
                row["signer"],
                alert,
                row["heard_at"],
            )
        )
        if row["message"] is not None:
            warnings[standing.key(alert)] = (row["warning_id"], row["message"])
    ours = {key: warning for key, (warning, _) in warnings.items()}
    return found, Ours(ours, dict(warnings.values()))


def _shown(each: Advice, ours: Ours, titles: Mapping[str, str]) -> AdviceShown:
    alert = each.heard.alert
    first = alert.infos[0] if alert.infos else None
    names = dict.fromkeys(a.description.strip() for info in alert.infos for a in info.areas)
    warning = ours.of(alert)
    return AdviceShown(
        id=each.heard.id,
        feed=titles.get(each.heard.feed, each.heard.feed),
        sender=reissuing.sender_name(alert),
        identifier=alert.identifier,
        kind=str(alert.message_type),
        status=str(alert.status),
        state=str(each.state),
        severity="Unknown" if first is None else str(first.severity),
        texts=[
            Words(
                info.spoken,
                info.event,
                info.headline or "",
                info.description or "",
                info.instruction or "",
            )
            for info in alert.infos[:6]
        ],
        area=", ".join(name for name in names if name)[:1_000],
        sent=database.milliseconds(alert.sent),
        heard=database.milliseconds(each.heard.at),
        ends=database.milliseconds(each.ends),
        by=None if each.by is None else str(each.by.message_type),
        verdict=str(each.heard.verdict),
        signer=each.heard.signer,
        near=_near(alert),
        warning=warning,
        message=None if warning is None else ours.newest.get(warning),
    )


def _near(alert: Alert) -> bool:
    """Whether it may concern Belize: its area is not far, or nobody can tell."""
    west, south, east, north = belize.BOUNDS
    near = areas.NEAR_DEGREES
    boxes = list(_boxes(alert))
    return not boxes or any(
        w <= east + near and e >= west - near and s <= north + near and n >= south - near
        for w, s, e, n in boxes
    )


def _boxes(alert: Alert) -> Iterable[tuple[float, float, float, float]]:
    for area in (area for info in alert.infos for area in info.areas):
        for ring in area.polygons:
            lons, lats = [at.lon for at in ring], [at.lat for at in ring]
            yield min(lons), min(lats), max(lons), max(lats)
        for circle in area.circles:
            # A degree of latitude is some 111 km; of longitude, here, little less.
            reach = circle.radius_km / 100
            lat, lon = circle.centre
            yield lon - reach, lat - reach, lon + reach, lat + reach


def _shapes(alert: Alert) -> tuple[list[list[tuple[int, int]]], list[Circle]]:
    rings: dict[tuple[tuple[int, int], ...], None] = {}
    circles: dict[Circle, None] = {}
    for area in (area for info in alert.infos for area in info.areas):
        for ring in area.polygons:
            rings[tuple((round(at.lon * E7), round(at.lat * E7)) for at in ring)] = None
        for circle in area.circles:
            lat, lon = circle.centre
            metres = round(circle.radius_km * 1_000)
            circles[Circle(round(lon * E7), round(lat * E7), metres)] = None
    return [list(ring) for ring in rings], list(circles)


def _feeds(
    sources: Iterable[Source], rows: Iterable[asyncpg.Record], listed: Iterable[Advice]
) -> list[FeedShown]:
    counted = Counter(each.heard.feed for each in listed if each.state is State.IN_FORCE)
    # Another address is another feed, of which nothing is known yet.
    known = {(row["name"], row["url"]): row for row in rows}
    return [_feed(each, known.get((each.name, each.url)), counted[each.name]) for each in sources]


def _feed(source: Source, row: asyncpg.Record | None, in_force: int) -> FeedShown:
    return FeedShown(
        name=source.name,
        title=source.title,
        url=source.url,
        signed=bool(source.certificates),
        tried=None if row is None else _ms(row["tried_at"]),
        succeeded=None if row is None else _ms(row["succeeded_at"]),
        failing_since=None if row is None else _ms(row["failing_since"]),
        problem=None if row is None else row["problem"],
        in_force=in_force,
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else database.milliseconds(at)


_HEARD: Final = """
    select h.id, h.feed, h.verdict, h.signer, h.alert, h.heard_at, h.warning_id,
           (select max(m.id) from warning_message m
             where m.warning_id = h.warning_id and m.stage <> 'dropped'
               and ($2::int is null or m.agency_id = $2)) as message
      from heard_alert h where h.heard_at > $1 order by h.id
"""
_FEEDS: Final = "select name, url, tried_at, succeeded_at, failing_since, problem from alert_feed"

ROUTES: Final = (
    Route("/api/warnings/heard", heard, HeardShown),
    Route("/api/warnings/heard/{id}", heard_one, AdviceWhole),
)
