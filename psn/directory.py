"""Who is who, in memory: an immutable snapshot. Values only; ``psn.directory_watch`` renews it.

Everything is kept, also what is disabled, retired or revoked, since old messages and tracks name
it; ``people_by_name`` alone leaves out who may not sign in any more. What was shared and is
over is left out; what begins or ends later is decided with :meth:`Term.holds` (``psn.sharing``).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import shapely

Channel = tuple[int, int]
"""What is seen by the same viewers: an agency's units of which no rule speaks (0), or one unit."""


class Precision(enum.IntEnum):
    """How precisely a unit is shown to another agency."""

    NOTHING = 0
    PRESENCE = 1
    """Its name, and whether it is connected; not where it is."""
    BLURRED = 2
    """In which square of a kilometre it was within the last minute."""
    EXACT = 3

    @property
    def word(self) -> str:
        """As the wire, the database and the command line write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation; ``colour`` is ``#rrggbb``."""

    id: int
    code: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who signs in; ``name`` is the name he signs in with."""

    id: int
    agency: int
    name: str
    full_name: str
    roles: tuple[str, ...]
    password_hash: str | None = field(repr=False)
    disabled: bool
    password_until: datetime | None = None
    """Somebody else made his password: good until then (UTC), and only to choose another."""

    @property
    def address(self) -> str:
        """The mailbox of this person."""
        return f"person:{self.id}"


@dataclass(frozen=True, slots=True)
class Unit:
    """What is sent somewhere, or seen by a gateway."""

    id: int
    agency: int
    callsign: str
    kind: str
    source_key: str | None
    retired: bool

    @property
    def address(self) -> str:
        """The mailbox of this unit."""
        return f"unit:{self.id}"


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled machine; ``unit`` is the one it speaks for, if any."""

    id: int
    agency: int
    unit: int | None
    label: str
    gateway: bool
    gateway_all: bool
    public_key: bytes | None = field(repr=False)
    """SubjectPublicKeyInfo (``psn.enrolment.device_key``); none: from before there were keys."""
    revoked: bool
    wipe: bool
    """It is to be told to erase itself, and has not said yet that it has."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group on the wire; without an agency it is joint. A member agency means all its people."""

    id: int
    agency: int | None
    name: str
    people: frozenset[int]
    units: frozenset[int]
    agencies: frozenset[int]

    @property
    def address(self) -> str:
        """The mailbox of this group."""
        return f"group:{self.id}"


@dataclass(frozen=True, slots=True)
class RadioNetwork:
    """What one agency runs under one numbering of radios and talkgroups."""

    id: int
    agency: int
    name: str
    others: frozenset[int]
    """Other agencies that take part."""
    gateways: frozenset[int]
    """Devices that serve it."""

    @property
    def agencies(self) -> frozenset[int]:
        """All that take part."""
        return self.others | {self.agency}


@dataclass(frozen=True, slots=True)
class RadioTalkgroup:
    """A talkgroup of a radio network that is joined with a group here."""

    id: int
    network: int
    number: int
    group: int


@dataclass(frozen=True, slots=True)
class Radio:
    """A radio that carries a unit."""

    id: int
    network: int
    number: int
    unit: int


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when something holds (UTC, aware); without an end, until it is ended."""

    starts: datetime
    ends: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment (UTC, aware)."""
        return self.starts <= at and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Agreement(Term):
    """``owner`` shows ``viewer`` its units so precisely, and perhaps lets it write to it."""

    id: int
    owner: int
    viewer: int
    units: Precision
    messages: bool
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class UnitException(Term):
    """One unit is shown so precisely to one agency, or at most so to everyone (``viewer`` None)."""

    id: int
    unit: int
    viewer: int | None
    units: Precision
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class BrokenGlass(Term):
    """A person has given himself sight of an agency's open units, in an emergency."""

    id: int
    person: int
    owner: int
    reason: str


@dataclass(frozen=True, slots=True)
class Member(Term):
    """An agency takes part in an incident, or a unit is assigned to it: one of the two."""

    agency: int | None
    unit: int | None


@dataclass(frozen=True, slots=True)
class Incident:
    """An open incident, as far as it opens sight."""

    id: int
    agency: int
    members: frozenset[Member]
    number: str
    """What people call it: ``BPD-26-00012``."""

    def taking_part(self, at: datetime) -> frozenset[int]:
        """The agencies that take part at a moment (UTC, aware)."""
        there = (each.agency for each in self.members if each.holds(at))
        return frozenset(agency for agency in there if agency is not None)


@dataclass(frozen=True, slots=True)
class Provider:
    """An agency's own OpenID Connect provider, in use."""

    id: int
    agency: int
    name: str
    issuer: str
    client_id: str
    client_secret: bytes = field(repr=False)
    """Sealed (``psn.identity.openid.secret_purpose``)."""
    scopes: str
    claim: str
    """The claim that tells people apart."""
    trusted_amr: tuple[str, ...]
    trusted_acr: tuple[str, ...]

    @property
    def address(self) -> str:
        """As the audit names it."""
        return f"provider:{self.id}"


