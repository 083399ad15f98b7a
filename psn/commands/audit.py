"""``psn audit``: what was done, and whether any of that was changed afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import click

from psn import keys, revisions
from psn.commands.own_keys import needed_keys, own_keys
from psn.commands.rows import user
from psn.commands.words import connected, counted, missing, settings, show
from psn.problems import Problem
from psn.trail import audit_search, auditor
from psn.trail.audit import Checkpoint, Entry, Finding, Row, Verifier, read_checkpoints
from psn.trail.audit_search import Filter

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TIME = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"))


@click.group()
def audit() -> None:
    """What was done, by whom, and whether that was changed afterwards."""


@audit.command(
    "verify",
    epilog="""
\b
Examples:
  psn audit verify
  psn audit verify --checkpoints /mnt/elsewhere/checkpoints.txt
  psn audit verify --file export.jsonl --checkpoints checkpoints.txt --public-key sign.pub
""",
)
@click.option("--file", "export", type=_FILE, help="An export, instead of the database.")
@click.option(
    "--checkpoints",
    "files",
    type=_FILE,
    multiple=True,
    help="Checkpoints kept elsewhere: their lines, or a log that holds them. May be repeated.",
)
@click.option(
    "--public-key",
    "public",
    multiple=True,
    metavar="HEX|FILE",
    help="A key that may sign, beside this server's own (PSN_KEYS). May be repeated.",
)
def verify(export: Path | None, files: tuple[Path, ...], public: tuple[str, ...]) -> None:
    """Check every entry, and name each that is bad.

    Bad is what was changed, is missing or was moved, an end that was cut off behind a checkpoint,
    and a table whose changes go unrecorded. Then the exit status is 1.
    """
    given = [c for file in files for c in read_checkpoints(_text(file))]
    if files and not given:
        raise Problem(
            "no_checkpoints",
            "There is no checkpoint in what --checkpoints names.",
            "Name a file with lines that begin with psn-audit-checkpoint.",
        )
    trusted = [_public_key(said) for said in public]
    if export is None:
        said = settings()
        own = own_keys(said)
        trusted += [own.public] if own is not None else []
        findings, verifier = asyncio.run(_verify_database(said.database, given, trusted))
    else:
        findings, verifier = _verify_file(export, given, trusted)
    for finding in findings:
        click.echo(f"{finding.text} [{finding.kind}]")
    _tell(verifier, bool(trusted))
    if findings:
        click.echo(f"NOT GOOD: {counted(len(findings), 'finding')}.")
        if export is None:
            _tell_of(findings)
        raise click.exceptions.Exit(1)


def _tell_of(findings: list[Finding]) -> None:
    """Put it into the audit, so that whoever gets security events is told; if that can be done."""
    details = {"findings": len(findings), "first": [finding.text for finding in findings[:5]]}
    try:
        asyncio.run(_recorded("audit.verify_failed", details))
    except (Problem, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        click.echo(f"That could not be put into the audit: {problem}")


def _tell(verifier: Verifier, trusted: bool) -> None:
    good = verifier.rows - verifier.bad
    through = "" if verifier.newest is None else f", through {_time_of(verifier.newest)}"
    click.echo(f"{good} {'entry is' if good == 1 else 'entries are'} good{through}.")
    pruned = verifier.pruned
    if pruned is not None:
        click.echo(f"Entries through {pruned.last} were pruned, as entry {pruned.seq} says.")
    if verifier.proved:
        first, last = verifier.proved[0], verifier.proved[-1]
        keys_used = ", ".join(sorted({c.key.hex() for c in verifier.proved}))
        click.echo(
            f"{counted(len(verifier.proved), 'checkpoint')} checked, of entry {first.seq}"
            f" to {last.seq} ({last.at:%Y-%m-%dT%H:%M:%SZ}), signed with {keys_used}."
        )
        if not trusted:
            click.echo("Whose key that is was not checked: say --public-key.")
    else:
        click.echo("No checkpoint was checked: an end that was cut off, or all, may be made anew.")


async def _verify_database(
    dsn: str, checkpoints: list[Checkpoint], trusted: Iterable[bytes]
) -> tuple[list[Finding], Verifier]:
    async with _reading(dsn) as connection:
        checkpoints += await audit_search.checkpoints(connection)
        verifier = Verifier(checkpoints, trusted)
        findings = await audit_search.unguarded(connection)
        async for row in audit_search.rows(connection):
            findings += verifier.take(row)
    return findings + verifier.finish(), verifier


def _verify_file(
    file: Path, checkpoints: list[Checkpoint], trusted: Iterable[bytes]
) -> tuple[list[Finding], Verifier]:
    export, verifier = audit_search.Export(file), Verifier(checkpoints, trusted)
    findings = list(export.findings)
    for row in export:
        findings += verifier.take(row)
    return findings + verifier.finish(), verifier


@audit.command(
    "list",
    epilog="""
