"""Any recording: its format is recognised, and no bytes do more than raise the one error."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import recordings
from geo.coordinates import CoordinateError, bearing_deg, geodesic_m
from geo.recordings import Fix, Recording, RecordingError, Track, model

RMC = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\n"
VDM = b"!AIVDM,1,1,,A,13P;Tw0P00QFs:JDVJ<4;Ov605Ip,0*00\n"
TABLE = b"time;lat;lon\n2026-06-01 12:00;17,5;-88,2\n"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'<?xml version="1.0"?>\n<gpx version="1.1">', "gpx"),
        ('<?xml version="1.0" encoding="UTF-16"?><gpx >'.encode("utf-16"), "gpx"),
        (b'<x:gpx xmlns:x="http://www.topografix.com/GPX/1/1">', "gpx"),
        (VDM, "ais"),
        (b"\\s:2573535,c:1671533231*08\\!BSVDM,2,2,8,B,00000000000,2*36", "ais"),
        (RMC + VDM, "ais"),
        (RMC, "nmea"),
        (TABLE, "table"),
        (b"\xef\xbb\xbf# made by hand\nLatitude,Longitude\n", "table"),
    ],
)
def test_the_content_tells_the_format(data: bytes, found: str) -> None:
    assert recordings.sniff(data) == found


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.gpx", "recording.empty"),
        (b" \r\n\t", "", "recording.empty"),
        (b"hello", "", "recording.unknown_format"),
        (b"\x00\xff\xfe" * 100, "photo.jpg", "recording.unknown_format"),
        (b"hello", "walk.gpx", "recording.nothing_usable"),
        (b"hello", "walk.nmea", "recording.nothing_usable"),
        (b"<gpx></gpx>", "", "recording.nothing_usable"),
        (b"lat,lon\n", "", "recording.nothing_usable"),
        (b"hello", "walk.csv", "table.no_header"),
    ],
)
def test_a_file_that_gives_nothing_is_one_error_with_a_code(
    data: bytes, name: str, code: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        recordings.read(data, name)
    assert caught.value.code == code
    assert caught.value.text.endswith(".")
    assert caught.value.todo


def test_a_file_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "MAX_BYTES", 10)
    with pytest.raises(RecordingError) as caught:
        recordings.read(RMC)
    assert caught.value.code == "recording.too_large"


def check(recording: Recording) -> None:
    """What holds for every recording, however bad the file was."""
    dropped = sum(problem.dropped for problem in recording.problems)
    assert recording.decoded == recording.records - dropped
    assert len({track.key for track in recording.tracks}) == len(recording.tracks)
    for problem in recording.problems:
        assert problem.text.endswith(".")
        assert problem.code.partition(".")[2]
    for track in recording.tracks:
        assert track.fixes
        for fix in track.fixes:
            assert -180 <= fix.lon <= 180
            assert -90 <= fix.lat <= 90
            assert math.isfinite(fix.time)
            assert fix.paced or model.is_plausible(fix.time)
            assert fix.speed is None or fix.speed >= 0
            assert fix.heading is None or 0 <= fix.heading < 360
            assert fix.altitude is None or math.isfinite(fix.altitude)
    assert recording.summary()


pieces = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [RMC, VDM, TABLE, b"<gpx>", b"<trk>", b"<trkseg>", b"<trkpt lat='17' lon='-88'>",
             b"<time>2020-01-01T00:00:00Z</time>", b"</trkpt>", b"</trk>", b"<!DOCTYPE gpx [",
             b"<?xml version='1.0' encoding='EBCDIC'?>", b"$GPGGA,", b"!AIVDM,2,1,3,A,", b"*00",
             b"lat,lon,time\n", b"17,-88,1\n", b'"', b"\n", b",", b"\xff\xfe", b"1e999", b"nan"]
        ),
    ),
    max_size=12,
).map(b"".join)  # fmt: skip


@given(pieces)
@pytest.mark.parametrize("format_name", sorted(recordings.FORMATS))
def test_no_bytes_do_more_to_a_reader_than_raise_its_error(format_name: str, data: bytes) -> None:
    try:
        recording = recordings.FORMATS[format_name](data)
    except RecordingError as error:
        assert error.code.partition(".")[2]
    else:
        check(recording)


@given(st.one_of(st.binary(max_size=300), pieces), st.sampled_from(["", "a.gpx", "a.csv", "a.ais"]))
def test_no_file_does_more_than_raise_the_one_error(data: bytes, name: str) -> None:
    try:
        check(recordings.read(data, name))
    except RecordingError as error:
        assert error.text.endswith((".", "…"))


times = st.lists(st.one_of(st.none(), st.floats(7e8, 4e9)), max_size=30)


@given(times)
def test_pacing_keeps_known_times_and_the_order(given_times: list[float | None]) -> None:
    paced = model.pace(given_times)
    assert len(paced) == len(given_times)
    for known, (time, made) in zip(given_times, paced, strict=True):
        assert made == (known is None)
        assert known is None or time == known
    # Where the known times are in order, so are all of them.
    kept = [time for time in given_times if time is not None]
    if kept == sorted(kept):
        made_times = [time for time, _ in paced]
        assert all(a <= b + 1e-3 for a, b in pairwise(made_times))


@pytest.mark.parametrize(
    ("given_times", "expected"),
    [
        ([None, None, None], [0, 1, 2]),
        ([None, None, 1e9], [1e9 - 2, 1e9 - 1, 1e9]),
        ([1e9, None, None], [1e9, 1e9 + 1, 1e9 + 2]),
        ([1e9, None, 1e9 + 1], [1e9, 1e9 + 0.5, 1e9 + 1]),
        ([1e9, None, 1e9 + 60], [1e9, 1e9 + 1, 1e9 + 60]),
        ([1e9, None, 1e9 - 60], [1e9, 1e9, 1e9 - 60]),
    ],
)
def test_pacing_by_example(given_times: list[float | None], expected: list[float]) -> None:
    assert [time for time, _ in model.pace(given_times)] == expected


def walk() -> Recording:
    fixes = tuple(
        Fix(1e9 + n, 13.71 + n * 1e-3, 45.27 + n * 2e-3, 3.0, 20.0, 100.0) for n in range(20)
    )
    later = tuple(fix._replace(time=fix.time + 100) for fix in fixes)
    return Recording(
        "gpx", (Track("a", None, "track", later), Track("b", "B", "track", fixes)), (), 40, 40
    )


@pytest.mark.parametrize("anchor", ["first", "centre"])
def test_a_shifted_recording_keeps_its_shape_in_metres(anchor: str) -> None:
    before = walk()
    assert anchor in ("first", "centre")
    after = recordings.shift_to(before, 17.5, -88.2, "first" if anchor == "first" else "centre")
    old, new = before.tracks[1].fixes, after.tracks[1].fixes
    for k in range(1, 20):
        was = geodesic_m(old[0].lon, old[0].lat, old[k].lon, old[k].lat)
        now = geodesic_m(new[0].lon, new[0].lat, new[k].lon, new[k].lat)
        assert now == pytest.approx(was, rel=1e-3)
    was = bearing_deg(old[0].lon, old[0].lat, old[-1].lon, old[-1].lat)
    assert bearing_deg(new[0].lon, new[0].lat, new[-1].lon, new[-1].lat) == pytest.approx(
        was, abs=1
    )
    assert new[3]._replace(lon=0, lat=0) == old[3]._replace(lon=0, lat=0)
    if anchor == "first":
        assert (new[0].lon, new[0].lat) == pytest.approx((-88.2, 17.5), abs=1e-9)
    else:
        middle = ((new[0].lon + new[-1].lon) / 2, (new[0].lat + new[-1].lat) / 2)
        assert middle == pytest.approx((-88.2, 17.5), abs=1e-3)


def test_a_recording_across_the_antimeridian_has_its_centre_there() -> None:
    fixes = (Fix(1e9, 179.9, 0.0), Fix(1e9 + 1, -179.9, 0.0))
    moved = recordings.shift_to(
        Recording("gpx", (Track("a", None, "track", fixes),), (), 2, 2), 0.0, 10.0, "centre"
    )
    assert [fix.lon for fix in moved.tracks[0].fixes] == pytest.approx([9.9, 10.1])


def test_a_place_off_the_earth_is_refused() -> None:
    with pytest.raises(CoordinateError):
        recordings.shift_to(walk(), 91.0, 0.0)
    with pytest.raises(CoordinateError):
        recordings.shift_to(walk(), math.nan, 0.0)


def test_an_empty_recording_stays_empty() -> None:
    empty = Recording("ais", (), (), 1, 1)
    assert recordings.shift_to(empty, 17.0, -88.0) == empty
    assert recordings.retimed(empty, 5.0) == empty


def test_a_retimed_recording_starts_when_asked_and_runs_as_fast() -> None:
    played = recordings.retimed(walk(), 1_700_000_000.0, 10.0)
    times = [fix.time for _, fix in played.ordered()]
    assert times == sorted(times)
    assert times[0] == 1_700_000_000.0
    assert times[-1] == pytest.approx(1_700_000_000.0 + 11.9)
    at_once = recordings.retimed(walk(), 7.0, math.inf)
    assert {fix.time for _, fix in at_once.ordered()} == {7.0}


@pytest.mark.parametrize(("start", "speed"), [(math.nan, 1.0), (0.0, 0.0), (0.0, math.nan)])
def test_a_replay_without_sense_is_refused(start: float, speed: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        recordings.retimed(walk(), start, speed)
