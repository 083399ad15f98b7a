"""What the page for writing warnings reads, over HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from desk_peer import Worker
from stage import Stage
from warners import APPROVER, HOUR, OFFICER, PHRASE, STRANGER, checked, draft, exercise, hire, sent

from dispatch.alerting.content import LANGUAGES, Channel
from dispatch.warnings.composing import ROUTES

DISPATCHER = "ana"


@dataclass
class Reader:
    """Somebody who asks the API with his session."""

    http: aiohttp.ClientSession
    base: str
    worker: Worker

    async def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.worker.peer.me.token}"}
        method = "GET" if body is None else "POST"
        said = {} if body is None else {"json": body}
        async with self.http.request(method, self.base + path, headers=headers, **said) as answer:
            return answer.status, await answer.json()

    async def read(self, path: str, body: Any = None) -> Any:
        status, answer = await self.ask(path, body)
        assert status == 200, answer
        return answer


@pytest_asyncio.fixture
async def officer(stage: Stage) -> AsyncIterator[Reader]:
    await hire(stage)
    host, port = stage.address
    async with aiohttp.ClientSession() as http:
        worker = await Worker.enter(stage, OFFICER, "warning_desk")
        yield Reader(http, f"http://{host}:{port}", worker)
        await worker.leave()


async def another(officer: Reader, stage: Stage, name: str) -> Reader:
    return replace(officer, worker=await Worker.enter(stage, name, "warnings"))


async def test_what_a_warning_is_begun_with(officer: Reader, stage: Stage) -> None:
    found = await officer.read("/api/warnings/templates")
    assert found["may"] == ["draft", "send"]
    assert sorted(found["two_people"]) == ["Actual", "Exercise"]
    assert {each["code"] for each in found["districts"]} >= {"BZ-BZ", "BZ-CY"}
    flood = next(each for each in found["templates"] if each["code"] == "flood")
    assert [each["language"] for each in flood["texts"]] == list(LANGUAGES)
    assert flood["name"]["es"] and flood["blanks"][0]["name"] == "river"
    approver = await another(officer, stage, APPROVER)
    assert "approve" in (await approver.read("/api/warnings/templates"))["may"]


async def test_a_message_is_read_as_it_was_written(officer: Reader) -> None:
    """Whoever goes on with a draft of somebody else's gets his words, and the area as drawn."""
    said = draft(channels=["sms", "page"])
    made = await officer.worker.do("warning.begin", content=said)
    found = await officer.read(f"/api/warnings/messages/{made['message']}")
    assert found["digest"] == made["digest"] and found["stage"] == "draft"
    assert {key: found["content"][key] for key in said} == said
    assert [each["name"] for each in found["authors"]] == [OFFICER.title()]
    again = await officer.worker.do(
        "warning.write", message=made["message"], seen=made["digest"], content=found["content"]
    )
    assert again["digest"] == made["digest"], "what was read is what was written"
    assert found["preview"]["phrase"] == PHRASE
    assert found["preview"]["area"]["people"] >= 70_000, "an estimate (DOM-WRN-68)"
    (circle,) = found["preview"]["area"]["circles"]
    assert 20_000 <= circle["radius"] <= 20_001, "no smaller than it was drawn (DOM-WRN-16)"
    (end,) = (await officer.read("/api/warnings/messages"))["messages"]
    assert end == {"id": made["message"], "area": "Belize City", "ends": said["expires"]}


async def test_a_preview_says_what_each_channel_shows_and_what_is_wrong(officer: Reader) -> None:
    """DOM-WRN-17, DOM-WRN-18: before anything is kept."""
    bad = draft(area=None, texts=draft()["texts"][:2])
    found = await officer.read("/api/warnings/preview", {"content": bad})
    assert {each["code"] for each in found["findings"] if each["error"]} == {
        "warning.no_area",
        "warning.language_missing",
    }
    assert len(found["shown"]) == 2 * len(Channel)
    short = next(each for each in found["shown"] if each["channel"] == "sms")
    assert short["text"].startswith("NEMO: Hurricane warning") and short["length"] == 1
    assert short["parts"] == [short["text"]]
    assert (await officer.read("/api/warnings/messages"))["messages"] == []
    drill = await officer.read("/api/warnings/preview", {"content": exercise()})
    assert drill["phrase"] == "" and all("EX" in each["text"][:2] for each in drill["shown"][:1])


