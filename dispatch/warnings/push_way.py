"""Web push, for the outbox: one request to a browser's push service for each subscription.

A service that takes a message has not shown it: it is *handed over*. One that answers that the
subscription is over (404, 410) is believed, and nothing is pushed to it again. Services forget what
has not come by the end of the warning, and what a later word of it has taken the place of; the
notification of either is the same one on the device, so whatever comes twice is seen once.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Final

import aiohttp
import asyncpg
import msgspec

from dispatch.alerting.content import Channel
from dispatch.outcomes import Outcome, State, pause
from dispatch.warnings import push
from dispatch.warnings.push import Subscription
from dispatch.warnings.ways import Delivery, later
from psn import access, database
from psn.core import Core
from psn.csirt import webhooks
from psn.directory import Directory
from psn.keys import KeyProblem
from psn.problems import Problem
from psn.settings import Settings

OVER: Final = (404, 410)
BUSY: Final = (408, 425, 429)
_MOST_PAUSE: Final = 300.0


class PushWay:
    """Pushes to browsers (:class:`dispatch.warnings.ways.Way`)."""

    channel = str(Channel.PUSH)
    name = "web push"
    window = 50
    rate = 200.0
    at_most_once = False

    def __init__(self, core: Core, pool: asyncpg.Pool, settings: Settings) -> None:
        self._core = core
        self._pool = pool
        self._hosts = settings.push_hosts
        self._contact = contact(settings)
        self._http: aiohttp.ClientSession | None = None

    async def ready(self) -> None:
        """Each request has a connection of its own."""
        if self._http is None:
            self._http = webhooks.client(ssl.create_default_context())

    async def hand(self, delivery: Delivery) -> Outcome:
        """Push to one browser."""
        if delivery.secret is None:
            return Outcome(State.FAILED, problem="It was ended meanwhile.", recipient=True)
        try:
            to = opened(self._core, delivery.address, delivery.secret)
            push.check_endpoint(to.endpoint, self._hosts)
        except (KeyProblem, push.BadSubscription) as problem:
            return Outcome(State.FAILED, problem=problem.text, recipient=True)
        if not may_still(delivery.address, to, self._core.directory):
            await self._end(delivery.address)
            why = "Whose it was is not in use here any more."
            return Outcome(State.FAILED, problem=why, recipient=True)
        data = push.encrypted(push.payload(delivery.message, delivery.text), to)
        now, key = datetime.now(UTC), self._core.keys.push
        headers = push.headers(delivery.message, to.endpoint, key, self._contact, now)
        assert self._http is not None
        try:
            async with self._http.post(
                to.endpoint, data=data, headers=headers, allow_redirects=False
            ) as answer:
                status, wait = answer.status, _seconds(answer.headers.get("Retry-After"))
        except TimeoutError:
            return later(delivery, "The push service did not answer.", pause(delivery.tries))
        except (aiohttp.ClientError, OSError, ValueError, Problem) as problem:
            text = problem.text if isinstance(problem, Problem) else type(problem).__name__
            why = f"The push service was not reached: {text}"
            return later(delivery, why, pause(delivery.tries))
        if status in OVER:
            await self._end(delivery.address)
        return judged(delivery, status, wait)

    async def close(self) -> None:
        """Let go of what is left."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _end(self, address: str) -> None:
        async with database.asking(self._pool) as connection:
            await connection.execute(_END, address)


def contact(settings: Settings) -> str | None:
    """Where a push service reaches the operator (RFC 8292, 2.1); some want to know."""
    if settings.smtp_sender is not None:
        return f"mailto:{settings.smtp_sender}"
    origin = settings.origin or ""
    return origin if origin.startswith("https:") else None


def opened(core: Core, address: str, sealed: bytes) -> Subscription:
    """A subscription as it was sealed; raises :class:`KeyProblem`."""
    said = core.keys.open(sealed, push.purpose(address))
    return msgspec.json.decode(said, type=Subscription)


def may_still(address: str, to: Subscription, directory: Directory) -> bool:
    """Whether a person, or a device that speaks for a unit, is in use and is warned."""
    kind, _, number = push.holder(address).partition(":")
    if kind == "person":
        person = directory.people.get(int(number))
        return (
            person is not None
            and not person.disabled
            and access.is_ever_warned(access.of_person(person))
        )
    device = directory.devices.get(to.device or 0)
    who = None if device is None or device.revoked else access.of_device(device, directory)
    return who is not None and who.address == push.holder(address)


def judged(delivery: Delivery, status: int, wait: float | None) -> Outcome:
    """What a push service's answer means (RFC 8030, 5 and 8.4). Pure."""
    if status in (200, 201, 202, 204):
        return Outcome(State.HANDED)
    if status in OVER:
        return Outcome(State.FAILED, problem="The subscription is over.", recipient=True)
    why = f"The push service answered {status}."
    if status in BUSY or status >= 500 or 300 <= status < 400:
        seconds = min(wait or pause(delivery.tries), _MOST_PAUSE)
        return later(delivery, why, seconds)
    return Outcome(State.FAILED, problem=why)


def _seconds(text: str | None) -> float | None:
    """Of a ``Retry-After``; one that is a date says no more than that it is busy."""
    return float(text) if text is not None and text.isascii() and text.isdecimal() else None


_END: Final = """
    update warning_recipient set ended_at = now(), secret = null
     where channel = 'push' and address = $1 and ended_at is null
"""
