"""What every rule of sharing is made with: a reason, an author, and perhaps an end."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import ColumnElement, func

from psn.problems import Problem
from psn.schema import Termed


@dataclass(frozen=True, slots=True)
class Terms:
    """Why, who decided it, and until when (UTC; None: until it is ended)."""

    reason: str
    author: str
    ends: datetime | None

    def columns(self) -> dict[str, Any]:
        """As the rows keep them."""
        return {"reason": self.reason, "author": self.author, "ends_at": self.ends}


def termed(command: Callable[..., Any]) -> Callable[..., Any]:
    """The three options, for :func:`terms`."""
    for option in (
        click.option("--until", type=click.DateTime(), help="Its end, UTC. Default: none."),
        click.option("--author", help="Who decided it. Default: the user of this machine."),
        click.option("--reason", help="Why; shown to auditors."),
    ):
        command = option(command)
    return command


def this_user() -> str:
    """Who sits at the command line, as an author."""
    return f"{getpass.getuser()}, command line"


def terms(reason: str | None, author: str | None, until: datetime | None) -> Terms:
    """Checked; raises :class:`Problem` ``no_reason`` or ``already_over``."""
    ends = None if until is None else until.replace(tzinfo=UTC)
    decided = this_user() if author is None else author
    if reason is None or not (reason.strip() and decided.strip()):
        raise Problem("no_reason", "This needs a reason and an author.", "Say --reason.")
    if ends is not None and ends <= datetime.now(UTC):
        raise Problem("already_over", f"{ends:%Y-%m-%d %H:%M} UTC is past.", "Choose a later end.")
    return Terms(reason, decided, ends)


def day(at: datetime | None) -> str:
    """A moment as lists show it, UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def not_over(table: type[Termed]) -> ColumnElement[bool]:
    """Rows whose end has not come."""
    return table.ends_at.is_(None) | (table.ends_at > func.now())


def ended(row: Any) -> bool:
    """End a rule now, whose row stays for auditors; false when it was over already."""
    now = datetime.now(UTC)
    if row.ends_at is not None and row.ends_at <= now:
        return False
    row.ends_at = max(now, row.starts_at)
    return True
