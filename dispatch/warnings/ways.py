"""A way out of the network, for the outbox: what it is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from dispatch.alerting.cap import MessageType
from dispatch.alerting.content import ENGLISH, Text
from dispatch.warnings.told import Sent

_PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
CANCEL_FOR: Final = timedelta(hours=1)
"""So long a Cancel is tried again, which is never over by itself (:func:`later`)."""


class State(StrEnum):
    """What has become of a delivery."""

    WAITING = "waiting"
    HANDING = "handing"
    """Begun; written before it is tried, so that a crash leaves a trace."""
    HANDED = "handed"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """Whoever was to take it may have taken it: it is not tried again, and nobody guesses."""
    DROPPED = "dropped"
    """The message was over before."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message for one recipient; of a long SMS one ``part`` (from 1) of ``parts``."""

    id: int
    message: Sent
    address: str
    language: str
    part: int
    parts: int
    tries: int
    """This one included."""
    secret: bytes | None

    @property
    def text(self) -> Text:
        """The words in the recipient's language; in English, or what there is, without."""
        content = self.message.content
        found = content.text(self.language) or content.text(ENGLISH)
        return found or content.texts[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try.

    Attributes:
        receipt: what the taker calls it.
        pause: seconds before this delivery is tried again.
        slow: the taker is overloaded: everything for it waits so long.
    """

    state: State
    receipt: str | None = None
    problem: str | None = None
    pause: float = 0.0
    slow: bool = False
    price: Decimal | None = None


class Away(Exception):
    """Whoever takes deliveries cannot be reached; nothing was handed over."""


class Way(Protocol):
    """Hands deliveries of one channel to one taker."""

    name: str
    """Of the taker, for people: ``smsc:btl``, ``smtp``, ``webhook``."""
    channel: str
    window: int
    """Deliveries under way at once."""
    rate: float
    """Deliveries a second, at most."""
    at_most_once: bool
    """What was begun before a crash is reported as uncertain; else it is handed over again."""

    async def ready(self) -> None:
        """Be able to hand over; raises :class:`Away`."""

    async def hand(self, delivery: Delivery) -> Outcome:
        """Hand over one; raises nothing."""

    async def close(self) -> None:
        """Let go of connections."""


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row, at least one."""
    return _PAUSES[min(failures, len(_PAUSES)) - 1]


def later(delivery: Delivery, why: str, seconds: float) -> Outcome:
    """It is tried again: while the warning holds, a Cancel for :data:`CANCEL_FOR`."""
    alert = delivery.message.alert
    cancels = alert.message_type is MessageType.CANCEL
    if cancels and alert.sent + CANCEL_FOR < datetime.now(UTC):
        return Outcome(State.FAILED, problem=why[:500])
    return Outcome(State.WAITING, problem=why[:500], pause=seconds)
