"""``psn place``: the gazetteer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import click
from geoalchemy2.shape import from_shape, to_shape
from shapely import Point
from sqlalchemy import func, select

from geo import gazetteer, notations
from geo.gazetteer import TableError
from psn import places, revisions
from psn.commands.rows import agency_of, user, writing
from psn.commands.words import connected, counted, missing, readable, settings, show
from psn.places import Loaded
from psn.problems import Problem
from psn.schema import Agency, Place
from psn.trail import auditor

MOST_BYTES = 50_000_000


@click.group()
def place() -> None:
    """Places with names: settlements, landmarks, marks along roads."""


@place.command("load", epilog="Example: psn place load")
def load() -> None:
    """Load the settlements of Belize (GeoNames), for everybody."""

    async def work() -> Loaded:
        async with _acting() as connection:
            return await places.load_country(connection)

    click.echo(_told(asyncio.run(work())))


@place.command(
    "import",
    epilog="""
\b
Examples:
  psn place import ports.csv --agency BCG
  psn place import markers.csv --source "Ministry of Works, 2026"
\b
The first line names the columns: name, kind, position (in any notation) or lat and lon,
other_names (parted by |), road and mile (of a mile_marker), and key, by which a row is known
again when it is imported anew; without it, its name or its road and mile are its key.
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agency", "code", help="Whose they are; without, everybody's.")
@click.option("--source", default="import", show_default=True, help="Where they come from.")
@click.option("--anywhere", is_flag=True, help="Accept places far from Belize.")
def import_places(file: Path, code: str | None, source: str, anywhere: bool) -> None:
    """Load a CSV table: all of its rows, or none when one is bad."""
    if file.stat().st_size > MOST_BYTES:
        raise Problem("bad_table", f"{file} has more than 50 MB.", "Import it in parts.")
    try:
        entries = gazetteer.read_csv(file.read_bytes(), anywhere)
    except TableError as error:
        raise _refused(error) from None

    async def work() -> Loaded:
        agency = None
        if code is not None:
            async with writing() as session:
                agency = (await agency_of(session, code)).id
        async with _acting() as connection:
            return await places.load(connection, entries, agency, source)

    click.echo(_told(asyncio.run(work())))


@place.command(
    "add",
    epilog="""
\b
Examples:
  psn place add "San Pedro pier" --at "17.9155, -87.9632" --kind pier --agency BCG
  psn place add "Haulover Bridge" --at "16Q CE 66010 41860" --kind bridge --other Haulover
  psn place add "Mile 32" --at "17.28 N 88.55 W" --kind mile_marker --mile 32 \\
      --road "George Price Highway"
""",
)
@click.argument("name")
@click.option("--at", required=True, help="Where it is, in any notation of coordinates.")
@click.option("--kind", type=click.Choice(gazetteer.KINDS), default="landmark", show_default=True)
@click.option("--other", "others", multiple=True, help="Another name; say it again for more.")
@click.option("--road", help="Of a mile marker.")
@click.option("--mile", type=click.FloatRange(0, gazetteer.MOST_MILES), help="Of a mile marker.")
@click.option("--agency", "code", help="Whose it is; without, everybody's.")
@click.option("--anywhere", is_flag=True, help="Accept a place far from Belize.")
def add(
    name: str,
    at: str,
    kind: str,
    others: tuple[str, ...],
    road: str | None,
    mile: float | None,
    code: str | None,
    anywhere: bool,
) -> None:
    """Add one place."""
    lon, lat = _point(at, anywhere)
    try:
        gazetteer.check_names(name, (*others, *([road] if road is not None else [])))
    except ValueError as error:
        raise Problem("bad_name", str(error), "Write something that people can read.") from None
    wanted = 2 if kind == "mile_marker" else 0
    if (road is not None) + (mile is not None) != wanted:
        raise Problem(
            "bad_marker", "A mile_marker has a road and a mile, and nothing else has.", "Say both."
        )

    async def work() -> int:
        async with writing() as session:
            agency = None if code is None else (await agency_of(session, code)).id
            new = Place(
                agency_id=agency,
                name=name,
                kind=kind,
                other_names=list(others),
                point=from_shape(Point(lon, lat), srid=4326),
                district=gazetteer.district(lon, lat),
                road=None if road is None else gazetteer.road_named(road),
                mile=mile,
                source=user().address,
            )
            session.add(new)
            await session.flush()
            return new.id

    click.echo(f"Place {name} added, id {asyncio.run(work())}.")


