"""What tags say about driving."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.roads.osm_tags import OF_LIMIT, UNPAVED_KM_H, driving, limit


@pytest.mark.parametrize(
    ("said", "km_h"),
    [
        ("50", 50), ("50 km/h", 50), ("30 mph", 48.28), ("40mph", 64.37), ("", None),
        ("none", None), ("walk", None), ("BZ:urban", None), ("0", None), ("50;30", None),
    ],
)  # fmt: skip
def test_posted_limits(said: str, km_h: float | None) -> None:
    assert limit(said) == (None if km_h is None else pytest.approx(km_h, abs=0.01))


@pytest.mark.parametrize(
    ("tags", "ways"),
    [
        ({}, (True, True)),
        ({"oneway": "yes"}, (True, False)),
        ({"oneway": "-1"}, (False, True)),
        ({"oneway": "no", "junction": "roundabout"}, (True, True)),
        ({"junction": "roundabout"}, (True, False)),
        ({"oneway": "perhaps"}, (True, True)),
    ],
)
def test_directions(tags: dict[str, str], ways: tuple[bool, bool]) -> None:
    found = driving({"highway": "primary", **tags})
    assert found is not None
    assert (found.forward, found.backward) == ways


@pytest.mark.parametrize("kind", ["footway", "steps", "construction", "proposed", "", "path_link"])
def test_what_is_no_road_for_vehicles(kind: str) -> None:
    assert driving({"highway": kind}) is None
    assert driving({"highway": "service", "area": "yes"}) is None


def test_unpaved_roads_are_slower_and_a_posted_limit_counts() -> None:
    slow = driving({"highway": "secondary", "surface": "gravel"})
    posted = driving({"highway": "secondary", "maxspeed": "40 mph"})
    assert slow is not None and posted is not None
    assert slow.km_h == UNPAVED_KM_H
    assert posted.km_h == pytest.approx(OF_LIMIT * 64.37, abs=0.01)


@given(st.dictionaries(st.sampled_from(["highway", "maxspeed", "oneway", "surface"]), st.text()))
def test_any_tags_are_read(tags: dict[str, str]) -> None:
    found = driving({"highway": "track", **tags})
    assert found is None or (0 < found.km_h < 2_000 and (found.forward or found.backward))
