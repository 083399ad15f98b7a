"""``psn user export``: what is kept of a person, for him."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from psn import revisions
from psn.commands.rows import person_of, user, writing
from psn.commands.words import connected, counted, settings, taken
from psn.keeping import personal_data
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Entry


@click.command(
    "export",
    short_help="Write what is kept of a person.",
    epilog="Example: psn user export bpd.ana --output ana.zip",
)
@click.argument("name")
@click.option(
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The ZIP file to write; it must not be there yet.",
)
def export(name: str, file: Path) -> None:
    """Write all that is kept of a person into a ZIP file, in JSON lines.

    Account, second factors, sessions, messages by him and to him, his receipts, and audit entries
    by and about him; nothing that is others', and not where units were. The audit records that it
    was done.
    """

    async def work() -> dict[str, int]:
        async with writing() as session:
            person = await person_of(session, name)
            number, agency = person.id, person.agency_id
        try:
            out = personal_data.private(file)
        except FileExistsError:
            raise taken("file", str(file)) from None
        except OSError as problem:
            text = f"{file} cannot be written: {problem.strerror}."
            raise Problem("cannot_write", text, "Choose another place.") from problem
        try:
            with out:
                async with connected(settings().database) as connection:
                    await revisions.check(connection)
                    # Who gets the data is on record before the data is there.
                    entry = Entry(user(), "person.exported", f"person:{number}", agency)
                    await auditor.append(connection, [entry])
                    return await personal_data.write(connection, number, out)
        except BaseException:
            file.unlink(missing_ok=True)
            raise

    counts = asyncio.run(work())
    said = ", ".join(
        f"{counted(counts[name], word)}"
        for name, word in (("messages", "message"), ("sessions", "session"))
    )
    click.echo(f"{file} written: {said}, {counts['audit']} entries of the audit.")
