"""The topic ``radio``: what a radio gateway serves, how it is, and who was heard. Pure.

A gateway follows it to learn what it serves; people who may see radios, to see how their networks
are. Who may see an item is asked with the rules of the moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from msgspec import Struct, field

from psn import access, wire
from psn.access import Principal, Rules
from psn.radio import rights
from psn.radio.heard import Row
from psn.roles import Reach
from psn.topics import Item, Sees

TOPIC: Final = "radio"
Number = tuple[int, int]
"""A network, and a number of a radio in it."""


class NetworkItem(Struct, frozen=True, tag_field="is", tag="radio_network"):
    """A radio network; ``agency`` runs it."""

    id: int
    name: str
    agency: int


class TalkgroupItem(Struct, frozen=True, tag_field="is", tag="radio_talkgroup"):
    """A talkgroup that is joined with a voice group, and what people call that."""

    id: int
    network: int
    number: int
    group: str
    name: str


class RadioItem(Struct, frozen=True, tag_field="is", tag="radio"):
    """A radio that carries a unit."""

    id: int
    network: int
    number: int
    unit: int
    callsign: str


class HeardItem(Struct, frozen=True, omit_defaults=True, tag_field="is", tag="radio_heard"):
    """When and where a radio was heard; times in milliseconds UTC.

    ``emergency``: when its red button was pressed last, and it carried no unit; ``twice``: when two
    radios of this number were heard at once, ``twice_site`` where the other was.
    """

    id: int
    network: int
    number: int
    first: int
    last: int
    times: int
    what: str
    site: str = ""
    lon: int | None = None
    lat: int | None = None
    emergency: int | None = None
    twice: int | None = None
    twice_site: str = ""


class StateItem(Struct, frozen=True, omit_defaults=True, tag_field="is", tag="radio_state"):
    """How a gateway is with one of its networks, since when, by its own last word."""

    id: int
    network: int
    gateway: int
    label: str
    online: bool
    since: int
    sites: list[wire.RadioSite] = field(default_factory=list)
    calls: list[wire.RadioCall] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    voiceless: bool = False
    missed: wire.RadioMissed | None = None


def open_to(who: Principal) -> bool:
    """Who may follow the topic: gateways, which may be let serve a network at any time, and people
    who may see radios.
    """
    return who.gateway or (
        who.person is not None and access.reach(who, "radio", "see") > Reach.NONE
    )


def plan(rules: Rules) -> Iterator[Item]:
    """What is served, as the directory says."""
    directory = rules.directory
    for network in directory.radio_networks.values():
        body = NetworkItem(network.id, network.name, network.agency)
        yield Item(f"radio_network:{network.id}", body, _of_network(network.id, True))
    for joined in directory.radio_talkgroups.values():
        group = directory.groups[joined.group]
        yield Item(
            f"radio_talkgroup:{joined.id}",
            TalkgroupItem(joined.id, joined.network, joined.number, group.address, group.name),
            _of_network(joined.network, True),
        )
    for radio in directory.radios.values():
        unit = directory.units[radio.unit]
        yield Item(
            f"radio:{radio.id}",
            RadioItem(radio.id, radio.network, radio.number, unit.id, unit.callsign),
            _of_unit(radio.network, unit.id, True),
        )


def state(
    network: int,
    gateway: int,
    label: str,
    online: bool,
    since: int,
    said: wire.RadioState | None,
    *,
    shows: Callable[[Number], bool],
    whole: bool,
) -> Item:
    """How a gateway is with one of its networks; ``said``: none, nothing since this start.

    ``shows``: whether the reader is told of calls which radio it is, and where; ``whole``: whether
    he sees every network of the gateway, and so what is said of all of them together.
    """
    number = network << 31 | gateway
    body = StateItem(number, network, gateway, label, online, since)
    if said is not None:
        body = StateItem(
            number,
            network,
            gateway,
            label,
            online,
            since,
            [each for each in said.sites if each.network == network],
            [_call(each, shows) for each in said.calls if each.network == network],
            said.refused if whole else {},
            network in said.voiceless,
            said.missed if whole else None,
        )
    return Item(f"radio_state:{number}", body, _of_network(network, False))


def _call(call: wire.RadioCall, shows: Callable[[Number], bool]) -> wire.RadioCall:
    """A call, without who and where when the reader is not shown where that unit is."""
    radios = [radio for radio in (call.radio, call.to) if radio is not None]
    if all(shows((call.network, radio)) for radio in radios):
        return call
    return msgspec.structs.replace(call, radio=None, to=None, site="")


def heard(row: Row, ring: int) -> Item:
    """When and where a radio was heard; ``ring``: how often its red button was, of nobody's."""

    def sees(who: Principal, rules: Rules) -> bool:
        radio = rules.directory.radios_by_number.get((row.network, row.number))
        if radio is None:
            return _of_network(row.network, False)(who, rules)
        return _of_unit(row.network, radio.unit, False)(who, rules)

    number = row.network << 24 | row.number
    body = HeardItem(
        number,
        row.network,
        row.number,
        row.first,
        row.last,
        row.times,
        row.what,
        row.site,
        row.lon,
        row.lat,
        row.emergency,
        row.twice,
        row.twice_site,
    )
    return Item(f"radio_heard:{number}", body, sees, ring)


def _of_network(network: int, gateways: bool) -> Sees:
    """Seen by who sees the network, and by the gateways that serve it when it is for them."""

    def sees(who: Principal, rules: Rules) -> bool:
        if who.gateway:
            return gateways and network in who.networks
        there = rules.directory.radio_networks.get(network)
        return there is not None and rights.may_see(who, there)

    return sees


def _of_unit(network: int, unit: int, gateways: bool) -> Sees:
    """... of people, only by those who are shown exactly where the unit is."""
    of_network = _of_network(network, gateways)

    def sees(who: Principal, rules: Rules) -> bool:
        there = rules.directory.units.get(unit)
        return of_network(who, rules) and (
            who.gateway or (there is not None and rights.may_see_whose(who, there, rules))
        )

    return sees
