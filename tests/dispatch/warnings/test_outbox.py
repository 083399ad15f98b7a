"""E-mail at a real SMTP server, signed requests at a real receiver, and who is to be told."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import json
import socket
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import hook
import pytest
import smsc
from aiosmtpd.controller import Controller
from click.testing import CliRunner
from desk_peer import Worker
from hypothesis import given
from hypothesis import strategies as st
from stage import Stage, seed
from warners import APPROVER, OFFICER, approval, draft, hire, sent

from dispatch.alerting import cap
from dispatch.sms import centres
from dispatch.warnings import recipients
from dispatch.warnings.recipients import Said
from psn.__main__ import main
from psn.problems import Problem

ROOT = Path(__file__).parents[3]


@contextlib.asynccontextmanager
async def staged(dsn: str, **settings: Any) -> AsyncIterator[tuple[Stage, Worker, Worker]]:
    await seed(dsn)
    stage = Stage(dsn, **settings)
    await stage.start()
    try:
        await hire(stage)
        officer = await Worker.enter(stage, OFFICER, "warning_desk")
        approver = await Worker.enter(stage, APPROVER, "warning_desk")
        yield stage, officer, approver
        await officer.leave()
        await approver.leave()
    finally:
        await stage.stop()


async def test_a_mail_server_that_refuses_us_has_refused_nobody(
    database: str, complaints: object
) -> None:
    """DOM-WRN-29: they are told when whoever minds the server has let us in."""
    with mail_server() as (mailbox, url):
        mailbox.strange = 2
        async with staged(database, smtp=url, smtp_sender="w@nemo.org.bz") as (stage, one, other):
            await stage.core.pool.execute(smsc.RECIPIENT, "email", "a@example.bz", "en-BZ", None)
            await sent(one, other)
            assert await smsc.settled(stage, "email") == {"handed": 1}


class Mailbox:
    """What a mail server took, and how it answers."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, email.message.EmailMessage]] = []
        self.busy = 0
        self.strange = 0

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.strange:
            self.strange -= 1
            return "553 sender not known" if self.strange else "530 authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.busy:
            self.busy -= 1
            return "451 try again later"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, email.message.EmailMessage)
        self.mails.append((envelope.rcpt_tos[0], mail))
        return "250 OK"


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[Mailbox, str]]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=smsc_port())
    controller.start()
    try:
        yield mailbox, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def smsc_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_mail_has_the_words_and_the_alert(database: str, complaints: object) -> None:
    """DOM-WRN-29: one that is refused for now comes later, one refused for good does not."""
    with mail_server() as (mailbox, url):
        mailbox.busy = 2
        settings = {"smtp": url, "smtp_sender": "warnings@nemo.org.bz"}
        async with staged(database, **settings) as (stage, officer, approver):
            people = {"ana": "en-BZ", "eva": "es-BZ", "nobody": "bzj"}
            for name, language in people.items():
                address = f"{name}@example.bz"
                await stage.core.pool.execute(smsc.RECIPIENT, "email", address, language, None)
            made = await sent(officer, approver)
            assert await smsc.settled(stage, "email", 3) == {"handed": 2, "failed": 1}
    mails = dict(mailbox.mails)
    assert len(mailbox.mails) == 2
    spanish = mails["eva@example.bz"]
    assert spanish["Subject"] == "Aviso de huracán para Belice"
    assert spanish["Auto-Submitted"] == "auto-generated"
    body = spanish.get_body()
    assert body is not None and "Vaya a un refugio ahora." in body.get_content()
    (attached,) = spanish.iter_attachments()
    assert attached.get_content_type() == "application/cap+xml"
    alert = cap.parse(attached.get_content())
    assert alert.identifier == f"bz.nemo.{made['warning']}.{made['message']}"


