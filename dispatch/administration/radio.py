"""Radio networks: how they are, who takes part, which unit a radio carries (docs/radio.md)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import Added, Body, Done, Id, Line, conflict, taken
from dispatch.asking import ApiProblem, Asked, Route, not_found
from psn import access, database
from psn.directory import Device, Directory, RadioNetwork
from psn.radio import rights
from psn.radio.items import HeardItem, StateItem

Number = Annotated[int, Meta(ge=1, le=16_776_415)]
Ids = Annotated[list[Id], Meta(max_length=200)]


class TalkgroupRow(Struct):
    """A talkgroup, the group that it is joined with, and whether the caller may part them."""

    id: int
    number: int
    group: int
    name: str
    mine: bool


class RadioRow(Struct):
    """A radio that carries a unit, and whether the caller may take it away.

    Of units that the caller is not shown exactly nothing is told.
    """

    id: int
    number: int
    unit: int
    callsign: str
    agency: int
    mine: bool


class NetworkRow(Struct):
    """A radio network; ``run``: the caller decides who takes part and which gateways serve."""

    id: int
    name: str
    agency: int
    agencies: list[int]
    run: bool
    gateways: list[StateItem]
    talkgroups: list[TalkgroupRow]
    radios: list[RadioRow]
    heard: list[HeardItem]
    """Last heard first; those that carry no unit are the unknown ones."""


class Choice(Struct):
    """Something to choose, and what it is called."""

    id: int
    name: str


class RadioNetworks(Struct):
    """Networks in which the caller's agency takes part, and what he may choose for them."""

    networks: list[NetworkRow]
    gateways: list[Choice]
    groups: list[Choice]
    units: list[Choice]


class NewNetwork(Body):
    """A network that the caller's agency runs."""

    name: Line


class ChangedIds(Body):
    """Who comes in and who goes: agencies, or gateways by device."""

    add: Ids = msgspec.field(default_factory=list)
    remove: Ids = msgspec.field(default_factory=list)


class NewTalkgroup(Body):
    """A talkgroup, to be joined with a group."""

    number: Number
    group: Id


class GivenRadio(Body):
    """The unit that a radio carries."""

    number: Number
    unit: Id


class Forgotten(Body):
    """A radio of which nothing is to be kept that was heard."""

    number: Number


MOST_HEARD: Final = 500


async def list_networks(asked: Asked) -> RadioNetworks:
    """Radio networks as they are now: gateways, sites, calls, radios, and who was heard."""
    asked.own("radio", "see")
    directory, who = asked.core.directory, asked.who
    manages = access.may(who, "radio", "manage", who.agency)
    units = directory.units.values() if manages else ()
    groups = directory.groups.values() if manages else ()
    return RadioNetworks(
        [_network(asked, n) for n in directory.radio_networks.values() if rights.may_see(who, n)],
        [
            Choice(each.id, each.label)
            for each in directory.devices.values()
            if manages and each.agency == who.agency and _may_serve(each)
        ],
        [
            Choice(each.id, each.name)
            for each in groups
            if each.agency == who.agency or (each.agency is None and who.agency in each.agencies)
        ],
        [
            Choice(each.id, each.callsign)
            for each in units
            if each.agency == who.agency and not each.retired
        ],
    )


def _may_serve(device: Device) -> bool:
    return device.gateway and device.unit is None and not device.revoked


def _network(asked: Asked, network: RadioNetwork) -> NetworkRow:
    directory, who, radios = asked.core.directory, asked.who, asked.core.radios
    heard = [item for item in radios.heard_of(network.id) if item.seen_by(who, asked.core.rules)]
    bodies = [item.body for item in heard if isinstance(item.body, HeardItem)]
    bodies.sort(key=lambda body: -body.last)
    return NetworkRow(
        network.id,
        network.name,
        network.agency,
        sorted(network.agencies),
        rights.may_run(who, network),
        radios.states_of(network, who),
        [
            TalkgroupRow(
                each.id,
                each.number,
                each.group,
                directory.groups[each.group].name,
                rights.may_join(who, network, directory.groups[each.group]),
            )
            for each in sorted(directory.radio_talkgroups.values(), key=lambda each: each.number)
            if each.network == network.id
        ],
        _radios(asked, network),
        bodies[:MOST_HEARD],
    )


