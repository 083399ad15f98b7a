"""What a receiver believes: which alerts are in force now, in whatever order they came. Pure.

Theory of operation
-------------------
Nothing is undone and nothing is remembered but the messages themselves: what is believed is a
function of the set of those that have arrived, and of the time. So a cancellation that comes before
its alert works when that comes, one that comes twice changes nothing, and two receivers with the
same messages believe the same. The server that sends and the screen that shows ask the same
function.

A message has a say over another only when its sender is the same, its status is the same, and it
names the other by sender, identifier and time: so nobody calls off what somebody else has warned
of, and an exercise never ends something that is real. An Update has to be later than what it
takes the place of, so that no circle of messages can put each other out; a Cancel may be of the
same second. What was cancelled or replaced stays so, also when the message that did it is itself
cancelled, replaced or over: a warning comes back by a new Alert alone.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from dispatch.alerting.cap import Alert, Info, MessageType, Reference, Status, build

UNSAID_LIFE: Final = timedelta(hours=24)
"""How long an info counts that does not say; CAP leaves it to the receiver (3.2.2, expires)."""

_WARNS: Final = frozenset({MessageType.ALERT, MessageType.UPDATE})
_SHOWN: Final = frozenset({Status.ACTUAL, Status.EXERCISE, Status.TEST})
"""System messages are for machines, drafts for nobody."""


class State(enum.StrEnum):
    """What has become of an alert."""

    IN_FORCE = "in_force"
    REPLACED = "replaced"
    """By an Update."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Belief:
    """One alert, as it stands at a moment.

    Attributes:
        alert: the message that warns.
        state: what has become of it.
        by: the message that replaced or cancelled it: of several, the first cancellation, else the
            first update.
        ends: when it is over by itself.
    """

    alert: Alert
    state: State
    by: Alert | None
    ends: datetime


Key = tuple[str, str, datetime]
"""Sender, identifier and time sent, in UTC: what a reference says."""


def beliefs(arrived: Iterable[Alert], now: datetime) -> tuple[Belief, ...]:
    """How every alert stands at ``now``, by the time sent; those for machines are left out."""
    messages = _unlike(arrived)
    ended = _ended(messages)
    return tuple(
        _belief(alert, ended.get(key), now)
        for key, alert in sorted(messages.items(), key=_order)
        if alert.message_type in _WARNS and alert.status in _SHOWN
    )


def in_force(arrived: Iterable[Alert], now: datetime) -> tuple[Alert, ...]:
    """The alerts that hold at ``now``."""
    return tuple(each.alert for each in beliefs(arrived, now) if each.state is State.IN_FORCE)


def life(alert: Alert) -> datetime:
    """When it is over by itself: when the last of its infos is."""
    return max((_end(alert, info) for info in alert.infos), default=_end(alert, None))


def still_said(alert: Alert, now: datetime) -> tuple[Info, ...]:
    """The infos of an alert in force that are not over."""
    return tuple(each for each in alert.infos if _end(alert, each) > now)


def _end(alert: Alert, info: Info | None) -> datetime:
    if info is not None and info.expires is not None:
        return info.expires
    try:
        return alert.sent + UNSAID_LIFE
    except OverflowError:  # A feed that lies about time, on the last day that there is.
        return alert.sent


def key(message: Alert | Reference) -> Key:
    """By what others name a message."""
    return message.sender, message.identifier, message.sent.astimezone(UTC)


def _order(item: tuple[Key, Alert]) -> tuple[datetime, str, str]:
    sender, identifier, sent = item[0]
    return sent, sender, identifier


def _unlike(arrived: Iterable[Alert]) -> Mapping[Key, Alert]:
    """Each message once.

    Of two that say different things under one name, which no sender makes, everybody takes the
    same.
    """
    found: dict[Key, Alert] = {}
    for alert in arrived:
        other = found.setdefault(key(alert), alert)
        if other != alert:
            found[key(alert)] = min(other, alert, key=build)
    return found


def _ended(messages: Mapping[Key, Alert]) -> Mapping[Key, Alert]:
    """Which message has ended each that was ended."""
    ended: dict[Key, Alert] = {}
    # Cancellations first, each kind by its time: the first that has a say is the one that is told.
    for kind in (MessageType.CANCEL, MessageType.UPDATE):
        for _, message in sorted(messages.items(), key=_order):
            if message.message_type is kind:
                for reference in message.references:
                    if _has_say(message, messages.get(key(reference))):
                        ended.setdefault(key(reference), message)
    return ended


def _has_say(message: Alert, over: Alert | None) -> bool:
    if over is None or (message.sender, message.status) != (over.sender, over.status):
        return False
    if message.message_type is MessageType.CANCEL:
        return message.sent >= over.sent
    return message.sent > over.sent


def _belief(alert: Alert, by: Alert | None, now: datetime) -> Belief:
    ends = life(alert)
    if by is not None:
        cancelled = by.message_type is MessageType.CANCEL
        return Belief(alert, State.CANCELLED if cancelled else State.REPLACED, by, ends)
    return Belief(alert, State.EXPIRED if ends <= now else State.IN_FORCE, None, ends)
