"""Webhooks: signed requests with security events, one outlet for each receiver.

What they say and whom they may call stands in ``psn.csirt.webhook_protocol``. A receiver has taken
what it answers with 2xx. Redirects are not followed: they would lead where nobody has agreed to.
One that takes nothing for a day is disabled, which the audit tells; its cursor stays, so when it is
enabled again it gets everything from there.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import asyncpg
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from psn import database
from psn.csirt import webhook_protocol
from psn.csirt.outlets import Outlet, Undelivered
from psn.csirt.security_events import SecurityEvent
from psn.keys import KeyProblem, Keys
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 15.0
"""A receiver that has not answered by then has not taken it."""
LOOK_SECONDS: Final = 2.0
"""How often it is looked which webhooks there are."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver; ``agency``: it is told of what concerns that agency, none: of everything."""

    id: int
    url: str
    sealed: bytes
    agency: int | None

    @property
    def outlet(self) -> str:
        """The name of its outlet."""
        return outlet_name(self.id)

    def wanted(self, event: SecurityEvent) -> SecurityEvent | None:
        """An event as this receiver may know it; none: not at all."""
        if self.agency is None:
            return event
        return event.seen_by(self.agency) if event.concerns(self.agency) else None


def outlet_name(webhook: int) -> str:
    """The name of a webhook's outlet."""
    return f"webhook:{webhook}"


def purpose(url: str) -> str:
    """For what a secret is sealed: should somebody change the address, it does not open."""
    return f"webhook {url}"


# -- one request


class _Careful(AbstractResolver):
    """Resolves names, and refuses those that lead where nothing may be called."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for each in found:
            if not webhook_protocol.may_be_called(each["host"], host):
                raise webhook_protocol.refused(each["host"], host)
        return found

    async def close(self) -> None:
        await self._inner.close()


def client(tls: ssl.SSLContext | None = None) -> aiohttp.ClientSession:
    """What requests are made with; ``tls``: trusts others than this machine does."""
    connector = aiohttp.TCPConnector(
        resolver=_Careful(), use_dns_cache=False, ssl=tls or True, force_close=True
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"user-agent": "psn"},
    )


async def post(http: aiohttp.ClientSession, url: str, secret: bytes, id: str, body: bytes) -> None:
    """Make one signed request; raises :class:`Undelivered` unless it was taken."""
    signed = webhook_protocol.headers(secret, id, int(time.time()), body)
    try:
        webhook_protocol.check_url(url)
        async with http.post(url, data=body, headers=signed, allow_redirects=False) as answer:
            if not 200 <= answer.status < 300:
                raise Undelivered(f"it answered {answer.status}")
    except TimeoutError as problem:
        raise Undelivered(f"it did not answer within {ANSWER_SECONDS:.0f} s") from problem
    except (aiohttp.ClientError, OSError, ValueError, Problem) as problem:
        text = problem.text if isinstance(problem, Problem) else str(problem)
        raise Undelivered(text or type(problem).__name__) from problem


class WebhookReceiver:
    """The receiver of one webhook (:class:`psn.csirt.outlets.Receiver`)."""

    settled_after = 0.0

    def __init__(
        self, webhook: Webhook, pool: asyncpg.Pool, keys: Keys, http: aiohttp.ClientSession
    ) -> None:
        self._webhook = webhook
        self._pool = pool
        self._keys = keys
        self._http = http

    async def ready(self) -> None:
        """There is no connection to be had before there is something to say."""

    async def deliver(self, events: Sequence[SecurityEvent]) -> None:
        """Post events; a batch has the same id each time it is tried."""
        webhook = self._webhook
        try:
            secret = self._keys.open(webhook.sealed, purpose(webhook.url))
        except KeyProblem as problem:
            raise Undelivered(problem.text) from problem
        id = f"psn-{webhook.id}-{events[0].seq}-{events[-1].seq}"
        await post(self._http, webhook.url, secret, id, webhook_protocol.payload(events))

    def pause(self, failures: int) -> float:
        """As :func:`psn.csirt.webhook_protocol.pause`."""
        return webhook_protocol.pause(failures)

    async def give_up(self, failing: float) -> bool:
        """Disable it after a day; the triggers of the audit record that."""
        if failing < webhook_protocol.GIVE_UP_SECONDS:
            return False
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                async with auditor.acting(connection, Actor("server")):
                    await connection.execute(
                        "UPDATE webhook SET disabled_at = now()"
                        " WHERE id = $1 AND disabled_at IS NULL",
                        self._webhook.id,
                    )
        log.error("webhook %d took nothing for a day and is disabled", self._webhook.id)
        return True

    async def close(self) -> None:
        """Nothing is kept open."""


# -- all of them


class Webhooks:
    """Runs an outlet for every webhook that is in use."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys, tls: ssl.SSLContext | None = None) -> None:
        self._pool = pool
        self._keys = keys
        self._tls = tls
        self._running: dict[Webhook, tuple[Outlet, asyncio.Task[None]]] = {}

    @property
    def outlets(self) -> list[Outlet]:
        """Those that run now."""
        return [outlet for outlet, _ in self._running.values()]

    async def run(self) -> None:
        """Until it is cancelled: start what was added, stop what was removed or disabled."""
        async with client(self._tls) as http:
            try:
                while True:
                    try:
                        await self._look(http)
                    except (*database.PASSING, asyncpg.PostgresError) as problem:
                        log.info("webhooks wait for the database: %s", problem)
                    await asyncio.sleep(LOOK_SECONDS)
            finally:
                await self._stop(list(self._running))

    async def _look(self, http: aiohttp.ClientSession) -> None:
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                rows = await connection.fetch(
                    "SELECT id, url, secret, agency_id FROM webhook"
                    " WHERE disabled_at IS NULL ORDER BY id"
                )
        wanted = {Webhook(*row) for row in rows}
        await self._stop([known for known in self._running if known not in wanted])
        for webhook in wanted - self._running.keys():
            receiver = WebhookReceiver(webhook, self._pool, self._keys, http)
            outlet = Outlet(self._pool, webhook.outlet, receiver, webhook.wanted)
            task = asyncio.create_task(outlet.run(), name=webhook.outlet)
            self._running[webhook] = outlet, task

    async def _stop(self, which: list[Webhook]) -> None:
        tasks = [self._running.pop(webhook)[1] for webhook in which]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
