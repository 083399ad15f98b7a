"""``psn say``: whoever may talk says a file, and what is wrong is said before anything is heard."""

from __future__ import annotations

import asyncio
import wave
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from command_line import Psn
from stage import JOINT, PASSWORD, Stage, credentials_of, until

from psn.client import Client
from psn.wire import Speech


def wav(file: Path, seconds: float) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        at = np.arange(round(seconds * 8_000))
        out.writeframes((np.sin(at / 3) * 8_000).astype(np.int16).tobytes())
    return file


async def test_a_file_is_heard_after_its_tone(stage: Stage, psn: Psn, tmp_path: Path) -> None:
    heard: list[Speech] = []
    file = wav(tmp_path / "evacuate.wav", 0.5)
    async with Client(stage.url, credentials_of(1)) as car:
        await car.up()
        await car.voice.join(f"group:{JOINT}", heard.append)
        done = await asyncio.to_thread(
            psn, "say", f"group:{JOINT}", str(file), "--as", "ana", "--password-stdin", "--alert",
            "--url", stage.url, typed=PASSWORD + "\n",
        )  # fmt: skip
        await until(lambda: heard and heard[-1].last, "it is heard to its end")
    assert {each.talker for each in heard} == {"person:1"}
    assert 1.4 < len(heard) * 0.02 < 1.7
    assert "Said in group:1" in done.output


async def test_without_a_server_it_does_not_wait_for_ever(
    psn: Psn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psn.commands.say.ANSWER_SECONDS", 0.5)
    file = wav(tmp_path / "short.wav", 0.1)
    words = ["say", "group:1", str(file), "--as", "ana", "--password-stdin"]
    said = partial(psn, *words, "--url", "http://127.0.0.1:9", typed="x\n", fails=True)
    done = await asyncio.to_thread(said)
    assert "ws://127.0.0.1:9/ws does not answer" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["boat", "short.wav", "--as", "ana", "--password-stdin"], "no voice group"),
        (["group:1", "long.wav", "--as", "ana", "--password-stdin"], "less than 60 seconds"),
        (["group:1", "short.wav"], "--as NAME or --key FILE"),
        (["group:1", "no.wav", "--as", "ana"], "no sound"),
        (["group:2", "short.wav", "--as", "ana", "--password-stdin"], "no voice group group:2"),
        (["group:1", "short.wav", "--as", "eve", "--password-stdin"], "password is wrong"),
    ],
)
async def test_what_is_wrong_is_said(
    stage: Stage, psn: Psn, tmp_path: Path, words: list[str], told: str
) -> None:
    wav(tmp_path / "short.wav", 0.1)
    wav(tmp_path / "long.wav", 61)
    (tmp_path / "no.wav").write_bytes(b"x" * 100)
    words[1] = str(tmp_path / words[1])
    said = partial(psn, "say", *words, "--url", stage.url, typed=PASSWORD + "\n", fails=True)
    done = await asyncio.to_thread(said)
    assert told in " ".join(done.output.split())
