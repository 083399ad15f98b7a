"""What came of a run, in figures: delivered, lost, how soon, each second and each phase."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import numpy as np

from simulators.bench.field.positions import FRAME_BYTES, Floats
from simulators.bench.field.reports import Reports
from simulators.bench.field.verdict import Judge, Sent, Shelves, Verdict
from simulators.bench.lines.journal import Journal
from simulators.bench.measure.histogram import Latencies, Timeline

if TYPE_CHECKING:
    from simulators.bench.field.play import Field

LONGEST_SERIES = 3_600
"""Seconds that are told one by one."""


class Outcome:
    """A run that is over."""

    def __init__(self, field: Field, reports: Reports, begin: float) -> None:
        self.field = field
        self.first_ms = int(reports.times[0])
        units = field.table.unit
        self._visible = units < len(field.crowd.units)
        self.sent = int(self._visible.sum())
        self._bytes_out = np.bincount(field.table.after.astype(np.int64)) * FRAME_BYTES
        self._late = Latencies()
        self._late.add(np.array(reports.late))
        self._lag = Latencies()
        self._lag.add(np.array(field.at_work))
        self._begin = begin
        self._after: Floats = field.table.after
        seconds = min(LONGEST_SERIES, int(np.ceil(field.table.begins[-1])))
        self._timeline = Timeline(seconds)
        self._phases = [Latencies() for _ in field.phases]
        self._expected = [0 for _ in field.phases]
        self._delivered = [0 for _ in field.phases]
        self._arrived = np.zeros(seconds + 60, dtype=np.int64)
        self._bytes_in = np.zeros(seconds + 60, dtype=np.int64)
        self._verdicts = self._judge(
            Sent(field.roads.ids[units], reports.times, begin + self._after)
        )

    def _judge(self, sent: Sent) -> list[tuple[bool, Verdict]]:
        """Every console's verdict, and whether it is a foreigner to the hidden units."""
        field = self.field
        shelves = Shelves(field.crowd.library)
        judge = Judge(shelves, sent, field.crowd.hidden)
        ends = np.array(field.table.begins[1:-1])
        per_phase = np.bincount(
            np.searchsorted(ends, self._after[self._visible], side="right"),
            minlength=len(field.phases),
        )
        verdicts = []
        for console in field.crowd.consoles:
            if console.journal is None:
                continue
            self._count_bytes(shelves, console.journal)
            verdict, at, numbers = judge.judge(console.journal)
            verdicts.append((console.foreign, verdict))
            if console.may_stick:
                continue
            # Only what everybody may see counts as delivered.
            seen = self._visible[numbers]
            at, numbers = at[seen], numbers[seen]
            latencies, due = at - sent.due[numbers], self._after[numbers]
            self._timeline.add(latencies, due)
            self._arrived += self._per_second(at)
            phase = np.searchsorted(ends, due, side="right")
            for n in range(len(field.phases)):
                self._phases[n].add(latencies[phase == n])
                self._expected[n] += int(per_phase[n])
                self._delivered[n] += int((phase == n).sum())
        return verdicts

    def _per_second(self, at: Floats, weights: Any = None) -> Any:
        size = len(self._arrived)
        second = np.clip((at - self._begin).astype(np.int64), 0, size - 1)
        return np.bincount(second, weights, size).astype(np.int64)

    def _count_bytes(self, shelves: Shelves, journal: Journal) -> None:
        chunks = np.array(journal.chunks, dtype=np.int64)
        self._bytes_in += self._per_second(np.array(journal.at), shelves.chunk_bytes[chunks])

    def figures(self) -> dict[str, Any]:
        """For the result."""
        crowd = self.field.crowd
        all_of_it = self._timeline.all()
        p50, p95, p99, worst = all_of_it.ms(50, 95, 99, 100)
        foreign = [verdict for is_foreign, verdict in self._verdicts if is_foreign]
        at_home = [verdict for is_foreign, verdict in self._verdicts if not is_foreign]
        took = self.field.table.begins[-1]
        mail = self.field.post.figures() if self.field.post.kinds else {}
        return {
            "units": len(crowd.units), "consoles": len(crowd.consoles),
            "rate": max(phase.rate for phase in self.field.phases),
            "sent": self.sent, "expected": sum(self._expected),
            "delivered": sum(self._delivered), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
            "max_ms": worst, "seconds": round(took, 2),
            "delivered_per_s": round(sum(self._delivered) / took),
            "hidden_leaks": sum(v.hidden for v in foreign) + sum(c.leaks for c in crowd.consoles),
            "hidden_seen_at_home": sum(v.hidden for v in at_home),
            "delivered_twice": sum(v.twice for _, v in self._verdicts),
            "out_of_order": sum(v.out_of_order for _, v in self._verdicts),
            "refused": len(crowd.errors), "lines_lost": len(crowd.gone),
            "fence_crossings_seen": sum(c.crossings for c in crowd.consoles),
            **mail,
            "phases": self._by_phase(),
            "mb_in": round(int(self._bytes_in.sum()) / 1e6, 1),
            "mb_out": round(int(self._bytes_out.sum()) / 1e6, 1),
            "frames_decoded": crowd.library.decoded,
            "sender_late_p99_ms": self._late.ms(99)[0],
            "load_lag_p99_ms": self._lag.ms(99)[0],
            "series": self._series(),
        }  # fmt: skip

    def _by_phase(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for n, phase in enumerate(self.field.phases):
            p50, p99, worst = self._phases[n].ms(50, 99, 100)
            found.setdefault(phase.name, []).append({
                "seconds": phase.seconds, "rate": phase.rate, "expected": self._expected[n],
                "delivered": self._delivered[n], "p50_ms": p50, "p99_ms": p99, "max_ms": worst,
            })  # fmt: skip
        return found

    def _series(self) -> dict[str, list[Any]]:
        seconds = int(np.ceil(self.field.table.begins[-1]))
        return {
            "p50_ms": self._timeline.series(50), "p99_ms": self._timeline.series(99),
            "p99.9_ms": self._timeline.series(99.9),
            "delivered_per_s": self._arrived[:seconds].tolist(),
            "bytes_in_per_s": self._bytes_in[:seconds].tolist(),
            "bytes_out_per_s": self._bytes_out[:seconds].tolist(),
        }  # fmt: skip


async def on_disk(dsn: str, outcome: Outcome) -> int:
    """Rows in the tracks for this run; waits until they stop growing."""
    connection = await asyncpg.connect(dsn)
    visible = [unit.number for unit in outcome.field.crowd.units]
    try:
        found = before = -1
        while found < outcome.sent:
            found = await connection.fetchval(
                "select count(*) from track where unit_id = any($1::int[])"
                " and at >= to_timestamp($2::float8 / 1000)",
                visible,
                float(outcome.first_ms),
            )
            if found == before:
                break
            before = found
            await asyncio.sleep(1.0 if found < outcome.sent else 0.0)
        return int(found)
    finally:
        await connection.close()
