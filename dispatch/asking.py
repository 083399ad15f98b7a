"""Requests to the API: who asks, with what, and how a route is declared.

A route is one line of a table (``dispatch.api``, ``dispatch.administration``): path, method,
handler, the type of its body and of its answer. A body is JSON and says so, which no foreign page
can do without being asked (CORS).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import msgspec
from aiohttp import web

from psn import access, auditor
from psn.access import Principal
from psn.audit import NOBODY, Actor, Entry
from psn.core import Core
from psn.pace import Guesses
from psn.problems import Problem
from psn.settings import Settings
from psn.signin import Ticket

MOST_BODY_BYTES: Final = 65_536
BODY_SECONDS: Final = 10.0
"""A request's body has to be there by then."""
MOST_ID: Final = 2_147_483_647


class ApiProblem(Problem):
    """A request that is answered with an HTTP status, a code, a sentence and what to do."""

    def __init__(self, status: int, code: str, text: str, todo: str) -> None:
        super().__init__(code, text, todo)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose sender is known, or is :data:`psn.access.NOBODY` on a route open to all."""

    core: Core
    pool: asyncpg.Pool
    settings: Settings
    guesses: Guesses
    who: Principal
    ticket: Ticket | None
    """Of his session."""
    address: str
    """Where it came from."""
    site: str
    """Where the server was found: the page's own origin, or scheme and host of the request."""
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    """Of the type that the route takes; none when it takes nothing."""

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number of the query, checked."""
        text = self.query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ApiProblem(
                400,
                "bad_parameter",
                f"The parameter {name} must be a whole number from {low} to {high}.",
                "Correct it and ask again.",
            )
        return int(text)

    def optional(self, name: str, low: int, high: int) -> int | None:
        """A whole number of the query that need not be there."""
        return self.number(name, low, low, high) if name in self.query else None

    @property
    def actor(self) -> Actor:
        """Who asks, for the audit."""
        if self.ticket is None:
            return Actor(NOBODY, source=self.address)
        return auditor.actor_of(self.who, self.address, self.ticket.hash)

    async def record(
        self, action: str, object: str | None, owner: int | None, details: dict[str, Any]
    ) -> None:
        """Put into the audit what is about to be done; raises :class:`Problem` when it cannot."""
        await self.core.auditor.record(Entry(self.actor, action, object, owner, details))

    def path_id(self, name: str = "id") -> int:
        """An id of the path; what is no id names nothing that exists."""
        return id_of(self.path[name])

    def own(self, kind: str, action: str) -> int:
        """The caller's agency, where he may do this; raises ``not_allowed``."""
        if not access.may(self.who, kind, action, self.who.agency):
            raise not_allowed()
        return self.who.agency


def id_of(text: str) -> int:
    """The id that a text writes; what is no id names nothing that exists."""
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MOST_ID:
        raise not_found()
    return int(text)


def not_found() -> ApiProblem:
    """The answer for what is not there and, alike, for what may not be seen."""
    return ApiProblem(
        404, "not_found", "There is nothing here that you may see.", "Check the address."
    )


def not_allowed() -> ApiProblem:
    """The answer to who may not do such a thing at all."""
    return ApiProblem(
        403,
        "not_allowed",
        "Your roles do not allow this.",
        "Ask an administrator of your agency; docs/access.md says what each role may do.",
    )


def site_of(request: web.Request) -> str:
    """Where a page or device finds this server, by what the request says.

    A proxy that ends TLS passes ``Host`` on; that it was https stands in the page's ``Origin``.
    """
    origin = request.headers.get("Origin", "")
    if origin in (f"http://{request.host}", f"https://{request.host}"):
        return origin
    return f"{request.scheme}://{request.host}"


Handler = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path: what it takes and returns, its query parameters, and for whom."""

    path: str
    handler: Handler
    returns: type | None
    """The type of the answer; none: any object."""
    query: tuple[str, ...] = ()
    method: str = "GET"
    takes: type | None = None
    """The type of the JSON body; none: there is none."""
    open: bool = False
    """Also for those who have not signed in."""


async def body_of(request: web.Request, kind: type) -> Any:
    """The JSON body of a request as a value of a type; raises :class:`ApiProblem`.

    It must be said to be JSON, which a form of a foreign page cannot say.
    """
    if request.content_type != "application/json":
        raise ApiProblem(415, "not_json", "The body is not said to be JSON.", "Send JSON.")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                raw += chunk
                if len(raw) > MOST_BODY_BYTES:
                    text = f"The body has more than {MOST_BODY_BYTES} bytes."
                    raise ApiProblem(413, "too_large", text, "Send less.")
    except TimeoutError:
        raise ApiProblem(408, "too_slow", "The body did not come in time.", "Ask again.") from None
    try:
        return msgspec.json.decode(bytes(raw), type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
        text = f"The body is not what belongs here: {str(problem)[:200]}."
        raise ApiProblem(400, "bad_body", text, "Compare it with /api/openapi.json.") from None


_json = msgspec.json.Encoder().encode


def reply(value: Any, status: int = 200) -> web.Response:
    """An answer in JSON that nobody keeps."""
    return web.Response(
        body=_json(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def refusal(problem: ApiProblem) -> web.Response:
    """The answer to a request that is refused."""
    error = {"code": problem.code, "text": problem.text, "todo": problem.todo}
    return reply({"error": error}, problem.status)
