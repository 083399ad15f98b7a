"""Private calls between tablets, consoles and radios, by real UDP: DOM-RAD-28 to -31."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from airwaves import change
from coded_site import (
    BOAT_RADIO,
    CONTENT,
    DESK,
    FORT,
    NOBODYS,
    OURS,
    PCM,
    POLICE_RADIO,
    a_handset,
    a_repeater,
    a_site,
    streams,
    talk_to,
    words,
)
from parties import Party
from patience import until
from stage import ANA, CAR, Stage

from psn import wire
from radio_bridge import narrowband
from radio_bridge.bridge import network, private_calls, settings
from radio_bridge.bridge.dmr_links import MasterLink
from simulators.radios.repeater import talk


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told every few seconds; a slow machine's server may take its time."""
    monkeypatch.setattr(network, "TELLS_EVERY_S", 0.1)
    monkeypatch.setattr(network, "HEARD_EVERY_S", 0.1)


async def call(party: Party, *to: str) -> str:
    """The group of the call."""
    await party.peer.send(wire.VoiceCall(n=party.peer.number(), to=list(to)))
    called = await party.peer.expect(wire.Called)
    assert called.n is not None
    return called.group


async def over(party: Party) -> str:
    return (await party.peer.expect(wire.VoiceGone)).code


@pytest.mark.parametrize("ask", [False, True])
async def test_a_console_calls_a_radio_and_both_are_heard(
    stage: Stage, tmp_path: Path, ask: bool
) -> None:
    """DOM-RAD-28: radios that can are asked first; its user answers by talking back."""
    radio = a_handset(POLICE_RADIO)
    async with a_site(stage, tmp_path, radio, ask=ask) as site:
        await site.heard(POLICE_RADIO)
        ana = await Party.enter(stage, "ana")
        group = await call(ana, "unit:1")
        await until(lambda: site.calls == 1)
        await talk_to(radio, ana, group, DESK)
        # What its user says back comes from its own terminator on; nobody waits for a hang time.
        taken = await ana.peer.expect(
            wire.Floor, lambda floor: floor.group == group and floor.talker == "unit:1"
        )
        assert taken.talker_name == "P-1"
        await until(lambda: bool(ana.heard(group)))
        assert {who for who, _ in ana.heard(group)} == {"unit:1"}
        await ana.leave(group)
        await until(lambda: site.calls == 0)
        assert site.bridge.refusals()["bridge.radio_unknown"] == 0
        await ana.peer.leave()


