"""The life of a warning at the desk: drafted, checked, approved, sent; then updated or cancelled.

Theory of operation
-------------------
A warning is a chain of messages: an Alert, and Updates and a Cancel about it. Each message is
*draft → checked → approved → sent*, or *dropped* on the way. What was sent is never changed; how it
stands (in force, replaced, cancelled, expired) is no state of its own, but follows from the chain
as it does for every receiver (:mod:`dispatch.alerting.standing`).

Checking and approving are of words, and not of a row: both keep the digest of the content, and a
change of it takes them back. So nobody can approve one text and have another sent.

Two people make a warning: who approves has written none of it. In an emergency one alone may, who
has the right to approve: he says why, and that stands in the approval, for every report and list
to show, and to be told at once to all who approve (:attr:`Approval.alone`).

Pure: people, times and the chain come in; values, or :class:`DispatchRefused`, go out.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dispatch.alerting.cap import Finding, MessageType, Status, Weight
from dispatch.alerting.content import BELIZE, LANGUAGES, Content
from dispatch.domain.refusals import DispatchRefused, bad_value, not_now

FOLLOWING: Final = frozenset({MessageType.UPDATE, MessageType.CANCEL})
"""What is made at the desk about a warning that was sent."""
SENDABLE: Final = frozenset({Status.ACTUAL, Status.EXERCISE, Status.TEST})
"""What is sent to people."""
REASON_CHARACTERS: Final = 10
"""The least that is a reason."""


class Stage(enum.StrEnum):
    """How far a message is."""

    DRAFT = "draft"
    CHECKED = "checked"
    APPROVED = "approved"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an agency wants.

    Attributes:
        two_people: statuses whose messages somebody else has to approve.
        approval: how long an approval holds, from when it was given, or from when the message was
            to be sent, if that is later.
        least: how long a warning must at least be in force when it is sent.
        longest: how far ahead it may expire.
        languages: in which it has to be said.
    """

    two_people: frozenset[Status] = frozenset({Status.ACTUAL, Status.EXERCISE})
    approval: timedelta = timedelta(hours=6)
    least: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(days=7)
    languages: tuple[str, ...] = LANGUAGES


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody answers for a message.

    Attributes:
        person: his id.
        digest: of the content that he read.
        alone: why he approved his own words; None when he wrote none of them.
    """

    person: int
    at: datetime
    digest: str
    alone: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a warning.

    Attributes:
        id: of it.
        warning: of the chain that it belongs to.
        kind: what it does to earlier ones.
        after: the newest message of the chain that was sent when this was begun; None: it is first.
        authors: everybody who has written in it.
        checked: digest of the content that was checked last.
        sent: when, in whole seconds.
        sent_by: who sent it; None: the clock, at the time that was approved.
    """

    id: int
    warning: int
    kind: MessageType
    content: Content
    authors: frozenset[int]
    after: int | None = None
    stage: Stage = Stage.DRAFT
    checked: str | None = None
    approval: Approval | None = None
    sent: datetime | None = None
    sent_by: int | None = None


def draft(message: int, warning: int, content: Content, by: int) -> Message:
    """A new warning."""
    return Message(message, warning, MessageType.ALERT, content, frozenset({by}))


def draft_about(
    chain: Sequence[Message], kind: MessageType, message: int, content: Content, by: int
) -> Message:
    """An Update or a Cancel of a warning that was sent."""
    if kind not in FOLLOWING:
        raise bad_value(f"No {kind} follows a warning.", "Make an Update or a Cancel.")
    newest = _newest(chain)
    if newest is None:
        raise not_now("This warning has not been sent.", "Change its draft, or drop it.")
    _need_open(chain, content)
    return Message(message, newest.warning, kind, content, frozenset({by}), newest.id)


