"""Recommendations from a running server's picture, for somebody with rights."""

from __future__ import annotations

import pytest
from stage import BOAT, BPD, CAR, COVERT, HERE, PATROL, TRUCK, Stage, now_ms

from dispatch.recommending.candidates import UNKNOWN, Availability, Candidate, Need, State
from dispatch.recommending.recommender import Recommender, candidates
from dispatch.roads.held_roads import HeldRoads
from geo import grid
from geo.coordinates import CoordinateError
from psn import access, wire
from psn.access import Principal
from psn.problems import Problem

PLACE = (HERE[0] / 1e7, HERE[1] / 1e7)
ANY = Need(1)


def put(stage: Stage, unit: int, east_m: int = 0, age_s: int = 0) -> None:
    """A unit reported from east of the place, some time ago."""
    lon = HERE[0] + round(east_m * 1e7 / 106_400)
    fix = wire.Fix(unit, now_ms() - 1_000 * age_s, lon, HERE[1])
    stage.core.picture.restore(fix, now_ms())


def of(stage: Stage, name: str) -> Principal:
    return access.of_person(stage.core.directory.people_by_name[name])


def found_for(stage: Stage, name: str) -> dict[int, Candidate]:
    core = stage.core
    newest = core.picture.newest
    units = candidates(of(stage, name), core.rules, newest, now_ms(), {}, {})
    return {each.id: each for each in units}


async def test_everyone_is_offered_whom_he_may_see_and_nobody_else(stage: Stage) -> None:
    for unit in (CAR, PATROL, BOAT, COVERT, TRUCK):
        put(stage, unit)
    assert set(found_for(stage, "ana")) == {CAR, PATROL, COVERT, BOAT}
    assert set(found_for(stage, "ben")) == {CAR, PATROL, BOAT}
    assert set(found_for(stage, "cyd")) == {TRUCK}
    recommender = Recommender(stage.core, HeldRoads(), 1.2)
    for name, seen in (("ben", {CAR, PATROL, BOAT}), ("cyd", {TRUCK})):
        found = await recommender.recommend(of(stage, name), PLACE, [ANY])
        assert {each.candidate.id for each in found.needs[0].offers} == seen
        assert found.needs[0].unplaced == 0


async def test_the_nearest_is_first_and_what_the_caller_knows_counts(stage: Stage) -> None:
    put(stage, CAR, east_m=300)
    put(stage, PATROL, east_m=900)
    recommender = Recommender(stage.core, HeldRoads(), 1.2)
    need = Need(1, frozenset({"car"}), frozenset({"k9"}), frozenset({BPD}))
    ana, can = of(stage, "ana"), {CAR: frozenset({"k9"}), PATROL: frozenset({"k9"})}
    both = await recommender.recommend(ana, PLACE, [need], capabilities=can)
    assert [each.candidate.callsign for each in both.needs[0].offers] == ["P-1", "P-2"]
    busy = {CAR: State(Availability.BUSY, 2)}
    one = await recommender.recommend(ana, PLACE, [need], capabilities=can, states=busy)
    assert [each.candidate.callsign for each in one.needs[0].offers] == ["P-2"]
    taken = await recommender.recommend(
        ana, PLACE, [need], capabilities=can, states=busy, priority=1
    )
    assert [each.diverted for each in taken.needs[0].offers] == [False, True]


async def test_a_blurred_unit_is_ranked_by_the_square_on_the_map(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stage, TRUCK, east_m=250, age_s=30)
    blurred = access.Audience(blurred=frozenset({(3, 0)}))
    monkeypatch.setattr(access, "audience", lambda who, rules: blurred)
    (truck,) = found_for(stage, "ana").values()
    newest = stage.core.picture.newest[TRUCK]
    lon, lat = grid.middle(newest.fix.lon, newest.fix.lat)
    assert truck.spot is not None and truck.spot.blurred
    assert (truck.spot.lon, truck.spot.lat) == (lon / 1e7, lat / 1e7)
    assert truck.state == UNKNOWN
    presence = access.Audience(presence=frozenset({(3, 0)}))
    monkeypatch.setattr(access, "audience", lambda who, rules: presence)
    assert found_for(stage, "ana")[TRUCK].spot is None


async def test_a_unit_that_never_reported_has_no_place_and_a_clock_ahead_no_negative_age(
    stage: Stage,
) -> None:
    put(stage, CAR, age_s=-60)
    found = found_for(stage, "ana")
    assert found[PATROL].spot is None
    spot = found[CAR].spot
    assert spot is not None and spot.age_s == 0


async def test_places_that_cannot_be_meant_are_refused(stage: Stage) -> None:
    recommender = Recommender(stage.core, HeldRoads(), 1.2)
    ana = of(stage, "ana")
    for place in ((-140.0, 10.0), (0.0, 0.0), (17.25, -88.77)):
        with pytest.raises(Problem) as told:
            await recommender.recommend(ana, place, [ANY])
        assert told.value.code == "far_away"
    with pytest.raises(CoordinateError):
        await recommender.recommend(ana, (float("nan"), 17.0), [ANY])
