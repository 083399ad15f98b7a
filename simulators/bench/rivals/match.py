"""The load of ``psn bench compare``: short rounds in turn, so that all meet the same machine.

A round is either *full*, where so many positions are kept on their way (as soon as one has come
to the first subscriber the next is sent, so the server is saturated and yet never drowned), or by
the clock, at a rate that all can follow. In both every position is looked for at every subscriber.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Any, Final

import numpy as np

from simulators.bench.field.crowd import Crowd
from simulators.bench.field.positions import Floats, Ints, Phase, Roads, Timetable
from simulators.bench.field.reports import Reports
from simulators.bench.field.verdict import Judge, Sent, Shelves
from simulators.bench.lines.journal import Library
from simulators.bench.lines.line import Frame
from simulators.bench.lines.reactor import Reactor
from simulators.bench.load import Plan, quiet_memory, say
from simulators.bench.measure.histogram import Latencies
from simulators.bench.measure.usage import seconds as cpu_seconds
from simulators.bench.rivals.side import Side, own, rival

PATIENCE: Final = 3.0
"""Seconds without anything new after which what has not come counts as lost."""
PAUSE: Final = 0.2
MOST_OF_A_UNIT: Final = 28.0
"""Reports of one unit a second: this network takes 30 from a device, and refuses more."""
NEARLY: Final = 0.97
BURST: Final = 64
"""Positions that a full round sends before it reads again."""


@dataclass(slots=True)
class Round:
    """What one server did in one round."""

    sent: int
    expected: int
    delivered: int
    twice: int
    leaks: int
    per_second: float
    p50_ms: float | None
    p99_ms: float | None
    cpu: float | None
    load_cpu: float


class Match:
    """Everybody, connected."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = Random(plan["seed"])
        self.sides: list[Side] = []
        self._crowd = Crowd(plan)
        self.reactor: Reactor = self._crowd.reactor
        self.sides.append(own(self._crowd, plan["pids"][0]))
        ids = self.sides[0].ids
        for running in plan["rivals"]:
            side = rival(self.reactor, running, ids, len(plan["consoles"]), plan["publishers"])
            self.sides.append(side)
        self._roads = Roads(ids, self._random)

    @property
    def refused(self) -> list[Frame]:
        """What our own server refused."""
        return self._crowd.errors

    def capped(self, rounds: list[Round]) -> bool:
        """Whether units were not allowed to report as fast as the server could take it."""
        sent = float(np.median([each.sent for each in rounds])) / self._plan["seconds"]
        most = MOST_OF_A_UNIT * len(self._roads.ids)
        return bool(self._plan["full"]) and sent > NEARLY * most

    def play(self, side: Side) -> Round:
        """One round."""
        library = side.fresh()
        cpu, own_cpu = _cpu(side.pid), time.process_time()
        if self._plan["full"]:
            sent, begin, end = self._full(side, library)
        else:
            sent, begin, end = self._by_the_clock(side)
        cpu_then, own_cpu_then = _cpu(side.pid), time.process_time()
        self._drain(side, library, len(sent.due))
        took = end - begin
        return self._judged(
            side, library, sent, begin, end,
            None if cpu is None or cpu_then is None else (cpu_then - cpu) / took,
            (own_cpu_then - own_cpu) / took,
        )  # fmt: skip

    def _by_the_clock(self, side: Side) -> tuple[Sent, float, float]:
        phase = Phase("calm", self._plan["seconds"], self._plan["rate"])
        table = Timetable([phase], len(side.ids), self._random)
        begin = perf_counter() + 0.05
        begin_ms = (time.time() + begin - perf_counter()) * 1000
        reports = Reports(side.outlets, self._roads, table, begin, begin_ms, side.published)
        while reports.more:
            reports.work(perf_counter())
            self.reactor.turn(reports.due())
        sent = Sent(self._roads.ids[table.unit], reports.times, begin + table.after)
        return sent, begin, perf_counter()

    def _full(self, side: Side, library: Library) -> tuple[Sent, float, float]:
        window, count = min(self._plan["window"], side.most_on_the_way), len(side.ids)
        first, seats = side.journals[0], library.chunk_seats
        everyone = np.arange(count, dtype=np.int64)
        made: list[bytes | memoryview] = []
        times: list[Ints] = []
        dues: list[float] = []
        number = got = looked = 0
        begin = perf_counter()
        end = begin + self._plan["seconds"]
        while (now := perf_counter()) < end:
            fresh = first.chunks[looked:]
            looked += len(fresh)
            got += sum(seats[chunk] for chunk in fresh)
            allowed = int((now - begin) * MOST_OF_A_UNIT * count) - number
            for _ in range(min(BURST, window - (number - got), allowed)):
                n = number % count
                if n == 0:
                    at_ms = np.full(count, round(time.time() * 1000), dtype=np.int64)
                    times.append(at_ms)
                    payloads = self._roads.payloads(everyone, np.full(count, now - begin), at_ms)
                    made = side.published(payloads)
                dues.append(now)
                side.outlets[n].transmit(made[n])
                number += 1
            self.reactor.turn(now if number - got < window else now + 0.001)
        units = np.resize(self._roads.ids, number)
        all_times = np.concatenate(times)[:number]
        return Sent(units, all_times, np.array(dues)), begin, end

    def _drain(self, side: Side, library: Library, sent: int) -> None:
        """Wait until everything has come, or nothing more comes."""
        last, since = -1, perf_counter()
        while perf_counter() - since < PATIENCE:
            self.reactor.run_until(lambda: False, PAUSE)
            seats = np.array(library.chunk_seats, dtype=np.int64)
            got = sum(int(seats[np.array(j.chunks, dtype=np.int64)].sum()) for j in side.journals)
            # The hidden unit's are not for everyone.
            if got >= sent * len(side.journals) * (1 - len(side.hidden) / len(side.ids)):
                return
            if got != last:
                last, since = got, perf_counter()

    def _judged(
        self, side: Side, library: Library, sent: Sent, begin: float, end: float,
        cpu: float | None, own_cpu: float,
    ) -> Round:  # fmt: skip
        judge = Judge(Shelves(library), sent, side.hidden)
        secret = int(np.isin(sent.unit_ids, list(side.hidden)).sum())
        latencies = Latencies()
        found = Round(len(sent.due), 0, 0, 0, 0, 0.0, None, None, cpu, own_cpu)
        in_time = 0
        for journal, blind in zip(side.journals, side.blind, strict=True):
            verdict, at, numbers = judge.judge(journal)
            found.expected += len(sent.due) - (secret if blind else 0)
            found.delivered += verdict.delivered
            found.twice += verdict.twice
            found.leaks += verdict.hidden if blind else 0
            latencies.add(_since(at, sent.due[numbers]))
            in_time += int((at <= end).sum())
        found.per_second = in_time / (end - begin)
        found.p50_ms, found.p99_ms = latencies.ms(50, 99)
        return found


