"""GPX: what recorders write, what they should not, and what attackers would."""

from __future__ import annotations

import gpxpy
import pytest
from recorded import recorded

from geo.recordings import RecordingError, gpx


def document(*points: str, inside: str = "trkseg") -> bytes:
    track = "\n".join(points)
    return f'<gpx version="1.1"><trk><name>Car 7</name><{inside}>\n{track}\n'.encode() + (
        f"</{inside}></trk></gpx>".encode()
    )


def point(lat: object = 17.5, lon: object = -88.2, time: str = "2026-06-01T12:00:00Z") -> str:
    return f'<trkpt lat="{lat}" lon="{lon}"><ele>12.5</ele><time>{time}</time></trkpt>'


def test_a_point_has_position_time_height_and_what_gpx_1_0_adds() -> None:
    more = point().replace("</trkpt>", "<course>90</course><speed>4.5</speed></trkpt>")
    recording = gpx.read(document(more))
    (track,) = recording.tracks
    assert (track.key, track.name, track.kind) == ("gpx-1", "Car 7", "track")
    assert track.fixes[0] == (1_780_315_200.0, -88.2, 17.5, 4.5, 90.0, 12.5, False)
    assert recording.problems == ()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (point(lat="north"), "gpx.no_position"),
        (point(lat="nan"), "gpx.no_position"),
        ("<trkpt/>", "gpx.no_position"),
        (point(lat=91), "gpx.position_range"),
        (point(lon=-188.2), "gpx.position_range"),
    ],
)
def test_a_point_without_position_is_left_out_and_its_line_named(bad: str, code: str) -> None:
    recording = gpx.read(document(point(), bad, point()))
    assert [(p.line, p.code, p.dropped) for p in recording.problems] == [(3, code, True)]
    assert (recording.records, recording.decoded) == (3, 2)


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ("1901-12-13T20:45:52.2073437Z", "gpx.time_implausible"),
        ("2101-01-01T00:00:00Z", "gpx.time_implausible"),
        ("yesterday", "gpx.time_unreadable"),
        ("", "gpx.no_time"),
    ],
)
def test_a_point_with_a_bad_time_is_kept_and_paced(time: str, code: str) -> None:
    recording = gpx.read(document(point(), point(time=time)))
    assert [(p.line, p.code, p.dropped) for p in recording.problems] == [(3, code, False)]
    first, second = recording.tracks[0].fixes
    assert (second.time, second.paced) == (first.time + 1, True)


def test_a_file_that_breaks_off_gives_what_came_before() -> None:
    whole = document(point(), point(), point())
    recording = gpx.read(whole[: whole.rindex(b"<trkpt") + 20])
    assert recording.decoded == 2
    assert recording.problems[-1].code == "gpx.broken"
    assert recording.problems[-1].line == 4


def test_tracks_that_follow_each_other_are_one_unit_and_parallel_ones_are_two() -> None:
    def two(first: str, second: str) -> bytes:
        tracks = [
            f"<trk><name>{n}</name><trkseg>{point(time=f'2026-06-01T{h}:00:00Z')}"
            f"{point(time=f'2026-06-01T{h}:30:00Z')}</trkseg></trk>"
            for n, h in (("a", first), ("b", second))
        ]
        return f"<gpx>{''.join(tracks)}</gpx>".encode()

    (joined,) = gpx.read(two("14", "12")).tracks
    assert [fix.time for fix in joined.fixes] == sorted(fix.time for fix in joined.fixes)
    assert len(joined.fixes) == 4
    assert joined.name == "b"
    assert [track.name for track in gpx.read(two("12", "12")).tracks] == ["a", "b"]
    one_unknown = two("12", "14").replace(b"<time>2026-06-01T14:30:00Z</time>", b"")
    assert [len(track.fixes) for track in gpx.read(one_unknown).tracks] == [4]
    without = two("12", "14").replace(b"<time>2026-06-01T14", b"<time>1901-06-01T14")
    assert [track.name for track in gpx.read(without).tracks] == ["a", "b"]


def test_routes_count_only_without_tracks_and_waypoints_only_without_both() -> None:
    waypoint = '<wpt lat="17" lon="-88"><name>Jetty</name></wpt>'
    route = '<rte><name>Plan</name><rtept lat="17" lon="-88"/></rte>'
    both = gpx.read(f"<gpx>{waypoint}{route}</gpx>".encode())
    assert [(track.kind, track.name) for track in both.tracks] == [("route", "Plan")]
    only = gpx.read(f"<gpx>{waypoint}</gpx>".encode())
    assert [track.kind for track in only.tracks] == ["waypoints"]
    with_track = document(point()).replace(b"<trk>", (waypoint + route).encode() + b"<trk>")
    assert [track.kind for track in gpx.read(with_track).tracks] == ["track"]


@pytest.mark.parametrize(
    "attack",
    [
        b'<!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>',
        b'<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>',
        b'<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx>&x;</gpx>',
    ],
)
def test_document_types_and_with_them_entities_are_refused(attack: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        gpx.read(attack)
    assert caught.value.code == "gpx.doctype"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><gpx><trk><name>Ñandú</name><trkseg>'
    recording = gpx.read(f"{text}{point()}</trkseg></trk></gpx>".encode(encoding))
    assert recording.tracks[0].name == "Ñandú"


def test_an_unknown_encoding_is_explained() -> None:
    recording = gpx.read(b"<?xml version='1.0' encoding='klingon'?><gpx/>")
    assert [problem.code for problem in recording.problems] in (["gpx.encoding"], ["gpx.broken"])


@pytest.mark.parametrize(
    ("name", "fixes"),
    [("around-visnjan-with-car.gpx", 104), ("cerknicko-jezero.gpx", 296)],
)
def test_real_recordings_agree_with_another_reader(name: str, fixes: int) -> None:
    data = recorded(f"gpx/{name}")
    recording = gpx.read(data)
    assert recording.problems == ()
    (track,) = recording.tracks
    assert len(track.fixes) == fixes
    theirs = sorted(
        (p.time.timestamp(), p.longitude, p.latitude, p.elevation)
        for t in gpxpy.parse(data.decode()).tracks
        for segment in t.segments
        for p in segment.points
        if p.time
    )
    ours = sorted((fix.time, fix.lon, fix.lat, fix.altitude or 0.0) for fix in track.fixes)
    assert ours == theirs


def test_the_hike_of_1901_is_explained_and_can_be_replayed_in_order() -> None:
    recording = gpx.read(recorded("gpx/Mojstrovka.gpx"))
    assert recording.counts() == {"gpx.time_implausible": 184}
    assert (recording.records, recording.decoded) == (184, 184)
    (track,) = recording.tracks
    assert [fix.time for fix in track.fixes] == [float(n) for n in range(184)]
    assert all(fix.paced for fix in track.fixes)
