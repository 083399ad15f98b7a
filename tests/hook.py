"""A receiver of webhooks that does what a careful one does: verifies, then keeps."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web


class Hook:
    """What came, and what it answers."""

    def __init__(self) -> None:
        self.secret = b""
        self.status = 204
        self.headers: dict[str, str] = {}
        self.url = ""
        self.batches: list[list[dict[str, Any]]] = []
        self.ids: list[str] = []
        self.tries = 0
        self.forged = 0

    @property
    def numbers(self) -> list[int]:
        """Entries of the audit that were taken, in order."""
        return [event["seq"] for batch in self.batches for event in batch]

    async def take(self, request: web.Request) -> web.Response:
        self.tries += 1
        body = await request.read()
        at = request.headers["webhook-timestamp"]
        self.ids.append(request.headers["webhook-id"])
        signed = f"{self.ids[-1]}.{at}.".encode() + body
        good = base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(at)) < 300
        if not fresh or f"v1,{good}" not in request.headers["webhook-signature"].split(" "):
            self.forged += 1
            return web.Response(status=401)
        if self.status == 204:
            self.batches.append(json.loads(body)["data"])
        return web.Response(status=self.status, headers=self.headers)


def key_of(shown: str) -> bytes:
    """The secret as a receiver is given it."""
    return base64.b64decode(shown.removeprefix("whsec_"))


@contextlib.asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Hook]:
    """One receiver on a free port of this machine."""
    hook = Hook()
    application = web.Application()
    application.router.add_post("/hook", hook.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0, ssl_context=tls)
    await site.start()
    hook.url = f"{'http' if tls is None else 'https'}://localhost:{runner.addresses[0][1]}/hook"
    try:
        yield hook
    finally:
        await runner.cleanup()
