"""A way out of the network, for the outbox: what it is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from dispatch.alerting.cap import MessageType
from dispatch.alerting.content import ENGLISH, Text
from dispatch.outcomes import Outcome, State
from dispatch.warnings.told import Sent

CANCEL_FOR: Final = timedelta(hours=1)
"""So long a Cancel is tried again, which is never over by itself (:func:`later`)."""


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


def later(delivery: Delivery, why: str, seconds: float, recipient: bool = False) -> Outcome:
    """It is tried again: while the warning holds, a Cancel for :data:`CANCEL_FOR`."""
    alert = delivery.message.alert
    cancels = alert.message_type is MessageType.CANCEL
    if cancels and alert.sent + CANCEL_FOR < datetime.now(UTC):
        return Outcome(State.FAILED, problem=why[:500], recipient=recipient)
    return Outcome(State.WAITING, problem=why[:500], pause=seconds, recipient=recipient)
