"""A person's data export (docs/domain.md, DOM-RET-8): what is his, and nothing that is others'."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from stage import ANA, BEN, BPD, CAR, CYD, JOINT, PASSWORD, Peer, Stage, message, report

from psn import wire
from psn.identity import factors
from psn.keeping import personal_data
from psn.trail import auditor
from psn.trail.audit import Actor, Entry

FILES = {
    *("account", "second_factors", "identities", "sessions", "messages", "receipts"),
    *("attachments", "recordings", "warnings", "warned", "audit"),
}
ADMINISTRATOR = Actor("person:9", "Olga Admin", BPD, "198.51.100.77", "0badcafe")


@dataclass(frozen=True)
class Export:
    """An archive that was read again."""

    files: dict[str, list[dict[str, Any]]]
    readme: str
    whole: str
    """Every byte of it as text."""

    def of(self, name: str) -> list[dict[str, Any]]:
        return self.files[name]


@pytest_asyncio.fixture
async def eyes(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stage.dsn)
    yield connection
    await connection.close()


async def export(eyes: asyncpg.Connection, person: int) -> Export:
    out = io.BytesIO()
    counts = await personal_data.write(eyes, person, out)
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    readme = texts.pop("README.txt")
    files = {
        name.removesuffix(".jsonl"): [json.loads(line) for line in text.split("\n")[:-1]]
        for name, text in texts.items()
    }
    assert {name: len(lines) for name, lines in files.items()} == counts
    return Export(files, readme, "\n".join([readme, *texts.values()]))


async def talked(stage: Stage) -> None:
    """Ana and Ben write to each other and to their group; Cyd writes to nobody they know."""
    async with (
        await Peer.enter(stage.url, "ana") as ana,
        await Peer.enter(stage.url, "ben") as ben,
        await Peer.enter(stage.url, "cyd") as cyd,
    ):
        for who, to, words in (
            (ana, BEN, "from ana to ben"),
            (ben, ANA, "from ben to ana"),
            (ana, f"group:{JOINT}", "from ana to the group"),
            (ben, f"group:{JOINT}", "from ben to the group"),
            (ben, f"unit:{CAR}", "from ben to the car"),
            (cyd, f"agency:{3}", "from cyd to customs"),
        ):
            await who.send(message(to, words))
            await who.expect(wire.Ack)
        await ana.expect(wire.Mail, lambda mail: says(mail, "from ben to the group"))
        await ben.expect(wire.Mail, lambda mail: says(mail, "from ana to the group"))


def says(mail: wire.Mail, words: str) -> bool:
    return isinstance(mail.body, wire.MessageBody) and mail.body.text == words


async def test_messages_by_him_and_to_him_are_there_and_no_others(
    stage: Stage, eyes: asyncpg.Connection
) -> None:
    """DOM-RET-8."""
    await talked(stage)
    ana = await export(eyes, 1)
    assert set(ana.files) == FILES
    assert [line["text"] for line in ana.of("messages")] == [
        "from ana to ben",
        "from ben to ana",
        "from ana to the group",
    ]
    for others in ("from ben to the group", "from ben to the car", "cyd", "Cyd"):
        assert others not in ana.whole
    cyd = await export(eyes, 3)
    assert [line["text"] for line in cyd.of("messages")] == ["from cyd to customs"]
    for others in ("from ana", "from ben", "Ana", "Ben"):
        assert others not in cyd.whole


async def test_receipts_are_those_that_he_made(stage: Stage, eyes: asyncpg.Connection) -> None:
    """DOM-RET-8, DOM-REC-10: who read what he wrote is not told beyond what the wire tells."""
    async with await Peer.enter(stage.url, "ana") as ana:
        sent = message(BEN, "one")
        await ana.send(sent)
        await ana.expect(wire.Ack)
        async with await Peer.enter(stage.url, "ben") as ben:
            mail = await ben.expect(wire.Mail, lambda mail: says(mail, "one"))
            await ben.send(wire.Seen(mail.box, mail.seq))
            await ana.expect(wire.Mail, lambda mail: isinstance(mail.body, wire.ReceiptBody))
    (his,) = (await export(eyes, 2)).of("receipts")
    assert (his["message"], his["state"]) == (str(sent.id), "delivered")
    assert "reader" not in his
    assert (await export(eyes, 1)).of("receipts") == []


async def test_account_sessions_and_factors_are_there_without_any_secret(
    stage: Stage, eyes: asyncpg.Connection
) -> None:
    """DOM-RET-8, DOM-AUD-6."""
    here = stage.core.signin.people.factors
    secret = here.begin_totp(1)
    totp = pyotp.TOTP(factors.base32(secret))
    code = totp.at(time.time() - 30)
    codes = await here.confirm_totp(1, code, "my phone", time.time(), Actor(ANA, "Ana", BPD))
    assert codes is not None
    async with await Peer.join(stage.url) as peer:
        me = await peer.sign_in(wire.PasswordAuth("ana", PASSWORD, code=codes[0]))
    got = await export(eyes, 1)
    (account,) = got.of("account")
    assert (account["name"], account["full_name"], account["agency"]) == ("ana", "Ana", "BPD")
    (factor,) = got.of("second_factors")
    assert (factor["kind"], factor["label"]) == ("totp", "my phone")
    (session,) = got.of("sessions")
    assert session["source"] == "127.0.0.1" and len(session["session"]) == 8
    rows = await eyes.fetchrow(
        "select p.password_hash, f.secret, s.token_hash, array(select hash from recovery_code) as c"
        " from person p join second_factor f on f.person_id = p.id"
        " join session s on s.person_id = p.id where p.id = 1"
    )
    hashes = [rows["secret"].hex(), rows["token_hash"].hex(), *(each.hex() for each in rows["c"])]
    secrets = [rows["password_hash"], totp.secret, me.token, *codes, *hashes]
    assert len(hashes) == 12
    assert [each for each in secrets if each in got.whole] == []


async def test_entries_of_the_audit_tell_of_him_and_not_of_who_acted(
    stage: Stage, eyes: asyncpg.Connection
) -> None:
    """DOM-RET-8, DOM-AUD-7: that it was done and when is his; by whom by name is theirs."""
    await auditor.append(
        eyes,
        [
            Entry(ADMINISTRATOR, "person.changed", ANA, BPD, {"new": {"roles": ["auditor"]}}),
            Entry(ADMINISTRATOR, "person.changed", BEN, 2, {"new": {"full_name": "Benedict"}}),
            Entry(Actor(ANA, "Ana", BPD, "192.0.2.7", "feedbeef"), "person.changed", BEN, 2,
                  {"old": {"full_name": "Benny"}}),
            Entry(Actor("nobody", source="203.0.113.5"), "sign_in.failed", ANA, BPD,
                  {"name": "ana", "why": "wrong_credentials"}),
            Entry(Actor(CYD, "Cyd", 3), "track.read", f"unit:{CAR}", BPD),
        ],
    )  # fmt: skip
    got = await export(eyes, 1)
    told = [(e["action"], e["object"], e["actor"]) for e in got.of("audit")]
    assert told[-3:] == [
        ("person.changed", ANA, "person:9"),
        ("person.changed", BEN, ANA),
        ("sign_in.failed", ANA, "nobody"),
    ]
    by_other, by_him, failed = got.of("audit")[-3:]
    assert by_other["details"] == {"new": {"roles": ["auditor"]}}
    assert failed["details"]["why"] == "wrong_credentials"
    assert (by_him["source"], by_him["session"]) == ("192.0.2.7", "feedbeef")
    for theirs in ("Olga", "198.51.100.77", "0badcafe", "203.0.113.5", "Benny", "Benedict", "Cyd"):
        assert theirs not in got.whole


async def test_where_his_unit_was_is_not_in_it(stage: Stage, eyes: asyncpg.Connection) -> None:
    """DOM-RET-8."""
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car, lat=174_912_345, lon=-881_954_321)
    async with await Peer.enter(stage.url, "ana") as ana:
        await ana.answers()
    got = await export(eyes, 1)
    assert not any(part in got.whole for part in ("912345", "954321", "place"))


async def test_somebody_who_is_not_there_has_nothing(
    stage: Stage, eyes: asyncpg.Connection
) -> None:
    got = await export(eyes, 999)
    assert set(got.files) == FILES and not any(got.files.values())
    assert "person:999" in got.readme


@pytest.mark.parametrize("words", ["line\nbreak\r\x1b[2J", "\u202e\u2028 🚓"])
async def test_any_text_is_one_line(stage: Stage, eyes: asyncpg.Connection, words: str) -> None:
    async with await Peer.enter(stage.url, "ana") as ana:
        await ana.send(message(BEN, words))
        await ana.expect(wire.Ack)
    (line,) = (await export(eyes, 1)).of("messages")
    assert line["text"] == words.replace("\u202e", "")  # DOM-REC-12
