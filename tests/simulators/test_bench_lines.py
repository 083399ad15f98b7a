"""The load's own sockets and books: bytes in any pieces, and a verdict that finds every fault."""

from __future__ import annotations

import socket
from random import Random
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn import wire
from simulators.bench.field.positions import Phase, Roads, Timetable, websocket_frames
from simulators.bench.field.verdict import Judge, Sent, Shelves, Verdict
from simulators.bench.lines.frames import BINARY, Cut, cut, masked
from simulators.bench.lines.journal import Journal, Library
from simulators.bench.lines.reactor import Reactor, Ready

SIZES = (0, 1, 125, 126, 127, 5_000, 65_535, 65_536)
MASK = b"\x01\x82\x40\xff"


def framed(payload: bytes, first: int = BINARY) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


def picture(*seats: tuple[int, int], snapshot: bool = False) -> bytes:
    frame: dict[str, Any] = {"t": "picture", "p": [[*seat, 0, 0, None, None, 1] for seat in seats]}
    return framed(msgpack.packb(frame | ({"snapshot": True} if snapshot else {})))


@given(st.lists(st.sampled_from(SIZES), max_size=5), st.integers(0, 70_000))
def test_whole_frames_are_cut_and_the_rest_is_left(sizes: list[int], missing: int) -> None:
    payloads = [bytes([n]) * size for n, size in enumerate(sizes)]
    stream = b"".join(map(framed, payloads))
    data = stream[: max(0, len(stream) - missing)]
    cuts, end = cut(data)
    whole = [data[part.start : part.end] for part in cuts]
    assert whole == payloads[: len(whole)]
    assert b"".join(map(framed, whole)) == data[:end]
    if missing == 0:
        assert end == len(stream)