def write(message: Message, content: Content, by: int, seen: str) -> Message:
    """Somebody changes what it says; a check or an approval is taken back.

    ``seen``: the digest of what he changed, so that nobody writes over what he has not read.
    """
    _need_unsent(message)
    if content == message.content:
        return message
    if seen != message.content.digest:
        raise DispatchRefused(
            "changed_meanwhile",
            "Somebody else has changed this warning meanwhile.",
            "Look at it as it is now, and change it again if yours is better.",
        )
    return replace(
        message,
        content=content,
        authors=message.authors | {by},
        stage=Stage.DRAFT,
        checked=None,
        approval=None,
    )


def check(message: Message, findings: Iterable[Finding]) -> Message:
    """It was looked at by :func:`dispatch.alerting.checking.findings`; errors are refused."""
    _need_unsent(message)
    if message.stage is Stage.APPROVED:
        return message
    errors = [each for each in findings if each.weight is Weight.ERROR]
    if errors:
        more = f" There are {len(errors)} such." if len(errors) > 1 else ""
        raise DispatchRefused(errors[0].code, f"{errors[0].text}{more}", errors[0].todo)
    return replace(message, stage=Stage.CHECKED, checked=message.content.digest)


def phrase(message: Message) -> str:
    """What has to be typed to approve it; nothing, when it is not Actual.

    It has the status, what it does and what it is about, so that it cannot be typed for another.
    """
    if message.content.status is not Status.ACTUAL:
        return ""
    does = {MessageType.ALERT: "", MessageType.UPDATE: "update ", MessageType.CANCEL: "cancel "}
    return f"actual {does[message.kind]}{_plain(message.content.spoken)}"


def approve(
    message: Message, by: int, now: datetime, typed: str, seen: str, policy: Policy
) -> Message:
    """Somebody who wrote none of it answers for it.

    ``typed``: the :func:`phrase`; ``seen``: the digest of what he read.
    """
    _need_approvable(message, typed, seen)
    if message.content.status in policy.two_people and by in message.authors:
        raise DispatchRefused(
            "own_words",
            "You have written this warning, or a part of it; somebody else has to approve it.",
            "Ask another approver, or approve it alone in an emergency and say why.",
        )
    approval = Approval(by, now, message.content.digest)
    return replace(message, stage=Stage.APPROVED, approval=approval)


def approve_alone(
    message: Message, by: int, now: datetime, typed: str, seen: str, reason: str
) -> Message:
    """In an emergency one person approves his own words, and says why nobody else could."""
    _need_approvable(message, typed, seen)
    if by not in message.authors:
        raise not_now(
            "You have written none of it, so you are the second person.", "Approve it as it is."
        )
    why = " ".join(reason.split())
    if len(why) < REASON_CHARACTERS:
        raise bad_value(
            "Whoever approves his own warning says why nobody else could.",
            "Write the reason; it is told to everybody who approves, and stands in every report.",
        )
    approval = Approval(by, now, message.content.digest, alone=why)
    return replace(message, stage=Stage.APPROVED, approval=approval)


def take_back(message: Message) -> Message:
    """The approval is withdrawn, or refused: it goes back to its authors."""
    _need_unsent(message)
    return replace(message, stage=Stage.DRAFT, checked=None, approval=None)


def drop(message: Message) -> Message:
    """It is not sent, ever."""
    _need_unsent(message)
    return replace(message, stage=Stage.DROPPED, checked=None, approval=None)


def due(message: Message, now: datetime) -> bool:
    """Whether the clock has to send it now."""
    at = message.content.send_at
    return message.stage is Stage.APPROVED and (at is None or at <= now)


def send(
    message: Message, chain: Sequence[Message], by: int | None, now: datetime, policy: Policy
) -> Message:
    """It goes out, once.

    ``chain``: the messages of its warning; ``by`` is None when the clock sends it. What happened
    since it was approved is looked at again: somebody may have sent it, updated or cancelled the
    warning, or let it lie until it is over.
    """
    if message.stage is Stage.SENT and message.sent is not None:
        raise DispatchRefused(
            "already_sent",
            f"It was sent at {message.sent.astimezone(BELIZE):%H:%M:%S}, and is not sent again.",
            "Look at the report to see whom it has reached; update it if it has to say more.",
        )
    approval = message.approval
    if message.stage is not Stage.APPROVED or approval is None:
        raise not_now("This warning is not approved.", "Have it checked and approved first.")
    _need_fresh(message, approval, now, policy)
    newest = _newest(chain)
    if (None if newest is None else newest.id) != message.after:
        raise DispatchRefused(
            "changed_meanwhile",
            "Another message of this warning was sent since this one was begun.",
            "Read that, and begin the update or the cancellation anew.",
        )
    if message.kind is not MessageType.ALERT:
        _need_open(chain, message.content)
    return replace(message, stage=Stage.SENT, sent=earliest(chain, now), sent_by=by)


