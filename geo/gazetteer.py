"""Places with names: what a gazetteer has of each, and the tables they are loaded from. Pure."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, get_args

from geo import belize, notations

Kind = Literal[
    "settlement",
    "landmark",
    "caye",
    "pier",
    "junction",
    "bridge",
    "mark",
    "mile_marker",
]
"""What a place is. ``mark``: one of a row of marks along a road, track or shore, such as every
hundred metres; ``mile_marker``: the mile of a road."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

MOST_ROWS: Final = 100_000
MOST_NAME: Final = 80
MOST_NAMES: Final = 40
MOST_MILES: Final = 1_000.0
MOST_COMPLAINTS: Final = 20

GEONAMES: Final = "GeoNames"
"""The source of the country's settlements, under CC BY 4.0 (geo/data/README.md)."""
CAYES: Final = "cayes"
"""The source of the country's cayes (geo/data/README.md)."""

FORMER_ROADS: Final = {
    "northern highway": "Philip Goldson Highway",
    "western highway": "George Price Highway",
}
"""Highways that were renamed on 21 September 2012 (San Pedro Sun, "Two highways renamed on
Independence Day in honor of National Heroes"), and are called both."""

# What follows a name without changing which place is meant.
_GENERIC: Final = frozenset({"town", "village", "city", "community"})
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Entry(NamedTuple):
    """A place to be loaded.

    Attributes:
        name: as people say it.
        kind: what it is.
        lon: degrees, WGS 84.
        lat: degrees, WGS 84.
        other_names: under which it is found, too.
        population: people who live there; 0 when unknown.
        road: of a mile marker.
        mile: of a mile marker, statute miles from the road's beginning.
        key: what tells it from all others of its source, so that loading again changes it.
    """

    name: str
    kind: Kind
    lon: float
    lat: float
    other_names: tuple[str, ...] = ()
    population: int = 0
    road: str | None = None
    mile: float | None = None
    key: str = ""


class Complaint(NamedTuple):
    """A row that cannot be used: its line in the file, and why, as one sentence."""

    line: int
    text: str


class TableError(ValueError):
    """A table that cannot be loaded.

    Attributes:
        complaints: about its rows, the first :data:`MOST_COMPLAINTS` of them.
        more: how many others there are.
    """

    def __init__(self, complaints: list[Complaint], more: int = 0) -> None:
        super().__init__("; ".join(f"line {c.line}: {c.text}" for c in complaints))
        self.complaints = complaints
        self.more = more


def folded(text: str) -> str:
    """Letters and digits alone, small and without accents, between single blanks."""
    # Taken apart first: there are letters that are capital only once they are (a bold A).
    plain = unicodedata.normalize("NFKD", text).casefold().replace("'", "").replace("’", "")
    split = unicodedata.normalize("NFKD", plain)
    letters = "".join(c if c.isalnum() else " " for c in split if not unicodedata.combining(c))
    return " ".join(letters.split())


def essential(text: str) -> str:
    """A folded name without a last word that only says what kind of place it is."""
    words = folded(text).split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1] in _GENERIC else words)


_SOUNDS: Final = (
    (re.compile("qu|ck|c(?![eihy])"), "k"),
    (re.compile("[cz]"), "s"),
    (re.compile("ph"), "f"),
    (re.compile("h"), ""),
    (re.compile("y"), "i"),
    (re.compile("v"), "b"),
    (re.compile(r"([a-z])\1+"), r"\1"),
)


def sounded(text: str) -> str:
    """A folded name as it is heard, so that "kay kolker" is near "caye caulker".

    Letters that English, Spanish and Kriol write for the same sound become one.
    """
    for written, heard in _SOUNDS:
        text = written.sub(heard, text)
    return text


def road_named(name: str) -> str:
    """The name that a road has now."""
    return FORMER_ROADS.get(folded(name), name)


def country() -> list[Entry]:
    """The settlements of Belize, from the packaged extract of GeoNames."""
    return [
        Entry(p.name, "settlement", p.lon, p.lat, p.other_names, p.population, key=str(p.id))
        for p in belize.places()
    ]


def cayes() -> list[Entry]:
    """Cayes and the ends of atolls, which the settlements do not have."""
    return [
        Entry(each.name, "caye", each.lon, each.lat, each.other_names, key=each.name)
        for each in belize.cayes()
    ]


def district(lon: float, lat: float) -> str | None:
    """ISO 3166-2 code of the district of a point; None for the open sea and other countries."""
    found = belize.district_of(lon, lat)
    return None if found is None else found.code


COLUMNS: Final = (
    "name",
    "kind",
    "position",
    "lat",
    "lon",
    "other_names",
    "road",
    "mile",
    "key",
)
"""Columns of a table. ``position`` may be in any notation (:mod:`geo.notations`), or ``lat`` and
``lon`` are decimal degrees; ``other_names`` are parted by ``|``."""


