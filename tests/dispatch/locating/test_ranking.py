"""Which place is meant by a name: the policy alone, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.locating.ranking import Fit, Place, likeness, ranked, road_meant
from geo import belize, gazetteer
from geo.gazetteer import essential, folded

BPD, BCG = 1, 2
SETTLEMENTS = [
    Place(n, None, e.name, e.kind, e.other_names, None, e.population, e.lon, e.lat)
    for n, e in enumerate(gazetteer.country(), 1)
]


def place(number: int, name: str, agency: int | None = None, **more: object) -> Place:
    row = Place(number, agency, name, "landmark", (), None, 0, -88.2, 17.5)
    return row._replace(**more)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("San Pedro", "San Pedro"),
        ("Sanpedro", "San Pedro"),
        ("san pdero", "San Pedro"),
        ("Cay Caulker", "Caye Caulker"),
        ("Caye Corker", "Caye Caulker"),
        ("key caulker", "Caye Caulker"),
        ("belmopn", "Belmopan"),
        ("BELMOPÁN", "Belmopan"),
        ("San Ignasio", "San Ignacio"),
        ("Dangrega", "Dangriga"),
        ("Orange Walk Town", "Orange Walk"),
        ("orangewalk", "Orange Walk"),
        ("corozal town", "Corozal"),
        ("Benque", "Benque Viejo el Carmen"),
        ("Succotz", "San Jose Soccoths"),
        ("placentia", "Placencia"),
        ("Lords Bank", "Lord's Bank"),
        ("Boom", "Burrell Boom"),
        ("mango creek", "Independence and Mango Creek"),
        ("Belize", "Belize City"),
        ("Orang Wolk", "Orange Walk"),
        ("kay kolker", "Caye Caulker"),
        ("plasensia", "Placencia"),
        ("ladivil", "Ladyville"),
        ("belise citi", "Belize City"),
    ],
)
def test_names_are_found_however_they_are_spelt(typed: str, name: str) -> None:
    """DOM-PLACE-3."""
    assert ranked(typed, SETTLEMENTS, BPD)[0].place.name == name


def test_every_settlement_is_the_first_of_its_own_name() -> None:
    for each in SETTLEMENTS:
        first = ranked(each.name, SETTLEMENTS, BPD)[0]
        assert (folded(first.place.name), first.fit) == (folded(each.name), Fit.SAME)


def test_the_largest_of_a_name_comes_first_and_from_nearby_the_nearest() -> None:
    """DOM-PLACE-3."""
    same = [r.place for r in ranked("San Pedro", SETTLEMENTS, BPD) if r.fit is Fit.SAME]
    assert len(same) >= 3
    assert [p.population for p in same] == sorted((p.population for p in same), reverse=True)
    for wanted in same:
        near = (wanted.lon + 0.01, wanted.lat)
        assert ranked("San Pedro", SETTLEMENTS, BPD, near)[0].place == wanted


def test_among_equals_the_own_agencys_comes_first_even_when_it_is_further() -> None:
    """DOM-PLACE-3."""
    near, far = place(1, "Fort"), place(2, "Fort", BPD, lon=-89.0)
    assert [r.place.id for r in ranked("fort", [near, far], BPD, (-88.2, 17.5))] == [2, 1]
    assert [r.place.id for r in ranked("fort", [near, far], BCG, (-88.2, 17.5))] == [1, 2]


def test_the_whole_name_comes_before_its_beginning_and_that_before_likeness() -> None:
    rows = [place(1, "Sam Pedra"), place(2, "San Pedro pier", BPD), place(3, "San Pedro"),
            place(4, "Old San Pedro gate")]  # fmt: skip
    found = ranked("san pedro", rows, BPD)
    assert [(r.place.id, r.fit) for r in found] == [
        (3, Fit.SAME), (2, Fit.BEGINNING), (4, Fit.WORDS), (1, Fit.LIKE)
    ]  # fmt: skip


def test_another_name_counts_as_much_and_is_told() -> None:
    house = place(1, "Government House", other_names=("Big House", "The Big House"))
    (found,) = ranked("the big house", [house], BPD)
    assert (found.fit, found.name) == (Fit.SAME, "The Big House")


@pytest.mark.parametrize("typed", ["", "!!!", "Zzyzx", "👍", "مرحبا"])
def test_what_is_like_nothing_finds_nothing_that_is_unlike(typed: str) -> None:
    assert all(r.fit is not Fit.LIKE for r in ranked(typed, SETTLEMENTS, BPD))


@given(st.text(max_size=40), st.floats(-180, 180), st.floats(-90, 90))
def test_any_text_is_ranked_best_first(typed: str, lon: float, lat: float) -> None:
    found = ranked(typed, SETTLEMENTS[:40], BPD, (lon, lat))
    assert [r.fit for r in found] == sorted(r.fit for r in found)
    assert len({r.place.id for r in found}) == len(found)


@given(st.sampled_from([p.name for p in belize.places()]), st.data())
def test_one_wrong_letter_in_a_long_name_still_finds_it(name: str, data: st.DataObject) -> None:
    if len(name) < 8:
        return
    at = data.draw(st.integers(1, len(name) - 1))
    typed = name[:at] + name[at + 1 :]
    assert name in [r.place.name for r in ranked(typed, SETTLEMENTS, BPD)[:10]]


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_a_part_and_whole_with_itself(one: str, other: str) -> None:
    a, b = folded(one), folded(other)
    assert 0 <= likeness(a, b) <= 1
    assert not a or likeness(a, a) == 1


def test_a_last_word_that_says_only_what_it_is_does_not_count() -> None:
    assert essential("Orange Walk Town") == essential("orange  walk") == "orange walk"
    assert essential("Town") == "town"


@pytest.mark.parametrize(
    ("typed", "road"),
    [
        ("George Price Highway", "George Price Highway"),
        ("geroge price hwy", "George Price Highway"),
        ("Goldson", "Philip Goldson Highway"),
        ("Phillip Goldson Hwy", "Philip Goldson Highway"),
        ("Hummingbird", "Hummingbird Highway"),
        ("Bayshore Boulevard", None),
        ("", None),
    ],
)
def test_a_road_is_found_by_a_part_of_its_name(typed: str, road: str | None) -> None:
    roads = ["George Price Highway", "Philip Goldson Highway", "Hummingbird Highway"]
    assert road_meant(typed, roads) == road
    assert road_meant(typed, []) is None


def test_roads_that_were_renamed_are_called_both() -> None:
    assert gazetteer.road_named("Northern highway") == "Philip Goldson Highway"
    assert gazetteer.road_named("Coastal Road") == "Coastal Road"
