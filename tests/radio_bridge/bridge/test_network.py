"""The bridge at a running server: what radios say is their units', and the other way round.

DOM-RAD-16, -17, -19 and -21.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from airwaves import GROUP, Box, change, of_kind, on_air
from parties import Party
from patience import until
from stage import CAR, GATEWAY, KEY, Peer, Stage, person

from psn import wire
from psn.client import Client, ClientRefused, Link
from psn.client import radio as client_radio
from psn.enrolment import device_key
from radio_bridge import narrowband
from radio_bridge.bridge import network, settings, signing_in
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.dmr_links import MasterLink
from radio_bridge.bridge.network import OurNetwork
from radio_bridge.bridge.plain_links import LineLink
from radio_bridge.bridge.talks import Talk
from radio_bridge.calls.conversations import Call
from radio_bridge.calls.transmissions import Identity
from radio_bridge.data_channel import DataChannel
from radio_bridge.dmr import data_header
from radio_bridge.dmr.burst import DataBurst, DataType, SlotType, write
from radio_bridge.dmr.link_control import Service
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import Text
from radio_bridge.motorola import location, text
from radio_bridge.usrp import packets as usrp
from simulators.radios.radio import Radio, alarm_bursts, datagram_bursts, text_bursts
from simulators.radios.repeater import Repeater, talk

HILL, CAYE = 702_001, 702_002
SECRET = "what nobody guesses"
POLICE_RADIO, NOBODYS = 4711, 4799
OURS = 7_020_000
CONTENT = """
[network]
url = "{url}"
key = "gateway.pem"
radio = 7020000

[radio_network.police]
called = "National"
positions = 60
status = {{ 2 = "busy" }}

[link.sites]
kind = "master"
radio_network = "police"
listen = "127.0.0.1:0"
repeater.702001 = {{ secret = "what nobody guesses", slot_1 = [9] }}
repeater.702002 = {{ secret = "what nobody guesses", slot_1 = [9], slot_2 = [10] }}

[link.line]
kind = "usrp"
radio_network = "police"
listen = "127.0.0.1:0"
target = "127.0.0.1:{line}"
talkgroup = 9
radio = 4711
"""
PCM = bytes(320)
_streams = itertools.count(1)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told every few seconds; a slow machine's server may take its time."""
    monkeypatch.setattr(network, "TELLS_EVERY_S", 0.1)
    monkeypatch.setattr(network, "HEARD_EVERY_S", 0.1)


class Site(asyncio.DatagramProtocol):
    """A bridge at the stage, the far end of its line, and what repeaters hear."""

    def __init__(self, stage: Stage, place: Path) -> None:
        self.heard: list[usrp.Packet] = []
        self.at_hill: list[BurstPacket] = []
        self._stage = stage
        self._place = place
        self.bridge: Bridge
        self.side: OurNetwork
        self.hill: Repeater

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append(usrp.read(data))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Site]:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        line = self.transport.get_extra_info("sockname")[1]
        device_key.write(self._place / "gateway.pem", KEY, GATEWAY)
        content = CONTENT.format(url=self._stage.url, line=line)
        self.bridge = Bridge(settings.read(content, self._place / "radio.toml"))
        await self.bridge.start()
        of = self.bridge.settings.network
        assert of is not None
        self.side = OurNetwork(self.bridge, of)
        running = asyncio.create_task(self.side.run())
        try:
            await until(lambda: bool(self.port("sites") and self.port("line")))
            async with self.repeater(HILL, self.at_hill) as self.hill:
                await until(lambda: ("police", 9) in self.bridge.exchange._joined)
                yield self
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await self.bridge.stop()
            self.transport.close()

    def port(self, name: str) -> int:
        link = self.bridge.links.all[name]
        assert isinstance(link, MasterLink | LineLink)
        return link.port or 0

    @contextlib.asynccontextmanager
    async def repeater(self, number: int, heard: list[BurstPacket]) -> AsyncIterator[Repeater]:
        key, port = SECRET.encode(), self.port("sites")
        async with Repeater(number, key, "127.0.0.1", port, heard.append) as repeater:
            await until(repeater.is_there.is_set)
            yield repeater

    async def say(self, packets: int) -> None:
        """On the line, in its time."""
        for number in range(packets):
            data = usrp.write(usrp.Speech(number, PCM))
            self.transport.sendto(data, ("127.0.0.1", self.port("line")))
            await asyncio.sleep(0.02)
        self.transport.sendto(usrp.write(usrp.Unkey(packets)), ("127.0.0.1", self.port("line")))

    def texts(self) -> list[Text]:
        """What the hill's radios were written."""
        channel, found = DataChannel(Counter()), list[Any]()
        for at, packet in enumerate(self.at_hill):
            found += channel.hear(packet, at * 0.06)
        return [one for one in found if isinstance(one, Text)]


