"""The policy: who may see, write to and report what (docs/domain.md, DOM-WHO)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import access
from psn.access import Principal
from psn.directory import Agency, Agreement, Device, Directory, Group, Person, Unit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICE, COAST, CUSTOMS = 1, 2, 3
CAR, COVERT, BOAT, TRUCK, SCRAPPED = 1, 2, 3, 4, 5
ANA, BEN, CYD, GONE = 1, 2, 3, 4


def agreement(
    owner: int,
    viewer: int,
    *,
    units: bool = True,
    messages: bool = True,
    starts: datetime = NOW - HOUR,
    ends: datetime | None = None,
) -> Agreement:
    return Agreement(1, owner, viewer, units, messages, "joint patrol", "commander", starts, ends)


def directory(*agreements: Agreement) -> Directory:
    agencies = {i: Agency(i, f"A{i}", f"Agency {i}", "#123456") for i in (POLICE, COAST, CUSTOMS)}
    people = {
        ANA: Person(ANA, POLICE, "ana", "Ana", ("dispatcher",), None, False),
        BEN: Person(BEN, COAST, "ben", "Ben", ("dispatcher",), None, False),
        CYD: Person(CYD, CUSTOMS, "cyd", "Cyd", (), None, False),
        GONE: Person(GONE, POLICE, "gone", "Gone", (), None, True),
    }
    units = {
        CAR: Unit(CAR, POLICE, "P-1", "car", False, None, False),
        COVERT: Unit(COVERT, POLICE, "X-1", "car", True, None, False),
        BOAT: Unit(BOAT, COAST, "B-1", "boat", False, None, False),
        TRUCK: Unit(TRUCK, CUSTOMS, "C-1", "truck", False, None, False),
        SCRAPPED: Unit(SCRAPPED, POLICE, "P-9", "car", False, None, True),
    }
    devices = {
        1: Device(1, POLICE, CAR, "tablet", False, False, None, False, False),
        2: Device(2, POLICE, None, "gateway", True, False, None, False, False),
        3: Device(3, POLICE, None, "national gateway", True, True, None, False, False),
        4: Device(4, POLICE, SCRAPPED, "old tablet", False, False, None, False, False),
    }
    groups = {
        1: Group(1, None, "JOC", frozenset(), frozenset(), frozenset({POLICE, COAST})),
        2: Group(2, POLICE, "Night shift", frozenset({ANA}), frozenset({CAR}), frozenset()),
    }
    return Directory(agencies, people, units, devices, groups, agreements, {})


def person(number: int, of: Directory) -> Principal:
    return access.of_person(of.people[number])


def device(number: int, of: Directory) -> Principal:
    principal = access.of_device(of.devices[number], of)
    assert principal is not None
    return principal


def sees(who: Principal, of: Directory, now: datetime = NOW) -> set[int]:
    return {u.id for u in of.units.values() if access.may_see_unit(who, u, of, now)}


def test_by_default_only_the_own_agency_is_seen() -> None:
    """DOM-WHO-2, DOM-WHO-3."""
    alone = directory()
    assert sees(person(ANA, alone), alone) == {CAR, COVERT, SCRAPPED}
    assert sees(person(BEN, alone), alone) == {BOAT}


def test_an_agreement_opens_open_units_in_one_direction() -> None:
    shared = directory(agreement(POLICE, COAST))
    assert sees(person(BEN, shared), shared) == {BOAT, CAR, SCRAPPED}
    assert sees(person(ANA, shared), shared) == {CAR, COVERT, SCRAPPED}
    assert sees(person(CYD, shared), shared) == {TRUCK}


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [
        (NOW - HOUR, None, True),
        (NOW, None, True),
        (NOW + timedelta(seconds=1), None, False),
        (NOW - HOUR, NOW + timedelta(seconds=1), True),
        (NOW - HOUR, NOW, False),
    ],
)
def test_an_agreement_holds_from_its_start_until_before_its_end(
    starts: datetime, ends: datetime | None, holds: bool
) -> None:
    shared = directory(agreement(POLICE, COAST, starts=starts, ends=ends))
    ben = person(BEN, shared)
    assert (CAR in sees(ben, shared)) is holds
    assert access.may_write(ben, f"unit:{CAR}", shared, NOW) is holds


def test_an_agreement_on_messages_shows_no_units_and_the_other_way_round() -> None:
    talk = directory(agreement(POLICE, COAST, units=False))
    assert CAR not in sees(person(BEN, talk), talk)
    assert access.may_write(person(BEN, talk), f"person:{ANA}", talk, NOW)
    look = directory(agreement(POLICE, COAST, messages=False))
    assert CAR in sees(person(BEN, look), look)
    assert not access.may_write(person(BEN, look), f"person:{ANA}", look, NOW)


@pytest.mark.parametrize(
    ("who", "to", "may"),
    [
        (ANA, f"unit:{CAR}", True),
        (ANA, f"unit:{COVERT}", True),
        (ANA, f"unit:{SCRAPPED}", False),
        (ANA, f"person:{GONE}", False),
        (ANA, "agency:3", True),
        (ANA, "agency:99", False),
        (ANA, "group:1", True),
        (ANA, "group:2", True),
        (ANA, "group:99", False),
        (ANA, "person:99", False),
        (ANA, "unit:99", False),
        (BEN, f"unit:{CAR}", True),
        (BEN, f"unit:{COVERT}", False),
        (BEN, "group:1", True),
        (BEN, "group:2", False),
        (CYD, f"person:{ANA}", False),
        (CYD, "agency:1", True),
        (CYD, "group:1", False),
    ],
)
def test_who_may_write_to_whom(who: int, to: str, may: bool) -> None:
    shared = directory(agreement(POLICE, COAST))
    assert access.may_write(person(who, shared), to, shared, NOW) is may


def test_who_reads_which_mailbox() -> None:
    d = directory()
    assert access.mailboxes(person(ANA, d), d) == ("person:1", "agency:1", "group:1", "group:2")
    assert access.mailboxes(person(BEN, d), d) == ("person:2", "agency:2", "group:1")
    assert access.mailboxes(device(1, d), d) == ("unit:1", "agency:1", "group:1", "group:2")
    assert access.mailboxes(device(2, d), d) == ()


def test_a_gateway_reports_and_does_nothing_else() -> None:
    d = directory(agreement(POLICE, COAST), agreement(COAST, POLICE))
    gateway = device(2, d)
    assert sees(gateway, d) == set()
    assert not access.may_write(gateway, "agency:1", d, NOW)
    assert not access.may_see_fence(gateway, None)
    assert access.channels(gateway, d, NOW) == frozenset()


def test_who_may_report_which_unit() -> None:
    d = directory()

    def reports(who: Principal) -> set[int]:
        return {unit.id for unit in d.units.values() if access.may_report(who, unit)}

    assert reports(person(ANA, d)) == set()
    assert reports(device(1, d)) == {CAR}
    assert reports(device(2, d)) == {CAR, COVERT}
    assert reports(device(3, d)) == {CAR, COVERT, BOAT, TRUCK}


def test_a_device_of_a_retired_unit_stands_for_nobody() -> None:
    """DOM-WHO-5."""
    d = directory()
    assert access.of_device(d.devices[4], d) is None


def test_a_filter_narrows_and_never_widens() -> None:
    shared = directory(agreement(COAST, POLICE))
    ana = person(ANA, shared)
    both = access.sight(ana, shared, NOW, None, None)
    assert both.channels == {(POLICE, True), (POLICE, False), (COAST, False)}
    one = access.sight(ana, shared, NOW, None, frozenset({COAST, CUSTOMS}))
    assert one.channels == {(COAST, False)}
    assert both.fences == {None, POLICE}


def test_fences_of_other_agencies_are_not_seen() -> None:
    d = directory(agreement(COAST, POLICE))
    ana = person(ANA, d)
    seen = [access.may_see_fence(ana, owner) for owner in (None, POLICE, COAST)]
    assert seen == [True, True, False]


moments = st.integers(-3, 3).map(lambda hours: NOW + hours * HOUR)
agreements = st.builds(
    agreement,
    st.sampled_from([POLICE, COAST, CUSTOMS]),
    st.sampled_from([POLICE, COAST, CUSTOMS]),
    units=st.booleans(),
    messages=st.booleans(),
    starts=moments,
    ends=st.none() | moments,
)


@given(st.lists(agreements, max_size=6), moments)
def test_whatever_was_agreed_nothing_is_open_that_was_not_opened(
    agreed: list[Agreement], now: datetime
) -> None:
    """DOM-WHO-2, DOM-WHO-3: against the rule in words, for any set of agreements."""
    d = directory(*agreed)
    for who in (person(ANA, d), person(BEN, d), person(CYD, d), device(1, d)):
        for unit in d.units.values():
            own = unit.agency == who.agency
            between = [
                a
                for a in agreed
                if (a.owner, a.viewer) == (unit.agency, who.agency)
                and a.starts <= now
                and (a.ends is None or now < a.ends)
            ]
            sees = own or (not unit.hidden and any(a.units for a in between))
            writes = own or (not unit.hidden and any(a.messages for a in between))
            assert access.may_see_unit(who, unit, d, now) is sees
            assert access.may_write(who, unit.address, d, now) is (writes and not unit.retired)
        every = access.sight(who, d, now, None, None)
        for wanted in ({POLICE}, {COAST, CUSTOMS}, set[int]()):
            narrowed = access.sight(who, d, now, None, frozenset(wanted))
            assert narrowed.channels == {c for c in every.channels if c[0] in wanted}