@place.command(
    "list",
    epilog="""
\b
Examples:
  psn place list --agency BCG
  psn place list --kind mile_marker --all
""",
)
@click.option("--agency", "code", help="Of this agency only.")
@click.option("--kind", type=click.Choice(gazetteer.KINDS), help="Of this kind only.")
@click.option("--all", "everything", is_flag=True, help="Those out of use, too.")
def list_places(code: str | None, kind: str | None, everything: bool) -> None:
    """Show places, everybody's and agencies'."""

    async def work() -> list[tuple[object, ...]]:
        query = (
            select(Place, Agency.code)
            .outerjoin(Agency, Agency.id == Place.agency_id)
            .order_by(Place.name, Place.id)
        )
        if kind is not None:
            query = query.where(Place.kind == kind)
        if not everything:
            query = query.where(Place.retired_at.is_(None))
        async with writing() as session:
            if code is not None:
                query = query.where(Place.agency_id == (await agency_of(session, code)).id)
            return [_row(each, of) for each, of in await session.execute(query)]

    heads = ("id", "name", "kind", "of", "district", "lat", "lon", "source", "")
    show(heads, asyncio.run(work()))


def _row(each: Place, of: str | None) -> tuple[object, ...]:
    point: Any = to_shape(each.point)
    used = "out of use" if each.retired_at is not None else ""
    where = (each.district, f"{point.y:.5f}", f"{point.x:.5f}")
    return (each.id, each.name, each.kind, of or "everybody", *where, each.source, used)


@place.command("retire", epilog="Example: psn place retire 212")
@click.argument("number", type=int)
def retire(number: int) -> None:
    """Take a place out of use; what was said of it stays."""

    async def work() -> None:
        async with writing() as session:
            found = await session.get(Place, number)
            if found is None:
                raise missing("place", str(number), "psn place list")
            found.retired_at = func.coalesce(Place.retired_at, func.now())

    asyncio.run(work())
    click.echo(f"Place {number} is out of use.")


def _point(at: str, anywhere: bool) -> tuple[float, float]:
    """Longitude and latitude that somebody wrote; raises :class:`Problem`."""
    found = notations.read(at)
    if not isinstance(found, notations.Position):
        raise Problem(
            "bad_position", "The place is measured from a name.", "Give --at as coordinates."
        )
    if found.doubt is not None and not anywhere:
        raise Problem("far_away", found.doubt, "Correct it, or say --anywhere.")
    return found.lon, found.lat


def _refused(error: TableError) -> Problem:
    lines = [f"Line {each.line}: {readable(each.text)}" for each in error.complaints]
    if error.more:
        lines.append(f"And {counted(error.more, 'more row')}.")
    return Problem(
        "bad_table",
        "Nothing was loaded.\n" + "\n".join(lines) + "\n",
        "Correct the table and import it again.",
    )


def _told(loaded: Loaded) -> str:
    if loaded == (0, 0):
        return "Everything was there already."
    return f"{counted(loaded.added, 'place')} added, {loaded.changed} changed."


@contextlib.asynccontextmanager
async def _acting() -> AsyncIterator[asyncpg.Connection[Any]]:
    """A transaction on the migrated database, in the audit this machine's user's."""
    async with connected(settings().database) as connection:
        await revisions.check(connection)
        async with auditor.acting(connection, user()):
            yield connection
