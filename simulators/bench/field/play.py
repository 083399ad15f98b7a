"""The load of every scenario with positions: sends by the clock, reads, judges afterwards."""

from __future__ import annotations

import asyncio
import math
import select
import sys
import time
from array import array
from random import Random
from time import perf_counter
from typing import Any, Final

import numpy as np

from simulators.bench.field.crowd import Crowd
from simulators.bench.field.outcome import Outcome, on_disk
from simulators.bench.field.positions import Phase, Roads, Timetable
from simulators.bench.field.post import Post
from simulators.bench.field.reports import AT_ONCE, Reports, framed
from simulators.bench.load import Plan, quiet_memory, say
from simulators.bench.measure.usage import Usage, resident_kb

PATIENCE: Final = 5.0
"""Seconds without anything new after which what has not come counts as lost."""
TELL_EVERY: Final = 0.25


class Field:
    """One run: who is there, what is due when, and what was noted."""

    def __init__(self, plan: Plan) -> None:
        self.phases = [Phase(**phase) for phase in plan["phases"]]
        random = Random(plan["seed"])
        self.crowd = Crowd(plan)
        reporting = [*self.crowd.units, *self.crowd.secret]
        self.lines = [unit.line for unit in reporting]
        self.roads = Roads([unit.number for unit in reporting], random)
        self.table = Timetable(self.phases, len(reporting), random)
        self.post = Post(
            [unit.party for unit in self.crowd.units],
            [console.party for console in self.crowd.consoles],
            plan.get("mail", {}),
            self.table.begins[-1],
            random,
        )
        self.at_work: array[float] = array("d")
        """Seconds from each return of epoll until sockets were looked at again."""

    def warm_up(self) -> None:
        """One report of everyone, so that the run begins with a full map."""
        everyone = np.arange(len(self.lines), dtype=np.int64)
        now = np.full(len(everyone), round(time.time() * 1000), dtype=np.int64)
        frames = framed(self.roads.payloads(everyone, np.zeros(len(everyone)), now))
        for n, (line, frame) in enumerate(zip(self.lines, frames, strict=True)):
            line.transmit(frame)
            if n % AT_ONCE == 0:
                self.crowd.reactor.turn(perf_counter() + 0.001)
        self.crowd.reactor.run_until(lambda: False, 1.5)

    def run(self) -> Outcome:
        """Send everything by the clock and read meanwhile; then wait for what is on its way."""
        crowd, reactor, post = self.crowd, self.crowd.reactor, self.post
        begin = post.begin = perf_counter() + 0.1
        begin_ms = (time.time() + begin - perf_counter()) * 1000
        crowd.post = post if post.kinds else None
        reports = Reports(self.lines, self.roads, self.table, begin, begin_ms)
        say("began", at=begin, seconds=self.table.begins[-1])
        switches = [
            (begin + at, phase.stuck)
            for at, phase in zip(self.table.begins, self.phases, strict=False)
        ]
        tell_at = begin
        while reports.more or post.more:
            now = perf_counter()
            self.at_work.append(now - reactor.woke)
            while switches and switches[0][0] <= now:
                crowd.let_stick(switches.pop(0)[1])
            if now >= tell_at:
                tell_at = now + TELL_EVERY
                say("progress", text="positions", done=reports.sent, total=len(reports))
            reports.work(now)
            post.work(perf_counter())
            reactor.turn(min(reports.due(), post.due(), tell_at))
        crowd.let_stick(False)
        self._settle()
        return Outcome(self, reports, begin)

    def _settle(self) -> None:
        """Wait until everything has come, or nothing more comes."""
        reactor, post = self.crowd.reactor, self.post
        last, since = -1, perf_counter()
        while perf_counter() - since < PATIENCE:
            until = perf_counter() + 0.1
            while perf_counter() < until:
                post.work(perf_counter())
                reactor.turn(min(until, post.due()))
            missing = self._missing()
            if missing <= 0:
                return
            if missing != last:
                last, since = missing, perf_counter()

    def _missing(self) -> int:
        """Deliveries of positions and messages that are still to come."""
        crowd, rounds = self.crowd, len(self.table) // len(self.lines)
        seats = np.array(crowd.library.chunk_seats, dtype=np.int64)
        missing = self.post.open_ends
        for console in crowd.consoles:
            if console.journal is not None and console.line.open_now:
                visible = len(crowd.units) if console.foreign else len(self.lines)
                got = int(seats[np.array(console.journal.chunks, dtype=np.int64)].sum())
                missing += max(0, rounds * visible - got)
        return missing


def _wait_for_word(field: Field) -> None:
    """Say that everybody is there, and begin when a line comes (or when nobody is left to say it).

    Meanwhile the server is answered, or it would cut the connections.
    """
    say("ready")
    said = select.poll()
    said.register(sys.stdin, select.POLLIN | select.POLLHUP)
    field.crowd.reactor.run_until(lambda: bool(said.poll(0)), math.inf)


def load(plan: Plan) -> dict[str, Any]:
    """The load process's part."""
    field = Field(plan)
    field.crowd.sign_in()
    field.warm_up()
    for console in field.crowd.consoles:
        if console.journal is not None:
            console.journal.clear()
    quiet_memory()
    if plan["waits"]:
        _wait_for_word(field)
    used = Usage(*plan["pids"])
    outcome = field.run()
    usage = used.figures()
    server = plan["pids"][0]
    rss = None if server is None else round(resident_kb(server) / 1024, 1)
    figures = outcome.figures()
    stored = asyncio.run(on_disk(plan["dsn"], outcome))
    return figures | {"stored": stored} | usage | {"server_rss_mb": rss}
