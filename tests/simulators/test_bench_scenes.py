"""What a bench tells the server is taken: it measures work, not refusals."""

from __future__ import annotations

from random import Random

from dispatch.desk.values import Place
from geo import belize
from simulators.bench.scenes import scene


def test_every_scene_is_taken_without_a_word_about_it() -> None:
    random = Random(7)
    drawn = [scene(random) for _ in range(3_000)]
    assert all(Place("Queen Street", lon, lat).point() for lon, lat in drawn)
    assert len(set(drawn)) > 2_900


def test_the_same_number_draws_the_same_scene() -> None:
    assert scene(Random(41)) == scene(Random(41)) != scene(Random(42))


def test_no_settlement_is_so_near_the_edge_that_a_scene_could_fall_over_it() -> None:
    furthest = max(belize.away_m(place.lon, place.lat) for place in belize.places())
    assert furthest + 5_000 < belize.TERRITORIAL_SEA_M