@contextlib.asynccontextmanager
async def a_site(stage: Stage, place: Path) -> AsyncIterator[Site]:
    await on_air(stage)
    async with Site(stage, place).running() as site:
        yield site


async def row(stage: Stage, query: str) -> Any:
    """What a query finds, as soon as it does."""
    async with asyncio.timeout(20):
        while (found := await stage.core.pool.fetchval(query)) is None:
            await asyncio.sleep(0.02)
    return found


async def test_a_line_and_a_tablet_hear_each_other(stage: Stage, tmp_path: Path) -> None:
    async with a_site(stage, tmp_path) as site:
        ana = await Party.enter(stage, "ana", GROUP)
        await site.say(12)
        taken = await ana.floor()
        assert (taken.talker, taken.talker_name) == ("unit:1", "P-1")
        assert (await ana.floor()).talker is None
        heard = ana.heard()
        assert heard == [("unit:1", number) for number in range(len(heard))] != []
        assert site.bridge.refusals()["calls.busy"] == 0
        site.heard.clear()
        await ana.granted()
        coder = narrowband.Encoder()
        for number in range(10):
            frame = wire.Speech(
                wire.VoiceGroup.of(GROUP), "person:1", number, 20, number == 9, coder.encode(PCM)
            )
            await ana.peer.socket.send(frame.encode())
            await asyncio.sleep(0.02)
        await ana.release()
        await until(lambda: any(isinstance(one, usrp.Unkey) for one in site.heard))
        assert sum(isinstance(one, usrp.Speech) for one in site.heard) == 10
        # DMR radios would need a vocoder; no transmitter is keyed for nothing.
        assert all(one.kind not in (1, 2) for one in site.at_hill)
        assert site.bridge.refusals()["bridge.no_vocoder"]
        await ana.peer.leave()


