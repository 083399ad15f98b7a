"""What an agency wants its own people to know around a place: hazards, premises, ways in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

import asyncpg
from msgspec import Meta, Struct

from dispatch.acting import acting
from dispatch.administration.values import (
    Added,
    Body,
    Done,
    Id,
    Prose,
    Until,
    author_of,
    future,
    milliseconds,
)
from dispatch.asking import ApiProblem, Asked, Route, not_found
from dispatch.locating.values import Lat, Lon, checked_point, e7
from psn import database
from psn.directory import Directory

NoteKind = Literal["hazard", "premise", "access"]
Radius = Annotated[int, Meta(ge=1, le=50_000)]
MOST_NOTES: Final = 20
"""Shown at one place, the nearest first."""
MOST_LISTED: Final = 1_000

_IN_FORCE: Final = "n.starts_at <= now() AND (n.ends_at IS NULL OR n.ends_at > now())"
# The box is half a degree of latitude to each side: the widest radius there may be.
_AROUND: Final = f"""
    SELECT c.at, n.* FROM unnest($2::float8[], $3::float8[]) WITH ORDINALITY AS c (lon, lat, at)
     CROSS JOIN LATERAL (
           SELECT n.id, n.kind, n.text, n.radius_m, n.ends_at, n.author,
                  ST_Distance(n.point::geography, here.point::geography) AS away
             FROM place_note n,
                  (SELECT ST_SetSRID(ST_MakePoint(c.lon, c.lat), 4326) AS point) AS here
            WHERE n.agency_id = $1 AND {_IN_FORCE}
              AND n.point && ST_Expand(here.point, 0.5 / greatest(cosd(c.lat), 0.01), 0.5)
              AND ST_DWithin(n.point::geography, here.point::geography, n.radius_m)
            ORDER BY array_position('{{hazard,access,premise}}', n.kind), away, n.id
            LIMIT {MOST_NOTES}) AS n
"""


class Note(Struct):
    """A note that applies at a place: how far its middle is, its radius (metres), until when."""

    id: int
    kind: NoteKind
    text: str
    author: str
    distance: int
    radius: int
    ends: int | None


class NoteRow(Struct):
    """A note of the caller's agency, with its middle; times in milliseconds UTC."""

    id: int
    kind: NoteKind
    text: str
    author: str
    place: int | None
    name: str | None
    lon: int
    lat: int
    radius: int
    starts: int
    ends: int | None


class Notes(Struct):
    """Notes of the caller's agency that are not over."""

    notes: list[NoteRow]


class NewNote(Body):
    """What is to be known around a place, or around a point where there is none."""

    kind: NoteKind
    text: Prose
    radius: Radius
    place: Id | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    starts: Until | None = None
    ends: Until | None = None


class ChangedNote(Body):
    """What the note says now."""

    text: Prose
    radius: Radius
    ends: Until | None = None


async def around(
    connection: database.Connection,
    agency: int,
    points: Sequence[tuple[float, float]],
    directory: Directory,
) -> list[list[Note]]:
    """The notes of an agency that apply at each of several points (degrees), hazards first."""
    found: list[list[Note]] = [[] for _ in points]
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    for row in await connection.fetch(_AROUND, agency, lons, lats):
        found[row["at"] - 1].append(
            Note(
                row["id"],
                row["kind"],
                row["text"],
                author_of(row["author"], directory),
                round(row["away"]),
                row["radius_m"],
                milliseconds(row["ends_at"]),
            )
        )
    return found


async def list_notes(asked: Asked) -> Notes:
    """The notes of the caller's agency that are not over."""
    agency = asked.own("place", "see")
    rows = await asked.pool.fetch(
        "SELECT n.*, p.name, ST_X(n.point) AS lon, ST_Y(n.point) AS lat"
        "  FROM place_note n LEFT JOIN place p ON p.id = n.place_id"
        " WHERE n.agency_id = $1 AND (n.ends_at IS NULL OR n.ends_at > now())"
        " ORDER BY n.id DESC LIMIT $2",
        agency,
        MOST_LISTED,
    )
    return Notes([_row(row, asked.core.directory) for row in rows])


