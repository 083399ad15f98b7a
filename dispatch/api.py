"""The HTTP side: history, details and geography, for pages and programs that are signed in.

Who asks is told by the token of a wire session (``Authorization: Bearer …``), so there is no
cookie and nothing for a foreign page to ride on. What may be seen is asked of ``psn.access``, as
for every frame. Each route is declared once, in :data:`ROUTES`, with the type of what is sent to
it and of what it answers; the OpenAPI document is made from the same table.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
import shapely
from aiohttp import web
from msgspec import Meta, Struct

from dispatch import (
    account,
    administration,
    attachments,
    auditing,
    beforehand,
    exporting,
    federated,
    locating,
    openapi,
    pages,
    recordings,
    sending,
    working,
)
from dispatch.asking import (
    LATEST,
    ApiProblem,
    Asked,
    Knock,
    Route,
    answer_of,
    as_answer,
    body_of,
    not_found,
    proof_needed,
    query_of,
    refusal,
    reply,
)
from dispatch.control_room import DESK, RECOMMENDER
from dispatch.looks import Looks
from dispatch.numbers import routes as numbers
from dispatch.warnings import area_files, composing, heard, subscribing
from dispatch.warnings import routes as warnings
from psn import __version__, access, database, wire
from psn.access import Principal
from psn.core import Core
from psn.directory import Precision, Unit
from psn.enrolment import devices
from psn.identity import locking
from psn.identity.tickets import Ticket
from psn.pace import Guesses
from psn.problems import Problem
from psn.record import mailboxes
from psn.record.mailboxes import STATES
from psn.settings import Settings
from psn.trail import auditor
from psn.trail.audit import Entry
from psn.trail.audit_search import Filter

MOST_FIXES: Final = 5_000
MOST_ENTRIES: Final = 500


class Config(Struct):
    """What a page needs to know before anyone signs in."""

    name: str
    version: str
    pmtiles: str | None


class Latest(Struct):
    """A unit's newest position, in the wire's integers; times in milliseconds UTC."""

    time: int
    received: int
    lon: int
    lat: int
    speed: int | None
    heading: int | None
    accuracy: int | None
    altitude: int | None
    battery: int | None


class UnitDetails(Struct):
    """A unit, and where it is."""

    id: int
    agency: int
    callsign: str
    kind: str
    online: bool
    latest: Latest | None


class Track(Struct):
    """Where a unit was: ``[time, lon, lat, speed, heading]`` in the wire's integers."""

    unit: int
    fixes: list[tuple[int, int, int, int | None, int | None]]


class Mailbox(Struct):
    """Entries of a mailbox, oldest first."""

    box: str
    entries: list[wire.Mail]


class Receipt(Struct):
    """Who has received or read a message, and when (milliseconds UTC)."""

    by: str
    by_name: str
    state: str
    time: int


class Receipts(Struct):
    """All receipts of a message."""

    receipts: list[Receipt]


class Enrolment(Struct):
    """A device's code, its public key (SubjectPublicKeyInfo), and the proof that it has the other.

    docs/wire.md says what is signed.
    """

    code: Annotated[str, Meta(max_length=64)]
    public_key: Annotated[bytes, Meta(max_length=1_024)]
    proof: Annotated[bytes, Meta(max_length=1_024)]


class EnrolledDevice(Struct):
    """The number a device signs in with, and what it speaks for; without a unit it is a gateway."""

    device: int
    unit: int | None
    agency: int
    label: str


POOL: Final[web.AppKey[asyncpg.Pool]] = web.AppKey("api_pool", asyncpg.Pool)
CONNECTIONS: Final = 4
"""Database connections of the API's own: reading history must not keep anyone from signing in."""


GUESSES: Final[web.AppKey[Guesses]] = web.AppKey("api_guesses", Guesses)


async def config(knock: Knock) -> Config:
    """Name and version of this network, and the operator's own map if there is one."""
    return Config(knock.settings.name, __version__, pages.map_address(knock.settings))


