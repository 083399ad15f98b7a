"""Calls between some: who is in which, and when one is over. Pure.

A call is a voice group for once: who begins it is in it, those who are called join or decline. It
is over when nobody answers in time, when all have declined, when of those who were in it at most
one is left, and when who began it closes it.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from psn import access, wire
from psn.access import Principal, Rules
from psn.wire import VoiceGroup
from psn.wire.voice import GroupKind

RINGING_S: Final = 60.0
"""So long those who are called have to answer."""


class Over(enum.StrEnum):
    """Why a call is over."""

    NOT_ANSWERED = "not_answered"
    DECLINED = "declined"
    ENDED = "call_over"
    ELSEWHERE = "answered_elsewhere"
    CLOSED = "call_closed"
    RADIO_SILENT = "radio_silent"
    RADIO_AWAY = "radio_away"
    RADIO_UNABLE = "radio_unable"
    RADIO_BUSY = "radio_busy"
    VOICELESS = "voiceless"


RADIOS: Final[Mapping[wire.RadioWhy, Over]] = {
    "over": Over.ENDED,
    "declined": Over.DECLINED,
    "silent": Over.RADIO_SILENT,
    "away": Over.RADIO_AWAY,
    "unable": Over.RADIO_UNABLE,
    "busy": Over.RADIO_BUSY,
    "voiceless": Over.VOICELESS,
}
"""Why a call with a radio is over, by what its gateway says."""


@dataclass(slots=True)
class PrivateCall:
    """One call. Addresses are those of people and units."""

    group: VoiceGroup
    caller: Principal
    called: frozenset[str]
    kind: wire.CallKind
    answer_by: float
    """When it is over if nobody has answered; seconds of the loop's clock."""
    declined: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    """Who of them has joined it, be he still in it or not."""
    closed: bool = False
    """Who called has ended it for all."""
    one_of: bool = False
    """Whoever takes it first has it: nobody else is called any more."""
    why: Over | None = None
    """Why the last radio that was called, or was in it, is not."""

    @property
    def by(self) -> str:
        """The address of who calls."""
        return self.caller.address

    def admits(self, address: str, rules: Rules) -> bool:
        """Whether somebody may be in it: who calls, and whom he calls and may write to now."""
        if address == self.by:
            return True
        caller = access.as_now(self.caller, rules.directory)
        return (
            address in self.called
            and caller is not None
            and access.may_write(caller, address, rules)
        )

    def rings_at(self, address: str) -> bool:
        """Whether somebody is called, and has neither taken nor declined it."""
        return address in self.called - self.taken - self.declined

    def over(self, there: frozenset[str], now: float) -> Over | None:
        """Whether it is over with only those (addresses) in it."""
        if self.closed:
            return Over.CLOSED
        if self.taken:
            return self._end(Over.ENDED) if len(there) < 2 else None
        if self.by not in there:
            return Over.ENDED
        if self.declined >= self.called:
            return self._end(Over.DECLINED)
        return Over.NOT_ANSWERED if now >= self.answer_by else None

    def _end(self, otherwise: Over) -> Over:
        """What a radio has to do with it is said where nobody else was called."""
        return self.why if self.why is not None and len(self.called) == 1 else otherwise


class Calls:
    """All calls that are not over."""

    def __init__(self) -> None:
        self._all: dict[VoiceGroup, PrivateCall] = {}
        self._numbers = itertools.count(1)

    def begin(
        self, caller: Principal, called: frozenset[str], kind: wire.CallKind, now: float
    ) -> PrivateCall:
        """Somebody calls others."""
        group = VoiceGroup(GroupKind.CALL, next(self._numbers))
        made = PrivateCall(group, caller, called, kind, now + RINGING_S)
        self._all[group] = made
        return made

    def rings(self, by: str) -> bool:
        """Whether somebody calls already, and nobody has answered."""
        return any(each.by == by and not each.taken for each in self._all.values())

    def ringing(self, address: str) -> list[PrivateCall]:
        """The calls that somebody has neither taken nor declined."""
        return [each for each in self._all.values() if each.rings_at(address)]

    def of(self, group: VoiceGroup) -> PrivateCall | None:
        """The call of a group; none: it is over, or never was."""
        return self._all.get(group)

    def decline(self, group: VoiceGroup, address: str) -> None:
        """Somebody does not answer; nothing when he is not called there."""
        call = self._all.get(group)
        if call is not None and address in call.called:
            call.declined.add(address)

    def end(self, group: VoiceGroup) -> None:
        """It is over."""
        self._all.pop(group, None)