def _radios(asked: Asked, network: RadioNetwork) -> list[RadioRow]:
    directory, rows = asked.core.directory, []
    for radio in sorted(directory.radios.values(), key=lambda each: each.number):
        unit = directory.units[radio.unit]
        shown = rights.may_see_whose(asked.who, unit, asked.core.rules)
        if radio.network == network.id and shown:
            mine = rights.may_take(asked.who, network, unit)
            row = (radio.id, radio.number, unit.id, unit.callsign, unit.agency, mine)
            rows.append(RadioRow(*row))
    return rows


async def add_network(asked: Asked) -> Added:
    """Add a radio network that the caller's agency runs."""
    agency, name = asked.own("radio", "manage"), asked.body.name.strip()
    async with acting(asked) as connection:
        number = await connection.fetchval(
            "INSERT INTO radio_network (agency_id, name) VALUES ($1, $2)"
            " ON CONFLICT DO NOTHING RETURNING id",
            agency,
            name,
        )
        if number is None:
            raise taken("radio network", name)
    return Added(number)


async def retire_network(asked: Asked) -> Done:
    """Use a radio network no more: nobody serves it, and nobody is heard from it."""
    network = _run(asked)
    async with acting(asked) as connection:
        await connection.execute(
            "UPDATE radio_network SET retired_at = now(), name = name || ' (' || id || ')'"
            " WHERE id = $1 AND retired_at IS NULL",
            network.id,
        )
    return Done()


async def change_agencies(asked: Asked) -> Done:
    """Let agencies take part in a network, or no more: then their radios and groups are out."""
    network, body = _run(asked), asked.body
    if not {*body.add, *body.remove} <= asked.core.directory.agencies.keys():
        raise not_found()
    if network.agency in body.remove:
        raise conflict("runs_it", "Who runs a network takes part in it.", "Retire the network.")
    async with acting(asked) as connection:
        for agency in set(body.add) - network.agencies:
            await connection.execute(
                "INSERT INTO radio_network_agency (network_id, agency_id) VALUES ($1, $2)"
                " ON CONFLICT DO NOTHING",
                network.id,
                agency,
            )
        for statement in _OUT:
            await connection.execute(statement, network.id, body.remove)
    return Done()


_OUT: Final = (
    "DELETE FROM radio_network_agency WHERE network_id = $1 AND agency_id = ANY ($2::int[])",
    "DELETE FROM radio r USING unit u WHERE r.network_id = $1 AND u.id = r.unit_id"
    " AND u.agency_id = ANY ($2::int[])",
    "DELETE FROM radio_talkgroup t USING talkgroup g WHERE t.network_id = $1 AND g.id = t.group_id"
    " AND g.agency_id = ANY ($2::int[])",
)


async def change_gateways(asked: Asked) -> Done:
    """Let gateways of the agency that runs a network serve it, or no more."""
    network, body = _run(asked), asked.body
    devices = asked.core.directory.devices
    for number in body.add:
        device = devices.get(number)
        if device is None or device.agency != network.agency:
            raise not_found()
        if not _may_serve(device):
            text = f"{device.label} is no gateway in use."
            raise conflict("no_gateway", text, "Enrol a device that speaks for no unit.")
    async with acting(asked) as connection:
        for number in body.add:
            await connection.execute(
                "INSERT INTO radio_gateway (network_id, device_id) VALUES ($1, $2)"
                " ON CONFLICT DO NOTHING",
                network.id,
                number,
            )
        await connection.execute(
            "DELETE FROM radio_gateway WHERE network_id = $1 AND device_id = ANY ($2::int[])",
            network.id,
            body.remove,
        )
    return Done()


async def join_talkgroup(asked: Asked) -> Done:
    """Join a talkgroup with a group: who talks in one is heard in the other."""
    network, body = _managed(asked), asked.body
    group = asked.core.directory.groups.get(body.group)
    if group is None or not rights.may_join(asked.who, network, group):
        raise not_found()
    async with acting(asked) as connection:
        await _in_turn(connection, network)
        there = await connection.fetchval(
            "SELECT g.name FROM radio_talkgroup t JOIN talkgroup g ON g.id = t.group_id"
            " WHERE t.network_id = $1 AND t.number = $2 AND t.group_id <> $3",
            network.id,
            body.number,
            group.id,
        )
        if there is not None:
            # Whose group that is need not be the caller's affair.
            text = f"The talkgroup {body.number} is joined with a group already."
            raise conflict("already_joined", text, "Part them first.")
        await connection.execute(
            "INSERT INTO radio_talkgroup (network_id, number, group_id) VALUES ($1, $2, $3)"
            " ON CONFLICT DO NOTHING",
            network.id,
            body.number,
            group.id,
        )
    return Done()