async def unit(asked: Asked) -> UnitDetails:
    """One unit and its newest position."""
    core, (unit, shown) = asked.core, _visible_unit(asked)
    await asked.record("unit.read", unit.address, unit.agency, {})
    newest = core.picture.newest.get(unit.id)
    latest = None
    if newest is not None and shown is Precision.BLURRED:
        seat = newest.blurred
        latest = Latest(
            seat.time, seat.time, seat.lon, seat.lat, None, None, seat.accuracy, None, None
        )
    elif newest is not None and shown is Precision.EXACT:
        f = newest.fix
        latest = Latest(
            f.time,
            newest.received,
            f.lon,
            f.lat,
            f.speed,
            f.heading,
            f.accuracy,
            f.altitude,
            f.battery,
        )
    online = core.sessions.online(unit.address)
    return UnitDetails(unit.id, unit.agency, unit.callsign, unit.kind, online, latest)


def _visible_unit(asked: Asked) -> tuple[Unit, Precision]:
    unit = asked.core.directory.units.get(asked.path_id("id"))
    if unit is None:
        raise not_found()
    shown = access.precision(asked.who, unit, asked.core.rules)
    if shown is Precision.NOTHING:
        raise not_found()
    return unit, shown


async def track(asked: Asked) -> Track:
    """Where a unit was between two times (milliseconds UTC), thinned to 5,000 positions."""
    unit, _ = _visible_unit(asked)
    if not access.may_see_track(asked.who, unit, asked.core.rules):
        raise ApiProblem(
            403,
            "not_shared",
            "Where this unit was is not shared with you.",
            "Ask its agency, or look at where it is now.",
        )
    begin = asked.number("from", 0, 0, LATEST)
    end = asked.number("to", LATEST, 0, LATEST)
    await asked.record("track.read", unit.address, unit.agency, {"from": begin, "to": end})
    # Received no earlier than two minutes before its own time: the clock check in tracking.
    rows = await asked.pool.fetch(
        """
        SELECT DISTINCT ON (at) at, place, speed, heading FROM (
            SELECT at, place, speed, heading, row_number() OVER (ORDER BY at) AS place_in_row,
                   count(*) OVER () AS total
              FROM track
             WHERE unit_id = $1 AND at >= $2 AND at <= $3 AND flag < 2
               AND received_at >= $2::timestamptz - interval '3 minutes') AS t
         WHERE (place_in_row - 1) % greatest(1, ceil(total / $4::float)::bigint) = 0
            OR place_in_row = total
         ORDER BY at
        """,
        unit.id,
        _moment(begin),
        _moment(end),
        MOST_FIXES - 1,
    )
    return Track(unit.id, [_fix(row) for row in rows])


def _fix(row: asyncpg.Record) -> tuple[int, int, int, int | None, int | None]:
    lon, lat = database.point_of(row["place"])
    return (
        database.milliseconds(row["at"]),
        round(lon * 1e7),
        round(lat * 1e7),
        None if row["speed"] is None else round(row["speed"] * 100),
        None if row["heading"] is None else round(row["heading"] * 100) % 36_000,
    )


def _moment(time: int) -> datetime:
    return database.moment(min(time, 253_370_764_800_000))


async def mailbox(asked: Asked) -> Mailbox:
    """The newest entries of a mailbox below a sequence: history, page by page."""
    box = asked.path["address"]
    if box not in access.mailboxes(asked.who, asked.core.rules):
        raise not_found()
    before = asked.number("before", 9_007_199_254_740_991, 0, 9_007_199_254_740_991)
    limit = asked.number("limit", 100, 1, MOST_ENTRIES)
    async with asked.pool.acquire() as connection:
        entries = await mailboxes.before(connection, box, before, limit)
    return Mailbox(box, [wire.Mail(box=e.box, seq=e.seq, body=e.body) for e in entries])


