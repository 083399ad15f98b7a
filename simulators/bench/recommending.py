"""Measures how long a recommendation takes, in this process: made-up units, made-up roads.

The roads are a crooked grid over the country with a third of its pieces left out, of about as many
pieces as OpenStreetMap has of Belize. Coast and cayes are the real ones.
"""

from __future__ import annotations

import gc
import random
import time
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from dispatch.recommending import coast, ranking
from dispatch.recommending.arrival import Ways
from dispatch.recommending.candidates import Availability, Candidate, Need, Spot, State
from geo import belize, plane
from geo.road_network import RoadNetwork, Roads

KINDS: Final = ("car", "car", "car", "truck", "foot", "boat")
CAPABILITIES: Final = (frozenset[str](), frozenset({"k9"}), frozenset({"medic"}))
STATES: Final = (
    State(Availability.FREE), State(Availability.FREE), State(Availability.BUSY, 3),
    State(Availability.OUT),
)  # fmt: skip
NEEDS: Final = {
    "one need": (Need(2, frozenset({"car"})),),
    "three needs": (
        Need(2, frozenset({"car", "truck"})),
        Need(1, frozenset({"car"}), frozenset({"k9"})),
        Need(1, frozenset({"boat"})),
    ),
}
"""Response plans that are asked for in turn."""
WEST, SOUTH, EAST, NORTH = -89.1, 16.1, -88.2, 18.4
"""Where roads and land units are made up, degrees."""
SEA: Final = (-88.2, 16.5, -87.6, 18.3)
"""Where boats are."""

Row = tuple[int, int, str, str, frozenset[str], State, Spot]


def measure(units: int, edges: int, runs: int, seed: int) -> dict[str, Any]:
    """Ask ``runs`` times at random places; milliseconds, and the seconds of getting ready."""
    chance = random.Random(seed)
    begin = time.perf_counter()
    network = RoadNetwork(roads(edges, seed))
    roads_s = time.perf_counter() - begin
    begin = time.perf_counter()
    ways = Ways(network, coast.sea_chart(), coast.landmasses(), 1.2)
    coast_s = time.perf_counter() - begin
    rows = [_row(number, chance) for number in range(units)]
    towns = [place for place in belize.places() if WEST < place.lon < EAST]
    gc.collect()
    gc.freeze()
    figures: dict[str, Any] = {}
    for name, needs in NEEDS.items():
        took, worked, offers = [], [], 0
        for _ in range(runs):
            town = chance.choice(towns)
            place = (town.lon + chance.gauss(0, 0.02), town.lat + chance.gauss(0, 0.02))
            begin, before = time.perf_counter(), time.process_time()
            # Making the candidates is part of every question: the picture moves meanwhile.
            everyone = [Candidate(*row) for row in rows]
            found = ranking.recommend(needs, everyone, ways, place, 2)
            took.append(1000 * (time.perf_counter() - begin))
            worked.append(1000 * (time.process_time() - before))
            offers += sum(len(each.offers) for each in found.needs)
        p50, p99 = np.percentile(took, (50, 99)).tolist()
        figures[name] = {
            "p50_ms": round(p50, 1), "p99_ms": round(p99, 1),
            "p99_cpu_ms": round(float(np.percentile(worked, 99)), 1),
            "offers": round(offers / runs, 1),
        }  # fmt: skip
    return {
        "units": units, "edges": len(network.roads.source), "runs": runs,
        "roads_ready_s": round(roads_s, 2), "coast_ready_s": round(coast_s, 2), **figures,
    }  # fmt: skip


def roads(edges: int, seed: int) -> Roads:
    """A crooked grid of about so many pieces, with a third of them left out."""
    chance = np.random.default_rng(seed)
    side = max(round((edges / (2 * 2 / 3)) ** 0.5), 2)
    lons, lats = np.meshgrid(np.linspace(WEST, EAST, side), np.linspace(SOUTH, NORTH, side))
    points = np.column_stack((lons.ravel(), lats.ravel()))
    points += chance.normal(0.0, 0.1 * (EAST - WEST) / side, points.shape)
    number = np.arange(side * side).reshape(side, side)
    source = np.r_[number[:, :-1].ravel(), number[:-1, :].ravel()]
    target = np.r_[number[:, 1:].ravel(), number[1:, :].ravel()]
    kept = chance.random(len(source)) < 2 / 3
    source, target = source[kept], target[kept]
    flat = plane.metres(points[:, 0], points[:, 1])
    metres = np.hypot(*(flat[source] - flat[target]).T)
    seconds: NDArray[np.float64] = metres / chance.uniform(6.0, 22.0, len(metres))
    ends = np.stack((points[source], points[target]), axis=1)
    lines = np.asarray(shapely.linestrings(ends), np.object_)
    return Roads(source, target, metres, seconds, seconds.copy(), lines, side * side)


def _row(number: int, chance: random.Random) -> Row:
    kind = chance.choice(KINDS)
    west, south, east, north = SEA if kind == "boat" else (WEST, SOUTH, EAST, NORTH)
    spot = Spot(chance.uniform(west, east), chance.uniform(south, north), chance.uniform(0, 1_000))
    capabilities, state = chance.choice(CAPABILITIES), chance.choice(STATES)
    return number, number % 6, f"U-{number}", kind, capabilities, state, spot
