"""Tables: many headers, many notations of time, and rows that are explained."""

from __future__ import annotations

import pytest

from geo.recordings import Recording, RecordingError, table
from geo.times import parse_time

NOON = 1_780_315_200.0  # 1 June 2026, 12:00 UTC


def read(text: str) -> Recording:
    return table.read(text.encode())


def test_units_are_tracks_with_names_speed_heading_and_height() -> None:
    recording = read(
        "time,unit,name,lat,lon,speed,heading,altitude\n"
        "2026-06-01T12:00:00Z,BPD-7,Car 7,17.5,-88.2,12.5,359.5,3\n"
        "2026-06-01T12:00:01Z,BCG-1,,17.6,-88.1,,,\n"
        "2026-06-01T12:00:02Z,BPD-7,,17.5,-88.2,-1,361,\n"
    )
    car, boat = recording.tracks
    assert (car.key, car.name, car.kind) == ("BPD-7", "Car 7", "track")
    assert car.fixes[0] == (NOON, -88.2, 17.5, 12.5, 359.5, 3.0, False)
    assert car.fixes[1] == (NOON + 2, -88.2, 17.5, None, None, None, False)
    assert (boat.key, boat.name) == ("BCG-1", None)
    assert (recording.records, recording.decoded, recording.problems) == (3, 3, ())


@pytest.mark.parametrize(
    ("header", "speed"),
    [
        ("speed (km/h)", 10.0),
        ("Speed_kmh", 10.0),
        ("SOG (knots)", 36 * 1852 / 3600),
        ("speed mph", 36 * 0.44704),
        ("Speed [m/s]", 36.0),
        ("speed", 36.0),
    ],
)
def test_the_header_tells_the_unit_of_speed(header: str, speed: float) -> None:
    (track,) = read(f"lat,lon,{header}\n17,-88,36\n").tracks
    assert track.fixes[0].speed == pytest.approx(speed)


@pytest.mark.parametrize(
    "text",
    [
        "LATITUDE\tLONGITUDE\n17.5\t-88.2\n",
        "Latitud;Longitud\r\n17,5;-88,2\r\n",
        "# a remark\n\ny|x\n17.5|-88.2\n",
        '"GPS Latitude","GPS Longitude"\n"17.5","-88.2"\n',
        "\ufefflat,lng\n17.5,-88.2",
        "lat,lon\r17.5,-88.2\r",
    ],
)
def test_headers_and_signs_between_columns(text: str) -> None:
    (track,) = read(text).tracks
    assert (track.fixes[0].lon, track.fixes[0].lat) == (-88.2, 17.5)
    utf16 = table.read(text.removeprefix("\ufeff").encode("utf-16"))
    assert utf16.tracks == (track,)


def test_a_name_in_latin_1_is_read() -> None:
    recording = table.read("lat,lon,name\n17,-88,Ñu\n".encode("latin-1"))
    assert recording.tracks[0].name == "Ñu"


def test_date_and_time_in_two_columns() -> None:
    (track,) = read("date,time,lat,lon\n01/06/2026,12:00:00,17,-88\n").tracks
    assert track.fixes[0].time == NOON


@pytest.mark.parametrize(
    ("row", "code", "dropped"),
    [
        ("2026-06-01,17", "table.no_position", True),
        ("2026-06-01,north,-88", "table.no_position", True),
        ("2026-06-01,nan,-88", "table.no_position", True),
        ("2026-06-01,1e999,-88", "table.no_position", True),
        ("2026-06-01,91,-88", "table.position_range", True),
        ("soon,17,-88", "table.time_unreadable", False),
        (",17,-88", "table.no_time", False),
        ("1901-12-13,17,-88", "table.time_implausible", False),
        ("2101-12-13,17,-88", "table.time_implausible", False),
    ],
)
def test_a_bad_row_is_explained(row: str, code: str, dropped: bool) -> None:
    recording = read(f"time,lat,lon\n2026-06-01,17,-88\n{row}\n2026-06-02,17,-88\n")
    assert [(p.line, p.code, p.dropped) for p in recording.problems] == [(3, code, dropped)]
    assert len(recording.tracks[0].fixes) == (2 if dropped else 3)


def test_without_times_rows_are_a_second_apart() -> None:
    (track,) = read("lat,lon\n17,-88\n17,-88\n").tracks
    assert [(fix.time, fix.paced) for fix in track.fixes] == [(0.0, True), (1.0, True)]


@pytest.mark.parametrize("text", ["", "\n", "lat,time\n1,2\n", "17.5,-88.2\n", "\x00\x01"])
def test_a_table_without_the_two_columns_is_refused(text: str) -> None:
    with pytest.raises(RecordingError) as caught:
        read(text)
    assert caught.value.code == "table.no_header"


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T12:00:00Z",
        "2026-06-01T12:00:00.0000000Z",
        "2026-06-01 12:00:00",
        "2026-06-01 12:00:00 UTC",
        "2026-06-01T06:00:00-06:00",
        "2026/06/01 12:00:00",
        "2026/6/1 12:00:00",
        "20260601T120000Z",
        "01/06/2026 12:00",
        "1.6.2026 12:00:00",
        "01-06-2026T12:00:00Z",
        "1780315200",
        "1780315200.0",
        "1780315200000",
        "1780315200000000",
        "1780315200000000000",
        ' "2026-06-01T12:00:00Z" ',
    ],
)
def test_notations_of_one_moment(text: str) -> None:
    assert parse_time(text) == NOON


@pytest.mark.parametrize(
    "text",
    ["", "noon", "32/01/2026", "01/13/2026", "2026-02-30", "12:00", "\u0661", "9" * 400, "1e5"],
)
def test_what_is_no_time(text: str) -> None:
    assert parse_time(text) is None


def test_eight_digits_are_a_date() -> None:
    assert parse_time("20260601") == NOON - 12 * 3600
