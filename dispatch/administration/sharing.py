"""What an agency shares and is shown, both ways, and why somebody sees a unit or does not.

Of what other agencies decided only that is told which is shown on the map anyway: an exception by
which another agency hides a unit is its own affair.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from dispatch.administration.values import author_of, milliseconds
from dispatch.asking import Asked, Route, id_of, not_found
from psn import access, reasons
from psn.access import Principal
from psn.directory import Precision, Unit

MOST_GLASSES: Final = 200


class AgreementRow(Struct):
    """What ``owner`` shows ``viewer``, or lets it do. Times in milliseconds UTC."""

    id: int
    owner: int
    viewer: int
    units: str
    messages: bool
    reason: str
    author: str | None
    """None: another agency's affair."""
    starts: int
    ends: int | None


class ExceptionRow(Struct):
    """One unit is shown so to one agency, or at most so to all (``viewer`` none)."""

    id: int
    unit: int
    callsign: str
    owner: int
    viewer: int | None
    units: str
    reason: str | None
    author: str | None
    starts: int
    ends: int | None


class IncidentRow(Struct):
    """An open incident in which the caller's agency or a unit of it takes part."""

    id: int
    title: str
    agency: int
    opened: int
    agencies: list[int]
    units: list[str]
    """Callsigns of those assigned to it that the caller's agency is shown."""


class GlassRow(Struct):
    """Somebody gave himself sight of ``owner``'s open units.

    What a review found is for the owner to know; others are told that there was one.
    """

    id: int
    person: str
    name: str
    agency: int
    owner: int
    reason: str
    starts: int
    ends: int
    reviewed: int | None
    reviewer: str | None
    review: str | None


class SharingNow(Struct):
    """All that concerns the caller's agency: in force or to come; broken glass of 30 days, too."""

    agreements: list[AgreementRow]
    exceptions: list[ExceptionRow]
    incidents: list[IncidentRow]
    glasses: list[GlassRow]


class SharingUnit(Struct):
    """A unit that one can ask about."""

    id: int
    agency: int
    callsign: str


class SharingUnits(Struct):
    """Units of the caller's agency, and those that it is shown; none out of use."""

    units: list[SharingUnit]


class WhyAnswer(Struct):
    """How precisely a unit is shown to a viewer, and the steps that led there in words."""

    viewer: str
    unit: str
    shown: str
    reasons: list[str]


async def sharing(asked: Asked) -> SharingNow:
    """Agreements, exceptions, incidents and broken glass of the caller's agency, both ways."""
    agency = asked.own("agreement", "see")
    async with asked.pool.acquire() as connection:
        agreements = await connection.fetch(_AGREEMENTS, agency)
        exceptions = await connection.fetch(_EXCEPTIONS, agency)
        incidents = await connection.fetch(_INCIDENTS, agency)
        glasses = await connection.fetch(_GLASSES, agency, MOST_GLASSES)
    return SharingNow(
        [_agreement(row, asked) for row in agreements],
        [
            _exception(row, asked)
            for row in exceptions
            if row["agency_id"] == agency or _is_shown(row["unit_id"], asked)
        ],
        [_incident(row, asked) for row in incidents],
        [_glass(row, asked) for row in glasses],
    )


_AGREEMENTS: Final = """
    SELECT * FROM agreement WHERE $1 IN (owner_agency, viewer_agency)
       AND (ends_at IS NULL OR ends_at > now()) ORDER BY id
"""
_EXCEPTIONS: Final = """
    SELECT e.*, u.callsign, u.agency_id FROM unit_exception e JOIN unit u ON u.id = e.unit_id
     WHERE (u.agency_id = $1 OR e.viewer_agency = $1)
       AND (e.ends_at IS NULL OR e.ends_at > now()) ORDER BY e.id
"""
_INCIDENTS: Final = """
    SELECT i.id, i.title, i.agency_id, i.opened_at,
           array_agg(m.agency_id) FILTER (WHERE m.agency_id IS NOT NULL) AS agencies,
           array_agg(m.unit_id) FILTER (WHERE m.unit_id IS NOT NULL) AS units
      FROM incident i
      JOIN incident_member m ON m.incident_id = i.id
           AND m.starts_at <= now() AND (m.ends_at IS NULL OR m.ends_at > now())
      LEFT JOIN unit u ON u.id = m.unit_id
     WHERE i.closed_at IS NULL
     GROUP BY i.id HAVING bool_or($1 IN (m.agency_id, u.agency_id)) ORDER BY i.id
"""
_GLASSES: Final = """
    SELECT g.*, p.agency_id FROM broken_glass g JOIN person p ON p.id = g.person_id
     WHERE $1 IN (p.agency_id, g.owner_agency)
       AND (g.reviewed_at IS NULL OR g.ends_at > now() - interval '30 days')
     ORDER BY g.id DESC LIMIT $2
"""


