"""``psn doctor``: what is wrong with the settings, the database and the machine, and what to do."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import shlex
import shutil
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import asyncpg
import click

from psn import revisions
from psn.commands.words import connected, settings, shown
from psn.csirt import syslog_outlet
from psn.csirt.outlets import Undelivered
from psn.forwarded import is_within, networks
from psn.identity import breached
from psn.problems import Problem
from psn.settings import Settings, suspicious

Level = Literal["ok", "warn", "fail"]
GIB: Final = 1 << 30
DISK_WARN_BYTES: Final = 5 * GIB
DISK_FAIL_BYTES: Final = GIB // 2
CLOCK_SECONDS: Final = 1.0
"""Positions carry the unit's time and the server's: clocks further apart than this confuse."""
OPEN_FILES: Final = 4096
CLAMD_SECONDS: Final = 3.0
"""How long a scanner's daemon has to answer the doctor."""
_HERE: Final = networks("127.0.0.0/8, ::1")
_TIME_ERROR: Final = 5  # adjtimex(2): the kernel's clock is not synchronised


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``todo`` is empty when all is well."""

    level: Level
    what: str
    said: str
    todo: str = ""


@click.command(epilog="Example: PSN_DATABASE=postgresql:///psn psn doctor")
def doctor() -> None:
    """Check settings, database and machine. Exit status 1 when anything failed."""
    failed = False
    for finding in _examine():
        failed = failed or finding.level == "fail"
        click.echo(f"{finding.level:<5} {finding.what}: {finding.said}")
        if finding.todo:
            click.echo(f"      {finding.todo}")
    raise SystemExit(1 if failed else 0)


def _examine() -> Iterator[Finding]:
    for name, todo in suspicious(os.environ):
        yield Finding("warn", "settings", f"{name} is no setting", todo)
    try:
        said = settings()
    except Problem as problem:
        yield Finding("fail", "settings", problem.text, problem.todo)
        return
    yield Finding("ok", "settings", os.environ.get("PSN_CONFIG") or "from the environment")
    yield from asyncio.run(_database(said))
    yield from asyncio.run(syslog(said))
    yield from machine(said)


async def _database(said: Settings) -> list[Finding]:
    try:
        async with connected(said.database) as conn:
            version = conn.get_server_version()
            at = f"PostgreSQL {version.major}.{version.minor} at {shown(said.database)}"
            first = Finding("ok", "database", at)
            if version.major < 15:
                first = Finding("fail", "database", at, "Use PostgreSQL 15 or newer.")
            return [
                first,
                await _postgis(conn),
                await _durability(conn),
                *await _migrations(conn),
                await _clock(conn),
                *await _data_disk(conn),
            ]
    except Problem as problem:
        return [Finding("fail", "database", problem.text, problem.todo)]


async def _postgis(conn: asyncpg.Connection[Any]) -> Finding:
    version = await conn.fetchval("select extversion from pg_extension where extname = 'postgis'")
    if version is not None:
        return Finding("ok", "PostGIS", str(version))
    offered = "select default_version from pg_available_extensions where name = 'postgis'"
    if await conn.fetchval(offered) is None:
        todo = "Install it on the database server (Debian: postgresql-15-postgis-3)."
        return Finding("fail", "PostGIS", "not installed", todo)
    return Finding("fail", "PostGIS", "not in this database", "Run psn migrate.")


async def _durability(conn: asyncpg.Connection[Any]) -> Finding:
    """A message is acknowledged when committed: that is worth nothing without these."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    said = {name: await conn.fetchval("select current_setting($1)", name) for name in names}
    off = [name for name, value in said.items() if value == "off"]
    if off:
        text = f"{' and '.join(off)} off: acknowledged messages may be lost"
        return Finding("fail", "durability", text, "Switch on in postgresql.conf, and reload.")
    return Finding("ok", "durability", ", ".join(f"{k} {v}" for k, v in said.items()))


async def _migrations(conn: asyncpg.Connection[Any]) -> list[Finding]:
    try:
        await revisions.check(conn)
    except Problem as problem:
        return [Finding("fail", "migrations", problem.text, problem.todo)]
    current = Finding("ok", "migrations", f"at {revisions.head()}, as this program needs")
    people = await conn.fetchval(
        "select count(*) from person where disabled_at is null and password_hash is not null"
    )
    if people:
        return [current, Finding("ok", "accounts", f"{people} may sign in")]
    todo = "Add an agency and a person: psn agency add --help, psn user add --help."
    return [current, Finding("warn", "accounts", "nobody may sign in", todo)]


