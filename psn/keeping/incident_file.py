"""An incident as a whole, as one archive for a court: JSON and files in a ZIP, each with its hash.

It has what one agency may see of it (docs/access.md): of other agencies' private notes, calls and
invitations only how many there are. ``SHA256SUMS`` has the hash of every other file, and the
audit that of the archive, so that whoever gets it can prove that it is the one that was made.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import asyncpg

from psn import database
from psn.keeping import stored_files
from psn.problems import Problem

READY: Final = "ready"
_ENDINGS: Final = {"image/jpeg": "jpg", "audio/ogg": "ogg", "text/plain": "txt"}
_PIECE: Final = 1 << 20
"""Bytes that are read at a time."""
_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a ZIP knows: the moment stands in the JSON, with its zone."""

FIND: Final = """
    SELECT i.id, k.number, i.agency_id FROM incident i JOIN incident_card k ON k.incident_id = i.id
     WHERE $1 IN (i.id::text, k.number)
"""
_INCIDENT: Final = """
    SELECT k.number, i.title, a.code AS agency, t.code AS type, t.name AS type_name, k.priority,
           k.place, st_x(k.point) AS lon, st_y(k.point) AS lat, k.details, k.checklist, k.outcome,
           p.full_name AS answers_for_it, i.opened_by, i.opened_at, i.closed_at
      FROM incident i JOIN incident_card k ON k.incident_id = i.id
      JOIN agency a ON a.id = i.agency_id LEFT JOIN incident_type t ON t.id = k.type_id
      LEFT JOIN person p ON p.id = k.owner_id
     WHERE i.id = $1
"""
_MEMBERS: Final = """
    SELECT coalesce(a.code, o.code) AS agency, u.callsign AS unit, m.starts_at, m.ends_at, m.reason,
           m.author
      FROM incident_member m LEFT JOIN agency a ON a.id = m.agency_id
      LEFT JOIN unit u ON u.id = m.unit_id LEFT JOIN agency o ON o.id = u.agency_id
     WHERE m.incident_id = $1 ORDER BY m.id
"""
_CALLS: Final = """
    SELECT c.number, a.code AS agency, c.line, c.state, c.caller_name, c.caller_number, c.place,
           st_x(c.point) AS lon, st_y(c.point) AS lat, t.code AS type, c.notes,
           p.full_name AS taken_by, c.received_at, c.taken_at, c.ended_at
      FROM call c JOIN agency a ON a.id = c.agency_id
      LEFT JOIN incident_type t ON t.id = c.type_id LEFT JOIN person p ON p.id = c.taken_by
     WHERE c.incident_id = $1 AND c.agency_id = $2 ORDER BY c.id
"""
_ASSIGNMENTS: Final = """
    SELECT u.callsign AS unit, a.code AS agency, s.order_id,
           CASE WHEN s.agency_id = $2 THEN s.order_text END AS order_text, s.ordered_by, s.place,
           st_x(s.point) AS lon, st_y(s.point) AS lat, s.ordered_at, s.sent_at, s.delivered_at,
           s.acknowledged_at, s.en_route_at, s.on_scene_at, s.ended_at, s.outcome,
           s.refused_at, s.refusal,
           CASE WHEN s.agency_id = $2 THEN l.body END AS order_message
      FROM assignment s JOIN unit u ON u.id = s.unit_id JOIN agency a ON a.id = s.agency_id
      LEFT JOIN log l ON l.uid = s.order_id
     WHERE s.incident_id = $1 ORDER BY s.id
"""
_LOG: Final = """
    SELECT e.seq, e.at, e.author, e.author_name, a.code AS agency, e.kind, e.private, e.details
      FROM incident_event e LEFT JOIN agency a ON a.id = e.agency_id
     WHERE e.incident_id = $1 AND (NOT e.private OR e.agency_id = $2) ORDER BY e.seq
"""
_LINKS: Final = """
    SELECT k.number AS other, l.reason, l.author, l.at
      FROM incident_link l JOIN incident_card k
        ON k.incident_id = CASE l.incident_id WHEN $1 THEN l.other_id ELSE l.incident_id END
     WHERE $1 IN (l.incident_id, l.other_id) ORDER BY l.at
"""
_INVITATIONS: Final = """
    SELECT a.code AS agency, f.code AS from_agency, v.text, v.author, v.at, v.answer, v.answer_text,
           v.answered_at, v.answered_by
      FROM invitation v JOIN agency a ON a.id = v.agency_id JOIN agency f ON f.id = v.from_agency
     WHERE v.incident_id = $1 AND $2 IN (v.agency_id, v.from_agency) ORDER BY v.id
"""
_ATTACHMENTS: Final = """
    SELECT t.id, t.kind, t.type, t.state, t.reason, a.code AS agency, t.author, t.made_at,
           t.size AS size_as_sent, encode(t.sha256, 'hex') AS sha256_as_sent, t.width, t.height,
           t.seconds
      FROM attachment t JOIN agency a ON a.id = t.agency_id
     WHERE t.about = 'incident:' || $1::int AND (t.state = 'ready' OR t.agency_id = $2)
     ORDER BY t.made_at, t.id
"""
_RECORDINGS: Final = """
    SELECT r.id, r.talker, r.talker_name, a.code AS agency, r.call, r.begun_at, r.ended_at,
           r.milliseconds
      FROM recording r JOIN agency a ON a.id = r.agency_id
     WHERE r.incident_id = $1 ORDER BY r.begun_at, r.id
"""
_LEFT_OUT: Final = """
    SELECT (SELECT count(*) FROM call WHERE incident_id = $1 AND agency_id <> $2) AS calls,
           (SELECT count(*) FROM incident_event
             WHERE incident_id = $1 AND private AND agency_id IS DISTINCT FROM $2) AS private_notes,
           (SELECT count(*) FROM invitation
             WHERE incident_id = $1 AND $2 NOT IN (agency_id, from_agency)) AS invitations,
           (SELECT count(*) FROM assignment WHERE incident_id = $1 AND agency_id <> $2)
               AS words_of_orders
"""
BYTES_MS: Final = 4
"""A millisecond of talk at most, of ordinary talk: 32 kbit/s."""
_JSON: Final = {"incident": "checklist", "assignments": "order_message", "log": "details"}
"""What of each part the database keeps as JSON."""


