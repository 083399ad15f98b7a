"""The road network in the database: replaced as a whole, read as a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import numpy as np
import shapely

from dispatch.roads.osm_file import ReadRoads
from geo.road_network import Roads
from psn import database
from psn.trail import auditor
from psn.trail.audit import Actor, Entry

ONE_AT_A_TIME = 0x70736E02
"""Advisory lock of an import; any number that nothing else in the database uses."""
EDGE_COLUMNS = (
    "id", "source", "target", "kind", "name", "ref", "metres", "forward_s", "backward_s", "course",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imported:
    """The network that is there: when it came (UTC), from which file, and how much it is."""

    id: int
    at: datetime
    file: str
    sha256: str
    author: str
    nodes: int
    edges: int
    metres: float


async def replace(
    connection: database.Connection, roads: ReadRoads, file: str, sha256: str, by: Actor
) -> Imported:
    """Put these roads in the place of those that are there, and tell the audit.

    One transaction: until it is committed everyone reads the old network, and when it fails they
    go on doing so. The connection has to carry geometry (``psn.database.prepare``).
    """
    counts = (len(roads.nodes), len(roads.edges), roads.metres)
    async with auditor.acting(connection, by):
        await connection.execute("SELECT pg_advisory_xact_lock($1)", ONE_AT_A_TIME)
        await connection.execute("DELETE FROM road_edge")
        await connection.execute("DELETE FROM road_node")
        await connection.copy_records_to_table(
            "road_node", records=_node_rows(roads), columns=("id", "place")
        )
        await connection.copy_records_to_table(
            "road_edge", records=_edge_rows(roads), columns=EDGE_COLUMNS
        )
        row = await connection.fetchrow(
            "INSERT INTO road_import (file, sha256, author, nodes, edges, metres)"
            " VALUES ($1, $2, $3, $4, $5, $6) RETURNING *",
            file, sha256, by.address, *counts,
        )  # fmt: skip
        details = {"file": file, "sha256": sha256, "edges": len(roads.edges)}
        await auditor.append(connection, [Entry(by, "roads.imported", details=details)])
    await connection.execute("ANALYZE road_node, road_edge")
    assert row is not None
    return Imported(**row)


async def newest(connection: database.Connection | asyncpg.Pool) -> Imported | None:
    """The network that is there; None: none was imported."""
    row = await connection.fetchrow("SELECT * FROM road_import ORDER BY id DESC LIMIT 1")
    return None if row is None else Imported(**row)


async def load(connection: database.Connection) -> tuple[Imported, Roads] | None:
    """The network as arrays, and which it is; None: none was imported.

    Both are of one moment. Making a :class:`geo.road_network.RoadNetwork` of it takes seconds.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        which = await newest(connection)
        if which is None:
            return None
        nodes = await connection.fetch("SELECT id FROM road_node ORDER BY id")
        edges = await connection.fetch(
            "SELECT source, target, metres, forward_s, backward_s, course FROM road_edge"
            " ORDER BY id"
        )
    return which, _roads([row[0] for row in nodes], edges)


async def has_pgrouting(connection: database.Connection) -> bool:
    """Make pgRouting usable in this database when it is installed; whether it is."""
    with contextlib.suppress(asyncpg.PostgresError):
        async with connection.transaction():  # a failure in a savepoint harms nothing else
            await connection.execute("CREATE EXTENSION IF NOT EXISTS pgrouting")
    return bool(
        await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'pgrouting'")
    )


def _node_rows(roads: ReadRoads) -> Iterator[tuple[int, bytes]]:
    for number, (lon, lat) in roads.nodes.items():
        yield number, _ewkb(shapely.Point(lon, lat))


def _edge_rows(roads: ReadRoads) -> Iterator[tuple[Any, ...]]:
    for number, e in enumerate(roads.edges, 1):
        yield (
            number, e.source, e.target, e.kind, e.name, e.ref, e.metres, e.forward_s, e.backward_s,
            _ewkb(e.line),
        )  # fmt: skip


def _ewkb(shape: shapely.Point | shapely.LineString) -> bytes:
    return bytes(shapely.to_wkb(shapely.set_srid(shape, 4326), include_srid=True))


def _roads(nodes: list[int], edges: list[asyncpg.Record]) -> Roads:
    numbers = np.array(nodes, np.int64)

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([np.inf if row[name] is None else row[name] for row in edges], np.float64)

    return Roads(
        source=np.searchsorted(numbers, np.array([row["source"] for row in edges], np.int64)),
        target=np.searchsorted(numbers, np.array([row["target"] for row in edges], np.int64)),
        metres=column("metres"),
        forward_s=column("forward_s"),
        backward_s=column("backward_s"),
        lines=shapely.from_wkb([row["course"] for row in edges]),
        nodes=len(nodes),
    )
