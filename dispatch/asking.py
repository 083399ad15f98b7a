"""Requests to the API: who asks, with what, and how a route is declared.

A route is one line of a table (``dispatch.api``, ``dispatch.account``,
``dispatch.administration``): path, method, handler, the type of its body and of its answer. Who
asks is told by the token of a session, never by a cookie; a body is JSON and says so, which no
foreign page can do without being asked (CORS), so nothing here can be set off from elsewhere.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal

import asyncpg
import msgspec
from aiohttp import web

from dispatch.desk.desk import Desk
from dispatch.recommending.recommender import Recommender
from psn import access
from psn.access import Principal
from psn.core import Core
from psn.identity import locking, passkeys
from psn.identity.tickets import Ticket
from psn.pace import Guesses
from psn.problems import Problem
from psn.settings import Settings
from psn.trail import auditor
from psn.trail.audit import NOBODY, Actor, Entry
from psn.wire import plain
from psn.wire.bidi import without_controls

MOST_BODY_BYTES: Final = 65_536
BODY_SECONDS: Final = 10.0
"""A request's body has to be there by then."""
MOST_ID: Final = 2_147_483_647
LATEST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999."""
FILE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of an answer that is what somebody attached or said: no browser takes it for anything else."""


class ApiProblem(Problem):
    """A request that is answered with an HTTP status, a code, a sentence and what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        todo: str,
        retry: int | None = None,
        kinds: list[str] | None = None,
        units: list[int] | None = None,
    ) -> None:
        super().__init__(code, text, todo, retry)
        self.status = status
        self.kinds = kinds
        self.units = units


_STATUS: Final = {
    "session_ended": 401,
    "not_signed_in": 401,
    "wrong_credentials": 403,
    "wrong_passkey": 403,
    "wrong_code": 403,
    "second_factor_needed": 403,
    "account_unfinished": 403,
    "first_password_over": 403,
    "not_allowed": 403,
    "not_found": 404,
    "not_now": 409,
    "unit_taken": 409,
    "unit_in_emergency": 409,
    "far_away": 409,
    "changed_meanwhile": 409,
    "id_taken": 409,
    "own_words": 409,
    "not_the_warner": 403,
    "phrase": 409,
    "already_sent": 409,
    "expired": 409,
    "name_taken": 409,
    "shift_overlaps": 409,
    "last_factor": 409,
    "already_there": 409,
    "too_many_factors": 409,
    "challenge_over": 409,
    "enrolment_over": 409,
    "sign_in_over": 409,
    "not_linked": 403,
    "provider_refused": 403,
    "no_provider": 404,
    "provider_distrusted": 502,
    "provider_clock": 502,
    "provider_away": 503,
    "locked": 423,
    "too_fast": 429,
    "too_many_tries": 429,
    "unavailable": 503,
    "bad_targets": 503,
    "bad_breach_list": 503,
    "wrong_version": 412,
    "not_a_piece": 415,
    "too_large": 413,
    "id_used": 409,
    "too_many_unfinished": 429,
    "too_much_today": 429,
    "disk_full": 507,
    "no_room_for_export": 507,
    "files_away": 503,
    "refused": 409,
    "not_ready": 409,
    "wrong_offset": 409,
    "wrong_hash": 409,
    "other_line": 409,
    "too_slow": 408,
}


def as_answer(problem: Problem) -> ApiProblem:
    """A problem of the network as the API answers it: 400 when nothing fits better."""
    if isinstance(problem, ApiProblem):
        return problem
    return ApiProblem(
        _STATUS.get(problem.code, 400),
        problem.code,
        problem.text,
        problem.todo,
        problem.retry,
        getattr(problem, "kinds", None),
        getattr(problem, "units", None),
    )


@dataclass(frozen=True, slots=True)
class Knock:
    """A request of somebody who is not known yet."""

    core: Core
    pool: asyncpg.Pool
    settings: Settings
    guesses: Guesses
    source: str
    """The remote address."""
    scheme: str
    host: str
    """As the request names it, with the port."""
    body: Any
    """Of the type that the route takes; none when it takes nothing."""

    @property
    def actor(self) -> Actor:
        """Who asks, for the audit."""
        return Actor(NOBODY, source=self.source)

    def parts(self) -> dict[str, Any]:
        """Its fields by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def origin(self) -> str:
        """Where pages and devices find this server: as it is set, or as it was asked for."""
        return self.settings.origin or f"{self.scheme}://{self.host}"

    def site(self) -> passkeys.Site:
        """Where passkeys are good; raises :class:`psn.identity.passkeys.PasskeyRefused`."""
        return passkeys.site(self.settings.origin, self.scheme, self.host)