def _row(row: asyncpg.Record, directory: Directory) -> NoteRow:
    return NoteRow(
        row["id"],
        row["kind"],
        row["text"],
        author_of(row["author"], directory),
        row["place_id"],
        row["name"],
        e7(row["lon"]),
        e7(row["lat"]),
        row["radius_m"],
        database.milliseconds(row["starts_at"]),
        milliseconds(row["ends_at"]),
    )


async def add_note(asked: Asked) -> Added:
    """Add a note at a place that the caller may see, or at a point."""
    agency = asked.own("place", "manage")
    body: NewNote = asked.body
    starts, ends = _term(body.starts, body.ends)
    async with acting(asked) as connection:
        lon, lat = await _middle(connection, agency, body)
        number = await connection.fetchval(
            "INSERT INTO place_note (agency_id, place_id, point, radius_m, kind, text, author,"
            " starts_at, ends_at) VALUES ($1, $2, ST_SetSRID(ST_MakePoint($3, $4), 4326), $5, $6,"
            " $7, $8, coalesce($9, now()), $10) RETURNING id",
            agency,
            body.place,
            lon,
            lat,
            body.radius,
            body.kind,
            body.text.strip(),
            asked.who.address,
            starts,
            ends,
        )
    return Added(number)


async def _middle(
    connection: database.Connection, agency: int, body: NewNote
) -> tuple[float, float]:
    """Where a note is; raises ``not_found`` for a place that the caller may not see."""
    here = body.lon is not None and body.lat is not None
    if (body.place is None) != here or (body.lon is None) != (body.lat is None):
        raise ApiProblem(
            400, "bad_note", "A note is at a place, or at lon and lat.", "Say one of the two."
        )
    if body.lon is not None and body.lat is not None:
        return checked_point(body.lon, body.lat, anywhere=True)
    row = await connection.fetchrow(
        "SELECT ST_X(point) AS lon, ST_Y(point) AS lat FROM place"
        " WHERE id = $1 AND (agency_id IS NULL OR agency_id = $2) AND retired_at IS NULL",
        body.place,
        agency,
    )
    if row is None:
        raise not_found()
    return row["lon"], row["lat"]


async def change_note(asked: Asked) -> Done:
    """Change what a note says, how far it holds, and until when."""
    agency = asked.own("place", "manage")
    body: ChangedNote = asked.body
    return await _change(
        asked,
        "UPDATE place_note SET text = $3, radius_m = $4, ends_at = $5"
        " WHERE id = $1 AND agency_id = $2 AND (ends_at IS NULL OR ends_at > now())"
        " AND ($5::timestamptz IS NULL OR $5 >= starts_at) RETURNING id",
        agency,
        body.text.strip(),
        body.radius,
        future(body.ends),
    )


async def end_note(asked: Asked) -> Done:
    """End a note now; it stays, for auditors."""
    return await _change(
        asked,
        "UPDATE place_note SET ends_at = greatest(starts_at, least(ends_at, now()))"
        " WHERE id = $1 AND agency_id = $2 RETURNING id",
        asked.own("place", "manage"),
    )


async def _change(asked: Asked, statement: str, *values: object) -> Done:
    number = asked.path_id()
    async with acting(asked) as connection:
        if await connection.fetchval(statement, number, *values) is None:
            raise not_found()
    return Done()


def _term(starts: int | None, ends: int | None) -> tuple[datetime | None, datetime | None]:
    """When it begins and ends, UTC; raises ``bad_term``, ``already_over``."""
    begins = None if starts is None else database.moment(starts)
    over = future(ends)
    if begins is not None and over is not None and over < begins:
        text = "The note would end before it begins."
        raise ApiProblem(400, "bad_term", text, "Choose a later end, or none.")
    return begins, over


_ONE: Final = "/api/place-notes/{id}"
ROUTES: Final = (
    Route("/api/place-notes", list_notes, Notes),
    Route("/api/place-notes", add_note, Added, method="POST", takes=NewNote),
    Route(_ONE, change_note, Done, method="POST", takes=ChangedNote),
    Route(f"{_ONE}/end", end_note, Done, method="POST"),
)
