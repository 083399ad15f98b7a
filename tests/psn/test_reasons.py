"""Why somebody is shown a unit: the words go down the same list as the decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from psn import access, reasons, roles
from psn.directory import (
    Agency,
    Agreement,
    BrokenGlass,
    Directory,
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
AGENCIES = {
    number: Agency(number, name[:3].upper(), name, "#123456")
    for number, name in ((POLICE, "Police"), (COAST, "Coast Guard"), (CUSTOMS, "Customs"))
}
CAR = Unit(1, POLICE, "P-1", "car", None, False)
COVERT = Unit(2, POLICE, "X-1", "car", None, False)
UNITS = {
    1: CAR,
    2: COVERT,
    3: Unit(3, COAST, "B-1", "boat", None, False),
    4: Unit(4, CUSTOMS, "C-1", "car", None, True),
}
BEN = Person(5, COAST, "ben", "Ben Usher", ("dispatcher",), None, False)


def directory(
    agreements: Iterable[Agreement] = (),
    exceptions: Iterable[UnitException] = (),
    glasses: Iterable[BrokenGlass] = (),
    incidents: Iterable[Incident] = (),
    people: Iterable[Person] = (BEN,),
) -> Directory:
    return Directory(
        AGENCIES,
        {each.id: each for each in people},
        UNITS,
        {},
        {},
        tuple(agreements),
        {},
        exceptions=tuple(exceptions),
        glasses=tuple(glasses),
        incidents=tuple(incidents),
    )


def told(unit: Unit, agency: int, reader: int, of: Directory, person: int | None = None) -> str:
    return " | ".join(reasons.to_agency(agency, unit, of, NOW, reader, person).sentences)


AGREED = Agreement(NOW - HOUR, None, 2, POLICE, COAST, Precision.EXACT, True, "patrols", "a")
HIDDEN = UnitException(
    NOW - HOUR, NOW + 24 * HOUR, 4, COVERT.id, None, Precision.NOTHING, "order 7/2026", "a"
)


def test_an_undercover_unit_is_explained_to_its_own_agency() -> None:
    of = directory([AGREED], [HIDDEN])
    assert told(COVERT, COAST, POLICE, of) == (
        "No exception names X-1 and Coast Guard."
        " | It is in no open incident in which Coast Guard takes part."
        " | Agreement 2 shows units of Police to Coast Guard exactly (patrols, without an end)."
        " | Undercover: shown to nobody outside Police, by exception 4"
        " (order 7/2026, until 25 Nov 2026, 06:00)."
    )


def test_what_another_agency_decided_is_not_explained() -> None:
    named = UnitException(
        NOW - HOUR, None, 9, COVERT.id, COAST, Precision.BLURRED, "informant", "a"
    )
    words = told(COVERT, COAST, COAST, directory([AGREED], [HIDDEN, named]))
    assert words == "By an exception Police shows it to Coast Guard within a square kilometre."
    limit = UnitException(NOW - HOUR, None, 9, CAR.id, None, Precision.PRESENCE, "informant", "a")
    words = told(CAR, COAST, COAST, directory([AGREED], [limit]))
    assert words.endswith(
        "But Police shows this unit to others at most by name only, without its place."
    )
    assert "informant" not in words


def test_incidents_and_glass_are_named() -> None:
    incident = Incident(
        7,
        POLICE,
        frozenset({Member(NOW, None, COAST, None), Member(NOW, None, None, COVERT.id)}),
        "P-26-00007",
    )
    of = directory([], [HIDDEN], incidents=[incident])
    assert "assigned to incident 7, in which Coast Guard takes part" in told(
        COVERT, COAST, POLICE, of
    )
    glass = BrokenGlass(NOW, NOW + HOUR, 1, BEN.id, POLICE, "sinking")
    words = told(CAR, COAST, POLICE, directory(glasses=[glass]), BEN.id)
    assert "Ben Usher has broken the glass of Police (sinking, until 24 Nov 2026, 07:00)" in words
    assert "glass" not in told(CAR, COAST, POLICE, directory(glasses=[glass]))


def test_own_units_and_roles_without_a_map() -> None:
    of = directory()
    assert told(CAR, POLICE, POLICE, of) == "P-1 is one of Police's own."
    auditor = Person(6, COAST, "al", "Al", ("auditor",), None, False)
    why = reasons.to_principal(access.of_person(auditor), CAR, access.rules(of, NOW), NOW, POLICE)
    assert why.precision is Precision.NOTHING
    assert why.sentences == (
        "Units are shown to dispatchers and the like; the roles of Al are: auditor.",
    )


moments = st.sampled_from([NOW - 2 * HOUR, NOW - HOUR, NOW, NOW + HOUR])
ends = st.none() | moments
agencies = st.sampled_from(list(AGENCIES))
units = st.sampled_from(list(UNITS))
precisions = st.sampled_from(Precision)
persons = st.integers(1, 4)


def some(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[list[object]]:
    return st.lists(strategy, max_size=5)


people = st.builds(
    lambda held: [
        Person(n, 1 + n % 3, f"p{n}", f"Person {n}", tuple(roles), None, False)
        for n, roles in enumerate(held, 1)
    ],
    st.lists(
        st.lists(st.sampled_from(roles.PEOPLES), max_size=2, unique=True), min_size=4, max_size=4
    ),
)
directories = st.builds(
    directory,
    some(
        st.builds(
            Agreement, moments, ends, st.integers(1, 9), agencies, agencies, precisions,
            st.booleans(), st.just("r"), st.just("a"),
        ).filter(lambda each: each.owner != each.viewer)
    ),
    some(
        st.builds(
            UnitException, moments, ends, st.integers(1, 9), units, st.none() | agencies,
            precisions, st.just("r"), st.just("a"),
        )
    ),
    some(
        st.builds(
            BrokenGlass, moments, moments, st.integers(1, 9), persons, agencies, st.just("r")
        )
    ),
    some(
        st.builds(
            Incident,
            st.integers(1, 9),
            agencies,
            st.frozensets(
                st.builds(Member, moments, ends, agencies, st.none())
                | st.builds(Member, moments, ends, st.none(), units),
                max_size=4,
            ),
        )
    ),
    people,
)  # fmt: skip


@settings(max_examples=400)
@given(directories)
def test_the_words_and_the_decision_never_differ(of: Directory) -> None:
    rules = access.rules(of, NOW)
    for unit in of.units.values():
        for reader in of.agencies:
            for agency in of.agencies:
                why = reasons.to_agency(agency, unit, of, NOW, reader)
                assert why.precision is rules.sharing.precision(unit, agency)
                assert why.sentences
            for each in of.people.values():
                who = access.of_person(each)
                why = reasons.to_principal(who, unit, rules, NOW, reader)
                assert why.precision is access.precision(who, unit, rules)
                assert why.sentences
