"""``psn geo``: the road network by which times to arrive are told."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import click

from dispatch.roads import osm_file, road_tables, road_way
from geo import belize
from psn import database, revisions
from psn.commands.rows import user
from psn.commands.words import connected, readable, settings
from psn.problems import Problem


@click.group()
def geo() -> None:
    """The roads by which times to arrive are told."""


@geo.command(
    "import",
    short_help="Take roads from an extract of OpenStreetMap.",
    epilog="""
\b
Examples:
  psn geo import belize-latest.osm.pbf
  psn geo import town.osm
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--anywhere", is_flag=True, help="Accept roads far from Belize.")
def import_roads(file: Path, anywhere: bool) -> None:
    """Put the roads of FILE (.osm.pbf or .osm) in the place of those that are there.

    A file that cannot be used changes nothing. Servers that run take the new roads up within a
    minute.
    """
    roads = osm_file.read(file)
    if not anywhere:
        _check_place(roads)
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()

    async def work() -> bool:
        async with connected(settings().database) as conn:
            await revisions.check(conn)
            await database.prepare(conn)
            await road_tables.replace(conn, roads, file.name, sha256, user())
            return await road_tables.has_pgrouting(conn)

    pgrouting = asyncio.run(work())
    click.echo(
        f"{len(roads.edges):,} pieces of road, {roads.metres / 1000:,.0f} km,"
        f" with {len(roads.nodes):,} ends."
    )
    if not pgrouting:
        click.echo(_WITHOUT)


@geo.command("status", epilog="Example: psn geo status")
def status() -> None:
    """Show which roads there are."""

    async def work() -> tuple[road_tables.Imported | None, bool]:
        async with connected(settings().database) as conn:
            await revisions.check(conn)
            return await road_tables.newest(conn), await road_tables.has_pgrouting(conn)

    there, pgrouting = asyncio.run(work())
    if there is None:
        click.echo(
            "No roads were imported: times are told by the straight line."
            " Import some: psn geo import FILE.osm.pbf"
        )
        return
    click.echo(
        f"{there.edges:,} pieces of road, {there.metres / 1000:,.0f} km, of {readable(there.file)},"
        f" imported {there.at:%Y-%m-%d %H:%M} UTC by {readable(there.author)}."
    )
    click.echo(f"SHA-256 of the file: {there.sha256}")
    click.echo("pgRouting is there: ways can be drawn." if pgrouting else _WITHOUT)


class Place(click.ParamType[tuple[float, float]]):
    """Latitude and longitude in degrees; gives longitude, latitude."""

    name = "LAT,LON"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Two numbers with a comma between."""
        try:
            lat, lon = (float(part) for part in str(value).split(","))
        except ValueError:
            lat = lon = float("nan")
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            self.fail(f"{value!r} is no place such as 17.50,-88.19.", param, ctx)
        return lon, lat


@geo.command(
    "way",
    short_help="Show the way over the roads.",
    epilog="Example: psn geo way --from 17.25,-88.77 --to 17.50,-88.19",
)
@click.option("--from", "begin", type=Place(), required=True, help="Where it begins.")
@click.option("--to", "end", type=Place(), required=True, help="Where it ends.")
@click.option("--geojson", is_flag=True, help="Print it as GeoJSON, for a map.")
def way(begin: tuple[float, float], end: tuple[float, float], geojson: bool) -> None:
    """Show the quickest way over the roads between two places."""

    async def work() -> road_way.Way:
        async with connected(settings().database) as conn:
            await revisions.check(conn)
            await database.prepare(conn)
            return await road_way.find(conn, begin, end)

    found = asyncio.run(work())
    if geojson:
        click.echo(road_way.geojson(found))
        return
    click.echo(f"{found.metres / 1000:.1f} km, {found.seconds / 60:.0f} min at ordinary speed.")
    for part in found.stretches:
        click.echo(f"{part.metres / 1000:8.1f} km  {readable(part.road or 'road without a name')}")


_WITHOUT = (
    "pgRouting is not there: times are told, ways are not drawn. Install it (Debian:"
    " postgresql-pgrouting), then let an administrator run: create extension pgrouting"
)


def _check_place(roads: osm_file.ReadRoads) -> None:
    """Raises :class:`Problem` ``far_away`` for roads of which none is near Belize."""
    reasons = [belize.doubt(*place) for place in roads.nodes.values()]
    if all(reason is not None for reason in reasons):
        raise Problem(
            "far_away",
            f"These roads are elsewhere: {reasons[0]}",
            "Choose another file, or say --anywhere.",
        )
