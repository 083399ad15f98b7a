"""``psn fence``: areas whose crossing is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import click
import shapely
import shapely.geometry
from geoalchemy2.shape import from_shape
from shapely.errors import ShapelyError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from geo import belize
from geo.fences import Fence as Area
from psn.commands.rows import agency_of, writing
from psn.commands.words import missing, show, taken
from psn.problems import Problem
from psn.schema import Agency, Fence


@click.group()
def fence() -> None:
    """Areas whose crossing is told."""


@fence.command(
    "add",
    epilog="""
\b
Examples:
  psn fence add --geojson ports.geojson                  each feature's "name" is its name
  psn fence add --geojson zone.geojson --name "Zone 3" --agency BPD
""",
)
@click.option(
    "--geojson",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Polygons in longitude, latitude (RFC 7946).",
)
@click.option("--name", help="For a file of one polygon without a name.")
@click.option("--agency", "code", help="Whose it is; without, it is joint.")
@click.option("--anywhere", is_flag=True, help="Accept areas far from Belize.")
def add(file: Path, name: str | None, code: str | None, anywhere: bool) -> None:
    """Add the polygons of a GeoJSON file: all of them, or none."""
    areas = read_geojson(file.read_bytes(), name)
    if not anywhere:
        _check_places(areas)

    async def work() -> list[str]:
        async with writing() as session:
            agency = None if code is None else (await agency_of(session, code)).id
            await _names_are_free(session, [a.name for a in areas], agency)
            new = [
                Fence(agency_id=agency, name=a.name, area=from_shape(a.polygon, srid=4326))
                for a in areas
            ]
            session.add_all(new)
            await session.flush()
            return [f"Fence {each.name} added, id {each.id}." for each in new]

    click.echo("\n".join(asyncio.run(work())))


@fence.command("list", epilog="Example: psn fence list")
def list_fences() -> None:
    """Show fences."""

    async def work() -> list[tuple[object, ...]]:
        square_metres = func.st_area(func.geography(Fence.area))
        query = (
            select(Fence.id, Fence.name, Agency.code, square_metres)
            .outerjoin(Agency, Agency.id == Fence.agency_id)
            .where(Fence.retired_at.is_(None))
            .order_by(Fence.id)
        )
        async with writing() as session:
            rows = await session.execute(query)
            return [(i, name, of or "joint", f"{m2 / 1e6:.2f} km²") for i, name, of, m2 in rows]

    show(("id", "name", "of", "area"), asyncio.run(work()))


@fence.command("retire", epilog="Example: psn fence retire 3")
@click.argument("number", type=int)
def retire(number: int) -> None:
    """Take a fence out of use; its history stays."""

    async def work() -> None:
        async with writing() as session:
            found = await session.get(Fence, number)
            if found is None:
                raise missing("fence", str(number), "psn fence list")
            found.retired_at = func.coalesce(Fence.retired_at, func.now())

    asyncio.run(work())
    click.echo(f"Fence {number} is out of use.")


def _check_places(areas: list[Area]) -> None:
    """Raises :class:`Problem` for a fence that is hardly meant to be where it is."""
    for area in areas:
        west, south, east, north = area.polygon.bounds
        why = belize.doubt(west, south) or belize.doubt(east, north)
        if why is not None:
            raise Problem(
                "far_away",
                f"{area.name}: {why}",
                "GeoJSON has longitude first; correct the file, or say --anywhere.",
            )


async def _names_are_free(session: AsyncSession, names: list[str], agency: int | None) -> None:
    """Raises :class:`Problem` when a fence of that agency is in use under one of the names."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Problem("named_twice", f"Two areas in the file are {twice}.", "Name each its own.")
    there = await session.scalar(
        select(Fence).where(
            Fence.name.in_(names),
            Fence.agency_id.is_not_distinct_from(agency),
            Fence.retired_at.is_(None),
        )
    )
    if there is not None:
        first = f"Choose another name, or take that one out of use: psn fence retire {there.id}."
        raise taken("fence", there.name, first)


def read_geojson(content: bytes, name: str | None = None) -> list[Area]:
    """Named polygons of a GeoJSON geometry, feature or collection (RFC 7946). Pure.

    Raises :class:`Problem` ``bad_geojson``, or ``geo.fences.FenceError`` for a polygon that is
    invalid, empty or off the earth.
    """
    try:
        document = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _bad(f"it is not JSON: {error}") from None
    features = _features(document)
    if not features:
        raise _bad("it has no features")
    areas = []
    for number, feature in enumerate(features, 1):
        properties = feature.get("properties")
        own = properties.get("name") if isinstance(properties, dict) else None
        called = own if isinstance(own, str) and own.strip() else name
        if name is not None and len(features) == 1:
            called = name
        if called is None:
            raise Problem(
                "fence_without_name",
                f'Feature {number} of the GeoJSON has no "name".',
                "Add it to its properties, or say --name for a single polygon.",
            )
        areas.append(Area(number, called, None, _polygon(feature.get("geometry"), number)))
    return areas


def _no_number(word: str) -> float:
    """NaN and Infinity are not JSON (RFC 8259 §6)."""
    raise ValueError(f"{word} is no number")


def _features(document: Any) -> list[dict[str, Any]]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
            raise _bad("its features are no list of features")
        return features
    if kind == "Feature":
        return [document]
    if kind in ("Polygon", "MultiPolygon"):
        return [{"geometry": document}]
    raise _bad("it is neither features nor polygons")


def _polygon(geometry: Any, number: int) -> shapely.Polygon | shapely.MultiPolygon:
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise _bad(f"feature {number} is no polygon")
    try:
        shape = shapely.geometry.shape(geometry)
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _bad(f"feature {number} has no proper coordinates: {error}") from None
    assert isinstance(shape, shapely.Polygon | shapely.MultiPolygon)
    return shape


def _bad(why: str) -> Problem:
    return Problem(
        "bad_geojson", f"The file cannot be used: {why}.", "Give polygons as RFC 7946 says."
    )