async def part_talkgroup(asked: Asked) -> Done:
    """Part a talkgroup from its group."""
    asked.own("radio", "manage")
    directory = asked.core.directory
    joined = directory.radio_talkgroups.get(asked.path_id())
    if joined is None:
        raise not_found()
    network, group = directory.radio_networks[joined.network], directory.groups[joined.group]
    if not rights.may_join(asked.who, network, group):
        raise not_found()
    async with acting(asked) as connection:
        await connection.execute("DELETE FROM radio_talkgroup WHERE id = $1", joined.id)
    return Done()


async def give_radio(asked: Asked) -> Done:
    """Say which unit of the caller's agency a radio carries."""
    network, body = _managed(asked), asked.body
    directory = asked.core.directory
    unit = directory.units.get(body.unit)
    if unit is None or not rights.may_give(asked.who, network, None, unit):
        raise not_found()
    if unit.retired:
        raise conflict("retired", f"{unit.callsign} is out of use.", "Take it back first.")
    async with acting(asked) as connection:
        await _in_turn(connection, network)
        now = await connection.fetchval(
            "SELECT unit_id FROM radio WHERE network_id = $1 AND number = $2",
            network.id,
            body.number,
        )
        if not rights.may_give(asked.who, network, directory.units.get(now or 0), unit):
            text = f"The radio {body.number} carries a unit of another agency."
            raise conflict("not_your_radio", text, "Ask that agency, or who runs the network.")
        await connection.execute(
            "INSERT INTO radio (network_id, number, unit_id) VALUES ($1, $2, $3)"
            " ON CONFLICT (network_id, number) DO UPDATE SET unit_id = excluded.unit_id",
            network.id,
            body.number,
            unit.id,
        )
    return Done()


async def take_radio(asked: Asked) -> Done:
    """Say that a radio carries no unit any more."""
    asked.own("radio", "manage")
    directory: Directory = asked.core.directory
    radio = directory.radios.get(asked.path_id())
    if radio is None or not rights.may_take(
        asked.who, directory.radio_networks[radio.network], directory.units[radio.unit]
    ):
        raise not_found()
    async with acting(asked) as connection:
        await connection.execute("DELETE FROM radio WHERE id = $1", radio.id)
    return Done()


async def forget_heard(asked: Asked) -> Done:
    """Keep nothing of when and where a radio was heard; heard again, it is there again."""
    network = _run(asked)
    await asked.core.radios.forget(network.id, asked.body.number)
    return Done()


async def _in_turn(connection: database.Connection, network: RadioNetwork) -> None:
    """Of two who change a network at once the second sees what the first has done."""
    await connection.execute(
        "SELECT FROM radio_network WHERE id = $1 FOR NO KEY UPDATE", network.id
    )


def _managed(asked: Asked) -> RadioNetwork:
    """The network of the path, in which the caller's agency takes part."""
    asked.own("radio", "manage")
    found = asked.core.directory.radio_networks.get(asked.path_id())
    if found is None or not rights.may_see(asked.who, found):
        raise not_found()
    return found


def _run(asked: Asked) -> RadioNetwork:
    """... which that runs; else ``not_yours_to_run``."""
    found = _managed(asked)
    if not rights.may_run(asked.who, found):
        raise ApiProblem(
            403,
            "not_yours_to_run",
            "Another agency runs this radio network.",
            "Ask its administrator.",
        )
    return found


_ONE: Final = "/api/radio/networks/{id}"
ROUTES: Final = (
    Route("/api/radio/networks", list_networks, RadioNetworks),
    Route("/api/radio/networks", add_network, Added, method="POST", takes=NewNetwork),
    Route(f"{_ONE}/retire", retire_network, Done, method="POST"),
    Route(f"{_ONE}/agencies", change_agencies, Done, method="POST", takes=ChangedIds),
    Route(f"{_ONE}/gateways", change_gateways, Done, method="POST", takes=ChangedIds),
    Route(f"{_ONE}/talkgroups", join_talkgroup, Done, method="POST", takes=NewTalkgroup),
    Route(f"{_ONE}/radios", give_radio, Done, method="POST", takes=GivenRadio),
    Route(f"{_ONE}/forget", forget_heard, Done, method="POST", takes=Forgotten),
    Route("/api/radio/talkgroups/{id}", part_talkgroup, Done, method="DELETE"),
    Route("/api/radio/radios/{id}", take_radio, Done, method="DELETE"),
)
