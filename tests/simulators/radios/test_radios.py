"""Simulated radios: what they send is read, and a bridge with many of them passes it on."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from patience import until

from radio_bridge.bridge import settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.dmr_links import MasterLink
from radio_bridge.data_channel import DataChannel
from radio_bridge.inside import Emergency, Position, Text
from radio_bridge.motorola import location, text
from simulators.radios import sites
from simulators.radios.commands import radio_toml
from simulators.radios.radio import Radio, alarm_bursts, datagram_bursts, text_bursts
from simulators.radios.sites import Plan


def test_a_report_is_read_as_it_was_meant() -> None:
    radio = Radio(4001, "P1", (-88.2, 17.5), 30.0, Random(1))
    moment = datetime(2026, 10, 3, 7, 8, 9, tzinfo=UTC)
    channel = DataChannel(Counter())
    sent = datagram_bursts(4001, 91, True, location.PORT, radio.report(moment), 1, 5)
    (place,) = [one for at, p in enumerate(sent) for one in channel.hear(p, at * 0.06)]
    assert isinstance(place, Position)
    assert (place.source, place.time) == (4001, moment)
    assert place.longitude == pytest.approx(radio.longitude, abs=1e-6)
    assert place.latitude == pytest.approx(radio.latitude, abs=1e-6)
    assert place.speed_mps == pytest.approx(radio.speed_mps, abs=0.01)
    assert place.error_m == 10
    for _ in range(500):
        radio.act(radio.due)
        assert abs(radio.longitude + 88.2) < 0.4
        assert abs(radio.latitude - 17.5) < 0.4


def test_the_button_and_a_text() -> None:
    channel = DataChannel(Counter())
    told = [o for p in alarm_bursts(4001, 91, 1, 7) for o in channel.hear(p, 1.0)]
    assert told == [Emergency(4001, 91)]
    written = text.Message(text.Kind.TEXT, 3, "10-8")
    told = [o for p in text_bursts(1, 91, True, written, 1, 8) for o in channel.hear(p, 2.0)]
    assert told == [Text(1, 91, True, "10-8", 3)]


async def test_five_sites_at_a_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "HEARD_S", 0.05)
    secret = "only for tests"
    content = radio_toml("127.0.0.1", 0, secret, 5, (91, 92))
    bridge = Bridge(settings.read(content, Path("radio.toml")))
    await bridge.start()
    try:
        link = bridge.links.all["simulated"]
        assert isinstance(link, MasterLink)
        await until(lambda: link.port is not None)
        assert link.port
        plan = Plan("127.0.0.1", link.port, secret.encode(), 5, 60, (91, 92), 5.0, 1)
        counted: Counter[str] = Counter()
        running = asyncio.create_task(sites.simulate(plan, None, counted))
        wanted = {"call", "position", "text"}
        await until(lambda: wanted <= {one.what for one in bridge.heard.values()})
        await until(lambda: bridge.figures.calls >= 2 and counted["bursts heard"] > 20)
        assert counted["sites"] == 5
        assert all(one.is_up for one in bridge.states())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    finally:
        await bridge.stop()
