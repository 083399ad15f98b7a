"""Texts to radio groups, for the outbox: a message to the group, which the bridge passes on.

A text is a message of the agency in the group's mailbox (``psn.record``), stored before anything
else is said of it, under an id that is the same each time that it is tried; so it is there once,
after a crash too. The bridge brings it to every talkgroup that is joined with the group, at once
or when it is back, while the warning holds. No radio says that it has a text that was for its
group: it is *handed over*, and nobody knows more.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from dispatch.alerting.cap import MessageType, Severity, Status
from dispatch.alerting.channels import shown
from dispatch.alerting.content import Channel
from dispatch.alerting.issuing import NEMO
from dispatch.outcomes import Outcome, State, pause
from dispatch.warnings.group_address import NEVER, announcer
from dispatch.warnings.told import Sent
from dispatch.warnings.ways import Delivery, later
from psn import database, wire
from psn.core import Core
from psn.directory import Directory
from psn.problems import Problem
from psn.record.mailboxes import Letter
from psn.wire import VoiceGroup

NAMES: Final = UUID("5f0c2b5e-6f61-4a42-9d0c-1f6a4bb1f0a7")
"""In which ids of these messages are made (RFC 9562, 5.5)."""
UNJOINED_SECONDS: Final = 60.0
"""So often it is looked whether a talkgroup was joined with a group that has none."""


class RadioTextWay:
    """Writes warnings to radio groups (:class:`dispatch.warnings.ways.Way`)."""

    channel = str(Channel.RADIO_TEXT)
    name = "radio texts"
    window = 50
    rate = 50.0
    at_most_once = False

    def __init__(self, core: Core) -> None:
        self._core = core

    async def ready(self) -> None:
        """The record is this server's own."""

    async def hand(self, delivery: Delivery) -> Outcome:
        """Write one message to its group."""
        directory = self._core.directory
        try:
            who = announcer(directory, delivery.message.agency, delivery.address)
        except Problem as problem:
            return Outcome(State.FAILED, problem=problem.text, recipient=True)
        if not has_radios(directory, delivery.address):
            why = f"No talkgroup of a radio network is joined with {delivery.address}."
            return later(delivery, why, UNJOINED_SECONDS, recipient=True)
        body = letter(delivery, who.address)
        try:
            await self._core.record.append(Letter(body, who.agency))
        except Problem as problem:
            if problem.code in NEVER:
                return Outcome(State.FAILED, problem=problem.text)
            return later(delivery, problem.text, pause(delivery.tries))
        return Outcome(State.HANDED, receipt=str(body.id))

    async def close(self) -> None:
        """Nothing is kept open."""


def has_radios(directory: Directory, address: str) -> bool:
    """Whether a talkgroup is joined with a group."""
    group = VoiceGroup.of(address).id
    return any(each.group == group for each in directory.radio_talkgroups.values())


def letter(delivery: Delivery, sender: str) -> wire.MessageBody:
    """The message; a radio shows its sender's name, and then its text."""
    message, name = delivery.message, f"{NEMO.word}: "
    words = shown(message.content, delivery.text, Channel.RADIO_TEXT, NEMO.word)
    expires = message.content.expires
    if message.alert.message_type is MessageType.CANCEL:
        expires = None
    return wire.MessageBody(
        id=uuid5(NAMES, f"{message.alert.identifier} {delivery.address}"),
        sender=sender,
        sender_name=NEMO.word,
        to=[delivery.address],
        # The name comes once, as it was counted.
        text=words.replace(name, "", 1),
        priority=priority(message),
        time=0,
        expires=None if expires is None else database.milliseconds(expires),
    )


def priority(message: Sent) -> wire.Priority:
    """How urgently a message reads: never as somebody's own emergency."""
    if message.alert.status is not Status.ACTUAL:
        return "routine"
    grave = message.content.severity in (Severity.EXTREME, Severity.SEVERE)
    return "immediate" if grave else "priority"
