"""``psn bench radio`` measures a real bridge: every burst arrives, and only where it belongs."""

from __future__ import annotations

from simulators.bench import radio


async def test_every_burst_arrives_where_it_belongs() -> None:
    found = await radio.measure(calls=5, seconds=2.5, seed=1)
    assert found["bursts"] > 5 * 34
    assert found["lost"] == found["crosstalk"] == 0
    assert found["talks"] >= 5
    assert set(radio.KEYS) <= set(found)
