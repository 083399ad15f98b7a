"""The policy: who may see, write to and report what (docs/access.md; docs/domain.md, DOM-WHO)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import access
from psn.access import Principal, Rules
from psn.directory import (
    Agency,
    Agreement,
    BrokenGlass,
    Device,
    Directory,
    Group,
    Incident,
    Member,
    Person,
    Precision,
    Unit,
    UnitException,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICE, COAST, CUSTOMS = 1, 2, 3
CAR, COVERT, BOAT, TRUCK, SCRAPPED = 1, 2, 3, 4, 5
ANA, BEN, CYD, GONE, NOBODY, ADMIN = 1, 2, 3, 4, 5, 6
NOTHING, PRESENCE, BLURRED, EXACT = Precision


def agreement(
    owner: int,
    viewer: int,
    *,
    units: Precision = EXACT,
    messages: bool = True,
    starts: datetime = NOW - HOUR,
    ends: datetime | None = None,
) -> Agreement:
    return Agreement(starts, ends, 1, owner, viewer, units, messages, "joint patrol", "commander")


def exception(
    unit: int,
    units: Precision,
    viewer: int | None = None,
    starts: datetime = NOW - HOUR,
    ends: datetime | None = None,
) -> UnitException:
    return UnitException(starts, ends, 1, unit, viewer, units, "undercover", "commander")


UNDERCOVER = exception(COVERT, NOTHING)


def glass(
    person: int, owner: int, starts: datetime = NOW - HOUR, ends: datetime | None = NOW + HOUR
) -> BrokenGlass:
    return BrokenGlass(starts, ends, 1, person, owner, "sinking")


def incident(agencies: Iterable[int], units: Iterable[int], starts: datetime = NOW) -> Incident:
    members = [Member(starts, None, agency, None) for agency in agencies]
    members += [Member(starts, None, None, unit) for unit in units]
    return Incident(1, POLICE, frozenset(members), "P-26-00001")


def directory(
    *agreements: Agreement,
    exceptions: Iterable[UnitException] = (UNDERCOVER,),
    glasses: Iterable[BrokenGlass] = (),
    incidents: Iterable[Incident] = (),
) -> Directory:
    agencies = {i: Agency(i, f"A{i}", f"Agency {i}", "#123456") for i in (POLICE, COAST, CUSTOMS)}
    people = {
        ANA: Person(ANA, POLICE, "ana", "Ana", ("dispatcher",), None, False),
        BEN: Person(BEN, COAST, "ben", "Ben", ("dispatcher",), None, False),
        CYD: Person(CYD, CUSTOMS, "cyd", "Cyd", ("supervisor",), None, False),
        GONE: Person(GONE, POLICE, "gone", "Gone", ("dispatcher",), None, True),
        NOBODY: Person(NOBODY, POLICE, "no", "No", (), None, False),
        ADMIN: Person(ADMIN, POLICE, "adm", "Adm", ("administrator",), None, False),
    }
    units = {
        CAR: Unit(CAR, POLICE, "P-1", "car", None, False),
        COVERT: Unit(COVERT, POLICE, "X-1", "car", None, False),
        BOAT: Unit(BOAT, COAST, "B-1", "boat", None, False),
        TRUCK: Unit(TRUCK, CUSTOMS, "C-1", "truck", None, False),
        SCRAPPED: Unit(SCRAPPED, POLICE, "P-9", "car", None, True),
    }
    devices = {
        1: Device(1, POLICE, CAR, "tablet", False, False, None, False, False),
        2: Device(2, POLICE, None, "gateway", True, False, None, False, False),
        3: Device(3, POLICE, None, "national gateway", True, True, None, False, False),
        4: Device(4, POLICE, SCRAPPED, "old tablet", False, False, None, False, False),
        5: Device(5, POLICE, COVERT, "undercover tablet", False, False, None, False, False),
    }
    groups = {
        1: Group(1, None, "JOC", frozenset(), frozenset(), frozenset({POLICE, COAST})),
        2: Group(2, POLICE, "Night shift", frozenset({ANA}), frozenset({CAR}), frozenset()),
    }
    return Directory(
        *(agencies, people, units, devices, groups, agreements, {}),
        exceptions=tuple(exceptions),
        glasses=tuple(glasses),
        incidents=tuple(incidents),
    )


def rules(of: Directory, now: datetime = NOW) -> Rules:
    return access.rules(of, now)


def person(number: int, of: Rules) -> Principal:
    return access.of_person(of.directory.people[number])


def device(number: int, of: Rules) -> Principal:
    principal = access.of_device(of.directory.devices[number], of.directory)
    assert principal is not None
    return principal


def sees(who: Principal, of: Rules) -> dict[int, Precision]:
    """What is shown to whom, without what is not."""
    every = {unit.id: access.precision(who, unit, of) for unit in of.directory.units.values()}
    return {unit: shown for unit, shown in every.items() if shown}


def test_by_default_only_the_own_agency_is_seen() -> None:
    """DOM-WHO-2, DOM-WHO-3."""
    alone = rules(directory())
    assert sees(person(ANA, alone), alone) == {CAR: EXACT, COVERT: EXACT, SCRAPPED: EXACT}
    assert sees(person(BEN, alone), alone) == {BOAT: EXACT}


@pytest.mark.parametrize("shown", [PRESENCE, BLURRED, EXACT])
def test_an_agreement_opens_open_units_in_one_direction_and_so_far(shown: Precision) -> None:
    shared = rules(directory(agreement(POLICE, COAST, units=shown)))
    assert sees(person(BEN, shared), shared) == {BOAT: EXACT, CAR: shown, SCRAPPED: shown}
    assert sees(person(ANA, shared), shared).keys() == {CAR, COVERT, SCRAPPED}
    assert sees(person(CYD, shared), shared) == {TRUCK: EXACT}


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
def test_what_is_shared_holds_from_its_start_until_before_its_end(
    starts: datetime, ends: datetime | None, holds: bool
) -> None:
    shared = rules(directory(agreement(POLICE, COAST, starts=starts, ends=ends)))
    ben = person(BEN, shared)
    assert (CAR in sees(ben, shared)) is holds
    assert access.may_write(ben, f"unit:{CAR}", shared) is holds
    broken = rules(directory(glasses=[glass(BEN, POLICE, starts, ends)]))
    assert (CAR in sees(ben, broken)) is holds
    hidden = rules(
        directory(
            agreement(POLICE, COAST), exceptions=[exception(CAR, NOTHING, None, starts, ends)]
        )
    )
    assert (CAR not in sees(ben, hidden)) is holds


def test_an_agreement_on_messages_shows_no_units_and_the_other_way_round() -> None:
    talk = rules(directory(agreement(POLICE, COAST, units=NOTHING)))
    assert CAR not in sees(person(BEN, talk), talk)
    assert access.may_write(person(BEN, talk), f"person:{ANA}", talk)
    look = rules(directory(agreement(POLICE, COAST, messages=False)))
    assert CAR in sees(person(BEN, look), look)
    assert not access.may_write(person(BEN, look), f"person:{ANA}", look)


def test_an_undercover_unit_is_nobodys_business_whatever_is_agreed_or_broken() -> None:
    """DOM-WHO-3."""
    open_to_all = rules(directory(agreement(POLICE, COAST), glasses=[glass(BEN, POLICE)]))
    ben = person(BEN, open_to_all)
    assert COVERT not in sees(ben, open_to_all)
    assert not access.may_write(ben, f"unit:{COVERT}", open_to_all)
    assert access.known_to(device(5, open_to_all), open_to_all) == {POLICE}


def test_an_undercover_unit_can_be_named_to_one_agency() -> None:
    named = rules(
        directory(
            agreement(POLICE, COAST, units=PRESENCE),
            exceptions=[UNDERCOVER, exception(COVERT, EXACT, COAST)],
        )
    )
    assert sees(person(BEN, named), named)[COVERT] is EXACT
    assert COVERT not in sees(person(CYD, named), named)
    assert access.may_write(person(BEN, named), f"unit:{COVERT}", named)
    assert access.known_to(device(5, named), named) == {POLICE, COAST}


def test_an_exception_that_names_both_takes_away_too_also_in_an_incident() -> None:
    never = rules(
        directory(
            agreement(POLICE, COAST),
            exceptions=[exception(CAR, NOTHING, COAST)],
            incidents=[incident([POLICE, COAST], [CAR])],
        )
    )
    assert CAR not in sees(person(BEN, never), never)
    assert not access.may_write(person(BEN, never), f"unit:{CAR}", never)


def test_of_several_exceptions_the_strictest_counts_and_of_agreements_the_most_generous() -> None:
    several = rules(
        directory(
            agreement(POLICE, COAST, units=PRESENCE),
            agreement(POLICE, COAST, units=EXACT),
            exceptions=[exception(CAR, EXACT), exception(CAR, BLURRED), exception(COVERT, NOTHING)],
        )
    )
    assert sees(person(BEN, several), several)[CAR] is BLURRED
    assert sees(person(BEN, several), several)[SCRAPPED] is EXACT


def test_an_incident_opens_its_units_to_its_agencies_also_an_undercover_one() -> None:
    both = rules(directory(incidents=[incident([POLICE, COAST], [COVERT, TRUCK])]))
    assert sees(person(BEN, both), both) == {BOAT: EXACT, COVERT: EXACT, TRUCK: EXACT}
    assert sees(person(ANA, both), both).keys() == {CAR, COVERT, SCRAPPED, TRUCK}
    assert sees(person(CYD, both), both) == {TRUCK: EXACT}  # assigned, but takes no part
    assert access.may_write(person(BEN, both), f"unit:{COVERT}", both)
    assert not access.may_write(person(BEN, both), f"person:{ANA}", both)
    later = rules(directory(incidents=[incident([POLICE, COAST], [COVERT], NOW + HOUR)]))
    assert sees(person(BEN, later), later) == {BOAT: EXACT}


def test_a_broken_glass_is_his_alone_who_broke_it() -> None:
    broken = rules(directory(glasses=[glass(BEN, POLICE)]))
    assert sees(person(BEN, broken), broken) == {BOAT: EXACT, CAR: EXACT, SCRAPPED: EXACT}
    assert access.may_write(person(BEN, broken), f"person:{ANA}", broken)
    assert access.reachable_agencies(person(BEN, broken), broken) == {POLICE, COAST}
    other = Principal("person:7", "Eve", COAST, ("dispatcher",), person=7)
    assert sees(other, broken) == {BOAT: EXACT}
    assert sees(person(CYD, broken), broken) == {TRUCK: EXACT}


def test_without_a_role_nothing_is_seen_read_or_written() -> None:
    shared = rules(directory(agreement(COAST, POLICE)))
    nobody = person(NOBODY, shared)
    assert sees(nobody, shared) == {}
    assert access.mailboxes(nobody, shared) == ()
    assert list(access.groups(nobody, shared)) == []
    assert access.reachable_agencies(nobody, shared) == frozenset()
    assert not access.may_write(nobody, "agency:1", shared)
    assert not access.may_see_fence(nobody, None)
    seen = access.sight(nobody, shared, None, None)
    assert (seen.people, seen.fences, seen.audience.channels) == (set(), set(), set())


def test_who_administers_sees_no_units_and_no_tracks_by_that() -> None:
    shared = rules(directory(agreement(COAST, POLICE)))
    admin = person(ADMIN, shared)
    assert sees(admin, shared) == {}
    assert not access.may_see_track(admin, shared.directory.units[CAR], shared)
    assert access.may(admin, "person", "manage", POLICE)
    assert not access.may(admin, "person", "manage", COAST)
    assert access.mailboxes(admin, shared) == ("person:6", "agency:1", "group:1")


@pytest.mark.parametrize(("shown", "track"), [(PRESENCE, False), (BLURRED, False), (EXACT, True)])
def test_where_a_unit_was_is_told_only_where_it_is_shown_exactly(
    shown: Precision, track: bool
) -> None:
    shared = rules(directory(agreement(POLICE, COAST, units=shown)))
    assert access.may_see_track(person(BEN, shared), shared.directory.units[CAR], shared) is track
    # A crew sees where others are, not where they have been.
    assert not access.may_see_track(device(1, shared), shared.directory.units[CAR], shared)


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
    shared = rules(directory(agreement(POLICE, COAST)))
    assert access.may_write(person(who, shared), to, shared) is may


def test_who_reads_which_mailbox() -> None:
    d = rules(directory())
    assert access.mailboxes(person(ANA, d), d) == ("person:1", "agency:1", "group:1", "group:2")
    assert access.mailboxes(person(BEN, d), d) == ("person:2", "agency:2", "group:1")
    assert access.mailboxes(device(1, d), d) == ("unit:1", "agency:1", "group:1", "group:2")
    assert access.mailboxes(device(2, d), d) == ()


@pytest.mark.parametrize(
    ("who", "author", "agency", "shown_in", "may"),
    [
        (ANA, "person:1", POLICE, (), True),
        (ANA, f"unit:{CAR}", POLICE, (), True),
        (ANA, "person:2", COAST, (), False),
        (ANA, "person:2", COAST, ("person:2",), False),
        (ANA, "person:2", COAST, ("person:2", "person:1"), True),
        (ANA, "person:2", COAST, ("group:1",), True),
        (ANA, "person:2", COAST, ("agency:1",), True),
        (ANA, "person:1", COAST, (), False),  # it was another's, before she came
        (ADMIN, "person:6", POLICE, (), True),
        (ADMIN, "person:1", POLICE, (), False),
        (ADMIN, "person:1", POLICE, ("person:6",), True),
        (NOBODY, "person:1", POLICE, ("agency:1",), False),
        (CYD, "person:1", POLICE, (), False),
    ],
)
def test_who_sees_an_attachment(
    who: int, author: str, agency: int, shown_in: tuple[str, ...], may: bool
) -> None:
    """DOM-FILE-8."""
    shared = rules(directory(agreement(POLICE, COAST), agreement(COAST, POLICE)))
    seen = access.may_see_attachment(person(who, shared), author, agency, shown_in, None, shared)
    assert seen is may


def test_who_attaches() -> None:
    d = rules(directory())
    assert access.may_add_attachment(person(ANA, d))
    assert access.may_add_attachment(device(1, d))
    for other in (person(ADMIN, d), person(NOBODY, d), device(2, d), access.NOBODY):
        assert not access.may_add_attachment(other)


def test_a_gateway_reports_and_does_nothing_else() -> None:
    d = rules(directory(agreement(POLICE, COAST), agreement(COAST, POLICE)))
    gateway = device(2, d)
    assert sees(gateway, d) == {}
    assert not access.may_write(gateway, "agency:1", d)
    assert not access.may_see_fence(gateway, None)
    everywhere = ("agency:1", "device:2")
    assert not access.may_see_attachment(gateway, gateway.address, POLICE, everywhere, None, d)
    assert access.audience(gateway, d).channels == frozenset()


def test_who_may_report_which_unit() -> None:
    d = rules(directory())

    def reports(who: Principal) -> set[int]:
        return {unit.id for unit in d.directory.units.values() if access.may_report(who, unit)}

    assert reports(person(ANA, d)) == set()
    assert reports(device(1, d)) == {CAR}
    assert reports(device(2, d)) == {CAR, COVERT}
    assert reports(device(3, d)) == {CAR, COVERT, BOAT, TRUCK}


def test_a_device_of_a_retired_unit_stands_for_nobody() -> None:
    """DOM-WHO-5."""
    d = directory()
    assert access.of_device(d.devices[4], d) is None


def test_a_filter_narrows_and_never_widens() -> None:
    shared = rules(directory(agreement(COAST, POLICE, units=BLURRED)))
    ana = person(ANA, shared)
    both = access.sight(ana, shared, None, None)
    assert both.audience.exact == {(POLICE, 0), (POLICE, COVERT)}
    assert both.audience.blurred == {(COAST, 0)}
    one = access.sight(ana, shared, None, frozenset({COAST, CUSTOMS}))
    assert one.audience.channels == {(COAST, 0)}
    assert both.fences == {None, POLICE}


def test_fences_of_other_agencies_are_not_seen() -> None:
    d = rules(directory(agreement(COAST, POLICE)))
    ana = person(ANA, d)
    seen = [access.may_see_fence(ana, owner) for owner in (None, POLICE, COAST)]
    assert seen == [True, True, False]


def test_an_audience_is_made_once_for_an_agency_and_apart_for_who_broke_a_glass() -> None:
    d = rules(directory(glasses=[glass(BEN, POLICE)]))
    assert d.audience(POLICE, ANA) is d.audience(POLICE, None) is d.audience(POLICE, 99)
    assert d.audience(COAST, BEN) is d.audience(COAST, BEN) is not d.audience(COAST, 99)


def test_equal_rules_are_equal_and_the_clock_alone_changes_them() -> None:
    of = directory(agreement(POLICE, COAST, ends=NOW + HOUR))
    assert rules(of) == rules(of, NOW + HOUR / 2)
    assert rules(of) != rules(of, NOW + HOUR)


# Against the rules in words (docs/access.md), written down a second time, for any set of rules.

moments = st.integers(-2, 2).map(lambda hours: NOW + hours * HOUR)
agencies = st.sampled_from([POLICE, COAST, CUSTOMS])
units = st.sampled_from([CAR, COVERT, BOAT, TRUCK, SCRAPPED])
precisions = st.sampled_from(list(Precision))
ends = st.none() | moments
agreements = st.builds(
    agreement,
    agencies,
    agencies,
    units=precisions,
    messages=st.booleans(),
    starts=moments,
    ends=ends,
)
exceptions = st.builds(exception, units, precisions, st.none() | agencies, moments, ends)
glasses = st.builds(glass, st.sampled_from([ANA, BEN, CYD]), agencies, moments, ends)
incidents = st.builds(incident, st.sets(agencies, max_size=3), st.sets(units, max_size=3), moments)


def said_in_words(
    who: Principal, unit: Unit, of: Directory, now: datetime
) -> tuple[Precision, bool]:
    """How it is shown, and whether it may be written to, by the four lines of the document."""
    if unit.agency == who.agency:
        return EXACT, True
    here = [e for e in of.exceptions if e.unit == unit.id and e.holds(now)]
    mine = [e.units for e in here if e.viewer == who.agency]
    talks = any(
        a.messages
        for a in of.agreements
        if (a.owner, a.viewer) == (unit.agency, who.agency) and a.holds(now)
    )
    broke = any(
        (g.person, g.owner) == (who.person, unit.agency) and g.holds(now) for g in of.glasses
    )
    if mine:
        return min(mine), min(mine) > NOTHING and (talks or broke)
    for each in of.incidents:
        there = {(m.agency, m.unit) for m in each.members if m.holds(now)}
        if {(who.agency, None), (None, unit.id)} <= there:
            return EXACT, True
    agreed = [
        a.units
        for a in of.agreements
        if (a.owner, a.viewer) == (unit.agency, who.agency) and a.holds(now)
    ]
    limit = min([EXACT, *(e.units for e in here if e.viewer is None)])
    best = max([NOTHING, *agreed, *([EXACT] if broke else [])])
    return min(limit, best), limit > NOTHING and (talks or broke)


@given(
    st.lists(agreements, max_size=5),
    st.lists(exceptions, max_size=4),
    st.lists(glasses, max_size=2),
    st.lists(incidents, max_size=2),
    moments,
)
def test_whatever_is_shared_it_is_as_the_document_says(
    agreed: list[Agreement],
    excepted: list[UnitException],
    broken: list[BrokenGlass],
    opened: list[Incident],
    now: datetime,
) -> None:
    """DOM-WHO-2, DOM-WHO-3."""
    d = directory(*agreed, exceptions=excepted, glasses=broken, incidents=opened)
    of = rules(d, now)
    for who in (person(ANA, of), person(BEN, of), person(CYD, of), device(1, of)):
        for unit in d.units.values():
            shown, writes = said_in_words(who, unit, d, now)
            assert access.precision(who, unit, of) is shown
            assert access.may_write(who, unit.address, of) is (writes and not unit.retired)
        every = access.sight(who, of, None, None).audience
        for wanted in ({POLICE}, {COAST, CUSTOMS}, set[int]()):
            narrowed = access.sight(who, of, None, frozenset(wanted)).audience
            assert narrowed.channels == {c for c in every.channels if c[0] in wanted}
    if d.channels[CAR] == (POLICE, 0):
        known = access.known_to(device(1, of), of)
        for viewer in (ANA, BEN, CYD):
            agency = d.people[viewer].agency
            without = Principal("person:99", "X", agency, ("dispatcher",), person=99)
            shown, writes = said_in_words(without, d.units[CAR], d, now)
            assert (agency in known) is (shown > NOTHING or writes)
