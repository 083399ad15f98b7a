"""What is written says the same when it is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written import ALERT, INFO, alerts

from dispatch.alerting import cap
from dispatch.alerting.cap import Weight


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(alerts())
def test_building_and_reading_is_identity(alert: cap.Alert) -> None:
    """DOM-WRN-23."""
    data = cap.build(alert)
    reading = cap.read(data)
    assert reading.errors == ()
    assert reading.alert == alert
    assert cap.build(reading.alert) == data


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 20_000))
def test_numbers_keep_every_digit_and_have_no_exponent(lat: float, lon: float, km: float) -> None:
    circle = cap.Circle(cap.Point(lat, lon), km)
    area = cap.Area("x", circles=(circle,))
    data = cap.build(replace(ALERT, infos=(replace(INFO, areas=(area,)),)))
    written = data[data.index(b"<circle>") : data.index(b"</circle>")].removeprefix(b"<circle>")
    assert b"e" not in written.lower()
    assert cap.parse(data).infos[0].areas[0].circles == (circle,)


def test_utc_is_written_as_the_standard_has_it() -> None:
    data = cap.build(replace(ALERT, sent=datetime(2026, 6, 1, 18, tzinfo=UTC)))
    assert b"<sent>2026-06-01T18:00:00-00:00</sent>" in data


@pytest.mark.parametrize(
    "sent",
    [
        datetime(2026, 6, 1),
        datetime(2026, 6, 1, microsecond=1, tzinfo=UTC),
        datetime(2026, 6, 1, tzinfo=timezone(timedelta(seconds=90))),
    ],
)
def test_a_time_that_cap_cannot_say_is_refused(sent: datetime) -> None:
    with pytest.raises(cap.CapRefused) as refusal:
        cap.build(replace(ALERT, sent=sent))
    assert refusal.value.findings[0].path == "/alert/sent"
    assert refusal.value.code == "cap.unwritable"


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\ud800", "\uffff"])
def test_a_character_that_xml_does_not_have_is_refused_with_its_place(text: str) -> None:
    alert = replace(ALERT, infos=(INFO, replace(INFO, language="es-BZ", headline=text)))
    assert [(each.path, each.code) for each in cap.check(alert)] == [
        ("/alert/info[2]/headline", "cap.unwritable")
    ]


@pytest.mark.parametrize("word", ['a"b', ""])
def test_a_name_that_a_list_cannot_hold_is_refused(word: str) -> None:
    with pytest.raises(cap.CapRefused):
        cap.build(replace(ALERT, incidents=(word,)))


def test_an_alert_is_checked_before_it_is_a_document() -> None:
    assert cap.check(ALERT) == ()
    wrong = replace(ALERT, identifier="a b", message_type=cap.MessageType.CANCEL)
    assert [each.code for each in cap.check(wrong)] == [
        "cap.restricted_character",
        "cap.references_missing",
    ]
    assert all(each.weight is Weight.ERROR for each in cap.check(wrong))


def test_characters_of_xml_are_text() -> None:
    info = replace(INFO, headline="<b>&amp; ]]> \r\n\t 'x' \"y\" ñ 🌀")
    assert cap.parse(cap.build(replace(ALERT, infos=(info,)))).infos == (info,)
