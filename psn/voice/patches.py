"""Patches: two voice groups that have one floor for a while. Pure.

Who patches two groups talks in both, so nobody hears by it what he could not have repeated to them
(:func:`psn.voice.rights.may_patch`). A group is in one patch at most: with chains, nobody would
know any more who hears him.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psn import access
from psn.access import Principal, Rules
from psn.problems import Problem
from psn.voice import rights
from psn.wire import VoiceGroup


@dataclass(frozen=True, slots=True)
class Patch:
    """Two groups, and who has joined them."""

    groups: tuple[VoiceGroup, VoiceGroup]
    by: Principal
    owners: tuple[int, int]
    """Whose the groups were when it was made; of a joint one: its maker's agency."""

    def other(self, group: VoiceGroup) -> VoiceGroup:
        """The one that a group is patched with."""
        one, two = self.groups
        return two if group == one else one


class Patches:
    """All patches of this moment."""

    def __init__(self) -> None:
        self._of: dict[VoiceGroup, Patch] = {}

    def of(self, group: VoiceGroup) -> Patch | None:
        """The patch that a group is in."""
        return self._of.get(group)

    def make(
        self, by: Principal, one: VoiceGroup, two: VoiceGroup, rules: Rules, now: datetime
    ) -> Patch:
        """Patch two groups; raises :class:`Problem` when that may not be."""
        _check(by, (one, two), rules, now)
        for group in (one, two):
            if group in self._of:
                text = f"{group.address} is patched with {self._of[group].other(group).address}."
                raise Problem("patched_already", text, "End that patch first.")
        whose = [rights.owner(each, rules.directory) or by.agency for each in (one, two)]
        made = self._of[one] = self._of[two] = Patch((one, two), by, (whose[0], whose[1]))
        return made

    def check_end(self, who: Principal, patch: Patch, rules: Rules, now: datetime) -> None:
        """Raise :class:`Problem` when somebody may not end a patch: only who might make it does."""
        _check(who, patch.groups, rules, now)

    def end(self, patch: Patch) -> None:
        """It is over."""
        for group in patch.groups:
            self._of.pop(group, None)

    def outlived(self, rules: Rules, now: datetime) -> list[Patch]:
        """Those whose maker might not make them any more, or of whose groups one has closed."""
        return [
            patch for patch in dict.fromkeys(self._of.values()) if not _may_still(patch, rules, now)
        ]


def _may_still(patch: Patch, rules: Rules, now: datetime) -> bool:
    maker = access.as_now(patch.by, rules.directory)
    return maker is not None and rights.may_patch(maker, *patch.groups, rules, now)


def _check(
    who: Principal, groups: tuple[VoiceGroup, VoiceGroup], rules: Rules, now: datetime
) -> None:
    if not rights.may_patch(who, *groups, rules, now):
        one, two = groups
        text = f"You may not join {one.address} and {two.address}, or part them."
        raise Problem("not_yours_to_patch", text, "Ask a dispatcher who talks in both.")
