"""The bench of recommendations counts what it says, with roads that hang together."""

from __future__ import annotations

import json

from click.testing import CliRunner
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from psn.__main__ import main
from simulators.bench import recommending


def test_every_plan_is_measured() -> None:
    words = "bench recommend --units 300 --edges 2000 --runs 3 --json"
    done = CliRunner().invoke(main, words.split(), prog_name="psn")
    assert done.exit_code == 0, done.output
    got = json.loads(done.output)
    assert (got["units"], got["runs"]) == (300, 3)
    for name in recommending.NEEDS:
        assert 0 < got[name]["p50_ms"] <= got[name]["p99_ms"]
        assert got[name]["offers"] > 0


def test_made_up_roads_are_as_many_as_asked_for_and_mostly_one_network() -> None:
    made = recommending.roads(5_000, 1)
    assert 4_500 < len(made.source) < 5_500
    graph = coo_array(([1] * len(made.source), (made.source, made.target)), shape=(made.nodes,) * 2)
    _, label = connected_components(graph.tocsr(), directed=False)
    largest = max((label == each).sum() for each in set(label.tolist()))
    assert largest > 0.8 * made.nodes
    again = recommending.roads(5_000, 1)
    assert again.metres.tolist() == made.metres.tolist()
