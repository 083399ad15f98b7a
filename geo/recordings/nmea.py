"""GPS sentences of NMEA 0183: GGA, GLL, GNS, RMC and ZDA of any talker.

Sentences of one moment (the same time of day) become one fix: RMC brings speed and course, GGA the
altitude. Only RMC and ZDA know the date; the others take it from them, over midnight as well. A
file that never tells the date is paced: its times count from midnight of 1970-01-01.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import Final

from geo.recordings.model import KNOT, Fix, Problem, Recording, Track, is_plausible, pace

DAY_S: Final = 86_400.0
MAX_LINE: Final = 1024

_SENTENCE: Final = re.compile(rb"\$([A-Z]{2}|P)([A-Z0-9]{3}),([^*$!]*)(?:\*([0-9A-Fa-f]{2}))?")
_CLOCK: Final = re.compile(r"(\d{2})(\d{2})(\d{2}(?:\.\d*)?)")
_ANGLE: Final = re.compile(r"(\d{1,3})(\d{2}(?:\.\d*)?)")
_WANTED: Final = frozenset({"GGA", "GLL", "GNS", "RMC", "ZDA"})


class _Bad(Exception):
    """A sentence that cannot be used; its arguments are the code and the sentence for people."""


@dataclass(slots=True)
class _Moment:
    """What one sentence, or several of one moment, say.

    ``clock`` is seconds of the day, ``day`` seconds UTC of midnight.
    """

    clock: float | None = None
    day: float | None = None
    lon: float | None = None
    lat: float | None = None
    speed: float | None = None
    heading: float | None = None
    altitude: float | None = None

    def add(self, other: _Moment) -> None:
        """Take over what is not known yet."""
        for name in ("clock", "day", "lon", "lat", "speed", "heading", "altitude"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(other, name))


def checksum(body: bytes) -> int:
    """All bytes between ``$`` (or ``!``) and ``*``, combined by exclusive or."""
    return reduce(xor, body, 0)


def read(data: bytes) -> Recording:
    """Read a file of NMEA 0183 sentences as one track; every line that is refused is explained."""
    return read_lines(enumerate(data.splitlines(), 1))


def read_lines(lines: Iterable[tuple[int, bytes]]) -> Recording:
    """As :func:`read`, from lines with their numbers."""
    numbered = [(n, s) for n, line in lines if (s := line.strip()) and not s.startswith(b"#")]
    # Where every other line has a checksum, one without was cut off: its last number may be wrong.
    starred = sum(b"*" in line for _, line in numbered)
    strict = starred * 2 > len(numbered)
    problems: list[Problem] = []
    moments: list[_Moment] = []
    for number, line in numbered:
        try:
            moment = _sentence(line, strict)
        except _Bad as bad:
            problems.append(Problem(number, str(bad.args[0]), str(bad.args[1])))
            continue
        if moment is None:
            continue
        if moments and moment.clock is not None and moments[-1].clock == moment.clock:
            moments[-1].add(moment)
        else:
            moments.append(moment)
    fixes = _fixes(moments, problems)
    tracks = (Track("gps", None, "track", fixes),) if fixes else ()
    dropped = sum(problem.dropped for problem in problems)
    return Recording("nmea", tracks, tuple(problems), len(numbered), len(numbered) - dropped)


def _sentence(line: bytes, strict: bool) -> _Moment | None:
    """What a line says; None for a sentence of another kind."""
    found = _SENTENCE.search(line[:MAX_LINE])
    if not found:
        raise _Bad("nmea.not_a_sentence", "The line is no NMEA 0183 sentence.")
    _, kind, body, star = found.groups()
    whole = line[found.start() + 1 : found.end()].partition(b"*")[0]
    if star and checksum(whole) != int(star, 16):
        raise _Bad("nmea.checksum", "The checksum does not match: the line was damaged.")
    if not star and strict:
        raise _Bad("nmea.truncated", "The line breaks off before its checksum.")
    name = kind.decode()
    if name not in _WANTED:
        return None
    fields = body.decode("latin-1").split(",")
    fields += [""] * (15 - len(fields))
    if name == "ZDA":
        return _Moment(_clock(fields[0]), _day(fields[1], fields[2], fields[3]))
    if name == "RMC":
        return _rmc(fields)
    if name == "GLL":
        moment = _Moment(_clock(fields[4]))
        return moment if fields[5] == "V" else _placed(moment, fields[0:4])
    moment = _Moment(_clock(fields[0]))  # GGA, and GNS with the same places
    no_fix = fields[5] in ("", "0") if name == "GGA" else set(fields[5]) <= {"N"}
    if no_fix:
        return moment
    moment.altitude = _number(fields[8])
    return _placed(moment, fields[1:5])


def _rmc(fields: list[str]) -> _Moment:
    date = fields[8]
    day = _day(date[0:2], date[2:4], date[4:6]) if date else None
    moment = _Moment(_clock(fields[0]), day)
    if fields[1] == "V":
        return moment
    knots, course = _number(fields[6]), _number(fields[7])
    moment.speed = knots * KNOT if knots is not None and knots >= 0 else None
    moment.heading = course % 360.0 if course is not None and 0 <= course <= 360 else None
    return _placed(moment, fields[2:6])


def _placed(moment: _Moment, fields: list[str]) -> _Moment:
    lat = _angle(fields[0], fields[1], "NS", 90.0)
    lon = _angle(fields[2], fields[3], "EW", 180.0)
    moment.lon, moment.lat = lon, lat
    return moment


def _angle(text: str, letter: str, letters: str, largest: float) -> float:
    found = _ANGLE.fullmatch(text)
    if not found or not letter or letter not in letters:
        raise _Bad("nmea.no_position", "The position is missing or cannot be read.")
    minutes = float(found.group(2))
    degrees = int(found.group(1)) + minutes / 60.0
    if minutes >= 60.0 or degrees > largest:
        raise _Bad("nmea.position_range", f"The position {text},{letter} is not on the earth.")
    return -degrees if letter == letters[1] else degrees


def _clock(text: str) -> float | None:
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found:
        hours, minutes, seconds = int(found.group(1)), int(found.group(2)), float(found.group(3))
        if hours < 24 and minutes < 60 and seconds < 61:
            return hours * 3600.0 + minutes * 60.0 + seconds
    raise _Bad("nmea.time", f"The time of day “{text[:20]}” cannot be read.")


def _day(day: str, month: str, year: str) -> float:
    try:
        number = int(year)
        if number < 100:  # RMC has two digits; GPS began in 1980
            number += 1900 if number >= 80 else 2000
        time = datetime(number, int(month), int(day), tzinfo=UTC).timestamp()
    except ValueError:
        raise _Bad("nmea.date", f"The date {day}-{month}-{year} cannot be read.") from None
    if not is_plausible(time):
        says = f"The date {day}-{month}-{year} cannot be that of a satellite fix."
        raise _Bad("nmea.time_implausible", says)
    return time


def _number(text: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e9 else None


def _fixes(moments: list[_Moment], problems: list[Problem]) -> tuple[Fix, ...]:
    dated = _date(moments)
    placed = [moment for moment in moments if moment.lon is not None and moment.lat is not None]
    times = [
        None if moment.clock is None else (moment.day or 0.0) + moment.clock for moment in placed
    ]
    if placed and not dated:
        says = "No line tells the date: the times count from midnight of 1970-01-01."
        problems.append(Problem(None, "nmea.no_date", says, dropped=False))
    return tuple(
        Fix(
            time,
            moment.lon or 0.0,
            moment.lat or 0.0,
            moment.speed,
            moment.heading,
            moment.altitude,
            paced or not dated,
        )
        for moment, (time, paced) in zip(placed, pace(times), strict=True)
    )


def _date(moments: list[_Moment]) -> bool:
    """Give every moment its day; False when no sentence told one."""
    first = next((at for at, moment in enumerate(moments) if moment.day is not None), None)
    for moment in moments[:first] if first else ():
        moment.day = moments[first or 0].day
    day, clock = 0.0, 0.0
    for moment in moments:
        if moment.day is not None:
            day = moment.day
        elif moment.clock is not None and moment.clock < clock - DAY_S / 2:
            day += DAY_S  # past midnight before the next date came
        moment.day = day
        clock = moment.clock if moment.clock is not None else clock
    return first is not None