def _agreement(row: Any, asked: Asked) -> AgreementRow:
    own = row["owner_agency"] == asked.who.agency
    return AgreementRow(
        row["id"],
        row["owner_agency"],
        row["viewer_agency"],
        row["units"],
        row["messages"],
        row["reason"],
        author_of(row["author"], asked.core.directory) if own else None,
        milliseconds(row["starts_at"]) or 0,
        milliseconds(row["ends_at"]),
    )


def _exception(row: Any, asked: Asked) -> ExceptionRow:
    own = row["agency_id"] == asked.who.agency
    return ExceptionRow(
        row["id"],
        row["unit_id"],
        row["callsign"],
        row["agency_id"],
        row["viewer_agency"],
        row["units"],
        row["reason"] if own else None,
        author_of(row["author"], asked.core.directory) if own else None,
        milliseconds(row["starts_at"]) or 0,
        milliseconds(row["ends_at"]),
    )


def _incident(row: Any, asked: Asked) -> IncidentRow:
    directory = asked.core.directory
    return IncidentRow(
        row["id"],
        row["title"],
        row["agency_id"],
        milliseconds(row["opened_at"]) or 0,
        sorted(set(row["agencies"] or ())),
        sorted(
            directory.units[number].callsign
            for number in set(row["units"] or ())
            if _is_shown(number, asked)
        ),
    )


def _glass(row: Any, asked: Asked) -> GlassRow:
    directory, owned = asked.core.directory, row["owner_agency"] == asked.who.agency
    reviewer = row["reviewed_by"]
    return GlassRow(
        row["id"],
        f"person:{row['person_id']}",
        directory.name(f"person:{row['person_id']}"),
        row["agency_id"],
        row["owner_agency"],
        row["reason"],
        milliseconds(row["starts_at"]) or 0,
        milliseconds(row["ends_at"]) or 0,
        milliseconds(row["reviewed_at"]),
        author_of(reviewer, directory) if owned and reviewer else None,
        row["review"] if owned else None,
    )


def _is_shown(number: int, asked: Asked) -> bool:
    """Whether the caller's agency, whoever of it asks, is shown anything of a unit."""
    unit = asked.core.directory.units.get(number)
    rules = asked.core.rules
    return unit is not None and rules.sharing.precision(unit, asked.who.agency) > Precision.NOTHING


async def sharing_units(asked: Asked) -> SharingUnits:
    """The units of the caller's agency, and of others those that it is shown."""
    asked.own("agreement", "see")
    units = asked.core.directory.units.values()
    return SharingUnits(
        [
            SharingUnit(unit.id, unit.agency, unit.callsign)
            for unit in sorted(units, key=lambda unit: unit.callsign)
            if not unit.retired and _is_shown(unit.id, asked)
        ]
    )


async def why(asked: Asked) -> WhyAnswer:
    """Why a viewer (``person:3``, ``agency:2``, ``unit:7``) is shown a unit so precisely."""
    asked.own("agreement", "see")
    unit = asked.core.directory.units.get(id_of(asked.query.get("unit", "")))
    if unit is None:
        raise not_found()
    kind, _, number = asked.query.get("viewer", "").partition(":")
    found = _why(asked, unit, kind, id_of(number))
    if found.precision is Precision.NOTHING and unit.agency != asked.who.agency:
        # A unit that is not shown does not exist, as far as others can tell.
        raise not_found()
    directory = asked.core.directory
    viewer = directory.name(f"{kind}:{number}")
    return WhyAnswer(viewer, unit.callsign, found.precision.word, list(found.sentences))


def _why(asked: Asked, unit: Unit, kind: str, viewer: int) -> reasons.Why:
    core, own, now = asked.core, asked.who.agency, datetime.now(UTC)
    if kind == "agency":
        if viewer not in core.directory.agencies or own not in (viewer, unit.agency):
            raise not_found()
        return reasons.to_agency(viewer, unit, core.directory, now, own)
    who = _viewer(asked, kind, viewer)
    if who is None:
        raise not_found()
    if who.agency != own and not (unit.agency == own and _breaks_glass(asked, who)):
        raise not_found()
    return reasons.to_principal(who, unit, core.rules, now, own)


def _viewer(asked: Asked, kind: str, number: int) -> Principal | None:
    """A person, or whoever sits before a unit's tablet."""
    directory = asked.core.directory
    if kind == "person":
        person = directory.people.get(number)
        return None if person is None else access.of_person(person)
    unit = directory.units.get(number) if kind == "unit" else None
    if unit is None:
        return None
    return Principal(unit.address, unit.callsign, unit.agency, ("field",), unit=unit.id)


def _breaks_glass(asked: Asked, who: Principal) -> bool:
    """Whether the caller's agency knows of this person, since he looks at its units now."""
    return asked.who.agency in asked.core.rules.sharing.broken.get(who.person or 0, ())


ROUTES: Final = (
    Route("/api/sharing", sharing, SharingNow),
    Route("/api/sharing/units", sharing_units, SharingUnits),
    Route("/api/sharing/why", why, WhyAnswer, ("viewer", "unit")),
)