\b
Examples:
  psn audit list --object unit:7 --action track.read
  psn audit list --agency BPD --action person --since 2026-11-01
""",
)
@click.option("--actor", help="Whose deeds: person:3, or as it is listed.")
@click.option("--action", help="person.disabled, or person for all of that kind.")
@click.option("--object", "what", help="What it was done to: unit:7.")
@click.option("--agency", "code", help="Whose people did it, or whose things it was done to.")
@click.option("--since", type=_TIME, help="UTC.")
@click.option("--until", type=_TIME, help="UTC.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
def list_entries(
    actor: str | None,
    action: str | None,
    what: str | None,
    code: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """Show the newest entries that fit, the newest last."""

    async def work() -> list[Row]:
        async with _reading(settings().database) as connection:
            agency = None
            if code is not None:
                query = "SELECT id FROM agency WHERE code = $1"
                agency = await connection.fetchval(query, code.upper())
                if agency is None:
                    raise missing("agency", code, "psn agency list")
            wanted = Filter(actor, action, what, agency, _utc(since), _utc(until))
            return await audit_search.newest(connection, wanted, limit)

    heads = ("entry", "time (UTC)", "who", "from", "action", "object", "details")
    show(heads, [_listed(row) for row in reversed(asyncio.run(work()))])


@audit.command("export", epilog="Example: psn audit export > audit.jsonl")
def export_entries() -> None:
    """Write every entry as a line of JSON.

    psn audit verify --file checks it anywhere, without the database; keep the lines as they are.
    """

    async def work() -> None:
        async with _reading(settings().database) as connection:
            async for row in audit_search.rows(connection):
                click.echo(audit_search.exported(row))

    asyncio.run(_recorded("audit.exported"))
    asyncio.run(work())


@audit.command("checkpoint", epilog="Example: psn audit checkpoint >> /mnt/elsewhere/checkpoints")
def checkpoint() -> None:
    """Sign the newest entry now, and show the line to keep elsewhere."""

    async def work(own: keys.Keys) -> Checkpoint | None:
        async with connected(settings().database) as connection:
            await revisions.check(connection)
            async with connection.transaction():
                return await auditor.sign(connection, own)

    own = needed_keys(settings())
    made = asyncio.run(work(own))
    if made is None:
        raise Problem("nothing_there", "The audit has no entries yet.", "Come back later.")
    click.echo(made.line)


# -- what they share


@asynccontextmanager
async def _reading(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """One unchanging view of the migrated database."""
    async with connected(dsn) as connection:
        await revisions.check(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection


async def _recorded(action: str, details: Mapping[str, Any] | None = None) -> None:
    async with connected(settings().database) as connection:
        await revisions.check(connection)
        await auditor.append(connection, [Entry(user(), action, details=details or {})])


def _public_key(said: str) -> bytes:
    text = _text(Path(said)).strip() if len(said) != 64 and Path(said).is_file() else said
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Problem(
            "bad_key",
            f"{said} is no public key.",
            "Give 64 hexadecimal digits, or a file that holds them: the second last word"
            " of a checkpoint made when all was well.",
        )
    return key


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


def _time_of(body: str) -> str:
    try:
        at = json.loads(body)["at"]
        return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return "a time that cannot be read"


def _listed(row: Row) -> tuple[object, ...]:
    said = json.loads(row.body)
    who = said["actor"] + (f" ({said['actor_name']})" if said.get("actor_name") else "")
    details = json.dumps(said.get("details") or {}, ensure_ascii=False)
    cells = (who, said.get("source") or "", said["action"], said.get("object") or "", details)
    return (row.seq, _time_of(row.body), *cells)
