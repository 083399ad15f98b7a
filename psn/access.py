"""Who may see and do what. Pure: the rules of a moment come in, a decision goes out.

Default deny: what no rule here allows is refused. Nothing else in the network decides on rights;
the door asks before a frame goes in, and the picture's views (``psn.picture.fanout``) are made from
:func:`sight` when a session watches or when the rules change.

The rules, in words
-------------------
- What a role may do at all, and whether to its own agency's objects or to shared ones too, says
  the table in ``psn.roles``.
- How precisely a unit is shown to another agency, and who may write to it, is data: agreements,
  exceptions for a unit, open incidents, broken glass (``psn.sharing``).
- A person or a unit reads its own mailbox, those of its groups, and its agency's. A device that
  stands for no unit (a gateway) reads none and watches nothing.
- Anyone who writes may write to everyone of his own agency, to any agency as a whole, to his
  groups, and to people and units of other agencies as far as sharing says.
- The voice group of a group is heard and talked in by its members, and heard by who may monitor it;
  of an incident it is heard by who may see it, and talked in by who may work on it. Two groups are
  patched by who may do that and talks in both; a unit that is hidden from agencies of the other is
  not heard there.
- What was said is heard again by who may hear the group, or see the incident, open or closed; of a
  call by who was in it; and of an agency's people by who may listen to its recordings.
- An agency itself has something announced in its own groups, and in joint ones in which it has a
  part, by voice and as a text.
- Who received or read what was written to a group or an agency is told by name to his own agency
  and to those that may write to him or see the unit; others are told only that the group or the
  agency has it.
- A warning that is in force is shown to every person, for consoles answer for the whole country,
  and to every unit that is not known to be elsewhere.
- An attachment is seen by its author, by people of his agency, and by who reads a mailbox in which
  its author's message stands that it is about.
- A gateway that serves a radio network acts for the units that carry its radios, as their own
  tablets would, reads their mailboxes, and hears and is heard in groups that its talkgroups are
  joined with. A unit's own agency alone gives it a radio.
- A device reports positions of its own unit; a gateway of the units of its agency, or of all
  agencies when it was enrolled so. A person reports none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psn import roles, sharing
from psn.directory import (
    Agency,
    Channel,
    Device,
    Directory,
    Group,
    Person,
    Precision,
    Unit,
)
from psn.roles import Reach
from psn.sharing import Sharing
from psn.wire import Area


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a session acts for: a person, or a device that stands for a unit or is a gateway."""

    address: str
    """``person:3``, ``unit:7``, ``device:9`` for a gateway, ``agency:6`` for an agency itself."""
    name: str
    agency: int
    roles: tuple[str, ...]
    person: int | None = None
    unit: int | None = None
    device: int | None = None
    gateway: bool = False
    gateway_all: bool = False
    networks: frozenset[int] = frozenset()
    """Radio networks that it serves; of any other than a radio gateway: none."""
    carried: frozenset[int] = frozenset()
    """Units that carry a radio of them: it acts for these, and for no other."""
    relays: frozenset[int] = frozenset()
    """Groups that talkgroups of them are joined with."""

    @property
    def reads(self) -> bool:
        """Whether it has mailboxes and may watch the picture."""
        return self.person is not None or self.unit is not None

    @property
    def announces(self) -> bool:
        """Whether it is an agency itself, which says what the server says for it."""
        return self.address == f"agency:{self.agency}"


NOBODY: Final = Principal("", "", 0, ())
"""Who has not signed in: may see and do nothing."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Channels by how precisely their units are shown; what is in none of them is not."""

    exact: frozenset[Channel] = frozenset()
    blurred: frozenset[Channel] = frozenset()
    presence: frozenset[Channel] = frozenset()

    def of(self, agencies: frozenset[int]) -> Audience:
        """The part of it that is of these agencies."""
        return Audience(
            *(_of(agencies, each) for each in (self.exact, self.blurred, self.presence))
        )

    def precision(self, channel: Channel) -> Precision:
        """How units of a channel are shown."""
        if channel in self.exact:
            return Precision.EXACT
        if channel in self.blurred:
            return Precision.BLURRED
        return Precision.PRESENCE if channel in self.presence else Precision.NOTHING

    @property
    def channels(self) -> frozenset[Channel]:
        """Those of which anything is shown."""
        return self.exact | self.blurred | self.presence


