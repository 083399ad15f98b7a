"""What an officer is told before somebody approves, and what each channel shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from composed import CITY, CONTENT, EXERCISE, NOW, TEXTS, with_text
from hypothesis import given
from hypothesis import strategies as st

from dispatch.alerting import cap, channels, life
from dispatch.alerting.areas import Drawn, Position, area
from dispatch.alerting.calling_off import called_off
from dispatch.alerting.cap import Finding, MessageType, Status, Weight
from dispatch.alerting.channels import MARKS, fit, shown
from dispatch.alerting.checking import findings
from dispatch.alerting.content import ENGLISH, KRIOL, LANGUAGES, SPANISH, Channel, Content, Text
from dispatch.alerting.issuing import NEMO, alert, identifier
from dispatch.alerting.life import Policy
from dispatch.alerting.standing import State, beliefs
from dispatch.alerting.templates import until

POLICY = Policy()


def found(content: Content, kind: MessageType = MessageType.ALERT) -> tuple[Finding, ...]:
    message = replace(life.draft(10, 1, content, 1), kind=kind)
    chain = ()
    if kind is not MessageType.ALERT:
        chain = (replace(life.draft(9, 1, CONTENT, 1), sent=NOW - timedelta(hours=1)),)
    told = findings(message, chain, NEMO, POLICY, NOW)
    assert all(each.text.endswith(".") and each.todo.endswith(".") for each in told)
    return told


def codes(content: Content, weight: Weight = Weight.ERROR) -> set[tuple[str, str]]:
    return {(each.path, each.code) for each in found(content) if each.weight is weight}


def test_one_that_is_right_has_no_errors() -> None:
    assert codes(CONTENT) == set()
    assert codes(EXERCISE) == set()
    assert codes(replace(EXERCISE, status=Status.TEST)) == set()


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"texts": TEXTS[:2]}, f"/text[{KRIOL}]", "warning.language_missing"),
        ({"texts": (*TEXTS, TEXTS[1])}, f"/text[{SPANISH}]", "warning.language_twice"),
        ({"area": None}, "/area", "warning.no_area"),
        ({"channels": frozenset()}, "/channels", "warning.no_channel"),
        ({"event": ""}, "/event", "warning.event_missing"),
        ({"categories": ()}, "/event", "warning.event_missing"),
        ({"status": Status.DRAFT}, "/status", "warning.status"),
        ({"status": Status.SYSTEM}, "/status", "warning.status"),
        ({"status": Status.EXERCISE}, "/note", "warning.exercise_unnamed"),
        ({"expires": None}, "/expires", "warning.no_end"),
        ({"expires": NOW}, "/expires", "warning.expired"),
        ({"expires": NOW + timedelta(minutes=4)}, "/expires", "warning.expired"),
        ({"expires": NOW + timedelta(days=8)}, "/expires", "warning.too_long_in_force"),
        ({"send_at": NOW + timedelta(hours=24)}, "/expires", "warning.expired"),
        ({"onset": NOW + timedelta(hours=25)}, "/onset", "warning.begins_late"),
        ({"web": "\x00"}, "/alert/info[1]/web", "cap.unwritable"),
    ],
)
def test_what_is_missing_or_wrong_is_told(changes: dict[str, Any], path: str, code: str) -> None:
    """DOM-WRN-17."""
    assert (path, code) in codes(replace(CONTENT, **changes))


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"headline": " "}, "headline", "warning.words_missing"),
        ({"event": ""}, "event", "warning.words_missing"),
        ({"instruction": ""}, "instruction", "warning.words_missing"),
        ({"headline": "Flood of the {river}"}, "headline", "warning.blank_left"),
        ({"short": "Go to ____ now"}, "short", "warning.blank_left"),
        ({"headline": "TEST: hurricane"}, "headline", "warning.looks_like_exercise"),
        ({"short": "¡Simulacro! Vaya"}, "short", "warning.looks_like_exercise"),
        ({"short": "x" * 1000}, "sms", "warning.too_long"),
        ({"short": "x" * 280}, "radio_text", "warning.too_long"),
        ({"short": "x" * 1400}, "cell", "warning.too_long"),
        ({"headline": "x" * 3000}, "push", "warning.too_long"),
        ({"instruction": "x" * 900}, "spoken", "warning.too_long"),
        ({"event": "a\ud800"}, None, "cap.unwritable"),
    ],
)
def test_each_language_is_looked_at(changes: dict[str, str], path: str | None, code: str) -> None:
    """DOM-WRN-17, DOM-WRN-18."""
    for language in LANGUAGES:
        told = codes(with_text(CONTENT, language, **changes))
        if path is None:
            assert code in {each for _, each in told}
        elif path == "spoken" and language not in channels.VOICED:
            assert not told, "DOM-WRN-42: nobody speaks it"
        else:
            assert (f"/text[{language}]/{path}", code) in told


def test_a_word_in_the_middle_does_not_make_it_an_exercise() -> None:
    assert codes(with_text(CONTENT, ENGLISH, headline="Hurricane warning; no test")) == set()
    assert codes(with_text(EXERCISE, ENGLISH, headline="Exercise hurricane")) == set()


def test_advice_is_told_and_passed_over() -> None:
    told = codes(with_text(CONTENT, ENGLISH, headline="x" * 161), Weight.ADVICE)
    assert (f"/text[{ENGLISH}]/headline", "warning.headline_long") in told
    assert ("/send_at", "warning.send_at_past") in codes(
        replace(CONTENT, send_at=NOW - timedelta(hours=1)), Weight.ADVICE
    )
    assert ("/severity", "warning.unknown") in codes(
        replace(CONTENT, severity=cap.Severity.UNKNOWN), Weight.ADVICE
    )
    long = with_text(CONTENT, ENGLISH, short="x" * 500)
    without = replace(long, channels=long.channels - {Channel.RADIO_TEXT})
    assert (f"/text[{ENGLISH}]/sms", "warning.sms_parts") in codes(without, Weight.ADVICE)
    assert codes(without) == set()


def test_what_was_changed_of_an_area_is_told() -> None:
    """DOM-WRN-16."""
    ring = tuple(Position(-88.2 + at / 1000, 17.5 + at % 2 / 100) for at in range(200))
    many = area("x", [Drawn((*ring, Position(-88.0, 17.4), Position(-88.2, 17.4)))])
    assert ("/area", "warning.area_changed") in codes(replace(CONTENT, area=many), Weight.ADVICE)
    assert codes(replace(CONTENT, area=many)) == set()


def test_letters_that_need_more_room_are_told_of_and_can_be_left_out() -> None:
    """DOM-WRN-20."""
    said = "Huracán cerca. Vaya a un refugio ahora y quédese ahí hasta que NEMO avise que pasó."
    spanish = with_text(CONTENT, SPANISH, short=said)
    assert (f"/text[{SPANISH}]/sms", "warning.sms_letters") in codes(spanish, Weight.ADVICE)
    plain = replace(spanish, plain_letters=True)
    assert not {code for _, code in codes(plain, Weight.ADVICE)} & {"warning.sms_letters"}
    text = plain.text(SPANISH)
    assert text is not None
    assert "ahi hasta" in shown(plain, text, Channel.SMS, "NEMO")
    assert "ahí hasta" in shown(plain, text, Channel.RADIO_TEXT, "NEMO")


def test_a_cancel_asks_nobody_to_shelter_again() -> None:
    """DOM-WRN-31: nor does it tell machines to."""
    cancel = called_off(replace(CONTENT, onset=NOW))
    assert (cancel.responses, cancel.urgency) == ((cap.Response.ALL_CLEAR,), cap.Urgency.PAST)
    assert cancel.onset is None and cancel.severity is CONTENT.severity


def test_a_cancel_of_a_headline_that_ends_as_a_sentence_has_one_full_stop() -> None:
    said = replace(CONTENT.texts[0], headline="Landfall is expected at 3 a.m.")
    (cancel,) = called_off(replace(CONTENT, texts=(said,))).texts
    assert cancel.short.startswith("Cancelled: Landfall is expected at 3 a.m. What")


def test_a_cancellation_may_be_without_an_end() -> None:
    cancel = called_off(replace(CONTENT, expires=None, note="The storm has turned away."))
    assert [each for each in found(cancel, MessageType.CANCEL) if each.weight is Weight.ERROR] == []


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
@pytest.mark.parametrize("channel", Channel)
def test_what_is_not_real_says_so_first_and_last_everywhere(
    status: Status, channel: Channel
) -> None:
    """DOM-WRN-5."""
    content = replace(EXERCISE, status=status)
    for text in content.texts:
        said = fit(content, text, channel, "NEMO").text
        brief = channel in (Channel.SMS, Channel.RADIO_TEXT, Channel.CELL)
        mark = channels.mark(status, text.language, brief)
        assert mark
        assert said.startswith(mark) and said.endswith(mark)
        assert channels.begins_as_no_warning(said)


@given(
    st.sampled_from(Channel),
    st.builds(Text, st.just(ENGLISH), st.text(), st.text(), st.text(), st.text(), st.text()),
)
def test_no_text_hides_that_it_is_an_exercise(channel: Channel, text: Text) -> None:
    """DOM-WRN-5."""
    said = shown(EXERCISE, text, channel, "NEMO")
    assert said.startswith("EXERCISE ")
    assert said.endswith("EXERCISE")


def test_what_each_channel_shows() -> None:
    english = CONTENT.text(ENGLISH)
    assert english is not None
    assert shown(CONTENT, english, Channel.SMS, "NEMO") == (
        "NEMO: Hurricane warning for Belize City. Go to a shelter now."
    )
    assert shown(CONTENT, english, Channel.SPOKEN, "NEMO") == (
        "NEMO. Hurricane warning for Belize City. Go to a shelter now."
    )
    assert shown(CONTENT, english, Channel.PAGE, "NEMO").count("\n\n") == 2
    without = replace(english, short="")
    assert shown(CONTENT, without, Channel.SMS, "NEMO") == shown(
        CONTENT, english, Channel.SMS, "NEMO"
    )
    parted = fit(CONTENT, english, Channel.SMS, "NEMO").short
    assert parted is not None and len(parted.parts) == 1


def test_the_alert_says_all_of_it() -> None:
    message = replace(life.draft(10, 3, CONTENT, 1), sent=NOW)
    said = alert(message, (message,), NEMO, NOW)
    assert cap.check(said) == ()
    assert said.identifier == identifier(message, NEMO) == "bz.nemo.3.10"
    assert [info.language for info in said.infos] == list(LANGUAGES)
    assert said.infos[0].areas == (CITY.cap(),)
    assert said.references == ()
    assert b"<sent>2026-09-01T06:00:00-06:00</sent>" in cap.build(said)


def test_an_exercise_says_so_to_receivers_that_we_do_not_know() -> None:
    """DOM-WRN-5."""
    said = alert(life.draft(10, 3, EXERCISE, 1), (), NEMO, NOW)
    assert said.status is Status.EXERCISE
    for info in said.infos:
        mark = MARKS[Status.EXERCISE][info.spoken]
        for words in (info.headline, info.description, info.instruction):
            assert words is not None and words.startswith(mark)
    # Also what others take for telephones and radios.
    short = alert(with_short(EXERCISE), (), NEMO, NOW)
    said_short = [each.value for info in short.infos for each in info.parameters]
    assert len(said_short) == len(LANGUAGES)
    for each, info in zip(said_short, short.infos, strict=True):
        assert each.startswith(MARKS[Status.EXERCISE][info.spoken])


def with_short(content: Content) -> life.Message:
    texts = tuple(replace(each, short="Go to a shelter.") for each in content.texts)
    return life.draft(10, 3, replace(content, texts=texts), 1)


def follows(content: Content, before: Content, kind: MessageType = MessageType.UPDATE) -> set[str]:
    chain = (replace(life.draft(9, 1, before, 1), sent=NOW - timedelta(hours=1)),)
    message = replace(life.draft(10, 1, content, 1), kind=kind)
    return {each.code for each in findings(message, chain, NEMO, POLICY, NOW)}


@pytest.mark.parametrize("kind", [MessageType.UPDATE, MessageType.CANCEL])
def test_who_was_warned_by_a_channel_is_to_hear_what_follows(kind: MessageType) -> None:
    """DOM-WRN-17."""
    fewer = replace(CONTENT, channels=CONTENT.channels - {Channel.SMS})
    assert "warning.channel_left" in follows(fewer, CONTENT, kind)
    assert "warning.channel_left" not in follows(CONTENT, fewer, kind)


def test_an_update_does_not_say_the_end_that_it_had() -> None:
    """DOM-WRN-17."""
    assert CONTENT.expires is not None
    old = with_text(CONTENT, ENGLISH, short=f"Stay until {until(CONTENT.expires, ENGLISH)}.")
    later = replace(old, expires=CONTENT.expires + timedelta(hours=3))
    assert "warning.old_end" in follows(later, old)
    assert "warning.old_end" not in follows(old, old)
    assert later.expires is not None
    said = with_text(later, ENGLISH, short=f"Stay until {until(later.expires, ENGLISH)}.")
    assert "warning.old_end" not in follows(said, old)


def test_an_update_says_what_is_new_in_every_language() -> None:
    """DOM-WRN-17."""
    new = with_text(CONTENT, ENGLISH, instruction="The bridge is closed. Go by Belmopan.")
    assert "warning.old_words" in follows(new, CONTENT)
    assert "warning.old_words" not in follows(new, CONTENT, MessageType.CANCEL)
    for language in (SPANISH, KRIOL):
        new = with_text(new, language, instruction="Belmopan.")
    assert "warning.old_words" not in follows(new, CONTENT)
    assert "warning.old_words" not in follows(CONTENT, CONTENT)


def test_every_earlier_message_is_named() -> None:
    """DOM-WRN-10: whoever has missed any of them believes the same."""
    first = replace(life.draft(10, 3, CONTENT, 1), sent=NOW)
    second = replace(
        life.draft(11, 3, CONTENT, 1), kind=MessageType.UPDATE, sent=NOW + timedelta(minutes=1)
    )
    third = replace(
        life.draft(12, 3, CONTENT, 1), kind=MessageType.CANCEL, sent=NOW + timedelta(minutes=2)
    )
    chain = (third, first, second)
    said = [
        alert(each, chain[1:] if each is third else (first,), NEMO, NOW)
        for each in (first, second, third)
    ]
    assert [len(each.references) for each in said] == [0, 1, 2]
    states = [each.state for each in beliefs([said[2], said[0]], NOW)]
    assert states == [State.CANCELLED]
