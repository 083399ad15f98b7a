"""What stands on boards. Each kind is a map with ``is``; numbers are as on the wire.

Times are milliseconds UTC, longitude and latitude degrees x 10^7 (WGS 84). ``agency`` is whose it
is. People are named beside their ids, since a viewer's roster need not have them.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Row(Struct, tag_field="is", frozen=True, omit_defaults=True, kw_only=True):
    """What every kind has."""

    id: int


class Call(Row, tag="call", frozen=True, omit_defaults=True, kw_only=True):
    """What somebody reports (docs/domain.md, Calls)."""

    agency: int
    number: str
    line: str
    state: str
    received: int
    caller_name: str = ""
    caller_number: str = ""
    place: str = ""
    lon: int | None = None
    lat: int | None = None
    type: int | None = None
    notes: str = ""
    taken_by: int | None = None
    taken_by_name: str | None = None
    taken: int | None = None
    ended: int | None = None
    incident: int | None = None
    outcome: str | None = None


class Incident(Row, tag="incident", frozen=True, omit_defaults=True, kw_only=True):
    """An incident, its phase, who takes part, and which units are assigned."""

    agency: int
    number: str
    title: str
    priority: int
    phase: str
    opened: int
    agencies: list[int]
    units: list[int]
    type: int | None = None
    type_name: str | None = None
    type_name_es: str | None = None
    place: str = ""
    lon: int | None = None
    lat: int | None = None
    details: str = ""
    owner: int | None = None
    owner_name: str | None = None
    checklist: list[dict[str, Any]] = []
    links: list[int] = []
    log: int = 0
    """The newest sequence of its log."""
    closed: int | None = None
    outcome: str | None = None


class Assignment(Row, tag="assignment", frozen=True, omit_defaults=True, kw_only=True):
    """A unit at an incident, with the time of each step."""

    incident: int
    unit: int
    agency: int
    order: str
    """Id of the order, which is a message in the unit's mailbox."""
    ordered: int
    ordered_by: str
    place: str = ""
    """Where it goes, when that is not where the incident is."""
    lon: int | None = None
    lat: int | None = None
    sent: int | None = None
    refused: int | None = None
    """The record has refused the order for good: it cannot be delivered any more."""
    refusal: str | None = None
    """The code with which it did."""
    delivered: int | None = None
    acknowledged: int | None = None
    en_route: int | None = None
    on_scene: int | None = None
    contact: int
    """When the unit last said something of it."""
    sms: str | None = None
    """What became of the order by SMS, where one was asked for."""
    sms_at: int | None = None
    sms_problem: str | None = None
    ended: int | None = None
    outcome: str | None = None


class Unit(Row, tag="unit", frozen=True, omit_defaults=True, kw_only=True):
    """What a unit is doing, what it can do, and who crews it now."""

    status: str
    since: int
    source: str = ""
    note: str = ""
    capabilities: list[str] = []
    station: int | None = None
    crew: list[dict[str, Any]] = []
    assignment: int | None = None
    incident: int | None = None


class Telephone(Row, tag="telephone", frozen=True, kw_only=True):
    """The telephone that a unit carries; of the id of the unit."""

    agency: int
    number: str


class Emergency(Row, tag="emergency", frozen=True, omit_defaults=True, kw_only=True):
    """A red button that was pressed and is not over."""

    unit: int
    agency: int
    source: str
    raised: int
    said: int
    pressed: int
    presses: int = 1
    owner: int | None = None
    owner_name: str | None = None
    owner_agency: int | None = None
    owned: int | None = None
    unit_safe: int | None = None
    desk_safe: int | None = None


class EmergencyPlace(Row, tag="emergency_place", frozen=True, kw_only=True):
    """Where a unit was when its red button was pressed; of the id of the emergency.

    A row of its own, for more people are told of the emergency than may know where exactly it is.
    """

    unit: int
    lon: int
    lat: int


class Alarm(Row, tag="alarm", frozen=True, omit_defaults=True, kw_only=True):
    """What has raised itself."""

    agency: int
    kind: str
    about: str
    raised: int
    level: int = 1
    details: dict[str, Any] = {}
    taken_by: int | None = None
    taken_by_name: str | None = None
    taken: int | None = None


class Invitation(Row, tag="invitation", frozen=True, omit_defaults=True, kw_only=True):
    """One agency asks another to take part in an incident."""

    incident: int
    incident_number: str
    title: str
    place: str
    priority: int
    agency: int
    from_agency: int
    text: str
    at: int
    answer: str | None = None
    answer_text: str | None = None
    answered: int | None = None


class Lookout(Row, tag="lookout", frozen=True, omit_defaults=True, kw_only=True):
    """Whom or what to look out for."""

    agency: int
    number: str
    subject: str
    title: str
    issued: int
    until: int
    agencies: list[int]
    text: str = ""
    plate: str = ""
    lon: int | None = None
    lat: int | None = None


class WelfareCheck(Row, tag="welfare", frozen=True, omit_defaults=True, kw_only=True):
    """A unit is to say that it is well, by ``due``."""

    unit: int
    agency: int
    every: int
    """Seconds."""
    due: int
    incident: int | None = None


class Reminder(Row, tag="reminder", frozen=True, omit_defaults=True, kw_only=True):
    """What somebody is to be reminded of."""

    agency: int
    text: str
    due: int
    person: int | None = None
    incident: int | None = None


class IncidentType(Row, tag="incident_type", frozen=True, omit_defaults=True, kw_only=True):
    """A kind of incident of the agency."""

    agency: int
    code: str
    name: str
    priority: int
    name_es: str = ""
    checklist: list[str] = []
    plan: list[dict[str, Any]] = []
    scene_minutes: int | None = None
    contact_minutes: int | None = None


class Station(Row, tag="station", frozen=True, omit_defaults=True, kw_only=True):
    """A station of the agency."""

    agency: int
    name: str
    lon: int
    lat: int
