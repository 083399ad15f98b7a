"""A session with an SMS centre at a real socket that misbehaves: how many are left uncertain."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable

import pytest

from dispatch.outcomes import Away, State
from dispatch.sms import session, short_messages
from dispatch.sms.centres import Centre
from dispatch.sms.session import SmsCentre, Submission

BIND, SUBMIT, ANSWER = 0x00000009, 0x00000004, 0x80000000
TEXT = short_messages.measure("Hurricane warning for Belize City")
Manner = Callable[[int, int], bytes | None]
"""What is said to a request of a kind with a sequence number; None: the connection is closed."""


def pdu(kind: int, status: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack(">IIII", 16 + len(body), kind, status, number) + body


class Misbehaving:
    """Answers each request in a manner; ``submitted`` is what it was asked to send."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.submitted: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Also at the end of the test, when it is cancelled.
        over = (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError)
        with contextlib.suppress(*over):
            while True:
                length, kind, _, number = struct.unpack(">IIII", await reader.readexactly(16))
                body = await reader.readexactly(length - 16)
                if kind == SUBMIT:
                    self.submitted.append(body)
                said = self.manner(kind, number)
                if said is None:
                    break
                writer.write(said)
        writer.close()


@contextlib.asynccontextmanager
async def at(manner: Manner, window: int = 10) -> AsyncIterator[tuple[Misbehaving, SmsCentre]]:
    there = Misbehaving(manner)
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ours = SmsCentre(Centre("c", "127.0.0.1", port, "nemo", "secret", window=window))
    try:
        yield there, ours
    finally:
        await ours.close()
        server.close()
        await server.wait_closed()


def bound(submitted: Callable[[int], bytes | None]) -> Manner:
    """Lets us in, and answers submissions so."""

    def manner(kind: int, number: int) -> bytes | None:
        if kind == SUBMIT:
            return submitted(number)
        return pdu(kind | ANSWER, 0, number, b"X\0" if kind == BIND else b"")

    return manner


def submissions(count: int) -> list[Submission]:
    return [Submission(f"+501600{each:04}", TEXT, 1, 7, 1) for each in range(count)]


@pytest.mark.parametrize(
    "answer",
    [
        lambda number: b"",
        lambda number: None,
        lambda number: bytes(range(255, 0, -1)) * 4,
        lambda number: pdu(SUBMIT | ANSWER, 0, number + 1_000, b"id\0"),
        lambda number: struct.pack(">IIII", 0xFFFFFFFF, SUBMIT | ANSWER, 0, number) + b"x" * 100,
        lambda number: struct.pack(">IIII", 3, SUBMIT | ANSWER, 0, number),
        lambda number: pdu(SUBMIT | ANSWER, 0, number, b"without an end" * 10),
        lambda number: pdu(ANSWER, 3, number),
    ],
    ids=[
        "mute",
        "closes",
        "noise",
        "another number",
        "of four gigabytes",
        "shorter than a header",
        "without an end",
        "knows no submission",
    ],
)
async def test_a_centre_that_has_answered_nothing_leaves_one_uncertain(
    answer: Callable[[int], bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-30: of a whole window one was submitted; nobody is in doubt about the others."""
    monkeypatch.setattr(session, "ANSWER_SECONDS", 1.0)
    async with at(bound(answer)) as (there, ours):
        await ours.ready()
        outcomes = await asyncio.gather(*(ours.submit(each) for each in submissions(10)))
        states = [each.state for each in outcomes]
        assert states.count(State.UNCERTAIN) == 1
        assert states.count(State.WAITING) == 9
        assert all(each.problem for each in outcomes)
        assert len(there.submitted) <= 1
        assert ours.problem, "the session is given up"


async def test_one_that_has_answered_gets_a_whole_window() -> None:
    """The first answer opens the window; what comes behind it does not wait for each other."""
    numbers: list[int] = []

    def answer(number: int) -> bytes:
        numbers.append(number)
        if len(numbers) == 1:
            return pdu(SUBMIT | ANSWER, 0, number, b"1\0")
        if len(numbers) < 5:
            return b""
        # The other four only when all of them are there.
        return b"".join(pdu(SUBMIT | ANSWER, 0, each, b"%d\0" % each) for each in numbers[1:])

    async with at(bound(answer), window=4) as (there, ours):
        await ours.ready()
        outcomes = await asyncio.gather(*(ours.submit(each) for each in submissions(5)))
    assert [each.state for each in outcomes] == [State.HANDED] * 5
    assert len({each.receipt for each in outcomes}) == len(there.submitted) == 5


async def test_one_that_is_overloaded_has_answered() -> None:
    """DOM-WRN-29: refused for now is an answer, and nobody is in doubt."""
    throttled = bound(lambda number: pdu(SUBMIT | ANSWER, 0x58, number))
    async with at(throttled) as (there, ours):
        await ours.ready()
        outcomes = await asyncio.gather(*(ours.submit(each) for each in submissions(5)))
    assert {(each.state, each.slow) for each in outcomes} == {(State.WAITING, True)}
    assert len(there.submitted) == 5


@pytest.mark.parametrize("status", [0x05, 0x0D, 0x0E], ids=["bound already", "failed", "password"])
async def test_a_centre_that_refuses_us_is_told_so(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WRN-36: whoever has mistyped the password does not look for a broken line."""
    monkeypatch.setattr(session, "CONNECT_SECONDS", 0.5)
    async with at(lambda kind, number: pdu(kind | ANSWER, status, number, b"\0")) as (_, ours):
        with pytest.raises(Away, match="refuse the system_id, the password"):
            await ours.ready()
        assert ours.problem and "password" in ours.problem
