"""Simulated radios: what they send is read, and a bridge with many of them passes it on."""

from __future__ import annotations

import asyncio
import itertools
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
from radio_bridge.inside import CallAnswered, CallWanted, Emergency, Position, Text
from radio_bridge.motorola import location, text
from simulators.radios import sites
from simulators.radios.commands import radio_toml
from simulators.radios.handset import Handset
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


def test_a_handset_in_private_calls() -> None:
    """It answers when it is asked, talks back to who talked to it alone, and knows no other."""
    numbers = itertools.count(1)
    mine = Handset(4001, numbers, numbers, says=3)
    other = Handset(4002, numbers, numbers, takes=False)
    channel = DataChannel(Counter())
    asked = other.ask(4001, 1)
    assert {told for p in asked for told in channel.hear(p, 1.0)} == {CallWanted(4002, 4001)}
    answers = mine.hear(asked[0])
    assert {told for p in answers for told in channel.hear(p, 2.0)} == {
        CallAnswered(4001, 4002, may=True)
    }
    assert [other.hear(p) for p in answers] == [[]] * len(answers)
    assert set(other.may) == {4001}
    assert mine.hear(asked[0]) != []
    back = [said for p in other.call(4001, 1) for said in mine.hear(p)]
    assert {(p.source, p.target, p.group) for p in back} == {(4001, 4002, False)}
    assert {who for who, _ in mine.heard} == {4002}
    assert [said for p in back for said in other.hear(p)] == []
    assert len(other.heard) == 3
    # Who called is content with the answer: two of them do not talk for ever.
    willing = Handset(4003, numbers, numbers, says=3)
    answer = [said for p in willing.call(4001, 1) for said in mine.hear(p)]
    assert answer != []
    assert [said for p in answer for said in willing.hear(p)] == []
    denied = other.hear(mine.ask(4002, 1)[0])
    for p in denied:
        mine.hear(p)
    assert set(mine.denied) == {4002}
    assert mine.hear(other.call(9, 1)[0]) == []


async def test_radios_of_two_sites_call_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "HEARD_S", 0.05)
    monkeypatch.setattr(sites, "CALLS_EVERY", 1)
    secret = "only for tests"
    bridge = Bridge(
        settings.read(radio_toml("127.0.0.1", 0, secret, 2, (91, 92)), Path("radio.toml"))
    )
    await bridge.start()
    try:
        link = bridge.links.all["simulated"]
        assert isinstance(link, MasterLink)
        await until(lambda: link.port is not None)
        plan = Plan(
            "127.0.0.1", link.port or 0, secret.encode(), 2, 8, (91, 92), 2.0, 1, (4001, 4002)
        )
        counted: Counter[str] = Counter()
        running = asyncio.create_task(sites.simulate(plan, None, counted))
        await until(lambda: counted["private calls answered"] > 0)
        assert counted["private calls"] > 0
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    finally:
        await bridge.stop()
