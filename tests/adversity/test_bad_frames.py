"""Bytes, frames and numbers that no honest client sends."""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
from uuid import uuid4

import msgpack
import pytest
from stage import BEN, CAR, CYD, Bystanders, Complaints, Peer, Stage, message, now_ms, texts, until

from psn import connection, wire
from psn.record.mailboxes import Letter, RecordRefused

HERE = (-881_900_000, 172_500_000)


def position(*fix: object) -> bytes:
    return bytes(msgpack.packb({"t": "position", "p": list(fix)}))


async def test_random_bytes_are_refused_and_then_shut_out(
    stage: Stage, bystanders: Bystanders
) -> None:
    chance = random.Random(7)
    async with bystanders.undisturbed():
        for signed_in in (False, True):
            peer = await (Peer.enter(stage.url, CAR) if signed_in else Peer.join(stage.url))
            for _ in range(connection.MALFORMED_FRAMES):
                # A key of four gigabytes that do not come: no random frame is one by chance.
                await peer.send_raw(b"\x81\xdb" + b"\xff" * 4 + chance.randbytes(400))
            for _ in range(connection.MALFORMED_FRAMES):
                await peer.refusal("malformed")
            closing = await peer.expect(wire.Closing)
            assert closing.code == "malformed"
            assert await peer.closed() == wire.CloseCode.MALFORMED
            await peer.leave()


async def test_every_truncation_of_a_frame_is_refused(stage: Stage, bystanders: Bystanders) -> None:
    whole = wire.MSGPACK.encode(message(BEN, "stop short"))
    async with bystanders.undisturbed():
        for start in range(0, len(whole), connection.MALFORMED_FRAMES - 1):
            async with await Peer.enter(stage.url, CAR) as peer:
                for cut in range(start, min(start + connection.MALFORMED_FRAMES - 1, len(whole))):
                    await peer.send_raw(whole[:cut])
                    await peer.refusal("malformed")
                await peer.answers()


async def test_a_frame_of_64_kib_is_taken_and_one_byte_more_closes(
    stage: Stage, bystanders: Bystanders
) -> None:
    head = b"\x83\xa1t\xa4ping\xa1n\x07\xa1x\xdb"
    most = wire.MAX_FRAME_BYTES
    async with bystanders.undisturbed():
        for size in (most, most + 1, 16 * most):
            filler = size - len(head) - 4
            peer = await Peer.enter(stage.url, CAR)
            await peer.send_raw(head + struct.pack(">I", filler) + b"a" * filler)
            if size == most:
                await peer.expect(wire.Pong)
            else:
                assert await peer.closed() == 1009
            await peer.leave()


async def test_a_frame_that_claims_to_be_huge_closes_at_its_header(stage: Stage) -> None:
    reader, writer = await raw_websocket(stage)
    writer.write(b"\x82\xff" + struct.pack(">Q", 1 << 40) + b"mask")
    frame = await asyncio.wait_for(reader.readexactly(4), 10)
    assert (frame[0], struct.unpack(">H", frame[2:])[0]) == (0x88, 1009)
    writer.close()
    await writer.wait_closed()


async def test_fragments_cannot_grow_past_the_limit(stage: Stage) -> None:
    reader, writer = await raw_websocket(stage)
    for n in range(5):
        payload = bytes(20_000)
        writer.write(bytes((2 if n == 0 else 0, 0xFE)) + struct.pack(">H", len(payload)))
        writer.write(b"\0\0\0\0" + payload)
    frame = await asyncio.wait_for(reader.readexactly(4), 10)
    assert (frame[0], struct.unpack(">H", frame[2:])[0]) == (0x88, 1009)
    writer.close()
    await writer.wait_closed()


