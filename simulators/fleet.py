"""Fleets that do not exist: cars on roads, boats along the reef, patrols on foot, aircraft.

A fleet is a pure model. The time is passed in, the randomness comes from the seed, and nothing is
read or written: the same seed and the same steps give the same reports on every machine. Every unit
has random numbers of its own, so that unit 7 does the same in a fleet of ten and of two thousand.

How units behave:

* vehicles, boats and aircraft go from stop to stop by the quickest way, speed up and brake within
  the limits of their kind, slow down in towns, and stay a while where they arrive;
* half of the trips from a town stay in its streets;
* patrols on foot wander from corner to corner of one town and now and then stand still;
* every fix has the error of a receiver: a slow drift of a few metres, rarely a jump of up to 150;
* in a dead spot (:data:`simulators.drawn.DEAD_SPOTS`), and now and then for a minute anywhere, a
  unit has no network: its fixes are kept and come as the ``backlog`` of its first report after;
* batteries drain, slower where an engine charges them, and are charged at a stop when low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from geo.recordings import Fix
from simulators import roads
from simulators.drawn import DEAD_SPOTS, GRIDS
from simulators.roads import Edge, Network

MAX_STEP_S: Final = 5.0
"""Longer steps are cut into pieces of this length, so that nobody drives through a corner."""

MAX_BACKLOG: Final = 20_000
"""Fixes kept while offline: five hours at one a second; beyond that every second one is dropped."""

_METRES_PER_DEGREE: Final = 111_195.0
_DRIFT_S: Final = 60.0  # how long the error of a receiver stays about the same
_OUTLIER: Final = 1 / 3000  # jumps per fix
_OUTAGES: Final = 1 / 5400  # per second online: about one in an hour and a half
_FULL: Final = 98.0


@dataclass(frozen=True, slots=True)
class SimulatedUnit:
    """Who moves.

    Attributes:
        index: its number in the fleet, from 0.
        callsign: unique in the fleet, such as ``BPD-C007``.
        agency_code: BPD, BDF, BCG, CED, INS or NEMO.
        kind: car, truck, motorcycle, boat, foot or aircraft.
    """

    index: int
    callsign: str
    agency_code: str
    kind: str


class Report(NamedTuple):
    """What one unit measured in one step.

    Attributes:
        unit_index: of the unit in :attr:`Fleet.units`.
        fix: where it believes to be.
        battery: percent, 0 to 100.
        online: whether it could send this now; if not, it keeps the fix.
        backlog: the fixes kept since it went offline, oldest first, without ``fix``; not empty
            only in the first report after a dead spot, to be sent as one batch.
    """

    unit_index: int
    fix: Fix
    battery: int
    online: bool
    backlog: tuple[Fix, ...] = ()

    @property
    def came_back(self) -> bool:
        """Whether the unit was offline until now and has something to deliver."""
        return bool(self.backlog)


class Behaviour(NamedTuple):
    """What units of a kind can do.

    Attributes:
        fastest: metres per second.
        speeds_up: metres per second, per second.
        brakes: the same.
        stays: shortest and longest stay at a stop, seconds.
        error: standard deviation of the receiver's drift in metres, per axis.
        drains: percent of battery in an hour.
        charges: whether the engine charges it while moving.
        altitude: metres above sea level while moving.
    """

    fastest: float
    speeds_up: float
    brakes: float
    stays: tuple[float, float]
    error: float
    drains: float
    charges: bool
    altitude: float = 0.0


KINDS: Final[dict[str, Behaviour]] = {
    "car": Behaviour(30.0, 1.8, 2.5, (60, 900), 3.0, 7.0, True),
    "truck": Behaviour(21.0, 0.9, 1.8, (180, 1500), 3.0, 7.0, True),
    "motorcycle": Behaviour(30.0, 2.5, 3.0, (45, 600), 3.5, 9.0, False),
    "boat": Behaviour(14.0, 0.7, 0.9, (240, 1800), 2.5, 7.0, True),
    "foot": Behaviour(1.4, 0.5, 1.0, (20, 240), 5.0, 10.0, False),
    "aircraft": Behaviour(60.0, 1.5, 2.0, (900, 3600), 4.0, 5.0, True, 600.0),
}

MIX: Final[dict[str, tuple[float, dict[str, float]]]] = {
    "BPD": (0.42, {"car": 0.50, "foot": 0.22, "motorcycle": 0.16, "truck": 0.10, "boat": 0.02}),
    "BDF": (0.20, {"truck": 0.55, "foot": 0.30, "car": 0.10, "aircraft": 0.05}),
    "BCG": (0.15, {"boat": 0.90, "car": 0.10}),
    "CED": (0.08, {"car": 0.60, "boat": 0.20, "truck": 0.20}),
    "INS": (0.06, {"car": 0.70, "foot": 0.30}),
    "NEMO": (0.09, {"truck": 0.60, "car": 0.40}),
}
"""Share of each agency in a fleet, and of each kind within it; a plausible guess, not a figure."""

_LETTERS: Final = {
    "car": "C", "truck": "T", "motorcycle": "M", "boat": "B", "foot": "F", "aircraft": "A",
}  # fmt: skip


class Fleet:
    """Units of six agencies that move through Belize.

    Args:
        seed: the same seed gives the same fleet and the same movements.
        units: how many; with six or more every agency is there.
        dead_spots: whether units lose the network at all.

    Raises:
        ValueError: when ``units`` is below 1.
    """

    def __init__(self, seed: int, units: int, *, dead_spots: bool = True) -> None:
        if units < 1:
            raise ValueError("A fleet needs at least one unit.")
        self.units = _crew(units)
        self._movers = [_Mover(unit, seed, dead_spots) for unit in self.units]

    def step(self, now: float, dt: float) -> list[Report]:
        """Let ``dt`` seconds pass, and report where everybody is at ``now``.

        Args:
            now: seconds UTC at the end of the step; becomes the time of the fixes.
            dt: seconds since the step before; 0 measures without moving.

        Returns:
            One report for each unit, in the order of :attr:`units`.

        Raises:
            ValueError: when ``dt`` is negative or no number.
        """
        if not 0.0 <= dt < math.inf:
            raise ValueError("A step must last 0 seconds or more.")
        pieces = max(1, math.ceil(dt / MAX_STEP_S))
        piece = dt / pieces
        for mover in self._movers:
            for _ in range(pieces):
                mover.move(piece)
        return [mover.report(now, dt) for mover in self._movers]


def _crew(count: int) -> tuple[SimulatedUnit, ...]:
    """The next unit is always of the agency, and of its kind, that is furthest below its share."""
    have = dict.fromkeys(MIX, 0)
    kinds = {agency: dict.fromkeys(shares, 0) for agency, (_, shares) in MIX.items()}
    crew = []
    for index in range(count):
        # Missing agencies first, so that the smallest demonstration has all six.
        agency = next(
            (a for a, number in have.items() if number == 0),
            max(MIX, key=lambda a: MIX[a][0] * (index + 1) - have[a]),
        )
        have[agency] += 1
        shares = MIX[agency][1]
        kind = max(shares, key=lambda k: shares[k] * have[agency] - kinds[agency][k])
        kinds[agency][kind] += 1
        callsign = f"{agency}-{_LETTERS[kind]}{kinds[agency][kind]:03d}"
        crew.append(SimulatedUnit(index, callsign, agency, kind))
    return tuple(crew)


def _network(kind: str) -> Network:
    if kind == "boat":
        return roads.sea_lanes()
    return roads.air_routes() if kind == "aircraft" else roads.roads()


class _Mover:
    """One unit: where it is, what it does, and what its receiver and radio make of it."""

    def __init__(self, unit: SimulatedUnit, seed: int, dead_spots: bool) -> None:
        self.unit = unit
        self._random = Random(f"{seed}/{unit.index}")
        self._can = KINDS[unit.kind]
        self._network = _network(unit.kind)
        self._dead_spots = dead_spots
        self._nerve = self._random.uniform(0.85, 1.08)  # of its driver
        self._home = self._choose_home()
        self._way: tuple[Edge, ...] = ()
        self._leg = 0
        self._metres = 0.0  # into the leg
        self._ahead = 0.0  # metres to the end of the way
        self._trip = 0.0  # metres of the whole way
        self._speed = 0.0
        self._stay = 0.0
        self._node = self._home
        self._lon, self._lat = self._network.nodes[self._home]
        self._heading = self._random.uniform(0.0, 360.0)
        self._limit = self._can.fastest
        self._off_east = self._random.gauss(0.0, self._can.error)
        self._off_north = self._random.gauss(0.0, self._can.error)
        self._battery = self._random.uniform(45.0, 100.0)
        self._charging = False
        self._outage = 0.0
        self._spot: tuple[float, float, float] | None = None
        self._backlog: list[Fix] = []
        self._begin()

    def _choose_home(self) -> str:
        if self.unit.kind == "foot":
            grid = self._random.choices(GRIDS, [g.across * g.along for g in GRIDS])[0]
            return self._random.choice(roads.corners(grid.town))
        if self._network is not roads.roads():
            return self._random.choice(self._network.stops)
        towns = [grid for grid in GRIDS if len(self._network.reachable(grid.town)) > 10]
        return self._random.choices(towns, [g.across * g.along for g in towns])[0].town

    def _begin(self) -> None:
        """Most are on their way at the start, so that the map moves from the first second."""
        if self._random.random() < 0.3:
            self._stay = self._random.uniform(0.0, self._can.stays[1])
            return
        self._depart()
        self._advance(self._random.random() * self._ahead * 0.9)
        self._speed = 0.8 * min(self._limit, self._can.fastest)

    def _depart(self) -> None:
        rnd = self._random
        if self.unit.kind == "foot":
            # Not straight back, unless it is the end of a street; never out of town.
            last = self._way[-1].start if self._way else ""
            ways = [e for e in self._network.leaving[self._node] if "/" in e.end]
            ways = [e for e in ways if e.end != last] or ways
            self._way = (rnd.choice(ways),)
        else:
            goal = self._choose_goal()
            self._way = self._network.route(self._node, goal) or ()
        self._leg = 0
        self._metres = 0.0
        self._trip = self._ahead = sum(edge.metres for edge in self._way)

    def _choose_goal(self) -> str:
        rnd = self._random
        if self._node != self._home and rnd.random() < 0.4:
            return self._home
        streets = roads.corners(self._node.partition("/")[0])
        if streets and rnd.random() < 0.5:
            return rnd.choice(streets)  # a round through town
        stops = self._network.reachable(self._node)
        if not stops:
            return self._node
        lon, lat = self._network.nodes[self._node]
        some = [rnd.choice(stops) for _ in range(4)]
        # The nearest of four: patrols mostly stay in their part of the country.
        return min(some, key=lambda name: _apart(self._network.nodes[name], lon, lat))

    def move(self, dt: float) -> None:
        """Let up to ``MAX_STEP_S`` seconds pass."""
        self._spend(dt)
        if self._stay > 0.0:
            self._stay -= dt
            self._speed = 0.0
            if self._stay <= 0.0 and not self._charging:
                self._depart()
            elif self._charging:
                self._stay = max(self._stay, 1.0)
            return
        if self._leg >= len(self._way):
            self._arrive()
            return
        can = self._can
        wanted = min(self._limit * self._nerve, can.fastest)
        # The speed from which, after one more step of it, braking still ends at the end of the way;
        # but never so slow as not to get there.
        ending = can.brakes * (math.sqrt(dt * dt + 2.0 * self._ahead / can.brakes) - dt)
        wanted = min(wanted, max(ending, 0.6))
        if wanted > self._speed:
            self._speed = min(wanted, self._speed + can.speeds_up * dt)
        else:
            self._speed = max(wanted, self._speed - can.brakes * dt)
        self._advance(self._speed * dt)

    def _advance(self, metres: float) -> None:
        if not self._way:
            return
        metres = min(metres, self._ahead)
        self._ahead -= metres
        self._metres += metres
        while self._metres >= self._way[self._leg].metres:
            if self._leg + 1 == len(self._way):
                self._metres = self._way[self._leg].metres
                break
            self._metres -= self._way[self._leg].metres
            self._leg += 1
        edge = self._way[self._leg]
        self._lon, self._lat, self._heading, self._limit = edge.at(self._metres)
        if self._ahead < 0.5:
            self._arrive()

    def _arrive(self) -> None:
        if self._way:
            self._node = self._way[-1].end
        self._leg = len(self._way)
        low, high = self._can.stays
        if self.unit.kind == "foot" and self._random.random() < 0.7 and self._battery > 15.0:
            self._depart()  # walks on
            return
        self._speed = 0.0
        # After a round through town one stays shorter than after a journey.
        part = 1.0 if self.unit.kind == "foot" else min(1.0, 0.15 + self._trip / 10_000.0)
        self._stay = self._random.uniform(low, high) * part
        self._charging = self._battery < 25.0

    def _spend(self, dt: float) -> None:
        hours = dt / 3600.0
        if self._charging:
            self._battery += 60.0 * hours
            self._charging = self._battery < _FULL
        elif self._can.charges and self._speed > 0.5:
            self._battery += 15.0 * hours
        else:
            self._battery -= self._can.drains * hours
        self._battery = min(max(self._battery, 1.0), 100.0)

    def report(self, now: float, dt: float) -> Report:
        """Measure, and send or keep it."""
        fix = self._measure(now, dt)
        battery = int(self._battery)
        if self._dead_spots and self._is_offline(dt):
            self._backlog.append(fix)
            if len(self._backlog) > MAX_BACKLOG:
                del self._backlog[::2]
            return Report(self.unit.index, fix, battery, False)
        if not self._backlog:
            return Report(self.unit.index, fix, battery, True)
        kept, self._backlog = tuple(self._backlog), []
        return Report(self.unit.index, fix, battery, True, kept)

    def _is_offline(self, dt: float) -> bool:
        if self._outage > 0.0:
            self._outage -= dt
        elif self._random.random() < _OUTAGES * min(dt, 30.0):  # it would be over after more
            self._outage = self._random.uniform(20.0, 90.0)
        if self._spot is not None:
            lon, lat, radius = self._spot
            # A little further out than in, so that a unit at the edge does not flicker.
            if _apart((lon, lat), self._lon, self._lat) < radius * 1.05:
                return True
            self._spot = None
        for spot in DEAD_SPOTS:
            if abs(spot.lat - self._lat) * _METRES_PER_DEGREE < spot.radius and (
                _apart((spot.lon, spot.lat), self._lon, self._lat) < spot.radius
            ):
                self._spot = (spot.lon, spot.lat, spot.radius)
                return True
        return self._outage > 0.0

    def _measure(self, now: float, dt: float) -> Fix:
        rnd, can = self._random, self._can
        keep = math.exp(-dt / _DRIFT_S)
        fresh = can.error * math.sqrt(1.0 - keep * keep)
        self._off_east = self._off_east * keep + rnd.gauss(0.0, fresh)
        self._off_north = self._off_north * keep + rnd.gauss(0.0, fresh)
        east, north = self._off_east, self._off_north
        if rnd.random() < _OUTLIER:
            way, far = rnd.uniform(0.0, 2.0 * math.pi), rnd.uniform(40.0, 150.0)
            east, north = east + far * math.cos(way), north + far * math.sin(way)
        lat = self._lat + north / _METRES_PER_DEGREE
        lon = self._lon + east / (_METRES_PER_DEGREE * math.cos(self._lat * math.pi / 180.0))
        moving = self._speed > 0.3
        speed = max(0.0, self._speed + rnd.gauss(0.0, 0.15)) if moving else 0.0
        heading = self._heading + rnd.gauss(0.0, 2.0) if moving else None
        # Rounded to the wire's resolution: what differs between machines lies far below it.
        return Fix(
            now,
            round(lon, 7),
            round(lat, 7),
            round(speed, 2),
            None if heading is None else round(heading, 1) % 360.0,
            round(can.altitude * min(1.0, self._speed / 50.0), 1) if can.altitude else None,
        )


def _apart(point: tuple[float, float], lon: float, lat: float) -> float:
    """Metres between two near points of Belize, on a flat map: exact to a few per mille."""
    north = (point[1] - lat) * _METRES_PER_DEGREE
    east = (point[0] - lon) * _METRES_PER_DEGREE * 0.956
    return math.hypot(north, east)