def _of(agencies: frozenset[int], channels: frozenset[Channel]) -> frozenset[Channel]:
    return frozenset(channel for channel in channels if channel[0] in agencies)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a view shows: rights and wishes together, equal for all its sessions."""

    audience: Audience
    people: frozenset[int]
    """Agencies whose people's presence is shown."""
    area: Area | None
    fences: frozenset[int | None]
    """Agencies whose fences are shown (None: joint fences)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Who is who and what is shared at one moment: all that a decision depends on."""

    directory: Directory
    sharing: Sharing
    _audiences: dict[tuple[int, int | None], Audience] = field(
        default_factory=dict, repr=False, compare=False
    )

    def audience(self, agency: int, person: int | None) -> Audience:
        """What an agency, and one person of it, is shown of everyone's units. Made once."""
        key = (agency, person if person in self.sharing.broken else None)
        made = self._audiences.get(key)
        if made is None:
            made = self._audiences[key] = self._make_audience(*key)
        return made

    def _make_audience(self, agency: int, person: int | None) -> Audience:
        of: dict[Precision, set[Channel]] = {precision: set() for precision in Precision}
        for owner in self.directory.agencies:
            of[self.sharing.general(owner, agency, person)].add((owner, 0))
        for number in self.directory.apart:
            unit = self.directory.units.get(number)
            if unit is not None:
                channel = self.directory.channels[number]
                of[self.sharing.precision(unit, agency, person)].add(channel)
        return Audience(
            frozenset(of[Precision.EXACT]),
            frozenset(of[Precision.BLURRED]),
            frozenset(of[Precision.PRESENCE]),
        )


def rules(directory: Directory, now: datetime) -> Rules:
    """The rules of a moment (UTC, aware)."""
    return Rules(directory, sharing.in_force(directory, now))


def units_unlike(old: Rules, new: Rules) -> frozenset[int] | None:
    """Units about which alone two moments' rules differ; none: they differ in more than that.

    So is it whenever units join incidents or leave them: who is who stays, and for every other unit
    each decision, too.
    """
    before, after = old.directory, new.directory
    if any(
        was is not now and was != now
        for was, now in (
            (before.agencies, after.agencies),
            (before.people, after.people),
            (before.units, after.units),
            (before.devices, after.devices),
            (before.groups, after.groups),
            (before.providers, after.providers),
            (before.identities, after.identities),
            (before.radio_networks, after.radio_networks),
            (before.radio_talkgroups, after.radio_talkgroups),
            (before.radios, after.radios),
        )
    ):
        return None
    return old.sharing.units_unlike(new.sharing)


def of_person(person: Person) -> Principal:
    """The principal of a person at a console."""
    return Principal(
        f"person:{person.id}", person.full_name, person.agency, person.roles, person=person.id
    )


def as_now(who: Principal, directory: Directory) -> Principal | None:
    """A person with the roles that he has by now, a unit as it was; none: he is in use no more."""
    if who.person is None:
        unit = directory.units.get(who.unit or 0)
        return None if unit is None or unit.retired else who
    person = directory.people.get(who.person)
    return None if person is None or person.disabled else of_person(person)


def of_device(device: Device, directory: Directory) -> Principal | None:
    """The principal of an enrolled device; none when its unit is gone."""
    if device.unit is None:
        networks, carried, relays = _served(device, directory)
        return Principal(
            f"device:{device.id}",
            device.label,
            device.agency,
            ("gateway",),
            device=device.id,
            gateway=device.gateway,
            gateway_all=device.gateway_all,
            networks=networks,
            carried=carried,
            relays=relays,
        )
    unit = directory.units.get(device.unit)
    if unit is None or unit.retired:
        return None
    return Principal(
        f"unit:{unit.id}",
        unit.callsign,
        unit.agency,
        ("field",),
        unit=unit.id,
        device=device.id,
        gateway=device.gateway,
        gateway_all=device.gateway_all,
    )


def _served(device: Device, directory: Directory) -> tuple[frozenset[int], ...]:
    """What a gateway serves: radio networks, units that carry their radios, joined groups."""
    networks = frozenset(
        each.id for each in directory.radio_networks.values() if device.id in each.gateways
    )
    radios, talkgroups = directory.radios.values(), directory.radio_talkgroups.values()
    return (
        networks,
        frozenset(each.unit for each in radios if each.network in networks),
        frozenset(each.group for each in talkgroups if each.network in networks),
    )