async def raw_websocket(stage: Stage) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A socket just after the handshake, for frames that no library would send."""
    reader, writer = await asyncio.open_connection(*stage.address)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        b"Sec-WebSocket-Protocol: psn.v1.msgpack\r\n\r\n"
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101")
    return reader, writer


UID = str(uuid4())
WRONG = {
    "no map": [1, 2],
    "null": None,
    "no tag": {"n": 1},
    "unknown tag": {"t": "launch", "n": 1},
    "tag of the server": {"t": "ack", "id": UID, "time": 1},
    "number as text": {"t": "ping", "n": "1"},
    "number as truth": {"t": "ping", "n": True},
    "negative number": {"t": "ping", "n": -1},
    "number beyond 32 bits": {"t": "ping", "n": 1 << 33},
    "field missing": {"t": "read", "n": 1, "box": BEN},
    "no id": {"t": "message", "id": "not-a-uuid", "to": [BEN], "text": "x"},
    "nobody": {"t": "message", "id": UID, "to": [], "text": "x"},
    "51 recipients": {"t": "message", "id": UID, "to": [f"unit:{n}" for n in range(1, 52)],
                      "text": "x"},
    "recipient no address": {"t": "message", "id": UID, "to": ["everyone"], "text": "x"},
    "recipient with a line end": {"t": "message", "id": UID, "to": [f"{BEN}\n"], "text": "x"},
    "recipient zero": {"t": "message", "id": UID, "to": ["person:0"], "text": "x"},
    "no text": {"t": "message", "id": UID, "to": [BEN], "text": ""},
    "long text": {"t": "message", "id": UID, "to": [BEN], "text": "x" * 8_001},
    "NUL in the text": {"t": "message", "id": UID, "to": [BEN], "text": "a\0b"},
    "unknown priority": {"t": "message", "id": UID, "to": [BEN], "text": "x", "priority": "!"},
    "expiry in the past of the epoch": {"t": "message", "id": UID, "to": [BEN], "text": "x",
                                        "expires": -1},
    "fix as map": {"t": "position", "p": {"unit": 0}},
    "fix too short": {"t": "position", "p": [0, 1]},
    "empty batch": {"t": "positions", "n": 1, "p": []},
    "batch of 1,001": {"t": "positions", "n": 1, "p": [[0, 1, 1, 1]] * 1_001},
    "area upside down in type": {"t": "watch", "n": 1, "area": ["w", "s", "e", "n"]},
    "seen of no mailbox": {"t": "seen", "box": "nowhere", "seq": 1},
    "seen beyond 53 bits": {"t": "seen", "box": BEN, "seq": 1 << 60},
    "callsign of 2,000 characters": {
        "t": "announce", "n": 1, "units": [{"key": "k", "callsign": "c" * 2_000, "kind": "car"}]},
    "NUL in a callsign": {
        "t": "announce", "n": 1, "units": [{"key": "k", "callsign": "c\0", "kind": "car"}]},
    "kind with a line end": {
        "t": "announce", "n": 1, "units": [{"key": "k", "callsign": "c", "kind": "car\n"}]},
}  # fmt: skip


@pytest.mark.parametrize("subprotocol", [wire.SUBPROTOCOL_MSGPACK, wire.SUBPROTOCOL_JSON])
async def test_wrong_types_and_sizes_are_refused_and_the_session_goes_on(
    stage: Stage, bystanders: Bystanders, subprotocol: str
) -> None:
    async with bystanders.undisturbed(), await Peer.enter(stage.url, "cyd", subprotocol) as peer:
        for what, frame in WRONG.items():
            binary = subprotocol == wire.SUBPROTOCOL_MSGPACK
            await peer.send_raw(msgpack.packb(frame) if binary else json.dumps(frame))
            error = await peer.expect(wire.Error)
            assert error.code == "bad_field", (what, error)
            assert len(error.text) < 500
            if isinstance(frame, dict) and frame.get("n") == 1 and frame.get("t") != "ping":
                assert error.n == 1, what
        await peer.answers()


async def test_a_refusal_names_the_request_and_quotes_no_novel(stage: Stage) -> None:
    async with await Peer.enter(stage.url, CAR, wire.SUBPROTOCOL_JSON) as peer:
        frame = {"t": "message", "id": UID, "to": [BEN], "text": "x", "priority": "q" * 60_000}
        await peer.send_raw(json.dumps(frame))
        error = await peer.refusal("bad_field")
        assert str(error.id) == UID
        assert len(error.text) < 500
        # A request number that no answer can carry is not answered with.
        await peer.send_raw('{"t":"read","n":99999999999999999999999999}')
        assert (await peer.refusal("bad_field")).n is None
        await peer.answers()


NOT_NUMBERS = [float("nan"), float("inf"), float("-inf"), 1.5, "1", None, 10**30]


async def test_not_a_number_is_refused_in_every_place_of_a_fix(
    stage: Stage, bystanders: Bystanders
) -> None:
    good = [0, now_ms(), *HERE, 100, 9_000, 500, 1_000, 80]
    async with bystanders.undisturbed(), await Peer.enter(stage.url, CAR) as peer:
        for place in range(len(good)):
            for wrong in (n for n in NOT_NUMBERS if n is not None and n != 10**30):
                fix = [*good[:place], wrong, *good[place + 1 :]]
                await peer.send_raw(position(*fix))
                await peer.refusal("bad_field")
        await peer.answers()
        assert CAR not in stage.core.picture.newest
    async with await Peer.enter(stage.url, CAR, wire.SUBPROTOCOL_JSON) as peer:
        for number in ("1e400", "-1e400", "1.5", '"1"', "1" + "0" * 400):
            await peer.send_raw(f'{{"t":"position","p":[0,{now_ms()},{number},1]}}')
            await peer.refusal("bad_field")
        # These are no JSON at all (RFC 8259 section 6).
        for number in ("NaN", "Infinity", "-Infinity"):
            await peer.send_raw(f'{{"t":"position","p":[0,{now_ms()},{number},1]}}')
            await peer.refusal("malformed")
        await peer.answers()
        assert CAR not in stage.core.picture.newest


async def test_the_pole_is_on_the_map_and_past_it_is_nowhere(
    stage: Stage, bystanders: Bystanders
) -> None:
    looker = bystanders.looker
    async with await Peer.enter(stage.url, CAR) as peer:
        for lon, lat in (
            (0, 900_000_001), (0, -900_000_001), (1_800_000_001, 0), (-1_800_000_001, 0),
        ):  # fmt: skip
            await peer.send_raw(position(0, now_ms(), lon, lat))
            await peer.refusal("bad_field")
        await peer.send_raw(position(0, now_ms(), 1_800_000_000, 900_000_000))
        await peer.answers()
        seat = stage.core.picture.newest[CAR].fix
        assert (seat.lon, seat.lat) == (1_800_000_000, 900_000_000)
        await looker.expect(wire.Picture, lambda p: any(s.unit == CAR for s in p.p))
        # At the pole every longitude is the same place.
        await peer.send_raw(position(0, now_ms() + 1, -900_000_000, 900_000_000))
        await peer.answers()
        assert stage.core.picture.newest[CAR].fix.lon == -900_000_000
    await until(lambda: stage.core.tracks.stored >= 2, "the pole is stored")
    async with bystanders.undisturbed():
        pass


YEAR = 31_556_952_000


async def test_times_of_1901_and_2101_are_refused(stage: Stage, bystanders: Bystanders) -> None:
    async with bystanders.undisturbed(), await Peer.enter(stage.url, CAR) as peer:
        for time, code in (
            (-69 * YEAR, "bad_field"),  # 1901
            (0, "too_old"),
            (131 * YEAR, "clock_ahead"),  # 2101
            (253_402_300_799_999, "clock_ahead"),  # the end of 9999
            (253_402_300_800_000, "bad_field"),
            (2**63 - 1, "bad_field"),
        ):
            await peer.send_raw(position(0, time, *HERE))
            await peer.refusal(code)
        # In a batch the good ones are stored, and the others are counted.
        good = [wire.Fix(0, now_ms() - n * 1_000, *HERE) for n in (3, 2, 1)]
        await peer.send(wire.Positions(n=77, p=[wire.Fix(0, 131 * YEAR, *HERE), *good]))
        assert "1 of 4" in (await peer.refusal("clock_ahead")).text
        await peer.expect(wire.Ok, lambda ok: ok.n == 77)
        assert stage.core.tracks.stored >= 3


async def test_text_travels_unchanged_whatever_it_looks_like(stage: Stage) -> None:
    said = [
        "'; DROP TABLE log; --",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        '{{7*7}} ${7*7} %s %n \\ " \u2028 \ufeff \U0001f6a8 \x01\x7f',
        "é is not e\u0301",
        "\r\n\t ",
        "x" * 8_000,
        "\U0001f6a8" * 8_000,
    ]
    async with await Peer.enter(stage.url, "ana") as ana, await Peer.enter(stage.url, "ben") as ben:
        for text in said:
            await ana.send(message(BEN, text))
        await until(lambda: len(texts(ben)) == len(said), "all texts arrive")
        assert texts(ben) == said
    # Also after a way through the disk.
    async with await Peer.join(stage.url) as again:
        await again.sign_in(wire.PasswordAuth("ben", "three words and a boat"), {BEN: 0})
        assert texts(again, BEN) == said


async def test_one_message_that_the_database_refuses_takes_no_other_with_it(
    stage: Stage, bystanders: Bystanders, complaints: Complaints
) -> None:
    # The door refuses NUL, which jsonb cannot hold; should anything like it come through:
    def body(text: str) -> Letter:
        return Letter(
            wire.MessageBody(
                id=uuid4(), sender=CYD, sender_name="Cyd", to=[CYD], text=text,
                priority="routine", time=0,
            ),
            3,
        )  # fmt: skip

    append = stage.core.record.append
    async with bystanders.undisturbed():
        for _ in range(5):
            before, poison, after = append(body("a")), append(body("a\0b")), append(body("b"))
            with pytest.raises(RecordRefused) as refused:
                await poison
            assert (refused.value.code, refused.value.retry) == ("not_storable", None)
            assert await before and await after
    assert len(complaints.said) == 5
    complaints.said.clear()


async def test_noise_of_any_kind_before_signing_in(stage: Stage, bystanders: Bystanders) -> None:
    async with bystanders.undisturbed(), await Peer.join(stage.url) as peer:
        for frame in (
            message(BEN, "not yet"),
            wire.Position(p=wire.Fix(CAR, now_ms(), *HERE)),
            wire.Watch(n=4),
            wire.Seen(box=BEN, seq=1),
            wire.SignOut(n=5),
        ):
            await peer.send(frame)
            await peer.refusal("not_signed_in")
        await peer.answers()


async def test_sign_in_before_hello_and_twice(stage: Stage) -> None:
    async with await Peer.enter(stage.url, CAR) as peer:
        await peer.send(wire.SignIn(n=9, auth=wire.SessionAuth(peer.me.token)))
        assert (await peer.refusal("already_signed_in")).n == 9
        await peer.answers()
    reader, writer = await raw_websocket(stage)
    payload = wire.MSGPACK.encode(wire.SignIn(n=9, auth=wire.SessionAuth("x")))
    mask = os.urandom(4)
    masked = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
    writer.write(bytes((0x82, 0x80 | len(payload))) + mask + masked)
    await asyncio.wait_for(reader.readuntil(b"hello_first"), 10)
    writer.close()
    await writer.wait_closed()