async def receipts(asked: Asked) -> Receipts:
    """Who has received and read a message; for its sender."""
    try:
        uid = UUID(asked.path["id"])
    except ValueError:
        raise not_found() from None
    rows = await asked.pool.fetch(
        "SELECT r.reader, r.state, r.at FROM log l JOIN receipt r ON r.log_id = l.id"
        " WHERE l.uid = $1 AND l.author = $2 ORDER BY r.at",
        uid,
        asked.who.address,
    )
    directory = asked.core.directory

    return Receipts(
        [
            Receipt(
                row["reader"],
                directory.name(row["reader"]),
                STATES[row["state"]],
                database.milliseconds(row["at"]),
            )
            for row in rows
        ]
    )


async def fences(asked: Asked) -> dict[str, Any]:
    """Geofences that the caller may see, as GeoJSON (RFC 7946)."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": row.id,
                "properties": {"id": row.id, "name": row.name, "agency": row.agency},
                "geometry": shapely.geometry.mapping(row.area()),
            }
            for row in asked.core.directory.fences.values()
            if access.may_see_fence(asked.who, row.agency)
        ],
    }


async def enrol(knock: Knock) -> EnrolledDevice:
    """Enrol a device: spend a one-time code on its public key."""
    body: Enrolment = knock.body
    if not knock.guesses.take(knock.source, time.monotonic()):
        raise ApiProblem(
            429, "too_fast", "Too many codes were tried.", "Wait a minute, then type it carefully."
        )
    try:
        async with knock.pool.acquire() as connection, auditor.acting(connection, knock.actor):
            made = await devices.enrol(connection, body.code, body.public_key, body.proof)
    except devices.EnrolmentRefused as problem:
        details = {"why": problem.code}
        failed = Entry(knock.actor, "enrolment.failed", details=details, at=auditor.now_ms())
        knock.core.auditor.note(failed)
        raise ApiProblem(400, problem.code, problem.text, problem.todo) from None
    knock.guesses.good(knock.source)
    # It signs in next, and must not be a stranger then.
    await knock.core.refresh_directory()
    return EnrolledDevice(made.device, made.unit, made.agency, made.label)


async def audit(asked: Asked) -> auditing.Audit:
    """Who did what to the caller's agency, or in it; the newest entries that fit, newest first."""
    within = auditing.readable(asked.who)
    if not within:
        raise not_found()
    since, until = asked.optional("since", 0, LATEST), asked.optional("until", 0, LATEST)
    limit = asked.number("limit", 100, 1, MOST_ENTRIES)
    wanted = Filter(
        actor=asked.query.get("actor"),
        action=asked.query.get("action"),
        object=asked.query.get("object"),
        agency=asked.optional("agency", 1, 2_147_483_647),
        since=None if since is None else _moment(since),
        until=None if until is None else _moment(until),
        before=asked.optional("before", 0, 9_007_199_254_740_991),
        within=within,
    )
    said = {str(name): asked.query[name] for name in auditing.QUERY if name in asked.query}
    await asked.record("audit.read", None, asked.who.agency, said)
    return await auditing.page(asked.pool, asked.who, wanted, limit)


ROUTES: Final = (
    Route("/api/config", config, Config, open=True),
    Route("/api/units/{id}", unit, UnitDetails),
    Route("/api/units/{id}/track", track, Track, ("from", "to")),
    Route("/api/mailboxes/{address}", mailbox, Mailbox, ("before", "limit")),
    Route("/api/messages/{id}/receipts", receipts, Receipts),
    Route("/api/fences", fences, None),
    Route("/api/audit", audit, auditing.Audit, auditing.QUERY),
    Route("/api/enrol", enrol, EnrolledDevice, method="POST", takes=Enrolment, open=True),
    *account.ROUTES,
    *federated.ROUTES,
    *administration.ROUTES,
    *working.ROUTES,
    *exporting.ROUTES,
    *beforehand.ROUTES,
    *sending.ROUTES,
    *attachments.ROUTES,
    *recordings.ROUTES,
    *locating.ROUTES,
    *numbers.ROUTES,
    *warnings.ROUTES,
    *composing.ROUTES,
    *subscribing.ROUTES,
    *heard.ROUTES,
    *area_files.ROUTES,
)