def _since(at: Floats, due: Floats) -> Floats:
    return at - due


def _cpu(pid: int | None) -> float | None:
    with contextlib.suppress(OSError):
        return None if pid is None else cpu_seconds(pid)
    return None


def load(plan: Plan) -> dict[str, Any]:
    """The load process's part."""
    match = Match(plan)
    quiet_memory()
    rounds: defaultdict[str, list[Round]] = defaultdict(list)
    total = plan["rounds"] * len(match.sides)
    for number in range(plan["rounds"] + 1):
        for side in match.sides:
            played = match.play(side)
            if number == 0:  # the first of each is to get warm
                continue
            rounds[side.name].append(played)
            done = sum(map(len, rounds.values()))
            say("progress", text="rounds", done=done, total=total)
    return {
        "units": len(plan["units"]), "consoles": len(plan["consoles"]),
        "rounds": plan["rounds"], "seconds": plan["seconds"],
        "mode": "full" if plan["full"] else f"{plan['rate']:g} Hz",
        "refused": len(match.refused),
        "hidden_leaks": sum(r.leaks for played in rounds.values() for r in played),
        "servers": {
            name: _summed(played) | {"capped": match.capped(played)}
            for name, played in rounds.items()
        },
    }  # fmt: skip


def _summed(rounds: list[Round]) -> dict[str, Any]:
    def middle(name: str) -> float | None:
        values = [getattr(each, name) for each in rounds if getattr(each, name) is not None]
        return round(float(np.median(values)), 3) if values else None

    return {
        "delivered_per_s": round(middle("per_second") or 0.0),
        "p50_ms": middle("p50_ms"), "p99_ms": middle("p99_ms"),
        "server_cpu": middle("cpu"), "load_cpu": middle("load_cpu"),
        "expected": sum(each.expected for each in rounds),
        "delivered": sum(each.delivered for each in rounds),
        "twice": sum(each.twice for each in rounds),
    }  # fmt: skip