async def _clock(conn: asyncpg.Connection[Any]) -> Finding:
    before = datetime.now(UTC)
    there = await conn.fetchval("select clock_timestamp()")
    after = datetime.now(UTC)
    apart = max((before - there).total_seconds(), (there - after).total_seconds(), 0.0)
    if apart > CLOCK_SECONDS:
        todo = "Let both machines keep time by NTP."
        return Finding("fail", "clock", f"{apart:.1f} s from the database server's", todo)
    return _kernel_clock()


def _kernel_clock() -> Finding:
    """Whether the kernel says that something keeps its clock right (adjtimex(2))."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        state = -1
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if state == _TIME_ERROR:
        todo = "Run an NTP client, such as chrony, on this machine or its host."
        return Finding("warn", "clock", f"{now}, not known to be synchronised", todo)
    return Finding("ok", "clock", now)


async def _data_disk(conn: asyncpg.Connection[Any]) -> list[Finding]:
    """Free space under the database, when it is on this machine and may be asked."""
    try:
        place = Path(await conn.fetchval("show data_directory"))
    except asyncpg.InsufficientPrivilegeError:
        return []
    local = await conn.fetchval(
        "select inet_server_addr() is null or inet_server_addr() <<= '127/8'"
    )
    return [disk("disk of the database", place)] if local else []


async def syslog(said: Settings) -> list[Finding]:
    """Whether the receiver of security events can be met, and shows who it is."""
    if said.syslog is None:
        return [Finding("ok", "syslog", "not wanted: PSN_SYSLOG is not set")]
    try:
        where = syslog_outlet.target(said)
        assert where is not None
        _, writer = await syslog_outlet.connect(where)
    except Problem as problem:
        return [Finding("fail", "syslog", problem.text, problem.todo)]
    except Undelivered as problem:
        todo = "Correct PSN_SYSLOG and what belongs to it, or start the receiver; events wait."
        return [Finding("fail", "syslog", str(problem), todo)]
    writer.transport.abort()
    if where.tls is None:
        todo = "Use tls://, where it does not stay on this machine."
        return [Finding("warn", "syslog", f"{said.syslog} answers, in the clear", todo)]
    return [Finding("ok", "syslog", f"{said.syslog} answers, and its certificate is good")]


def machine(said: Settings) -> Iterator[Finding]:
    """What does not need a database."""
    yield disk("disk here", Path.cwd())
    yield from attachments(said)
    yield from sign_in(said)
    yield in_the_clear(said)
    yield port(said.host, said.port)
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)  # the server takes all it may have
    if files != resource.RLIM_INFINITY and files < OPEN_FILES:
        todo = f"Raise it to {OPEN_FILES}: ulimit -Hn, or LimitNOFILE= of the service."
        yield Finding("warn", "open files", f"limited to {files}, one for each session", todo)
    else:
        yield Finding("ok", "open files", f"limited to {files}")
    if said.pmtiles is not None and "://" not in said.pmtiles:
        there = Path(said.pmtiles).is_file()
        todo = "" if there else "Put it there, or correct PSN_PMTILES."
        yield Finding("ok" if there else "fail", "map file", said.pmtiles, todo)


def attachments(said: Settings) -> Iterator[Finding]:
    """Whether photos and voice notes can be stored, and who looks for viruses in them."""
    place = said.files_directory
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            yield disk("disk of files", place)
    except OSError as problem:
        todo = "Let PSN_FILES name a directory that the server's user may write."
        said_so = f"{place} cannot be written: {problem.strerror or problem}"
        yield Finding("fail", "disk of files", said_so, todo)
    if said.virus_scan is None:
        todo = "Install clamav-daemon and set PSN_VIRUS_SCAN; docs/operating.md says how."
        yield Finding("warn", "virus scan", "none: files are made anew, not scanned", todo)
        return
    kind, _, where = said.virus_scan.partition(":")
    reason = _no_program(where) if kind == "command" else _no_daemon(where)
    if reason is None:
        yield Finding("ok", "virus scan", said.virus_scan)
    else:
        todo = "Start the scanner, or correct PSN_VIRUS_SCAN; until then attachments wait."
        yield Finding("fail", "virus scan", f"{where} is away: {reason}", todo)


def _no_program(command: str) -> str | None:
    """Why a program cannot be run, if so."""
    return None if shutil.which(shlex.split(command)[0]) else "there is no such program"


def _no_daemon(where: str) -> str | None:
    """Why nobody answers at a socket, if so."""
    host, _, number = where.rpartition(":")
    try:
        if where.startswith("/"):
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(CLAMD_SECONDS)
                line.connect(where)
        else:
            socket.create_connection((host.strip("[]"), int(number)), CLAMD_SECONDS).close()
    except (OSError, OverflowError) as problem:
        return getattr(problem, "strerror", None) or str(problem)
    return None


def sign_in(said: Settings) -> Iterator[Finding]:
    """How people prove who they are."""
    if said.second_factor == "required":
        yield Finding("ok", "second factor", "required")
    else:
        todo = "Set PSN_SECOND_FACTOR=required once this is more than a trial."
        yield Finding("warn", "second factor", "offered: a password alone lets people in", todo)
    if said.breached_passwords is not None:
        file = Path(said.breached_passwords)
        try:
            yield Finding("ok", "breached passwords", f"{breached.check(file):,} bytes in {file}")
        except Problem as problem:
            yield Finding("fail", "breached passwords", problem.text, problem.todo)
    else:
        todo = "Name a list in PSN_BREACHED_PASSWORDS; docs/operating.md says of which form."
        yield Finding("warn", "breached passwords", "no list: stolen ones may be chosen", todo)
    if said.origin is not None:
        yield Finding("ok", "passkeys", f"for {said.origin}")
    else:
        yield Finding("ok", "passkeys", "on localhost alone: PSN_ORIGIN is not set")


def in_the_clear(said: Settings) -> Finding:
    """Whether passwords may travel so that others on the way can read them."""
    if said.tls_certificate is not None:
        return Finding("ok", "TLS", f"with {said.tls_certificate}")
    if said.host == "localhost" or is_within(said.host, _HERE):
        return Finding("ok", "TLS", f"none, and {said.host} is reached from this machine alone")
    if said.trusted_proxies:
        proxies = ", ".join(map(str, said.trusted_proxies))
        return Finding("ok", "TLS", f"none here: {proxies} is to do it")
    todo = "Set PSN_TLS_CERTIFICATE and PSN_TLS_KEY, or name the proxy in PSN_TRUSTED_PROXIES."
    return Finding("warn", "TLS", f"none, and {said.host} is reached from elsewhere", todo)


def disk(what: str, place: Path) -> Finding:
    """Free space where ``place`` lies."""
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("warn", what, f"cannot be asked: {error.strerror}")
    text = f"{free / GIB:.1f} GiB free"
    if free < DISK_FAIL_BYTES:
        return Finding("fail", what, text, "Make room: at zero nothing can be stored.")
    if free < DISK_WARN_BYTES:
        return Finding("warn", what, text, "Make room soon, or lower PSN_KEEP_TRACK_DAYS.")
    return Finding("ok", what, text)


def port(host: str, number: int) -> Finding:
    """Whether the server could listen there."""
    problem = port_problem(host, number)
    if problem is None:
        return Finding("ok", "port", f"{host}:{number} is free" if number else "any")
    todo = "Fine when that is psn serve itself. " * (problem.code == "port_taken") + problem.todo
    return Finding("warn" if problem.code == "port_taken" else "fail", "port", problem.text, todo)


def port_problem(host: str, number: int) -> Problem | None:
    """Why nothing can listen on a port, if so: ``port_taken`` or ``cannot_listen``."""
    try:
        kind, _, _, _, address = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == 98:  # EADDRINUSE
            text = f"Port {number} on {host} is in use by another program."
            return Problem("port_taken", text, "Stop that one, or choose another with --port.")
        text = f"It is not possible to listen on {host}:{number}: {error.strerror or error}."
        return Problem("cannot_listen", text, "Choose another PSN_HOST or PSN_PORT.")
    return None