async def test_a_preview_of_a_cancel_knows_its_warning(officer: Reader, stage: Stage) -> None:
    """DOM-WRN-5: what is typed to approve it says that it cancels."""
    approver = await another(officer, stage, APPROVER)
    made = await sent(officer.worker, approver.worker)
    began = await officer.worker.do("warning.cancel", warning=made["warning"])
    look = {"content": draft(), "message": began["message"]}
    found = await officer.read("/api/warnings/preview", look)
    assert found["phrase"] == "actual cancel hurricane warning"
    shown = await officer.read(f"/api/warnings/messages/{made['message']}")
    assert shown["stage"] == "sent" and shown["sent"] and shown["preview"]["findings"] == []
    assert shown["approved_by"]["name"] == APPROVER.title()


async def test_an_area_that_cannot_be_meant_is_refused(officer: Reader) -> None:
    """DOM-WRN-15."""
    ring = [[-882_000_000, 175_000_000], [-881_000_000, 176_000_000]]
    area = {"name": "there", "parts": [{"part": "polygon", "points": ring}]}
    status, answer = await officer.ask("/api/warnings/preview", {"content": draft(area=area)})
    assert (status, answer["error"]["code"]) == (400, "area.few_points")
    assert answer["error"]["todo"]


@pytest.mark.parametrize("body", [{}, {"content": {"status": "Real"}}, {"content": 1}])
async def test_what_is_no_content_is_refused(officer: Reader, body: Any) -> None:
    status, answer = await officer.ask("/api/warnings/preview", body)
    assert (status, answer["error"]["code"]) == (400, "bad_body")


async def test_drafts_are_for_those_who_write_and_approve_them(
    officer: Reader, stage: Stage
) -> None:
    """docs/access.md: and for their agency alone."""
    made = await checked(officer.worker, expires=draft()["expires"] + HOUR)
    dispatcher = await another(officer, stage, DISPATCHER)
    for route in ROUTES:
        path = route.path.replace("{id}", str(made["message"]))
        body = None if route.takes is None else {"content": draft()}
        assert (await dispatcher.ask(path, body))[0] == 403, path
    stranger = await another(officer, stage, STRANGER)
    assert (await stranger.ask(f"/api/warnings/messages/{made['message']}"))[0] == 404
    look = {"content": draft(), "message": made["message"]}
    assert (await stranger.ask("/api/warnings/preview", look))[0] == 404
    assert (await stranger.read("/api/warnings/messages"))["messages"] == []


async def send(reader: Reader, body: bytes, query: str = "") -> tuple[int, Any]:
    headers = {
        "Authorization": f"Bearer {reader.worker.peer.me.token}",
        "Content-Type": "application/octet-stream",
    }
    url = f"{reader.base}/api/warnings/area{query}"
    async with reader.http.post(url, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status, await answer.json()


async def test_a_file_becomes_parts_of_an_area(officer: Reader, stage: Stage) -> None:
    """DOM-WRN-66: as they can be written into a draft at once."""
    line = b'{"type": "LineString", "coordinates": [[-88.6, 17.2], [-88.2, 17.5]]}'
    status, found = await send(officer, line, "?km=3")
    assert status == 200, found
    (note,) = found["notes"]
    assert (note["code"], note["figures"]) == ("note.no_times", {"km": 3.0})
    assert found["told"] == [note["text"]] and found["name"] == ""
    assert found["parts"] == [
        {
            "part": "track",
            "points": [[-886_000_000, 172_000_000, 3_000], [-882_000_000, 175_000_000, 3_000]],
        }
    ]
    area = {"name": "River", "parts": found["parts"]}
    made = await officer.worker.do("warning.begin", content=draft(area=area))
    shown = await officer.read(f"/api/warnings/messages/{made['message']}")
    assert shown["content"]["area"] == area and shown["preview"]["area"]["km2"] > 250
    ring = "[[-88.3, 17.4], [-88.1, 17.4], [-88.1, 17.6], [-88.3, 17.4]]"
    status, found = await send(officer, f'{{"type": "Polygon", "coordinates": [{ring}]}}'.encode())
    assert status == 200 and len(found["parts"][0]["points"]) == 4
    for body, code, expected in (
        (b"hello", "file.unknown", 400),
        (b"<kml>" + b" " * 5_000_001, "file.too_large", 400),
        (b'{"type": "Point", "coordinates": [10, 50]}', "area.elsewhere", 400),
    ):
        status, answer = await send(officer, body)
        assert (status, answer["error"]["code"]) == (expected, code) and answer["error"]["todo"]
    assert (await send(officer, line, "?km=1000"))[0] == 400
    dispatcher = await another(officer, stage, DISPATCHER)
    assert (await send(dispatcher, line))[0] == 403
