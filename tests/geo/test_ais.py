"""AIS: real sentences, messages in parts, times rebuilt, and every bad line explained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyais
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import recorded

from geo.recordings import Recording, ais, nmea

# A static report in two parts, as published widely as an example of type 5.
EVER_DIADEM = [
    "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C",
    "!AIVDM,2,2,1,A,88888888880,2*25",
]


def said(message_type: int, mmsi: int = 312_000_001, **values: Any) -> list[str]:
    """The sentences of one message, made by pyais."""
    return pyais.encode_dict({"type": message_type, "mmsi": mmsi, **values}, talker_id="AI")


def report(second: int, mmsi: int = 312_000_001, lon: float = -88.1, **values: Any) -> str:
    return said(1, mmsi, lon=lon, lat=17.5, second=second, **values)[0]


def read(*lines: str) -> Recording:
    return ais.read("\r\n".join(lines).encode())


def test_a_position_report_in_metres_per_second_and_degrees() -> None:
    recording = read(report(9, speed=10.0, course=123.4, heading=120))
    (track,) = recording.tracks
    assert (track.key, track.name, track.kind) == ("312000001", None, "vessel")
    (fix,) = track.fixes
    assert (fix.lon, fix.lat) == pytest.approx((-88.1, 17.5), abs=1e-6)
    assert fix.speed == pytest.approx(5.144, abs=1e-3)
    assert fix.heading == pytest.approx(123.4)
    assert (fix.time, fix.paced) == (9.0, True)


def test_values_that_mean_not_available_are_none() -> None:
    (fix,) = read(report(9, speed=102.3, course=360.0, heading=511)).tracks[0].fixes
    assert (fix.speed, fix.heading) == (None, None)
    (fix,) = read(report(9, speed=102.3, course=360.0, heading=77)).tracks[0].fixes
    assert fix.heading == 77
    nowhere = read(said(1, lon=181.0, lat=91.0)[0])
    assert nowhere.tracks == ()
    assert (nowhere.records, nowhere.decoded, nowhere.problems) == (1, 1, ())


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 9, 11, 18, 19, 21, 27])
def test_every_type_of_position(kind: int) -> None:
    recording = read(*said(kind, lon=-88.1, lat=17.5))
    assert recording.problems == ()
    fix = recording.tracks[0].fixes[0]
    assert (fix.lon, fix.lat) == pytest.approx((-88.1, 17.5), abs=2e-3)  # type 27 is coarse


@pytest.mark.parametrize(
    ("mmsi", "kind", "expected"),
    [
        (312_000_001, 1, "vessel"),
        (970_012_345, 1, "distress"),
        (993_120_001, 21, "aid_to_navigation"),
        (111_312_001, 9, "aircraft"),
        (3_120_001, 4, "base_station"),
    ],
)
def test_the_number_and_the_message_tell_what_sends(mmsi: int, kind: int, expected: str) -> None:
    assert read(*said(kind, mmsi, lon=-88.1, lat=17.5)).tracks[0].kind == expected


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (5, {"shipname": "BELIZE EXPRESS"}),
        (19, {"shipname": "BELIZE EXPRESS", "lon": -88.1, "lat": 17.5}),
        (21, {"name": "BELIZE EXPRESS", "lon": -88.1, "lat": 17.5}),
        (24, {"partno": 0, "shipname": "BELIZE EXPRESS"}),
    ],
)
def test_names_come_from_static_reports_whenever_they_come(
    kind: int, values: dict[str, Any]
) -> None:
    lines = [report(1), *said(kind, **values), report(2)]
    (track,) = read(*lines).tracks
    assert track.name == "BELIZE EXPRESS"


def test_a_message_in_two_parts() -> None:
    position = report(1, 351_759_000)
    recording = read(position, *EVER_DIADEM)
    assert recording.tracks[0].name == "EVER DIADEM"
    assert (recording.records, recording.decoded, recording.problems) == (3, 3, ())
    swapped = read(EVER_DIADEM[1], report(1), EVER_DIADEM[0], position)
    assert [track.name for track in swapped.tracks] == [None, "EVER DIADEM"]


def test_the_name_survives_when_the_second_part_is_lost() -> None:
    recording = read(EVER_DIADEM[0], report(1, 351_759_000))
    assert recording.tracks[0].name == "EVER DIADEM"
    (problem,) = recording.problems
    assert (problem.line, problem.code) == (1, "ais.part_missing")
    assert problem.text.startswith("Part 2 of 2 never arrived")
    assert (recording.records, recording.decoded) == (2, 1)


def test_the_time_before_the_first_part_is_that_of_the_whole_message() -> None:
    payload = said(19, lon=-88.1, lat=17.5)[0].split(",")[5]
    bodies = [f"AIVDM,2,1,5,A,{payload[:30]},0", f"AIVDM,2,2,5,A,{payload[30:]},0"]
    first, second = (f"!{body}*{nmea.checksum(body.encode()):02X}" for body in bodies)
    (track,) = read("\\c:1671533231*5F\\" + first, second).tracks
    assert (track.fixes[0].time, track.fixes[0].paced) == (1_671_533_231.0, False)


def test_a_second_part_alone_is_explained() -> None:
    recording = read(EVER_DIADEM[1], report(1))
    assert [(p.line, p.text) for p in recording.problems] == [(1, "Part 1 of 2 never arrived.")]


def test_parts_far_apart_belong_to_different_messages() -> None:
    filler = [report(n % 60) for n in range(ais.MAX_PART_AGE + 2)]
    recording = read(EVER_DIADEM[0], *filler, EVER_DIADEM[1])
    assert recording.counts() == {"ais.part_missing": 2}


def test_a_reused_sequence_number_starts_a_new_message() -> None:
    recording = read(EVER_DIADEM[0], *EVER_DIADEM, report(1, 351_759_000))
    assert recording.counts() == {"ais.part_missing": 1}
    assert recording.decoded == 3


GOOD = report(1)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("!AIVDM,1,1,,B,,0*25", "ais.empty"),
        (GOOD[:20] + ("X" if GOOD[20] != "X" else "Y") + GOOD[21:], "ais.checksum"),
        (GOOD[:-3], "ais.truncated"),
        (GOOD[:15], "ais.truncated"),
        ("hello", "ais.not_a_sentence"),
        ("\x00\x7f", "ais.not_a_sentence"),
        ("!AIABK,1,2*00", "ais.not_a_sentence"),
        ("x" * 2000, "ais.too_long"),
        ("!AIVDM,1,1,,B,0,0*" + f"{nmea.checksum(b'AIVDM,1,1,,B,0,0'):02X}", "ais.undecodable"),
        ("!AIVDM,x,1,,B,0,0*" + f"{nmea.checksum(b'AIVDM,x,1,,B,0,0'):02X}", "ais.malformed"),
        ("!AIVDM,2,3,,B,0,0*" + f"{nmea.checksum(b'AIVDM,2,3,,B,0,0'):02X}", "ais.malformed"),
    ],
)
def test_a_bad_line_is_explained_and_the_next_one_read(bad: str, code: str) -> None:
    recording = read(bad, GOOD)
    assert [(p.line, p.code) for p in recording.problems] == [(1, code)]
    assert (recording.records, recording.decoded) == (2, 1)


def test_comments_and_empty_lines_are_no_records() -> None:
    recording = read("# from the station at Fort George", "", "   ", GOOD)
    assert (recording.records, recording.problems) == (1, ())


@pytest.mark.parametrize(
    "line",
    [
        "\\s:2573535,c:1671533231*08\\" + GOOD,
        "\\c:1671533231*5F\\" + GOOD,
        "\\c:1671533231000*5F\\" + GOOD,
        GOOD + ",1671533231",
        GOOD + ",r003669945,1671533231".replace("r003669945,", ""),
        "2022-12-20T10:47:11Z " + GOOD,
        "1671533231;" + GOOD,
        "$PGHP,1,2022,12,20,10,47,11,0,219,219,2190047,1,6D*00\n" + GOOD,
    ],
)
def test_times_of_receipt_in_many_notations(line: str) -> None:
    (fix,) = read(*line.split("\n")).tracks[0].fixes
    assert (fix.time, fix.paced) == (1_671_533_231.0, False)


def test_a_time_of_receipt_that_cannot_be_is_not_used() -> None:
    (fix,) = read("\\c:100000000*5F\\" + GOOD).tracks[0].fixes
    assert fix.paced


def times(lines: Iterable[str]) -> list[float]:
    return [fix.time for _, fix in read(*lines).ordered()]


def test_seconds_of_the_minute_unroll_over_the_minute() -> None:
    seconds = [55, 57, 56, 58, 59, 59, 0, 1, 0, 2, 30, 32, 55, 1]
    lines = [report(s, 312_000_001 + at) for at, s in enumerate(seconds)]
    assert times(lines) == sorted([55, 57, 56, 58, 59, 59, 60, 61, 60, 62, 90, 92, 115, 121])


def test_one_ship_with_a_wrong_clock_does_not_turn_the_others() -> None:
    lines = []
    for second in range(0, 120, 2):
        lines += [report(second % 60, 312_000_001), report(second % 60, 312_000_002)]
        lines += [report((second + 25) % 60, 312_000_003)]
    tracks = read(*lines).tracks
    for track in tracks[:2]:
        assert [fix.time for fix in track.fixes] == list(range(0, 120, 2))
    wrong = [fix.time for fix in tracks[2].fixes]
    assert wrong == sorted(wrong)
    assert max(wrong[:-1]) <= 118  # nothing follows the last one that could speak against it


def test_base_stations_give_the_date() -> None:
    base = said(4, 3_120_001, lon=-88.2, lat=17.5, year=2026, month=6, day=1, hour=12, minute=0,
                second=12)  # fmt: skip
    recording = read(report(8), report(10), *base, report(13))
    start = 1_780_315_200.0
    assert [fix.time - start for _, fix in recording.ordered()] == [8, 10, 12, 13]
    assert all(fix.paced for _, fix in recording.ordered())


def test_without_any_time_messages_follow_each_other_evenly() -> None:
    assert times(report(60, 312_000_001 + n) for n in range(5)) == pytest.approx(
        [0.0, 0.1, 0.2, 0.3, 0.4]
    )


def test_gps_sentences_of_the_own_ship_become_a_track_of_their_own() -> None:
    rmc = "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"
    recording = read(rmc, GOOD)
    assert [track.key for track in recording.tracks] == ["312000001", "gps"]
    assert (recording.records, recording.decoded) == (2, 2)


@settings(max_examples=300)
@given(st.text("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw", max_size=80))
def test_no_payload_with_a_good_checksum_does_harm(payload: str) -> None:
    body = f"AIVDM,1,1,,A,{payload},0"
    recording = read(f"!{body}*{nmea.checksum(body.encode()):02X}", GOOD)
    assert recording.records == 2
    assert recording.decoded == 2 - len(recording.problems)


def test_the_real_recording_of_898_lines() -> None:
    recording = ais.read(recorded("ais/nmea_data_sample.txt"))
    assert (recording.records, recording.decoded) == (898, 778)
    assert recording.counts() == {"ais.empty": 100, "ais.part_missing": 20}
    assert all(problem.line and problem.dropped for problem in recording.problems)
    assert len(recording.tracks) == 164
    names = {track.key: track.name for track in recording.tracks if track.name}
    assert len(names) == 14
    assert names["237247600"] == "F/D ATHINA"
    ordered = [fix.time for _, fix in recording.ordered()]
    # Base stations say 21 June 2015, 09:30:40 to 09:31:40; the whole is some 100 seconds long.
    assert ordered[0] == 1_434_879_008.0
    assert 95 <= ordered[-1] - ordered[0] <= 105