def of_unit(unit: Unit) -> Principal:
    """The principal of a unit's crew, whatever carries its word."""
    return Principal(f"unit:{unit.id}", unit.callsign, unit.agency, ("field",), unit=unit.id)


def of_agency(agency: Agency) -> Principal:
    """An agency itself: the server says something in its name, and nobody signs in as it."""
    return Principal(f"agency:{agency.id}", agency.name, agency.id, ())


def reach(who: Principal, kind: str, action: str) -> Reach:
    """How far ``who`` may do something to a kind of object (``psn.roles``)."""
    return roles.reach(who.roles, kind, action)


def may(who: Principal, kind: str, action: str, owner: int | None) -> bool:
    """Whether ``who`` may do something to an object of an agency (None: joint, or of everyone).

    Whether an object of another agency is shared with him is a question of its own; where sharing
    is what decides, this says no.
    """
    how_far = reach(who, kind, action)
    return how_far is Reach.ALL or (how_far > Reach.NONE and owner in (None, who.agency))


def audience(who: Principal, rules: Rules) -> Audience:
    """What ``who`` is shown of units, and how precisely."""
    how_far = reach(who, "unit", "see")
    if not who.reads or how_far is Reach.NONE:
        return Audience()
    whole = rules.audience(who.agency, who.person)
    return whole.of(frozenset({who.agency})) if how_far is Reach.OWN else whole


def sight(
    who: Principal, rules: Rules, area: Area | None, agencies: frozenset[int] | None
) -> Sight:
    """What a session is shown: what it may see, narrowed to what it asked for."""
    seen = audience(who, rules)
    return Sight(
        audience=seen if agencies is None else seen.of(agencies),
        people=reachable_agencies(who, rules),
        area=area,
        fences=frozenset(
            owner for owner in (None, who.agency) if who.reads and may(who, "layer", "see", owner)
        ),
    )


def precision(who: Principal, unit: Unit, rules: Rules) -> Precision:
    """How precisely ``who`` is shown a unit."""
    return audience(who, rules).precision(rules.directory.channels[unit.id])


def may_see_track(who: Principal, unit: Unit, rules: Rules) -> bool:
    """Whether ``who`` may see where a unit was: only where he may see exactly where it is."""
    how_far = reach(who, "track", "see")
    return (
        how_far > Reach.NONE
        and (how_far > Reach.OWN or unit.agency == who.agency)
        and precision(who, unit, rules) is Precision.EXACT
    )


def may_see_fence(who: Principal, owner: int | None) -> bool:
    """Whether ``who`` may see the fences of an agency (None: joint)."""
    return who.reads and may(who, "layer", "see", owner)


def may_see_incident(who: Principal, owner: int, taking_part: Collection[int]) -> bool:
    """Whether ``who`` may see an incident of ``owner`` in which those agencies take part."""
    return _may_at_incident(who, "see", owner, taking_part)


def may_work_on_incident(who: Principal, owner: int, taking_part: Collection[int]) -> bool:
    """Whether ``who`` may do what is to be done at an incident, for his own agency."""
    return _may_at_incident(who, "work", owner, taking_part)


def may_close_incident(who: Principal, owner: int, taking_part: Collection[int]) -> bool:
    """Whether ``who`` may close and reopen an incident."""
    return _may_at_incident(who, "close", owner, taking_part)


def _may_at_incident(who: Principal, action: str, owner: int, taking_part: Collection[int]) -> bool:
    how_far = reach(who, "incident", action)
    if how_far is Reach.NONE:
        return False
    return owner == who.agency or (how_far > Reach.OWN and who.agency in taking_part)


def may_see_status(who: Principal, unit: Unit, rules: Rules) -> bool:
    """Whether ``who`` may see what a unit is doing: only where he is shown exactly where it is."""
    return precision(who, unit, rules) is Precision.EXACT


def belongs(who: Principal, group: Group) -> bool:
    """Whether ``who`` is a member of a group, or of an agency that is."""
    return (
        who.person in group.people if who.person is not None else who.unit in group.units
    ) or who.agency in group.agencies


def groups(who: Principal, rules: Rules) -> Iterator[Group]:
    """The groups that ``who`` belongs to."""
    if who.reads and reach(who, "group", "see") > Reach.NONE:
        yield from (g for g in rules.directory.groups.values() if belongs(who, g))


