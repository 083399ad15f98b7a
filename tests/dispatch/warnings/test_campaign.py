"""What a message by SMS would take, said before it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import smsc
from clerks import Clerk
from desk_peer import Worker
from stage import Stage, seed, until
from warners import APPROVER, OFFICER, draft, hire, sent, words

from psn import metrics

RECIPIENTS = (
    ("+5016000001", "en-BZ", None),
    ("+5016000002", "es-BZ", "BZ-BZ"),
    ("+5016000003", "es-BZ", "BZ-BZ"),
    ("+5016000004", "bzj", "BZ-BZ"),
    ("+5016000005", "en-BZ", "BZ-TOL"),
)
"""The last is elsewhere."""
BOUND = b'psn_sms_centre_bound{centre="smsc:c0"} 1.0'


async def asked(stage: Stage, officer: Worker, content: Any, message: int | None = None) -> Any:
    async with aiohttp.ClientSession() as http:
        clerk = Clerk(stage, http, officer.peer)
        look = {"content": content} | ({} if message is None else {"message": message})
        status, answer = await clerk.ask("POST", "/api/warnings/preview", look)
    assert status == 200, answer
    return answer["sms"]


async def test_a_preview_says_what_it_takes_by_sms(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-37: and what is sent is what was said."""
    await seed(database)
    texts = draft()["texts"]
    texts[1] = words("es-BZ", "Aviso de huracán", "ñandú ∞ " * 12, "Vaya a un refugio.")
    async with smsc.running(tmp_path / "log") as centre:
        stage = Stage(database, smsc=smsc.settings_file(tmp_path, centre.port, rate=2.0))
        await stage.start()
        try:
            await hire(stage)
            for address, language, district in RECIPIENTS:
                await stage.core.pool.execute(smsc.RECIPIENT, "sms", address, language, district)
            officer = await Worker.enter(stage, OFFICER, "warning_desk")
            approver = await Worker.enter(stage, APPROVER, "warning_desk")
            await until(lambda: BOUND in metrics.exposition(stage.core), "bound")
            said = await asked(stage, officer, draft(texts=texts))
            counted = {each["language"]: each for each in said["languages"]}
            assert {k: v["telephones"] for k, v in counted.items()} == {
                "bzj": 1, "en-BZ": 1, "es-BZ": 2,
            }  # fmt: skip
            parts = counted["es-BZ"]["parts"]
            assert parts > 1 and said["telephones"] == 4
            assert said["messages"] == 2 + 2 * parts
            assert said["cost"] == round(said["messages"] * 0.05, 2)
            assert (said["rate"], said["centres"], said["away"]) == (2.0, 1, [])
            assert said["minutes"] == round(said["messages"] / 2 / 60, 2)

            made = await sent(officer, approver, texts=texts)
            await smsc.settled(stage, total=said["messages"])
            assert len(centre.taken) == said["messages"]
            # Whoever was told of it is told of its end, wherever that is.
            over = await officer.do("warning.cancel", warning=made["warning"])
            toledo = draft(
                area={"name": "Toledo", "parts": [{"part": "district", "code": "BZ-TOL"}]}
            )
            said = await asked(stage, officer, toledo, over["message"])
            assert said["telephones"] == 5
            await officer.leave()
            await approver.leave()
        finally:
            await stage.stop()


async def test_without_sms_or_a_centre_it_says_so(stage: Stage) -> None:
    """DOM-WRN-37."""
    await hire(stage)
    await stage.core.pool.execute(smsc.RECIPIENT, "sms", "+5016000001", "en-BZ", None)
    officer = await Worker.enter(stage, OFFICER, "warning_desk")
    assert await asked(stage, officer, draft(channels=["page"])) is None
    said = await asked(stage, officer, draft())
    assert (said["telephones"], said["cost"], said["minutes"]) == (1, None, None)
    assert await asked(stage, officer, draft(texts=[])) is None
    await officer.leave()
