"""What an agency has beforehand, over HTTP: kinds of incidents, stations, crews, rules at fences.

It is changed by actions (``dispatch.desk.types``, ``units``, ``care``), which have their own paths
under ``/api/do``. Who follows the board reads there what is of now; whoever keeps an agency's units
need not work on incidents, and reads it here.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from msgspec import Struct

from dispatch.administration.values import author_of
from dispatch.asking import ApiProblem, Asked, Route, not_allowed
from dispatch.board import rows
from psn import access, database
from psn.directory import Precision

DAY_MS: Final = 86_400_000
USUAL_DAYS: Final = 8
MOST_DAYS: Final = 40
LATEST_MS: Final = 4_102_444_800_000
"""The end of the century, as for every end that people set."""


class IncidentTypes(Struct):
    """The kinds of incidents of the caller's agency that are in use, as they stand on the board."""

    types: list[rows.IncidentType]


class Stations(Struct):
    """The stations of the caller's agency, as they stand on the board."""

    stations: list[rows.Station]


class CrewedUnit(Struct):
    """A unit, what it can do, its station, and the telephone that it carries."""

    id: int
    callsign: str
    kind: str
    capabilities: list[str]
    station: int | None
    telephone: str | None


class ShiftRow(Struct):
    """Who crews a unit from when until when (milliseconds UTC)."""

    id: int
    unit: int
    starts: int
    ends: int
    crew: list[dict[str, Any]]


class Crews(Struct):
    """The units of the caller's agency, and their shifts that touch a period, in their order."""

    units: list[CrewedUnit]
    shifts: list[ShiftRow]


class FenceRuleRow(Struct):
    """An alarm at a fence; ``threshold``: of ``dwell`` seconds, of ``speed`` centimetres a second.

    Without ``unit`` and ``kind`` it is for all units that are shown; ``callsign`` is none where the
    unit is not shown any more.
    """

    id: int
    fence: int
    fence_name: str
    what: str
    unit: int | None
    callsign: str | None
    kind: str | None
    threshold: int | None
    author: str
    since: int


class FenceRules(Struct):
    """The rules of the caller's agency that are in force."""

    rules: list[FenceRuleRow]


_PREPARES: Final = (("incident", "see"), ("unit", "manage"))


def _agency(asked: Asked, *rights: tuple[str, str]) -> int:
    """The caller's agency, where he is a person with one of the rights; raises ``not_allowed``.

    A tablet is shown its own duty, and nothing of what its agency has in store.
    """
    who = asked.who
    may = any(access.may(who, kind, action, who.agency) for kind, action in rights)
    if who.person is None or not may:
        raise not_allowed()
    return who.agency


async def incident_types(asked: Asked) -> IncidentTypes:
    """The kinds of incidents of the caller's agency that are in use."""
    agency = _agency(asked, *_PREPARES)
    of = asked.desk.board.of(rows.IncidentType).values()
    found = [each for each in of if each.agency == agency]
    return IncidentTypes(sorted(found, key=lambda each: (each.name.lower(), each.id)))


async def stations(asked: Asked) -> Stations:
    """The stations of the caller's agency."""
    agency = _agency(asked, *_PREPARES)
    of = asked.desk.board.of(rows.Station).values()
    found = [each for each in of if each.agency == agency]
    return Stations(sorted(found, key=lambda each: (each.name.lower(), each.id)))


async def crews(asked: Asked) -> Crews:
    """Units, what they can do, and who crews them between two times (milliseconds UTC)."""
    agency = _agency(asked, *_PREPARES)
    starts, ends = _period(asked)
    board = asked.desk.board.of(rows.Unit)
    telephones = asked.desk.board.of(rows.Telephone)
    own = sorted(
        (u for u in asked.core.directory.units.values() if u.agency == agency and not u.retired),
        key=lambda unit: unit.callsign,
    )
    units = []
    for unit in own:
        row = board.get(unit.id)
        abilities, station = ([], None) if row is None else (row.capabilities, row.station)
        telephone = telephones.get(unit.id)
        number = None if telephone is None else telephone.number
        units.append(CrewedUnit(unit.id, unit.callsign, unit.kind, abilities, station, number))
    found = await asked.pool.fetch(
        "select id, unit_id, starts_at, ends_at, crew from shift where unit_id = any($1)"
        " and starts_at < $3 and ends_at > $2 and starts_at < ends_at order by starts_at, id",
        [unit.id for unit in own],
        database.moment(starts),
        database.moment(ends),
    )
    return Crews(units, [_shift(row) for row in found])


def _period(asked: Asked) -> tuple[int, int]:
    """From when until when (milliseconds UTC): eight days from now when nothing is said."""
    starts = asked.number("from", time.time_ns() // 1_000_000, 0, LATEST_MS)
    ends = asked.number("to", starts + USUAL_DAYS * DAY_MS, 0, LATEST_MS + USUAL_DAYS * DAY_MS)
    if not starts < ends <= starts + MOST_DAYS * DAY_MS:
        raise ApiProblem(
            400,
            "bad_parameter",
            f"The parameter to must be later than from, by {MOST_DAYS} days at most.",
            "Correct it and ask again.",
        )
    return starts, ends


def _shift(row: Any) -> ShiftRow:
    return ShiftRow(
        row["id"],
        row["unit_id"],
        database.milliseconds(row["starts_at"]),
        database.milliseconds(row["ends_at"]),
        msgspec.json.decode(row["crew"]),
    )


async def fence_rules(asked: Asked) -> FenceRules:
    """The alarms at fences that the caller's agency has set."""
    agency = _agency(asked, ("layer", "see"))
    found = await asked.pool.fetch(
        "select r.*, f.name from fence_rule r join fence f on f.id = r.fence_id"
        " where r.agency_id = $1 and r.ended_at is null order by f.name, r.id",
        agency,
    )
    return FenceRules([_rule(asked, row) for row in found])


def _rule(asked: Asked, row: Any) -> FenceRuleRow:
    unit = asked.core.directory.units.get(row["unit_id"])
    shown = unit is not None and (
        access.precision(asked.who, unit, asked.core.rules) is not Precision.NOTHING
    )
    return FenceRuleRow(
        row["id"],
        row["fence_id"],
        row["name"],
        row["what"],
        row["unit_id"],
        unit.callsign if unit is not None and shown else None,
        row["unit_kind"],
        row["threshold"],
        author_of(row["author"], asked.core.directory),
        database.milliseconds(row["made_at"]),
    )


ROUTES: Final = (
    Route("/api/incident-types", incident_types, IncidentTypes),
    Route("/api/stations", stations, Stations),
    Route("/api/crews", crews, Crews, ("from", "to")),
    Route("/api/fence-rules", fence_rules, FenceRules),
)
