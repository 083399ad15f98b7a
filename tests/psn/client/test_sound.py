"""Files and samples become packets of speech, and are heard as what they were."""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path

import numpy as np
import pytest
from parties import JOINT
from stage import Stage, credentials_of, until

from psn.client import Client, sound
from psn.client.sound import RATE, SAMPLES, Decoder, Encoder, NoSound, alert, packets, say
from psn.voice import ogg
from psn.wire import Speech


def tone(hertz: float, seconds: float, rate: int = RATE) -> bytes:
    at = np.arange(round(seconds * rate))
    return (np.sin(2 * np.pi * hertz * at / rate) * 8_000).astype(np.int16).tobytes()


def heard(speech: list[bytes]) -> np.ndarray:
    ear = Decoder()
    return np.frombuffer(b"".join(map(ear.decode, speech)), np.int16)


def pitch(samples: np.ndarray) -> float:
    """The loudest pitch, hertz."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples))


def wav(samples: bytes, rate: int) -> io.BytesIO:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples)
    file.seek(0)
    return file


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("piece", [2, 320, 100_000])
def test_samples_of_any_rate_in_any_pieces_are_the_same_tone(rate: int, piece: int) -> None:
    encoder, samples, made = Encoder(rate), tone(600, 0.5, rate), list[bytes]()
    for start in range(0, len(samples), piece):
        made += encoder.encode(samples[start : start + piece])
    made += encoder.end()
    assert 25 <= len(made) <= 28
    assert pitch(heard(made)[4_800:]) == pytest.approx(600, abs=8)


def test_the_attention_tone_has_two_pitches_in_turn() -> None:
    samples = heard(list(alert()))
    assert 48_000 <= len(samples) <= 51_000
    middles = [samples[at : at + 3_000] for at in (2_000, 8_000, 14_000, 44_000)]
    assert [pitch(each) for each in middles] == pytest.approx([1_000, 1_500, 1_000, 1_500], abs=20)


def test_a_file_is_packets_of_20_ms_to_its_last_sample() -> None:
    made = list(packets(wav(tone(440, 1.01, 22_050), 22_050)))
    assert 51 <= len(made) <= 54
    assert all(len(packet) < 400 for packet in made)
    assert pitch(heard(made)[4_800:48_000]) == pytest.approx(440, abs=5)


def test_a_lost_packet_takes_its_time() -> None:
    made = list(packets(wav(tone(440, 1.0), RATE)))
    made[20] = ogg.lost(20)
    assert len(heard(made)) == len(made) * SAMPLES


@pytest.mark.parametrize("nothing", [b"", b"x" * 5_000, wav(b"", 8_000).getvalue()[:20]])
def test_what_has_no_sound_is_told_plainly(nothing: bytes) -> None:
    with pytest.raises(NoSound) as problem:
        list(packets(io.BytesIO(nothing)))
    assert problem.value.code == "no_sound" and problem.value.todo


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        list(packets(tmp_path / "nothing.wav"))


async def test_an_announcement_is_heard_as_it_is_in_the_file(stage: Stage) -> None:
    speech: list[Speech] = []
    async with (
        Client(stage.url, credentials_of("ana")) as ana,
        Client(stage.url, credentials_of(1)) as car,
    ):
        await asyncio.gather(ana.up(), car.up())
        await ana.voice.join(JOINT)
        await car.voice.join(JOINT, speech.append)
        begun = asyncio.get_running_loop().time()
        async with ana.voice.talk(JOINT) as talk:
            await say(talk, packets(wav(tone(800, 1.0), RATE)))
        took = asyncio.get_running_loop().time() - begun
        await until(lambda: speech and speech[-1].last, "it is heard to its end")
    assert [each.number for each in speech] == list(range(len(speech)))
    assert took > 1.0 - 2 * sound.AHEAD_SECONDS, "in its own time, or it would be dropped"
    assert pitch(heard([each.opus for each in speech])[4_800:48_000]) == pytest.approx(800, abs=5)
