"""Warnings by SMS: what goes to a centre, and for how long it may try."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from dispatch.alerting import standing
from dispatch.alerting.cap import Alert, MessageType
from dispatch.alerting.channels import shown
from dispatch.alerting.content import Channel
from dispatch.alerting.issuing import NEMO
from dispatch.outcomes import Outcome
from dispatch.sms import short_messages
from dispatch.sms.session import SmsCentre, Submission
from dispatch.warnings.ways import Delivery

_LONGEST_MINUTES: Final = 7 * 24 * 60


class SmsWay:
    """Submits to one centre (:class:`dispatch.warnings.ways.Way`)."""

    channel = str(Channel.SMS)
    at_most_once = True

    def __init__(self, centre: SmsCentre) -> None:
        self._centre = centre
        self.name, self.window, self.rate = centre.name, centre.window, centre.rate

    async def ready(self) -> None:
        """Be bound."""
        await self._centre.ready()

    async def hand(self, delivery: Delivery) -> Outcome:
        """Submit one part."""
        message = delivery.message
        text = shown(message.content, delivery.text, Channel.SMS, NEMO.word)
        parted = short_messages.measure(text)
        valid = validity(message.alert, datetime.now(UTC))
        return await self._centre.submit(
            Submission(delivery.address, parted, delivery.part, message.id, delivery.tries, valid)
        )

    async def close(self) -> None:
        """Nothing: the session is for others as well, and for receipts."""


def validity(alert: Alert, now: datetime) -> str:
    """How long the centre may try, as SMPP 3.4 (7.1.1.2) writes it from when it takes it.

    A telephone that was off must not learn of a warning after that is over. What is said of a
    Cancel, and what says no end, is for the centre: nothing.
    """
    if alert.message_type is MessageType.CANCEL:
        return ""
    minutes = math.ceil((standing.life(alert) - now).total_seconds() / 60)
    minutes = max(1, min(minutes, _LONGEST_MINUTES))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}00000R"
