"""What the public reads: a feed, a page without script, CAP; from memory, and for another host."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from click.testing import CliRunner
from cryptography import x509
from desk_peer import Worker
from lxml import etree
from stage import Stage
from warners import (
    APPROVER,
    OFFICER,
    approval,
    draft,
    exercise,
    hire,
    message_row,
    sent,
    words,
)

from dispatch.alerting import cap
from psn.__main__ import main
from psn.keys import new_certified

NAMES = {"a": "http://www.w3.org/2005/Atom"}


@dataclass
class Desk:
    stage: Stage
    officer: Worker
    approver: Worker
    http: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        url = self.stage.url.replace("ws://", "http://").removesuffix("/ws") + path
        async with self.http.get(url, headers=headers, allow_redirects=False) as answer:
            return answer, await answer.read()

    async def feed(self) -> Any:
        _, body = await self.get("/alerts.atom")
        return etree.fromstring(body)


@pytest_asyncio.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await hire(stage)
    people = [await Worker.enter(stage, who, "warning_desk") for who in (OFFICER, APPROVER)]
    async with aiohttp.ClientSession() as http:
        yield Desk(stage, *people, http)
    for each in people:
        await each.leave()


async def test_the_feed_leads_to_each_alert_as_cap(desk: Desk) -> None:
    """DOM-WRN-28."""
    assert not (await desk.feed()).findall("a:entry", NAMES)
    made = await sent(desk.officer, desk.approver)
    (entry,) = (await desk.feed()).findall("a:entry", NAMES)
    assert entry.findtext("a:title", namespaces=NAMES) == "Hurricane warning for Belize City"
    terms = {each.get("term") for each in entry.findall("a:category", NAMES)}
    assert terms == {"Actual", "Alert", "Extreme", "in_force"}
    link = entry.find("a:link", NAMES).get("href")
    answer, document = await desk.get(f"/{link}")
    assert answer.content_type == "application/cap+xml"
    assert document == (await message_row(desk.stage, made["message"]))["document"].encode()
    assert cap.read(document).valid
    assert "immutable" in answer.headers["Cache-Control"]


async def test_what_goes_out_is_signed_and_the_certificate_is_beside_it(desk: Desk) -> None:
    """DOM-WRN-34."""
    made = await sent(desk.officer, desk.approver)
    answer, pem = await desk.get("/alerts/certificate.pem")
    assert answer.status == 200 and b"PRIVATE" not in pem
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate == desk.stage.core.keys.alert.certificate
    document = (await message_row(desk.stage, made["message"]))["document"].encode()
    now = datetime.now(UTC)
    verified = cap.verify(document, [certificate], now)
    assert verified.verdict is cap.Verdict.GOOD and verified.reading.valid
    changed = document.replace(b"Go to a shelter now.", b"Stay where you are...")
    assert changed != document
    assert cap.verify(changed, [certificate], now).verdict is cap.Verdict.UNKNOWN
    stranger = new_certified().certificate
    assert cap.verify(document, [stranger], now).verdict is cap.Verdict.UNKNOWN


async def test_a_cancel_is_in_the_feed_and_the_page_says_it_is_over(desk: Desk) -> None:
    """DOM-WRN-28."""
    made = await sent(desk.officer, desk.approver)
    over = await desk.officer.do(
        "warning.cancel",
        warning=made["warning"],
        content=draft(
            note="The storm has turned <north>",
            texts=[
                words("en-BZ", "Hurricane warning", "is over", "Go home."),
                words("es-BZ", "Aviso de huracán", "terminado", "Vuelva a casa."),
                words("bzj", "Harikayn waanin", "don", "Goh hoam."),
            ],
        ),
    )
    await desk.officer.do("warning.check", message=over["message"])
    phrase = "actual cancel hurricane warning"
    await desk.approver.do("warning.approve", **approval(over, phrase=phrase))
    newest, first = (await desk.feed()).findall("a:entry", NAMES)
    assert newest.findtext("a:title", namespaces=NAMES).startswith("Cancel: ")
    assert "cancelled" in {each.get("term") for each in first.findall("a:category", NAMES)}
    page = (await desk.get("/alerts/"))[1].decode()
    assert "No warning is in force." in page and "The storm has turned &lt;north&gt;" in page


async def test_a_cancel_after_an_update_stands_on_the_page_once(desk: Desk) -> None:
    """DOM-WRN-28: people read of the last that was said, not of each word before it."""
    made = await sent(desk.officer, desk.approver)
    for kind in ("update", "cancel"):
        next_ = await desk.officer.do(f"warning.{kind}", warning=made["warning"])
        looked = await desk.officer.do("warning.check", message=next_["message"])
        assert looked["stage"] == "checked", looked
        phrase = f"actual {kind} hurricane warning"
        await desk.approver.do("warning.approve", **approval(next_, phrase=phrase))
    page = (await desk.get("/alerts/"))[1].decode()
    assert page.count('class="over"') == 1


async def test_the_page_works_without_script_in_three_languages(desk: Desk) -> None:
    """DOM-WRN-28, DOM-WRN-5."""
    answer, _ = await desk.get("/alerts")
    assert (answer.status, answer.headers["Location"]) == (308, "/alerts/")
    await sent(desk.officer, desk.approver)
    test = await desk.officer.do("warning.begin", content=exercise())
    await desk.officer.do("warning.check", message=test["message"])
    await desk.approver.do("warning.approve", **approval(test, phrase=""))
    for name, real, mark, note in (
        ("", "Go to a shelter now.", "EXERCISE EXERCISE EXERCISE", "Exercise"),
        ("es.html", "Vaya a un refugio ahora.", "SIMULACRO SIMULACRO SIMULACRO", "Simulacro"),
        ("bzj.html", "Goh da wahn shelta now.", "EXERCISE - DIS DA ONLI PRAKTIS", "Praktis"),
    ):
        answer, body = await desk.get(f"/alerts/{name}")
        page = body.decode()
        assert (
            "<script" not in page
            and "default-src 'none'" in (answer.headers["Content-Security-Policy"])
        )
        articles = page.split("<article")[1:]
        assert len(articles) == 2, "what is Actual stands first"
        assert real in articles[0] and mark not in articles[0]
        assert articles[1].count(mark) == 2, "first and last"
        assert f"<dt>{note}</dt><dd>Exercise Cay Sal</dd>" in articles[1]


async def test_caches_are_told_what_they_may_keep(desk: Desk) -> None:
    """DOM-WRN-28."""
    for path in ("/alerts/", "/alerts.atom"):
        answer, _ = await desk.get(path)
        etag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "public, max-age=5"
        again, body = await desk.get(path, **{"If-None-Match": f'"x", {etag}'})
        assert (again.status, body, again.headers["ETag"]) == (304, b"", etag)
    await sent(desk.officer, desk.approver)
    for path in ("/alerts/", "/alerts.atom"):
        answer, _ = await desk.get(path, **{"If-None-Match": etag})
        assert answer.status == 200


async def test_what_goes_by_no_public_channel_is_not_public(desk: Desk) -> None:
    made = await sent(desk.officer, desk.approver, channels=["screens"])
    assert not (await desk.feed()).findall("a:entry", NAMES)
    assert (await desk.get(f"/alerts/{made['message']}.xml"))[0].status == 404
    assert "No warning is in force." in (await desk.get("/alerts/"))[1].decode()
    draft_only = await desk.officer.do("warning.begin", content=draft())
    assert (await desk.get(f"/alerts/{draft_only['message']}.xml"))[0].status == 404


async def test_with_the_database_away_it_is_served_as_before(desk: Desk) -> None:
    """DOM-WRN-28: nothing is asked of the database for a reader."""
    await sent(desk.officer, desk.approver)
    async with desk.stage.core.pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table warning_message in access exclusive mode")
        async with asyncio.timeout(5):
            page = (await desk.get("/alerts/"))[1].decode()
    assert "Go to a shelter now." in page


async def test_the_same_files_serve_from_another_host(desk: Desk, tmp_path: Path) -> None:
    """DOM-WRN-28."""
    made = await sent(desk.officer, desk.approver)
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "9999.xml").write_text("long over")

    async def psn(*arguments: str) -> str:
        runner = CliRunner(env={"PSN_DATABASE": desk.stage.dsn})
        done = await asyncio.to_thread(runner.invoke, main, ["warnings", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert "6 files written" in await psn("export", str(tmp_path))
    for path in (
        "alerts.atom",
        "alerts/certificate.pem",
        f"alerts/{made['message']}.xml",
    ):
        assert (tmp_path / path).read_bytes() == (await desk.get(f"/{path}"))[1]
    # Pages say as of when they are, for who reads them when nobody renews them any more.
    for name, word in (("index", "As of"), ("es", "Estado a las"), ("bzj", "Az a")):
        written = (tmp_path / "alerts" / f"{name}.html").read_text()
        before, _, rest = written.partition('<p class="old"')
        made, _, after = rest.partition("</script>")
        path = "/alerts/" if name == "index" else f"/alerts/{name}.html"
        assert before + after == (await desk.get(path))[1].decode(), "but for that it is the same"
        assert f"{word} <time " in made and "NEMO hotline 936" in made
    assert not (tmp_path / "alerts" / "9999.xml").exists()
    assert "Hurricane warning" in await psn("list")
    assert "two people are needed for Actual." in await psn(
        "policy", "BPD", "--two-people", "actual"
    )
    kept = "select two_people from warning_policy where agency_id = 1"
    assert await desk.stage.core.pool.fetchval(kept) == ["Actual"]
