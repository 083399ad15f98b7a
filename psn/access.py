"""Who may see and do what. Pure: the directory and the time come in, a decision goes out.

Default deny: what no rule here allows is refused. Nothing else in the network decides on rights;
the door asks before a frame goes in, and the picture's views (``psn.fanout``) are made from
:func:`sight` when a session watches or when the directory changes.

The rules, in words
-------------------
- A unit is visible to its own agency. An open unit is also visible to agencies with which its
  agency has a standing agreement on units. A hidden unit never leaves its agency.
- A person or a unit reads its own mailbox, those of its groups, and its agency's. A device that
  stands for no unit (a gateway) reads none and watches nothing.
- Anyone who reads may write to everyone of his own agency, to any agency as a whole, to his
  groups, and to people and open units of agencies that have agreed to exchange messages.
- Who received or read what was written to a group or an agency is told by name to his own agency
  and to those that may write to him or see the unit; others are told only that the group or the
  agency has it.
- A device reports positions of its own unit; a gateway of the units of its agency, or of all
  agencies when it was enrolled so. A person reports none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psn.directory import Channel, Device, Directory, Group, Person, Unit
from psn.wire import Area


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a session acts for: a person, or a device that stands for a unit or is a gateway."""

    address: str
    """``person:3``, ``unit:7``, or ``device:9`` for a gateway."""
    name: str
    agency: int
    roles: tuple[str, ...]
    person: int | None = None
    unit: int | None = None
    device: int | None = None
    gateway: bool = False
    gateway_all: bool = False

    @property
    def reads(self) -> bool:
        """Whether it has mailboxes and may watch the picture."""
        return self.person is not None or self.unit is not None


NOBODY: Final = Principal("", "", 0, ())
"""Who has not signed in: may see and do nothing."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a view shows: rights and wishes together, equal for all its sessions."""

    channels: frozenset[Channel]
    people: frozenset[int]
    """Agencies whose people's presence is shown."""
    area: Area | None
    fences: frozenset[int | None]
    """Agencies whose fences are shown (None: joint fences)."""


def of_person(person: Person) -> Principal:
    """The principal of a person at a console."""
    return Principal(
        f"person:{person.id}", person.full_name, person.agency, person.roles, person=person.id
    )


def of_device(device: Device, directory: Directory) -> Principal | None:
    """The principal of an enrolled device; none when its unit is gone."""
    if device.unit is None:
        return Principal(
            f"device:{device.id}",
            device.label,
            device.agency,
            ("gateway",),
            device=device.id,
            gateway=device.gateway,
            gateway_all=device.gateway_all,
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


def shared_units(directory: Directory, viewer: int, now: datetime) -> frozenset[int]:
    """Agencies whose open units ``viewer`` sees, itself included."""
    return frozenset({viewer}) | {
        a.owner for a in directory.agreements if a.viewer == viewer and a.units and a.holds(now)
    }


def reachable_agencies(directory: Directory, agency: int, now: datetime) -> frozenset[int]:
    """Agencies whose people and open units ``agency`` may write to, itself included."""
    return frozenset({agency}) | {
        a.owner for a in directory.agreements if a.viewer == agency and a.messages and a.holds(now)
    }


def channels(who: Principal, directory: Directory, now: datetime) -> frozenset[Channel]:
    """The channels whose units ``who`` may see."""
    if not who.reads:
        return frozenset()
    return frozenset({(who.agency, True)}) | {
        (agency, False) for agency in shared_units(directory, who.agency, now)
    }


def sight(
    who: Principal,
    directory: Directory,
    now: datetime,
    area: Area | None,
    agencies: frozenset[int] | None,
) -> Sight:
    """What a session is shown: what it may see, narrowed to what it asked for."""
    return Sight(
        channels=frozenset(
            c for c in channels(who, directory, now) if agencies is None or c[0] in agencies
        ),
        people=reachable_agencies(directory, who.agency, now),
        area=area,
        fences=frozenset({None, who.agency}),
    )


def may_see_unit(who: Principal, unit: Unit, directory: Directory, now: datetime) -> bool:
    """Whether ``who`` may see a unit: its place, its track, its details."""
    return unit.channel in channels(who, directory, now)


def may_see_fence(who: Principal, owner: int | None) -> bool:
    """Whether ``who`` may see the fences of an agency (None: joint)."""
    return who.reads and (owner is None or owner == who.agency)


def _belongs(who: Principal, group: Group) -> bool:
    return (
        who.person in group.people if who.person is not None else who.unit in group.units
    ) or who.agency in group.agencies


def groups(who: Principal, directory: Directory) -> Iterator[Group]:
    """The groups that ``who`` belongs to."""
    if who.reads:
        yield from (g for g in directory.groups.values() if _belongs(who, g))


def mailboxes(who: Principal, directory: Directory) -> tuple[str, ...]:
    """The mailboxes that ``who`` reads, its own first."""
    if not who.reads:
        return ()
    return (
        who.address,
        f"agency:{who.agency}",
        *(f"group:{group.id}" for group in groups(who, directory)),
    )


def may_write(who: Principal, to: str, directory: Directory, now: datetime) -> bool:
    """Whether ``who`` may send a message to an address. One that does not exist: no."""
    if not who.reads:
        return False
    kind, _, number = to.partition(":")
    target = int(number)
    if kind == "agency":
        return target in directory.agencies
    if kind == "group":
        group = directory.groups.get(target)
        return group is not None and _belongs(who, group)
    if kind == "person":
        person = directory.people.get(target)
        return (
            person is not None
            and not person.disabled
            and person.agency in reachable_agencies(directory, who.agency, now)
        )
    unit = directory.units.get(target)
    return (
        unit is not None
        and not unit.retired
        and (unit.agency == who.agency or not unit.hidden)
        and unit.agency in reachable_agencies(directory, who.agency, now)
    )


def known_to(who: Principal, directory: Directory, now: datetime) -> frozenset[int]:
    """Agencies whose people may learn by a receipt that it was ``who`` who received or read.

    Those that could have written to him, or that see the unit. A hidden unit: its own agency.
    """
    unit = None if who.unit is None else directory.units.get(who.unit)
    if unit is not None and unit.hidden:
        return frozenset({who.agency})
    return frozenset({who.agency}) | {
        a.viewer
        for a in directory.agreements
        if a.owner == who.agency and a.holds(now) and (a.messages or (a.units and unit is not None))
    }


def may_report(who: Principal, unit: Unit) -> bool:
    """Whether ``who`` may report positions of a unit."""
    if unit.retired:
        return False
    if who.device is not None and who.unit == unit.id:
        return True
    return who.gateway and (who.gateway_all or unit.agency == who.agency)
