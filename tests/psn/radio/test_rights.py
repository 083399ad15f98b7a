"""Who may do what with radio networks, and for whom a gateway acts (docs/radio.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from psn import access
from psn.access import Principal
from psn.directory import (
    EMPTY,
    Agency,
    Device,
    Directory,
    Group,
    Radio,
    RadioNetwork,
    RadioTalkgroup,
    Unit,
)
from psn.radio import rights
from psn.voice.rights import Voice, voice
from psn.wire import VoiceGroup

POLICE, ARMY, CUSTOMS = 1, 2, 3
CAR, JEEP, TRUCK, BIKE = 1, 2, 3, 4
GATEWAY, AIS = 8, 9
NOW = datetime(2026, 11, 29, tzinfo=UTC)
NETWORK = RadioNetwork(1, POLICE, "National", frozenset({ARMY}), frozenset({GATEWAY}))
PATROLS, JOINT, OTHERS = (
    Group(1, POLICE, "Patrols", frozenset(), frozenset(), frozenset()),
    Group(2, None, "Joint", frozenset(), frozenset(), frozenset({POLICE, CUSTOMS})),
    Group(3, CUSTOMS, "Customs", frozenset(), frozenset(), frozenset()),
)
UNITS = {
    CAR: Unit(CAR, POLICE, "P-1", "car", None, False),
    JEEP: Unit(JEEP, ARMY, "D-1", "car", None, False),
    TRUCK: Unit(TRUCK, CUSTOMS, "C-1", "car", None, False),
    BIKE: Unit(BIKE, POLICE, "P-2", "car", None, False),
}


def directory() -> Directory:
    return replace(
        EMPTY,
        agencies={n: Agency(n, f"A{n}", f"A{n}", "#000000") for n in (POLICE, ARMY, CUSTOMS)},
        units=UNITS,
        devices={
            n: Device(n, POLICE, None, "gateway", True, n == AIS, b"key", False, False)
            for n in (GATEWAY, AIS)
        },
        groups={each.id: each for each in (PATROLS, JOINT, OTHERS)},
        radio_networks={1: NETWORK},
        radio_talkgroups={1: RadioTalkgroup(1, 1, 9, PATROLS.id)},
        radios={1: Radio(1, 1, 4711, CAR), 2: Radio(2, 1, 4712, JEEP)},
    )


def gateway(number: int = GATEWAY) -> Principal:
    found = access.of_device(directory().devices[number], directory())
    assert found is not None
    return found


def administrator(agency: int) -> Principal:
    return Principal("person:1", "Ana", agency, ("administrator",), person=1)


def test_a_gateway_acts_for_units_that_carry_its_radios_and_no_other() -> None:
    """DOM-RAD-15."""
    who = gateway()
    assert {unit.id for unit in UNITS.values() if access.may_report(who, unit)} == {CAR, JEEP}
    rules = access.rules(directory(), NOW)
    assert access.mailboxes(who, rules) == ("unit:1", "unit:2", "group:1")
    assert not access.may_write(who, "unit:1", rules)
    assert access.audience(who, rules) == access.Audience()


def test_a_gateway_that_serves_no_radio_network_is_as_before() -> None:
    who = gateway(AIS)
    assert all(access.may_report(who, unit) for unit in UNITS.values())
    assert access.mailboxes(who, access.rules(directory(), NOW)) == ()


def test_a_gateway_is_in_the_groups_that_its_talkgroups_are_joined_with() -> None:
    """DOM-RAD-15."""
    rules = access.rules(directory(), NOW)
    heard = {
        group
        for group in (1, 2, 3)
        if voice(gateway(), VoiceGroup.of(f"group:{group}"), rules, NOW)
    }
    assert heard == {PATROLS.id}
    assert voice(gateway(), VoiceGroup.of("group:1"), rules, NOW) is Voice.LISTEN
    assert voice(gateway(AIS), VoiceGroup.of("group:1"), rules, NOW) is Voice.NOTHING


@pytest.mark.parametrize(
    ("agency", "now", "unit", "may"),
    [
        (POLICE, None, CAR, True),
        (POLICE, BIKE, CAR, True),
        (ARMY, None, JEEP, True),
        (POLICE, None, JEEP, False),
        (ARMY, CAR, JEEP, False),
        (CUSTOMS, None, TRUCK, False),
    ],
)
def test_a_unit_s_own_agency_alone_gives_it_a_radio(
    agency: int, now: int | None, unit: int, may: bool
) -> None:
    """DOM-RAD-14."""
    before = None if now is None else UNITS[now]
    assert rights.may_give(administrator(agency), NETWORK, before, UNITS[unit]) is may


def test_who_runs_a_network_may_take_a_radio_away() -> None:
    """DOM-RAD-14."""
    takers = {
        a
        for a in (POLICE, ARMY, CUSTOMS)
        if rights.may_take(administrator(a), NETWORK, UNITS[JEEP])
    }
    assert takers == {POLICE, ARMY}


@pytest.mark.parametrize(
    ("agency", "group", "may"),
    [
        (POLICE, PATROLS, True),
        (ARMY, PATROLS, False),
        (POLICE, JOINT, True),
        (ARMY, JOINT, False),
        (CUSTOMS, OTHERS, False),
    ],
)
def test_a_talkgroup_is_joined_by_whose_the_group_is(agency: int, group: Group, may: bool) -> None:
    """DOM-RAD-14."""
    assert rights.may_join(administrator(agency), NETWORK, group) is may


def test_what_is_not_an_administrator_s_is_nobody_else_s() -> None:
    dispatcher = Principal("person:2", "Ben", POLICE, ("dispatcher", "supervisor"), person=2)
    assert rights.may_see(dispatcher, NETWORK)
    assert not rights.may_run(dispatcher, NETWORK)
    assert not rights.may_give(dispatcher, NETWORK, None, UNITS[CAR])
    assert not rights.may_join(dispatcher, NETWORK, PATROLS)
    crew = Principal("unit:1", "P-1", POLICE, ("field",), unit=1)
    assert not rights.may_see(crew, NETWORK)
    assert not rights.may_see(administrator(CUSTOMS), NETWORK)


def test_the_rules_of_radios_are_not_of_single_units() -> None:
    """What a gateway may do is looked at anew whenever a radio is given to another unit."""
    old = access.rules(directory(), NOW)
    new = access.rules(replace(directory(), radios={1: Radio(1, 1, 4711, BIKE)}), NOW)
    assert access.units_unlike(old, new) is None
