r"""AIS as received off the air: NMEA 0183 sentences ``!AIVDM`` and ``!AIVDO`` (IEC 61162-1).

The messages themselves (ITU-R M.1371-5) are decoded by pyais. Here are the line rules: checksums,
messages in several parts, receive times, and which vessel said what.

Receive times are taken, in this order, from a tag block (``\c:1671533231*hh\``), a time written
before or after the sentence, or a ``$PGHP`` line before it. A file without any has only the second
of the minute in most position reports: see :mod:`geo.recordings.ais_clock`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pyais
from pyais.exceptions import AISBaseException

from geo.recordings import ais_clock, nmea
from geo.recordings.model import KNOT, Fix, Problem, Recording, Track, is_plausible
from geo.times import parse_time

POSITION_TYPES: Final = frozenset({1, 2, 3, 4, 9, 11, 18, 19, 21, 27})
"""Messages that say where the sender is (ITU-R M.1371-5, annex 8, table 43)."""

_BITS_TO_LATITUDE: Final = {
    1: 116, 2: 116, 3: 116, 4: 134, 9: 116, 11: 134, 18: 112, 19: 112, 21: 219, 27: 79,
}  # fmt: skip
"""A shorter message would be decoded with a wrong latitude instead of none."""

MAX_LINE: Final = 1024
MAX_PART_AGE: Final = (
    100  # sentences between the parts of one message; a receiver sends them in a row
)

_SENTENCE: Final = re.compile(rb"![A-Z0-9]{2}VD[MO],[^*\\!]*\*[0-9A-Fa-f]{2}")
_AIS_START: Final = re.compile(rb"!\w{2}VD[MO]\b")
_TAG_TIME: Final = re.compile(rb"(?:\\|,)c:(\d{9,13})")
_NAME_BITS: Final = slice(112, 232)  # of type 5: the name lies wholly in the first part


@dataclass(slots=True)
class _Sender:
    """What is known of one MMSI."""

    kind: str
    name: str | None = None
    fixes: list[tuple[int, Fix]] = field(default_factory=list)  # with their mark in the clock


@dataclass(slots=True)
class _Parts:
    """A message of several sentences that is not complete yet."""

    at: int
    total: int
    received: float | None
    sentences: dict[int, tuple[int, bytes]]  # part number: line, sentence


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.records = 0
        self.decoded = 0
        self.senders: dict[int, _Sender] = {}
        self.clock = ais_clock.Clock()
        self.own: list[tuple[int, bytes]] = []
        self._parts: dict[tuple[bytes, bytes, bytes], _Parts] = {}
        self._wrapped: float | None = None

    def line(self, number: int, line: bytes) -> None:
        """Take one line of the file."""
        line = line.strip()
        if not line or line.startswith(b"#"):
            return
        if line.startswith(b"$PGHP"):
            self._wrapped = _wrapper_time(line)
            return
        if b"$" in line and not _AIS_START.search(line):
            self.own.append((number, line))
            return
        self.records += 1
        found = _SENTENCE.search(line[:MAX_LINE])
        if not found:
            self._drop(number, *_why_no_sentence(line))
            return
        sentence = found.group()
        received = _received(line[: found.start()], line[found.end() : MAX_LINE]) or self._wrapped
        self._wrapped = None
        body, _, checksum = sentence[1:].partition(b"*")
        if nmea.checksum(body) != int(checksum, 16):
            self._drop(number, "ais.checksum", "The checksum does not match: the line was damaged.")
            return
        fields = body.split(b",")
        if len(fields) != 7 or not (fields[1].isdigit() and fields[2].isdigit()):
            self._drop(number, "ais.malformed", "The line has not the seven fields of AIS.")
            return
        if not fields[5]:
            self._drop(number, "ais.empty", "The line carries no message: its payload is empty.")
            return
        total, part = int(fields[1]), int(fields[2])
        if not 1 <= part <= total <= 9:
            self._drop(number, "ais.malformed", f"Part {part} of {total} cannot be.")
        elif total == 1:
            self._message([(number, sentence)], received)
        else:
            self._part(number, sentence, fields, received)

    def finish(self) -> None:
        """Explain what is still waiting for its other parts."""
        for key in list(self._parts):
            self._give_up(key)

    def _part(
        self, number: int, sentence: bytes, fields: list[bytes], received: float | None
    ) -> None:
        total, part = int(fields[1]), int(fields[2])
        for old in [k for k, v in self._parts.items() if self.records - v.at > MAX_PART_AGE]:
            self._give_up(old)
        # The sequence number tells messages apart, but receivers reuse it after ten.
        key = (fields[0], fields[3], fields[4])
        waiting = self._parts.get(key)
        if waiting and (waiting.total != total or part in waiting.sentences):
            self._give_up(key)
            waiting = None
        if waiting is None:
            waiting = self._parts[key] = _Parts(self.records, total, received, {})
        waiting.sentences[part] = (number, sentence)
        if len(waiting.sentences) == total:
            del self._parts[key]
            parts = [waiting.sentences[n] for n in range(1, total + 1)]
            # The time stands before the first part only, or before each.
            self._message(parts, received or waiting.received)

    def _give_up(self, key: tuple[bytes, bytes, bytes]) -> None:
        parts = self._parts.pop(key)
        missing = [n for n in range(1, parts.total + 1) if n not in parts.sentences]
        more = ""
        if 1 in parts.sentences and self._salvage_name(parts.sentences[1][1]):
            more = "; the ship's name was taken from the part that did"
        says = f"Part {_listed(missing)} of {parts.total} never arrived{more}."
        for number, _ in parts.sentences.values():
            self._drop(number, "ais.part_missing", says)

    def _salvage_name(self, sentence: bytes) -> bool:
        """Keep the name from the first part of a static report (type 5) whose rest was lost."""
        bits = "".join(f"{_six_bits(char):06b}" for char in sentence.split(b",")[5])
        if int(bits[:6] or "0", 2) != 5 or len(bits) < _NAME_BITS.stop:
            return False
        letters = bits[_NAME_BITS]
        codes = [int(letters[at : at + 6], 2) for at in range(0, len(letters), 6)]
        name = _clean("".join(chr(code + 64 if code < 32 else code) for code in codes))
        if name:
            self._sender(int(bits[8:38], 2), 5).name = name
        return name is not None

    def _message(self, parts: list[tuple[int, bytes]], received: float | None) -> None:
        try:
            message: Any = pyais.decode(*(sentence for _, sentence in parts))
        except (AISBaseException, ValueError, ArithmeticError, LookupError, TypeError) as error:
            # Bits that fit no message reach the library's own conversions, which raise anything.
            says = f"The message cannot be decoded ({type(error).__name__})."
            for line, _ in parts:
                self._drop(line, "ais.undecodable", says)
            return
        if message.mmsi is None or not _reaches(message.msg_type, parts):
            for line, _ in parts:
                self._drop(line, "ais.undecodable", "The message is too short for its type.")
            return
        self.decoded += len(parts)
        mark = self.clock.mark(received, getattr(message, "second", None), _full_time(message))
        kind = int(message.msg_type)
        sender = self._sender(int(message.mmsi), kind)
        name = _clean(getattr(message, "shipname", None) or getattr(message, "name", None))
        if name and kind in {5, 19, 21, 24}:
            sender.name = name
        if kind in POSITION_TYPES:
            fix = _fix(message, kind)
            if fix:
                sender.fixes.append((mark, fix))

    def _sender(self, mmsi: int, message_type: int) -> _Sender:
        if mmsi not in self.senders:
            self.senders[mmsi] = _Sender(_kind(mmsi, message_type))
        return self.senders[mmsi]

    def _drop(self, number: int, code: str, text: str) -> None:
        self.problems.append(Problem(number, code, text))


def read(data: bytes) -> Recording:
    """Read AIS sentences, with GPS sentences of the own ship between them when there are any.

    Every line that gives no message is explained. A message without a position (or with the
    values that mean "not available") is decoded all the same; it only adds no fix.
    """
    reader = _Reader()
    for number, line in enumerate(data.splitlines(), 1):
        reader.line(number, line)
    reader.finish()
    times = reader.clock.times()
    tracks = []
    for mmsi, sender in reader.senders.items():
        fixes: list[Fix] = []
        for mark, fix in sender.fixes:
            time, paced = times[mark]
            if paced and fixes:
                time = max(time, fixes[-1].time)  # a time made here never turns the order around
            fixes.append(fix._replace(time=time, paced=paced))
        if fixes:
            tracks.append(Track(f"{mmsi:09d}", sender.name, sender.kind, tuple(fixes)))
    own = nmea.read_lines(reader.own) if reader.own else None
    return Recording(
        "ais",
        tuple(tracks) + (own.tracks if own else ()),
        tuple(sorted([*reader.problems, *(own.problems if own else ())], key=_line)),
        records=reader.records + (own.records if own else 0),
        decoded=reader.decoded + (own.decoded if own else 0),
    )


def _reaches(kind: int, parts: list[tuple[int, bytes]]) -> bool:
    """Whether the message is long enough to hold the position of its type."""
    characters = sum(len(sentence.split(b",")[5]) for _, sentence in parts)
    return characters * 6 >= _BITS_TO_LATITUDE.get(kind, 0)


def _line(problem: Problem) -> int:
    return problem.line or 0


def _fix(message: Any, kind: int) -> Fix | None:
    """The position of a message, or None where it says "not available" (181 and 91 degrees)."""
    lon, lat = float(message.lon), float(message.lat)
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        return None
    speed = getattr(message, "speed", None)
    # "Not available" is 1023 raw: 102.3 knots, but 1023 knots for aircraft and 63 for type 27.
    unknown = {9: 1023.0, 27: 63.0}.get(kind, 102.3)
    metres = float(speed) * KNOT if speed is not None and float(speed) < unknown else None
    heading = next(
        (
            float(value)
            for value in (getattr(message, "course", None), getattr(message, "heading", None))
            if value is not None and 0.0 <= float(value) < 360.0
        ),
        None,
    )
    altitude = getattr(message, "alt", None)
    height = float(altitude) if altitude is not None and float(altitude) < 4095 else None
    return Fix(0.0, lon, lat, metres, heading, height)


def _kind(mmsi: int, message_type: int) -> str:
    """What sends under this number (ITU-R M.585-9: formation of maritime identities)."""
    digits = f"{mmsi:09d}"
    if digits.startswith(("970", "972", "974")):
        return "distress"
    if message_type == 21 or digits.startswith("99"):
        return "aid_to_navigation"
    if message_type == 9 or digits.startswith("111"):
        return "aircraft"
    if message_type in (4, 16, 17, 20, 22, 23) or digits.startswith("00"):
        return "base_station"
    return "vessel"


def _full_time(message: Any) -> float | None:
    """Date and time of a base station's report (types 4 and 11), in seconds UTC."""
    if message.msg_type not in (4, 11):
        return None
    try:
        moment = datetime(
            message.year,
            message.month,
            message.day,
            message.hour,
            message.minute,
            message.second,
            tzinfo=UTC,
        )
    except (ValueError, TypeError):
        return None  # year 0, hour 24 and so on mean "not available"
    time = moment.timestamp()
    return time if is_plausible(time) else None


