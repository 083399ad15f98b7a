"""Incidents as they were worked on, put into a database for numbers to be made of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from geo import belize

STEPS = ("ordered", "acknowledged", "en_route", "on_scene", "ended")


@dataclass
class Run:
    """A unit that was sent, and when it did what."""

    agency: int
    ordered: datetime
    acknowledged: datetime | None = None
    en_route: datetime | None = None
    on_scene: datetime | None = None
    ended: datetime | None = None


@dataclass
class Job:
    """An incident, the call that it was made of, and who was sent."""

    agency: int
    opened: datetime
    priority: int = 3
    received: datetime | None = None
    closed: datetime | None = None
    point: tuple[float, float] | None = None
    """Longitude and latitude, degrees."""
    type: int | None = None
    partners: list[int] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)


async def put(connection: asyncpg.Connection[Any], jobs: list[Job]) -> None:
    """Write jobs into the database; each unit is one that nobody else uses."""
    async with connection.transaction():
        for number, job in enumerate(jobs):
            await _put(connection, number, job)


async def _put(connection: asyncpg.Connection[Any], number: int, job: Job) -> None:
    incident = await connection.fetchval(
        "insert into incident (agency_id, title, opened_by, opened_at, closed_at)"
        " values ($1, 'A job', 'test', $2, $3) returning id",
        job.agency,
        job.opened,
        job.closed,
    )
    lon, lat = job.point or (None, None)
    await connection.execute(
        "update incident_card set priority = $2, type_id = $3,"
        " point = st_setsrid(st_makepoint($4, $5), 4326) where incident_id = $1",
        incident,
        job.priority,
        job.type,
        lon,
        lat,
    )
    for agency in (job.agency, *job.partners):
        await connection.execute(
            "insert into incident_member (incident_id, agency_id, reason, author)"
            " values ($1, $2, 'takes part', 'test')",
            incident,
            agency,
        )
    if job.received is not None:
        # A second caller joined it later: that is no beginning.
        for state, received in (("incident", job.received), ("joined", job.received - DAY)):
            await connection.execute(
                "insert into call (agency_id, number, line, state, received_at, ended_at,"
                " incident_id) values ($1, next_number($1, 'call'), '911', $2, $3, $4, $5)",
                job.agency,
                state,
                received,
                job.opened,
                incident,
            )
    for place, run in enumerate(job.runs):
        await _send(connection, incident, f"Unit {number}.{place}", run)


DAY = timedelta(days=1)


async def _send(
    connection: asyncpg.Connection[Any], incident: int, callsign: str, run: Run
) -> None:
    unit = await connection.fetchval(
        "insert into unit (agency_id, callsign, kind) values ($1, $2, 'car')"
        " on conflict (agency_id, callsign) do update set kind = 'car' returning id",
        run.agency,
        callsign,
    )
    await connection.execute(
        "insert into assignment (incident_id, unit_id, agency_id, ordered_by, ordered_at,"
        " acknowledged_at, en_route_at, on_scene_at, ended_at, outcome)"
        " values ($1, $2, $3, 'test', $4, $5, $6, $7, $8, $9)",
        incident,
        unit,
        run.agency,
        run.ordered,
        run.acknowledged,
        run.en_route,
        run.on_scene,
        run.ended,
        "cleared" if run.ended else None,
    )


def some(
    count: int,
    dice: random.Random,
    now: datetime,
    days: float,
    agencies: list[int],
    types: list[int],
) -> list[Job]:
    """Random jobs of the last days: most as it should be, some with steps that are missing."""
    return [_job(dice, now - timedelta(days=dice.random() * days), agencies, types)
            for _ in range(count)]  # fmt: skip


def _job(dice: random.Random, opened: datetime, agencies: list[int], types: list[int]) -> Job:
    agency = dice.choice(agencies)
    partners = [each for each in agencies if each != agency and dice.random() < 0.15]
    job = Job(agency, opened, dice.randint(1, 5), point=_point(dice), partners=partners)
    job.type = dice.choice([None, *types])
    if dice.random() < 0.7:
        job.received = opened - timedelta(seconds=dice.randint(5, 60))
    for sender in [agency, *partners]:
        for _ in range(dice.choice([0, 1, 1, 2])):
            job.runs.append(_run(dice, sender, opened))
    if all(run.ended for run in job.runs) and dice.random() < 0.8:
        job.closed = opened + timedelta(hours=3)
    return job


def _point(dice: random.Random) -> tuple[float, float] | None:
    west, south, east, north = belize.BOUNDS
    kind = dice.random()
    if kind < 0.1:
        return None
    if kind < 0.15:
        return (100.0, -30.0)
    if kind < 0.6:
        place = dice.choice(belize.places())
        return (place.lon + dice.gauss(0, 0.01), place.lat + dice.gauss(0, 0.01))
    return (dice.uniform(west - 0.2, east + 0.2), dice.uniform(south - 0.2, north + 0.2))


def _run(dice: random.Random, agency: int, opened: datetime) -> Run:
    at = opened + timedelta(seconds=dice.randint(1, 120))
    times: list[datetime | None] = [at]
    for longest in (90, 150, 1_500, 5_000):
        at += timedelta(milliseconds=dice.randint(0, longest * 1_000))
        times.append(at if dice.random() < 0.9 else None)
    if dice.random() < 0.05 and times[1] is not None:
        times[1] = opened - timedelta(seconds=30)  # a wrong clock
    if dice.random() < 0.1:
        begun = dice.randint(1, 4)  # the rest has not happened yet
        times = times[:begun] + [None] * (5 - begun)
    first = times[0]
    assert first is not None
    return Run(agency, first, *times[1:])
