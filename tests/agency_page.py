"""A page that people sign in at by their agency's provider, and what an administrator set up."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp
from identity_provider import SECRET, IdentityProvider
from stage import Stage

from psn import keys
from psn.identity import openid

PROVIDERS = "/api/sign-in/providers"
BEGIN = "/api/sign-in/provider/begin"
FINISH = "/api/sign-in/provider/finish"
SECOND = "/api/sign-in/provider/second"
MINE = "/api/me/identities"


class Page:
    """A browser's page at ``localhost``."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, token: str | None = None) -> None:
        host, port = stage.address
        self.base = f"http://{host}:{port}"
        self.host = f"localhost:{port}"
        self.stage = stage
        self.http = http
        self.token = token

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        said = {"Host": self.host}
        if self.token is not None:
            said["Authorization"] = f"Bearer {self.token}"
        async with self.http.request(method, self.base + path, json=body, headers=said) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        status, said = await self.ask("GET", path)
        assert status == 200, said
        return said

    async def post(self, path: str, body: object = None) -> Any:
        status, said = await self.ask("POST", path, body)
        assert status == 200, said
        return said

    async def refused(self, path: str, body: object = None, method: str = "POST") -> dict[str, Any]:
        """The error; with a sentence and what to do."""
        status, said = await self.ask(method, path, body)
        assert 400 <= status < 600 and status != 500, said
        error: dict[str, Any] = said["error"]
        assert error["text"] and error["todo"]
        return error

    async def code_of(self, path: str, body: object = None) -> str:
        return str((await self.refused(path, body))["code"])

    async def begin(self, agency: str = "BPD") -> Any:
        return await self.post(BEGIN, {"agency": agency})

    async def back(
        self, provider: IdentityProvider, account: str | None, agency: str = "BPD", **more: str
    ) -> dict[str, Any]:
        """Go to the provider and come back: what is to be sent to finish."""
        gone = await self.begin(agency)
        brought = await provider.visit(gone["address"], account, **more)
        return returned(gone, brought, agency)

    async def signed_in(self, provider: IdentityProvider, account: str, **more: str) -> Any:
        return await self.post(FINISH, await self.back(provider, account, **more))


def returned(gone: Any, brought: dict[str, str], agency: str = "BPD") -> dict[str, Any]:
    """What the page sends, after the browser is back with this."""
    assert brought.get("state") == gone["state"]
    kept = {name: brought[name] for name in ("state", "code", "error", "iss") if name in brought}
    return {"agency": agency, "secret": gone["secret"], **kept}


async def add_provider(stage: Stage, agency: int, issuer: str, **more: Any) -> int:
    """A provider of an agency, as ``psn provider add`` makes it."""
    own = keys.load(Path(os.environ["PSN_KEYS"]))
    client = more.pop("client_id", "psn")
    sealed = own.seal(more.pop("secret", SECRET).encode(), openid.secret_purpose(issuer, client))
    row = {
        "agency_id": agency,
        "name": more.pop("name", "Belize Police"),
        "issuer": issuer,
        "client_id": client,
        "client_secret": sealed,
        **more,
    }
    places = ", ".join(f"${n + 1}" for n in range(len(row)))
    made = await stage.core.pool.fetchval(
        f"insert into identity_provider ({', '.join(row)}) values ({places}) returning id",
        *row.values(),
    )
    await stage.core.refresh_directory()
    return int(made)


async def link(stage: Stage, provider: int, person: int, subject: str) -> None:
    await stage.core.pool.execute(
        "insert into linked_identity (provider_id, person_id, subject) values ($1, $2, $3)",
        provider,
        person,
        subject,
    )
    await stage.core.refresh_directory()


async def audited(stage: Stage, action: str, count: int) -> list[dict[str, Any]]:
    """So many entries of an action, oldest first, once they are written."""
    for _ in range(500):
        rows = await stage.core.pool.fetch(
            "select body from audit where action = $1 order by seq", action
        )
        if len(rows) >= count:
            break
        await asyncio.sleep(0.01)
    assert len(rows) == count, [row["body"] for row in rows]
    return [json.loads(row["body"]) for row in rows]
