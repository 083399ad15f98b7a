"""``psn incident export``: an incident as a whole, for a court."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import IO
from uuid import UUID

import click

from psn import database, revisions
from psn.commands.rows import user
from psn.commands.words import connected, counted, missing, settings, taken
from psn.keeping import incident_file, personal_data, stored_files
from psn.keeping.incident_file import Contents, Sealed
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Entry
from psn.voice import recorder


@click.command(
    "export",
    short_help="Write an incident as a whole, for a court.",
    epilog="""
\b
Examples:
  psn incident export BPD-26-00012 incident.zip
  psn incident export 4 incident.zip --agency BCG
""",
)
@click.argument("number")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--agency", "code", help="As this agency may see it. Default: the incident's own.")
def export(number: str, file: Path, code: str | None) -> None:
    """Write an incident into a ZIP file: calls, log, assignments with their orders, links, and what
    is attached, each with its SHA-256.

    It has what one agency may see: other agencies' private notes, calls, invitations and words of
    orders are only counted. The audit records that it was done, with the hash of the file.
    """
    sealed, called = asyncio.run(_exported(number, file, code))
    click.echo(
        f"{file} written: incident {called}, {counted(sealed.attachments, 'attachment')},"
        f" {counted(sealed.recordings, 'recording')}.\n"
        f"SHA-256 {sealed.sha256}"
    )
    if sealed.missing:
        raise Problem(
            "files_missing",
            f"{file} lacks what is not on the disk here: {', '.join(sealed.missing)}.",
            "Set PSN_FILES to where the server keeps its files, and write another file.",
        )


async def _exported(number: str, file: Path, code: str | None) -> tuple[Sealed, str]:
    said = settings()
    if file.exists():
        raise taken("file", str(file))
    async with connected(said.database) as connection:
        await revisions.check(connection)
        row = await connection.fetchrow(incident_file.FIND, number.upper())
        if row is None:
            raise missing("incident", number, "psn incident list --all")
        viewer = row["agency_id"] if code is None else await _member(connection, row["id"], code)
        contents = await incident_file.read(connection, row["id"], viewer, user().address)
        # In a file without a name until it is on record who got it.
        made = _scratch(contents, said.files_directory)
        try:
            loop = asyncio.get_running_loop()

            def sound(id: UUID) -> bytes:
                asked = recorder.sound(connection, id)
                return asyncio.run_coroutine_threadsafe(asked, loop).result()

            sealed = await asyncio.to_thread(
                incident_file.write,
                contents,
                lambda id: stored_files.path(said.files_directory, id).open("rb"),
                sound,
                made,
            )
            details = {"as_seen_by": viewer, "sha256": sealed.sha256, "bytes": sealed.size}
            what = f"incident:{row['id']}"
            entry = Entry(user(), "incident.exported", what, row["agency_id"], details)
            await auditor.append(connection, [entry])
            _keep(made, file)
        finally:
            incident_file.let_go(made)
    return sealed, contents.number


def _scratch(contents: Contents, directory: Path) -> IO[bytes]:
    try:
        return incident_file.scratch(contents, directory)
    except OSError as problem:
        text = f"{directory} cannot be written: {problem.strerror}."
        todo = "Set PSN_FILES to where the server keeps its files, and be its user."
        raise Problem("files_away", text, todo) from problem


async def _member(connection: database.Connection, incident: int, code: str) -> int:
    """The agency of a code, which takes or took part."""
    found = await connection.fetchval(
        "SELECT m.agency_id FROM incident_member m JOIN agency a ON a.id = m.agency_id"
        " WHERE m.incident_id = $1 AND a.code = $2",
        incident,
        code.upper(),
    )
    if found is None:
        raise Problem(
            "not_found",
            f"No agency {code.upper()} takes or took part in this incident.",
            "Choose one that does: psn incident list --all names them.",
        )
    return int(found)


def _keep(made: IO[bytes], file: Path) -> None:
    """Copy it to where it is wanted, for its owner alone; all of it or nothing."""
    try:
        with personal_data.private(file) as out:
            try:
                shutil.copyfileobj(made, out)
            except BaseException:
                file.unlink(missing_ok=True)
                raise
    except OSError as problem:
        text = f"{file} cannot be written: {problem.strerror}."
        raise Problem("cannot_write", text, "Choose another place.") from problem