@dataclass(frozen=True, slots=True)
class Asked(Knock):
    """A request whose sender is known."""

    desk: Desk
    recommender: Recommender
    who: Principal
    ticket: Ticket
    path: dict[str, str]
    query: dict[str, str]
    request: web.Request
    """For a route that reads the body itself, or what the application keeps."""

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
        return auditor.actor_of(self.who, self.source, self.ticket.hash)

    async def record(
        self, action: str, object: str | None, owner: int | None, details: dict[str, Any]
    ) -> None:
        """Put into the audit what is about to be done; raises :class:`Problem` when it cannot."""
        await self.core.auditor.record(Entry(self.actor, action, object, owner, details))

    def check_still(self) -> None:
        """Raises :class:`Problem` when who asks was put out, or his session locked, meanwhile.

        For a route that takes its time: it was checked before the route was.
        """
        tickets = self.core.tickets
        if not tickets.holds(self.ticket):
            raise ApiProblem(401, "session_ended", "This session has ended.", "Sign in again.")
        self.core.signin.still(self.ticket, self.core.directory)
        if tickets.locked(self.ticket, datetime.now(UTC)):
            raise as_answer(locking.LOCKED)

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


def proof_needed() -> ApiProblem:
    """The answer to who was last sure to be himself too long ago for what he asks."""
    return ApiProblem(
        403,
        "proof_needed",
        "This needs a proof that it is you.",
        "Send your password, or use a passkey, to /api/me/proof; then ask again.",
    )


def not_allowed() -> ApiProblem:
    """The answer to who may not do such a thing at all."""
    return ApiProblem(
        403,
        "not_allowed",
        "Your roles do not allow this.",
        "Ask an administrator of your agency; docs/access.md says what each role may do.",
    )


@dataclass(frozen=True, slots=True)
class Download:
    """A file to keep: its bytes, its media type (text is UTF-8), and the name to save it under."""

    content: bytes
    media: str
    name: str
    """Letters, digits, dots and dashes."""


Handler = Callable[[Any], Awaitable[Any]]
"""Takes :class:`Asked`, or :class:`Knock` where anyone may ask.

Gives what is answered in JSON, a :class:`Download`, or a whole response where the answer is a file
that lies on the disk, or has none.
"""


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path: what it takes and returns, its query parameters, and for whom."""

    path: str
    handler: Handler
    returns: type | None
    """The type of the answer; none: any object."""
    query: tuple[str, ...] = ()
    method: Literal["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"] = "GET"
    takes: type | None = None
    """The type of the JSON body; none: there is none."""
    streams: str | None = None
    """Media type of a body of bytes that the handler reads itself, as it comes."""
    headers: tuple[str, ...] = ()
    """Request headers that it reads."""
    gives: tuple[str, ...] = ()
    """Media types of the answer, where that is a file; statuses are 200, and 206 for a part."""
    status: int = 200
    """What it answers when all is well."""
    open: bool = False
    """Also for those who have not signed in; the handler then takes a :class:`Knock`."""
    limited: bool = False
    """Also for a session of an account that lacks a password of its own or a second factor."""
    fresh: bool = False
    """Only for a person who proved minutes ago that it is he, since a page may be left alone."""


def query_of(request: web.Request) -> dict[str, str]:
    """The parameters of a request; raises :class:`ApiProblem` when one is said twice.

    Whoever stands before this server may have judged by the other one.
    """
    query = dict(request.query)
    if len(query) != len(request.query):
        raise ApiProblem(
            400, "bad_parameter", "A parameter is said twice.", "Say each once and ask again."
        )
    return query


async def body_of(request: web.Request, wanted: type | None) -> Any:
    """The body of a request, decoded and checked; none where none is taken.

    It must be said to be JSON, which a form of a foreign page cannot say. Raises
    :class:`ApiProblem`.
    """
    if wanted is None:
        return None
    if request.content_type != "application/json":
        raise ApiProblem(415, "not_json", "The body is not said to be JSON.", "Send JSON.")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                raw += chunk
                if len(raw) > MOST_BODY_BYTES:
                    text = f"The body has more than {MOST_BODY_BYTES:,} bytes."
                    raise ApiProblem(413, "too_large", text, "Send less.")
    except TimeoutError:
        raise ApiProblem(408, "too_slow", "The body did not come in time.", "Ask again.") from None
    try:
        return without_controls(msgspec.json.decode(bytes(raw), type=wanted))
    except msgspec.ValidationError as problem:
        text = plain.sentence(str(problem))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = "The body is not JSON."
    raise ApiProblem(400, "bad_body", text, "Compare it with /api/openapi.json.")


def answer_of(value: Any) -> web.Response:
    """The answer to a request that was done: JSON, or the file that the handler gave."""
    if not isinstance(value, Download):
        return reply(value)
    return web.Response(
        body=value.content,
        content_type=value.media,
        charset="utf-8" if value.media.startswith("text/") else None,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{value.name}"',
        },
    )


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer in JSON that nobody keeps."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def refusal(problem: ApiProblem) -> web.Response:
    """The answer to a request that is refused."""
    error: dict[str, Any] = {"code": problem.code, "text": problem.text, "todo": problem.todo}
    headers = {}
    if problem.retry is not None:
        error["retry"] = problem.retry
        headers["Retry-After"] = str(math.ceil(problem.retry / 1_000))
    if problem.kinds is not None:
        error["kinds"] = problem.kinds
    if problem.units is not None:
        error["units"] = problem.units
    return reply({"error": error}, problem.status, headers)
