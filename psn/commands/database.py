"""``psn migrate``."""

from __future__ import annotations

import asyncio

import click

from psn import migrate as migrations
from psn import revisions
from psn.commands.words import connected, settings
from psn.problems import Problem


@click.command(
    epilog="""
\b
Examples:
  psn migrate                               up to what this program needs
  psn migrate --to base --lose-data         take every table away again
"""
)
@click.option("--to", default="head", show_default=True, help="A revision, head or base.")
@click.option("--lose-data", is_flag=True, help="Allow going back, which drops tables.")
def migrate(to: str, lose_data: bool) -> None:
    """Bring the tables of PSN_DATABASE to a revision."""
    dsn = settings().database
    before = asyncio.run(_current(dsn))
    target = revisions.head() if to == "head" else None if to == "base" else to
    back = revisions.is_back(before, target)
    if back and not lose_data:
        raise Problem(
            "loses_data",
            f"Going from revision {before} back to {to} drops tables and what is in them.",
            "Say --lose-data when that is meant.",
        )
    if back:
        migrations.downgrade(dsn, to)
    else:
        migrations.upgrade(dsn, to)
    after = asyncio.run(_current(dsn))
    if after == before:
        click.echo(f"The database is at revision {after or 'base'}; nothing to do.")
    else:
        click.echo(f"The database went from revision {before or 'base'} to {after or 'base'}.")


async def _current(dsn: str) -> str | None:
    async with connected(dsn) as conn:
        return await revisions.current(conn)