async def test_why_a_radio_cannot_be_called(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RAD-28: each is said plainly to who calls."""
    monkeypatch.setattr(private_calls, "ANSWERS_S", 0.2)
    silent, unwilling = a_handset(BOAT_RADIO), a_handset(POLICE_RADIO, takes=False)
    async with a_site(stage, tmp_path, unwilling, ask=True) as site:
        ana = await Party.enter(stage, "ana")
        await call(ana, "unit:1")
        assert await over(ana) == "radio_away"
        await site.heard(POLICE_RADIO, silent.number)
        await call(ana, "unit:1")
        assert await over(ana) == "declined"
        private = "police", silent.number, OURS
        assert await site.side.calls._asked(private) == "silent"
        await site.bridge.change(
            settings.read(
                CONTENT.format(url=stage.url, vocoder="", ask="false"), tmp_path / "radio.toml"
            )
        )
        await until(lambda: not site.bridge.has_vocoder)
        await call(ana, "unit:1")
        assert await over(ana) == "voiceless"
        assert site.bridge.refusals()["bridge.call_voiceless"] == 1
        await ana.peer.leave()


async def test_a_call_in_which_nobody_talks_ends(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RAD-31: a radio that never talked did not answer."""
    monkeypatch.setattr(private_calls, "IDLE_S", 0.5)
    monkeypatch.setattr(private_calls, "EVERY_S", 0.1)
    radio = a_handset(POLICE_RADIO, takes=False)
    async with a_site(stage, tmp_path, radio) as site:
        await site.heard(POLICE_RADIO)
        ana = await Party.enter(stage, "ana")
        await call(ana, "unit:1")
        assert await over(ana) == "radio_silent"
        group = await call(ana, "unit:1")
        await until(lambda: site.calls == 1)
        await site.says(POLICE_RADIO, DESK)
        await until(lambda: bool(ana.heard(group)))
        assert await over(ana) == "call_over"
        assert site.calls == 0
        await until(lambda: list(site.side.client.voice.groups) == ["group:1"])
        await ana.peer.leave()


async def test_a_radio_calls_a_desk_and_is_heard_when_somebody_takes_it(
    stage: Stage, tmp_path: Path
) -> None:
    """DOM-RAD-29: what it says meanwhile reaches nobody."""
    radio = a_handset(POLICE_RADIO, takes=False)
    async with a_site(stage, tmp_path, radio) as site:
        ana = await Party.enter(stage, "ana")
        await site.says(POLICE_RADIO, DESK)
        called = await ana.peer.expect(wire.Called)
        assert (called.by, called.to) == ("unit:1", [ANA])
        assert ana.peer.heard == []
        await ana.join(called.group)
        await site.says(POLICE_RADIO, DESK)
        await until(lambda: bool(ana.heard(called.group)))
        await until(lambda: not site.bridge.exchange.talks)
        await talk_to(radio, ana, called.group, DESK)
        await ana.leave(called.group)
        await until(lambda: site.calls == 0)
        assert radio.denied == []
        await ana.peer.leave()


async def test_a_radio_calls_a_tablet_and_hears_that_it_is_refused(
    stage: Stage, tmp_path: Path
) -> None:
    """DOM-RAD-29, DOM-RAD-30: nobody is there, somebody declines, or the radio is nobody's."""
    radio, stranger = a_handset(BOAT_RADIO, takes=False), a_handset(NOBODYS, takes=False)
    async with a_site(stage, tmp_path, radio, stranger, ask=True) as site:
        await site.heard(BOAT_RADIO)
        await site.repeater.send(radio.ask(POLICE_RADIO, 1))
        await until(lambda: POLICE_RADIO in radio.denied)  # nobody is there
        radio.denied.clear()
        car = await Party.enter(stage, CAR)
        await site.says(BOAT_RADIO, POLICE_RADIO)
        called = await car.peer.expect(wire.Called)
        assert called.by == "unit:3"
        await car.leave(called.group)
        await until(lambda: POLICE_RADIO in radio.denied)
        assert site.bridge.refusals()["bridge.call_unanswered"] == 2
        await site.repeater.send(radio.ask(DESK, 1))
        await until(lambda: DESK in radio.denied)
        # Who carries no unit calls nobody.
        await site.repeater.send(stranger.call(POLICE_RADIO, 1))
        await until(lambda: POLICE_RADIO in stranger.denied)
        radio.denied.clear()
        await site.says(BOAT_RADIO, POLICE_RADIO)
        called = await car.peer.expect(wire.Called)
        await car.join(called.group)
        await talk_to(radio, car, called.group, POLICE_RADIO)
        await car.peer.leave()
        await until(lambda: site.calls == 0)
        assert not stage.core.voice.groups.keys() - {wire.VoiceGroup.of("group:1")}


async def test_radios_call_each_other_without_this_network(stage: Stage, tmp_path: Path) -> None:
    """DOM-RAD-29: a number whose radio is there rings nowhere else, and nothing is coded."""
    one, two = a_handset(POLICE_RADIO, takes=False), a_handset(BOAT_RADIO, takes=False)
    async with a_site(stage, tmp_path, one, two, vocoder=False) as site:
        await site.heard(POLICE_RADIO, BOAT_RADIO)
        car = await Party.enter(stage, CAR)
        await site.says(BOAT_RADIO, POLICE_RADIO)
        await until(lambda: not site.bridge.exchange.talks)
        await car.peer.answers()
        assert car.peer.of(wire.Called) == []
        assert site.calls == 0
        await car.peer.leave()


async def test_a_radio_calls_a_radio_of_another_network_without_a_vocoder(
    stage: Stage, tmp_path: Path
) -> None:
    """DOM-RAD-29: by the unit that both carry numbers of; nothing is coded."""
    boat, ashore = a_handset(BOAT_RADIO, takes=False), a_handset(5001)
    async with a_site(stage, tmp_path, boat, vocoder=False) as site:
        await change(
            stage,
            "insert into radio_network (agency_id, name) values (1, 'Coast');"
            "insert into radio_gateway (network_id, device_id) values (2, 6);"
            "insert into radio (network_id, number, unit_id) values (2, 5001, 1)",
        )
        link = site.bridge.links.all["coast"]
        assert isinstance(link, MasterLink)
        async with a_repeater(FORT, link, ashore) as fort:
            await fort.send(talk(5001, 9, 1, next(streams), range(3)))
            await until(lambda: wire.Radio(2, 5001) in site.side.client.radio.plan.radios)
            await until(lambda: ("coast", 5001) in site.bridge.exchange.heard_at)
            await site.heard(BOAT_RADIO)
            await site.says(BOAT_RADIO, POLICE_RADIO)
            await until(lambda: site.calls == 2)
            while not boat.heard:  # it waits for its answer, and says it again
                await site.says(BOAT_RADIO, POLICE_RADIO)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(3):
                        await until(lambda: bool(boat.heard))
            assert {who for who, _ in ashore.heard} == {OURS}
            assert {who for who, _ in boat.heard} == {POLICE_RADIO}
            said = [word for _, word in boat.heard]
            assert len(said) <= 8
            assert set(said) <= set(range(1, next(words))), "word for word"


async def test_a_lost_link_ends_calls_and_frees_the_channel(stage: Stage, tmp_path: Path) -> None:
    """DOM-RAD-31."""
    radio = a_handset(POLICE_RADIO, takes=False)
    async with a_site(stage, tmp_path, radio) as site:
        await site.heard(POLICE_RADIO)
        ana = await Party.enter(stage, "ana")
        group = await call(ana, "unit:1")
        await until(lambda: site.calls == 1)
        ben = await Party.enter(stage, "ben")
        await call(ben, "unit:1")
        assert await over(ben) == "radio_busy"
        await ben.peer.leave()
        await ana.granted(group)
        coder = narrowband.Encoder()
        for number in range(12):
            frame = wire.Speech(
                wire.VoiceGroup.of(group), ANA, number, 20, False, coder.encode(PCM)
            )
            await ana.peer.socket.send(frame.encode())
        await until(lambda: bool(site.bridge.exchange.talks))
        port = stage.address[1]
        await stage.stop()
        await until(lambda: site.calls == 0 and not site.bridge.exchange.talks)
        assert site.bridge.exchange._privates == {}
        await stage.start(port)