def mailboxes(who: Principal, rules: Rules) -> tuple[str, ...]:
    """The mailboxes that ``who`` reads, its own first; a radio gateway, of whom it carries."""
    if who.networks:
        return (
            *(f"unit:{unit}" for unit in sorted(who.carried)),
            *(f"group:{group}" for group in sorted(who.relays)),
        )
    if not who.reads or reach(who, "message", "read") is Reach.NONE:
        return ()
    return (
        who.address,
        f"agency:{who.agency}",
        *(f"group:{group.id}" for group in groups(who, rules)),
    )


def may_add_attachment(who: Principal) -> bool:
    """Whether ``who`` may attach photos, voice notes and notes."""
    return who.reads and may(who, "attachment", "add", who.agency)


def may_see_attachment(
    who: Principal,
    author: str,
    agency: int,
    shown_in: Collection[str],
    incident: tuple[int, Collection[int]] | None,
    rules: Rules,
) -> bool:
    """Whether ``who`` may see an attachment.

    ``author`` is the address of who made it, of that ``agency``; ``shown_in`` are the mailboxes
    in which its author's own message stands that it is about; ``incident`` is the owner of the
    incident that it is about, and who takes part there. Its author may, his agency by the right to
    see attachments, whoever reads one of those mailboxes, and whoever may see the incident.
    """
    if not who.reads:
        return False
    return (
        (who.address == author and who.agency == agency)
        or (who.agency == agency and may(who, "attachment", "see", agency))
        or not frozenset(shown_in).isdisjoint(mailboxes(who, rules))
        or (incident is not None and may_see_incident(who, *incident))
    )


def is_ever_warned(who: Principal) -> bool:
    """Whether ``who`` is shown warnings at all."""
    return who.reads and may(who, "warning", "see", None)


def is_warned(who: Principal, elsewhere: Collection[int]) -> bool:
    """Whether ``who`` is shown a warning; ``elsewhere``: units known to be outside its area."""
    return is_ever_warned(who) and (who.unit is None or who.unit not in elsewhere)


def reachable_agencies(who: Principal, rules: Rules) -> frozenset[int]:
    """Agencies whose people ``who`` may write to."""
    how_far = reach(who, "message", "write")
    if not who.reads or how_far is Reach.NONE:
        return frozenset()
    if how_far is Reach.OWN:
        return frozenset({who.agency})
    shared = rules.sharing
    return frozenset(
        owner
        for owner in rules.directory.agencies
        if shared.may_write(owner, who.agency, who.person)
    )


def may_write(who: Principal, to: str, rules: Rules) -> bool:
    """Whether ``who`` may send a message to an address. One that does not exist: no."""
    how_far = reach(who, "message", "write")
    if not who.reads or how_far is Reach.NONE:
        return False
    directory, shared = rules.directory, rules.sharing
    kind, _, number = to.partition(":")
    target = int(number)
    if kind == "agency":
        return target in directory.agencies
    if kind == "group":
        group = directory.groups.get(target)
        talks = reach(who, "group", "talk") > Reach.NONE
        return group is not None and talks and belongs(who, group)
    if kind == "person":
        person = directory.people.get(target)
        return (
            person is not None
            and not person.disabled
            and (how_far > Reach.OWN or person.agency == who.agency)
            and shared.may_write(person.agency, who.agency, who.person)
        )
    unit = directory.units.get(target)
    return (
        unit is not None
        and not unit.retired
        and (how_far > Reach.OWN or unit.agency == who.agency)
        and shared.may_write_to(unit, who.agency, who.person)
    )


def known_to(who: Principal, rules: Rules) -> frozenset[int]:
    """Agencies whose people may learn by a receipt that it was ``who`` who received or read.

    Those that could have written to him, or that are shown the unit.
    """
    directory, shared = rules.directory, rules.sharing
    unit = None if who.unit is None else directory.units.get(who.unit)
    if unit is None:
        return frozenset(a for a in directory.agencies if shared.may_write(who.agency, a))
    return frozenset(
        agency
        for agency in directory.agencies
        if shared.precision(unit, agency) > Precision.NOTHING or shared.may_write_to(unit, agency)
    )


def may_report(who: Principal, unit: Unit) -> bool:
    """Whether ``who`` may report positions of a unit, and say what its crew says."""
    if unit.retired:
        return False
    if who.networks:
        return unit.id in who.carried
    if who.device is not None and who.unit == unit.id:
        return True
    return who.gateway and (who.gateway_all or unit.agency == who.agency)
