"""Attachments on their way in (docs/domain.md, DOM-FILE), over HTTP and on a real database."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
from attached import Answer, Sender, entered, photo, voice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import CAR, Complaints, Stage, seed, until

from dispatch.attachments import files, receiving, upload
from dispatch.attachments.files import Files
from psn.keeping import stored_files


def uuid_of(path: str) -> UUID:
    return UUID(path.rpartition("/")[2])


async def arrives(place: Path, path: str, size: int) -> None:
    """So many bytes are in the server's file."""
    await until(lambda: Files(place).arrived(uuid_of(path)) >= size, f"{size} bytes arrive")


async def rows(stage: Stage, query: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(stage.dsn)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


async def told(stage: Stage, action: str) -> list[dict[str, Any]]:
    found = await rows(stage, "select body from audit where action = $1 order by seq", action)
    return [json.loads(row["body"]) for row in found]


async def test_a_photo_in_pieces_is_stored_and_recorded(
    stage: Stage, ana: Sender, place: Path
) -> None:
    """DOM-FILE-1."""
    data = photo()
    path, begun = await ana.begin(data, type="image/jpeg", about=f"message:{uuid4()}")
    assert begun.status == 201
    assert begun.headers["Location"] == path and begun.headers["Tus-Resumable"] == "1.0.0"
    assert "GMT" in begun.headers["Upload-Expires"]
    assert await ana.offset(path) == 0
    for at in range(0, len(data), 500):
        answer = await ana.piece(path, at, data[at : at + 500])
        assert (answer.status, answer.offset) == (204, min(at + 500, len(data)))
    said = await ana.settled(path)
    assert (said["state"], said["type"], said["code"]) == ("ready", "image/jpeg", None)
    assert (said["width"], said["height"]) == (80, 120)
    assert await ana.offset(path) == len(data), "and stays so"
    (entry,) = await told(stage, "attachment.stored")
    assert (entry["actor"], entry["owner"]) == ("person:1", 1)
    assert entry["object"] == "attachment:" + path.rpartition("/")[2]
    assert entry["details"]["sent_sha256"] == hashlib.sha256(data).hexdigest()
    kept = {file.name: file for file in place.rglob("*") if file.is_file()}
    id = path.rpartition("/")[2]
    stored = hashlib.sha256(kept[id].read_bytes()).hexdigest()
    assert entry["details"]["stored_sha256"] == stored
    assert oct(kept[id].stat().st_mode & 0o777) == "0o600"
    assert oct(place.stat().st_mode & 0o777) == "0o700"


async def test_what_was_sent_is_gone_once_it_is_judged(ana: Sender, place: Path) -> None:
    """DOM-FILE-5."""
    path, _ = await ana.attach(photo())
    id = path.rpartition("/")[2]
    await until(
        lambda: {f.name for f in place.rglob("*") if f.is_file()} == {id, f"{id}.preview"},
        "the sent file goes",
    )


async def test_beginning_twice_is_beginning_once(stage: Stage, ana: Sender, ben: Sender) -> None:
    """DOM-FILE-2."""
    data, id = photo(), uuid4()
    path, first = await ana.begin(data, id=id)
    await ana.piece(path, 0, data[:100])
    _, again = await ana.begin(data, id=id)
    assert (first.status, again.status) == (201, 201)
    assert await ana.offset(path) == 100
    for sender, what in ((ana, photo(size=(9, 9))), (ben, data)):
        _, other = await sender.begin(what, id=id)
        assert (other.status, other.code) == (409, "id_used")
    assert len(await rows(stage, "select from attachment")) == 1


async def test_a_piece_told_twice_is_stored_once(ana: Sender) -> None:
    """DOM-FILE-2."""
    data = photo()
    path, _ = await ana.begin(data)
    assert (await ana.piece(path, 0, data[:300])).status == 204
    again = await ana.piece(path, 0, data[:300])
    assert (again.status, again.code, again.offset) == (409, "wrong_offset", 300)
    early = await ana.piece(path, 400, data[400:])
    assert (early.status, early.code, early.offset) == (409, "wrong_offset", 300)
    assert (await ana.piece(path, 300, data[300:])).status == 204
    assert (await ana.settled(path))["state"] == "ready"
    late = await ana.piece(path, 0, data)
    assert (late.status, late.offset) == (409, len(data))


async def test_a_line_that_is_cut_costs_nothing_that_came(ana: Sender, place: Path) -> None:
    """DOM-FILE-3."""
    data = photo(size=(400, 300))
    path, _ = await ana.begin(data)
    host, _, port = ana.base.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"PATCH {path} HTTP/1.1\r\nHost: {host}\r\nTus-Resumable: 1.0.0\r\n"
        f"Authorization: Bearer {ana.peer.me.token}\r\n"
        f"Content-Type: application/offset+octet-stream\r\n"
        f"Upload-Offset: 0\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        + data[:700]
    )
    await arrives(place, path, 700)
    writer.transport.abort()
    at = await ana.offset(path)
    assert at == 700
    assert (await ana.piece(path, at, data[at:])).status == 204
    assert (await ana.settled(path))["state"] == "ready"


