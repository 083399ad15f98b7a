"""When many units can be at one place: by road, by sea, by air, on foot. Pure.

:class:`Ways` is what is known of roads, water and land; :class:`Towards` is that for one place.
Units are columns (:class:`Fleet`), so that ten thousand cost one search and some arithmetic. What
is shown of a unit, above all the length of its way, is worked out for those alone that are shown
(:meth:`Towards.arrival`).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dispatch.recommending import travel
from dispatch.recommending.travel import Medium
from geo import plane
from geo.landmasses import ON_WATER, Landmasses
from geo.plane import Floats
from geo.road_network import RoadNetwork, RoadTimes
from geo.sea_chart import ASHORE_M_S, SeaChart, SeaDistances

DETOUR: Final = 1.4
"""A way of which nothing is known is taken to be longer than the straight line by this factor."""

Ints = NDArray[np.int64]


class How(enum.IntEnum):
    """How a unit comes, or why it does not."""

    ROAD = 0
    SEA = 1
    AIR = 2
    FOOT = 3
    """Along the straight line times :data:`DETOUR`."""
    STRAIGHT = 4
    """By land, along the straight line times :data:`DETOUR`, for no road is known there."""
    OVER_WATER = 10
    """By land to a place on the water: not at all."""
    OTHER_ISLAND = 11
    """By land to another island: not at all."""
    NO_ROAD_LEADS = 12
    """Both are on roads that nowhere meet."""
    NO_WATER_THERE = 13
    """A boat, to a place that no water is near."""
    NO_WATER_LEADS = 14
    """A boat that is not on water from which a way to the place is known."""

    @property
    def comes(self) -> bool:
        """Whether it comes at all."""
        return self < How.OVER_WATER


@dataclass(frozen=True, slots=True)
class Arrival:
    """When one unit can be there: seconds from now, metres of way, and how that was found.

    ``around``: by sea, around land. ``last_m``: metres of the way at its end that go on foot from a
    boat.
    """

    seconds: float
    metres: float
    how: How
    around: bool = False
    last_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Ways:
    """What is known of the country. Without roads, chart or land, straight lines stand in.

    ``driving``: how much faster emergency driving is than ordinary driving, as a factor.
    """

    roads: RoadNetwork | None = None
    chart: SeaChart | None = None
    land: Landmasses | None = None
    driving: float = 1.0


class Fleet(NamedTuple):
    """Units as columns: where they are (degrees), what they travel on, how fast."""

    lons: Floats
    lats: Floats
    medium: Ints
    m_s: Floats
    pace: Floats

    def of(self, rows: Ints) -> Fleet:
        """Some of them."""
        lons, lats, medium, m_s, pace = self
        return Fleet(lons[rows], lats[rows], medium[rows], m_s[rows], pace[rows])


def fleet(kinds: Sequence[str], lons: ArrayLike, lats: ArrayLike) -> Fleet:
    """Units of these kinds at these places (degrees)."""
    number = {kind: at for at, kind in enumerate(dict.fromkeys(kinds))}
    kind = np.array(list(map(number.__getitem__, kinds)), np.int64)
    ways = [travel.of_kind(name) for name in number]
    return Fleet(
        np.array(lons, np.float64),
        np.array(lats, np.float64),
        np.array([way.medium for way in ways], np.int64)[kind],
        np.array([way.m_s for way in ways], np.float64)[kind],
        np.array([way.pace for way in ways], np.float64)[kind],
    )


class Times(NamedTuple):
    """For each unit: seconds until it is there, infinite when longer than asked; and how."""

    seconds: Floats
    how: Ints


class Towards:
    """What is known of the ways to one place (degrees). ``within_s``: longer ones do not matter."""

    def __init__(self, ways: Ways, lon: float, lat: float, within_s: float = math.inf) -> None:
        self.ways, self.lon, self.lat, self.within_s = ways, lon, lat, within_s

    @cached_property
    def _roads(self) -> RoadTimes | None:
        """Of ordinary driving; nobody's pace is above 1, so who comes in time is within it."""
        if self.ways.roads is None:
            return None
        return self.ways.roads.towards(self.lon, self.lat, self.within_s * self.ways.driving)

    @cached_property
    def _sea(self) -> SeaDistances | None:
        if self.ways.chart is None:
            return None
        fastest = max(way.m_s for way in travel.KINDS.values() if way.medium is Medium.WATER)
        return self.ways.chart.towards(self.lon, self.lat, self.within_s * fastest)

    @cached_property
    def _land(self) -> int:
        land = self.ways.land
        return ON_WATER - 1 if land is None else int(land.of(self.lon, self.lat)[0])

    def reach(self, units: Fleet) -> Ints:
        """The rows of those who may be there in time: nobody is faster than straight ahead."""
        if self.within_s == math.inf:
            return np.arange(len(units.lons))
        fastest = units.m_s
        if self.ways.roads is not None:
            by_road = self.ways.roads.fastest_m_s * units.pace * self.ways.driving
            fastest = np.where(
                units.medium == Medium.ROAD, np.maximum(by_road, units.m_s), units.m_s
            )
        straight = plane.straight_m(self.lon, self.lat, units.lons, units.lats)
        return np.flatnonzero(straight <= self.within_s * fastest)

    def times(self, units: Fleet) -> Times:
        """When each unit can be there, and how, or why not."""
        straight = plane.straight_m(self.lon, self.lat, units.lons, units.lats)
        times = Times(np.full(len(straight), np.inf), np.zeros(len(straight), np.int64))
        for medium, work in (
            (Medium.ROAD, self._by_road),
            (Medium.WATER, self._by_sea),
            (Medium.AIR, self._by_air),
            (Medium.FOOT, self._on_foot),
        ):
            rows = np.flatnonzero(units.medium == medium)
            if len(rows):
                seconds, how = work(units.of(rows), straight[rows])
                times.seconds[rows], times.how[rows] = seconds, how
        return Times(np.where(times.seconds <= self.within_s, times.seconds, np.inf), times.how)

    def arrivals(self, units: Fleet) -> list[Arrival]:
        """All that is shown of some units; their ways are those that :meth:`times` finds."""
        times = self.times(units)
        straight = plane.straight_m(self.lon, self.lat, units.lons, units.lats)
        metres = straight * np.where(times.how == How.AIR, 1.0, DETOUR)
        around = np.zeros(len(metres), np.bool_)
        last_m = 0.0
        by_road, by_sea = times.how == How.ROAD, times.how == How.SEA
        if self.ways.roads is not None and self._roads is not None and by_road.any():
            at = self.ways.roads.nearest(units.lons[by_road], units.lats[by_road])
            metres[by_road] = self._roads.metres(at)
        if self.ways.chart is not None and self._sea is not None and by_sea.any():
            afloat = self.ways.chart.locate(units.lons[by_sea], units.lats[by_sea])
            metres[by_sea], around[by_sea] = self._sea.metres(afloat)
            last_m = self._sea.ashore_m
        return [
            Arrival(
                float(times.seconds[row]),
                float(metres[row]),
                How(int(times.how[row])),
                bool(around[row]),
                last_m if by_sea[row] else 0.0,
            )
            for row in range(len(metres))
        ]

    def _by_road(self, units: Fleet, straight: Floats) -> tuple[Floats, Ints]:
        roads, towards = self.ways.roads, self._roads
        if roads is None or towards is None:
            return self._by_land(units, straight, How.STRAIGHT)
        seconds = np.full(len(straight), np.inf)
        how = np.full(len(straight), int(How.ROAD))
        speed = units.pace * self.ways.driving
        # Nobody is faster than along the straight line: the rest need not be looked up.
        worth = np.flatnonzero(straight <= self.within_s * roads.fastest_m_s * speed)
        at = roads.nearest(units.lons[worth], units.lats[worth])
        seconds[worth] = towards.seconds(at) / speed[worth]
        severed = towards.severed(at)
        how[worth[severed]] = How.NO_ROAD_LEADS
        # What is further by road than was asked for does not come nearer by the straight line.
        unknown = at.edge < 0
        if self.within_s == math.inf:
            unknown |= np.isinf(seconds[worth]) & ~severed
        rows = worth[unknown]
        seconds[rows], how[rows] = self._by_land(units.of(rows), straight[rows], How.STRAIGHT)
        return seconds, how

    def _by_land(self, units: Fleet, straight: Floats, how: How) -> tuple[Floats, Ints]:
        """Along the straight line times the detour, where land may lead there."""
        seconds = straight * DETOUR / units.m_s
        hows = np.full(len(straight), int(how))
        if self.ways.land is None or self._land < ON_WATER:
            return seconds, hows
        if self._land == ON_WATER:
            return np.full(len(straight), np.inf), np.full(len(straight), int(How.OVER_WATER))
        worth = np.flatnonzero(seconds <= self.within_s)
        lands = np.full(len(straight), self._land)
        lands[worth] = self.ways.land.of(units.lons[worth], units.lats[worth])
        other = (lands >= 0) & (lands != self._land)
        return np.where(other, np.inf, seconds), np.where(other, int(How.OTHER_ISLAND), hows)

    def _on_foot(self, units: Fleet, straight: Floats) -> tuple[Floats, Ints]:
        return self._by_land(units, straight, How.FOOT)

    def _by_air(self, units: Fleet, straight: Floats) -> tuple[Floats, Ints]:
        return straight / units.m_s, np.full(len(straight), int(How.AIR))

    def _by_sea(self, units: Fleet, straight: Floats) -> tuple[Floats, Ints]:
        how = np.full(len(straight), int(How.SEA))
        if self.ways.chart is None:
            return straight * DETOUR / units.m_s, how
        if self._sea is None:
            none = np.full(len(straight), int(How.NO_WATER_THERE))
            return np.full(len(straight), np.inf), none
        seconds = np.full(len(straight), np.inf)
        # Nobody is faster than along the straight line: the rest need not be looked up.
        worth = np.flatnonzero(straight / units.m_s <= self.within_s)
        at = self.ways.chart.locate(units.lons[worth], units.lats[worth])
        metres, _ = self._sea.metres(at)
        walk = self._sea.ashore_m / ASHORE_M_S
        seconds[worth] = metres / units.m_s[worth] + walk
        if self.within_s == math.inf:
            how[np.isinf(seconds)] = How.NO_WATER_LEADS
        return seconds, how
