"""Who sees what of a board. Pure; every right is asked of ``psn.access``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dispatch.board import rows
from psn import access
from psn.access import Principal, Rules
from psn.directory import Precision
from psn.topics import Sees

Incidents = Mapping[int, rows.Incident]
AllIncidents = Callable[[], Incidents]


def follows_board(who: Principal) -> bool:
    """Whether somebody may follow the board: people who may see incidents."""
    return who.person is not None and access.may(who, "incident", "see", who.agency)


def follows_duty(who: Principal) -> bool:
    """Whether a session may follow the duty of its unit."""
    return who.unit is not None


def on_board(row: rows.Row, incidents: AllIncidents) -> Sees:
    """Who sees a row on the board; ``incidents`` gives those that are there, by id."""
    if isinstance(row, rows.Incident):
        return lambda who, _: access.may_see_incident(who, row.agency, row.agencies)
    if isinstance(row, rows.Assignment):
        return lambda who, _: _sees_incident(who, incidents().get(row.incident))
    if isinstance(row, rows.Call):
        return lambda who, _: access.may(who, "call", "see", row.agency)
    if isinstance(row, rows.Unit):
        return lambda who, rules: _sees_status(who, row.id, rules)
    if isinstance(row, rows.Emergency):
        return lambda who, rules: _sees_unit(who, row.unit, rules)
    if isinstance(row, rows.EmergencyPlace):
        return lambda who, rules: _sees_status(who, row.unit, rules)
    if isinstance(row, rows.Invitation):
        return lambda who, _: _sees_own(who, row.agency) or _sees_own(who, row.from_agency)
    if isinstance(row, rows.Lookout):
        return lambda who, _: _sees_own(who, row.agency) or who.agency in row.agencies
    if isinstance(row, rows.Reminder):
        return lambda who, rules: _sees_own(who, row.agency) and _reminds(who, row.person, rules)
    if isinstance(
        row, rows.Alarm | rows.WelfareCheck | rows.IncidentType | rows.Station | rows.Telephone
    ):
        return lambda who, _: _sees_own(who, row.agency)
    raise TypeError(f"nobody has said who sees {type(row).__name__}")


def shared_units(row: rows.Row) -> frozenset[int] | None:
    """The units whose sharing decides who sees a row on the board: for all else the row does.

    None: it depends on who is who.
    """
    if isinstance(row, rows.Reminder):
        return None
    if isinstance(row, rows.Unit):
        return frozenset({row.id})
    if isinstance(row, rows.Emergency | rows.EmergencyPlace):
        return frozenset({row.unit})
    return frozenset()


def on_duty(row: rows.Row, incidents: AllIncidents) -> Sees | None:
    """Which units' crews have a row on their duty; none: it is no matter of theirs.

    The row and the incidents say so, whatever is shared.
    """
    if isinstance(row, rows.Incident):
        return lambda who, _: who.unit in row.units
    if isinstance(row, rows.Assignment):
        return lambda who, _: who.unit is not None and _works_with(who.unit, row, incidents)
    if isinstance(row, rows.Unit):
        return lambda who, _: who.unit == row.id
    if isinstance(row, rows.Emergency | rows.WelfareCheck):
        return lambda who, _: who.unit == row.unit
    if isinstance(row, rows.Lookout):
        return lambda who, _: who.agency == row.agency or who.agency in row.agencies
    return None


def _works_with(unit: int, row: rows.Assignment, incidents: AllIncidents) -> bool:
    """Its own assignment, or one of another unit at the same incident."""
    incident = incidents().get(row.incident)
    return row.unit == unit or (incident is not None and unit in incident.units)


def _sees_incident(who: Principal, incident: rows.Incident | None) -> bool:
    return incident is not None and access.may_see_incident(who, incident.agency, incident.agencies)


def _sees_own(who: Principal, agency: int) -> bool:
    return agency == who.agency and access.may(who, "incident", "see", agency)


def _reminds(who: Principal, person: int | None, rules: Rules) -> bool:
    """Whether a reminder is his: his own, everyone's, or of one who is gone."""
    whose = rules.directory.people.get(person or 0)
    return person in (None, who.person) or whose is None or whose.disabled


def _sees_status(who: Principal, number: int, rules: Rules) -> bool:
    unit = rules.directory.units.get(number)
    return unit is not None and access.may_see_status(who, unit, rules)


def _sees_unit(who: Principal, number: int, rules: Rules) -> bool:
    unit = rules.directory.units.get(number)
    return unit is not None and access.precision(who, unit, rules) > Precision.NOTHING
