"""The groups of an agency: one mailbox that many read.

Joint groups that the agency takes part in are shown as far as they are its own affair; they are
changed by whoever runs the network (``psn group``).
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import Added, Body, Done, Line, taken
from dispatch.asking import ApiProblem, Asked, Route, id_of, not_found
from psn import database
from psn.directory import Directory, Group

Member = Annotated[str, Meta(max_length=20, pattern=r"^(person|unit|agency):[1-9][0-9]{0,9}\Z")]
Members = Annotated[list[Member], Meta(max_length=200)]


class GroupMember(Struct):
    """A person, a unit or a whole agency, by address, and what it is called."""

    address: str
    name: str


class GroupRow(Struct):
    """A group; of a joint one only own members and whole agencies are told."""

    id: int
    name: str
    joint: bool
    members: list[GroupMember]


class Groups(Struct):
    """Groups of the caller's agency, and joint ones that it takes part in."""

    groups: list[GroupRow]


class NewGroup(Body):
    """An empty group."""

    name: Line


class ChangedMembers(Body):
    """Who comes in and who goes, by address."""

    add: Members = msgspec.field(default_factory=list)
    remove: Members = msgspec.field(default_factory=list)


async def list_groups(asked: Asked) -> Groups:
    """The groups of the caller's agency, and joint ones that it takes part in."""
    agency = asked.own("group", "see")
    directory = asked.core.directory
    rows = []
    for group in directory.groups.values():
        members = _members(group, agency, directory)
        own = any(not each.address.startswith("agency:") for each in members)
        if group.agency == agency or (group.agency is None and (own or agency in group.agencies)):
            rows.append(GroupRow(group.id, group.name, group.agency is None, members))
    return Groups(sorted(rows, key=lambda row: (row.joint, row.name)))


def _members(group: Group, agency: int, directory: Directory) -> list[GroupMember]:
    """Whole agencies, and those of the agency's own people and units that are in it."""
    addresses = [f"agency:{number}" for number in sorted(group.agencies)]
    people, units = directory.people, directory.units
    addresses += [f"person:{n}" for n in sorted(group.people) if people[n].agency == agency]
    addresses += [f"unit:{n}" for n in sorted(group.units) if units[n].agency == agency]
    return [GroupMember(address, directory.name(address)) for address in addresses]


async def add_group(asked: Asked) -> Added:
    """Add an empty group."""
    agency, name = asked.own("group", "manage"), asked.body.name.strip()
    async with acting(asked) as connection:
        number = await connection.fetchval(
            "INSERT INTO talkgroup (agency_id, name) VALUES ($1, $2)"
            " ON CONFLICT DO NOTHING RETURNING id",
            agency,
            name,
        )
        if number is None:
            raise taken("group", name)
    return Added(number)


async def change_members(asked: Asked) -> Done:
    """Put people and units of the agency, or all of it, into a group; or take them out."""
    agency = asked.own("group", "manage")
    group = asked.core.directory.groups.get(asked.path_id())
    if group is None or group.agency != agency:
        raise not_found()
    body: ChangedMembers = asked.body
    both = set(body.add) & set(body.remove)
    if both:
        raise ApiProblem(
            400, "bad_members", f"{min(both)} is to come and to go.", "Say one of the two."
        )
    for address in body.add:
        _own(address, agency, asked.core.directory)
    async with acting(asked) as connection:
        for address in body.add:
            await _change(connection, group.id, address, _ADD)
        for address in body.remove:
            await _change(connection, group.id, address, _REMOVE)
    return Done()


_ADD: Final = "INSERT INTO group_member (group_id, {column}) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_REMOVE: Final = "DELETE FROM group_member WHERE group_id = $1 AND {column} = $2"


async def _change(
    connection: database.Connection, group: int, address: str, statement: str
) -> None:
    kind, _, number = address.partition(":")
    await connection.execute(statement.format(column=f"{kind}_id"), group, id_of(number))


def _own(address: str, agency: int, directory: Directory) -> None:
    """Raise ``not_found`` for what is not the agency's own."""
    kind, _, number = address.partition(":")
    target = id_of(number)
    if kind == "agency":
        owner = target
    else:
        found = (directory.people if kind == "person" else directory.units).get(target)
        owner = 0 if found is None else found.agency
    if owner != agency:
        raise not_found()


ROUTES: Final = (
    Route("/api/groups", list_groups, Groups),
    Route("/api/groups", add_group, Added, method="POST", takes=NewGroup),
    Route("/api/groups/{id}/members", change_members, Done, method="POST", takes=ChangedMembers),
)
