"""Webhooks at a real receiver that verifies what it gets (docs/domain.md, DOM-SEC)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
import trustme
from hook import Hook, receiving
from stage import BCG, BPD, WITHIN, seed, until

from psn import keys
from psn.csirt import webhook_protocol, webhooks
from psn.csirt.outlets import Undelivered, make
from psn.csirt.webhooks import Webhooks
from psn.keys import Keys
from psn.trail import auditor
from psn.trail.audit import Actor, Entry


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await seed(database)
    made = await asyncpg.create_pool(database, min_size=1, max_size=6)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def own(tmp_path: Path) -> Keys:
    return keys.load(tmp_path / "keys")


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Hook]:
    async with receiving() as running:
        yield running


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often and try again soon."""
    monkeypatch.setattr("psn.csirt.webhooks.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("psn.csirt.outlets.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("psn.csirt.webhook_protocol._PAUSES", (0.1,))


async def added(pool: asyncpg.Pool, own: Keys, hook: Hook, agency: int | None = None) -> int:
    hook.secret = webhook_protocol.new_secret()
    sealed = own.seal(hook.secret, webhooks.purpose(hook.url))
    number: int = await pool.fetchval(
        "insert into webhook (url, secret, agency_id, created_by) values ($1, $2, $3, 'test')"
        " returning id",
        hook.url,
        sealed,
        agency,
    )
    async with pool.acquire() as connection:
        await make(connection, webhooks.outlet_name(number))
    return number


async def happened(
    pool: asyncpg.Pool, count: int = 1, by: int = BPD, to: int | None = None
) -> list[int]:
    """So many people disabled; the numbers of the entries."""
    numbers = []
    async with pool.acquire() as connection:
        for _ in range(count):
            who = Actor("person:9", "Chief", by, "192.0.2.9", "0badcafe")
            entry = Entry(who, "person.disabled", "person:1", by if to is None else to)
            await auditor.append(connection, [entry])
            numbers.append(await connection.fetchval("select max(seq) from audit"))
    return numbers


@contextlib.asynccontextmanager
async def running(
    pool: asyncpg.Pool, own: Keys, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Webhooks]:
    made = Webhooks(pool, own, tls)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def test_events_arrive_signed_in_order_and_once(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    """DOM-SEC-2, DOM-SEC-5."""
    await added(pool, own, hook)
    async with running(pool, own):
        numbers = await happened(pool, 30)
        await until(lambda: len(hook.numbers) >= 30, "all arrive")
    assert hook.numbers == numbers and hook.forged == 0
    event = hook.batches[-1][-1]
    assert (event["kind"], event["actor_name"]) == ("PERSON_DISABLED", "Chief")


async def test_a_receiver_that_fails_gets_the_same_batch_again_and_then_all(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    """DOM-SEC-2."""
    number = await added(pool, own, hook)
    async with running(pool, own) as made:
        numbers = await happened(pool)
        await until(lambda: hook.numbers, "the first arrives")
        hook.status, tries = 500, hook.tries
        numbers += await happened(pool, 1)
        await until(lambda: hook.tries >= tries + 3, "it is tried again")
        assert len(set(hook.ids[tries : tries + 3])) == 1
        (outlet,) = made.outlets
        await until(lambda: outlet.state.behind > 0, "what waits is counted")
        row = await pool.fetchrow("select problem, failing_since from outlet")
        assert row is not None and row["failing_since"] is not None
        assert row["problem"] == "it answered 500"
        numbers += await happened(pool, 5)
        hook.status = 204
        await until(lambda: len(hook.numbers) >= 7, "all arrive")
        # The cursor is moved after the receiver has said that it has them.
        async with asyncio.timeout(WITHIN):
            while await pool.fetchval("select seq from outlet") < numbers[-1]:
                await asyncio.sleep(0.02)
    assert hook.numbers == numbers
    assert number == await pool.fetchval("select id from webhook")


async def test_what_happened_while_the_server_was_down_arrives(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    """DOM-SEC-2."""
    await added(pool, own, hook)
    numbers = await happened(pool, 250)
    async with running(pool, own):
        await until(lambda: len(hook.numbers) >= 250, "all arrive")
    assert hook.numbers == numbers
    assert max(map(len, hook.batches)) <= 100


async def test_an_agency_gets_what_concerns_it(pool: asyncpg.Pool, own: Keys, hook: Hook) -> None:
    """DOM-SEC-3."""
    await added(pool, own, hook, BCG)
    async with running(pool, own):
        await happened(pool, 3)
        theirs = await happened(pool, 1, by=BPD, to=BCG)
        own_people = await happened(pool, 1, by=BCG)
        await until(lambda: own_people[0] in hook.numbers, "what concerns it arrives")
    assert hook.numbers == theirs + own_people
    foreign, own_one = [event for batch in hook.batches for event in batch]
    assert foreign["source"] is None and "192.0.2.9" not in str(foreign)
    assert own_one["source"] == "192.0.2.9"


async def test_after_a_day_of_failures_it_is_disabled_and_told(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    """DOM-SEC-7."""
    number = await added(pool, own, hook)
    hook.status = 503
    await happened(pool)
    async with running(pool, own) as made:
        await until(lambda: hook.tries, "it is tried")
        assert made.outlets
    await pool.execute("update outlet set failing_since = now() - interval '25 hours'")
    async with running(pool, own) as made:
        await until(lambda: hook.tries > 1, "it is tried again")
        await until(lambda: not made.outlets, "it is given up")
    query = "select body::jsonb ->> 'actor' from audit where action = 'webhook.disabled'"
    assert await pool.fetchval(query) == "server"
    hook.status = 204
    await pool.execute("update webhook set disabled_at = null")
    await pool.execute("update outlet set failing_since = null")
    async with running(pool, own):
        await until(lambda: len(hook.numbers) >= 3, "what waited arrives")
    kinds = [event["action"] for batch in hook.batches for event in batch]
    assert kinds == ["person.disabled", "webhook.disabled", "webhook.enabled"]
    assert number == 1


async def test_a_webhook_that_is_removed_gets_nothing_more(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    await added(pool, own, hook)
    async with running(pool, own) as made:
        await happened(pool)
        await until(lambda: hook.numbers, "it works")
        await pool.execute("delete from webhook")
        await until(lambda: not made.outlets, "it is stopped")
        tries = hook.tries
        await happened(pool, 2)
    assert hook.tries == tries


async def test_redirects_lead_nowhere(pool: asyncpg.Pool, own: Keys, hook: Hook) -> None:
    """DOM-SEC-6."""
    async with receiving() as trap, webhooks.client() as http:
        trap.secret = hook.secret = b"x" * 32
        hook.status, hook.headers = 307, {"Location": trap.url}
        with pytest.raises(Undelivered, match="answered 307"):
            await webhooks.post(http, hook.url, hook.secret, "1", b"{}")
        assert trap.tries == 0


async def test_a_name_that_leads_to_this_machine_is_not_called(hook: Hook) -> None:
    """DOM-SEC-6: this machine's own name resolves to itself."""
    name = socket.gethostname()
    port = hook.url.split(":")[2].split("/")[0]
    addresses = {info[4][0] for info in socket.getaddrinfo(name, None)}
    if not any(str(address).startswith("127.") for address in addresses):
        name = "2130706433"  # 127.0.0.1, as inet_aton reads it
    async with webhooks.client() as http:
        with pytest.raises(Undelivered, match="which is not called"):
            await webhooks.post(http, f"https://{name}:{port}/hook", b"x" * 32, "1", b"{}")
    assert hook.tries == 0


@pytest.mark.parametrize("url", ["https://169.254.169.254/x", "http://example.com/", "gopher://x/"])
async def test_an_address_put_in_by_hand_is_not_called(url: str) -> None:
    """DOM-SEC-6: the row may say what the command would have refused."""
    async with webhooks.client() as http:
        with pytest.raises(Undelivered):
            await webhooks.post(http, url, b"x" * 32, "1", b"{}")


async def test_an_address_changed_by_hand_gets_no_signature(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    """DOM-SEC-5: a secret is sealed for its address."""
    await added(pool, own, hook)
    await pool.execute("update webhook set url = url || '?x'")
    async with running(pool, own) as made:
        await until(lambda: made.outlets and made.outlets[0].state.behind > 0, "it does not send")
        await asyncio.sleep(0.2)
    assert hook.tries == 0
    assert "sealed" in await pool.fetchval("select problem from outlet")


@pytest.mark.parametrize("trusted", [True, False])
async def test_tls_is_verified(pool: asyncpg.Pool, own: Keys, trusted: bool) -> None:
    """DOM-SEC-5."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    ours = ssl.create_default_context()
    if trusted:
        authority.configure_trust(ours)
    async with receiving(server) as hook, running(pool, own, ours) as made:
        await added(pool, own, hook)
        await happened(pool)
        if trusted:
            await until(lambda: hook.numbers, "it arrives")
        else:
            await until(lambda: made.outlets and made.outlets[0].state.behind > 0, "it is refused")
            assert hook.tries == 0


async def test_a_receiver_that_does_not_answer_delays_no_other(
    pool: asyncpg.Pool, own: Keys, hook: Hook
) -> None:
    """DOM-SEC-2."""
    sleeping = asyncio.Event()
    held = []

    def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        sleeping.set()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    slow = Hook()
    slow.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    await added(pool, own, slow)
    await added(pool, own, hook)
    await happened(pool)
    async with running(pool, own):
        await asyncio.wait_for(sleeping.wait(), 20)
        numbers = await happened(pool, 3)
        await until(lambda: set(numbers) <= set(hook.numbers), "the other gets its own")
    for writer in held:
        writer.close()
    server.close()
    await server.wait_closed()
