"""One server process: what is started in which order, and stopped in the reverse one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from aiohttp import web
from aiohttp.typedefs import Handler

from psn import database, garbage, gate, keys, metrics, revisions, tls
from psn.core import Core
from psn.directory import Directory
from psn.directory_watch import DirectoryWatch
from psn.door import Door
from psn.forwarded import Network, is_within
from psn.identity.tickets import Conditions
from psn.keeping.chores import Chores
from psn.picture import partitions
from psn.problems import Problem
from psn.refusing import LONGEST_LINE, Runner, told
from psn.settings import Settings
from psn.trail import auditor
from psn.watched import BOARD_CHANNEL, FLOORS_CHANNEL, SESSIONS_CHANNEL

log = logging.getLogger(__name__)

CORE: web.AppKey[Core] = web.AppKey("core", Core)
HOURLY_SECONDS = 3_600.0
ACTIVITY_SECONDS = 60.0
RECORD_SECONDS = 10.0
"""How long a predecessor that has just ended, or was killed, may still hold the record."""

Extend = Callable[[web.Application, Core], None]
"""Adds routes to the application: pages and the API are not the network's business."""


class StartProblem(Problem):
    """Why a server could not start."""


@contextlib.asynccontextmanager
async def running(settings: Settings, extend: Extend) -> AsyncIterator[str]:
    """Run a server; gives the address it listens on. Raises :class:`Problem` when it cannot."""
    own_keys = keys.load(settings.keys_directory)
    async with contextlib.AsyncExitStack() as stack:
        pool = await _pool(settings.database)
        stack.push_async_callback(database.close_pool, pool)
        async with pool.acquire() as connection:
            await revisions.check(connection)
            await partitions.maintain(connection, datetime.now(UTC).date())
        watch = DirectoryWatch(settings.database)
        core, door = await _core(settings, own_keys, pool, watch)
        stack.push_async_callback(watch.stop)

        file = settings.audit_checkpoints
        checkpoints = auditor.Checkpoints(pool, own_keys, None if file is None else Path(file))

        beside = Chores(core, settings, own_keys)

        async with asyncio.TaskGroup() as background:
            writers = [
                background.create_task(core.record.run(), name="record"),
                background.create_task(core.tracks.run(), name="tracks"),
                background.create_task(core.recorder.run(), name="recorder"),
            ]
            await _record_opened(core)
            chores = [
                background.create_task(door.watch(), name="door watch"),
                background.create_task(
                    garbage.collect_by_the_clock(core.garbage_seconds), name="garbage"
                ),
                background.create_task(_by_the_clock(core, door), name="clock"),
                background.create_task(
                    checkpoints.run(settings.audit_checkpoint_minutes), name="checkpoints"
                ),
                background.create_task(_activity(core), name="activity"),
                *beside.start(background),
            ]
            runner = Runner(
                _application(settings, core, door, extend),
                access_log=None,
                logger=gate.http_log(),
                shutdown_timeout=2.0,
                keepalive_timeout=gate.KEEP_ALIVE_SECONDS,
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
            )
            await runner.setup()
            try:
                secure = await stack.enter_async_context(tls.secured(settings))
                yield await _listen(runner, settings, secure)
            finally:
                await door.close()
                await runner.cleanup()
                await _activity_written(core)
                core.note_cuts(all_of_them=True)
                core.signin.note_counted(all_of_them=True)
                core.record.close()
                core.tracks.close()
                core.recorder.close()
                await core.auditor.settle()
                await checkpoints.make()
                await asyncio.wait(writers, timeout=10)
                for task in (*chores, *writers):
                    task.cancel()


async def _pool(dsn: str) -> asyncpg.Pool:
    try:
        return await database.pool(dsn)
    except (*database.PASSING, asyncpg.PostgresError, ValueError) as problem:
        raise StartProblem(
            "database_unreachable",
            f"The database cannot be reached: {problem}.",
            "Check PSN_DATABASE, and that PostgreSQL with PostGIS runs there (psn doctor).",
        ) from problem


