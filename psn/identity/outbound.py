"""HTTP to somebody else's server: little time, few bytes, no detours.

Whom to ask is partly said by the other side: a provider's metadata names the addresses of its
parts. So nothing is asked that an outsider should not make this server ask (OWASP: server-side
request forgery). The host that the administrator has named may have an address of a private
network, but not of this machine or of the link, where clouds keep their credentials; any other
host has to be public. What a name means is looked up once, and judged on the way to the connection.
Redirects are not followed, cookies not kept, and proxies of the environment not asked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from psn import destinations
from psn.identity.openid import is_loopback

SECONDS: Final = 10.0
"""For one request with its answer, looking up the name included."""
MOST_BYTES: Final = 262_144
"""Of an answer."""


class Unreached(Exception):
    """There was no answer that could be read; the text says why, without secrets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the body."""

    status: int
    body: bytes


def may_connect(address: str, host: str, vouched: str) -> bool:
    """Whether a connection to ``host`` may go to this IP address.

    ``vouched``: the host that the administrator has named.
    """
    found = destinations.plain(ip_address(address.partition("%")[0]))
    if found.is_loopback:
        return is_loopback(host) and is_loopback(vouched)
    if destinations.is_forbidden(found):
        return False
    return host == vouched or found.is_global


class _Judged(AbstractResolver):
    """Names as the system resolves them, without those addresses that may not be asked."""

    def __init__(self, vouched: str) -> None:
        self._vouched = vouched
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        good = [each for each in found if may_connect(each["host"], host, self._vouched)]
        if not good:
            raise OSError(None, f"{host} has no address that may be asked")
        return good

    async def close(self) -> None:
        await self._inner.close()


async def ask(
    address: str,
    vouched: str,
    headers: Mapping[str, str] | None = None,
    form: str | None = None,
    seconds: float = SECONDS,
) -> Answer:
    """GET, or POST a form; raises :class:`Unreached`. ``vouched`` as in :func:`may_connect`."""
    host = urlsplit(address).hostname or ""
    try:
        literal = ip_address(host)
    except ValueError:
        literal = None  # a name: judged once it is resolved
    if literal is not None and not may_connect(host, host, vouched):
        raise Unreached(f"{host} may not be asked")
    said = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    try:
        async with (
            asyncio.timeout(seconds),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_Judged(vouched), force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as http,
            http.request(
                "GET" if form is None else "POST",
                address,
                data=form,
                headers=said,
                allow_redirects=False,
            ) as answer,
        ):
            return Answer(answer.status, await _body(answer))
    except TimeoutError:
        raise Unreached(f"{host} did not answer within {seconds:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as problem:
        raise Unreached(f"{host}: {problem or type(problem).__name__}") from problem


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError(f"the answer has more than {MOST_BYTES:,} bytes")
    return bytes(body)
