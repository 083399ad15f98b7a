"""A warning at the desk: two people, words that were read, sent once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from composed import CONTENT, EXERCISE, NOW, with_text

from dispatch.alerting import life
from dispatch.alerting.cap import Finding, MessageType, Status, Weight
from dispatch.alerting.content import ENGLISH
from dispatch.alerting.life import Message, Policy, Stage
from dispatch.domain.refusals import DispatchRefused

POLICY = Policy()
OFFICER, APPROVER, OTHER = 1, 2, 3
TYPED = "actual hurricane warning"


def refused(code: str, function: object, *given: object) -> DispatchRefused:
    assert callable(function)
    with pytest.raises(DispatchRefused) as caught:
        function(*given)
    assert caught.value.code == code, caught.value
    assert caught.value.text.endswith(".") and caught.value.todo.endswith(".")
    return caught.value


def drafted(**changes: Any) -> Message:
    return life.draft(10, 1, replace(CONTENT, **changes), OFFICER)


def checked(**changes: Any) -> Message:
    return life.check(drafted(**changes), ())


def approved(message: Message | None = None) -> Message:
    message = message or checked()
    seen = message.content.digest
    return life.approve(message, APPROVER, NOW, life.phrase(message), seen, POLICY)


def sent() -> Message:
    return life.send(approved(), (), OFFICER, NOW, POLICY)


def test_from_draft_to_sent() -> None:
    """DOM-WRN-1."""
    message = drafted()
    assert message.stage is Stage.DRAFT
    message = life.check(message, ())
    assert message.stage is Stage.CHECKED
    message = approved(message)
    assert message.stage is Stage.APPROVED
    message = life.send(message, (), OFFICER, NOW.replace(microsecond=123), POLICY)
    assert message.stage is Stage.SENT
    assert (message.sent, message.sent_by) == (NOW, OFFICER)


def test_errors_keep_it_from_being_checked_and_advice_does_not() -> None:
    """DOM-WRN-2."""
    advice = Finding("/x", "warning.sms_parts", "So.", "Do.", Weight.ADVICE)
    error = Finding("/x", "warning.no_end", "No end.", "Choose one.")
    assert life.check(drafted(), [advice]).stage is Stage.CHECKED
    told = refused("warning.no_end", life.check, drafted(), [advice, error, error])
    assert "2 such" in told.text


@pytest.mark.parametrize("message", [drafted(), checked()])
def test_what_is_not_approved_is_not_sent(message: Message) -> None:
    """DOM-WRN-1."""
    refused("not_now", life.send, message, (), OFFICER, NOW, POLICY)


def test_who_wrote_any_of_it_does_not_approve_it() -> None:
    """DOM-WRN-3."""
    message = checked()
    seen = message.content.digest
    refused("own_words", life.approve, message, OFFICER, NOW, TYPED, seen, POLICY)
    changed = with_text(message.content, ENGLISH, headline="Hurricane warning for the coast")
    message = life.check(life.write(message, changed, APPROVER, seen), ())
    seen = message.content.digest
    refused("own_words", life.approve, message, OFFICER, NOW, TYPED, seen, POLICY)
    refused("own_words", life.approve, message, APPROVER, NOW, TYPED, seen, POLICY)
    assert life.approve(message, OTHER, NOW, TYPED, seen, POLICY).stage is Stage.APPROVED


def test_an_agency_may_let_one_person_approve_tests() -> None:
    """DOM-WRN-3."""
    for status, alone in ((Status.TEST, True), (Status.EXERCISE, False)):
        message = life.check(life.draft(1, 1, replace(EXERCISE, status=status), OFFICER), ())
        given = (message, OFFICER, NOW, "", message.content.digest, POLICY)
        if alone:
            assert life.approve(*given).stage is Stage.APPROVED
        else:
            refused("own_words", life.approve, *given)
    everything = Policy(two_people=frozenset(Status))
    message = life.check(life.draft(1, 1, replace(EXERCISE, status=Status.TEST), OFFICER), ())
    seen = message.content.digest
    refused("own_words", life.approve, message, OFFICER, NOW, "", seen, everything)


def test_one_person_alone_says_why_and_it_stands_there() -> None:
    """DOM-WRN-4."""
    message = checked()
    seen = message.content.digest
    why = "  Nobody else\n answers, generator only "
    for bad in ("", "x", "          ", "a" * 9):
        refused("bad_value", life.approve_alone, message, OFFICER, NOW, TYPED, seen, bad)
    refused("phrase", life.approve_alone, message, OFFICER, NOW, "", seen, why)
    refused("not_now", life.approve_alone, message, OTHER, NOW, TYPED, seen, why)
    alone = life.approve_alone(message, OFFICER, NOW, TYPED, seen, why)
    assert alone.approval is not None
    assert alone.approval.alone == "Nobody else answers, generator only"
    assert life.send(alone, (), OFFICER, NOW, POLICY).approval == alone.approval
    by_two = approved().approval
    assert by_two is not None and by_two.alone is None


@pytest.mark.parametrize(
    "typed",
    ["Actual hurricane warning", "  ACTUAL   HURRICANE-WARNING. ", "áctual hurricane warning"],
)
def test_the_words_that_say_that_it_is_real_are_typed(typed: str) -> None:
    """DOM-WRN-5."""
    message = checked()
    seen = message.content.digest
    assert life.phrase(message) == TYPED
    assert life.approve(message, APPROVER, NOW, typed, seen, POLICY).stage is Stage.APPROVED


@pytest.mark.parametrize(
    "typed",
    ["", "yes", "hurricane warning", "actual", "actual hurricane", "exercise hurricane warning"],
)
def test_other_words_do_not_make_it_real(typed: str) -> None:
    """DOM-WRN-5."""
    message = checked()
    told = refused(
        "phrase", life.approve, message, APPROVER, NOW, typed, message.content.digest, POLICY
    )
    assert TYPED in told.todo


def test_what_is_not_real_needs_no_words_and_takes_any() -> None:
    message = life.check(life.draft(1, 1, EXERCISE, OFFICER), ())
    assert life.phrase(message) == ""
    assert approved(message).stage is Stage.APPROVED


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SYSTEM])
def test_drafts_and_system_messages_go_to_nobody(status: Status) -> None:
    """DOM-WRN-5."""
    message = checked(status=status)
    told = refused(
        "not_now", life.approve, message, APPROVER, NOW, "", message.content.digest, POLICY
    )
    assert status in told.text


def test_a_change_takes_the_check_and_the_approval_back() -> None:
    """DOM-WRN-2."""
    message = approved()
    seen = message.content.digest
    assert life.write(message, message.content, OTHER, seen) is message
    message = life.write(message, replace(message.content, web="https://nemo.org.bz"), OTHER, seen)
    assert (message.stage, message.checked, message.approval) == (Stage.DRAFT, None, None)
    assert message.authors == {OFFICER, OTHER}
    refused("not_now", life.send, message, (), OFFICER, NOW, POLICY)


def test_nobody_approves_words_that_he_has_not_read() -> None:
    """DOM-WRN-2."""
    message = checked()
    old = message.content.digest
    changed = life.check(life.write(message, replace(CONTENT, web="https://x.bz"), OTHER, old), ())
    refused("changed_meanwhile", life.approve, changed, APPROVER, NOW, TYPED, old, POLICY)


def test_two_who_write_at_once_are_told() -> None:
    message = drafted()
    seen = message.content.digest
    message = life.write(message, replace(CONTENT, web="https://a.bz"), OFFICER, seen)
    refused(
        "changed_meanwhile", life.write, message, replace(CONTENT, web="https://b.bz"), OTHER, seen
    )


def test_every_part_of_the_content_is_in_the_digest() -> None:
    """DOM-WRN-2."""
    other = {
        "status": Status.TEST,
        "event": "x",
        "categories": (),
        "urgency": "Past",
        "severity": "Minor",
        "certainty": "Unlikely",
        "responses": (),
        "texts": CONTENT.texts[:2],
        "area": None,
        "channels": frozenset(),
        "onset": NOW,
        "expires": NOW,
        "send_at": NOW,
        "note": "x",
        "web": "x",
        "plain_letters": True,
    }
    assert set(other) == set(CONTENT.__dataclass_fields__)
    digests = {replace(CONTENT, **{name: value}).digest for name, value in other.items()}
    assert len(digests | {CONTENT.digest}) == len(other) + 1
    assert replace(CONTENT, web="").digest == CONTENT.digest


def test_it_is_sent_once() -> None:
    """DOM-WRN-6: a double click, another window, the clock."""
    message = sent()
    for by in (OFFICER, APPROVER, None):
        told = refused("already_sent", life.send, message, (message,), by, NOW, POLICY)
        assert "at 06:00:00," in told.text, "by the clock of Belize"


def test_what_was_sent_is_not_changed() -> None:
    """DOM-WRN-7."""
    message = sent()
    refused("not_now", life.write, message, EXERCISE, OFFICER, message.content.digest)
    refused("not_now", life.drop, message)
    refused("not_now", life.take_back, message)
    refused("not_now", life.check, message, ())


def test_what_was_dropped_stays_so() -> None:
    message = life.drop(approved())
    assert message.stage is Stage.DROPPED
    refused("not_now", life.write, message, EXERCISE, OFFICER, message.content.digest)
    refused("not_now", life.send, message, (), OFFICER, NOW, POLICY)


def test_an_approval_can_be_taken_back() -> None:
    message = life.take_back(approved())
    assert (message.stage, message.approval) == (Stage.DRAFT, None)
    assert life.check(approved(), ()).stage is Stage.APPROVED  # looking again changes nothing


def test_one_that_would_be_over_is_not_sent() -> None:
    """DOM-WRN-8."""
    message = approved(checked(expires=NOW + timedelta(hours=2)))
    late = NOW + timedelta(hours=1, minutes=56)
    refused("expired", life.send, message, (), OFFICER, late, POLICY)
    in_time = NOW + timedelta(hours=1, minutes=54)
    assert life.send(message, (), OFFICER, in_time, POLICY).stage is Stage.SENT


def test_an_approval_does_not_hold_for_ever() -> None:
    """DOM-WRN-8."""
    message = approved()
    refused("not_now", life.send, message, (), OFFICER, NOW + timedelta(hours=6, seconds=1), POLICY)
    assert life.send(message, (), OFFICER, NOW + timedelta(hours=6), POLICY).stage is Stage.SENT


def test_one_for_later_is_sent_by_the_clock_at_its_time() -> None:
    """DOM-WRN-9."""
    at = NOW + timedelta(hours=10)
    message = approved(checked(send_at=at))
    assert not life.due(message, at - timedelta(seconds=1))
    assert life.due(message, at)
    refused("not_now", life.send, message, (), None, at - timedelta(seconds=1), POLICY)
    out = life.send(message, (), None, at, POLICY)
    assert (out.sent, out.sent_by) == (at, None)
    assert life.due(approved(), NOW)
    assert not life.due(checked(), NOW)
    assert not life.due(out, at)
    # A server that was down at the time sends it when it is back, while the approval holds.
    assert life.send(message, (), None, at + timedelta(hours=6), POLICY).stage is Stage.SENT
    refused("not_now", life.send, message, (), None, at + timedelta(hours=7), POLICY)


def about(chain: tuple[Message, ...], kind: MessageType, number: int) -> Message:
    content = CONTENT if kind is MessageType.CANCEL else replace(CONTENT, web="https://nemo.org.bz")
    return life.draft_about(chain, kind, number, content, OFFICER)


def test_an_update_and_a_cancellation_follow() -> None:
    """DOM-WRN-10."""
    first = sent()
    update = life.check(about((first,), MessageType.UPDATE, 11), ())
    assert life.phrase(update) == "actual update hurricane warning"
    second = life.send(approved(update), (first,), OFFICER, NOW, POLICY)
    assert second.warning == first.warning
    assert second.sent == NOW + timedelta(seconds=1)  # in one second they could not be told apart
    cancel = life.check(about((first, second), MessageType.CANCEL, 12), ())
    assert life.phrase(cancel) == "actual cancel hurricane warning"
    third = life.send(approved(cancel), (first, second), OFFICER, NOW, POLICY)
    assert life.sent((third, first, second)) == (first, second, third)
    refused("not_now", about, (first, second, third), MessageType.UPDATE, 13)
    refused("not_now", about, (first, second, third), MessageType.CANCEL, 13)


def test_a_cancellation_needs_no_end() -> None:
    first = sent()
    cancel = life.draft_about(
        (first,), MessageType.CANCEL, 11, replace(CONTENT, expires=None), OFFICER
    )
    out = life.send(
        approved(life.check(cancel, ())),
        (first,),
        OFFICER,
        NOW + timedelta(days=2),
        Policy(approval=timedelta(days=3)),
    )
    assert out.stage is Stage.SENT


@pytest.mark.parametrize("kind", [MessageType.ALERT, MessageType.ACK, MessageType.ERROR])
def test_only_updates_and_cancellations_follow(kind: MessageType) -> None:
    refused("bad_value", about, (sent(),), kind, 11)


def test_what_was_not_sent_has_nothing_to_update() -> None:
    refused("not_now", about, (approved(),), MessageType.UPDATE, 11)
    refused("not_now", about, (), MessageType.CANCEL, 11)


@pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
def test_an_exercise_does_not_update_what_is_real(status: Status) -> None:
    """DOM-WRN-10."""
    content = replace(EXERCISE, status=status)
    refused("bad_value", life.draft_about, (sent(),), MessageType.CANCEL, 11, content, OFFICER)
    message = life.check(about((sent(),), MessageType.UPDATE, 11), ())
    changed = life.write(message, content, OFFICER, message.content.digest)
    ready = approved(life.check(changed, ()))
    refused("bad_value", life.send, ready, (sent(),), OFFICER, NOW, POLICY)


def test_two_updates_at_once_do_not_overtake_each_other() -> None:
    """DOM-WRN-10."""
    first = sent()
    one = approved(life.check(about((first,), MessageType.UPDATE, 11), ()))
    two = approved(life.check(about((first,), MessageType.CANCEL, 12), ()))
    out = life.send(one, (first,), OFFICER, NOW, POLICY)
    refused("changed_meanwhile", life.send, two, (first, out), OFFICER, NOW, POLICY)


def test_a_moment_without_parts_of_a_second() -> None:
    at = datetime(2026, 9, 1, 12, 0, 0, 999_999, tzinfo=UTC)
    assert life.send(approved(), (), OFFICER, at, POLICY).sent == NOW