async def _core(
    settings: Settings, own_keys: keys.Keys, pool: asyncpg.Pool, watch: DirectoryWatch
) -> tuple[Core, Door]:
    loads: set[asyncio.Task[None]] = set()

    async def load(what: Callable[[], Awaitable[None]], text: str) -> None:
        while True:
            try:
                await what()
                return
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("%s were not looked up: %s", text, problem)
                await asyncio.sleep(1.0)

    def begin(what: Callable[[], Awaitable[None]], text: str) -> None:
        task = asyncio.ensure_future(load(what, text))
        loads.add(task)
        task.add_done_callback(loads.discard)

    async def load_tickets() -> None:
        await core.tickets.load()
        door.end_those_without_ticket()

    def sessions_changed() -> None:
        begin(load_tickets, "ended sessions")

    def floors_changed() -> None:
        begin(lambda: core.record.load_floors(pool), "floors of mailboxes")

    def directory_changed(old: Directory, new: Directory) -> None:
        door.end_sessions(core.directory_changed(new))

    watch.on_notice(SESSIONS_CHANNEL, sessions_changed)
    watch.on_notice(FLOORS_CHANNEL, floors_changed)
    watch.on_notice(BOARD_CHANNEL, lambda: core.on_board_notice())
    directory = await watch.start()
    conditions = Conditions(
        settings.session_hours,
        settings.idle_minutes,
        settings.second_factor == "required",
        settings.tls_devices_need_certificate,
    )
    core = Core(
        settings.database,
        own_keys,
        pool,
        directory,
        watch.refresh,
        watch.refresh_incidents,
        conditions,
    )
    door = Door(core)
    watch.subscribe(directory_changed)
    await core.tickets.load()
    await core.load_picture()
    return core, door


async def _record_opened(core: Core) -> None:
    """Wait until the record can be written: only one server at a time may."""
    deadline = time.monotonic() + RECORD_SECONDS
    while time.monotonic() < deadline:
        if core.record.healthy:
            return
        await asyncio.sleep(0.1)
    raise StartProblem(
        "record_busy",
        f"The record cannot be opened: {core.record.why_not}.",
        "Stop the other server that uses this database, or check the database (psn doctor).",
    )


def _application(settings: Settings, core: Core, door: Door, extend: Extend) -> web.Application:
    application = web.Application(client_max_size=1_048_576)
    application.middlewares.append(gate.believing(settings.trusted_proxies))
    application[CORE] = core
    application.router.add_get("/ws", door.endpoint)
    application.router.add_get("/healthz", _healthz)
    application.router.add_get("/readyz", _readyz)
    application.router.add_get("/metrics", _metrics_for(settings.metrics_for))
    extend(application, core)
    application.middlewares.append(gate.own_pages_only(settings.origin))
    application.middlewares.append(gate.failing_plainly())
    return application


async def _listen(runner: web.AppRunner, settings: Settings, secure: ssl.SSLContext | None) -> str:
    site = web.TCPSite(runner, settings.host, settings.port, backlog=4_096, ssl_context=secure)
    try:
        await site.start()
    except OSError as problem:
        raise StartProblem(
            "port_taken",
            f"Port {settings.port} on {settings.host} cannot be opened: {problem.strerror}.",
            "Stop what listens there, or choose another port with PSN_PORT or --port.",
        ) from problem
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'http' if secure is None else 'https'}://{host}:{port}"


async def _by_the_clock(core: Core, door: Door) -> None:
    """Rights that begin or end; blurred places; every hour, partitions of tracks."""
    until_partitions = HOURLY_SECONDS
    while True:
        await asyncio.sleep(1.0)
        door.end_sessions(core.refresh_rights())
        core.screens.renew_blurred()
        core.note_cuts()
        core.signin.note_counted()
        until_partitions -= 1.0
        if until_partitions <= 0:
            until_partitions = HOURLY_SECONDS
            try:
                async with core.pool.acquire() as connection:
                    await partitions.maintain(connection, datetime.now(UTC).date())
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("partitions of tracks were not looked after: %s", problem)
                until_partitions = 60.0


async def _activity(core: Core) -> None:
    """Keep, once a minute, when people were last active: a restart then locks nobody early."""
    while True:
        await asyncio.sleep(ACTIVITY_SECONDS)
        await _activity_written(core)


async def _activity_written(core: Core) -> None:
    try:
        await core.tickets.write_activity()
    except (*database.PASSING, asyncpg.PostgresError) as problem:
        log.warning("when people were last active was not kept: %s", problem)


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _readyz(request: web.Request) -> web.Response:
    core = request.app[CORE]
    try:
        async with asyncio.timeout(2), core.pool.acquire() as connection:
            await revisions.check(connection)
    except Problem as problem:
        return web.Response(status=503, text=f"{problem}\n")
    except (*database.PASSING, asyncpg.PostgresError):
        return web.Response(status=503, text="The database cannot be reached.\n")
    if not core.record.healthy:
        return web.Response(status=503, text="The record cannot be written.\n")
    return web.Response(text="ready\n")


def _metrics_for(readers: tuple[Network, ...]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if not is_within(request.remote or "", readers):
            text = "Figures are told to named addresses alone."
            return told(403, "not_allowed", text, "Let PSN_METRICS_FOR name yours.")
        return web.Response(
            body=metrics.exposition(request.app[CORE]),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    return answer