async def test_who_comes_back_puts_his_old_line_out(ana: Sender, place: Path) -> None:
    """DOM-FILE-3: a dead line may look alive for minutes."""
    data = photo()
    path, _ = await ana.begin(data)
    going = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[:200]
        await going.wait()
        yield data[200:]

    old = asyncio.create_task(ana.piece(path, 0, slow()))
    await arrives(place, path, 200)
    assert await ana.offset(path) == 200
    assert (await ana.piece(path, 200, data[200:])).status == 204
    going.set()
    with contextlib.suppress(aiohttp.ClientError):
        answer = await old
        assert (answer.status, answer.code) == (409, "other_line")
    assert (await ana.settled(path))["state"] == "ready"


async def test_a_line_on_which_nothing_comes_is_ended_and_what_came_is_kept(
    ana: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "QUIET_SECONDS", 0.2)
    data = photo()
    path, _ = await ana.begin(data)
    over = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[:200]
        await over.wait()
        yield b""

    with contextlib.suppress(aiohttp.ClientError):
        answer = await ana.piece(path, 0, slow())
        assert (answer.status, answer.code) == (408, "too_slow")
    over.set()
    assert await ana.offset(path) == 200


async def test_a_wrong_hash_begins_anew_and_stores_nothing(stage: Stage, ana: Sender) -> None:
    """DOM-FILE-1."""
    data = photo()
    path, _ = await ana.begin(data)
    spoilt = data[:-1] + bytes([data[-1] ^ 1])
    answer = await ana.piece(path, 0, spoilt)
    assert (answer.status, answer.code, answer.offset) == (409, "wrong_hash", 0)
    assert (await ana.ask("GET", path)).said["state"] == "receiving"
    assert await ana.offset(path) == 0
    assert (await ana.piece(path, 0, data)).status == 204
    assert (await ana.settled(path))["state"] == "ready"
    assert len(await told(stage, "attachment.stored")) == 1


async def test_more_than_was_said_is_cut(ana: Sender, place: Path) -> None:
    """DOM-FILE-4."""
    data = photo()
    path, _ = await ana.begin(data)

    async def without_end() -> AsyncIterator[bytes]:
        yield data
        for _ in range(200):
            yield bytes(65_536)

    with contextlib.suppress(aiohttp.ClientError):
        answer = await ana.piece(path, 0, without_end())
        assert answer.status == 204
    assert Files(place).arrived(uuid_of(path)) in (len(data), 0)
    assert (await ana.settled(path))["state"] == "ready"


@pytest.mark.parametrize(
    ("kind", "length", "status", "code"),
    [
        ("photo", "100000000", 413, "too_large"),
        ("photo", "20000001", 413, "too_large"),
        ("voice", "10000001", 413, "too_large"),
        ("document", "256001", 413, "too_large"),
        ("photo", "0", 400, "empty"),
        ("photo", "-1", 400, "bad_length"),
        ("photo", "1e3", 400, "bad_length"),
        ("photo", "9" * 30, 400, "bad_length"),
        ("film", "10", 400, "bad_metadata"),
    ],
)
async def test_what_is_too_large_or_nothing_is_refused_at_the_beginning(
    ana: Sender, kind: str, length: str, status: int, code: str
) -> None:
    """DOM-FILE-4."""
    path, answer = await ana.begin(b"x", kind, length=length)
    assert (answer.status, answer.code) == (status, code)
    assert answer.said["error"]["text"] and answer.said["error"]["todo"]
    assert (await ana.ask("HEAD", path)).status == 404


async def test_an_agency_has_its_share_of_a_day(place: Path, database: str) -> None:
    """DOM-FILE-4."""
    await seed(database)
    stage = Stage(database, daily_megabytes=1)
    await stage.start()
    try:
        async with entered(stage, "ana") as ana, entered(stage, "ben") as ben:
            assert (await ana.begin(b"x", length="600000"))[1].status == 201
            _, more = await ana.begin(b"x", length="600000")
            assert (more.status, more.code) == (429, "too_much_today")
            async with entered(stage, CAR) as car:
                assert (await car.begin(b"x", length="600000"))[1].code == "too_much_today"
            assert (await ben.begin(b"x", length="600000"))[1].status == 201, "another agency"
            await rows(stage, "update attachment set made_at = made_at - interval '1 day'")
            assert (await ana.begin(b"x", length="600000"))[1].status == 201
    finally:
        await stage.stop()


async def test_nobody_has_many_unfinished(stage: Stage, ana: Sender) -> None:
    for _ in range(upload.MOST_UNFINISHED):
        assert (await ana.begin(b"x", length="10"))[1].status == 201
    _, more = await ana.begin(b"x", length="10")
    assert (more.status, more.code) == (429, "too_many_unfinished")
    async with entered(stage, CAR) as car:
        assert (await car.begin(b"x", length="10"))[1].status == 201


