"""Taking an incident out over HTTP (docs/domain.md, DOM-RET-13; docs/access.md)."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import json
import tempfile
import threading
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from attached import Sender, entered, photo
from ended import Connection, incident
from stage import BCG, BPD, CAR, Stage, until

from dispatch import exporting
from dispatch.asking import Asked
from psn.keeping import incident_file, stored_files


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server's files lie."""
    files = tmp_path / "files"
    monkeypatch.setenv("PSN_FILES", str(files))
    return files


@pytest.fixture
async def conn(stage: Stage) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(stage.dsn)
    yield connection
    await connection.close()


async def roles(conn: Connection, name: str, *roles: str) -> None:
    await conn.execute("update person set roles = $2 where name = $1", name, list(roles))


async def exports(conn: Connection) -> list[dict[str, object]]:
    rows = await conn.fetch(
        "select body from audit where action = 'incident.exported' order by seq"
    )
    return [json.loads(row[0]) for row in rows]


async def ask(sender: Sender, id: int) -> tuple[int, bytes, str]:
    answer = await sender.ask("GET", f"/api/incidents/{id}/export")
    return answer.status, answer.body, answer.headers.get("Content-Disposition", "")


async def test_a_supervisor_takes_out_an_incident_of_his_agency(
    stage: Stage, conn: Connection
) -> None:
    """DOM-RET-13: with what is attached, and the audit has its hash."""
    await roles(conn, "ana", "supervisor")
    one = await incident(conn, 1)
    number = await conn.fetchval("select number from incident_card where incident_id = $1", one)
    async with entered(stage, "ana") as ana:
        path, said = await ana.attach(photo(), about=f"incident:{one}")
        shown = (await ana.ask("GET", f"{path}/content")).body
        status, body, disposition = await ask(ana, one)
    assert (status, disposition) == (200, f'attachment; filename="{number}.zip"')
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        read = json.loads(archive.read("incident.json"))
        (file,) = [name for name in archive.namelist() if name.startswith("attachments/")]
        assert archive.read(file) == shown
    assert (read["incident"]["number"], read["as_seen_by"]) == (number, "BPD")
    assert read["attachments"][0]["sha256"] == hashlib.sha256(shown).hexdigest()
    (entry,) = await exports(conn)
    assert (entry["actor"], entry["object"], entry["owner"]) == (
        *("person:1", f"incident:{one}", BPD),
    )
    assert entry["details"] == {
        **{"as_seen_by": BPD, "bytes": len(body)},
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    assert said["state"] == "ready"


async def test_nobody_else_takes_it_out(stage: Stage, conn: Connection) -> None:
    """Not who only works on it, and not the supervisor of an agency that takes part."""
    one = await incident(conn, 1, partners=(BCG,))
    await roles(conn, "ben", "supervisor", "commander")
    await roles(conn, "cyd", "supervisor")
    for who, status in (("ana", 403), (CAR, 403), ("ben", 403), ("cyd", 404)):
        async with entered(stage, who) as peer:
            assert (await ask(peer, one))[0] == status, who
            assert (await ask(peer, 999))[0] == 404
    assert await exports(conn) == []


@pytest.fixture
async def ana(stage: Stage, conn: Connection) -> AsyncIterator[Sender]:
    """A supervisor."""
    await roles(conn, "ana", "supervisor")
    async with entered(stage, "ana") as sender:
        yield sender


async def test_it_is_put_together_where_the_files_are(
    conn: Connection, ana: Sender, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in memory or on a small disk, as the place of temporary files may be."""
    monkeypatch.setattr(tempfile, "tempdir", str(place / "nowhere"))
    assert (await ask(ana, await incident(conn, 1)))[0] == 200
    assert [path for path in place.rglob("*") if path.is_file()] == [], "it has no name"


async def test_a_disk_without_room_is_said_before_and_after(
    conn: Connection, ana: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await incident(conn, 1)

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def full(*_: object, **__: object) -> Full:
        return Full()

    for what in ((stored_files, "RESERVE_BYTES", 1 << 62), (tempfile, "TemporaryFile", full)):
        with monkeypatch.context() as patch:
            patch.setattr(*what)
            status, body, _ = await ask(ana, one)
        assert (status, json.loads(body)["error"]["code"]) == (507, "no_room_for_export")
        assert "incident" in json.loads(body)["error"]["text"]
    assert await exports(conn) == []
    assert (await ask(ana, one))[0] == 200


async def test_only_so_many_at_once_are_read_and_the_others_wait(
    conn: Connection, ana: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await incident(conn, 1)
    going = threading.Event()
    begun: list[str] = []
    read, write, visible = incident_file.read, incident_file.write, exporting.visible

    async def came(asked: Asked) -> int:
        begun.append("asked")
        return await visible(asked)

    async def noted(*args: object) -> object:
        begun.append("read")
        return await read(*args)  # type: ignore[arg-type]

    def held_up(*args: object) -> object:
        begun.append("write")
        going.wait(60)
        return write(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exporting, "visible", came)
    monkeypatch.setattr(incident_file, "read", noted)
    monkeypatch.setattr(incident_file, "write", held_up)
    asked = [asyncio.create_task(ask(ana, one)) for _ in range(exporting.AT_ONCE + 2)]

    def answered() -> list[tuple[int, bytes, str]]:
        return [each.result() for each in asked if each.done()]

    try:

        async def come(what: str, times: int) -> None:
            await until(lambda: begun.count(what) >= times or answered(), what)
            assert answered() == [], "nothing is answered before it is written"

        await come("asked", len(asked))
        await come("write", exporting.AT_ONCE)
        await asyncio.sleep(0.3)
        assert begun.count("read") == exporting.AT_ONCE, "what waits is not in memory"
    finally:
        going.set()
    assert [(await each)[0] for each in asked] == [200] * len(asked)
    assert begun.count("read") == len(asked)
