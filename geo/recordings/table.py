"""Tables with a header line: comma, semicolon, tabulator or bar between the columns.

Needed are latitude and longitude; wanted is a time, in one column or as date and time. Columns are
known by many names (see ``COLUMNS``); a unit in the header counts, as in ``speed (km/h)``. Without
one, speed is metres per second, altitude metres.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from typing import Final

from geo.coordinates import is_position
from geo.recordings.model import (
    KNOT,
    Fix,
    Problem,
    Recording,
    RecordingError,
    Track,
    is_plausible,
    pace,
)
from geo.times import parse_time

COLUMNS: Final[dict[str, frozenset[str]]] = {
    "lat": frozenset({"lat", "latitude", "latitud", "y", "gpslatitude", "latdeg"}),
    "lon": frozenset(
        {"lon", "lng", "long", "longitude", "longitud", "x", "gpslongitude", "londeg"}
    ),
    "date": frozenset({"date", "day", "gpsdate", "utcdate", "fecha"}),
    "time": frozenset(
        {
            "time",
            "timestamp",
            "datetime",
            "when",
            "utc",
            "utctime",
            "gpstime",
            "timeutc",
            "timestamputc",
            "datetimeutc",
            "fixtime",
            "basedatetime",
            "recordedat",
            "devicetime",
            "epoch",
            "unixtime",
            "ts",
            "hora",
        }
    ),
    "unit": frozenset(
        {
            "unit",
            "unitid",
            "id",
            "callsign",
            "device",
            "deviceid",
            "vehicle",
            "vehicleid",
            "mmsi",
            "vessel",
            "imei",
            "radio",
            "radioid",
            "uid",
            "key",
            "unidad",
        }
    ),
    "name": frozenset({"name", "vesselname", "shipname", "label", "title", "nombre"}),
    "speed": frozenset({"speed", "sog", "velocity", "spd", "groundspeed", "velocidad"}),
    "heading": frozenset({"heading", "course", "cog", "bearing", "direction", "track", "hdg"}),
    "altitude": frozenset({"altitude", "alt", "ele", "elevation", "height", "altitud"}),
}
"""Header names in small letters, without a unit and without blanks and signs."""

SCALES: Final = {
    "kmh": 1 / 3.6,
    "kph": 1 / 3.6,
    "kmph": 1 / 3.6,
    "kn": KNOT,
    "kt": KNOT,
    "kts": KNOT,
    "knot": KNOT,
    "knots": KNOT,
    "mph": 0.44704,
    "ms": 1.0,
    "mps": 1.0,
    "m": 1.0,
    "metres": 1.0,
    "meters": 1.0,
    "ft": 0.3048,
    "feet": 0.3048,
}
"""Metres, or metres per second, in one of each unit."""

_DELIMITERS: Final = ",;\t|"
_WHOLE_WORD: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_FIELD: Final = 1000

_Column = tuple[int, float]  # where it is, and what its numbers are multiplied with


def header(data: bytes) -> dict[str, _Column] | None:
    """Which column is what, from the first line with words in it; None when it is no such table."""
    for line in _lines(data):
        if line.strip() and not line.startswith("#"):
            return _columns(next(csv.reader([line[:4096]], delimiter=_delimiter(line))))
    return None


def read(data: bytes) -> Recording:
    """Read a table; every row that gives no position, and every time that is none, is explained.

    Raises:
        RecordingError: ``table.no_header`` when no columns of latitude and longitude are named.
    """
    lines = [
        (number, line)
        for number, line in enumerate(_lines(data), 1)
        if line.strip() and not line.startswith("#")
    ]
    columns = header(data)
    if columns is None:
        raise RecordingError(
            "table.no_header",
            "The first line does not name columns of latitude and longitude.",
            "Add a first line such as: time,unit,lat,lon,speed,heading",
        )
    delimiter = _delimiter(lines[0][1])
    problems: list[Problem] = []
    units: dict[str, _Rows] = {}
    decoded = 0
    for number, line in lines[1:]:
        row = _row(line, delimiter)
        position = _position(row, columns, delimiter)
        if isinstance(position, str):
            code = "table.position_range" if "earth" in position else "table.no_position"
            problems.append(Problem(number, code, position))
            continue
        decoded += 1
        key = _text(row, columns, "unit") or _text(row, columns, "name") or "track"
        rows = units.setdefault(key, _Rows())
        rows.name = rows.name or _text(row, columns, "name")
        rows.times.append(_time(number, row, columns, problems))
        rows.fixes.append(Fix(0.0, *position, *_extras(row, columns, delimiter)))
    tracks = tuple(Track(key, rows.name, "track", rows.paced()) for key, rows in units.items())
    return Recording("table", tracks, tuple(problems), len(lines) - 1, decoded)


class _Rows:
    """The rows of one unit."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.times: list[float | None] = []
        self.fixes: list[Fix] = []

    def paced(self) -> tuple[Fix, ...]:
        pairs = zip(self.fixes, pace(self.times), strict=True)
        return tuple(fix._replace(time=time, paced=paced) for fix, (time, paced) in pairs)


