"""GPX 1.0 and 1.1 (the GPS exchange format of TopoGrafix), read by streaming.

The tracks (``trk``) are the recording. Only a file without tracks has its routes (``rte``) read
instead, and one without routes its waypoints (``wpt``), because both are plans rather than
movements.

The file is read with expat directly and not through a document tree: every point then knows its
line, and a file that ends in the middle still gives all points before the break. A document type
declaration is refused, and with it every attack by entities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final
from xml.parsers import expat

from geo.coordinates import is_position
from geo.recordings.model import (
    Fix,
    Problem,
    Recording,
    RecordingError,
    Track,
    is_plausible,
    pace,
)
from geo.times import parse_time

_POINTS: Final = {"trkpt": "track", "rtept": "route", "wpt": "waypoints"}
_GROUPS: Final = {"trk": "track", "rte": "route"}
_VALUES: Final = frozenset({"name", "time", "ele", "speed", "course"})
_LONGEST_VALUE: Final = 256


@dataclass(slots=True)
class _Group:
    kind: str
    name: str | None = None
    points: list[tuple[int, dict[str, str]]] = field(default_factory=list)


class _Reader:
    """Collects the points of each group as expat reports them."""

    def __init__(self) -> None:
        self.groups: list[_Group] = []
        self.waypoints = _Group("waypoints")
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._group: _Group | None = None
        self._point: tuple[int, dict[str, str]] | None = None
        self._open: list[str] = []
        self._text: str | None = None

    def read(self, data: bytes) -> Problem | None:
        """Read it all; the problem that ended the reading early, if one did."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            return Problem(
                error.lineno,
                "gpx.broken",
                f"The file stops being XML here ({expat.ErrorString(error.code)}); "
                "what comes after was not read.",
                dropped=False,
            )
        except RecordingError:
            raise
        except (ValueError, LookupError):
            # An encoding that Python does not know, or that has more than one byte a letter.
            return Problem(1, "gpx.encoding", "The file names an unknown encoding.", dropped=False)
        return None

    def _doctype(self, *_: object) -> None:
        raise RecordingError(
            "gpx.doctype",
            "The file has a document type declaration, which GPX never needs and attacks do.",
            "Remove the lines from <!DOCTYPE to its end.",
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag in _POINTS:
            self._point = (self._parser.CurrentLineNumber, attributes)
            group = self.waypoints if tag == "wpt" else self._group
            if group is not None:
                group.points.append(self._point)
        elif tag in _GROUPS:
            self._group = _Group(_GROUPS[tag])
            self.groups.append(self._group)
        elif tag in _VALUES:
            self._text = ""
        self._open.append(tag)

    def _end(self, tag: str) -> None:
        tag = self._open.pop()
        if tag in _POINTS:
            self._point = None
        elif tag in _GROUPS:
            self._group = None
        elif tag in _VALUES and self._text is not None:
            if self._point is not None:
                # The first one counts: extensions repeat names such as "speed" further down.
                self._point[1].setdefault(f"<{tag}>", self._text.strip())
            elif tag == "name" and self._group is not None and self._open[-1:] != ["extensions"]:
                self._group.name = self._group.name or self._text.strip() or None
            self._text = None

    def _characters(self, text: str) -> None:
        if self._text is not None and len(self._text) < _LONGEST_VALUE:
            self._text += text[:_LONGEST_VALUE]


def read(data: bytes) -> Recording:
    """Read a GPX file.

    A point without a usable position is left out and explained. A time that is missing, unreadable
    or before 1990 or after 2099 is replaced by pacing (one second after the point before) and
    explained; the point is kept and marked ``paced``.

    Raises:
        RecordingError: ``gpx.doctype`` for a document type declaration.
    """
    reader = _Reader()
    broken = reader.read(data)
    problems: list[Problem] = []
    groups = [g for g in reader.groups if g.kind == "track" and g.points]
    groups = groups or [g for g in reader.groups if g.kind == "route" and g.points]
    groups = groups or ([reader.waypoints] if reader.waypoints.points else [])
    tracks = []
    for number, group in enumerate(groups, 1):
        fixes = _fixes(group, problems)
        if fixes:
            tracks.append(Track(f"gpx-{number}", group.name, group.kind, fixes))
    if broken:
        problems.append(broken)
    return Recording(
        "gpx",
        _joined(tracks),
        tuple(problems),
        records=sum(len(group.points) for group in groups),
        decoded=sum(len(track.fixes) for track in tracks),
    )


def _joined(tracks: list[Track]) -> tuple[Track, ...]:
    """One track of many that follow each other in time.

    A recorder that was paused, or lost its fix, goes on in a new ``trk``: still one unit. Tracks
    that overlap in time are several units.
    """
    if len(tracks) < 2:
        return tuple(tracks)
    spans = []
    for at, track in enumerate(tracks):
        times = [fix.time for fix in track.fixes if not fix.paced]
        if not times:
            return tuple(tracks)  # without times nobody can tell
        spans.append((min(times), max(times), at))
    spans.sort()
    if any(before[1] > after[0] for before, after in pairwise(spans)):
        return tuple(tracks)
    known = [tracks[at] for _, _, at in spans]
    fixes = tuple(fix for track in known for fix in track.fixes)
    return (Track("gpx-1", known[0].name, known[0].kind, fixes),)


def _fixes(group: _Group, problems: list[Problem]) -> tuple[Fix, ...]:
    times: list[float | None] = []
    kept: list[tuple[float, float, dict[str, str]]] = []
    for line, values in group.points:
        lon, lat = _number(values.get("lon")), _number(values.get("lat"))
        if lon is None or lat is None:
            problems.append(Problem(line, "gpx.no_position", "The point has no position."))
            continue
        if not is_position(lon, lat):
            problems.append(
                Problem(
                    line, "gpx.position_range", f"The point ({lat:g}, {lon:g}) is not on earth."
                )
            )
            continue
        times.append(_time(line, values.get("<time>"), problems))
        kept.append((lon, lat, values))
    return tuple(
        Fix(
            time,
            lon,
            lat,
            _not_negative(values.get("<speed>")),
            _heading(values.get("<course>")),
            _number(values.get("<ele>")),
            paced,
        )
        for (lon, lat, values), (time, paced) in zip(kept, pace(times), strict=True)
    )


def _time(line: int, text: str | None, problems: list[Problem]) -> float | None:
    if not text:
        problems.append(Problem(line, "gpx.no_time", "The point has no time.", dropped=False))
        return None
    time = parse_time(text)
    if time is None:
        says = f"The time “{text[:40]}” cannot be read."
        problems.append(Problem(line, "gpx.time_unreadable", says, dropped=False))
        return None
    if not is_plausible(time):
        says = f"The time {text[:40]} cannot be that of a satellite fix (1990 to 2099)."
        problems.append(Problem(line, "gpx.time_implausible", says, dropped=False))
        return None
    return time


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _not_negative(text: str | None) -> float | None:
    value = _number(text)
    return value if value is not None and value >= 0 else None


def _heading(text: str | None) -> float | None:
    value = _number(text)
    return value % 360.0 if value is not None and 0 <= value <= 360 else None
