"""Why a unit is shown to somebody so precisely, in plain sentences. Pure.

``psn.sharing`` decides; this goes down the same list (docs/access.md) over the same rows and says
at each step what there is, until one decides. A test holds the two together. Sentences are made
for readers of one agency: numbers, reasons and ends of what their own agency decided or agreed
stand in them, and of another agency's exceptions only what follows from them on the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from psn import access
from psn.access import Principal, Rules
from psn.directory import Agreement, Directory, Precision, Term, Unit, UnitException
from psn.roles import Reach

HOW: Final = {
    Precision.EXACT: "exactly",
    Precision.BLURRED: "within a square kilometre",
    Precision.PRESENCE: "by name only, without its place",
    Precision.NOTHING: "not at all",
}
BELIZE: Final = timezone(timedelta(hours=-6))
"""UTC−6 all year."""


@dataclass(frozen=True, slots=True)
class Why:
    """How precisely, and the steps that led there; the last one decided."""

    precision: Precision
    sentences: tuple[str, ...]


def to_principal(who: Principal, unit: Unit, rules: Rules, now: datetime, reader: int) -> Why:
    """Why ``who`` is shown a unit so, in words for the agency ``reader``."""
    reach = access.reach(who, "unit", "see")
    if not who.reads or reach is Reach.NONE:
        held = ", ".join(role.replace("_", " ") for role in who.roles) or "none"
        text = f"Units are shown to dispatchers and the like; the roles of {who.name} are: {held}."
        return Why(Precision.NOTHING, (text,))
    if reach is Reach.OWN and unit.agency != who.agency:
        text = f"The roles of {who.name} show units of his own agency only."
        return Why(Precision.NOTHING, (text,))
    return to_agency(who.agency, unit, rules.directory, now, reader, who.person)


def to_agency(
    agency: int,
    unit: Unit,
    directory: Directory,
    now: datetime,
    reader: int,
    person: int | None = None,
) -> Why:
    """Why an agency, or one person of it who may have broken a glass, is shown a unit so."""
    told = _Telling(agency, unit, directory, now, reader)
    if unit.agency == agency:
        return Why(Precision.EXACT, (f"{told.unit} is one of {told.owner}'s own.",))
    named = told.named()
    if named is not None:
        return named
    if told.together():
        return Why(Precision.EXACT, tuple(told.said))
    return told.general(person)


class _Telling:
    """Goes down the list for one unit and one agency, and keeps what it has said."""

    def __init__(
        self, agency: int, unit: Unit, directory: Directory, now: datetime, reader: int
    ) -> None:
        self.agency = agency
        self.of = unit
        self.directory = directory
        self.now = now
        self.unit = unit.callsign
        self.owner = _name(directory, unit.agency)
        self.viewer = _name(directory, agency)
        self.owners = reader == unit.agency
        """Whether the words are for the unit's own agency."""
        self.said: list[str] = []

    def named(self) -> Why | None:
        """Step 2: exceptions that name both decide, the strictest of several."""
        found = [e for e in self._exceptions() if e.viewer == self.agency]
        if not found:
            self.said.append(f"No exception names {self.unit} and {self.viewer}.")
            return None
        each = min(found, key=lambda e: e.units)
        if self.owners:
            text = (
                f"Exception {each.id} shows it to {self.viewer} {HOW[each.units]}"
                f" ({_terms(each.reason, each)}), whatever else is agreed."
            )
        else:
            text = f"By an exception {self.owner} shows it to {self.viewer} {HOW[each.units]}."
        return Why(each.units, (*self.said, text))

    def together(self) -> bool:
        """Step 3: an incident with both."""
        for incident in self.directory.incidents:
            members = [member for member in incident.members if member.holds(self.now)]
            assigned = any(member.unit == self.of.id for member in members)
            if assigned and any(member.agency == self.agency for member in members):
                self.said.append(
                    f"It is assigned to incident {incident.id}, in which {self.viewer} takes part:"
                    " so it is shown exactly, until the incident is closed."
                )
                return True
        self.said.append(f"It is in no open incident in which {self.viewer} takes part.")
        return False

    def general(self, person: int | None) -> Why:
        """Step 4: agreements and broken glass, up to what an exception for everyone allows."""
        best = self._agreed()
        glass = self._glass(person)
        if glass:
            best = Precision.EXACT
        limits = [e for e in self._exceptions() if e.viewer is None]
        limit = min(limits, key=lambda e: e.units, default=None)
        if limit is not None and (self.owners or limit.units < best):
            self.said.append(self._limit(limit))
        shown = best if limit is None else min(best, limit.units)
        return Why(shown, tuple(self.said))

    def _agreed(self) -> Precision:
        found = [
            each
            for each in self.directory.agreements
            if (each.owner, each.viewer) == (self.of.agency, self.agency)
            and each.holds(self.now)
            and each.units > Precision.NOTHING
        ]
        best: Agreement | None = max(found, key=lambda each: each.units, default=None)
        if best is None:
            self.said.append(f"No agreement shows units of {self.owner} to {self.viewer}.")
            return Precision.NOTHING
        self.said.append(
            f"Agreement {best.id} shows units of {self.owner} to {self.viewer} {HOW[best.units]}"
            f" ({_terms(best.reason, best)})."
        )
        return best.units

    def _glass(self, person: int | None) -> bool:
        """Whether a glass is broken; an agency as a whole breaks none."""
        if person is None:
            return False
        for each in self.directory.glasses:
            if each.person == person and each.owner == self.of.agency and each.holds(self.now):
                name = self.directory.name(f"person:{person}")
                self.said.append(
                    f"{name} has broken the glass of {self.owner} ({_terms(each.reason, each)}):"
                    " so open units are shown exactly."
                )
                return True
        return False

    def _limit(self, limit: UnitException) -> str:
        if not self.owners:
            return f"But {self.owner} shows this unit to others at most {HOW[limit.units]}."
        by = f"exception {limit.id} ({_terms(limit.reason, limit)})"
        if limit.units is Precision.NOTHING:
            return f"Undercover: shown to nobody outside {self.owner}, by {by}."
        return f"Others are shown this unit at most {HOW[limit.units]}, by {by}."

    def _exceptions(self) -> list[UnitException]:
        return [
            each
            for each in self.directory.exceptions
            if each.unit == self.of.id and each.holds(self.now)
        ]


def _terms(reason: str, term: Term) -> str:
    return f"{reason}, {until(term.ends)}"


def until(ends: datetime | None) -> str:
    """An end in words, Belize time."""
    if ends is None:
        return "without an end"
    there = ends.astimezone(BELIZE)
    return f"until {there.day} {there:%b %Y, %H:%M}"


def _name(directory: Directory, agency: int) -> str:
    found = directory.agencies.get(agency)
    return f"agency {agency}" if found is None else found.name
