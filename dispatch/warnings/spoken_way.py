"""Announcements in voice groups, for the outbox: an attention tone, and the words, spoken.

The agency takes the floor of each group as anybody does (``psn.voice.inside``): it waits its turn
in front of equals, what is graver interrupts it, and then it is said again from its beginning. A
real warning of what is severe or extreme interrupts ordinary talk; none ever interrupts an
emergency, and an exercise interrupts nobody. It is recorded like any talk, and goes by the bridge
to the radios of a talkgroup that is joined with the group.

Where nobody hears the group, nothing is said, and it is looked again: so whoever comes while the
warning holds hears it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from dispatch.alerting.cap import MessageType, Severity, Status
from dispatch.alerting.channels import shown, takes
from dispatch.alerting.content import ENGLISH, SPANISH, Channel, Text
from dispatch.alerting.issuing import NEMO
from dispatch.outcomes import Outcome, State, pause
from dispatch.warnings import synthesis
from dispatch.warnings.group_address import announcer
from dispatch.warnings.told import Sent
from dispatch.warnings.ways import Delivery, later
from psn import wire
from psn.client import sound
from psn.client.voice import VoiceLine
from psn.core import Core
from psn.problems import Problem
from psn.voice import inside
from psn.wire import VoiceGroup

FLOOR_SECONDS: Final = 90.0
"""So long the floor is waited for; then the place in the queue is given up for a while."""
NOBODY_SECONDS: Final = 15.0
"""So often it is looked whether somebody hears a group in which nobody was."""
AGAIN_SECONDS: Final = 5.0
"""So long after it was interrupted it is said again from its beginning."""
_KEPT: Final = 8

Talks = Sequence[Sequence[bytes]]


class SpokenWay:
    """Says warnings in voice groups (:class:`dispatch.warnings.ways.Way`)."""

    channel = str(Channel.SPOKEN)
    name = "announcements"
    window = 32
    rate = 32.0
    # What a crash has cut off is said again: heard twice is better than not at all.
    at_most_once = False

    def __init__(self, core: Core) -> None:
        self._core = core
        self._speech: dict[tuple[int, str], asyncio.Task[Talks]] = {}
        """By message and language: it is spoken once, for all groups."""

    async def ready(self) -> None:
        """The floor is asked for in each group by itself."""

    async def hand(self, delivery: Delivery) -> Outcome:
        """Say it in one group."""
        group = VoiceGroup.of(delivery.address)
        text = words_of(delivery.message, delivery.language)
        if text is None:
            why = "It has no text in a language with a voice here."
            return Outcome(State.FAILED, problem=why, recipient=True)
        try:
            agency = delivery.message.agency
            who = announcer(self._core.directory, agency, delivery.address)
            talks = await self._spoken(delivery.message, text)
        except synthesis.NotSpoken as problem:
            return later(delivery, problem.text, pause(delivery.tries))
        except Problem as problem:
            return Outcome(State.FAILED, problem=problem.text, recipient=True)
        with inside.talking(self._core.voice, who) as line:
            heard = inside.hearers(self._core.voice, group)
            if not heard:
                return later(
                    delivery, "Nobody hears the group now.", NOBODY_SECONDS, recipient=True
                )
            try:
                await line.join(group.address)
                tone = [*sound.alert()]
                for talk in talks:
                    await _say(line, group, call_of(delivery.message), [*tone, *talk])
                    tone = []
            except TimeoutError:
                why = "Others talk there; the floor was not given."
                return later(delivery, why, AGAIN_SECONDS, recipient=True)
            except Problem as problem:
                why = f"It was not said to the end: {problem.text}"
                return later(delivery, why, AGAIN_SECONDS)
        return Outcome(State.HANDED, receipt=f"heard by {heard}")

    async def close(self) -> None:
        """Let go of what was spoken."""
        for task in self._speech.values():
            task.cancel()
        self._speech.clear()

    async def _spoken(self, message: Sent, text: Text) -> Talks:
        """The words as speech; raises :class:`synthesis.NotSpoken`."""
        key = message.id, text.language
        task = self._speech.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            words = shown(message.content, text, Channel.SPOKEN, NEMO.word)
            work = synthesis.talks(words, text.language)
            task = self._speech[key] = asyncio.create_task(work)
            for old in list(self._speech)[:-_KEPT]:
                del self._speech[old]
        # Who waits for it may be cancelled, and the others go on.
        return await asyncio.shield(task)


async def _say(
    line: VoiceLine, group: VoiceGroup, call: wire.CallKind, talk: Sequence[bytes]
) -> None:
    """Say one talk when the floor is given; raises Problem, ``TimeoutError``."""
    async with asyncio.timeout(FLOOR_SECONDS) as patience, line.talk(group.address, call) as floor:
        patience.reschedule(None)
        await sound.say(floor, talk)


def call_of(message: Sent) -> wire.CallKind:
    """In what kind of call a message is said (DOM-WRN-41)."""
    alert, severity = message.alert, message.content.severity
    real = alert.status is Status.ACTUAL and alert.message_type is not MessageType.CANCEL
    return "peril" if real and severity in (Severity.EXTREME, Severity.SEVERE) else "normal"


def words_of(message: Sent, language: str) -> Text | None:
    """The words that are spoken for who wants a language: in it, or in English (DOM-WRN-42)."""
    content = message.content
    wanted = content.text(language) if takes(Channel.SPOKEN, language) else None
    return wanted or content.text(ENGLISH) or content.text(SPANISH)