async def test_requests_are_signed_and_one_that_hangs_delays_no_other(
    database: str, complaints: object
) -> None:
    """DOM-WRN-29."""
    async with hook.receiving() as siren, hook.receiving() as away:
        away.status = 503
        async with staged(database) as (stage, officer, approver):

            async def psn(*arguments: str) -> str:
                runner = CliRunner(env={"PSN_DATABASE": stage.dsn})
                done = await asyncio.to_thread(
                    runner.invoke, main, ["warnings", "recipient", *arguments]
                )
                assert done.exit_code == 0, done.output
                return done.output

            for receiver, channel in ((siren, "webhook"), (away, "cell")):
                told = await psn("add", "BPD", channel, receiver.url)
                receiver.secret = hook.key_of(told.split("once): ")[1].strip())
            made = await sent(officer, approver)
            async with asyncio.timeout(20):
                while not siren.batches or not away.tries:
                    await asyncio.sleep(0.02)
            assert (await smsc.settled(stage, "webhook")) == {"delivered": 1}
            async with asyncio.timeout(20):
                while await smsc.states(stage, "cell") != {"waiting": 1}:
                    await asyncio.sleep(0.02)
            away.status = 204
            await smsc.settled(stage, "cell")
            assert len(set(away.ids)) == 1, "each try has the same name"
            assert siren.forged == away.forged == 0
            (data,) = siren.batches
            said: Any = data
            assert said["kind"] == "Alert" and said["texts"]["en-BZ"].startswith("Hurricane")
            alert = cap.parse(said["cap"].encode())
            assert alert.identifier == said["identifier"]
            assert said["identifier"].endswith(f".{made['message']}")
            assert (await psn("list", "BPD")).count("http://") == 2
            await psn("remove", "BPD", siren.url)
            assert (await psn("list", "BPD")).count("http://") == 1


async def test_an_import_is_one_entry_of_the_audit(stage: Stage, tmp_path: Path) -> None:
    """docs/decisions/0036: what is in it is worked out again from the table, as it says there."""
    pool = stage.core.pool

    async def psn(*arguments: str) -> str:
        runner = CliRunner(env={"PSN_DATABASE": stage.dsn})
        done = await asyncio.to_thread(runner.invoke, main, ["warnings", "recipient", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    file = tmp_path / "telephones.csv"
    lines = [f"sms,+501600{number:04},,en-BZ" for number in range(1, 31)]
    lines += ["sms,+5016000001,BZ-CY,es-BZ", "email,mayor@example.bz,,en-BZ"]
    file.write_text("channel,address,district,language\n" + "\n".join(lines))
    await psn("add", "BPD", "sms", "+5016000007")
    assert "30 recipients added, 2 were there" in await psn("import", "BPD", str(file))
    assert "0 recipients added, 32 were there" in await psn("import", "BPD", str(file))
    twice = await pool.fetchrow(
        "select district, language from warning_recipient where address = '+5016000001'"
    )
    assert tuple(twice) == ("BZ-CY", "es-BZ"), "of two with one address the last holds"
    entries = await pool.fetch(
        "select action, object, owner, actor, body from audit where action like $1 order by seq",
        "warning_recipient.%",
    )
    assert [each["action"] for each in entries] == [
        "warning_recipient.added",
        "warning_recipient.imported",
    ]
    one, many = (json.loads(each["body"])["details"] for each in entries)
    assert one["new"]["address"] == "+5016000007" and "secret" not in one["new"]
    assert (many["count"], many["channels"]) == (30, {"sms": 29, "email": 1})
    assert many["file"] == f"telephones.csv sha256:{sha256(file.read_bytes()).hexdigest()}"
    assert entries[1]["owner"] == 1 and entries[1]["actor"].startswith("command line: ")
    decision = (ROOT / "docs/decisions/0036-an-import-is-one-entry.md").read_text()
    query = decision.split("```sql\n")[1].split("```")[0]
    for word in ("first", "last", "owner", "added_at"):
        value = 1 if word == "owner" else many[word]
        query = query.replace(word.upper(), str(value))
    assert await pool.fetchval(query) == many["sha256"]
    await pool.execute("update warning_recipient set district = null where district is not null")
    assert await pool.fetchval(query) != many["sha256"]


async def test_who_is_told_is_found_by_district_and_by_what_he_was_told_before(
    database: str, complaints: object
) -> None:
    """DOM-WRN-29."""
    async with staged(database) as (stage, officer, approver):
        for address, district in (("+5016000001", "BZ-BZ"), ("+5016000002", "BZ-TOL"),
                                  ("+5016000003", None)):  # fmt: skip
            await stage.core.pool.execute(smsc.RECIPIENT, "sms", address, "en-BZ", district)
        first = await sent(officer, approver)

        async def told(message: int) -> set[str]:
            rows: list[Any] = []
            async with asyncio.timeout(20):
                while not rows:
                    rows = await stage.core.pool.fetch(
                        "select address from warning_delivery where message_id = $1", message
                    )
                    await asyncio.sleep(0.02)
            return {row["address"][-1] for row in rows}

        assert await told(first["message"]) == {"1", "3"}
        south = {"name": "Toledo", "parts": [{"part": "district", "code": "BZ-TOL"}]}
        body = await officer.do("warning.update", warning=first["warning"])
        new = await officer.do(
            "warning.write", message=body["message"], seen=body["digest"], content=draft(area=south)
        )
        await officer.do("warning.check", message=body["message"])
        phrase = "actual update hurricane warning"
        await approver.do("warning.approve", **approval(body | new, phrase=phrase))
        assert await told(body["message"]) == {"1", "2", "3"}


async def test_a_crash_leaves_sms_uncertain_and_mail_to_be_handed_over_again(
    database: str, tmp_path: Path, complaints: object
) -> None:
    """DOM-WRN-30."""
    file = smsc.settings_file(tmp_path, 1)
    settings = {"smsc": file, "smtp": "smtp://127.0.0.1:1", "smtp_sender": "a@example.bz"}
    async with staged(database, **settings) as (stage, officer, approver):
        await smsc.telephones(stage, 2)
        await stage.core.pool.execute(smsc.RECIPIENT, "email", "a@example.bz", "en-BZ", None)
        await sent(officer, approver)
        async with asyncio.timeout(20):
            while (await smsc.states(stage)) != {"waiting": 2} or not await smsc.states(
                stage, "email"
            ):
                await asyncio.sleep(0.02)
        await stage.stop()
        # As a server that was killed between submission and answer leaves them.
        connection = await asyncpg.connect(stage.dsn)
        await connection.execute("update warning_delivery set state = 'handing'")
        await connection.close()
        await stage.start()
        assert await smsc.states(stage) == {"uncertain": 2}
        assert await smsc.states(stage, "email") == {"waiting": 1}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (Said("sms", " 600-1234 "), "+5016001234"),
        (Said("sms", "501 600 1234"), "+5016001234"),
        (Said("email", "a@example.bz"), "a@example.bz"),
    ],
)
def test_recipients_are_written_one_way(said: Said, kept: str) -> None:
    assert recipients.checked(said).address == kept


