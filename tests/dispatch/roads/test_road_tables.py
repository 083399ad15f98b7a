"""The network in the database, in memory, and by pgRouting."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from osm import xml

from dispatch.roads import osm_file, road_tables, road_way
from dispatch.roads.held_roads import HeldRoads
from geo.road_network import OFF_ROAD_M_S, RoadNetwork
from psn import database as database_
from psn.problems import Problem
from psn.trail.audit import Actor

if TYPE_CHECKING:
    from psn.database import Connection
BY = Actor("command line: tester")


async def test_what_was_read_comes_back_as_it_was(roads: Connection) -> None:
    loaded = await road_tables.load(roads)
    assert loaded is not None
    which, arrays = loaded
    assert (which.file, which.nodes, which.edges, which.author) == (
        "small.osm", 4, 4, "command line: tester",
    )  # fmt: skip
    assert arrays.source.tolist() == [0, 1, 1, 3] and arrays.target.tolist() == [1, 2, 3, 0]
    assert [len(line.coords) for line in arrays.lines] == [3, 2, 2, 3]
    assert arrays.backward_s[2] == float("inf")


async def test_an_import_replaces_everything_and_is_in_the_audit(
    roads: Connection, tmp_path: Path
) -> None:
    file = tmp_path / "b.osm"
    file.write_text(xml(ways=[((1, 2), {"highway": "service"})]))
    await road_tables.replace(roads, osm_file.read(file), "b.osm", "11", BY)
    counts = await roads.fetchrow(
        "SELECT (SELECT count(*) FROM road_edge), count(*) FROM road_node"
    )
    assert tuple(counts) == (1, 2)
    said = await roads.fetch("SELECT body FROM audit WHERE body LIKE '%roads.imported%'")
    assert len(said) == 2 and "command line: tester" in said[0]["body"]


async def test_an_import_that_fails_leaves_what_was_there(
    roads: Connection, tmp_path: Path
) -> None:
    file = tmp_path / "b.osm"
    file.write_text(xml())
    read = osm_file.read(file)
    read.nodes[10**30] = (0.0, 0.0)  # no number of a node: the copy breaks in the middle
    with pytest.raises((asyncpg.DataError, OverflowError)):
        await road_tables.replace(roads, read, "b.osm", "11", BY)
    loaded = await road_tables.load(roads)
    assert loaded is not None and loaded[0].file == "small.osm"
    assert len(loaded[1].source) == 4


async def test_a_database_without_roads_has_none(database: str) -> None:
    connection = await database_.connect(database)
    try:
        assert await road_tables.load(connection) is None
        with pytest.raises(Problem) as told:
            await road_way.find(connection, (-88.5, 17.2), (-88.4, 17.2))
        assert told.value.code == "no_road_near"
    finally:
        await connection.close()


async def test_a_server_takes_up_what_was_imported_and_keeps_it(
    roads: Connection, database: str, tmp_path: Path
) -> None:
    pool = await database_.pool(database)
    held = HeldRoads()
    try:
        assert await held.refresh(pool)
        first = held.network
        assert first is not None and not await held.refresh(pool)
        assert held.network is first
        file = tmp_path / "b.osm"
        file.write_text(xml(ways=[((1, 2), {"highway": "service"})]))
        await road_tables.replace(roads, osm_file.read(file), "b.osm", "11", BY)
        watching = asyncio.create_task(held.run(pool))
        for _ in range(2_000):
            if held.network is not first:
                break
            await asyncio.sleep(0.01)
        watching.cancel()
        assert held.network is not None and len(held.network.roads.source) == 1
    finally:
        await pool.close()
    with pytest.raises(database_.PASSING):
        await held.refresh(pool)
    assert held.network is not None


async def test_pgrouting_and_the_network_in_memory_find_the_same_ways(roads: Connection) -> None:
    if not await road_tables.has_pgrouting(roads):
        pytest.skip("no pgRouting; install postgresql-pgrouting")
    loaded = await road_tables.load(roads)
    assert loaded is not None
    network = RoadNetwork(loaded[1])
    spots = [(-88.48, 17.2), (-88.37, 17.2), (-88.4, 17.27), (-88.46, 17.3), (-88.302, 17.201)]
    for begin, end in itertools.permutations(spots, 2):
        way = await road_way.find(roads, begin, end)
        at, towards = network.nearest(*begin), network.towards(*end)
        assert towards is not None
        off_m = float(at.off_m[0]) + towards.off_m
        seconds = float(towards.seconds(at)[0]) - off_m / OFF_ROAD_M_S
        assert way.seconds == pytest.approx(seconds, abs=1.0), (begin, end)
        assert way.metres == pytest.approx(float(towards.metres(at)[0]) - off_m, rel=0.01)
        assert way.line.coords[0] == pytest.approx(begin, abs=0.002)
        assert way.line.coords[-1] == pytest.approx(end, abs=0.002)
        assert sum(each.metres for each in way.stretches) == pytest.approx(way.metres)


async def test_a_way_says_which_roads_it_takes(roads: Connection) -> None:
    if not await road_tables.has_pgrouting(roads):
        pytest.skip("no pgRouting; install postgresql-pgrouting")
    way = await road_way.find(roads, (-88.302, 17.2), (-88.45, 17.3))
    assert [each.road for each in way.stretches] == ["Hummingbird Highway", None, "Farm Road"]
    with pytest.raises(Problem) as told:
        await road_way.find(roads, (-88.302, 17.2), (-88.302, 17.2))
    assert told.value.code == "no_way"
    with pytest.raises(Problem) as told:
        await road_way.find(roads, (-88.302, 17.2), (-87.0, 17.2))
    assert told.value.code == "no_road_near"


async def test_without_pgrouting_it_says_what_to_install(roads: Connection) -> None:
    await roads.execute("DROP EXTENSION IF EXISTS pgrouting")
    with pytest.raises(Problem) as told:
        await road_way.find(roads, (-88.302, 17.2), (-88.45, 17.3))
    assert told.value.code == "no_pgrouting"
    assert "pgrouting" in told.value.todo
