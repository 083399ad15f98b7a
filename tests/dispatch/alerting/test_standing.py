"""What receivers believe: the same messages give the same belief, in whatever order they come."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written import ALERT, INFO, SENT

from dispatch.alerting import cap, standing
from dispatch.alerting.cap import Alert, MessageType, Status
from dispatch.alerting.standing import State, beliefs, in_force

NOW = SENT + timedelta(hours=1)


def message(
    name: str,
    kind: MessageType = MessageType.ALERT,
    about: tuple[Alert, ...] = (),
    *,
    minutes: float = 0,
    sender: str = "nemo.org.bz",
    status: Status = Status.ACTUAL,
    hours: float | None = 24,
) -> Alert:
    sent = SENT + timedelta(minutes=minutes)
    expires = None if hours is None else sent + timedelta(hours=hours)
    return replace(
        ALERT,
        identifier=name,
        sender=sender,
        sent=sent,
        status=status,
        message_type=kind,
        references=tuple(each.reference for each in about),
        infos=(replace(INFO, expires=expires),),
    )


def states(*arrived: Alert, now: datetime = NOW) -> dict[str, State]:
    return {each.alert.identifier: each.state for each in beliefs(arrived, now)}


A = message("a")
UPDATE = message("b", MessageType.UPDATE, (A,), minutes=5)
CANCEL = message("c", MessageType.CANCEL, (A, UPDATE), minutes=10)


def test_an_alert_is_in_force_until_it_is_over() -> None:
    """DOM-WRN-11."""
    assert states(A) == {"a": State.IN_FORCE}
    assert states(A, now=SENT + timedelta(hours=24)) == {"a": State.EXPIRED}
    assert in_force([A], NOW) == (A,)


def test_one_that_does_not_say_until_when_holds_for_a_day() -> None:
    endless = message("a", hours=None)
    assert standing.life(endless) == SENT + timedelta(hours=24)
    assert states(replace(A, infos=()), now=SENT + timedelta(hours=25)) == {"a": State.EXPIRED}


@pytest.mark.parametrize("year", [1, 9999])
def test_a_feed_that_lies_about_time_does_no_harm(year: int) -> None:
    odd = replace(A, sent=datetime(year, 12 if year > 1 else 1, 31, 23, tzinfo=UTC), infos=())
    assert states(odd, A)["a"] in State
    assert beliefs([odd, CANCEL, UPDATE], NOW)
    assert standing.life(odd).year == odd.sent.year or year == 1


def test_it_is_over_when_the_last_of_its_infos_is() -> None:
    short = replace(INFO, expires=SENT + timedelta(minutes=1))
    both = replace(A, infos=(short, INFO))
    assert states(both) == {"a": State.IN_FORCE}
    assert standing.still_said(both, NOW) == (INFO,)


def test_an_update_takes_the_place_of_what_it_names() -> None:
    """DOM-WRN-11."""
    assert states(A, UPDATE) == {"a": State.REPLACED, "b": State.IN_FORCE}
    (replaced, _) = beliefs([A, UPDATE], NOW)
    assert replaced.by == UPDATE


def test_a_cancellation_ends_what_it_names() -> None:
    assert states(A, UPDATE, CANCEL) == {"a": State.CANCELLED, "b": State.CANCELLED}


def test_a_cancellation_that_comes_first_works_when_the_alert_comes() -> None:
    """DOM-WRN-12."""
    assert states(CANCEL) == {}
    assert states(CANCEL, A) == {"a": State.CANCELLED}


def test_an_update_whose_alert_never_came_is_in_force() -> None:
    assert states(UPDATE) == {"b": State.IN_FORCE}


def test_what_was_ended_does_not_come_back() -> None:
    """DOM-WRN-13."""
    gone = message("c", MessageType.CANCEL, (UPDATE,), minutes=10)
    assert states(A, UPDATE, gone) == {"a": State.REPLACED, "b": State.CANCELLED}
    undone = message("d", MessageType.CANCEL, (CANCEL,), minutes=20)
    assert states(A, UPDATE, CANCEL, undone) == {"a": State.CANCELLED, "b": State.CANCELLED}
    late = SENT + timedelta(hours=24, minutes=6)
    assert states(A, UPDATE, now=late) == {"a": State.REPLACED, "b": State.EXPIRED}


@pytest.mark.parametrize("kind", [MessageType.UPDATE, MessageType.CANCEL])
def test_a_stranger_has_no_say(kind: MessageType) -> None:
    """DOM-WRN-14."""
    stranger = message("x", kind, (A,), minutes=5, sender="elsewhere.example")
    assert states(A, stranger)["a"] is State.IN_FORCE


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST, Status.SYSTEM, Status.DRAFT])
@pytest.mark.parametrize("kind", [MessageType.UPDATE, MessageType.CANCEL])
def test_an_exercise_has_no_say_over_what_is_real(status: Status, kind: MessageType) -> None:
    """DOM-WRN-14."""
    assert states(A, message("x", kind, (A,), minutes=5, status=status))["a"] is State.IN_FORCE
    pretended = message("e", status=status)
    real = message("x", kind, (pretended,), minutes=5)
    assert states(pretended, real).get("e") in (State.IN_FORCE, None)


@pytest.mark.parametrize("status", [Status.SYSTEM, Status.DRAFT])
def test_what_is_for_machines_is_shown_to_nobody(status: Status) -> None:
    assert states(message("a", status=status)) == {}


@pytest.mark.parametrize("kind", [MessageType.ACK, MessageType.ERROR])
def test_receipts_change_nothing(kind: MessageType) -> None:
    assert states(A, message("x", kind, (A,), minutes=5)) == {"a": State.IN_FORCE}


def test_an_alert_that_names_earlier_ones_ends_none() -> None:
    again = message("b", MessageType.ALERT, (A,), minutes=5)
    assert states(A, again) == {"a": State.IN_FORCE, "b": State.IN_FORCE}


def test_messages_that_put_each_other_out_do_not() -> None:
    """A sender that lies about time, or a loop: no warning is lost by it."""
    one = message("a", MessageType.UPDATE, minutes=0)
    two = message("b", MessageType.UPDATE, (one,), minutes=0)
    one = replace(one, references=(two.reference,))
    assert states(one, two) == {"a": State.IN_FORCE, "b": State.IN_FORCE}
    early = message("c", MessageType.CANCEL, (A,), minutes=-5)
    assert states(A, early) == {"a": State.IN_FORCE}
    same = message("d", MessageType.CANCEL, (A,))
    assert states(A, same) == {"a": State.CANCELLED}


def test_a_reference_is_the_same_moment_in_any_zone() -> None:
    reference = A.reference._replace(sent=A.sent.astimezone(timezone(timedelta(hours=9))))
    cancel = replace(CANCEL, references=(reference,))
    assert states(A, cancel) == {"a": State.CANCELLED}
    other = replace(CANCEL, references=(A.reference._replace(sent=SENT + timedelta(seconds=1)),))
    assert states(A, other) == {"a": State.IN_FORCE}


def test_two_that_say_different_things_under_one_name_are_believed_alike_by_all() -> None:
    other = replace(A, note="something else")
    assert beliefs([A, other], NOW) == beliefs([other, A], NOW)
    assert len(beliefs([A, other], NOW)) == 1


kinds = st.sampled_from(MessageType)
statuses = st.sampled_from([Status.ACTUAL, Status.ACTUAL, Status.EXERCISE, Status.TEST])


@st.composite
def traffic(draw: st.DrawFn) -> list[Alert]:
    """Messages of two senders about each other, some of which lie about time."""
    sent: list[Alert] = []
    for at in range(draw(st.integers(1, 8))):
        about = tuple(draw(st.lists(st.sampled_from(sent), max_size=3))) if sent else ()
        sent.append(
            message(
                f"m{at}",
                draw(kinds),
                about,
                minutes=draw(st.integers(-2, 10)),
                sender=draw(st.sampled_from(["nemo.org.bz", "nms.gov.bz"])),
                status=draw(statuses),
                hours=draw(st.sampled_from([0.5, 24, None])),
            )
        )
    return sent


@given(traffic(), st.randoms(), st.data())
def test_any_order_and_any_repetition_give_the_same_belief(
    sent: list[Alert], chance: random.Random, data: st.DataObject
) -> None:
    """DOM-WRN-12."""
    again = sent + data.draw(st.lists(st.sampled_from(sent)))
    chance.shuffle(again)
    assert beliefs(again, NOW) == beliefs(sent, NOW)


@given(traffic(), st.integers(0, 8))
def test_what_is_ended_stays_ended_whatever_else_comes(sent: list[Alert], first: int) -> None:
    """DOM-WRN-13."""
    before = states(*sent[:first])
    after = states(*sent)
    for name, state in before.items():
        if state is State.CANCELLED:
            assert after[name] is State.CANCELLED
        if state is not State.IN_FORCE:
            assert after[name] is not State.IN_FORCE


@given(traffic())
def test_time_alone_only_ends_things(sent: list[Alert]) -> None:
    later = states(*sent, now=NOW + timedelta(days=3))
    for name, state in states(*sent).items():
        assert later[name] in (state, State.EXPIRED)
        assert later[name] is not State.IN_FORCE


@given(traffic())
def test_only_the_sender_ends_what_he_said(sent: list[Alert]) -> None:
    """DOM-WRN-14."""
    for each in beliefs(sent, NOW):
        if each.by is not None:
            assert each.by.sender == each.alert.sender
            assert each.by.status is each.alert.status
            assert each.by.sent >= each.alert.sent
            assert cap.Reference(*standing.key(each.alert)) in {
                cap.Reference(*standing.key(reference)) for reference in each.by.references
            }


def test_what_arrives_over_the_wire_is_believed_the_same() -> None:
    arrived = [cap.parse(cap.build(each)) for each in (CANCEL, A, UPDATE)]
    assert states(*arrived) == {"a": State.CANCELLED, "b": State.CANCELLED}
    assert arrived[1].sent.astimezone(UTC) == A.sent.astimezone(UTC)
