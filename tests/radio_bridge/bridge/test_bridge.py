"""A bridge with real links: repeaters over UDP, reflectors, lines. DOM-RAD-3, -8, -9 and -10."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from patience import until
from reflector import PASSWORD, REFLECTOR, Reflector, a_node, connected, spoken

import radio_bridge
from psn.client import sound
from radio_bridge import narrowband
from radio_bridge.bridge import explained, outgoing, settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.dmr_links import MasterLink
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.talks import Talk
from radio_bridge.dmr import burst
from radio_bridge.dmr.burst import DataType
from radio_bridge.homebrew import packets as homebrew
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import Samples, Sound
from radio_bridge.usrp import packets as usrp
from simulators.radios.repeater import Repeater, talk

HILL, CAYE, FORT = 702_001, 702_002, 703_001
SECRET = b"what nobody guesses"
RADIO_TOML = f"""
[link.police]
kind = "master"
radio_network = "police"
listen = "127.0.0.1:0"
repeater.{HILL} = {{ secret = "{SECRET.decode()}", slot_1 = [91, 92], slot_2 = [101] }}
repeater.{CAYE} = {{ secret = "{SECRET.decode()}", slot_1 = [91], slot_2 = [92, 101] }}

[link.defence]
kind = "master"
radio_network = "defence"
listen = "127.0.0.1:0"
repeater.{FORT} = {{ secret = "{SECRET.decode()}", slot_2 = [7] }}

