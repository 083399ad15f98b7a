"""Who sees an attachment, and what a browser gets (docs/domain.md, DOM-FILE-8)."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from attached import Sender, entered, photo, voice, zip_bomb
from PIL import Image
from stage import BEN, CAR, CYD, Stage, message, until

from dispatch import looks
from dispatch.looks import Looks
from psn import wire
from psn.trail import auditor


async def run(stage: Stage, query: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(stage.dsn)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


async def read(stage: Stage) -> list[dict[str, Any]]:
    found = await run(stage, "select body from audit where action = 'attachment.read' order by seq")
    return [json.loads(row["body"]) for row in found]


async def test_a_photo_is_shown_with_headers_that_keep_it_a_photo(stage: Stage) -> None:
    async with entered(stage, "ana") as ana:
        path, _ = await ana.attach(photo())
        id = path.rpartition("/")[2]
        for part, size in (("content", (80, 120)), ("preview", (80, 120))):
            answer = await ana.ask("GET", f"{path}/{part}")
            assert answer.status == 200
            with Image.open(io.BytesIO(answer.body)) as picture:
                assert (picture.format, picture.size) == ("JPEG", size)
            said = answer.headers
            assert said["Content-Type"] == "image/jpeg"
            assert said["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in said["Content-Security-Policy"]
            assert said["Cache-Control"] == "no-store"
            assert said["Content-Disposition"].startswith(f'inline; filename="{id}')
        path, _ = await ana.attach(b"<b>not yet", "document")
        answer = await ana.ask("GET", f"{path}/content")
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert (await ana.ask("GET", f"{path}/preview")).status == 404


async def test_a_voice_note_is_heard_in_parts_and_recorded_once(stage: Stage) -> None:
    """DOM-FILE-8."""
    async with entered(stage, CAR) as car, entered(stage, "ana") as ana:
        path, said = await car.attach(voice(2.0), "voice")
        whole = (await ana.ask("GET", f"{path}/content")).body
        assert len(whole) == said["stored_size"]
        part = await ana.ask("GET", f"{path}/content", {"Range": "bytes=100-199"})
        assert (part.status, part.body) == (206, whole[100:200])
        assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
        beyond = await ana.ask("GET", f"{path}/content", {"Range": "bytes=99999999-"})
        assert beyond.status == 416
        (entry,) = await read(stage)
        assert (entry["actor"], entry["owner"]) == ("person:1", 1)
        assert entry["object"] == "attachment:" + path.rpartition("/")[2]
        await car.ask("GET", f"{path}/content")
        assert len(await read(stage)) == 2, "another session"


async def test_what_cannot_be_recorded_is_not_shown(
    ana: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-AUD-3."""
    path, _ = await ana.attach(photo())

    async def refuse(*_: object) -> None:
        raise auditor.unrecorded()

    with monkeypatch.context() as patch:
        patch.setattr(auditor.Auditor, "record", refuse)
        for _ in range(2):
            answer = await ana.ask("GET", f"{path}/content")
            assert (answer.status, answer.code) == (503, "unavailable")
    assert (await ana.ask("GET", f"{path}/content")).status == 200


async def test_other_agencies_see_what_was_sent_to_them_and_nothing_else(stage: Stage) -> None:
    """DOM-FILE-8."""
    uid = uuid4()
    async with (
        entered(stage, "ana") as ana,
        entered(stage, "ben") as ben,
        entered(stage, "cyd") as cyd,
    ):
        path, _ = await ana.attach(photo(), about=f"message:{uid}")
        for other in (ben, cyd):
            for part in ("", "/content", "/preview"):
                answer = await other.ask("GET", path + part)
                assert (answer.status, answer.code) == (404, "not_found")
        await ana.peer.send(message(BEN, "see the photo", id=uid))
        await ana.peer.expect(wire.Ack)
        assert (await ben.ask("GET", path)).said["author"] == "person:1"
        assert (await ben.ask("GET", f"{path}/content")).status == 200
        assert (await cyd.ask("GET", path)).status == 404
        (entry,) = [each for each in await read(stage) if each["actor"] == BEN]
        assert (entry["owner"], entry["agency"]) == (1, 2)


async def test_a_message_of_somebody_else_shows_nothing(stage: Stage) -> None:
    """Nobody puts his photo before the readers of a message that is not his."""
    uid = uuid4()
    async with entered(stage, "ana") as ana, entered(stage, "ben") as ben:
        await ben.peer.send(message("group:1", "ours", id=uid))
        await ben.peer.expect(wire.Ack)
        path, _ = await ana.attach(photo(), about=f"message:{uid}")
        assert (await ben.ask("GET", path)).status == 404
        own, _ = await ben.attach(photo(), about=f"message:{uid}")
        assert (await ana.ask("GET", own)).status == 200