async def test_others_do_not_send_and_do_not_learn_of_it(ana: Sender, ben: Sender) -> None:
    data = photo()
    path, _ = await ana.begin(data)
    for other in (path, f"/api/attachments/{uuid4()}", "/api/attachments/x"):
        assert (await ben.ask("HEAD", other)).status == 404
        answer = await ben.piece(other, 0, data)
        assert (answer.status, answer.code) == (404, "not_found")
        assert (await ben.ask("GET", other)).code == "not_found"
    assert await ana.offset(path) == 0


async def test_who_may_not_attach_is_told_so(stage: Stage) -> None:
    await rows(stage, "update person set roles = '{auditor}' where name = 'cyd'")
    await stage.core.refresh_directory()
    async with entered(stage, "cyd") as cyd:
        _, answer = await cyd.begin(photo())
        assert (answer.status, answer.code) == (403, "not_allowed")


async def test_a_session_that_locks_meanwhile_sends_nothing_more(
    stage: Stage, ana: Sender, place: Path
) -> None:
    """DOM-SES-6."""
    data = photo()
    path, _ = await ana.begin(data)
    going = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield data[:100]
        await going.wait()
        yield data[100:]

    sending = asyncio.create_task(ana.piece(path, 0, slow()))
    await arrives(place, path, 100)
    ticket = stage.core.tickets.by_token(ana.peer.me.token)
    assert ticket is not None
    ticket.active = datetime.now(UTC) - timedelta(minutes=30)
    going.set()
    answer: Answer | None = None
    with contextlib.suppress(aiohttp.ClientError):
        answer = await sending
    assert answer is None or (answer.status, answer.code) == (423, "locked")
    stage.core.tickets.active(ticket)
    assert await ana.offset(path) == 100


async def test_a_full_disk_keeps_what_came_and_goes_on_afterwards(
    ana: Sender, monkeypatch: pytest.MonkeyPatch, complaints: Complaints
) -> None:
    """DOM-FILE-3."""
    data = photo()
    path, _ = await ana.begin(data)
    assert (await ana.piece(path, 0, data[:100])).status == 204

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "pwrite", full)
        answer = await ana.piece(path, 100, data[100:])
        assert (answer.status, answer.code) == (507, "disk_full")
        assert answer.said["error"]["retry"] > 0
        patch.setattr(stored_files, "RESERVE_BYTES", 1 << 62)
        assert (await ana.begin(data))[1].code == "disk_full"
    assert await ana.offset(path) == 100
    assert (await ana.piece(path, 100, data[100:])).status == 204
    assert (await ana.settled(path))["state"] == "ready"


async def test_what_is_not_finished_in_a_day_is_forgotten(
    stage: Stage, ana: Sender, place: Path
) -> None:
    """DOM-FILE-3."""
    path, _ = await ana.begin(photo())
    young, _ = await ana.begin(photo())
    await ana.piece(path, 0, photo()[:50])
    await rows(
        stage,
        "update attachment set made_at = now() - interval '25 hours' where id = $1",
        uuid_of(path),
    )
    _, _ = await ana.attach(photo())  # wakes who clears up
    await until(lambda: not list(place.rglob(f"{uuid_of(path)}*")), "what came of it goes")
    assert (await ana.ask("HEAD", path)).status == 404
    assert await ana.offset(young) == 0


async def test_the_protocol_says_what_it_can(ana: Sender) -> None:
    async with ana.http.options(ana.base + "/api/attachments") as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,expiration"
        assert answer.headers["Tus-Max-Size"] == "20000000"
    old = await ana.ask("POST", "/api/attachments", {"Tus-Resumable": "0.2.2"})
    assert (old.status, old.code, old.headers["Tus-Version"]) == (412, "wrong_version", "1.0.0")
    path, _ = await ana.begin(photo())
    for headers in ({"Content-Type": "image/jpeg"}, {"Content-Encoding": "gzip"}):
        answer = await ana.piece(path, 0, b"x", **headers)
        assert (answer.status, answer.code) == (415, "not_a_piece")


async def test_a_voice_note_of_a_unit_and_a_text(stage: Stage) -> None:
    async with entered(stage, CAR) as car:
        _, said = await car.attach(voice(1.0), "voice")
        assert (said["state"], said["type"], said["author"]) == ("ready", "audio/ogg", "unit:1")
        assert 0.9 < said["seconds"] < 1.2
        _, said = await car.attach("Änderung\n".encode(), "document")
        assert (said["state"], said["type"]) == ("ready", "text/plain")


# -- what is said of an upload, pure

LIMITS = upload.Limits.of(20, 10, 2_000)
HEADERS = st.dictionaries(
    st.sampled_from(["Upload-Length", "Upload-Metadata", "Content-Type", "Upload-Offset"]),
    st.text()
    | st.from_regex(r"(id|kind|sha256|about|type) [A-Za-z0-9+/=]{0,60},?", fullmatch=True)
    | st.integers().map(str),
)


@settings(suppress_health_check=list(HealthCheck))
@given(HEADERS)
def test_no_headers_bring_anything_but_a_plain_refusal(headers: dict[str, str]) -> None:
    said = headers | {"Tus-Resumable": "1.0.0"}
    for read in (lambda: upload.begun(said, LIMITS), lambda: upload.piece_offset(said)):
        with contextlib.suppress(upload.Problem):
            read()
