"""The places that an agency adds for itself: landmarks, marks along a road, mile markers."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import Added, Body, Done, Line, taken
from dispatch.asking import ApiProblem, Asked, Route, not_found
from dispatch.locating.values import Lat, Lon, checked_point, district_name, e7
from geo import gazetteer
from geo.gazetteer import Kind
from psn.places import MOVE_NOTES

Names = Annotated[list[Line], Meta(max_length=gazetteer.MOST_NAMES)]
Mile = Annotated[float, Meta(ge=0, le=gazetteer.MOST_MILES)]
MOST_LISTED: Final = 20_000
SAME_PLACE_M: Final = 500
"""Two of a name and kind are one place when they are nearer to each other than this."""


class PlaceRow(Struct):
    """A place of the caller's agency; ``road`` and ``mile`` are a mile marker's."""

    id: int
    name: str
    kind: Kind
    other_names: list[str]
    district: str | None
    lon: int
    lat: int
    road: str | None
    mile: float | None
    source: str
    retired: bool


class Places(Struct):
    """The places of the caller's agency, also those out of use."""

    places: list[PlaceRow]


class NewPlace(Body):
    """A place; ``anywhere`` says that it is meant to be far from Belize."""

    name: Line
    kind: Kind
    lon: Lon
    lat: Lat
    other_names: Names = msgspec.field(default_factory=list)
    road: Line | None = None
    mile: Mile | None = None
    anywhere: bool = False


async def own_places(asked: Asked) -> Places:
    """The places that the caller's agency has added."""
    agency = asked.own("place", "see")
    rows = await asked.pool.fetch(
        "SELECT *, ST_X(point) AS lon, ST_Y(point) AS lat FROM place WHERE agency_id = $1"
        " ORDER BY retired_at IS NOT NULL, name, id LIMIT $2",
        agency,
        MOST_LISTED,
    )
    return Places(
        [
            PlaceRow(
                row["id"],
                row["name"],
                row["kind"],
                row["other_names"],
                district_name(row["district"]),
                e7(row["lon"]),
                e7(row["lat"]),
                row["road"],
                row["mile"],
                row["source"],
                row["retired_at"] is not None,
            )
            for row in rows
        ]
    )


_ADD: Final = f"""
    INSERT INTO place (agency_id, name, kind, point, other_names, district, road, mile, source)
    SELECT $1, $2, $3, here.point, $6::text[], $7, $8, $9::float8, $10
      FROM (SELECT ST_SetSRID(ST_MakePoint($4, $5), 4326) AS point) AS here
     WHERE NOT EXISTS (
           SELECT FROM place p
            WHERE p.agency_id = $1 AND p.kind = $3 AND lower(p.name) = lower($2)
              AND p.retired_at IS NULL AND p.point && ST_Expand(here.point, 0.1)
              AND ST_DWithin(p.point::geography, here.point::geography, {SAME_PLACE_M}))
    RETURNING id
"""


async def add_place(asked: Asked) -> Added:
    """Add a place to the caller's agency."""
    agency = asked.own("place", "manage")
    values = _values(asked.body)
    async with acting(asked) as connection:
        number = await connection.fetchval(_ADD, agency, *values, asked.who.address)
        if number is None:
            raise taken("place", values[0])
    return Added(number)


async def change_place(asked: Asked) -> Done:
    """Say anew what a place of the caller's agency is; notes about it go where it goes."""
    asked.own("place", "manage")
    values = _values(asked.body)
    await _change(
        asked,
        "UPDATE place SET name = $3, kind = $4, point = ST_SetSRID(ST_MakePoint($5, $6), 4326),"
        " other_names = $7, district = $8, road = $9, mile = $10",
        *values,
    )
    return Done()


async def retire_place(asked: Asked) -> Done:
    """Take a place out of use; what was said of it stays."""
    asked.own("place", "manage")
    await _change(asked, "UPDATE place SET retired_at = coalesce(retired_at, now())")
    return Done()


async def take_place_back(asked: Asked) -> Done:
    """Put a place into use again."""
    asked.own("place", "manage")
    await _change(asked, "UPDATE place SET retired_at = NULL")
    return Done()


async def _change(asked: Asked, statement: str, *values: object) -> None:
    """Change a place of the caller's agency; raises ``not_found`` for any other."""
    number, agency = asked.path_id(), asked.who.agency
    async with acting(asked) as connection:
        done = await connection.fetchval(
            f"{statement} WHERE id = $1 AND agency_id = $2 RETURNING id", number, agency, *values
        )
        if done is None:
            raise not_found()
        await connection.execute(f"{MOVE_NOTES} AND p.id = $1", number)


_Values: TypeAlias = tuple[str, str, float, float, list[str], str | None, str | None, float | None]


def _values(body: NewPlace) -> _Values:
    """Name, kind, longitude, latitude, other names, district, road and mile, checked."""
    lon, lat = checked_point(body.lon, body.lat, body.anywhere)
    given = (body.road is not None) + (body.mile is not None)
    if given != (2 if body.kind == "mile_marker" else 0):
        text = "A mile_marker has a road and a mile, and nothing else has."
        raise ApiProblem(400, "bad_marker", text, "Say both, or neither.")
    names = [each.strip() for each in body.other_names]
    try:
        gazetteer.check_names(body.name.strip(), [*names, *([body.road] if body.road else [])])
    except ValueError as error:
        raise ApiProblem(400, "bad_name", str(error), "Write what people can read.") from None
    road = None if body.road is None else gazetteer.road_named(body.road.strip())
    where = gazetteer.district(lon, lat)
    return body.name.strip(), body.kind, lon, lat, names, where, road, body.mile


_ONE: Final = "/api/places/{id}"
ROUTES: Final = (
    Route("/api/places/own", own_places, Places),
    Route("/api/places", add_place, Added, method="POST", takes=NewPlace),
    Route(_ONE, change_place, Done, method="POST", takes=NewPlace),
    Route(f"{_ONE}/retire", retire_place, Done, method="POST"),
    Route(f"{_ONE}/back", take_place_back, Done, method="POST"),
)