def earliest(chain: Iterable[Message], now: datetime) -> datetime:
    """The time that a message has which is sent now: two in one second could not be told apart."""
    at = now.replace(microsecond=0)
    newest = _newest(chain)
    if newest is not None and newest.sent is not None:
        at = max(at, newest.sent + timedelta(seconds=1))
    return at


def sent(chain: Iterable[Message]) -> tuple[Message, ...]:
    """The messages of a warning that went out, in their order."""
    out = ((each.sent, each) for each in chain if each.sent is not None)
    return tuple(each for _, each in sorted(out, key=lambda item: item[0]))


def _newest(chain: Iterable[Message]) -> Message | None:
    out = sent(chain)
    return out[-1] if out else None


def _need_open(chain: Iterable[Message], content: Content) -> None:
    newest = _newest(chain)
    if newest is not None and newest.kind is MessageType.CANCEL:
        raise not_now(
            "This warning was cancelled.", "Begin a new warning if there is danger again."
        )
    if newest is not None and newest.content.status is not content.status:
        raise bad_value(
            f"The warning is {newest.content.status}, and this message is {content.status}.",
            f"Make it {newest.content.status}, or begin a new warning.",
        )


def _need_unsent(message: Message) -> None:
    if message.stage is Stage.SENT:
        raise not_now("It was sent, and can be changed no more.", "Update or cancel it.")
    if message.stage is Stage.DROPPED:
        raise not_now("It was dropped.", "Begin a new one.")


def _need_approvable(message: Message, typed: str, seen: str) -> None:
    _need_unsent(message)
    if message.stage is Stage.APPROVED:
        raise not_now("It is approved.", "Send it.")
    if message.content.status not in SENDABLE:
        raise not_now(
            f"A warning that is {message.content.status} is not sent to anybody.",
            "Make it Actual, Exercise or Test.",
        )
    if seen != message.content.digest:
        raise DispatchRefused(
            "changed_meanwhile",
            "It was changed since you read it.",
            "Read it as it is now, and then approve it.",
        )
    if message.stage is not Stage.CHECKED or message.checked != seen:
        raise not_now("It was not checked as it is now.", "Check it first.")
    wanted = phrase(message)
    if wanted and _plain(typed) != wanted:
        raise DispatchRefused(
            "phrase",
            "This warning is real, and the words that say so were not typed.",
            f"Type “{wanted}” to approve it.",
        )


def _need_fresh(message: Message, approval: Approval, now: datetime, policy: Policy) -> None:
    content = message.content
    if approval.digest != content.digest:
        raise not_now("It was changed since it was approved.", "Have it approved anew.")
    begins = max(approval.at, content.send_at) if content.send_at else approval.at
    if now > begins + policy.approval:
        raise not_now(
            "It was approved too long ago.", "Look whether it is still true; approve it anew."
        )
    if content.send_at is not None and now < content.send_at:
        raise not_now(
            f"It is to be sent at {content.send_at.astimezone(BELIZE):%H:%M on %d %B}.",
            "Wait, or change the time and have it approved anew.",
        )
    if message.kind is not MessageType.CANCEL and (
        content.expires is None or content.expires < now + policy.least
    ):
        raise DispatchRefused(
            "expired",
            "The warning would be over before anybody could act on it.",
            "Give it a later end, and have it approved anew.",
        )


def _plain(text: str) -> str:
    """Letters and digits, without accents or capitals, between single spaces."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join("".join(each if each.isalnum() else " " for each in bare).split())