@pytest.mark.parametrize("size", [0, 3, 125, 126, 5_000])
def test_masking_can_be_undone(size: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    frame = masked(BINARY, payload[:size], MASK)
    head = len(frame) - size - len(MASK)
    unmasked = frame[:1] + bytes((frame[1] & 0x7F,)) + frame[2:head] + payload[:size]
    assert cut(unmasked) == ([Cut(BINARY, head, head + size)], head + size)
    assert frame[1] & 0x80
    assert frame[head : head + len(MASK)] == MASK
    key = (MASK * (size // 4 + 1))[:size]
    start = head + len(MASK)
    assert bytes(a ^ b for a, b in zip(frame[start:], key, strict=True)) == payload[:size]


def test_reports_are_frames_of_the_wire() -> None:
    roads = Roads([7, 70_000], Random(1))
    payloads = roads.payloads(
        np.array([1, 0]), np.array([0.0, 900.0]), np.array([1_795_478_038_547, 5])
    )
    size = payloads.dtype.itemsize
    raw = payloads.tobytes()
    fixes = [wire.MSGPACK.decode_client(raw[n * size : (n + 1) * size]) for n in range(2)]
    assert all(isinstance(fix, wire.Position) for fix in fixes)
    first, second = (fix.p for fix in fixes if isinstance(fix, wire.Position))
    assert (first.unit, first.time) == (70_000, 1_795_478_038_547)
    assert (first.lon, first.lat) == (int(roads.lon[1]), int(roads.lat[1]))
    assert (second.unit, second.time, second.speed, second.accuracy) == (7, 5, 1_200, 500)
    frames = websocket_frames(payloads, MASK)
    assert frames == b"".join(
        masked(BINARY, raw[n * size : (n + 1) * size], MASK) for n in range(2)
    )


def test_the_timetable_is_even_in_every_phase() -> None:
    table = Timetable([Phase("calm", 2, 1), Phase("surge", 1, 10)], 50, Random(3))
    assert len(table) == 50 * 2 + 50 * 10
    assert table.begins == [0.0, 2.0, 3.0]
    gaps = np.diff(table.after)
    assert gaps[:98] == pytest.approx(np.full(98, 1 / 50))
    assert gaps[101:] == pytest.approx(np.full(len(gaps) - 101, 1 / 500))
    for start in range(0, len(table), 50):
        assert sorted(table.unit[start : start + 50]) == list(range(50))


class Ear:
    """A line of which the test holds the other end."""

    def __init__(self) -> None:
        self.far, self._near = socket.socketpair()
        self.ended: list[str] = []
        self.controls: list[tuple[int, bytes]] = []

    def take_over(self, ready: Ready) -> tuple[socket.socket, bytes]:
        self.ready = ready
        self._near.setblocking(False)
        return self._near, b""

    def control(self, first: int, payload: bytes) -> None:
        self.controls.append((first, payload))

    def end(self, why: str) -> None:
        self.ended.append(why)

    def close(self) -> None:
        self.far.close()
        self._near.close()


def heard(library: Library, data: bytes, cuts: list[int]) -> tuple[Journal, list[Any], Ear]:
    ear, others = Ear(), []
    journal = Journal(library, ear, lambda journal, frame, at: others.append(frame))
    place = 0
    for size in [*cuts, len(data)]:
        if place < len(data):
            ear.far.sendall(data[place : place + size])
            ear.ready(1)
            place += size
    ear.close()
    return journal, others, ear


def judged(library: Library, journal: Journal, sent: list[tuple[int, int]]) -> Verdict:
    units, times = (np.array(column, dtype=np.int64) for column in zip(*sent, strict=True))
    judge = Judge(Shelves(library), Sent(units, times, np.zeros(len(sent))), hidden={99})
    return judge.judge(journal)[0]


SENT = [(unit, 1_000 * second + unit) for second in (1, 2, 3) for unit in (1, 2, 3)]
STREAM = b"".join((
    framed(msgpack.packb({"t": "roster", "units": []})),
    picture((1, 5), snapshot=True),
    *(picture(*SENT[start : start + 3]) for start in (0, 3)),
    framed(b"", 0x89),
    picture(*SENT[6:]),
))  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=40))
def test_any_pieces_of_the_stream_give_the_same_journal(cuts: list[int]) -> None:
    library = Library()
    for _ in range(2):  # the second finds everything known
        journal, others, ear = heard(library, STREAM, cuts)
        assert judged(library, journal, SENT) == Verdict(delivered=9)
        assert [frame["t"] for frame in others] == ["roster", "picture"]
        assert ear.controls == [(0x89, b"")]
        assert ear.ended == []


def test_what_two_consoles_get_is_decoded_once() -> None:
    library = Library()
    heard(library, STREAM, [])
    before = library.decoded
    heard(library, STREAM, [])
    assert library.decoded == before == 5


@pytest.mark.parametrize(
    ("seats", "wanted"),
    [
        (SENT[:-1], Verdict(delivered=8)),
        ([*SENT, SENT[4]], Verdict(delivered=9, twice=1, out_of_order=1)),
        ([*SENT[3:6], *SENT[:3], *SENT[6:]], Verdict(delivered=9, out_of_order=3)),
        ([*SENT, (99, 1_000)], Verdict(delivered=9, hidden=1)),
        ([*SENT, (1, 77)], Verdict(delivered=9)),
    ],
    ids=["lost", "twice", "out of order", "hidden", "not of this run"],
)
def test_every_fault_is_found(seats: list[tuple[int, int]], wanted: Verdict) -> None:
    library = Library()
    good, _, _ = heard(library, b"".join(picture(seat) for seat in SENT), [])
    bad, _, _ = heard(library, b"".join(picture(seat) for seat in seats), [])
    assert judged(library, good, SENT) == Verdict(delivered=9)
    assert judged(library, bad, SENT) == wanted


def test_a_lost_line_is_told() -> None:
    ear = Ear()
    Journal(Library(), ear, lambda journal, frame, at: None)
    ear.far.close()
    ear.ready(1)
    assert ear.ended == ["the server closed the connection"]
    ear.close()


def test_the_reactor_calls_whose_socket_is_ready_and_no_other() -> None:
    reactor = Reactor()
    one, other = Ear(), Ear()
    called: list[str] = []
    reactor.add(one._near.fileno(), lambda events: called.append("one"))
    reactor.add(other._near.fileno(), lambda events: called.append("other"))
    assert reactor.turn(0.0) is False
    other.far.send(b"x")
    assert reactor.run_until(lambda: bool(called), 5.0)
    assert set(called) == {"other"}
    reactor.remove(other._near.fileno())
    assert reactor.turn(0.0) is False
    reactor.close()
    one.close()
    other.close()