async def test_of_what_is_not_ready_others_learn_nothing(stage: Stage) -> None:
    uid = uuid4()
    async with (
        entered(stage, "ana") as ana,
        entered(stage, "ben") as ben,
        entered(stage, CAR) as car,
    ):
        await ana.peer.send(message(BEN, "a photo follows", id=uid))
        await ana.peer.expect(wire.Ack)
        path, _ = await ana.begin(photo(), about=f"message:{uid}")
        assert (await ben.ask("GET", path)).status == 404
        for own in (ana, car):
            answer = await own.ask("GET", f"{path}/content")
            assert (answer.status, answer.code) == (409, "not_ready")
        data = zip_bomb()
        path, said = await ana.attach(data, about=f"message:{uid}")
        assert (said["state"], said["code"]) == ("refused", "wrong_type")
        answer = await ana.ask("GET", f"{path}/content")
        assert (answer.status, answer.code) == (409, "refused")
        assert "a ZIP archive" in answer.said["error"]["text"]
        assert (await ben.ask("GET", path)).status == 404


async def test_a_zip_bomb_named_jpg_leaves_nothing_but_a_sentence(
    stage: Stage, ana: Sender, place: Path
) -> None:
    """DOM-FILE-6: a name is not looked at."""
    path, said = await ana.attach(zip_bomb(), filename="photo.jpg", type="image/jpeg")
    assert (said["state"], said["code"], said["type"]) == ("refused", "wrong_type", None)
    await until(lambda: not [f for f in place.rglob("*") if f.is_file()], "the bytes go")
    found = await run(stage, "select body from audit where action = 'attachment.refused'")
    (entry,) = [json.loads(row["body"]) for row in found]
    assert entry["details"]["code"] == "wrong_type"
    assert "photo.jpg" not in json.dumps(entry)
    assert (await ana.offset(path)) == len(zip_bomb())


async def test_a_file_that_is_not_there_is_said_plainly(
    ana: Sender, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = await ana.attach(photo())
    for file in place.rglob(path.rpartition("/")[2]):
        file.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(logging.getLogger("dispatch.attachments.service"), "disabled", True)
        answer = await ana.ask("GET", f"{path}/content")
    assert (answer.status, answer.code) == (503, "files_away")
    assert (await ana.ask("GET", path)).said["state"] == "ready"


async def test_an_administrator_reads_what_is_sent_to_him_and_not_his_agencys(
    stage: Stage,
) -> None:
    await run(stage, "update person set roles = '{administrator}' where name = 'cyd'")
    await run(
        stage,
        "insert into agreement (owner_agency, viewer_agency, messages, reason, author)"
        " values (3, 1, true, 'exercise', 'test')",
    )
    await stage.core.refresh_directory()
    uid = uuid4()
    async with (
        entered(stage, "ana") as ana,
        entered(stage, "cyd") as cyd,
        entered(stage, 5) as truck,
    ):
        own, _ = await truck.attach(photo())
        assert (await cyd.ask("GET", own)).status == 404
        sent, _ = await ana.attach(photo(), about=f"message:{uid}")
        await ana.peer.send(message(CYD, "see", id=uid))
        await ana.peer.expect(wire.Ack)
        assert (await cyd.ask("GET", sent)).status == 200


async def test_ids_that_are_none_name_nothing(ana: Sender) -> None:
    for id in ("1", "x", str(UUID(int=0)), "..%2f..%2fetc%2fpasswd", "%00"):
        for part in ("", "/content", "/preview"):
            answer = await ana.ask("GET", f"/api/attachments/{id}{part}")
            assert answer.status == 404


def test_a_look_is_new_again_after_a_while_and_looks_take_bounded_room() -> None:
    seen = Looks()
    assert seen.is_new("a", 0.0)
    assert seen.is_new("a", 0.0), "what was not recorded is new"
    seen.recorded("a", 0.0)
    assert not seen.is_new("a", looks.AGAIN_SECONDS - 1)
    assert seen.is_new("a", looks.AGAIN_SECONDS)
    for n in range(looks.MOST + 10):
        seen.recorded(n, 1.0)
    assert seen.is_new(0, 2.0) and not seen.is_new(looks.MOST, 2.0)