def read_csv(content: bytes, anywhere: bool = False) -> list[Entry]:
    """Places of a table with a line of heads (RFC 4180, UTF-8; commas or semicolons).

    Args:
        content: the file.
        anywhere: also places that are hardly meant (far from Belize).

    Raises:
        TableError: when a row cannot be used; all such rows are told, and nothing is returned.
    """
    rows = _rows(content)
    entries, complaints, seen = [], [], dict[str, int]()
    for line, row in rows:
        try:
            entry = _entry(row, anywhere)
        except ValueError as error:
            complaints.append(Complaint(line, str(error)))
            continue
        if entry.key in seen:
            text = f"It is the same place as line {seen[entry.key]}: {entry.key}."
            complaints.append(Complaint(line, text))
        seen.setdefault(entry.key, line)
        entries.append(entry)
    if complaints:
        shown = complaints[:MOST_COMPLAINTS]
        raise TableError(shown, len(complaints) - len(shown))
    if not entries:
        raise TableError([Complaint(1, "There are no rows below the heads.")])
    return entries


def _rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError([Complaint(line, "This is no UTF-8 text.")]) from None
    head = text.partition("\n")[0]
    mark = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        heads = [name.strip().casefold() for name in next(reader, [])]
        _check_heads(heads)
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(heads):
                text = f"There are {len(cells)} cells, and {len(heads)} heads."
                raise TableError([Complaint(line, text)])
            if len(rows) == MOST_ROWS:
                text = f"There are more than {MOST_ROWS:,} rows."
                raise TableError([Complaint(line, text)])
            rows.append((line, dict(zip(heads, (c.strip() for c in cells), strict=True))))
    except csv.Error as error:
        raise TableError([Complaint(reader.line_num, f"It is no table: {error}.")]) from None
    return rows


def _check_heads(heads: list[str]) -> None:
    known = ", ".join(COLUMNS)
    for name in heads:
        if name not in COLUMNS:
            told = f"The head {name[:40]!r} is unknown; there are {known}."
            raise TableError([Complaint(1, told)])
    if len(set(heads)) != len(heads):
        raise TableError([Complaint(1, "A head stands there twice.")])
    if "position" not in heads and not {"lat", "lon"} <= set(heads):
        raise TableError([Complaint(1, "There is neither a position nor lat and lon.")])


def _entry(row: dict[str, str], anywhere: bool) -> Entry:
    """One row; raises ``ValueError`` with a sentence."""
    kind = row.get("kind", "") or "landmark"
    if kind not in KINDS:
        raise ValueError(f"The kind {kind[:40]!r} is unknown; there are {', '.join(KINDS)}.")
    lon, lat = _point(row, anywhere)
    road, mile = _road(row, kind)
    name = row.get("name", "")
    if not name and road is not None:
        name = mile_name(road, mile or 0.0)
    written = [each.strip() for each in row.get("other_names", "").split("|")]
    others = tuple(dict.fromkeys(filter(None, written)))
    check_names(name, others)
    key = row.get("key", "") or (f"{road} {mile:g}" if road else f"{kind} {name}")
    return Entry(name, kind, lon, lat, others, 0, road, mile, key)


def mile_name(road: str, mile: float) -> str:
    """What a mile marker is called when nobody has named it."""
    return f"Mile {mile:g} {road}"[:MOST_NAME]


def check_names(name: str, others: Iterable[str]) -> None:
    """Raise ``ValueError`` with a sentence for names that nobody could read."""
    others = tuple(others)
    if len(others) > MOST_NAMES:
        raise ValueError(f"There are more than {MOST_NAMES} other names.")
    for each in (name, *others):
        if not folded(each):
            raise ValueError("A name is empty, or has no letter in it.")
        if len(each) > MOST_NAME or _CONTROLS.search(each):
            raise ValueError(f"A name has more than {MOST_NAME} characters, or lines in it.")


def _point(row: dict[str, str], anywhere: bool) -> tuple[float, float]:
    written = row.get("position", "") or f"lat {row.get('lat', '')} lon {row.get('lon', '')}"
    try:
        found = notations.read(written)
    except notations.NotationError as error:
        raise ValueError(error.text) from None
    if not isinstance(found, notations.Position):
        raise ValueError("The position is measured from a name; give coordinates.")
    if found.doubt is not None and not anywhere:
        raise ValueError(found.doubt)
    return found.lon, found.lat


def _road(row: dict[str, str], kind: str) -> tuple[str | None, float | None]:
    road, written = row.get("road", ""), row.get("mile", "").replace(",", ".")
    if kind != "mile_marker":
        if road or written:
            raise ValueError("Only a mile_marker has a road and a mile.")
        return None, None
    try:
        mile = float(written)
    except ValueError:
        mile = math.nan
    if not 0 <= mile <= MOST_MILES:
        raise ValueError(f"The mile is no number from 0 to {MOST_MILES:g}.")
    check_names(road, ())
    return road_named(road), mile