[[patch]]
between = ["police:91", "defence:7"]
"""
WORDS = [1 << 200 | number for number in range(10)]
_streams = itertools.count(1)


@contextlib.asynccontextmanager
async def a_bridge(content: str = RADIO_TOML) -> AsyncIterator[Bridge]:
    bridge = Bridge(settings.read(content, Path("radio.toml")))
    await bridge.start()
    await until(lambda: all(p for p in ports(bridge).values()))
    try:
        yield bridge
    finally:
        await bridge.stop()


def ports(bridge: Bridge) -> dict[str, int | None]:
    return {n: one.port for n, one in bridge.links.all.items() if isinstance(one, MasterLink)}


@contextlib.asynccontextmanager
async def a_repeater(
    bridge: Bridge, number: int, link: str = "police", secret: bytes = SECRET
) -> AsyncIterator[tuple[Repeater, list[BurstPacket]]]:
    heard: list[BurstPacket] = []
    port = ports(bridge)[link]
    assert port
    async with Repeater(number, secret, "127.0.0.1", port, heard.append, "Somewhere") as repeater:
        if secret == SECRET:
            await until(repeater.is_there.is_set)
        yield repeater, heard


def said(heard: list[BurstPacket]) -> list[int]:
    return [burst.voice_bits(one.burst) for one in heard if one.frame != Frame.DATA]


def a_talk(
    target: int, slot: int, source: int = 7001, emergency: bool = False
) -> list[BurstPacket]:
    return talk(source, target, slot, next(_streams), WORDS, emergency=emergency)


async def test_radios_of_two_sites_and_of_another_network_hear_each_other(tmp_path: Path) -> None:
    """Talkgroup to talkgroup without a vocoder, and without this network."""
    file = tmp_path / "calls.jsonl"
    async with (
        a_bridge(f'records = "{file}"\n{RADIO_TOML}') as bridge,
        a_repeater(bridge, HILL) as (hill, at_hill),
        a_repeater(bridge, CAYE) as (_, at_caye),
        a_repeater(bridge, FORT, "defence") as (fort, at_fort),
    ):
        await hill.send(a_talk(91, 1))
        await until(lambda: bridge.figures.calls == 2)
        for heard, target, slot in ((at_caye, 91, 1), (at_fort, 7, 2)):
            assert said(heard) == WORDS
            assert {(p.source, p.target, p.slot, p.group) for p in heard} == {
                (7001, target, slot, True)
            }
            assert [p.kind for p in heard if p.frame == Frame.DATA] == [1, 2]
            assert len({p.stream for p in heard}) == 1
        assert at_hill == []
        at_caye.clear()
        await fort.send(a_talk(7, 2, 50))
        await until(lambda: bridge.figures.calls == 4)
        assert said(at_hill) == said(at_caye) == WORDS
        names = {state.name: state.is_up for state in bridge.states()}
        assert names == dict.fromkeys(
            ["police", f"police/{HILL}", f"police/{CAYE}", "defence", f"defence/{FORT}"], True
        )
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(r["radio_network"], r["talker"], r["group"], r["cause"]) for r in records] == [
        ("defence", 7001, 7, "terminated"), ("police", 7001, 91, "terminated"),
        ("police", 50, 91, "terminated"), ("defence", 50, 7, "terminated"),
    ]  # fmt: skip
    assert records[1]["heard_on"] == [f"police/{CAYE}:1"]


async def test_a_wrong_secret_a_replay_and_packets_in_anothers_name() -> None:
    loop = asyncio.get_running_loop()
    async with a_bridge() as bridge, a_repeater(bridge, HILL) as (hill, _):
        port = ports(bridge)["police"]
        async with a_repeater(bridge, CAYE, secret=b"guessed") as (guesser, _):
            await until(lambda: bool(guesser.events))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.setblocking(False)
            thief.connect(("127.0.0.1", port))
            burst_of_hill = replace(a_talk(91, 1)[0], repeater=HILL)
            await loop.sock_sendall(thief, homebrew.write_burst(burst_of_hill))
            await loop.sock_sendall(thief, homebrew.write_closing(HILL))
            await loop.sock_sendall(thief, homebrew.write_login(CAYE))
            salt = (await loop.sock_recv(thief, 100))[6:]
            proof = homebrew.write_proof(CAYE, salt, SECRET)
            await loop.sock_sendall(thief, proof)
            assert (await loop.sock_recv(thief, 100)).startswith(b"RPTACK")
            await loop.sock_sendall(thief, proof)
            assert (await loop.sock_recv(thief, 100)).startswith(b"MSTNAK")
        counted = bridge.refusals()
        assert counted["homebrew.wrong_secret"] >= 2
        assert counted["homebrew.spoofed"] == 2
        assert hill.is_there.is_set()
        assert bridge.exchange.talks == []


async def test_bursts_of_a_stream_that_never_began_are_nobodys() -> None:
    async with (
        a_bridge() as bridge,
        a_repeater(bridge, HILL) as (hill, _),
        a_repeater(bridge, CAYE) as (_, at_caye),
    ):
        # Without header, and of link control only a part.
        await hill.send(a_talk(91, 1)[1:4])
        await until(lambda: bridge.refusals()["calls.unidentified"] == 3)
        assert at_caye == []
        await asyncio.sleep(0.4)
        await hill.send(a_talk(91, 1, 7002))
        await until(lambda: said(at_caye) == WORDS)


async def test_a_repeater_that_floods_is_cut_and_slows_no_other() -> None:
    async with (
        a_bridge() as bridge,
        a_repeater(bridge, HILL) as (hill, at_hill),
        a_repeater(bridge, CAYE) as (caye, _),
    ):
        noise = [replace(a_talk(101, 2)[0], sequence=n % 256, stream=n) for n in range(256)]

        async def flood() -> None:
            for _ in range(20):
                for packet in noise:
                    hill.line.send(packet)
                await asyncio.sleep(0.05)

        flooding = asyncio.create_task(flood())
        await caye.send(a_talk(91, 1))
        await flooding
        assert said(at_hill) == WORDS
        assert bridge.refusals()["homebrew.flood"] > 3_000
        assert (f"police/{HILL}", "flooding") in [(link, text) for _, link, text in bridge.said]
        await until(lambda: bridge.exchange.talks == [])


async def test_what_is_broken_odd_or_missing_is_counted_and_holds_nothing_up() -> None:
    """Corrupt beyond error correction, a long text with missing blocks, one id of two radios."""
    async with (
        a_bridge() as bridge,
        a_repeater(bridge, HILL) as (hill, at_hill),
        a_repeater(bridge, CAYE) as (caye, at_caye),
    ):
        words = outgoing.text_packets(Way(7001, 91, True, 1, 5), "motorola", "ñ" * 280, 1)
        blocks = [packet for packet in words if packet.kind == DataType.RATE_1_2]
        sent = [packet for packet in words if packet not in blocks[3:9:2]]
        for packet in sent:
            hill.line.send(packet)
            await asyncio.sleep(0.005)
        await until(lambda: bridge.refusals()["data.incomplete"] == 1)
        noise = Random(1)
        for packet in a_talk(101, 2, 7003):
            hill.line.send(replace(packet, burst=noise.randbytes(33)))
            await asyncio.sleep(0.01)
        at_caye.clear()
        await asyncio.gather(hill.send(a_talk(91, 1, 7005)), caye.send(a_talk(101, 2, 7005)))
        await until(lambda: said(at_caye) == said(at_hill) == WORDS)
        await until(lambda: bridge.exchange.talks == [])
        counted = bridge.refusals()
        assert counted["calls.radio_twice"] == 1
        assert counted["dmr.fec"] + counted["dmr.crc"] + counted["calls.unidentified"] >= 10
        assert all(code in explained.SENTENCES for code in counted)


async def test_a_single_burst_of_data_is_noticed_to_be_all_there_is() -> None:
    """No other burst comes that would wake the bridge."""
    async with a_bridge() as bridge, a_repeater(bridge, HILL) as (hill, _):
        words = outgoing.text_packets(Way(7001, 91, True, 1, 5), "motorola", "10-8", 1)
        header = next(one for one in words if one.kind == DataType.DATA_HEADER)
        hill.line.send(header)
        await until(lambda: bridge.refusals()["data.incomplete"] == 1)


async def test_a_repeater_that_comes_in_the_middle_of_a_talk_hears_the_rest() -> None:
    async with a_bridge() as bridge, a_repeater(bridge, HILL) as (hill, _):
        words = [1 << 200 | number for number in range(40)]
        talking = asyncio.create_task(hill.send(talk(7001, 91, 1, next(_streams), words)))
        await until(lambda: bool(bridge.exchange.talks))
        async with a_repeater(bridge, CAYE) as (_, at_caye):
            await talking
            await until(lambda: at_caye[-1:] != [] and at_caye[-1].kind == 2)
            heard = said(at_caye)
            assert 0 < len(heard) <= 40
            assert heard == words[-len(heard) :]
            assert at_caye[0].kind == 1


async def test_a_link_that_fails_keeps_nobody_else_from_hearing() -> None:
    """What follows in the same list is done all the same."""

    def fail(where: object, talk: object) -> None:
        raise ValueError("this link cannot")

    async with (
        a_bridge() as bridge,
        a_repeater(bridge, HILL) as (hill, _),
        a_repeater(bridge, CAYE),
        a_repeater(bridge, FORT, "defence") as (_, at_fort),
    ):
        bridge.links.all["police"].mouth = fail  # type: ignore[method-assign]
        await hill.send(a_talk(91, 1))
        await until(lambda: bridge.figures.calls == 2)
        assert said(at_fort) == WORDS
        assert bridge.refusals()["bridge.fault"] == 1


class Away:
    """This network, which hears nothing until it is back."""

    form: type[Sound] = int

    def __init__(self) -> None:
        self.is_back = False
        self.said: list[Sound] = []

    def mouth(self, talkgroup: Talkgroup, talk: Talk) -> Mouth | None:
        return self if self.is_back else None

    def say(self, sound: Sound) -> None:
        self.said.append(sound)

    def end(self) -> None:
        self.said.append(Samples(b""))

    def nothing(self, *of: object) -> None:
        """It is not what this is about."""

    told = heard = placed = refused = twice = over = nothing


async def test_the_network_that_comes_back_in_the_middle_of_a_talk_hears_the_rest() -> None:
    async with a_bridge() as bridge, a_repeater(bridge, HILL) as (hill, _):
        away = bridge.our_side = Away()
        bridge.join([("police", 91)], ())
        words = [1 << 200 | number for number in range(20)]
        talking = asyncio.create_task(hill.send(talk(7001, 91, 1, next(_streams), words)))
        await until(lambda: bool(bridge.exchange.talks))
        assert away.said == []
        away.is_back = True
        bridge.network_is_back()
        await talking
        await until(lambda: bridge.exchange.talks == [])
        *heard, end = away.said
        assert heard == words[-len(heard) :] != []
        assert end == Samples(b"")
        bridge.our_side = None


async def test_a_repeater_that_flaps_leaves_nothing_behind() -> None:
    async with a_bridge() as bridge, a_repeater(bridge, CAYE) as (_, at_caye):
        for _ in range(5):
            async with a_repeater(bridge, HILL) as (hill, _):
                await hill.send(a_talk(91, 1)[:4])
        await until(lambda: bridge.exchange.talks == [])
        async with a_repeater(bridge, HILL) as (hill, _):
            at_caye.clear()
            await hill.send(a_talk(91, 1, 7005))
            await until(lambda: said(at_caye) == WORDS)
        gone = (f"police/{HILL}", "closed")
        await until(lambda: [(link, text) for _, link, text in bridge.said].count(gone) == 6)


LOOPED = """
[link.one]
kind = "openbridge"
radio_network = "police"
listen = "127.0.0.1:{}"
target = "127.0.0.1:{}"
number = 1
passphrase = "what nobody guesses"
talkgroups = [91]

