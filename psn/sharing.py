"""What agencies share with each other at one moment. Pure.

How a unit's precision for a viewer is found, in this order:

1. To its own agency a unit is exact.
2. An exception that names the unit and the viewer's agency decides alone, either way.
3. To agencies that take part in an open incident to which it is assigned it is exact.
4. Otherwise the best of what was agreed and of a glass that the viewer has broken, but never better
   than an exception of the unit for everyone allows: an undercover unit is shown to nobody.

Of several exceptions for the same the strictest counts, of several agreements the most generous.

Who may write to a unit is found alike: its own agency; agencies in an incident with it; and those
that were let write to its agency, unless an exception shows them nothing of the unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from psn.directory import Directory, Precision, Unit


@dataclass(frozen=True, slots=True)
class Sharing:
    """The rules in force at one moment; equal rules compare equal."""

    agreed: Mapping[tuple[int, int], Precision] = field(default_factory=dict)
    """By owner and viewer agency: how its open units are shown."""
    writable: frozenset[tuple[int, int]] = frozenset()
    """Owner and viewer agency: the viewer may write to its people and open units."""
    named: Mapping[tuple[int, int], Precision] = field(default_factory=dict)
    """By unit and viewer agency: what an exception says that names both."""
    limits: Mapping[int, Precision] = field(default_factory=dict)
    """By unit: the most that an exception for everyone allows."""
    together: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """By unit: agencies that take part in an incident to which it is assigned."""
    broken: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """By person: agencies whose glass he has broken."""

    def general(self, owner: int, agency: int, person: int | None = None) -> Precision:
        """How the units of ``owner`` about which no rule of their own speaks are shown."""
        if owner == agency or self._has_broken(owner, person):
            return Precision.EXACT
        return self.agreed.get((owner, agency), Precision.NOTHING)

    def precision(self, unit: Unit, agency: int, person: int | None = None) -> Precision:
        """How a unit is shown to an agency, and to one person of it who may have broken a glass."""
        if unit.agency == agency:
            return Precision.EXACT
        named = self.named.get((unit.id, agency))
        if named is not None:
            return named
        if agency in self.together.get(unit.id, ()):
            return Precision.EXACT
        limit = self.limits.get(unit.id, Precision.EXACT)
        return min(limit, self.general(unit.agency, agency, person))

    def may_write(self, owner: int, agency: int, person: int | None = None) -> bool:
        """Whether people of ``owner`` may be written to."""
        return (
            owner == agency or (owner, agency) in self.writable or self._has_broken(owner, person)
        )

    def may_write_to(self, unit: Unit, agency: int, person: int | None = None) -> bool:
        """Whether a unit may be written to."""
        if unit.agency == agency:
            return True
        if (unit.id, agency) not in self.named and agency in self.together.get(unit.id, ()):
            return True
        return not self.hides(unit, agency) and self.may_write(unit.agency, agency, person)

    def hides(self, unit: Unit, agency: int) -> bool:
        """Whether an exception lets an agency see nothing of a unit, whatever is agreed."""
        if unit.agency == agency:
            return False
        allowed = self.named.get((unit.id, agency))
        if allowed is None and agency in self.together.get(unit.id, ()):
            return False
        if allowed is None:
            allowed = self.limits.get(unit.id, Precision.EXACT)
        return allowed is Precision.NOTHING

    def units_unlike(self, other: Sharing) -> frozenset[int] | None:
        """Units of which another moment's rules say something else; none: it is not units alone."""
        if (self.agreed, self.writable, self.broken) != (
            other.agreed,
            other.writable,
            other.broken,
        ):
            return None
        named = {unit for (unit, _), _ in self.named.items() ^ other.named.items()}
        limited = {unit for unit, _ in self.limits.items() ^ other.limits.items()}
        together = {unit for unit, _ in self.together.items() ^ other.together.items()}
        return frozenset(named | limited | together)

    def _has_broken(self, owner: int, person: int | None) -> bool:
        return person is not None and owner in self.broken.get(person, ())


def in_force(directory: Directory, now: datetime) -> Sharing:
    """What holds at ``now`` (UTC, aware)."""
    agreed: dict[tuple[int, int], Precision] = {}
    for each in directory.agreements:
        if each.holds(now) and each.units > Precision.NOTHING:
            pair = (each.owner, each.viewer)
            agreed[pair] = max(each.units, agreed.get(pair, Precision.NOTHING))
    named: dict[tuple[int, int], Precision] = {}
    limits: dict[int, Precision] = {}
    for exception in directory.exceptions:
        if not exception.holds(now):
            continue
        unit, units = exception.unit, exception.units
        if exception.viewer is None:
            limits[unit] = min(units, limits.get(unit, Precision.EXACT))
        else:
            one = (unit, exception.viewer)
            named[one] = min(units, named.get(one, Precision.EXACT))
    broken: defaultdict[int, set[int]] = defaultdict(set)
    for glass in directory.glasses:
        if glass.holds(now):
            broken[glass.person].add(glass.owner)
    return Sharing(
        agreed,
        frozenset(
            (each.owner, each.viewer)
            for each in directory.agreements
            if each.holds(now) and each.messages
        ),
        named,
        limits,
        _together(directory, now),
        {person: frozenset(owners) for person, owners in broken.items()},
    )


def _together(directory: Directory, now: datetime) -> dict[int, frozenset[int]]:
    """By unit: agencies that take part in an open incident with it."""
    together: defaultdict[int, frozenset[int]] = defaultdict(frozenset)
    for incident in directory.incidents:
        members = [member for member in incident.members if member.holds(now)]
        agencies = frozenset(m.agency for m in members if m.agency is not None)
        for member in members:
            if member.unit is not None:
                together[member.unit] |= agencies
    return dict(together)
