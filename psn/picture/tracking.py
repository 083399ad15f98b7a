"""The live picture: where every unit is now, in memory.

Pure: time is an argument, nothing here waits, writes or sends. A position goes through an ordered
list of small checks (:func:`judge`, read it top to bottom); what is refused goes back to its
sender with a code, what is kept goes to the track, and what is shown also becomes the unit's
newest seat.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field

from geo import grid
from geo.fences import FenceIndex
from psn import wire
from psn.problems import Problem

CLOCK_AHEAD_MS = 120_000
"""A fix from further in the future than this is refused: its clock is wrong."""
OLDEST_MS = 30 * 86_400_000
"""A fix from longer ago than this is refused: no dead spot lasts a month."""
FASTEST_M_S = {"aircraft": 350.0}
FASTEST_OTHERWISE_M_S = 100.0
"""Speeds no unit of that kind can have moved with between two fixes, in metres per second."""
GPS_SLACK_M = 100.0
"""Distance that two fixes may lie apart through GPS error alone, in metres."""
BLUR_MS = 60_000
"""A blurred place is renewed by the clock, this long after the last one and not when its unit
moves: the moment at which a square changes would tell where the unit is."""
AGREEING_FIXES = 3
"""So many fixes in a row that agree with each other overrule a newest one they disagree with."""

_METRES_PER_E7 = 0.011_131_949
"""Metres in 10^-7 degrees of latitude: WGS 84 equatorial circumference / 360 / 10^7."""
_RADIANS_PER_E7 = math.pi / 180 / 1e7


class Standing(enum.IntEnum):
    """What became of a position; the number is stored with it in the track."""

    SHOWN = 0
    OLDER = 1
    """Older than the newest: kept in the track, not on the map."""
    IMPLAUSIBLE = 2
    """Further away than the unit can have come: kept in the track, not on the map."""


class PositionRefused(Problem):
    """A position that is not kept at all: ``code`` is stable, the rest is for a person."""


@dataclass(slots=True)
class Newest:
    """The newest position of a unit, and what is needed to judge the next."""

    fix: wire.Fix
    received: int
    seat: bytes = b""
    inside: frozenset[int] = frozenset()
    suspects: list[wire.Fix] = field(default_factory=list)
    blurred: wire.Seat = field(init=False)
    """For those who see the unit blurred; of :attr:`blurred_at` (the server's ms UTC)."""
    blurred_at: int = field(init=False)

    def __post_init__(self) -> None:
        """Blur the first place."""
        self._blur(self.received)

    def renew_blurred(self, now: int) -> bool:
        """Blur the newest place, when the last time is long enough ago; whether that changed it."""
        if now - self.blurred_at < BLUR_MS:
            return False
        before = self.blurred
        self._blur(now)
        return self.blurred != before

    def _blur(self, now: int) -> None:
        """The middle of its square of a kilometre, and the minute of its time; no movement."""
        lon, lat = grid.middle(self.fix.lon, self.fix.lat)
        minute = self.fix.time - self.fix.time % 60_000
        reach = grid.REACH_M * 100
        self.blurred = wire.Seat(self.fix.unit, minute, lon, lat, None, None, reach)
        self.blurred_at = now


def distance_m(a: wire.Fix, b: wire.Fix) -> float:
    """Metres between two fixes on a plane; within 1 % up to 100 km, which judging needs."""
    latitude = (a.lat + b.lat) * 0.5 * _RADIANS_PER_E7
    apart = abs(a.lon - b.lon)
    if apart > 1_800_000_000:
        apart = 3_600_000_000 - apart
    return math.hypot(apart * math.cos(latitude), a.lat - b.lat) * _METRES_PER_E7


def reachable(a: wire.Fix, b: wire.Fix, fastest: float) -> bool:
    """Whether a unit that is no faster than ``fastest`` m/s can have been at both."""
    seconds = abs(b.time - a.time) / 1000
    slack = GPS_SLACK_M + ((a.accuracy or 0) + (b.accuracy or 0)) / 100
    return distance_m(a, b) <= fastest * seconds + slack


def judge(newest: Newest | None, fix: wire.Fix, kind: str, now: int) -> Standing:
    """Decide what becomes of ``fix``; ``now`` is the server's time in milliseconds UTC.

    Raises :class:`PositionRefused` for a time that cannot be true. The wire has checked ranges.
    """
    if fix.time > now + CLOCK_AHEAD_MS:
        ahead = (fix.time - now) // 1000
        raise PositionRefused(
            "clock_ahead",
            f"The position is {ahead} s in the future.",
            "Set the device's clock, or correct its times by the server time in welcome.",
        )
    if fix.time < now - OLDEST_MS:
        raise PositionRefused(
            "too_old",
            "The position is more than 30 days old.",
            "Drop it, or check the device's clock.",
        )
    if newest is None:
        return Standing.SHOWN
    if fix.time <= newest.fix.time:
        return Standing.OLDER
    fastest = FASTEST_M_S.get(kind, FASTEST_OTHERWISE_M_S)
    if reachable(newest.fix, fix, fastest):
        newest.suspects.clear()
        return Standing.SHOWN
    return _suspect(newest, fix, fastest)


def _suspect(newest: Newest, fix: wire.Fix, fastest: float) -> Standing:
    """An implausible fix: shown only when others before it agree that the unit is there."""
    if newest.suspects and not reachable(newest.suspects[-1], fix, fastest):
        newest.suspects.clear()
    newest.suspects.append(fix)
    if len(newest.suspects) < AGREEING_FIXES:
        return Standing.IMPLAUSIBLE
    newest.suspects.clear()
    return Standing.SHOWN


@dataclass(frozen=True, slots=True)
class Taken:
    """What :meth:`LivePicture.take` did: the standing, and the fences crossed."""

    standing: Standing
    newest: Newest
    entered: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    first: bool = False
    """Nothing was known of where the unit is."""


class LivePicture:
    """The newest position of every unit, by unit id."""

    def __init__(self, fences: FenceIndex) -> None:
        self.newest: dict[int, Newest] = {}
        self.fences = fences

    def take(self, fix: wire.Fix, kind: str, now: int) -> Taken:
        """Judge a position and, when it is shown, make it the unit's newest.

        ``fix.unit`` is the unit's id; ``now`` milliseconds UTC. Raises :class:`PositionRefused`.
        """
        newest = self.newest.get(fix.unit)
        standing = judge(newest, fix, kind, now)
        first = newest is None
        if newest is None:
            newest = self.newest[fix.unit] = Newest(fix, now)
        elif standing is not Standing.SHOWN:
            return Taken(standing, newest)
        newest.fix = fix
        newest.received = now
        crossings = self.fences.crossings(newest.inside, fix.lon / 1e7, fix.lat / 1e7)
        newest.inside = crossings.inside
        return Taken(standing, newest, crossings.entered, crossings.left, first)

    def restore(self, fix: wire.Fix, received: int) -> Newest:
        """Put a unit where it was before a restart; what it is inside of is no new crossing."""
        inside = self.fences.containing(fix.lon / 1e7, fix.lat / 1e7)
        newest = self.newest[fix.unit] = Newest(fix, received, inside=inside)
        return newest

    def forget(self, unit: int) -> None:
        """A unit is retired: it has no place any more."""
        self.newest.pop(unit, None)


def seat_of(fix: wire.Fix) -> wire.Seat:
    """What the picture shows of a fix."""
    return wire.Seat(fix.unit, fix.time, fix.lon, fix.lat, fix.speed, fix.heading, fix.accuracy)
