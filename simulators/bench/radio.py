"""``psn bench radio``: what a bridge adds to a burst, with many calls at a time.

A real ``psn radio`` has one processor; repeaters sign in at it by UDP from another. They are in
pairs: radios at the first of a pair talk on both slots, each in a talkgroup of its own, and the
second is to hear them. Every burst carries the call and its number in place of speech, so whoever
hears it knows where it belongs and when it was sent.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final

import psutil

from psn.problems import Problem
from radio_bridge.dmr import burst
from radio_bridge.dmr.link_control import VoiceCall
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.homebrew.stream import Stream
from simulators.bench import stage
from simulators.bench.load import Lag, percentiles, quiet_memory
from simulators.radios.repeater import BURST_S, Repeater

KEYS: Final = ("calls", "bursts", "p99_added_ms", "late", "crosstalk")
LATE_S: Final = 0.005
TALK_BURSTS: Final = (34, 100)
"""A talk lasts two to six seconds."""
PAUSE_S: Final = 0.12
DRAIN_S: Final = 0.5
START_S: Final = 30.0
_SECRET: Final = "what no bench guesses"
_FIRST_REPEATER: Final = 702_000
_FIRST_TALKGROUP: Final = 1_000
_NUMBER_BITS: Final = 32


@dataclass(slots=True)
class Run:
    """What was measured; times in seconds."""

    bursts: int = 0
    came: int = 0
    crosstalk: int = 0
    late: int = 0
    talks: int = 0
    added: array[float] = field(default_factory=lambda: array("d"))
    keyed: array[float] = field(default_factory=lambda: array("d"))
    cadence: array[float] = field(default_factory=lambda: array("d"))
    """How far from 60 ms the bursts of a talk came after one another."""


class Call:
    """One talkgroup, in which one radio after the other talks."""

    def __init__(self, run: Run, index: int, random: Random) -> None:
        self.talkgroup = _FIRST_TALKGROUP + index
        self.slot = index % 2 + 1
        self._run = run
        self._mark = index + 1
        self._random = random
        self._radios = itertools.count(1 + index * 10_000)
        self._number = 0
        self._sent: dict[int, float] = {}
        self._keyed_at: float | None = None
        self._last: tuple[int, float, float] | None = None

    async def talk(self, repeater: Repeater, end: float) -> None:
        """Talk, and talk again, until then."""
        while perf_counter() < end:
            radio = next(self._radios)
            stream = Stream(VoiceCall(radio, self.talkgroup, True), self.slot, radio, 1)
            begun = self._keyed_at = perf_counter()
            repeater.line.send(stream.header())
            self._run.talks += 1
            count = self._random.randint(*TALK_BURSTS)
            for place in range(1, count + 1):
                self._number += 1
                packet = stream.voice(self._mark << _NUMBER_BITS | self._number)
                await _until(begun + place * BURST_S)
                self._sent[self._number] = perf_counter()
                self._run.bursts += 1
                repeater.line.send(packet)
            await _until(begun + (count + 1) * BURST_S)
            repeater.line.send(stream.terminator())
            self._last = None
            await asyncio.sleep(PAUSE_S)

    def hear(self, packet: BurstPacket, now: float) -> None:
        """A burst has come where this call is to be heard."""
        run = self._run
        if packet.frame == Frame.DATA:
            if packet.kind == 1 and self._keyed_at is not None:
                run.keyed.append(now - self._keyed_at)
                self._keyed_at = None
            return
        word = burst.voice_bits(packet.burst)
        mark, number = word >> _NUMBER_BITS, word & ((1 << _NUMBER_BITS) - 1)
        sent = self._sent.pop(number, None)
        if mark != self._mark or packet.target != self.talkgroup or sent is None:
            run.crosstalk += 1
            return
        run.came += 1
        run.added.append(now - sent)
        if self._last is not None and self._last[0] == number - 1:
            _, came_before, sent_before = self._last
            run.cadence.append(abs(now - came_before - BURST_S))
            run.late += (now - came_before) - (sent - sent_before) > LATE_S
        self._last = number, now, sent


async def _until(due: float) -> None:
    wait = due - perf_counter()
    if wait > 0:
        await asyncio.sleep(wait)


def settings_of(calls: int) -> str:
    """The bridge's settings: pairs of repeaters, and two talkgroups for each pair."""
    lines = [
        '[link.bench]\nkind = "master"\nradio_network = "bench"\nlisten = "127.0.0.1:0"\n',
    ]
    for repeater in range((calls + 1) // 2 * 2):
        pair = repeater // 2
        slots = [_FIRST_TALKGROUP + 2 * pair + slot for slot in (0, 1)]
        lines.append(
            f'repeater.{_FIRST_REPEATER + repeater} = {{ secret = "{_SECRET}",'
            f" slot_1 = [{slots[0]}], slot_2 = [{slots[1]}] }}\n"
        )
    return "".join(lines)


class Bridge:
    """The bridge that is measured, as a process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    @classmethod
    async def start(cls, place: Path, calls: int) -> Bridge:
        """Start it on the first processor; raises :class:`Problem`."""
        file, log = place / "radio.toml", place / "radio.log"
        file.write_text(settings_of(calls))
        command = (sys.executable, "-P", "-m", "psn", "radio", "--config", str(file))
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *stage.bound((*command, "--log-level", "warning"), stage.cores()[0]),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
                start_new_session=True,
            )  # fmt: skip
        assert process.stdout is not None
        port = 0
        try:
            async with asyncio.timeout(START_S):
                async for line in process.stdout:
                    if line.startswith(b"link bench listens at port "):
                        port = int(line.split()[-1])
                        break
        except TimeoutError:
            process.kill()
        if not port:
            await process.wait()
            said = log.read_text().strip()[-500:]
            raise Problem("bridge_failed", f"The bridge did not start: {said}", "See its log.")
        return cls(process, port)

    async def stop(self) -> None:
        """Stop it in order."""
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


async def measure(calls: int, seconds: float, seed: int) -> dict[str, Any]:
    """Measure; meanwhile this process has the second processor."""
    allowed = os.sched_getaffinity(0)
    with stage.directory() as place:
        bridge = await Bridge.start(place, calls)
        try:
            os.sched_setaffinity(0, stage.cores()[1])
            return await _measured(bridge, calls, seconds, Random(seed))
        finally:
            os.sched_setaffinity(0, allowed)
            gc.enable()
            await bridge.stop()


async def _measured(bridge: Bridge, calls: int, seconds: float, random: Random) -> dict[str, Any]:
    run = Run()
    each = [Call(run, index, random) for index in range(calls)]
    here = {(index // 2, call.slot): call for index, call in enumerate(each)}

    def ear(pair: int, is_far: bool) -> Any:
        def hear(packet: BurstPacket) -> None:
            call = here.get((pair, packet.slot)) if is_far else None
            if call is None:
                run.crosstalk += 1
            else:
                call.hear(packet, perf_counter())

        return hear

    async with _Repeaters(
        [
            Repeater(
                _FIRST_REPEATER + n, _SECRET.encode(), "127.0.0.1", bridge.port,
                ear(n // 2, bool(n % 2)),
            )
            for n in range((calls + 1) // 2 * 2)
        ]
    ) as repeaters:  # fmt: skip
        quiet_memory()
        lag, used = Lag(), psutil.Process(bridge.process.pid)
        before, begun = used.cpu_times(), perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for index, call in enumerate(each):
                talker = repeaters[index // 2 * 2]
                tasks.create_task(call.talk(talker, begun + seconds))
                await asyncio.sleep(BURST_S / calls)
        await asyncio.sleep(DRAIN_S)
        lag.stop()
        after = used.cpu_times()
    return _result(run, calls, seconds, lag) | {
        "bridge_cpu_s": round(after.user + after.system - before.user - before.system, 2)
    }


class _Repeaters:
    """All of them, signed in."""

    def __init__(self, repeaters: list[Repeater]) -> None:
        self._repeaters = repeaters

    async def __aenter__(self) -> list[Repeater]:
        for repeater in self._repeaters:
            await repeater.__aenter__()
        async with asyncio.timeout(START_S):
            for repeater in self._repeaters:
                await repeater.is_there.wait()
        return self._repeaters

    async def __aexit__(self, *why: object) -> None:
        for repeater in self._repeaters:
            await repeater.__aexit__(*why)


def _result(run: Run, calls: int, seconds: float, lag: Lag) -> dict[str, Any]:
    p50, p99, worst = percentiles(run.added, 50, 99, 100)
    return {
        "calls": calls,
        "bursts": run.bursts,
        "p99_added_ms": p99,
        "late": run.late,
        "crosstalk": run.crosstalk,
        "lost": run.bursts - run.came,
        "p50_added_ms": p50,
        "max_added_ms": worst,
        "p99_cadence_ms": percentiles(run.cadence, 99)[0],
        "p95_keyed_ms": percentiles(run.keyed, 95)[0],
        "talks": run.talks,
        "seconds": seconds,
        "load_lag_p99_ms": percentiles(lag.samples, 99)[0],
    }
