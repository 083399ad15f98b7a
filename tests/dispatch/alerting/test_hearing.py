"""What is believed of alerts of others, whatever they say and in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given
from written import ALERT, INFO, SENT, alerts

from dispatch.alerting import cap, hearing
from dispatch.alerting.cap import Alert, MessageType, Status, Verdict, Verified
from dispatch.alerting.feeds import FeedRefused
from dispatch.alerting.hearing import Advice, Heard
from dispatch.alerting.standing import State

NOW = SENT + timedelta(hours=1)
A = ALERT
UPDATE = replace(
    ALERT,
    identifier="u",
    sent=SENT + timedelta(minutes=5),
    message_type=MessageType.UPDATE,
    references=(A.reference,),
)
CANCEL = replace(
    ALERT,
    identifier="c",
    sent=SENT + timedelta(minutes=10),
    message_type=MessageType.CANCEL,
    references=(A.reference, UPDATE.reference),
)


def heard(alert: Alert, verdict: Verdict = Verdict.NONE, feed: str = "met", id: int = 1) -> Heard:
    return Heard(id, feed, verdict, "", alert, SENT)


def states(*messages: Heard, now: datetime = NOW) -> dict[str, State]:
    return {each.heard.alert.identifier: each.state for each in hearing.advice(messages, now)}


def taken(alert: Alert, now: datetime = NOW) -> Alert | None:
    return hearing.taken(Verified(Verdict.NONE, cap.Reading(None, alert, ())), now)


def test_the_order_in_which_messages_come_does_not_count() -> None:
    """DOM-WRN-12, DOM-WRN-61: also a Cancel that comes before its alert."""
    for order in permutations((A, UPDATE, CANCEL)):
        assert states(*map(heard, order)) == {
            A.identifier: State.CANCELLED,
            "u": State.CANCELLED,
        }
    assert states(heard(CANCEL)) == {}
    assert states(heard(A), heard(UPDATE)) == {A.identifier: State.REPLACED, "u": State.IN_FORCE}
    ended = hearing.advice([heard(A), heard(CANCEL)], NOW)[0]
    assert ended.by == CANCEL


def test_nobody_calls_off_what_another_has_said() -> None:
    """DOM-WRN-62: another feed does not, nor one without the signature that the alert has."""
    assert states(heard(A), heard(CANCEL, feed="evil")) == {A.identifier: State.IN_FORCE}
    good = heard(A, Verdict.GOOD)
    for forged in (Verdict.NONE, Verdict.UNKNOWN, Verdict.OUT_OF_DATE):
        assert states(good, heard(CANCEL, forged)) == {A.identifier: State.IN_FORCE}
    assert states(good, heard(CANCEL, Verdict.GOOD)) == {A.identifier: State.CANCELLED}
    assert states(heard(A), heard(CANCEL, Verdict.GOOD)) == {A.identifier: State.CANCELLED}


def test_what_several_feeds_have_is_shown_once_by_the_best_of_them() -> None:
    """DOM-WRN-61."""
    both = (heard(A, feed="a", id=1), heard(A, Verdict.GOOD, feed="b", id=2))
    (one,) = hearing.advice(both, NOW)
    assert one.heard.id == 2
    over = (heard(A, feed="a"), heard(A, feed="b"), heard(CANCEL, feed="b"))
    assert states(*over) == {A.identifier: State.CANCELLED}


def test_what_is_in_force_stands_first() -> None:
    old = replace(A, identifier="old", sent=SENT - timedelta(hours=9))
    found = hearing.advice([heard(A), heard(UPDATE), heard(old)], NOW)
    assert [each.heard.alert.identifier for each in found] == ["u", "old", A.identifier]


def test_time_is_ours() -> None:
    """DOM-WRN-63."""
    with pytest.raises(FeedRefused) as caught:
        taken(replace(A, sent=NOW + timedelta(minutes=11)))
    assert caught.value.code == "feed.ahead"
    assert taken(replace(A, sent=NOW + timedelta(minutes=9))) is not None
    over = replace(A, infos=(replace(INFO, expires=NOW),))
    assert taken(over) is None
    assert taken(replace(CANCEL, infos=())) is not None
    assert taken(CANCEL, NOW + timedelta(days=32)) is None
    ages = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-6)))
    endless = replace(A, infos=(replace(INFO, expires=ages),))
    (long,) = hearing.advice([heard(endless)], NOW)
    assert long.ends == SENT + hearing.KEPT
    assert hearing.advice([heard(endless)], SENT + hearing.KEPT) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.SYSTEM},
        {"status": Status.DRAFT},
        {"message_type": MessageType.ACK},
        {"message_type": MessageType.ERROR},
    ],
)
def test_what_is_for_machines_is_passed_over(change: dict[str, object]) -> None:
    assert taken(replace(A, **change)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("alert", [None, replace(A, sender=" "), replace(A, identifier="i" * 251)])
def test_what_is_no_alert_is_refused(alert: Alert | None) -> None:
    with pytest.raises(FeedRefused) as caught:
        hearing.taken(Verified(Verdict.NONE, cap.Reading(None, alert, ())), NOW)
    assert caught.value.code == "feed.no_alert" and caught.value.text.endswith(".")


@given(alerts())
def test_any_alert_is_taken_or_refused_and_stands_somehow(alert: Alert) -> None:
    try:
        found = taken(alert)
    except FeedRefused:
        return
    if found is not None:
        for each in hearing.advice([heard(found), heard(A)], NOW):
            assert isinstance(each, Advice) and each.ends <= SENT.astimezone(UTC) + hearing.KEPT
