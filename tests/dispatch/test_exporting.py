"""Taking an incident out over HTTP (docs/domain.md, DOM-RET-13; docs/access.md)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from attached import Sender, entered, photo
from ended import Connection, incident
from stage import BCG, BPD, CAR, Stage


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server's files lie."""
    monkeypatch.setenv("PSN_FILES", str(tmp_path / "files"))


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