@pytest.mark.parametrize(
    "said",
    [
        Said("sms", "call me"),
        Said("sms", "+0123"),
        Said("email", "a@b@c"),
        Said("email", "a@example.bz\nBcc: b@example.bz"),
        Said("webhook", "http://10.0.0.1/x"),
        Said("webhook", "https://169.254.169.254/"),
        Said("sms", "+5016001234", "BZ-XX"),
        Said("sms", "+5016001234", None, "de"),
        Said("pigeon", "coop"),
    ],
)
def test_what_is_no_recipient_is_refused(said: Said) -> None:
    with pytest.raises(Problem) as caught:
        recipients.checked(said)
    assert caught.value.todo


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_of_recipients_or_refused(data: bytes) -> None:
    with contextlib.suppress(Problem):
        recipients.read_csv(b"channel,address\n" + data)


def test_a_table_is_taken_whole() -> None:
    table = "channel,address,district,language\nsms,6001234,bz-cy,es-BZ\nemail,a@example.bz,,\n"
    assert recipients.read_csv(table.encode()) == [
        Said("sms", "+5016001234", "BZ-CY", "es-BZ"),
        Said("email", "a@example.bz"),
    ]
    with pytest.raises(Problem, match="Line 3"):
        recipients.read_csv(b"channel,address\nsms,6001234\nsms,none\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[smsc]]\nname='x'",
        "smsc = 3",
        "[[smsc",
        json.dumps({}),
        "[[smsc]]\nname='a'\nhost='h'\nsystem_id='s'\npassword='p'\nsource='a very long source'",
        "[[smsc]]\nname='a'\nhost='h'\nsystem_id='s'\npassword='p'\n" * 2,
        "[[smsc]]\nname='a'\nhost='h'\nsystem_id='s'\npassword='p'\ncolour='red'",
    ],
)
def test_a_bad_file_of_centres_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "smsc.toml"
    file.write_text(text)
    with pytest.raises(Problem) as caught:
        centres.read(str(file))
    assert caught.value.code == "bad_smsc"