def _lines(data: bytes) -> Iterator[str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")  # every byte is something there
    # Not splitlines(): it also breaks at characters that may stand in a name.
    return iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _row(line: str, delimiter: str) -> list[str]:
    try:
        return [
            field[:_LONGEST_FIELD].strip()
            for field in next(csv.reader([line], delimiter=delimiter))
        ]
    except (csv.Error, StopIteration):
        return []  # then it has no position, and is explained as such


def _columns(names: list[str]) -> dict[str, _Column] | None:
    found: dict[str, _Column] = {}
    for at, name in enumerate(names):
        words = [word for word in _WHOLE_WORD.split(_joined_units(name.lower())) if word]
        scale = 1.0
        if len(words) > 1 and words[-1] in SCALES:
            scale = SCALES[words.pop()]
        plain = "".join(words)
        for column, known in COLUMNS.items():
            if plain in known and column not in found:
                found[column] = (at, scale)
    return found if "lat" in found and "lon" in found else None


def _joined_units(name: str) -> str:
    """``speed (km/h)`` and ``speed_m/s`` with their units as one word."""
    return name.replace("km/h", "kmh").replace("m/s", "ms")


def _text(row: list[str], columns: dict[str, _Column], column: str) -> str | None:
    at, _ = columns.get(column, (len(row), 1.0))
    return (row[at] or None) if at < len(row) else None


def _number(
    row: list[str], columns: dict[str, _Column], column: str, delimiter: str
) -> float | None:
    text = _text(row, columns, column)
    if text is None:
        return None
    if delimiter != ",":
        text = text.replace(",", ".")  # the decimal comma of tables with semicolons
    try:
        value = float(text) * columns[column][1]
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _position(
    row: list[str], columns: dict[str, _Column], delimiter: str
) -> tuple[float, float] | str:
    """Longitude and latitude, or the sentence that says why there are none."""
    lon = _number(row, columns, "lon", delimiter)
    lat = _number(row, columns, "lat", delimiter)
    if lon is None or lat is None:
        return "The row has no latitude and longitude that are numbers."
    if not is_position(lon, lat):
        return f"The position ({lat:g}, {lon:g}) is not on the earth."
    return lon, lat


def _extras(
    row: list[str], columns: dict[str, _Column], delimiter: str
) -> tuple[float | None, float | None, float | None]:
    speed = _number(row, columns, "speed", delimiter)
    heading = _number(row, columns, "heading", delimiter)
    return (
        speed if speed is not None and speed >= 0 else None,
        heading % 360.0 if heading is not None and 0 <= heading <= 360 else None,
        _number(row, columns, "altitude", delimiter),
    )


def _time(
    number: int, row: list[str], columns: dict[str, _Column], problems: list[Problem]
) -> float | None:
    parts = [text for column in ("date", "time") if (text := _text(row, columns, column))]
    if not parts:
        if "time" in columns or "date" in columns:
            says = "The row has no time."
            problems.append(Problem(number, "table.no_time", says, dropped=False))
        return None
    # A time column that holds the whole moment needs no date, though there may be one.
    time = parse_time(" ".join(parts))
    if time is None:
        time = parse_time(parts[-1])
    if time is None:
        says = f"The time “{' '.join(parts)[:40]}” cannot be read."
        problems.append(Problem(number, "table.time_unreadable", says, dropped=False))
        return None
    if not is_plausible(time):
        says = f"The time {' '.join(parts)[:40]} cannot be that of a satellite fix (1990 to 2099)."
        problems.append(Problem(number, "table.time_implausible", says, dropped=False))
        return None
    return time