def _ticket(core: Core, request: web.Request, route: Route) -> tuple[Principal, Ticket]:
    """Who asks; raises :class:`Problem` when he may not, now."""
    signin, tickets = core.signin, core.tickets
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    ticket = tickets.by_token(token.strip()) if scheme.lower() == "bearer" else None
    principal = None if ticket is None else signin.principal(ticket, core.directory)
    if ticket is None or principal is None:
        raise ApiProblem(
            401,
            "not_signed_in",
            "This needs the token of a session.",
            "Sign in over /ws and send the token as Authorization: Bearer.",
        )
    certified = request.transport is not None and request.transport.get_extra_info("peercert")
    try:
        signin.check_certified(principal, bool(certified))
    except Problem as problem:
        raise ApiProblem(401, problem.code, problem.text, problem.todo) from None
    if ticket.limited and not route.limited:
        raise as_answer(locking.LIMITED)
    if tickets.locked(ticket, datetime.now(UTC)):
        raise as_answer(locking.LOCKED)
    if route.fresh and principal.person is not None and not tickets.is_fresh(ticket):
        raise proof_needed()
    return principal, ticket


async def _asked(core: Core, settings: Settings, route: Route, request: web.Request) -> Knock:
    """The request, with what it brings checked."""
    who, ticket = (None, None) if route.open else _ticket(core, request, route)
    body = await body_of(request, route.takes)
    if ticket is not None:
        # Whoever sends his body slowly may have been put out meanwhile.
        who, ticket = _ticket(core, request, route)
    knock = Knock(
        core,
        request.app[POOL],
        settings,
        request.app[GUESSES],
        request.remote or "",
        request.scheme,
        request.host,
        body,
    )
    if who is None or ticket is None:
        return knock
    path, query = dict(request.match_info), query_of(request)
    return Asked(
        **knock.parts(),
        desk=request.app[DESK],
        recommender=request.app[RECOMMENDER],
        who=who,
        ticket=ticket,
        path=path,
        query=query,
        request=request,
    )


def _answering(
    core: Core, settings: Settings, route: Route
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            said = await route.handler(await _asked(core, settings, route, request))
            return said if isinstance(said, web.StreamResponse) else answer_of(said)
        except Problem as problem:
            return refusal(as_answer(problem))
        except (*database.PASSING, asyncpg.PostgresError):
            return refusal(
                ApiProblem(
                    503,
                    "unavailable",
                    "The database does not answer.",
                    "Try again in a moment; the live picture goes on.",
                )
            )

    return answer


def add_routes(application: web.Application, core: Core, settings: Settings) -> None:
    """Put the API into the application."""

    async def pool(application: web.Application) -> AsyncIterator[None]:
        application[POOL] = await database.pool(settings.database, CONNECTIONS, at_once=0)
        yield
        await database.close_pool(application[POOL])

    application.cleanup_ctx.append(pool)
    application[recordings.LOOKS] = Looks()
    application.cleanup_ctx.append(attachments.keeping(core, settings, POOL))
    application[exporting.TURNS] = asyncio.Semaphore(exporting.AT_ONCE)
    application[GUESSES] = Guesses(time.monotonic())
    for route in ROUTES:
        application.router.add_route(route.method, route.path, _answering(core, settings, route))

    async def document(request: web.Request) -> web.Response:
        return reply(openapi.document(ROUTES))

    application.router.add_get("/api/openapi.json", document)
    application.router.add_route("*", "/api/{rest:.*}", _nothing_here)


async def _nothing_here(request: web.Request) -> web.Response:
    return refusal(not_found())
