"""One talk in every form: what is passed on as it came, what is coded, and what nobody hears.

There is no chip here; one that answers as a chip does stands for it, over a real socket.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ambe import a_chip
from patience import until

from radio_bridge import narrowband
from radio_bridge.bridge import settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.dmr_links import MasterLink
from radio_bridge.bridge.plain_links import LineLink
from radio_bridge.bridge.speech import Speech
from radio_bridge.dmr import burst
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import Opus, Samples, Sound
from radio_bridge.usrp import packets as usrp
from simulators.radios.repeater import Repeater, talk

SILENCE = Samples(bytes(320))


class Mouth:
    """Keeps what it is to say."""

    def __init__(self, form: type[Sound]) -> None:
        self.form = form
        self.said: list[Sound] = []
        self.ended = 0

    def say(self, sound: Sound) -> None:
        assert type(sound) is self.form
        self.said.append(sound)

    def end(self) -> None:
        self.ended += 1


def speech(*forms: type[Sound]) -> tuple[Speech, Counter[str], list[Mouth]]:
    counted: Counter[str] = Counter()
    made, mouths = Speech(None, counted), [Mouth(form) for form in forms]
    made.mouths.update(enumerate(mouths))
    return made, counted, mouths


def test_what_is_wanted_as_it_came_is_not_coded() -> None:
    made, counted, (opus, other, ambe) = speech(Opus, Opus, int)
    packet = Opus(narrowband.Encoder().encode(SILENCE.pcm))
    made.say(packet)
    assert opus.said == other.said == [packet]
    assert ambe.said == []
    assert made.is_mute
    made.say(packet)
    assert counted == {"bridge.no_vocoder": 1}
    made.end()
    assert [mouth.ended for mouth in (opus, other, ambe)] == [1, 1, 1]


def test_opus_and_samples_without_a_vocoder() -> None:
    made, counted, (opus, samples) = speech(Opus, Samples)
    made.say(SILENCE)
    assert samples.said == [SILENCE]
    assert len(opus.said) == 1
    made.say(Opus(narrowband.Encoder().encode(SILENCE.pcm)))
    assert len(samples.said) == 2
    assert not counted


@pytest.mark.parametrize("bad", [b"", b"\xff" * 50])
def test_what_is_no_opus_is_counted_and_the_next_is_heard(bad: bytes) -> None:
    made, counted, (samples,) = speech(Samples)
    made.say(Opus(bad))
    assert counted == {"bridge.opus": 1}
    made.say(Opus(narrowband.Encoder().encode(SILENCE.pcm)))
    assert len(samples.said) == 1


def test_a_mouth_that_fails_silences_no_other() -> None:
    made, counted, (bad, good, opus) = speech(Samples, Samples, Opus)

    def fail(sound: Sound) -> None:
        raise ValueError("this one cannot")

    bad.say = fail  # type: ignore[method-assign]
    made.say(SILENCE)
    assert good.said == [SILENCE]
    assert len(opus.said) == 1
    assert counted == {"bridge.fault": 1}
    made.end()
    assert good.ended == opus.ended == 1


def test_radios_speech_without_a_vocoder() -> None:
    made, counted, (samples, ambe) = speech(Samples, int)
    made.say(5)
    assert (samples.said, ambe.said) == ([], [5])
    assert counted == {"bridge.no_vocoder": 1}


class Lender:
    """A vocoder that decodes at once, into samples that say which lending they are of."""

    class Lent:
        def __init__(self, take: Callable[[bytes], None], samples: bytes) -> None:
            self.is_lost, self.closed = False, 0
            self._take, self._samples = take, samples

        def ask(self, content: bytes) -> None:
            if not self.is_lost:
                self._take(self._samples)

        def close(self) -> None:
            self.closed += 1

    def __init__(self) -> None:
        self.is_ready = True
        self.lent: list[Lender.Lent] = []

    def decoder(self, take: Callable[[bytes], None]) -> Lender.Lent | None:
        if not self.is_ready:
            return None
        self.lent.append(self.Lent(take, bytes([len(self.lent), 0]) * 160))
        return self.lent[-1]

    encoder = decoder


def test_a_talk_goes_on_with_another_coder_when_the_vocoder_was_away() -> None:
    vocoder, samples = Lender(), Mouth(Samples)
    counted: Counter[str] = Counter()
    made = Speech(vocoder, counted)
    made.mouths[0] = samples
    made.say(1)
    assert len(samples.said) == 3
    vocoder.is_ready, vocoder.lent[0].is_lost = False, True
    made.say(2)
    assert len(samples.said) == 3
    assert counted == {"bridge.no_vocoder": 1}
    vocoder.is_ready = True
    made.say(3)
    assert samples.said[3:] == [Samples(b"\1\0" * 160)] * 3
    made.end()
    assert [one.closed for one in vocoder.lent] == [0, 1]


CONTENT = """
[vocoder]
address = "127.0.0.1:{chip}"

[link.police]
kind = "master"
radio_network = "police"
listen = "127.0.0.1:0"
repeater.702001 = {{ secret = "what nobody guesses", slot_1 = [91] }}

[link.line]
kind = "usrp"
radio_network = "police"
listen = "127.0.0.1:0"
target = "127.0.0.1:{line}"
talkgroup = 91
radio = 16000002
"""


class Box(asyncio.DatagramProtocol):
    """The far end of a line."""

    def __init__(self) -> None:
        self.heard: list[usrp.Packet] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.append(usrp.read(data))


async def test_a_radio_and_a_line_hear_each_other_by_a_vocoder() -> None:
    loop = asyncio.get_running_loop()
    transport, box = await loop.create_datagram_endpoint(Box, local_addr=("127.0.0.1", 0))
    line_port = transport.get_extra_info("sockname")[1]
    heard: list[BurstPacket] = []
    async with a_chip() as (chip, port):
        content = CONTENT.format(chip=port, line=line_port)
        bridge = Bridge(settings.read(content, Path("radio.toml")))
        await bridge.start()
        try:
            master, line = bridge.links.all["police"], bridge.links.all["line"]
            assert isinstance(master, MasterLink)
            assert isinstance(line, LineLink)
            await until(lambda: bridge.has_vocoder and bool(master.port and line.port))
            key, to = b"what nobody guesses", ("127.0.0.1", master.port or 0)
            async with Repeater(702_001, key, *to, heard.append) as r:
                await until(r.is_there.is_set)
                await r.send(talk(7001, 91, 1, 5, [1, 2 << 72, 3 << 144]))
                await until(lambda: any(isinstance(one, usrp.Unkey) for one in box.heard))
                speech_heard = [one for one in box.heard if isinstance(one, usrp.Speech)]
                assert len(chip.decoded) == 9
                assert 6 <= len(speech_heard) <= 9  # what the chip has not said at the end is not
                assert speech_heard[2].samples == b"\0\x01" * 160
                await asyncio.sleep(0.1)
                for number in range(9):
                    sent = usrp.write(usrp.Speech(number, SILENCE.pcm))
                    transport.sendto(sent, ("127.0.0.1", line.port or 0))
                    await asyncio.sleep(0.02)
                await until(lambda: sum(one.frame != Frame.DATA for one in heard) == 3)
                words = [burst.voice_bits(o.burst) for o in heard if o.frame != Frame.DATA]
                assert words == [n << 144 | (n + 1) << 72 | (n + 2) for n in (1, 4, 7)]
                assert {one.source for one in heard} == {16000002}
        finally:
            await bridge.stop()
            transport.close()
