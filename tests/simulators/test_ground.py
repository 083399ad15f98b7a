"""The demonstration's roads and mile markers are what an operator's import takes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dispatch.roads import osm_file
from geo import belize, gazetteer
from geo.coordinates import distance_m
from geo.road_network import RoadNetwork, Roads
from psn import seed_landmarks
from simulators import ground


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ground")
    ground.write(directory)
    return directory


def network(read: osm_file.ReadRoads) -> RoadNetwork:
    numbers = {number: at for at, number in enumerate(sorted(read.nodes))}
    seconds = [(e.forward_s, e.backward_s) for e in read.edges]
    both = np.array([[np.inf if s is None else s for s in pair] for pair in seconds])
    return RoadNetwork(
        Roads(
            source=np.array([numbers[e.source] for e in read.edges]),
            target=np.array([numbers[e.target] for e in read.edges]),
            metres=np.array([e.metres for e in read.edges]),
            forward_s=both[:, 0],
            backward_s=both[:, 1],
            lines=np.array([e.line for e in read.edges], object),
            nodes=len(numbers),
        )
    )


def test_one_drives_from_belize_city_to_punta_gorda_and_to_no_caye(written: Path) -> None:
    roads = network(osm_file.read(written / ground.ROADS_FILE))
    there = belize.find_place("Punta Gorda")
    assert there is not None
    times = roads.towards(there.lon, there.lat)
    assert times is not None
    starts = [belize.find_place(name) for name in ("Belize City", "Corozal", "San Pedro")]
    at = roads.nearest([s.lon for s in starts if s], [s.lat for s in starts if s])
    city, corozal, caye = (times.seconds(at) / 3_600).tolist()
    assert 2 < city < 6 and city < corozal < 9 and caye == np.inf


def test_miles_stand_along_the_highways(written: Path) -> None:
    entries = gazetteer.read_csv((written / ground.MARKERS_FILE).read_bytes())
    assert {each.road for each in entries} == set(ground.HIGHWAYS)
    for road in ground.HIGHWAYS:
        there = [each for each in entries if each.road == road]
        assert [each.mile for each in there] == list(range(len(there)))
        for one, other in pairwise(there):
            # A road may bend between two markers, and is never shorter than the straight line.
            straight = distance_m(one.lon, one.lat, other.lon, other.lat)
            assert 0.6 * ground.MILE_M < straight <= 1.01 * ground.MILE_M
    assert 50 < sum(each.road == "George Price Highway" for each in entries) < 85


def test_landmarks_of_the_demonstration_lie_in_belize() -> None:
    names = set()
    for name, kind, lon, lat, others in seed_landmarks.LANDMARKS:
        assert belize.away_m(lon, lat) < belize.SHORE_M, name
        assert kind in gazetteer.KINDS
        gazetteer.check_names(name, others)
        names.add(name)
    assert len(names) == len(seed_landmarks.LANDMARKS)