@dataclass(frozen=True, slots=True)
class FenceRow:
    """An area whose crossing is told; ``wkb`` is a (multi)polygon in degrees, WGS 84."""

    id: int
    name: str
    agency: int | None
    wkb: bytes = field(repr=False)

    def area(self) -> shapely.Polygon | shapely.MultiPolygon:
        """The shape, parsed anew on each call."""
        shape = shapely.from_wkb(self.wkb)
        assert isinstance(shape, shapely.Polygon | shapely.MultiPolygon)
        return shape


@dataclass(frozen=True, slots=True)
class Directory:
    """One moment's who-is-who. Equal contents compare equal."""

    agencies: Mapping[int, Agency]
    people: Mapping[int, Person]
    units: Mapping[int, Unit]
    devices: Mapping[int, Device]
    groups: Mapping[int, Group]
    agreements: tuple[Agreement, ...]
    fences: Mapping[int, FenceRow]
    exceptions: tuple[UnitException, ...] = ()
    glasses: tuple[BrokenGlass, ...] = ()
    incidents: tuple[Incident, ...] = ()
    providers: Mapping[int, Provider] = field(default_factory=dict)
    identities: Mapping[tuple[int, str], int] = field(default_factory=dict)
    """By provider and subject there: the person it was linked with."""
    radio_networks: Mapping[int, RadioNetwork] = field(default_factory=dict)
    """Those in use."""
    radio_talkgroups: Mapping[int, RadioTalkgroup] = field(default_factory=dict)
    """Of networks in use, with groups whose agency takes part."""
    radios: Mapping[int, Radio] = field(default_factory=dict)
    """Of networks in use: those that carry a unit in use of an agency that takes part."""
    radios_by_number: Mapping[tuple[int, int], Radio] = field(init=False, repr=False, compare=False)
    """By network and number."""
    agencies_by_code: Mapping[str, Agency] = field(init=False, repr=False, compare=False)
    people_by_name: Mapping[str, Person] = field(init=False, repr=False, compare=False)
    """Those who may sign in, by lower-case name."""
    units_by_key: Mapping[str, Unit] = field(init=False, repr=False, compare=False)
    """By the gateway's key; retired units too, since a key stays taken."""
    units_by_callsign: Mapping[tuple[int, str], Unit] = field(init=False, repr=False, compare=False)
    """By agency and callsign; retired units too."""
    apart: frozenset[int] = field(init=False, repr=False, compare=False)
    """Units of which a rule speaks, now or later: each is a channel of its own."""
    channels: Mapping[int, Channel] = field(init=False, repr=False, compare=False)
    """By unit."""
    linked: frozenset[tuple[int, int]] = field(init=False, repr=False, compare=False)
    """Provider and person who is linked there."""

    def __post_init__(self) -> None:
        """Make the look-ups that follow from the rows."""

        def keep(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        keep("agencies_by_code", {agency.code: agency for agency in self.agencies.values()})
        keep("people_by_name", {p.name: p for p in self.people.values() if not p.disabled})
        units = self.units.values()
        keep("units_by_key", {u.source_key: u for u in units if u.source_key is not None})
        keep("units_by_callsign", {(u.agency, u.callsign): u for u in units})
        radios = self.radios.values()
        keep("radios_by_number", {(each.network, each.number): each for each in radios})
        apart = {each.unit for each in self.exceptions}
        apart |= {member.unit for each in self.incidents for member in each.members if member.unit}
        keep("apart", frozenset(apart))
        links = self.identities.items()
        keep("linked", frozenset((provider, person) for (provider, _), person in links))
        keep("channels", {u.id: (u.agency, u.id if u.id in apart else 0) for u in units})

    def name(self, address: str) -> str:
        """What people call the owner of a mailbox; the address itself when nobody is there."""
        kind, _, number = address.partition(":")
        at = int(number) if number.isdecimal() else 0
        if kind == "person" and at in self.people:
            return self.people[at].full_name
        if kind == "unit" and at in self.units:
            return self.units[at].callsign
        if kind == "group" and at in self.groups:
            return self.groups[at].name
        if kind == "agency" and at in self.agencies:
            return self.agencies[at].name
        return address

    def provider_of(self, code: str) -> Provider | None:
        """The provider of an agency, named by the agency's code in any case."""
        agency = self.agencies_by_code.get(code.upper())
        own = (p for p in self.providers.values() if agency is not None and p.agency == agency.id)
        return next(own, None)

    def person_at(self, provider: Provider, subject: str) -> Person | None:
        """Who is that at his own agency's provider, and may sign in; none: nobody."""
        person = self.people.get(self.identities.get((provider.id, subject), 0))
        if person is None or person.disabled or person.agency != provider.agency:
            return None
        return person

    def groups_of(
        self, *, person: int | None = None, unit: int | None = None, agency: int | None = None
    ) -> frozenset[int]:
        """Groups that hold the person, the unit, or everyone of the agency."""
        return frozenset(
            group.id
            for group in self.groups.values()
            if person in group.people or unit in group.units or agency in group.agencies
        )


EMPTY: Final = Directory({}, {}, {}, {}, {}, (), {})
"""A directory of nobody."""
