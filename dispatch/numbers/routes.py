"""Numbers over HTTP: for the caller's own agency, as docs/access.md says who may see them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

from msgspec import Struct

from dispatch.asking import ApiProblem, Asked, Download, Route
from dispatch.numbers import figures, tables, targets
from dispatch.numbers.figures import ELSEWHERE, FOREIGN, UNPLACED, UNTYPED, By
from dispatch.numbers.period import LAST, Period
from dispatch.numbers.summaries import Series, Summary, summarise
from geo import belize, squares
from psn import database

QUERY: Final = ("from", "to")
_WORDS: Final = {
    ELSEWHERE: ("At sea or abroad", "En el mar o en el extranjero"),
    UNPLACED: ("No place on the map", "Sin lugar en el mapa"),
    UNTYPED: ("No type", "Sin tipo"),
    FOREIGN: ("Incidents of other agencies", "Incidentes de otras agencias"),
}


class Group(Struct):
    """A group of incidents, by its key (agency, district, priority, type), and its intervals."""

    key: str
    name: str
    name_es: str
    intervals: list[Summary]


class Network(Struct):
    """Of the whole network: agencies of which somebody was signed in during the period, and
    incidents opened in it in which more than one agency took part.
    """

    agencies: int
    cross_agency: int


class Numbers(Struct):
    """How long the steps took in the caller's agency: altogether, and by group. Times are
    milliseconds, those of the period UTC; what is at its end is not in it.
    """

    begin: int
    end: int
    by: str
    agency: int
    network: Network
    intervals: list[Summary]
    groups: list[Group]


class Square(Struct):
    """A square kilometre of UTM 16N in which incidents were: the kilometres east and north of its
    south-west corner, and longitude and latitude (degrees × 10⁷) of its four corners.
    """

    east: int
    north: int
    incidents: int
    corners: list[int]


class HeatMap(Struct):
    """Where the caller's agency's incidents were, most incidents first; and how many were far from
    the country, or have no place. Milliseconds UTC.
    """

    begin: int
    end: int
    squares: list[Square]
    elsewhere: int
    unplaced: int


async def numbers(asked: Asked) -> Numbers:
    """How long the steps from the call to the scene took, against targets; 30 days if not said."""
    agency, period, by = _wanted(asked)
    await asked.record("numbers.read", None, agency, _said(period) | {"by": by})
    return await _numbers(asked, agency, period, by)


async def exported(asked: Asked) -> Download:
    """The same as CSV (RFC 4180), times in seconds."""
    agency, period, by = _wanted(asked)
    await asked.record("numbers.exported", None, agency, _said(period) | {"by": by})
    found = await _numbers(asked, agency, period, by)
    groups = [(group.name, group.intervals) for group in found.groups]
    return Download(tables.written(groups), CSV, f"numbers-by-{by}.csv")


async def heat(asked: Asked) -> HeatMap:
    """In which square kilometres the agency's incidents were; 30 days if not said."""
    agency, period, _ = _wanted(asked)
    await asked.record("numbers.read", None, agency, _said(period) | {"heat": True})
    async with asked.pool.acquire() as connection:
        found = await figures.heat(connection, agency, period)
    corners = squares.corners([(cell.east, cell.north) for cell in found.cells])
    return HeatMap(
        period.begin,
        period.end,
        [
            Square(cell.east, cell.north, cell.incidents, around)
            for cell, around in zip(found.cells, corners, strict=True)
        ],
        found.elsewhere,
        found.unplaced,
    )


def _wanted(asked: Asked) -> tuple[int, Period, By]:
    """Whose numbers, over which period, by what; raises :class:`psn.problems.Problem`."""
    agency = asked.own("numbers", "see")
    begin, end = asked.optional("from", 0, LAST), asked.optional("to", 0, LAST)
    period = Period.of(begin, end, database.milliseconds(datetime.now(UTC)))
    said = asked.query.get("by", "agency")
    for by in get_args(By):
        if by == said:
            return agency, period, by
    raise ApiProblem(
        400,
        "bad_parameter",
        "The parameter by must be agency, district, priority or type.",
        "Correct it and ask again.",
    )


def _said(period: Period) -> dict[str, Any]:
    return {"from": period.begin, "to": period.end}


async def _numbers(asked: Asked, agency: int, period: Period, by: By) -> Numbers:
    own = asked.core.directory.agencies[agency]
    wanted = targets.of(own.code, _targets(asked.settings.targets))
    now = datetime.now(UTC)
    async with asked.pool.acquire() as connection:
        series = [
            *await figures.incidents(connection, agency, period, by, now),
            *await figures.assignments(connection, agency, period, by, now),
        ]
        network = await figures.network(connection, period)
        names = await figures.types(connection, agency) if by == "type" else {}
    names = names | {str(agency): (own.name, own.name)} if by == "agency" else names
    return Numbers(
        period.begin,
        period.end,
        by,
        agency,
        Network(*network),
        summarise(series, wanted),
        _groups(series, wanted, by, names),
    )


def _targets(file: str | None) -> dict[str, tuple[targets.Target, ...]]:
    """Targets as the operator's file says them now; raises :class:`targets.BadTargets`."""
    if file is None:
        return {}
    try:
        return targets.read(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise targets.BadTargets(type(problem).__name__) from None


def _groups(
    series: list[Series],
    wanted: tuple[targets.Target, ...],
    by: By,
    names: dict[str, tuple[str, str]],
) -> list[Group]:
    """Each group that has anything, in the order that people expect; what has no name last."""
    if by == "district":
        names = {each.code: (each.name, each.name) for each in belize.districts()}
    elif by == "priority":
        names = {str(each): (str(each), str(each)) for each in targets.PRIORITIES}
    there: dict[str, list[Series]] = {}
    for each in series:
        there.setdefault(each.group, []).append(each)
    return [
        Group(key, *name, summarise(there[key], wanted))
        for key, name in (names | _WORDS).items()
        if key in there
    ]


CSV: Final = "text/csv"

ROUTES: Final = (
    Route("/api/numbers", numbers, Numbers, (*QUERY, "by")),
    Route("/api/numbers.csv", exported, None, (*QUERY, "by"), gives=(CSV,)),
    Route("/api/numbers/heat", heat, HeatMap, QUERY),
)
