"""The track of a storm as an area: the cone in which its middle is likely to go. Pure.

Around each point of a forecast lies a circle that grows with the hours until then: within it was
the middle of two thirds of the storms that the National Hurricane Center has forecast in the five
years before. A circle of the file's own takes its place. Beyond it comes how far the storm itself
reaches from its middle, which a cone does not say and an officer does.

A cone is long and wide; what is warned of it is what touches Belize, its waters, and a hundred
kilometres around.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import shapely
from shapely import LineString, Polygon

from dispatch.alerting import areas
from dispatch.alerting.areas import AreaRefused, Drawn, Part, Position, Track, Waypoint
from dispatch.alerting.drawn_files import KM_PER_NM, Drawing, Stop
from dispatch.alerting.notes import Note
from geo import belize

CONE_NM: Final = (
    (0.0, 0.0),
    (12.0, 26.0),
    (24.0, 39.0),
    (36.0, 53.0),
    (48.0, 67.0),
    (60.0, 81.0),
    (72.0, 99.0),
    (96.0, 145.0),
    (120.0, 205.0),
)
"""Hours, and nautical miles: the Atlantic circles of 2023, of errors in 2018 to 2022 (National
Hurricane Center, "Definition of the NHC Track Forecast Cone", as read at
https://hwn.org/weather/about-cone.html)."""
LONGEST_HOURS: Final = 120.0
"""A forecast says nothing beyond."""
HERE_DEGREES: Final = 0.95
"""A hundred kilometres, of latitude and of longitude."""
MOST_STOPS: Final = 200
"""Points of a track in a message; of more, those that make no difference are left out."""
_LEAST_KM: Final = 1.0
_HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a file gives to an area: parts of it, how it calls them, what was left out or changed.

    ``name``: none when the file does not say one.
    """

    parts: tuple[Part, ...]
    name: str
    notes: tuple[Note, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, in sentences."""
        return tuple(each.text for each in self.notes)


def cone_km(hours: float) -> float:
    """The radius of the cone after so many hours; between those of the table, in proportion."""
    known = [hour for hour, _ in CONE_NM]
    at = min(max(bisect_left(known, hours), 1), len(known) - 1)
    (low, less), (high, more) = CONE_NM[at - 1], CONE_NM[at]
    share = min(max((hours - low) / (high - low), 0.0), 1.0)
    return (less + (more - less) * share) * KM_PER_NM


def parts(drawing: Drawing, reach_km: float, now: float) -> Found:
    """The parts of an area that a file has.

    Args:
        drawing: what was read of it.
        reach_km: how far from a track is warned, beyond the cone of one with times.
        now: seconds UTC; where a storm was before is not warned.

    Raises :class:`dispatch.alerting.areas.AreaRefused` for what is not near Belize, or no area.
    """
    notes = list(drawing.notes)
    found: list[Part] = [Drawn(ring) for ring in drawing.rings]
    for stops in drawing.tracks:
        found += _track(stops, reach_km, now, notes)
    if len(found) > areas.MOST_PARTS:
        raise AreaRefused(
            "area.many_parts",
            f"The file has {len(found)} shapes; {areas.MOST_PARTS} are the most.",
            "Save only the area that is to be warned.",
        )
    # As it is warned: of few points, and covering all that was given (DOM-WRN-16).
    made: list[Part] = []
    for part in found:
        if isinstance(part, Track):
            made.append(part)
            continue
        area, changed = areas.noted("file", [part])
        notes += changed
        made += [Drawn(ring) for ring in area.polygons]
    areas.area("file", made)
    return Found(tuple(made), drawing.name, tuple(dict.fromkeys(notes)))


def _track(stops: Sequence[Stop], reach_km: float, now: float, notes: list[Note]) -> list[Part]:
    winds = [each.wind_kt for each in stops if each.wind_kt]
    if winds:
        knots = round(max(winds))
        said = f"The strongest wind in it is {knots} knots."
        notes.append(Note("note.wind", said, (("knots", knots),)))
    timed = _hours(stops, now, notes)
    if timed is None:
        if len(stops) > 1:
            said = (
                f"It says no times: {reach_km:g} km are warned on each side, all along the track."
            )
            notes.append(Note("note.no_times", said, (("km", reach_km),)))
        return _made([_waypoint(each, 0.0, reach_km) for each in stops], notes)
    said = (
        f"The cone is that of the National Hurricane Center (2023, Atlantic), and {reach_km:g} km "
        "beyond it for the reach of the storm."
    )
    notes.append(Note("note.cone", said, (("km", reach_km),)))
    return _made([_waypoint(each, hour, reach_km) for each, hour in timed], notes)


def _hours(stops: Sequence[Stop], now: float, notes: list[Note]) -> list[tuple[Stop, float]] | None:
    """The points of a forecast with their hours from its beginning; None: it has no times."""
    if len(stops) < 2:
        return None
    hours = [each.hour for each in stops if each.hour is not None]
    times = [each.time for each in stops if each.time is not None]
    if len(hours) == len(stops):
        timed = list(zip(stops, hours, strict=True))
    elif len(times) == len(stops):
        # From where it was last; of a track that is over, or has not begun, from its beginning.
        past = [each for each in times if each <= now]
        begins = max(past) if past and len(past) < len(times) else min(times)
        timed = [(e, (at - begins) / _HOUR) for e, at in zip(stops, times, strict=True)]
    else:
        return None
    kept = [(each, hour) for each, hour in timed if 0.0 <= hour <= LONGEST_HOURS]
    before = sum(hour < 0.0 for _, hour in timed)
    after = len(timed) - len(kept) - before
    if before:
        points = "1 point" if before == 1 else f"{before} points"
        said = f"Where it was before ({points}) was left out."
        notes.append(Note("note.before", said, (("points", before),)))
    if after:
        said = f"What lies more than {LONGEST_HOURS:g} hours ahead was left out."
        notes.append(Note("note.after", said, (("hours", LONGEST_HOURS),)))
    return kept


def _waypoint(stop: Stop, hours: float, reach_km: float) -> Waypoint:
    around = cone_km(hours) if stop.radius_km is None else stop.radius_km
    return Waypoint(stop.at, max(min(around + reach_km, areas.MOST_RADIUS_KM), _LEAST_KM))


def _made(points: list[Waypoint], notes: list[Note]) -> list[Part]:
    """A track as a part that can be changed; cut to what is near, when it is more."""
    points = _few(points, notes)
    whole = Track(tuple(points))
    try:
        areas.area("track", [whole])
    except AreaRefused as refusal:
        if refusal.code not in ("area.too_large", "area.elsewhere"):
            raise
    else:
        return [whole]
    west, south, east, north = belize.BOUNDS
    here = shapely.box(
        west - HERE_DEGREES, south - HERE_DEGREES, east + HERE_DEGREES, north + HERE_DEGREES
    )
    near = shapely.unary_union([shapely.intersection(leg, here) for leg in _legs(points)])
    rings = [each for each in shapely.get_parts(near) if isinstance(each, Polygon)]
    if not rings:
        raise AreaRefused(
            "area.elsewhere",
            "The track and its cone stay far from Belize.",
            "Look whether it is the right storm; or give a wider reach.",
        )
    said = "It was cut to Belize, its waters and 100 km around."
    notes.append(Note("note.cut", said, (("km", 100.0),)))
    return [Drawn(tuple(Position(*at) for at in ring.exterior.coords)) for ring in rings]


def _legs(points: Sequence[Waypoint]) -> list[shapely.Geometry]:
    """Everything within the width, leg by leg; none of them goes around the earth."""
    if len(points) == 1:
        return [areas.track_shape(Track(tuple(points)))]
    return [
        areas.track_shape(Track(leg))
        for leg in pairwise(points)
        if abs(leg[0].at.lon - leg[1].at.lon) < 180.0
    ]


def _few(points: list[Waypoint], notes: list[Note]) -> list[Waypoint]:
    """A track of few points that covers the whole one."""
    if len(points) <= MOST_STOPS:
        return points
    # A track of one width: what a left-out point was off the line is added to the width.
    line = LineString([each.at for each in points])
    widest = max(each.radius_km for each in points)
    off = 0.0005
    simple = line.simplify(off)
    while len(simple.coords) > MOST_STOPS:
        off *= 1.5
        simple = line.simplify(off)
    km = widest + off * 111.3
    kept, wider = len(simple.coords), round(off * 111.3, 1)
    notes.append(
        Note(
            "note.track_thinned",
            f"The track had {len(points):,} points and now has {kept}; it is {wider} km wider for"
            " that.",
            (("points", len(points)), ("kept", kept), ("km", wider)),
        )
    )
    return [Waypoint(Position(*at), km) for at in simple.coords]
