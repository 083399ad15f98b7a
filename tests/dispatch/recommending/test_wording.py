"""Reasons in words, in both languages."""

from __future__ import annotations

import re

import pytest

from dispatch.recommending import wording
from dispatch.recommending.arrival import Arrival, How
from dispatch.recommending.candidates import (
    FREE,
    UNKNOWN,
    Availability,
    Candidate,
    Need,
    Spot,
    State,
    Unfit,
)
from dispatch.recommending.ranking import LeftOut, Offer, Ranked

K9 = Need(1, frozenset({"car"}), frozenset({"k9"}))
BY_ROAD = Arrival(660.0, 14_200.0, How.ROAD)


def unit(age_s: float = 240.0, *, blurred: bool = False, can: str = "") -> Candidate:
    spot = Spot(-88.2, 17.5, age_s, blurred)
    return Candidate(1, 1, "P-1", "car", frozenset(can.split()), FREE, spot)


def offer(
    arrival: Arrival = BY_ROAD, *, who: Candidate | None = None, diverted: bool = False,
    tied: bool = False,
) -> Offer:  # fmt: skip
    return Offer(who or unit(can="k9"), arrival, arrival.seconds, diverted, tied)


def ranked(*left_out: LeftOut, need: Need = K9) -> Ranked:
    return Ranked(need, (), left_out, {How.OVER_WATER: 3, How.NO_WATER_LEADS: 1}, 2)


def test_a_reason_reads_as_a_dispatcher_would_say_it() -> None:
    assert wording.reason(offer(), ranked()) == (
        "free, by road 14 km in 11 min, has K9; position 4 min old"
    )
    assert wording.reason(offer(), ranked(), "es") == (
        "libre, por carretera 14 km en 11 min, tiene K9; posición de hace 4 min"
    )


@pytest.mark.parametrize(
    ("arrival", "english", "spanish"),
    [
        (
            Arrival(3_300.0, 42_600.0, How.SEA, True, 360.0),
            "by sea around land 23 nm in 55 min, then 360 m on foot",
            "por mar rodeando tierra 23 nm en 55 min, luego 360 m a pie",
        ),
        (
            Arrival(600.0, 7_500.0, How.SEA, False, 10.0),
            "by sea 4.0 nm in 10 min",
            "por mar 4.0 nm en 10 min",
        ),
        (
            Arrival(1_140.0, 14_000.0, How.STRAIGHT),
            "straight line × 1.4, no road known: 14 km in 19 min",
            "línea recta × 1.4, sin carretera conocida: 14 km en 19 min",
        ),
        (Arrival(20.0, 900.0, How.AIR), "by air 900 m in <1 min", "por aire 900 m en <1 min"),
        (
            Arrival(3_900.0, 5_400.0, How.FOOT),
            "on foot, straight line × 1.4: 5.4 km in 1 h 5 min",
            "a pie, línea recta × 1.4: 5.4 km en 1 h 5 min",
        ),
    ],
)
def test_how_somebody_comes(arrival: Arrival, english: str, spanish: str) -> None:
    assert wording.way(arrival) == english
    assert wording.way(arrival, "es") == spanish


def test_what_lowers_an_offer_is_said() -> None:
    """DOM-NEAR-4, 5, 6."""
    old = unit(2_400.0, blurred=True, can="k9")
    said = wording.reason(offer(who=old, diverted=True, tied=True), ranked())
    assert said == (
        "diverted from another incident, by road 14 km in 11 min, has K9, as soon as the one above;"
        " position 40 min old, counted as later; place known within ±1 km"
    )


def test_of_a_unit_that_is_not_shown_exactly_it_is_not_said_that_it_is_free() -> None:
    """DOM-STA-5."""
    unknown = unit(can="k9")._replace(state=UNKNOWN)
    assert wording.reason(offer(who=unknown), ranked()).startswith("status not shown, by road")
    assert wording.reason(offer(who=unknown), ranked(), "es").startswith("estado no mostrado, por")


def test_why_nearer_ones_were_left_out() -> None:
    """DOM-NEAR-7."""
    left = (
        LeftOut(unit(), BY_ROAD, Unfit.CAPABILITY),
        LeftOut(unit(), BY_ROAD, Unfit.CAPABILITY),
        LeftOut(unit()._replace(state=State(Availability.BUSY, 1)), BY_ROAD, Unfit.BUSY),
    )
    assert wording.nearer(ranked(*left)) == "3 nearer: 2 without K9, one on another incident"
    assert wording.nearer(ranked(*left), "es") == "3 más cerca: 2 sin K9, una en otro incidente"
    assert wording.nearer(ranked()) is None
    many = Need(1, capabilities=frozenset({"k9", "medic", "boat_licence"}))
    assert wording.nearer(ranked(left[0], need=many), "es") == (
        "1 más cerca: una sin licencia de lancha, K9 y paramédico"
    )


def test_who_else_fits_is_counted() -> None:
    """DOM-NEAR-3."""
    assert wording.others(ranked()) == [
        "3 cannot come by land: the place is on the water",
        "1 not on water from which a way there is known",
        "2 more, whose place is not known or not shown",
    ]
    assert [line[0] for line in wording.others(ranked(), "es")] == ["3", "1", "2"]


def test_both_languages_have_words_for_everything_and_the_same_numbers() -> None:
    comes = [how for how in How if how.comes]
    for how in comes:
        arrival = Arrival(4_000.0, 31_000.0, how, False, 120.0)
        numbers = [re.findall(r"\d+", wording.way(arrival, each)) for each in wording.LANGUAGES]
        assert numbers[0] == numbers[1]
    stays = {how: 1 for how in How if not how.comes}
    for language in wording.LANGUAGES:
        assert len(wording.others(Ranked(K9, (), (), stays, 0), language)) == len(stays)
        for why in (Unfit.AGENCY, Unfit.CAPABILITY, Unfit.OUT, Unfit.BUSY):
            assert wording.nearer(ranked(LeftOut(unit(), BY_ROAD, why)), language)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "<1 min"), (89, "1 min"), (3_540, "59 min"), (7_200, "2 h"), (300_000, "3 d")],
)
def test_minutes(seconds: float, said: str) -> None:
    assert wording.minutes(seconds) == said
