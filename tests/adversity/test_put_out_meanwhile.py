"""Begun while it was allowed, finished when it no longer is: it comes to nothing (DOM-SES-1)."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import asyncpg
import pytest
from clerks import Clerk
from stage import PASSWORD, Peer, Stage, credentials_of, until

from psn import wire
from psn.identity import credentials

NEW = "a lamp and four dry matches"
OF_HIS_OWN = "three tall trees by the river"
QUEUE = 12


@pytest.mark.parametrize("becomes", ["another password", "disabled"])
async def test_who_waits_with_an_old_password_gets_no_session(stage: Stage, becomes: str) -> None:
    """Tries of strangers are worked on one by one; the password may change while they wait."""
    peers = await asyncio.gather(*(Peer.join(stage.url) for _ in range(QUEUE)))
    try:
        for peer in peers:
            await peer.send(wire.SignIn(n=1, auth=credentials_of("ana")))  # type: ignore[arg-type]
        await until(lambda: any(peer.of(wire.SignedIn) for peer in peers), "the first is in")
        kept = credentials.hash_password(NEW) if becomes == "another password" else None
        await _put_out(stage.dsn, kept)
        async with asyncio.timeout(20):
            for peer in peers:
                while not peer.of(wire.SignedIn) and not peer.of(wire.Error):
                    await asyncio.sleep(0.01)
        refused = [error.code for peer in peers for error in peer.of(wire.Error)]
        assert refused and set(refused) <= {"wrong_credentials", "session_ended"}
        assert await stage.core.pool.fetchval(_OPEN) == 0
        tokens = [each.token for peer in peers for each in peer.of(wire.SignedIn)]
        await until(
            lambda: not any(stage.core.tickets.by_token(token) for token in tokens), "all are out"
        )
    finally:
        for peer in peers:
            await peer.leave()


_OPEN = "SELECT count(*) FROM session WHERE person_id = 1 AND ended_at IS NULL"


async def _put_out(dsn: str, kept: str | None) -> None:
    """As an administrator does it: one transaction, the person first and then the sessions."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(
                "UPDATE person SET password_hash = coalesce($1, password_hash),"
                " disabled_at = CASE WHEN $1 IS NULL THEN now() END WHERE id = 1",
                kept,
            )
            await connection.execute("UPDATE session SET ended_at = now() WHERE person_id = 1")
    finally:
        await connection.close()


async def test_who_changes_a_password_does_not_overrule_an_administrators(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody at a stolen session changes the password while it is being reset."""
    hash_password = credentials.hash_password

    async with aiohttp.ClientSession() as http, await Peer.enter(stage.url, "ana") as peer:
        clerk = Clerk(stage, http, peer)
        loop = asyncio.get_running_loop()

        def slowly(password: str) -> str:
            kept = hash_password(NEW)
            asyncio.run_coroutine_threadsafe(_put_out(stage.dsn, kept), loop).result()
            return hash_password(password)

        monkeypatch.setattr(credentials, "hash_password", slowly)
        body = {"old": PASSWORD, "new": OF_HIS_OWN}
        refused = await clerk.refused("POST", "/api/me/password", body)
        assert refused == (403, "wrong_credentials")
    kept = await stage.core.pool.fetchval("SELECT password_hash FROM person WHERE id = 1")
    assert credentials.verify_password(kept, NEW)
    assert not credentials.verify_password(kept, OF_HIS_OWN)


async def test_a_body_that_comes_after_signing_out_does_nothing(stage: Stage) -> None:
    """The token was good when the request began; its body took longer than the session."""
    async with await Peer.enter(stage.url, "ana") as peer:
        body = json.dumps({"password": PASSWORD}).encode()
        reader, writer = await asyncio.open_connection(*stage.address)
        writer.write(
            b"POST /api/me/proof HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nAuthorization: Bearer " + peer.me.token.encode() + b"\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body[:1]
        )
        async with asyncio.timeout(20):
            assert b" 100 " in await reader.readline()  # it is looked at from here on
            await reader.readline()
        await peer.answers()
        proved = stage.core.tickets.by_token(peer.me.token)
        await peer.send(wire.SignOut(n=9))
        await peer.closed()
        assert proved is not None and not stage.core.tickets.holds(proved)
        writer.write(body[1:])
        async with asyncio.timeout(20):
            status = await reader.readline()
        writer.close()
    assert b" 401 " in status