async def test_that_a_radio_has_the_floor_keys_nobody_when_it_has_unkeyed(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_site(stage, tmp_path) as site:
        voice, late = site.side.client.voice, list[wire.Floor]()
        told = voice.floor
        monkeypatch.setattr(voice, "floor", late.append)
        await site.say(3)
        await until(lambda: [one.talker for one in late] == ["unit:1", None])
        assert site.side._mouths.keyed == set()
        told(late[0])
        assert site.side._hearing["police", 9].talker is None
        # The unit's tablet, which talks at once, is heard all the same.
        frame = wire.Speech(wire.VoiceGroup.of(GROUP), "unit:1", 0, 20, False, b"\x78" + bytes(69))
        voice.speech(frame.encode())
        assert site.side._hearing["police", 9].talker == "unit:1"


async def test_who_talks_knows_that_radios_do_not_hear_him(stage: Stage, tmp_path: Path) -> None:
    """DOM-RAD-27."""
    async with a_site(stage, tmp_path) as site:
        ana = await Party.enter(stage, "ana", GROUP)
        # DMR alone, and no vocoder; a line, that somebody has; a line, that is free.
        silent = dict(site.bridge.settings.links)
        line = silent.pop("line")
        assert isinstance(line, settings.Line)
        settings_of = site.bridge.settings
        await site.bridge.change(dataclasses.replace(settings_of, links=silent))
        assert (await ana.peer.expect(wire.Reach)).reach == "voiceless"
        await site.bridge.change(settings_of)
        assert (await ana.peer.expect(wire.Reach)).reach == "heard"
        await ana.granted()
        site.bridge.network_unkeyed(("police", 9))
        site.bridge.keyed(("line", 9), POLICE_RADIO, "")
        site.bridge.network_keyed(("police", 9), "Ana", False, OURS)
        assert (await ana.peer.expect(wire.Reach)).reach == "busy"
        site.bridge.unkeyed(("line", 9))
        site.bridge.network_spoke(("police", 9), narrowband.Encoder().encode(PCM))
        assert (await ana.peer.expect(wire.Reach)).reach == "heard"
        await ana.peer.leave()


async def test_places_buttons_status_and_texts_of_a_radio(stage: Stage, tmp_path: Path) -> None:
    box = Box()
    async with (
        a_site(stage, tmp_path) as site,
        Client(stage.url, person("ana"), mail=box) as ana,
    ):
        await ana.up()
        radio = Radio(POLICE_RADIO, "P1", (-88.2, 17.5), 30.0, Random(1))
        report = radio.report(datetime.now(UTC))
        await site.hill.send(
            datagram_bursts(POLICE_RADIO, 9, True, location.PORT, report, 1, next(_streams))
        )
        await until(lambda: CAR in stage.core.picture.newest)
        await until(lambda: [one.target for one in site.at_hill] != [])  # it is asked for more
        assert {one.target for one in site.at_hill} == {POLICE_RADIO}
        await until(lambda: stage.core.sessions.online("unit:1"))
        words = text.Message(text.Kind.TEXT, 1, "At the bridge.")
        await site.hill.send(text_bursts(POLICE_RADIO, 9, True, words, 1, next(_streams)))
        await until(lambda: box.texts() == ["At the bridge."])
        await site.hill.send(alarm_bursts(POLICE_RADIO, 9, 1, next(_streams)))
        assert await row(stage, "select unit_id from emergency") == CAR
        status = data_header.RawOrStatus(POLICE_RADIO, 9, True, 10, 0, 0, 0, value=2)
        sent = write(DataBurst(SlotType(1, DataType.DATA_HEADER), data_header.to_info(status)))
        kind = int(DataType.DATA_HEADER)
        site.hill.line.send(BurstPacket(0, POLICE_RADIO, 9, 0, 1, True, Frame.DATA, kind, 77, sent))
        assert (
            await row(stage, "select status from unit_status where unit_id = 1 and status = 'busy'")
            == "busy"
        )
        assert site.bridge.refusals()["bridge.network_refused"] == 0


async def test_a_radio_of_nobodys_is_heard_and_its_button_rings(
    stage: Stage, tmp_path: Path
) -> None:
    async with a_site(stage, tmp_path) as site:
        ana = await Peer.enter(stage.url, "ana")
        await ana.send(wire.Follow(n=ana.number(), topic="radio"))
        at_caye: list[BurstPacket] = []
        async with site.repeater(CAYE, at_caye) as caye:
            await asyncio.gather(
                site.hill.send(talk(NOBODYS, 9, 1, next(_streams), range(20))),
                caye.send(talk(NOBODYS, 10, 2, next(_streams), range(20))),
            )
        await until(lambda: any(o.get("twice") for o in of_kind(ana.frames, "radio_heard")))
        await site.hill.send(alarm_bursts(NOBODYS, 9, 1, next(_streams)))
        await until(lambda: any(o.get("emergency") for o in of_kind(ana.frames, "radio_heard")))
        (heard,) = of_kind(ana.frames, "radio_heard")
        assert heard["number"] == NOBODYS
        await ana.leave()


async def test_a_text_to_a_unit_is_brought_to_its_radio_and_delivered(
    stage: Stage, tmp_path: Path
) -> None:
    box = Box()
    async with (
        a_site(stage, tmp_path) as site,
        Client(stage.url, person("ana"), mail=box) as ana,
    ):
        await ana.up()
        await ana.acknowledged(ana.send(["unit:1"], "Return to station."))
        # Nobody knows yet where it is; it is sent when it is heard.
        await site.hill.send(talk(POLICE_RADIO, 9, 1, next(_streams), range(3)))
        await until(lambda: bool(site.texts()))
        (got,) = site.texts()
        assert (got.source, got.target, got.group) == (OURS, POLICE_RADIO, False)
        assert got.text == "Ana: Return to station."
        assert box.receipts() == []
        arrived = text.Message(text.Kind.RECEIVED, got.number or 0)
        await site.hill.send(text_bursts(POLICE_RADIO, OURS, False, arrived, 1, next(_streams)))
        await until(lambda: box.receipts() == [("unit:1", "delivered")])
        await ana.acknowledged(ana.send([GROUP], "All: storm."))
        await until(lambda: len(site.texts()) == 2)
        assert (site.texts()[1].target, site.texts()[1].group) == (9, True)


async def test_while_the_network_is_away_radios_hear_each_other(
    stage: Stage, tmp_path: Path
) -> None:
    async with a_site(stage, tmp_path) as site:
        at_caye: list[BurstPacket] = []
        async with site.repeater(CAYE, at_caye):
            port = stage.address[1]
            await stage.stop()
            await until(lambda: ("network", "lost") in [(w, t) for _, w, t in site.bridge.said])
            await site.hill.send(talk(POLICE_RADIO, 9, 1, next(_streams), range(5)))
            await until(lambda: len(at_caye) == 7)
            await until(lambda: site.bridge.figures.calls == 1)
            await stage.start(port)
            ana = await Peer.enter(stage.url, "ana")
            await ana.send(wire.Follow(n=ana.number(), topic="radio"))
            await until(lambda: any(o.get("missed") for o in of_kind(ana.frames, "radio_state")))
            (state,) = of_kind(ana.frames, "radio_state")
            assert state["missed"]["calls"] == 1
            await ana.leave()


async def test_what_is_left_of_a_talk_is_heard_when_the_network_is_back(
    stage: Stage, tmp_path: Path
) -> None:
    async with a_site(stage, tmp_path) as site:
        port = stage.address[1]
        talking = asyncio.create_task(site.say(1_500))
        await until(lambda: bool(site.side._mouths.keyed))
        await stage.stop()
        await until(lambda: site.side.client.link is Link.LOST)
        await stage.start(port)
        ana = await Party.enter(stage, "ana", GROUP)
        await until(lambda: any(one.talker == "unit:1" for one in ana.peer.heard))
        talking.cancel()
        await ana.peer.leave()


async def test_a_gateway_that_was_refused_is_let_in_without_a_start(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key comes late, it is revoked at first, and again while it runs; each is said once."""
    monkeypatch.setattr(signing_in, "AGAIN_S", 0.05)
    await on_air(stage)
    await change(stage, "update device set revoked_at = now() where id = $1", GATEWAY)
    content = CONTENT.format(url=stage.url, line=9)
    bridge = Bridge(settings.read(content, tmp_path / "radio.toml"))
    of = bridge.settings.network
    assert of is not None
    await bridge.start()
    running = asyncio.create_task(signing_in.SigningIn(bridge, of).run())
    try:
        await until(lambda: any("not joined" in text for _, _, text in bridge.said))
        device_key.write(tmp_path / "gateway.pem", KEY, GATEWAY)
        for _ in range(2):
            said = len(bridge.said)
            await asyncio.sleep(0.5)
            assert ("network", "refused") not in [(w, t) for _, w, t in bridge.said]
            assert len(bridge.said) <= said + 1
            await change(stage, "update device set revoked_at = null where id = $1", GATEWAY)
            await until(lambda: ("police", 9) in bridge.exchange._joined)
            await change(stage, "update device set revoked_at = now() where id = $1", GATEWAY)
            await until(lambda: ("police", 9) not in bridge.exchange._joined)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await bridge.stop()


@contextlib.asynccontextmanager
async def alone(place: Path) -> AsyncIterator[OurNetwork]:
    """The bridge's side without a server: the test is what comes over the link."""
    device_key.write(place / "gateway.pem", KEY, GATEWAY)
    content = CONTENT.format(url="ws://127.0.0.1:9/ws", line=9)
    bridge = Bridge(settings.read(content, place / "radio.toml"))
    of = bridge.settings.network
    assert of is not None
    yield OurNetwork(bridge, of)


async def test_calls_that_are_missed_are_counted_over_all_tries(tmp_path: Path) -> None:
    async with alone(tmp_path) as side:
        side._groups["police", 9] = GROUP
        call = Call(1, ("sites/702001", 1), Identity(NOBODYS, 9, True), Service(), False)
        side._link(Link.LOST)
        for link in (Link.CATCHING_UP, Link.LOST, Link.UP):
            side.over(Talk("police", call, 0.0))
            side._link(link)
        assert side._missed_told is not None
        assert side._missed_told.calls == 3


async def test_a_group_that_refused_once_is_joined_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "AGAIN_S", 0.02)
    asked: list[str] = []

    async def join(group: str, *told: object) -> None:
        asked.append(group)
        if len(asked) < 3:
            raise ClientRefused("not_your_group", "Not now.", "Ask again.")

    async with alone(tmp_path) as side:
        monkeypatch.setattr(side.client.voice, "join", join)
        plan = side.client.radio.plan
        plan.networks[1] = "National"
        plan.talkgroups[1, 9] = client_radio.Talkgroup(1, 1, 9, GROUP, "Joint")
        side.look_again()
        keeping = asyncio.create_task(side._keep_groups())
        await until(lambda: side._groups == {("police", 9): GROUP})
        await asyncio.sleep(0.1)
        keeping.cancel()
        assert asked == [GROUP] * 3
