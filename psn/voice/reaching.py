"""How what is said in voice groups reaches radios, and that their parties are told.

A radio gateway says it of the groups that it is in; of one that is joined with a talkgroup and has
no gateway in it, nobody there brings anything to a radio. Who talks must know: tablets hear him.
Of groups that are patched each is told the gravest: who talks in one is to be heard in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psn import wire
from psn.access import Rules
from psn.sessions import Session
from psn.voice.group import Group
from psn.wire import Reached, VoiceGroup
from psn.wire.voice import GroupKind

SAID: Final[Mapping[Reached, tuple[str, str]]] = {
    "heard": ("", ""),
    "partly": (
        "Some radios do not hear this yet: at their site the channel is taken.",
        "Go on: they hear it as soon as it is free.",
    ),
    "busy": (
        "Radios do not hear this yet: their channel is taken.",
        "Go on: they hear it as soon as the channel is free.",
    ),
    "voiceless": (
        "Radios do not hear this group: the radio bridge has no vocoder.",
        "Send them a message.",
    ),
    "lost": (
        "Radios do not hear this group: there is no link to them.",
        "Reach them another way, and tell who runs the radio bridge.",
    ),
}
"""What parties are told, and what they can do; the later the graver."""
_GRAVITY: Final = {each: gravity for gravity, each in enumerate(SAID)}


class Reaching:
    """Of all groups in which somebody is."""

    def __init__(self, groups: Mapping[VoiceGroup, Group], rules: Rules) -> None:
        self._groups = groups
        self._joined = _joined(rules)

    def mend(self, rules: Rules) -> None:
        """Other groups may be joined with talkgroups now; each is looked at by itself."""
        self._joined = _joined(rules)

    def told(self, gateway: Session, reach: Mapping[str, Reached]) -> None:
        """A gateway says how it is; of groups that it is not in (any more) nothing is taken."""
        for address, each in reach.items():
            there = self._groups.get(VoiceGroup.of(address))
            if there is not None and gateway in there.parties:
                there.parties[gateway].reach = each
                self.look(there)

    def look(self, there: Group, but: Session | None = None) -> None:
        """Tell parties when it is otherwise than it was, also in the group that it is patched with;
        ``but`` is told by :meth:`show`.
        """
        groups = there.net.groups
        each_reach = [self._of(each) for each in groups]
        now: Reached = max(each_reach, key=_GRAVITY.__getitem__, default="heard")
        for each in [each for each in groups if each.reach != now]:
            each.reach = now
            for session in each.parties:
                if session is not but or each is not there:
                    _send(session, each)

    def show(self, session: Session, there: Group) -> None:
        """Tell who has just joined, unless radios hear him as well, or there are none."""
        if there.reach != "heard":
            _send(session, there)

    def _of(self, there: Group) -> Reached:
        """Of its own radios."""
        gateways = [p.reach for s, p in there.parties.items() if s.principal.networks]
        if there.of.kind is GroupKind.CALL:
            return max(gateways, key=_GRAVITY.__getitem__, default="heard")
        if there.of.kind is not GroupKind.TALKGROUP or there.of.id not in self._joined:
            return "heard"
        return max(gateways, key=_GRAVITY.__getitem__, default="lost")


def _joined(rules: Rules) -> frozenset[int]:
    return frozenset(each.group for each in rules.directory.radio_talkgroups.values())


def _send(session: Session, there: Group) -> None:
    if session.barred is None and not session.principal.networks:
        text, todo = SAID[there.reach]
        frame = wire.Reach(group=there.of.address, reach=there.reach, text=text, todo=todo)
        session.send(frame)
