"""Floods of floods do not flood the audit (docs/domain.md, DOM-SEC-4)."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from psn.csirt.cuts import MOST, Cuts
from psn.trail.audit import Actor, Entry

ANA = Actor("person:1", "Ana", 1, "192.0.2.7", "0badcafe")


def said(entries: list[Entry]) -> list[dict[str, Any]]:
    return [json.loads(entry.json()) for entry in entries]


def test_the_first_cut_is_told_at_once_and_the_rest_when_the_minute_is_over() -> None:
    cuts = Cuts()
    cuts.note("192.0.2.7", 4429, ANA, 0.0)
    (first,) = said(cuts.due(0.0, 5))
    assert (first["actor"], first["owner"], first["at"]) == ("person:1", 1, 5)
    assert first["details"] == {"cuts": 1, "codes": {"4429": 1}}
    for n in range(1_000):
        cuts.note("192.0.2.7", 4400, None, 1.0 + n / 100)
    cuts.note("192.0.2.7", 4429, ANA, 12.0)
    assert cuts.due(59.9, 6) == []
    (second,) = said(cuts.due(60.0, 7))
    assert (second["actor"], second["source"]) == ("nobody", "192.0.2.7")
    assert second["details"] == {
        "cuts": 1_001,
        "codes": {"4400": 1_000, "4429": 1},
        "who": ["person:1"],
    }
    assert cuts.due(200.0, 8) == []


def test_a_server_that_stops_tells_what_it_has() -> None:
    cuts = Cuts()
    cuts.note("192.0.2.7", 4400, None, 0.0)
    cuts.due(0.0, 0)
    cuts.note("192.0.2.7", 4400, None, 1.0)
    assert len(cuts.due(1.0, 0, all_of_them=True)) == 1


def test_of_too_many_sources_the_rest_is_told_as_one() -> None:
    cuts = Cuts()
    for n in range(5_000):
        cuts.note(f"10.0.{n // 250}.{n % 250}", 4400, None, 0.0)
    entries = said(cuts.due(0.0, 0))
    assert len(entries) == MOST + 1
    assert entries[-1]["details"] == {"cuts": 5_000 - MOST, "sources": "many"}


def test_addresses_of_one_ipv6_host_are_one_source() -> None:
    cuts = Cuts()
    for n in range(50):
        cuts.note(f"2001:db8::{n:x}", 4400, None, 0.0)
    assert len(cuts.due(0.0, 0)) == 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from([4400, 4429]), st.floats(0, 20), st.booleans()
        ),
        max_size=60,
    )
)
def test_every_cut_is_told_once_and_no_source_twice_a_minute(
    cut: list[tuple[int, int, float, bool]],
) -> None:
    """DOM-SEC-4."""
    cuts = Cuts()
    now, told, last = 0.0, 0, dict[str, float]()
    for source, code, wait, look in cut:
        now += wait
        cuts.note(f"192.0.2.{source}", code, None, now)
        for entry in said(cuts.due(now, 0)) if look else ():
            told += entry["details"]["cuts"]
            assert now - last.get(entry["source"], -100.0) >= 60.0
            last[entry["source"]] = now
    told += sum(entry["details"]["cuts"] for entry in said(cuts.due(now, 0, all_of_them=True)))
    assert told == len(cut)
