"""What each console got, remembered so cheaply that a million positions a second fit one core.

Consoles with the same view are sent the same bytes. So bytes that came together (a *chunk*) are
looked up whole: when they are known, the console only notes the chunk's number and the moment.
Otherwise they are cut into frames, and each frame that is not known is decoded, once, whoever
got it first. Nothing is assumed: a console that gets other bytes has other numbers in its journal.

Positions are compared with what was sent only after the run (:mod:`simulators.bench.field.verdict`)
so that a run measures the server and not its own book-keeping.
"""

from __future__ import annotations

import errno
import socket
from array import array
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final, Protocol

import msgpack
import numpy as np
from numpy.typing import NDArray

from simulators.bench.lines.frames import BINARY, Cut, cut
from simulators.bench.lines.line import READ_BYTES, Frame
from simulators.bench.lines.reactor import Ready

KNOWN_BYTES: Final = 33_554_432
"""Bytes that are kept to be recognised; more, and all are forgotten and learnt anew."""
Ints = NDArray[np.int64]
Other = tuple[int, Any]
"""A frame that is no picture: its first byte, and its payload, decoded when it is binary."""


class Library:
    """Every distinct chunk and frame, decoded; shared by all journals of a process."""

    def __init__(self) -> None:
        self.known: dict[bytes, int] = {}
        """Chunks (whole frames only) and their numbers."""
        self.others: dict[int, list[Other]] = {}
        """By chunk: what else is in it besides positions."""
        self.decoded = 0
        """Frames that had to be decoded."""
        self.chunk_start: array[int] = array("q")
        self.chunk_frames: array[int] = array("q")
        self.chunk_bytes: array[int] = array("q")
        self.chunk_seats: array[int] = array("q")
        self.frames: array[int] = array("q")
        """Numbers of frames; a chunk's are ``chunk_frames`` many from its ``chunk_start``."""
        self.frame_start: array[int] = array("q")
        self.frame_seats: array[int] = array("q")
        self.units: array[int] = array("q")
        self.times: array[int] = array("q")
        """Unit and time of positions; a frame's are ``frame_seats`` many from ``frame_start``."""
        self._by_payload: dict[bytes, int | Other] = {}
        self._kept = 0

    def learn(self, chunk: bytes, cuts: list[Cut]) -> int:
        """The number of a chunk that is not known: exactly the frames that ``cuts`` names."""
        number = len(self.chunk_start)
        others: list[Other] = []
        first_frame = len(self.frames)
        for first, start, end in cuts:
            got = self._frame(first, chunk[start:end])
            if isinstance(got, int):
                self.frames.append(got)
            else:
                others.append(got)
        self._enter(chunk, number, first_frame)
        if others:
            self.others[number] = others
        return number

    def learn_positions(self, chunk: bytes, units: Ints, times: Ints) -> int:
        """The number of a chunk of another protocol, which has positions and nothing else."""
        number, first_frame = len(self.chunk_start), len(self.frames)
        self.frames.append(len(self.frame_start))
        self.frame_start.append(len(self.units))
        self.frame_seats.append(len(units))
        self.units.frombytes(units.tobytes())
        self.times.frombytes(times.tobytes())
        self._enter(chunk, number, first_frame)
        return number

    def _enter(self, chunk: bytes, number: int, first_frame: int) -> None:
        frames = self.frames[first_frame:]
        self.chunk_start.append(first_frame)
        self.chunk_frames.append(len(frames))
        self.chunk_bytes.append(len(chunk))
        self.chunk_seats.append(sum(self.frame_seats[n] for n in frames))
        self._keep(len(chunk))
        self.known[chunk] = number

    def _frame(self, first: int, payload: bytes) -> int | Other:
        if first != BINARY:
            return first, payload
        got = self._by_payload.get(payload)
        if got is None:
            self.decoded += 1
            frame: Frame = msgpack.unpackb(payload, use_list=False)
            # A snapshot is not a report on its way: it is told like any other frame.
            plain = frame["t"] == "picture" and not frame.get("snapshot")
            got = self._seats(frame["p"]) if plain else (first, frame)
            self._keep(len(payload))
            self._by_payload[payload] = got
        return got

    def _seats(self, seats: tuple[tuple[Any, ...], ...]) -> int:
        number = len(self.frame_start)
        self.frame_start.append(len(self.units))
        self.frame_seats.append(len(seats))
        self.units.extend([seat[0] for seat in seats])
        self.times.extend([seat[1] for seat in seats])
        return number

    def _keep(self, more: int) -> None:
        self._kept += more
        if self._kept > KNOWN_BYTES:
            self._kept = more
            self.known.clear()
            self._by_payload.clear()


class Reader(Protocol):
    """Whose socket a journal takes over."""

    def take_over(self, ready: Ready) -> tuple[socket.socket, bytes]:
        """The socket, and what has come already."""

    def control(self, first: int, payload: bytes) -> None:
        """A control frame came."""

    def end(self, why: str) -> None:
        """Nothing more comes."""


class Journal:
    """One console's socket from now on: which chunk came when."""

    def __init__(
        self, library: Library, line: Reader, other: Callable[[Journal, Frame, float], None]
    ) -> None:
        """Take the socket of a line over; ``other`` gets frames that are not positions."""
        self.line = line
        self.at: array[float] = array("d")
        """Moments (``perf_counter``)."""
        self.chunks: array[int] = array("q")
        self.library = library
        self._other = other
        taken, data = line.take_over(self._ready)
        self.rest = b""
        self._receive = taken.recv
        if data:
            self.take(data, perf_counter())

    def clear(self) -> None:
        """Begin anew, with an empty journal."""
        del self.at[:], self.chunks[:]

    def _ready(self, events: int) -> None:
        try:
            data = self._receive(READ_BYTES)
        except OSError as problem:
            if problem.errno != errno.EAGAIN:
                self.line.end(str(problem))
            return
        at = perf_counter()
        if not data:
            self.line.end("the server closed the connection")
            return
        if self.rest:
            data = self.rest + data
            self.rest = b""
        number = self.library.known.get(data)
        if number is None:
            self.take(data, at)
        else:
            self.note(number, at)

    def take(self, data: bytes, at: float) -> None:
        """Bytes that are not known as a whole: there may be a part of a frame at their end."""
        cuts, end = cut(data)
        self.rest = data[end:]
        if not cuts:
            return
        whole = data[:end]
        number = self.library.known.get(whole)
        if number is None:
            number = self.library.learn(whole, cuts)
        self.note(number, at)

    def note(self, number: int, at: float) -> None:
        """That chunk came now."""
        self.at.append(at)
        self.chunks.append(number)
        if number in self.library.others:
            self._tell(number, at)

    def _tell(self, number: int, at: float) -> None:
        for first, payload in self.library.others[number]:
            if first == BINARY:
                self._other(self, payload, at)
            else:
                self.line.control(first, payload)
