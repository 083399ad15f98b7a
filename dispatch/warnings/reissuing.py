"""An alert of others as the beginning of a warning of our own.

It is a draft as any other: somebody reads it, completes it, and somebody else approves it. What
others have that ours cannot have is left out: other languages, an area far from here, an end that
is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct

from dispatch.alerting import areas, cap, life
from dispatch.alerting.areas import AreaRefused
from dispatch.alerting.cap import Alert, Info, Status
from dispatch.alerting.content import ENGLISH, KRIOL, LANGUAGES, SPANISH
from dispatch.desk.values import MOST_CHARACTERS, Id
from dispatch.desk.work import Action, Work
from dispatch.domain.refusals import not_now, not_there
from dispatch.warnings import bodies, rows
from dispatch.warnings.actions import Begun
from dispatch.warnings.bodies import CirclePart, Draft, DrawnArea, PolygonPart, Words
from geo.coordinates import E7
from psn import database

_LINE: Final = 200
_HEADLINE: Final = 1_000


class Reissue(Struct):
    """An alert of others that becomes a draft of our own."""

    heard: Id


async def reissue(work: Work, body: Reissue) -> Begun:
    """Begin a warning of our own from an alert of others: a draft as any other."""
    agency = work.own("warning", "draft", "write warnings")
    row = await work.connection.fetchrow(
        "select alert, warning_id from heard_alert where id = $1 for update", body.heard
    )
    if row is None:
        raise not_there("alert")
    if row["warning_id"] is not None and await _is_open(work, row["warning_id"], agency):
        raise not_now(
            "A warning was already begun from this alert.", "Go on with that one, or drop it."
        )
    alert = msgspec.json.decode(row["alert"], type=Alert)
    said = await asyncio.to_thread(draft, alert, work.now)
    made = None if said.area is None else await asyncio.to_thread(bodies.area, said.area)
    drawn = None if said.area is None else msgspec.json.encode(said.area)
    warning = await rows.new_warning(work.connection)
    begun = life.draft(0, warning, bodies.content(said, made), work.person())
    number = await rows.begin(work.connection, begun, agency, drawn)
    await work.connection.execute(
        "update heard_alert set warning_id = $2 where id = $1", body.heard, warning
    )
    work.warned = True
    return Begun(warning, number, begun.content.digest)


async def _is_open(work: Work, warning: int, agency: int) -> bool:
    """Whether the agency has a message of a warning that was not dropped."""
    there: bool = await work.connection.fetchval(
        "select exists (select 1 from warning_message"
        " where warning_id = $1 and agency_id = $2 and stage <> 'dropped')",
        warning,
        agency,
    )
    return there


# -- what it says


def draft(alert: Alert, now: datetime) -> Draft:
    """What a warning of ours begins with, of an alert of others. Takes a while."""
    first = alert.infos[0] if alert.infos else None
    said = Draft(
        status=alert.status,
        texts=[_words(alert, language) for language in LANGUAGES],
        note=_note(alert, first)[:_LINE],
    )
    if first is None:
        return said
    said.event = _line(first.event, _LINE)
    said.categories = list(dict.fromkeys(first.categories))[:12]
    said.responses = list(dict.fromkeys(first.responses))[:12]
    said.urgency, said.severity, said.certainty = first.urgency, first.severity, first.certainty
    said.area = _area(alert.infos)
    said.onset = _later(first.onset, now)
    said.expires = _later(first.expires, now)
    web = (first.web or "").strip()
    if web.startswith(("https://", "http://")) and len(web) <= _LINE:
        said.web = web
    return said


def sender_name(alert: Alert) -> str:
    """Who warns, for people."""
    named = next((each.sender_name for each in alert.infos if each.sender_name), None)
    return _line(named or alert.sender, _LINE)


def language_of(tag: str) -> str | None:
    """Which of our languages a tag is of, if any."""
    first = tag.lower().replace("_", "-").partition("-")[0]
    return {"en": ENGLISH, "es": SPANISH, "bzj": KRIOL}.get(first)


def _note(alert: Alert, first: Info | None) -> str:
    if alert.status is not Status.ACTUAL:
        return _line(alert.note or "", _LINE)
    return f"After a warning of {sender_name(alert)}."


def _words(alert: Alert, language: str) -> Words:
    for info in alert.infos:
        if language_of(info.spoken) == language:
            return Words(
                language=language,
                event=_line(info.event, _LINE),
                headline=_line(info.headline or info.event, _HEADLINE),
                description=_text(info.description),
                instruction=_text(info.instruction),
            )
    return Words(language=language)


def _area(infos: Iterable[Info]) -> DrawnArea | None:
    """All areas together, when they can be warned from here."""
    found = {area: None for info in infos for area in info.areas}
    rings = dict.fromkeys(ring for each in found for ring in each.polygons)
    circles = dict.fromkeys(circle for each in found for circle in each.circles)
    parts: list[bodies.Part] = [_polygon(ring) for ring in rings if len(ring) <= areas.MOST_GIVEN]
    parts += [_circle(circle) for circle in circles]
    name = ", ".join(dict.fromkeys(_line(each.description, _LINE) for each in found))
    if not parts or len(parts) > areas.MOST_PARTS or not name:
        return None
    drawn = DrawnArea(name=name[:_LINE], parts=parts)
    try:
        bodies.area(drawn)
    except AreaRefused:
        return None
    return drawn


def _polygon(ring: cap.Polygon) -> PolygonPart:
    # A ring's last point is its first, which need not be said again.
    return PolygonPart([_point(at) for at in islice(ring, max(len(ring) - 1, 0))])


def _circle(circle: cap.Circle) -> CirclePart:
    # A radius of nothing is a point, which is warned a kilometre around.
    metres = round(circle.radius_km * 1_000) or 1_000
    return CirclePart(_point(circle.centre), min(metres, 1_000_000))


def _point(at: cap.Point) -> tuple[int, int]:
    return round(at.lon * E7), round(at.lat * E7)


def _later(at: datetime | None, now: datetime) -> int | None:
    """A moment, when it is not over and no year beyond what is meant."""
    if at is None or at <= now or at.year > now.year + 1:
        return None
    return database.milliseconds(at)


def _line(text: str, most: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:most]


def _text(text: str | None) -> str:
    return (text or "").replace("\x00", "").strip()[:MOST_CHARACTERS]


ACTIONS: Final = (Action("warning.reissue", Reissue, reissue, Begun),)
