"""The live picture: which positions are believed (docs/domain.md, DOM-PIC)."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.fences import Fence, FenceIndex
from psn import wire
from psn.picture.tracking import (
    AGREEING_FIXES,
    CLOCK_AHEAD_MS,
    OLDEST_MS,
    LivePicture,
    PositionRefused,
    Standing,
    distance_m,
    reachable,
    seat_of,
)

NOW = 1_795_478_000_000
HOME = (-881_900_000, 174_900_000)
FAR = (-889_000_000, 160_000_000)


def fix(time: int = NOW, lon: int = HOME[0], lat: int = HOME[1], unit: int = 1) -> wire.Fix:
    return wire.Fix(unit, time, lon, lat)


def nowhere() -> LivePicture:
    return LivePicture(FenceIndex([]))


def test_the_first_position_is_shown() -> None:
    picture = nowhere()
    taken = picture.take(fix(), "car", NOW)
    assert taken.standing is Standing.SHOWN
    assert picture.newest[1].fix == fix()
    assert picture.newest[1].received == NOW


def test_older_and_equal_are_kept_and_not_shown() -> None:
    """DOM-PIC-1."""
    picture = nowhere()
    picture.take(fix(NOW), "car", NOW)
    for time in (NOW, NOW - 1, NOW - 60_000):
        assert picture.take(fix(time), "car", NOW).standing is Standing.OLDER
    assert picture.newest[1].fix.time == NOW


@pytest.mark.parametrize(
    ("time", "code"),
    [
        (NOW + CLOCK_AHEAD_MS + 1, "clock_ahead"),
        (4_133_980_800_000, "clock_ahead"),  # the year 2101
        (NOW - OLDEST_MS - 1, "too_old"),
        (0, "too_old"),
    ],
)
def test_times_that_cannot_be_true_are_refused(time: int, code: str) -> None:
    """DOM-PIC-2."""
    picture = nowhere()
    with pytest.raises(PositionRefused) as refused:
        picture.take(fix(time), "car", NOW)
    assert refused.value.code == code
    assert refused.value.text and refused.value.todo
    assert picture.newest == {}


@pytest.mark.parametrize("time", [NOW + CLOCK_AHEAD_MS, NOW - OLDEST_MS])
def test_times_at_the_very_edge_are_taken(time: int) -> None:
    assert nowhere().take(fix(time), "car", NOW).standing is Standing.SHOWN


def test_a_jump_is_not_shown_until_others_agree() -> None:
    """DOM-PIC-3."""
    picture = nowhere()
    picture.take(fix(NOW - 10_000), "car", NOW)
    standings = [
        picture.take(fix(NOW - 9_000 + 1_000 * n, *FAR), "car", NOW).standing
        for n in range(AGREEING_FIXES)
    ]
    assert standings == [Standing.IMPLAUSIBLE] * (AGREEING_FIXES - 1) + [Standing.SHOWN]
    assert (picture.newest[1].fix.lon, picture.newest[1].fix.lat) == FAR


def test_jumps_that_do_not_agree_with_each_other_are_never_shown() -> None:
    picture = nowhere()
    picture.take(fix(NOW - 100_000), "car", NOW)
    for n in range(20):
        place = (FAR[0] + (n % 2) * 50_000_000, FAR[1])
        taken = picture.take(fix(NOW - 99_000 + 1_000 * n, *place), "car", NOW)
        assert taken.standing is Standing.IMPLAUSIBLE
    assert (picture.newest[1].fix.lon, picture.newest[1].fix.lat) == HOME


def test_a_good_fix_between_forgets_the_bad_ones() -> None:
    picture = nowhere()
    picture.take(fix(NOW - 10_000), "car", NOW)
    for n in range(1, AGREEING_FIXES):
        picture.take(fix(NOW - 10_000 + n * 1_000, *FAR), "car", NOW)
    assert picture.take(fix(NOW - 5_000), "car", NOW).standing is Standing.SHOWN
    assert picture.take(fix(NOW - 4_000, *FAR), "car", NOW).standing is Standing.IMPLAUSIBLE


def test_an_aircraft_may_do_what_a_car_may_not() -> None:
    a, b = fix(NOW - 1_000), fix(NOW, HOME[0] + 25_000, HOME[1])  # some 265 m in a second
    for kind, standing in (("car", Standing.IMPLAUSIBLE), ("aircraft", Standing.SHOWN)):
        picture = nowhere()
        picture.take(a, kind, NOW)
        assert picture.take(b, kind, NOW).standing is standing


def test_distance_holds_across_180_degrees_and_at_the_poles() -> None:
    east, west = fix(lon=1_799_999_000, lat=0), fix(lon=-1_799_999_000, lat=0)
    assert distance_m(east, west) == pytest.approx(22.3, abs=0.2)
    pole_a, pole_b = fix(lon=0, lat=900_000_000), fix(lon=1_800_000_000, lat=900_000_000)
    assert distance_m(pole_a, pole_b) == pytest.approx(0, abs=0.1)
    assert reachable(pole_a, pole_b, 1.0)


def test_fences_are_entered_and_left_once() -> None:
    """DOM-PIC-6."""
    square = Fence(7, "port", None, shapely.box(-88.2, 17.48, -88.18, 17.5))
    picture = LivePicture(FenceIndex([square]))
    outside, inside = (-882_500_000, 174_900_000), (-881_900_000, 174_900_000)
    crossed = []
    for n, place in enumerate((outside, inside, inside, outside, outside)):
        taken = picture.take(fix(NOW - 500_000 + n * 100_000, *place), "car", NOW)
        crossed.append((set(taken.entered), set(taken.left)))
    assert crossed == [(set(), set()), ({7}, set()), (set(), set()), (set(), {7}), (set(), set())]


def test_a_restart_makes_no_crossing() -> None:
    """DOM-PIC-6, DOM-PIC-8."""
    square = Fence(7, "port", None, shapely.box(-88.2, 17.48, -88.18, 17.5))
    picture = LivePicture(FenceIndex([square]))
    picture.restore(fix(NOW - 60_000), NOW - 60_000)
    taken = picture.take(fix(NOW), "car", NOW)
    assert (taken.standing, set(taken.entered), set(taken.left)) == (Standing.SHOWN, set(), set())


def test_a_fix_that_is_not_shown_crosses_nothing() -> None:
    square = Fence(7, "port", None, shapely.box(-88.2, 17.48, -88.18, 17.5))
    picture = LivePicture(FenceIndex([square]))
    picture.take(fix(NOW), "car", NOW)
    older = picture.take(fix(NOW - 1_000, *FAR), "car", NOW)
    assert (set(older.entered), set(older.left)) == (set(), set())
    assert picture.newest[1].inside == {7}


def test_a_retired_unit_has_no_place() -> None:
    picture = nowhere()
    picture.take(fix(), "car", NOW)
    picture.forget(1)
    picture.forget(1)
    assert picture.newest == {}


fixes = st.builds(
    wire.Fix,
    unit=st.integers(1, 3),
    time=st.integers(NOW - 2 * OLDEST_MS, NOW + 2 * CLOCK_AHEAD_MS),
    lon=st.integers(-1_800_000_000, 1_800_000_000),
    lat=st.integers(-900_000_000, 900_000_000),
    speed=st.none() | st.integers(0, 100_000),
    heading=st.none() | st.integers(0, 35_999),
    accuracy=st.none() | st.integers(0, 10_000_000),
)


@given(st.lists(fixes, max_size=60))
def test_whatever_comes_a_seat_never_goes_back_in_time(given_fixes: list[wire.Fix]) -> None:
    """DOM-PIC-1, DOM-PIC-2: for any sequence of fixes."""
    picture = nowhere()
    newest: dict[int, int] = {}
    for one in given_fixes:
        try:
            taken = picture.take(one, "boat", NOW)
        except PositionRefused:
            assert one.time > NOW + CLOCK_AHEAD_MS or one.time < NOW - OLDEST_MS
            continue
        if taken.standing is Standing.SHOWN:
            assert one.time > newest.get(one.unit, -1)
            newest[one.unit] = one.time
            assert seat_of(picture.newest[one.unit].fix).time == one.time
        assert len(taken.newest.suspects) < AGREEING_FIXES
    assert {unit: kept.fix.time for unit, kept in picture.newest.items()} == newest