@dataclass(slots=True)
class Contents:
    """What is in the archive."""

    said: dict[str, Any]
    """For ``incident.json``."""

    @property
    def number(self) -> str:
        """What people know the incident by."""
        return str(self.said["incident"]["number"])


@dataclass(slots=True)
class Sealed:
    """What was written."""

    sha256: str = ""
    """Of the whole archive."""
    size: int = 0
    attachments: int = 0
    recordings: int = 0
    missing: list[str] = field(default_factory=list)
    """Attachments that are ready, and whose files are not there."""


async def read(connection: database.Connection, incident: int, viewer: int, by: str) -> Contents:
    """What an agency may see of an incident, as of one moment.

    ``by``: who asks for it, as the archive says it. Raises :class:`Problem` ``not_found`` when it
    was pruned meanwhile.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await connection.fetchrow(_INCIDENT, incident)
        if found is None:
            raise Problem("not_found", "That incident is not there any more.", "Nothing to do.")
        agency = await connection.fetchval("SELECT code FROM agency WHERE id = $1", viewer)
        left_out: Any = await connection.fetchrow(_LEFT_OUT, incident, viewer)
        said = {
            "made_at": datetime.now(UTC),
            "made_by": by,
            "as_seen_by": agency,
            "left_out": dict(left_out),
            "incident": _line(found, "incident"),
        }
        for name, query in _OF_ALL.items():
            rows = await connection.fetch(query, incident)
            said[name] = [_line(row, name) for row in rows]
        for name, query in _OF_VIEWER.items():
            rows = await connection.fetch(query, incident, viewer)
            said[name] = [_line(row, name) for row in rows]
    return Contents(said)


_OF_ALL: Final = {"members": _MEMBERS, "links": _LINKS, "recordings": _RECORDINGS}
_OF_VIEWER: Final = {
    "assignments": _ASSIGNMENTS,
    "calls": _CALLS,
    "log": _LOG,
    "invitations": _INVITATIONS,
    "attachments": _ATTACHMENTS,
}


def _line(row: asyncpg.Record, part: str) -> dict[str, Any]:
    said = dict(row)
    coded = _JSON.get(part)
    if coded is not None and said[coded] is not None:
        said[coded] = json.loads(said[coded])
    return said


class NoRoom(Problem):
    """``no_room_for_export``: the archive would fill the disk."""

    def __init__(self) -> None:
        super().__init__(
            "no_room_for_export",
            "The server's disk has no room to put this incident together.",
            "Make room where PSN_FILES lies, then export it again.",
        )


_ONE_RESERVES: Final = threading.Lock()
"""Between looking for room and having it."""


def scratch(contents: Contents, directory: Path) -> IO[bytes]:
    """A file without a name in the directory of files, where the archive is put together; blocks.

    It has its room from the beginning on, so that of two at a time each finds what the other left.
    Whatever becomes of it then, :func:`let_go` is to be called. Raises :class:`NoRoom` where it
    would not fit, and ``OSError``.
    """
    stored_files.prepare(directory)
    needed = _bytes_of_files(contents, directory)
    with _ONE_RESERVES:
        if not stored_files.has_room(directory, needed):
            raise NoRoom
        with contextlib.ExitStack() as ends:
            made = ends.enter_context(tempfile.TemporaryFile(dir=directory))
            if needed:
                with _told_when_full():
                    os.posix_fallocate(made.fileno(), 0, needed)
            ends.pop_all()
    return made


def let_go(made: IO[bytes]) -> None:
    """Close what :func:`scratch` gave; it is no more then."""
    # What a full disk did not take is not wanted any more.
    with contextlib.suppress(OSError):
        made.close()


def _bytes_of_files(contents: Contents, directory: Path) -> int:
    """Photos and sound do not get smaller in an archive; words, which do, are few."""
    total: int = sum(talk["milliseconds"] for talk in contents.said["recordings"]) * BYTES_MS
    for one in contents.said["attachments"]:
        if one["state"] == READY:
            with contextlib.suppress(FileNotFoundError):
                total += stored_files.path(directory, str(one["id"])).stat().st_size
    return total


@contextlib.contextmanager
def _told_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in stored_files.FULL:
            raise NoRoom from problem
        raise


@_told_when_full()
def write(
    contents: Contents,
    open_file: Callable[[str], IO[bytes]],
    sound: Callable[[UUID], bytes],
    out: IO[bytes],
) -> Sealed:
    """Write the archive; blocks.

    ``open_file`` opens the file of an attachment by its id, ``sound`` gives what was said in a
    recording; none when it was pruned meanwhile. Raises :class:`NoRoom`, and ``OSError``.
    """
    sealed, sums = Sealed(), dict[str, str]()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in contents.said["attachments"]:
            if one["state"] != READY:
                continue
            name = f"attachments/{one['id']}.{_ENDINGS.get(one['type'], 'bin')}"
            try:
                with open_file(str(one["id"])) as file:
                    one["sha256"] = sums[name] = _copied(file, archive, name)
            except FileNotFoundError:
                sealed.missing.append(str(one["id"]))
                one["file"] = None
                continue
            one["file"] = name
            sealed.attachments += 1
        for talk in contents.said["recordings"]:
            spoken = sound(talk["id"])
            talk["file"] = None
            if spoken:
                talk["file"] = name = f"recordings/{talk['id']}.ogg"
                talk["sha256"] = sums[name] = _copied(io.BytesIO(spoken), archive, name)
                sealed.recordings += 1
        text = json.dumps(contents.said, ensure_ascii=False, default=_plain, indent=2)
        for name, data in (("incident.json", text), ("README.txt", _about(contents, sealed))):
            sums[name] = _written(archive, name, data)
        lines = "".join(f"{hash}  {name}\n" for name, hash in sorted(sums.items()))
        _written(archive, "SHA256SUMS", lines)
    out.truncate()  # what was reserved, and not needed
    out.seek(0)
    digest = hashlib.sha256()
    while piece := out.read(_PIECE):
        digest.update(piece)
    sealed.sha256, sealed.size = digest.hexdigest(), out.tell()
    out.seek(0)
    return sealed


def _copied(file: IO[bytes], archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(zipfile.ZipInfo(name, _DAY), "w") as into:
        while piece := file.read(_PIECE):
            digest.update(piece)
            into.write(piece)
    return digest.hexdigest()


def _written(archive: zipfile.ZipFile, name: str, text: str) -> str:
    data = text.encode("utf-8", "replace")
    into = zipfile.ZipInfo(name, _DAY)
    into.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(into, data)
    return hashlib.sha256(data).hexdigest()


def _about(contents: Contents, sealed: Sealed) -> str:
    said = contents.said
    left = [f"{n} {what.replace('_', ' ')}" for what, n in said["left_out"].items() if n]
    lines = [
        f"Incident {contents.number}, as {said['as_seen_by']} may see it,"
        f" as of {said['made_at']:%Y-%m-%d %H:%M:%S} UTC. Made by {said['made_by']}.",
        "incident.json has all of it; times are UTC, places WGS 84 in degrees.",
        f"attachments/ has {sealed.attachments} files. A photo or voice note is what the server"
        " made of the one that was sent, whose own hash stands beside it as sha256_as_sent.",
        f"recordings/ has {sealed.recordings} files: what was said in its voice group (Ogg Opus).",
        "Where units were is not in it.",
    ]
    if left:
        lines.append(f"Left out, since they are other agencies' own: {', '.join(left)}.")
    if sealed.missing:
        lines.append(f"Not found on the server's disk: {', '.join(sealed.missing)}.")
    lines += [
        "To check that nothing was changed: sha256sum -c SHA256SUMS.",
        "The SHA-256 of this archive as a whole stands in the server's audit (incident.exported).",
    ]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
