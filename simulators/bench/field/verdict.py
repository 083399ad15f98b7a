"""After the run: for every console, whether each position came, once, in order, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from simulators.bench.field.positions import Floats, Ints
from simulators.bench.lines.journal import Journal, Library

Bools = NDArray[np.bool_]


def spans(starts: Ints, counts: Ints) -> Ints:
    """All numbers from each start on, so many of each: ``[2, 7], [2, 1]`` gives 2, 3, 7."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total, dtype=np.int64)


class Shelves:
    """The library's tables as arrays, for looking up many chunks at once."""

    def __init__(self, library: Library) -> None:
        def column(values: object) -> Ints:
            return np.array(values, dtype=np.int64)

        self._chunk_start, self._chunk_frames = (
            column(library.chunk_start), column(library.chunk_frames),
        )  # fmt: skip
        self._frames = column(library.frames)
        self._frame_start, self._frame_seats = (
            column(library.frame_start), column(library.frame_seats),
        )  # fmt: skip
        self.units = column(library.units)
        self.times = column(library.times)
        self.chunk_bytes = column(library.chunk_bytes)
        self._seats_before = np.concatenate(([0], np.cumsum(self._frame_seats[self._frames])))

    def seats(self, chunks: Ints) -> tuple[Ints, Ints]:
        """Rows of every position in these chunks, in order, and how many each chunk has."""
        starts, counts = self._chunk_start[chunks], self._chunk_frames[chunks]
        frames = self._frames[spans(starts, counts)]
        rows = spans(self._frame_start[frames], self._frame_seats[frames])
        return rows, self._seats_before[starts + counts] - self._seats_before[starts]


class Sent:
    """What was sent, and by whom: to find a position by its unit and time."""

    def __init__(self, unit_ids: Ints, times_ms: Ints, due: Floats) -> None:
        """Of each report: id of its unit, its time, and the moment (perf_counter) it was due."""
        self.due = due
        self.unit_ids = unit_ids
        key = _key(unit_ids, times_ms)
        self._order = np.argsort(key, kind="stable")
        self._keys = key[self._order]

    def numbers(self, units: Ints, times: Ints) -> Ints:
        """The number of each report; -1 for what was not sent in this run."""
        key = _key(units, times)
        if not len(self._keys):
            return np.full(len(key), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return np.where(self._keys[place] == key, self._order[place], -1)


def _key(units: Ints, times: Ints) -> Ints:
    # Milliseconds need 41 bits until 2039; 21 are left for the ids of two million units.
    return (units << 42) ^ (times & ((1 << 42) - 1))


@dataclass(slots=True)
class Verdict:
    """How one console's journal compares with what was sent."""

    delivered: int = 0
    twice: int = 0
    out_of_order: int = 0
    hidden: int = 0
    """Positions of units that only their own agency may see."""


class Judge:
    """Compares journals with what was sent; equal journals are compared once."""

    def __init__(self, shelves: Shelves, sent: Sent, hidden: set[int]) -> None:
        self._shelves = shelves
        self._sent = sent
        self._numbers = sent.numbers(shelves.units, shelves.times)
        self._is_hidden: Bools = np.isin(shelves.units, list(hidden))
        self._known: dict[bytes, tuple[Verdict, Bools]] = {}

    def judge(self, journal: Journal) -> tuple[Verdict, Floats, Ints]:
        """The verdict; and of every position that came: the moment, and its number."""
        chunks = np.array(journal.chunks, dtype=np.int64)
        rows, per_chunk = self._shelves.seats(chunks)
        numbers = self._numbers[rows]
        at = np.repeat(np.array(journal.at, dtype=np.float64), per_chunk)
        mark = blake2b(rows.tobytes()).digest()
        if mark not in self._known:
            self._known[mark] = self._compare(rows, numbers)
        verdict, first = self._known[mark]
        return verdict, at[first], numbers[first]

    def _compare(self, rows: Ints, numbers: Ints) -> tuple[Verdict, Bools]:
        ours = numbers >= 0
        mine = numbers[ours]
        _, first = np.unique(mine, return_index=True)
        is_first = np.zeros(len(numbers), dtype=np.bool_)
        is_first[np.flatnonzero(ours)[first]] = True
        # In order: of each unit, later reports came later.
        units = self._sent.unit_ids[mine]
        by_unit = np.argsort(units, kind="stable")
        same = units[by_unit][1:] == units[by_unit][:-1]
        back = np.diff(mine[by_unit]) < 0
        return (
            Verdict(
                delivered=len(first),
                twice=len(mine) - len(first),
                out_of_order=int((same & back).sum()),
                hidden=int(self._is_hidden[rows].sum()),
            ),
            is_first,
        )
