"""What every command needs: settings, a connection, and how things are said."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import click

from psn.problems import Problem
from psn.settings import Settings, load


def settings() -> Settings:
    """What the environment says; raises ``SettingsError``."""
    return load(os.environ)


def shown(dsn: str) -> str:
    """A database address without its password."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn
    return dsn.replace(f":{parts.password}@", ":…@", 1)


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection; raises :class:`Problem` ``database_unreachable`` when there is none."""
    try:
        conn = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise unreachable(dsn, error) from error
    try:
        yield conn
    finally:
        await conn.close()


def unreachable(dsn: str, error: BaseException) -> Problem:
    """The one sentence for a database that does not answer."""
    said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    reason = said.splitlines()[0]
    return Problem(
        "database_unreachable",
        f"The database at {shown(dsn)} cannot be reached: {reason.rstrip('.')}.",
        "Start it, or point PSN_DATABASE at the right one.",
    )


def missing(what: str, name: str, listing: str) -> Problem:
    """There is no such thing."""
    return Problem("not_found", f"There is no {what} {name}.", f"See {listing}.")


def counted(number: int, what: str) -> str:
    """How many: ``1 session``, ``2 sessions``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def taken(what: str, name: str, todo: str = "Choose another name.") -> Problem:
    """There is one already."""
    return Problem("already_there", f"The {what} {name} is there already.", todo)


def need_name(what: str, name: str) -> None:
    """Raises :class:`Problem` ``bad_name`` for a name that nobody could read."""
    if not name.strip():
        raise Problem(
            "bad_name", f"{name!r} is no {what}.", "Write something that people can read."
        )


def readable(text: str) -> str:
    """Text that somebody has typed, without what would steer a terminal or turn words around."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def show(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns, readable whatever stands in them; no rows: says so."""
    lines = [["" if cell is None else readable(str(cell)) for cell in row] for row in rows]
    if not lines:
        click.echo("none")
        return
    lines.insert(0, list(heads))
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    for line in lines:
        click.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
