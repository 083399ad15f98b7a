"""The policy a second time, as small as it can be said, to hold the server to it.

Written from docs/access.md and docs/domain.md alone: nothing of ``psn`` is imported here. Agencies,
people, units and groups are numbers; precision is 0 nothing, 1 presence, 2 blurred, 3 exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SEE_UNITS = {"dispatcher", "field"}
READ_AND_WRITE = {"dispatcher", "field", "administrator", "auditor"}
SEE_GROUPS = {"dispatcher", "field", "administrator"}
TALK_IN_GROUPS = {"dispatcher", "field"}


@dataclass(frozen=True)
class Viewer:
    """Who looks: a person or a unit of an agency, in a role."""

    agency: int
    role: str
    person: int | None = None
    unit: int | None = None


@dataclass
class Model:
    """Who is who, and what is shared now."""

    people: dict[int, tuple[int, str, bool]]
    """Agency, role, whether disabled."""
    units: dict[int, tuple[int, bool]]
    """Agency, whether retired."""
    groups: dict[int, tuple[set[int], set[int]]] = field(default_factory=dict)
    """Agencies, people."""
    agreements: dict[int, tuple[int, int, int, bool]] = field(default_factory=dict)
    """Owner, viewer, precision, messages."""
    exceptions: dict[int, tuple[int, int | None, int]] = field(default_factory=dict)
    """Unit, viewer agency or everyone, precision."""
    glasses: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Person, owner agency."""
    incidents: dict[int, tuple[set[int], set[int]]] = field(default_factory=dict)
    """Agencies that take part, units assigned."""

    def talks(self, agency: int, person: int | None, owner: int) -> bool:
        """Whether he may write to the people of an agency."""
        agreed = any(
            (o, v) == (owner, agency) and messages for o, v, _, messages in self.agreements.values()
        )
        return owner == agency or agreed or (person, owner) in self.glasses.values()

    def unit(self, who: Viewer, unit: int) -> tuple[int, bool]:
        """How a unit is shown to him, and whether he may write to it, roles aside."""
        owner = self.units[unit][0]
        if owner == who.agency:
            return 3, True
        talks = self.talks(who.agency, who.person, owner)
        here = [(viewer, p) for u, viewer, p in self.exceptions.values() if u == unit]
        named = [p for viewer, p in here if viewer == who.agency]
        if named:
            return min(named), min(named) > 0 and talks
        if any(who.agency in a and unit in u for a, u in self.incidents.values()):
            return 3, True
        limit = min([3, *(p for viewer, p in here if viewer is None)])
        agreed = [p for o, v, p, _ in self.agreements.values() if (o, v) == (owner, who.agency)]
        broken = 3 if (who.person, owner) in self.glasses.values() else 0
        return min(limit, max([broken, *agreed])), limit > 0 and talks

    def names(self, who: Viewer) -> dict[int, int]:
        """Units on his list, and how precisely each is shown."""
        if who.role not in SEE_UNITS:
            return {}
        active = {unit for unit, (_, retired) in self.units.items() if not retired}
        return {unit: p for unit in active if (p := self.unit(who, unit)[0]) > 0}

    def persons(self, who: Viewer) -> set[int]:
        """People on his list: those he may write to."""
        if who.role not in READ_AND_WRITE:
            return set()
        enabled = {p: agency for p, (agency, _, disabled) in self.people.items() if not disabled}
        return {p for p, agency in enabled.items() if self.talks(who.agency, who.person, agency)}

    def member_of(self, who: Viewer) -> set[int]:
        """Groups he is in and may take part in."""
        if who.role not in SEE_GROUPS:
            return set()
        return {g for g, (a, p) in self.groups.items() if who.agency in a or who.person in p}

    def boxes(self, who: Viewer) -> set[str]:
        """Mailboxes he reads."""
        if who.role not in READ_AND_WRITE:
            return set()
        own = f"person:{who.person}" if who.person else f"unit:{who.unit}"
        return {own, f"agency:{who.agency}"} | {f"group:{g}" for g in self.member_of(who)}

    def known(self, who: Viewer, agency: int) -> bool:
        """Whether receipts may name him to an agency: its people can write to him, or see him."""
        if who.unit is None:
            return self.talks(agency, None, who.agency)
        shown, writes = self.unit(Viewer(agency, "dispatcher"), who.unit)
        return shown > 0 or writes

    def writes(self, who: Viewer, to: str) -> bool:
        """Whether he may write to an address."""
        kind, number = to.split(":")[0], int(to.split(":")[1])
        if who.role not in READ_AND_WRITE:
            return False
        if kind == "unit":
            return not self.units[number][1] and self.unit(who, number)[1]
        if kind == "person":
            return number in self.persons(who)
        return kind == "agency" or (who.role in TALK_IN_GROUPS and number in self.member_of(who))