[link.other]
kind = "openbridge"
radio_network = "police"
listen = "127.0.0.1:{}"
target = "127.0.0.1:{}"
number = 2
passphrase = "what nobody guesses"
talkgroups = [91]
"""


async def test_masters_that_are_looped_on_purpose_end_where_they_began() -> None:
    """DOM-RAD-6: two bridges, with two lines between them."""
    with contextlib.ExitStack() as held:
        free = [held.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(4)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        a, b, c, d = (one.getsockname()[1] for one in free)
    async with (
        a_bridge(RADIO_TOML + LOOPED.format(a, b, c, d)) as here,
        a_bridge(RADIO_TOML + LOOPED.format(b, a, d, c)) as there,
        a_repeater(here, HILL) as (hill, at_hill),
        a_repeater(there, CAYE) as (_, at_caye),
    ):
        await hill.send(a_talk(91, 1))
        await until(lambda: bool(here.figures.calls and there.figures.calls))
        await asyncio.sleep(0.5)
        assert said(at_caye) == WORDS
        assert at_hill == []
        assert here.exchange.talks == there.exchange.talks == []
        assert here.refusals()["calls.duplicate"] or there.refusals()["calls.duplicate"]


async def test_settings_change_and_who_is_there_stays() -> None:
    """DOM-RAD-26."""
    async with a_bridge() as bridge, a_repeater(bridge, HILL) as (hill, _):
        async with a_repeater(bridge, CAYE) as (caye, at_caye):
            before = ports(bridge)["police"]
            talking = asyncio.create_task(hill.send(a_talk(91, 1)))
            other = RADIO_TOML.replace("slot_2 = [92, 101]", "slot_2 = [101]")
            other = other.replace('secret = "what nobody guesses", slot_2 = [7]',
                                  'secret = "another secret", slot_2 = [7]')  # fmt: skip
            await bridge.change(settings.read(other, Path("radio.toml")))
            await talking
            await until(lambda: said(at_caye) == WORDS)
            assert ports(bridge)["police"] == before
            assert len(hill.events) == len(caye.events) == 1
        fewer = other.replace(f"repeater.{CAYE}", "repeater.999")
        await bridge.change(settings.read(fewer, Path("radio.toml")))
        assert hill.is_there.is_set()
        gone = other.replace("127.0.0.1:0", "127.0.0.1:1", 1)
        await bridge.change(settings.read(gone, Path("radio.toml")))
        await until(lambda: not hill.is_there.is_set())


def tone(packets: int, rate: int = sound.RATE) -> np.ndarray:
    at = np.arange(packets * rate // 50) / rate
    return (np.sin(2 * np.pi * 600 * at) * 12_000).astype("<i2")


LINE = """
[link.customs]
kind = "svxlink"
radio_network = "police"
reflector = "127.0.0.1:{reflector}"
password = "{password}"
conference = true
radio = 16000001
node.BPD-1.talkgroup = 55

