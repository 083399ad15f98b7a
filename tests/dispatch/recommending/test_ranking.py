"""Who is recommended, in which order, and who is left out (DOM-NEAR-1 to 8)."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.recommending import coast, ranking
from dispatch.recommending.arrival import How, Ways
from dispatch.recommending.candidates import (
    FREE,
    Availability,
    Candidate,
    Need,
    Spot,
    State,
    Unfit,
    unfit,
)
from dispatch.recommending.ranking import MOST_LATER_S, STALE_S, Recommendation, recommend

HERE = (-88.767, 17.251)
ANY = Need(1)
NONE: frozenset[str] = frozenset()


def car(
    number: int,
    km: float | None,
    *,
    state: State = FREE,
    can: str = "",
    kind: str = "car",
    age_s: float = 0.0,
    agency: int = 1,
) -> Candidate:
    """A unit so many kilometres west of the incident."""
    spot = None if km is None else Spot(HERE[0] - km / 106.4, HERE[1], age_s)
    return Candidate(number, agency, f"P-{number}", kind, frozenset(can.split()), state, spot)


def ask(needs: Sequence[Need], units: Sequence[Candidate], **more: int) -> Recommendation:
    return recommend(needs, units, Ways(), HERE, **more)


def ids(offers: Sequence[ranking.Offer]) -> list[int]:
    return [offer.candidate.id for offer in offers]


def busy(priority: int | None = 3) -> State:
    return State(Availability.BUSY, priority)


def test_the_one_who_can_be_there_first_is_first() -> None:
    """DOM-NEAR-2."""
    found = ask([ANY], [car(1, 9), car(2, 3), car(3, 6), car(4, 2, kind="foot")])
    assert ids(found.needs[0].offers) == [2, 3, 1, 4]


@pytest.mark.parametrize(
    ("need", "wanted"),
    [
        (Need(1, frozenset({"boat"})), []),
        (Need(1, frozenset({"car", "boat"})), [1, 2]),
        (Need(1, capabilities=frozenset({"k9"})), [2]),
        (Need(1, capabilities=frozenset({"k9", "medic"})), []),
        (Need(1, agencies=frozenset({2})), [2]),
    ],
)
def test_only_who_fits_is_offered(need: Need, wanted: list[int]) -> None:
    """DOM-NEAR-1."""
    found = ask([need], [car(1, 1), car(2, 2, can="k9 armed", agency=2)])
    assert ids(found.needs[0].offers) == wanted


def test_who_is_out_of_service_or_here_already_is_not_offered() -> None:
    out, here = State(Availability.OUT), State(Availability.HERE)
    found = ask([ANY], [car(1, 1, state=out), car(2, 2, state=here), car(3, 3)])
    assert ids(found.needs[0].offers) == [3]
    assert [each.why for each in found.needs[0].left_out] == [Unfit.OUT]


@pytest.mark.parametrize(("own", "theirs", "offered"), [
    (1, 3, True), (3, 3, False), (4, 3, False), (None, 3, False), (1, None, False),
])  # fmt: skip
def test_only_a_higher_priority_takes_a_unit_from_another_incident(
    own: int | None, theirs: int | None, offered: bool
) -> None:
    """DOM-NEAR-4."""
    found = recommend([ANY], [car(1, 1, state=busy(theirs))], Ways(), HERE, own)
    assert [each.diverted for each in found.needs[0].offers] == [True] * offered
    assert [each.why for each in found.needs[0].left_out] == [Unfit.BUSY] * (not offered)


def test_whoever_is_diverted_stands_below_all_who_are_free() -> None:
    """DOM-NEAR-4."""
    found = ask([ANY], [car(1, 1, state=busy()), car(2, 30)], priority=1)
    assert ids(found.needs[0].offers) == [2, 1]


def test_an_old_position_counts_as_later_and_never_by_more_than_an_hour() -> None:
    """DOM-NEAR-5."""
    units = [car(1, 1, age_s=STALE_S + 1_000), car(2, 2, age_s=STALE_S), car(3, 1, age_s=9e9)]
    found = ask([ANY], units)
    assert ids(found.needs[0].offers) == [2, 1, 3]
    later = [each.counted_s - each.arrival.seconds for each in found.needs[0].offers]
    assert later == pytest.approx([0, 1_000, MOST_LATER_S])


def test_equals_are_told_and_stand_by_agency_and_callsign() -> None:
    """DOM-NEAR-6."""
    units = [car(3, 2), car(1, 2), car(2, 2, agency=0), car(4, 20)]
    found = ask([ANY], units).needs[0].offers
    assert ids(found) == [2, 1, 3, 4]
    assert [each.tied for each in found] == [False, True, True, False]


def test_nearer_ones_that_do_not_fit_are_told_with_the_reason() -> None:
    """DOM-NEAR-7."""
    need = Need(1, frozenset({"car"}), frozenset({"k9"}))
    units = [
        car(1, 10, can="k9"), car(2, 1), car(3, 2, can="k9", state=busy()), car(4, 20),
        car(5, 1, kind="foot", can="k9"),
    ]  # fmt: skip
    found = ask([need], units).needs[0]
    told = [(each.candidate.id, each.why) for each in found.left_out]
    assert told == [(2, Unfit.CAPABILITY), (3, Unfit.BUSY)]


def test_whose_place_is_not_shown_is_counted_and_not_ranked() -> None:
    found = ask([ANY, Need(1, frozenset({"boat"}))], [car(1, None), car(2, 4)])
    assert [ranked.unplaced for ranked in found.needs] == [1, 0]
    assert ids(found.needs[0].offers) == [2]


def test_who_cannot_come_at_all_is_counted_by_why() -> None:
    """DOM-NEAR-3."""
    ways = Ways(None, coast.sea_chart(), coast.landmasses())
    boat = Candidate(2, 1, "B-2", "boat", NONE, FREE, Spot(-88.18, 17.48, 0.0))
    found = recommend([ANY], [car(1, 3), boat], ways, (-87.70, 17.30))
    assert ids(found.needs[0].offers) == [2]
    assert found.needs[0].cannot == {How.OVER_WATER: 1}


def test_a_team_has_nobody_twice_and_takes_least_time_together() -> None:
    """DOM-NEAR-8: the dog nearest of all is kept for where no other can go."""
    dog, any_car = Need(1, capabilities=frozenset({"k9"})), Need(1, frozenset({"car"}))
    units = [car(1, 1, can="k9"), car(2, 2), car(3, 40, can="k9")]
    for needs in ([any_car, dog], [dog, any_car]):
        found = ask(needs, units)
        team = {
            need.capabilities: ids(chosen) for need, chosen in zip(needs, found.team, strict=True)
        }
        assert team == {any_car.capabilities: [2], dog.capabilities: [1]}
        assert found.missing == (0, 0)


def test_a_team_is_filled_as_far_as_there_are_units_the_free_ones_first() -> None:
    """DOM-NEAR-8."""
    found = ask([Need(3)], [car(1, 1, state=busy()), car(2, 50)], priority=1)
    assert (ids(found.team[0]), found.missing) == ([2, 1], (1,))
    alone = ask([Need(1)], [car(1, 1, state=busy()), car(2, 50)], priority=1)
    assert ids(alone.team[0]) == [2]


def test_nobody_and_nothing_needed() -> None:
    assert ask([ANY], []).missing == (1,)
    assert ask([], [car(1, 1)]) == Recommendation((), ())


def test_no_more_are_offered_than_wanted_unless_the_plan_needs_them() -> None:
    units = [car(number, number) for number in range(1, 31)]
    assert len(ask([ANY], units, wanted=4).needs[0].offers) == 4
    assert len(ask([Need(12)], units, wanted=4).team[0]) == 12


WORDS = st.frozensets(st.sampled_from(["k9", "medic", "boat"]), max_size=2)
KINDS = st.sampled_from(["car", "boat", "foot", "aircraft"])
STATES = st.builds(State, st.sampled_from(Availability), st.one_of(st.none(), st.integers(1, 5)))
SPOTS = st.one_of(
    st.none(),
    st.builds(
        Spot,
        st.floats(-89.0, -87.7),
        st.floats(16.2, 18.4),
        st.sampled_from([0.0, 60.0, 1_000.0, 1e6]),
        st.booleans(),
    ),
)
UNITS = st.lists(
    st.tuples(st.integers(1, 3), KINDS, WORDS, STATES, SPOTS), max_size=30
).map(lambda drawn: [
    Candidate(n, agency, f"U-{n % 4}", kind, can, state, spot)
    for n, (agency, kind, can, state, spot) in enumerate(drawn)
])  # fmt: skip
NEEDS = st.lists(
    st.builds(
        Need,
        st.integers(1, 3),
        st.frozensets(KINDS, max_size=2),
        st.frozensets(st.sampled_from(["k9", "medic"]), max_size=1),
        st.frozensets(st.integers(1, 3), max_size=2),
    ),
    max_size=3,
)
WAYS = Ways(None, coast.sea_chart(), coast.landmasses())
PLACES = st.sampled_from([HERE, (-88.185, 17.49), (-87.961, 17.921), (-87.7, 17.3)])


@given(NEEDS, UNITS, PLACES, st.one_of(st.none(), st.integers(1, 5)), st.integers(1, 12))
def test_whatever_there_is_the_rules_hold(
    needs: list[Need],
    units: list[Candidate],
    place: tuple[float, float],
    priority: int | None,
    wanted: int,
) -> None:
    found = recommend(needs, units, WAYS, place, priority, wanted)
    for ranked in found.needs:
        for offer in ranked.offers:  # DOM-NEAR-1
            assert unfit(ranked.need, offer.candidate, priority) is None
            assert offer.arrival.how.comes
        order = [(each.diverted, each.counted_s) for each in ranked.offers]
        assert order == sorted(order)  # DOM-NEAR-2, 4
        fits = [each for each in units if unfit(ranked.need, each, priority) is None]
        comes = len(fits) - sum(ranked.cannot.values())
        most = max(wanted, sum(need.count for need in needs))
        assert len(ranked.offers) == min(comes, most)
        first = min((each.arrival.seconds for each in ranked.offers[:1]), default=float("inf"))
        assert all(each.arrival.seconds < first for each in ranked.left_out)  # DOM-NEAR-7
    chosen = [each.candidate.id for team in found.team for each in team]
    assert len(chosen) == len(set(chosen))  # DOM-NEAR-8
    for ranked, team in zip(found.needs, found.team, strict=True):
        assert len(team) <= ranked.need.count
        assert set(team) <= set(ranked.offers) or all(
            unfit(ranked.need, each.candidate, priority) is None for each in team
        )


@given(NEEDS, UNITS, PLACES, st.randoms(use_true_random=False))
def test_the_order_in_which_units_come_changes_nothing(
    needs: list[Need],
    units: list[Candidate],
    place: tuple[float, float],
    chance: random.Random,
) -> None:
    """DOM-NEAR-6."""
    mixed = units[:]
    chance.shuffle(mixed)
    assert recommend(needs, mixed, WAYS, place, 2) == recommend(needs, units, WAYS, place, 2)


@given(UNITS, PLACES)
def test_looking_in_rounds_finds_what_looking_at_all_finds(
    units: list[Candidate], place: tuple[float, float]
) -> None:
    """DOM-NEAR-2: nobody who was not looked at is nearer."""
    few = recommend([ANY], units, WAYS, place, 2, wanted=2).needs[0].offers
    every = recommend([ANY], units, WAYS, place, 2, wanted=1_000).needs[0].offers
    assert few == every[: len(few)]


def test_units_far_and_near_in_many_rounds() -> None:
    units = [car(n, 0.5 * n) for n in range(1, 200)]
    nearest = ask([ANY], units, wanted=5).needs[0].offers
    assert ids(nearest) == [1, 2, 3, 4, 5]
    dogs = [car(n, 0.5 * n, can="k9" if n % 50 == 0 else "") for n in range(1, 200)]
    two = ask([ANY, Need(1, capabilities=frozenset({"k9"}))], dogs, wanted=3)
    assert [ids(ranked.offers) for ranked in two.needs] == [[1, 2, 3], [50, 100, 150]]
    assert len(two.needs[1].left_out) == ranking.NEARER
    pairs = itertools.pairwise(two.needs[1].left_out)
    assert all(before.arrival.seconds <= after.arrival.seconds for before, after in pairs)
