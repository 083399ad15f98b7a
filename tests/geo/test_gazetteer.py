"""Tables of places: the country's own, and those that an agency brings, good and broken."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geo import belize, gazetteer
from geo.gazetteer import MOST_COMPLAINTS, Entry, TableError, folded, read_csv

HEADS = "name,kind,lat,lon,other_names,road,mile,key\n"


def complaints(table: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(TableError) as caught:
        read_csv(table.encode() if isinstance(table, str) else table)
    assert all(each.text.endswith((".", "?")) for each in caught.value.complaints)
    return [(each.line, each.text) for each in caught.value.complaints]


def test_the_country_has_its_settlements_each_with_a_key() -> None:
    entries = gazetteer.country()
    assert len(entries) == len({each.key for each in entries}) == 138
    assert all(each.kind == "settlement" for each in entries)
    ignacio = next(each for each in entries if each.name == "San Ignacio")
    assert "Cayo Town" in ignacio.other_names
    assert (ignacio.population, ignacio.road, ignacio.mile) == (21_229, None, None)


def test_other_names_are_readable_and_name_nothing_else() -> None:
    names = {folded(place.name) for place in belize.places()}
    for place in belize.places():
        gazetteer.check_names(place.name, place.other_names)
        for other in place.other_names:
            assert folded(other) == folded(place.name) or folded(other) not in names


def test_a_table_of_marks_and_mile_markers() -> None:
    table = (
        "\ufeffName,Kind,Lat,Lon,Other_names,Road,Mile,Key\r\n"
        'Shell station,landmark,17.5,-88.2,"Shell|The Shell",,,\r\n'
        ",mile_marker,17.28,-88.55,,Western Highway,32,\r\n"
        "\r\n"
        "Mark 7,mark,17.9,-87.95,,,,m7\r\n"
    )
    assert read_csv(table.encode()) == [
        Entry("Shell station", "landmark", -88.2, 17.5, ("Shell", "The Shell"),
              key="landmark Shell station"),
        Entry("Mile 32 George Price Highway", "mile_marker", -88.55, 17.28, (), 0,
              "George Price Highway", 32.0, "George Price Highway 32"),
        Entry("Mark 7", "mark", -87.95, 17.9, key="m7"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        'name,position\nPier,"17.5, -88.2"\n',
        "name;position\nPier;17°30'N 88°12'W\n",
        "name;lat;lon\nPier;17,5;-88,2\n",
        'name,position,kind\n"Pier",16Q 372615 1935269,\n',
    ],
)
def test_positions_in_any_notation_and_semicolons(table: str) -> None:
    (entry,) = read_csv(table.encode())
    assert (entry.name, entry.kind) == ("Pier", "landmark")
    assert (entry.lon, entry.lat) == pytest.approx((-88.2, 17.5), abs=0.003)


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        ("Pier,pear,17.5,-88.2,,,,\n", 2, "The kind 'pear' is unknown"),
        ("Pier,pier,17.5,88.2,,,,\n", 2, "did you mean 17.50000°N 88.20000°W?"),
        ("Pier,pier,-88.2,17.5,,,,\n", 2, "did you mean"),
        ("Pier,pier,0,0,,,,\n", 2, "no position"),
        ("Pier,pier,north,-88.2,,,,\n", 2, "no position in a notation"),
        ("Pier,pier,,,,,,\n", 2, "no position in a notation"),
        ("Pier,pier,95,-88.2,,,,\n", 2, "Latitudes go from"),
        (",pier,17.5,-88.2,,,,\n", 2, "A name is empty"),
        ("!!,pier,17.5,-88.2,,,,\n", 2, "A name is empty"),
        (f"{'x' * 81},pier,17.5,-88.2,,,,\n", 2, "more than 80 characters"),
        ('"a\nb",pier,17.5,-88.2,,,,\n', 2, "or lines in it"),
        ("a\x00b,pier,17.5,-88.2,,,,\n", 2, "or lines in it"),
        (f"a,pier,17.5,-88.2,{'|'.join(map(str, range(41)))},,,\n", 2, "more than 40 other"),
        ("Pier,pier,17.5,-88.2,,Coastal Road,3,\n", 2, "Only a mile_marker"),
        ("x,mile_marker,17.5,-88.2,,Coastal Road,,\n", 2, "The mile is no number"),
        ("x,mile_marker,17.5,-88.2,,Coastal Road,nan,\n", 2, "The mile is no number"),
        ("x,mile_marker,17.5,-88.2,,Coastal Road,-1,\n", 2, "The mile is no number"),
        ("x,mile_marker,17.5,-88.2,,,3,\n", 2, "A name is empty"),
        ("a,pier,17.5,-88.2,,,,\na,pier,17.6,-88.2,,,,\n", 3, "the same place as line 2"),
        ("a,pier,17.5,-88.2\n", 2, "There are 4 cells, and 8 heads."),
        ("\n\n", 1, "no rows"),
        ('"a,pier,17.5,-88.2,,,,\n', 2, "It is no table"),
    ],
)
def test_a_bad_row_is_told_with_its_line(rows: str, line: int, says: str) -> None:
    ((at, text),) = complaints(HEADS + rows)
    assert (at, says in text) == (line, True), text


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "neither a position nor lat and lon"),
        ("name,kind\nPier,pier\n", "neither a position nor lat and lon"),
        ("name,lat,lon,colour\n", "'colour' is unknown"),
        ("name,lat,lon,lat\n", "stands there twice"),
        (b"name,lat,lon\nP\xe9r,17.5,-88.2\n", "no UTF-8"),
        (b"PK\x03\x04\x00\xff\xfe", "no UTF-8"),
    ],
)
def test_what_is_no_table_is_told(table: str | bytes, says: str) -> None:
    ((_, text),) = complaints(table)
    assert says in text


def test_all_bad_rows_are_told_up_to_a_number() -> None:
    with pytest.raises(TableError) as caught:
        read_csv((HEADS + "x,moon,17.5,-88.2,,,,\n" * 30).encode())
    assert [each.line for each in caught.value.complaints] == list(range(2, MOST_COMPLAINTS + 2))
    assert caught.value.more == 30 - MOST_COMPLAINTS


def test_what_is_far_away_is_taken_when_it_is_meant() -> None:
    (entry,) = read_csv(b"name,lat,lon\nMiami,25.76,-80.19\n", anywhere=True)
    assert (entry.lon, entry.lat) == (-80.19, 25.76)


_CELLS = st.sampled_from(
    ["", "Pier", "pier", "mile_marker", "17.5", "-88.2", "a|b", '"', "\n", "32", "👍", "=1+1", ","]
)


@given(st.binary(max_size=200) | st.lists(_CELLS, max_size=24).map(lambda c: ",".join(c).encode()))
def test_any_bytes_are_a_table_or_told_why_not(content: bytes) -> None:
    for whole in (content, HEADS.encode() + content):
        try:
            entries = read_csv(whole)
        except TableError as error:
            assert error.complaints and all(each.line >= 1 for each in error.complaints)
        else:
            assert entries


@given(st.text(max_size=60))
@example("\U0001d400")
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(f" {text}  ") == folded(text)
