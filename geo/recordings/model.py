"""What a recording is, whatever file it came from, and what can be wrong with one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

PLAUSIBLE_FROM: Final = 631_152_000.0
"""1990-01-01 UTC. Satellite receivers for everyone are younger; older times are a broken clock."""

PLAUSIBLE_UNTIL: Final = 4_102_444_800.0
"""2100-01-01 UTC."""

KNOT: Final = 1852.0 / 3600.0
"""Metres per second in one knot."""


class RecordingError(ValueError):
    """A file that gives no recording at all.

    Attributes:
        code: stable, for programs, such as ``recording.unknown_format``.
        text: one plain sentence, for people.
        todo: what to do about it.
    """

    def __init__(self, code: str, text: str, todo: str) -> None:
        super().__init__(f"{text} {todo}")
        self.code = code
        self.text = text
        self.todo = todo


class Fix(NamedTuple):
    """One position of one unit.

    Attributes:
        time: seconds since 1970-01-01 UTC. When ``paced`` is true the file said nothing usable and
            the reader gave a time that keeps the order; it then counts from the nearest known
            time, or from 0 when there is none.
        lon: degrees, WGS84, -180 to 180.
        lat: degrees, WGS84, -90 to 90.
        speed: metres per second over ground, or None.
        heading: degrees clockwise from true north, 0 <= heading < 360, the course over ground
            where the source knows it, or None.
        altitude: metres above mean sea level as the source understands it, or None.
        paced: whether ``time`` was given by the reader.
    """

    time: float
    lon: float
    lat: float
    speed: float | None = None
    heading: float | None = None
    altitude: float | None = None
    paced: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """The fixes of one unit, in the order of the file.

    Attributes:
        key: unique within the recording: an MMSI of nine digits, a unit's name, ``gpx-1``.
        name: for people, or None.
        kind: ``vessel``, ``base_station``, ``aid_to_navigation``, ``aircraft``, ``distress``,
            ``track``, ``route`` or ``waypoints``.
        fixes: never empty.
    """

    key: str
    name: str | None
    kind: str
    fixes: tuple[Fix, ...]


class Problem(NamedTuple):
    """Something in the file that is not as it should be.

    Attributes:
        line: counted from 1, or None when it is no matter of one line.
        code: stable, for counting, such as ``ais.checksum``.
        text: one plain sentence.
        dropped: whether the record was left out; otherwise only a part of it was.
    """

    line: int | None
    code: str
    text: str
    dropped: bool = True


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything read from one file.

    Attributes:
        format: ``gpx``, ``ais``, ``nmea`` or ``table``.
        tracks: in order of first appearance.
        problems: in order of lines.
        records: lines or points that were looked at; each is decoded or has a problem that says
            ``dropped``.
        decoded: how many of them were understood, with or without a position.
    """

    format: str
    tracks: tuple[Track, ...]
    problems: tuple[Problem, ...]
    records: int
    decoded: int

    def ordered(self) -> Iterator[tuple[Track, Fix]]:
        """All fixes by time; for equal times in the order of tracks and of the file."""
        pairs = [(track, fix) for track in self.tracks for fix in track.fixes]
        pairs.sort(key=lambda pair: pair[1].time)
        return iter(pairs)

    def counts(self) -> dict[str, int]:
        """How often each problem code occurs, most frequent first."""
        return dict(Counter(problem.code for problem in self.problems).most_common())

    def summary(self) -> str:
        """A few plain sentences for the command line: what was read, what was not, and why."""
        fixes = sum(len(track.fixes) for track in self.tracks)
        paced = sum(fix.paced for track in self.tracks for fix in track.fixes)
        named = sum(track.name is not None for track in self.tracks)
        says = [
            f"{self.format}: {self.records} records, {self.decoded} read, "
            f"{self.records - self.decoded} left out; {fixes} positions of {len(self.tracks)} "
            f"units, {named} with a name."
        ]
        if paced:
            says.append(f"{paced} positions have no usable time of their own and were given one.")
        first = {problem.code: problem for problem in reversed(self.problems)}
        for code, count in self.counts().items():
            at = f"first in line {first[code].line}: " if first[code].line else ""
            says.append(f"{count} times {code}, {at}{first[code].text}")
        return "\n".join(says)


def is_plausible(time: float) -> bool:
    """Whether a time (seconds UTC) can be that of a satellite fix: 1990 to 2099."""
    return PLAUSIBLE_FROM <= time < PLAUSIBLE_UNTIL


def pace(times: Sequence[float | None], spacing: float = 1.0) -> list[tuple[float, bool]]:
    """Give a time to every fix of a track that has none, keeping the order.

    Between two known times the unknown ones are spread evenly, at most ``spacing`` seconds apart;
    before the first and after the last known time they are ``spacing`` apart; with no known time
    at all they count from 0.

    Returns:
        For each fix its time in seconds, and whether it was given here.
    """
    known = [at for at, time in enumerate(times) if time is not None]
    if not known:
        return [(at * spacing, True) for at in range(len(times))]
    paced: list[tuple[float, bool]] = []
    after = iter([*known, len(times)])
    last, upcoming = -1, next(after)
    step = spacing
    for at, time in enumerate(times):
        if time is not None:
            last, upcoming = at, next(after)
            end = times[upcoming] if upcoming < len(times) else None
            gap = spacing if end is None else (end - time) / (upcoming - at)
            step = min(spacing, max(gap, 0.0))
            paced.append((time, False))
        elif last < 0:
            paced.append((_known(times, upcoming) - (upcoming - at) * spacing, True))
        else:
            paced.append((_known(times, last) + (at - last) * step, True))
    return paced


def _known(times: Sequence[float | None], at: int) -> float:
    time = times[at]
    assert time is not None  # callers index known times only
    return time