[link.line]
kind = "usrp"
radio_network = "police"
listen = "127.0.0.1:0"
target = "127.0.0.1:{target}"
talkgroup = 55
radio = 16000002
"""


@pytest.mark.skipif(REFLECTOR is None, reason="Debian's svxreflector is not there")
async def test_a_node_of_a_reflector_and_a_line_hear_each_other() -> None:
    """Opus of a real reflector comes out as samples on a line, and the other way round."""
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as box:
        box.bind(("127.0.0.1", 0))
        box.setblocking(False)
        port = box.getsockname()[1]
        async with Reflector.running() as reflector:
            content = LINE.format(reflector=reflector.port, password=PASSWORD.decode(), target=port)
            async with (
                a_bridge(RADIO_TOML + content) as bridge,
                a_node(reflector.port, "BDF-1") as (node, heard),
            ):
                await until(lambda: connected(heard))
                name = "customs/BPD-1"
                await until(lambda: any(o.name == name and o.is_up for o in bridge.states()))
                coder, came = sound.Encoder(), b""
                for packet in coder.encode(tone(10).tobytes()):
                    node.speak(packet)
                    await asyncio.sleep(0.02)
                node.end()
                while True:
                    packet_of_line = usrp.read(await loop.sock_recv(box, 1_000))
                    if isinstance(packet_of_line, usrp.Unkey):
                        break
                    assert isinstance(packet_of_line, usrp.Speech)
                    came += packet_of_line.samples
                spectrum = np.abs(np.fft.rfft(np.frombuffer(came, "<i2")))
                assert abs(np.argmax(spectrum) * narrowband.RATE / len(came) * 2 - 600) < 20
                link = bridge.links.all["line"]
                pcm = tone(10, narrowband.RATE).tobytes()
                for number in range(10):
                    speech = usrp.Speech(number, pcm[320 * number : 320 * (number + 1)])
                    await loop.sock_sendto(box, usrp.write(speech), ("127.0.0.1", link.port))  # type: ignore[attr-defined]
                    await asyncio.sleep(0.02)
                await until(lambda: len(spoken(heard)) == 10)


async def test_a_link_that_fails_otherwise_than_expected_is_tried_again() -> None:
    """A name that none can be is no error of the system's; the next settings have another."""
    line = LINE[LINE.index("[link.line]") :]
    wrong = line.format(target=9).replace('target = "127.0.0.1', f'target = "{"a" * 64}.bz')
    async with a_bridge(RADIO_TOML + wrong) as bridge:
        await until(lambda: any(text.startswith("failed: ") for _, _, text in bridge.said))
        (state,) = [one for one in bridge.states() if one.name == "line"]
        assert not state.is_up
        assert state.why.startswith("failed: ")
        right = settings.read(RADIO_TOML + line.format(target=9), Path("radio.toml"))
        await bridge.change(right)
        await until(lambda: {s.name: s.is_up for s in bridge.states()}["line"])


def test_whatever_is_counted_is_explained() -> None:
    (place,) = radio_bridge.__path__
    written = "".join(p.read_text() for p in Path(place).rglob("*.py") if p.name != "explained.py")
    found = re.findall(
        r"(?:Unreadable\(\s*|dropped\[|_?counted\[|_drop\()\"([a-z_]+\.[a-z_0-9]+)\"", written
    )
    assert len(found) > 50
    assert set(found) - set(explained.SENTENCES) == set()
    assert explained.sentence("of.tomorrow") == explained.OTHERWISE
    document = (Path(__file__).parents[3] / "docs/radio.md").read_text(encoding="utf-8")
    assert (
        dict(re.findall(r"^\| `([a-z_]+\.[a-z_0-9]+)` \| (.*) \|$", document, re.MULTILINE))
        == explained.SENTENCES
    )