def _received(before: bytes, after: bytes) -> float | None:
    """The receive time written around a sentence, in seconds UTC."""
    tagged = _TAG_TIME.search(before)
    if tagged:
        written = tagged.group(1).decode()
    else:
        around = before.rsplit(b"\\", 1)[-1].strip(b" ,;\t") or after.strip(b" ,;\t")
        written = around.split(b",")[0].decode("latin-1")
        if not any(char.isdigit() for char in written) or len(written) < 9:
            return None
    time = parse_time(written)
    return time if time is not None and is_plausible(time) else None


def _wrapper_time(line: bytes) -> float | None:
    """The time in a ``$PGHP,1,year,month,day,hour,minute,second,millisecond,…`` line."""
    try:
        year, month, day, hour, minute, second, milli = (int(f) for f in line.split(b",")[2:9])
        moment = datetime(year, month, day, hour, minute, second, milli * 1000, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    time = moment.timestamp()
    return time if is_plausible(time) else None


def _why_no_sentence(line: bytes) -> tuple[str, str]:
    if len(line) > MAX_LINE:
        return "ais.too_long", f"The line is longer than {MAX_LINE} bytes."
    if _AIS_START.search(line):
        return "ais.truncated", "The line breaks off before its checksum."
    return "ais.not_a_sentence", "The line is no AIS sentence."


def _six_bits(char: int) -> int:
    """The six bits a payload character stands for (IEC 61162-1, 8.2.3)."""
    code = char - 48
    return (code - 8 if code > 40 else code) & 0x3F


def _clean(name: str | None) -> str | None:
    """A name without the padding of AIS (blanks and ``@``), or None when nothing is left."""
    text = (name or "").split("@")[0].strip()
    return text if any(char.isalnum() for char in text) else None


def _listed(numbers: list[int]) -> str:
    return " and ".join(str(number) for number in numbers)
