"""NMEA 0183: sentences joined to fixes, dates over midnight, damaged lines explained."""

from __future__ import annotations

import pytest

from geo.recordings import Fix, Recording, nmea

RMC = "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"
GGA = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"
DAY = 764_380_800.0  # 23 March 1994


def signed(body: str) -> str:
    return f"${body}*{nmea.checksum(body.encode()):02X}"


def read(*lines: str) -> Recording:
    return nmea.read("\r\n".join(lines).encode())


def fixes(*lines: str) -> tuple[Fix, ...]:
    (track,) = read(*lines).tracks
    return track.fixes


def test_published_examples_of_one_moment_become_one_fix() -> None:
    (fix,) = fixes(RMC, GGA)
    assert fix.time == DAY + 12 * 3600 + 35 * 60 + 19
    assert (fix.lon, fix.lat) == pytest.approx((11 + 31 / 60, 48 + 7.038 / 60))
    assert fix.speed == pytest.approx(22.4 * 1852 / 3600)
    assert (fix.heading, fix.altitude, fix.paced) == (84.4, 545.4, False)
    assert fixes(GGA, RMC) == (fix,)


def test_west_and_south_are_negative() -> None:
    (fix,) = fixes(signed("GNGLL,1730.000,S,08812.000,W,120000.00,A,A"))
    assert (fix.lon, fix.lat) == pytest.approx((-88.2, -17.5))


def test_gns_and_zda() -> None:
    (fix,) = fixes(
        signed("GNZDA,120000.00,01,06,2026,00,00"),
        signed("GNGNS,120000.00,1730.0,N,08812.0,W,AA,12,0.9,15.5,-10.0,,"),
    )
    assert (fix.time, fix.altitude, fix.paced) == (1_780_315_200.0, 15.5, False)


def gll(clock: str) -> str:
    return signed(f"GPGLL,1730.0,N,08812.0,W,{clock},A")


def test_a_date_reaches_back_and_over_midnight() -> None:
    rmc = signed("GPRMC,235958,A,1730.0,N,08812.0,W,0,0,010626,,")
    times = [fix.time for fix in fixes(gll("235957"), rmc, gll("235959"), gll("000000"))]
    midnight = 1_780_315_200.0 + 12 * 3600
    assert [time - midnight for time in times] == [-3, -2, -1, 0]


def test_without_any_date_times_are_paced_from_midnight_and_said_so() -> None:
    recording = read(gll("235959"), gll("000001"))
    assert recording.counts() == {"nmea.no_date": 1}
    assert [(fix.time, fix.paced) for fix in recording.tracks[0].fixes] == [
        (86_399.0, True),
        (86_401.0, True),
    ]


@pytest.mark.parametrize(
    "line",
    [
        signed("GPRMC,123520,V,,,,,,,230394,,"),
        signed("GPGGA,123520,,,,,0,00,99.9,,,,,,"),
        signed("GPGLL,,,,,123520,V"),
        signed("GNGNS,123520,,,,,NN,00,99.9,,,,"),
        signed("GPGSV,1,1,00"),
    ],
)
def test_a_receiver_without_a_fix_is_no_problem_and_gives_no_position(line: str) -> None:
    recording = read(RMC, line)
    assert recording.problems == ()
    assert recording.decoded == 2
    assert len(recording.tracks[0].fixes) == 1


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (RMC.replace("4807", "4808"), "nmea.checksum"),
        (RMC[:30], "nmea.truncated"),
        ("hello", "nmea.not_a_sentence"),
        (signed("GPGLL,xx,N,08812.0,W,1,A"), "nmea.time"),
        (signed("GPGLL,xx,N,08812.0,W,120000,A"), "nmea.no_position"),
        (signed("GPGLL,1730.0,Q,08812.0,W,120000,A"), "nmea.no_position"),
        (signed("GPGLL,1730.0,,08812.0,W,120000,A"), "nmea.no_position"),
        (signed("GPGLL,9130.0,N,08812.0,W,120000,A"), "nmea.position_range"),
        (signed("GPGLL,1761.0,N,08812.0,W,120000,A"), "nmea.position_range"),
        (signed("GPRMC,250000,A,1730.0,N,08812.0,W,0,0,010626,,"), "nmea.time"),
        (signed("GPRMC,120000,A,1730.0,N,08812.0,W,0,0,320626,,"), "nmea.date"),
        (signed("GPRMC,120000,A,1730.0,N,08812.0,W,0,0,010180,,"), "nmea.time_implausible"),
        (signed("GPZDA,120000,01,06,2101,,"), "nmea.time_implausible"),
    ],
)
def test_a_bad_line_is_explained_and_the_others_read(bad: str, code: str) -> None:
    recording = read(RMC, bad, GGA)
    assert [(p.line, p.code) for p in recording.problems] == [(2, code)]
    assert (recording.records, recording.decoded) == (3, 2)


def test_sentences_without_checksums_are_read_where_nobody_writes_them() -> None:
    assert (
        len(fixes("$GPGLL,1730.0,N,08812.0,W,120000,A", "$GPGLL,1730.0,N,08812.0,W,120001,A")) == 2
    )


def test_text_before_a_sentence_does_no_harm() -> None:
    (fix,) = fixes("2026-06-01 12:00:00 " + RMC)
    assert fix.time == DAY + 45_319
