"""The queries, against the same figures worked out one by one from what was put in."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import jobs
import pytest
import pytest_asyncio
from jobs import Job, Run
from stage import BCG, BPD, CUSTOMS, seed

from dispatch.numbers import figures
from dispatch.numbers.figures import By
from dispatch.numbers.period import DAY_MS, Period
from dispatch.numbers.summaries import Series
from geo import belize
from geo.coordinates import to_utm
from psn import database as psn_database

NOW = datetime(2026, 11, 3, 18, 0, 0, tzinfo=UTC)
NOW_MS = psn_database.milliseconds(NOW)
PERIOD = Period(NOW_MS - 20 * DAY_MS, NOW_MS - 2 * DAY_MS)

Said = dict[tuple[str, str, int], tuple[list[int], list[int], int]]
"""By interval, group and priority: took, ages of what runs, how many cannot be measured."""


@pytest_asyncio.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    await seed(database)
    found = await asyncpg.connect(database)
    await found.execute(
        "insert into incident_type (agency_id, code, name) values"
        " (1, 'theft', 'Theft'), (1, 'fire', 'Fire'), (2, 'adrift', 'Boat adrift')"
    )
    yield found
    await found.close()


def ms(later: datetime, earlier: datetime) -> int:
    return round((later - earlier) / timedelta(milliseconds=1))


class Sums:
    """What the queries should say, counted one by one."""

    def __init__(self) -> None:
        self.said: Said = {}

    def count(
        self,
        name: str,
        key: str,
        priority: int,
        begin: datetime | None,
        end: datetime | None,
        past: bool,
    ) -> None:
        """One interval, by the words of docs/domain.md."""
        if begin is None and end is None and not past:
            return
        took, runs, bad = self.said.get((name, key, priority), ([], [], 0))
        if begin is not None and end is not None and end >= begin:
            took = sorted([*took, ms(end, begin)])
        elif begin is not None and end is None and not past:
            runs = sorted([*runs, max(0, ms(NOW, begin))])
        else:
            bad += 1
        self.said[name, key, priority] = (took, runs, bad)


def key_of(job: Job, by: By, agency: int) -> str:
    if by == "agency":
        return str(agency)
    if by == "priority":
        return str(job.priority)
    if by == "type":
        if job.agency != agency:
            return "foreign"
        return "untyped" if job.type is None else str(job.type)
    if job.point is None:
        return "unplaced"
    district = belize.district_of(*job.point)
    return "elsewhere" if district is None else district.code


def within(at: datetime) -> bool:
    return PERIOD.begin <= psn_database.milliseconds(at) < PERIOD.end


def of_runs(all_jobs: list[Job], by: By, agency: int) -> Said:
    sums = Sums()
    for job in all_jobs:
        for run in job.runs:
            if run.agency != agency or not within(run.ordered):
                continue
            where = (key_of(job, by, agency), job.priority)
            over = run.ended is not None
            there = over or run.on_scene is not None
            moving = there or run.en_route is not None
            sums.count("dispatch_to_acknowledge", *where, run.ordered, run.acknowledged, moving)
            sums.count("turnout", *where, run.acknowledged, run.en_route, there)
            sums.count("travel", *where, run.en_route, run.on_scene, over)
            sums.count("on_scene", *where, run.on_scene, run.ended, False)
    return sums.said


def of_incidents(all_jobs: list[Job], by: By, agency: int) -> Said:
    sums = Sums()
    for job in all_jobs:
        if job.agency == agency and within(job.opened):
            begin = job.received or job.opened
            first = min((run.ordered for run in job.runs), default=None)
            where = (key_of(job, by, agency), job.priority)
            sums.count("call_to_dispatch", *where, begin, first, job.closed is not None)
    return sums.said


def as_said(series: list[Series]) -> Said:
    return {
        (s.interval, s.group, s.priority): (list(s.took), list(s.running), s.unmeasured)
        for s in series
        if s.took or s.running or s.unmeasured
    }


@pytest.mark.parametrize("dice", [1, 2, 3])
async def test_every_figure_is_what_one_counts_by_hand(
    connection: asyncpg.Connection[Any], dice: int
) -> None:
    """DOM-NUM-1, DOM-NUM-2, DOM-NUM-6."""
    made = jobs.some(150, random.Random(dice), NOW, 25, [BPD, BCG, CUSTOMS], [1, 2])
    for job in made:
        if job.agency != BPD:
            job.type = 3 if job.agency == BCG and job.type else None
    await jobs.put(connection, made)
    bys: tuple[By, ...] = ("agency", "district", "priority", "type")
    for agency in (BPD, BCG):
        for by in bys:
            found = await figures.assignments(connection, agency, PERIOD, by, NOW)
            assert as_said(found) == of_runs(made, by, agency), (agency, by)
            found = await figures.incidents(connection, agency, PERIOD, by, NOW)
            assert as_said(found) == of_incidents(made, by, agency), (agency, by)
    heat = await figures.heat(connection, BPD, PERIOD)
    mine = [job for job in made if job.agency == BPD and within(job.opened)]
    placed = [job.point for job in mine if job.point is not None]
    near = [point for point in placed if point[0] < 0]
    assert heat.unplaced == len(mine) - len(placed)
    assert heat.elsewhere == len(placed) - len(near)
    squares = Counter(tuple(math.floor(x / 1_000) for x in to_utm(*point)) for point in near)
    assert {(c.east, c.north): c.incidents for c in heat.cells} == squares
    counts = [cell.incidents for cell in heat.cells]
    assert counts == sorted(counts, reverse=True)
    _, cross = await figures.network(connection, PERIOD)
    assert cross == sum(bool(job.partners) for job in made if within(job.opened))


async def test_a_district_reaches_as_far_from_the_shore_as_the_country_says(
    connection: asyncpg.Connection[Any],
) -> None:
    """DOM-NUM-1: the same as geo.belize.district_of, also off the coast and on borders."""
    dice = random.Random(4)
    corners = [
        (x + dice.gauss(0, 0.015), y + dice.gauss(0, 0.015))
        for district in belize.districts()
        for part in district.shape.geoms
        for x, y in list(part.exterior.coords)[:: max(1, len(part.exterior.coords) // 15)]
    ]
    made = [Job(BPD, NOW - timedelta(days=5), point=point) for point in corners]
    await jobs.put(connection, made)
    found = await figures.incidents(connection, BPD, PERIOD, "district", NOW)
    counted = {s.group: len(s.running) for s in found}
    expected = Counter(key_of(job, "district", BPD) for job in made)
    assert counted == dict(expected)
    assert len(expected) == 7  # every district, and the sea


async def test_ends_of_a_period(connection: asyncpg.Connection[Any]) -> None:
    """DOM-NUM-6: its first moment belongs to it, its last does not."""
    begin, end = psn_database.moment(PERIOD.begin), psn_database.moment(PERIOD.end)
    instant = timedelta(milliseconds=1)
    made = [
        Job(BPD, at, runs=[Run(BPD, at)]) for at in (begin - instant, begin, end - instant, end)
    ]
    await jobs.put(connection, made)
    found = await figures.incidents(connection, BPD, PERIOD, "agency", NOW)
    assert [len(s.took) for s in found] == [2]
    found = await figures.assignments(connection, BPD, PERIOD, "agency", NOW)
    assert sum(len(s.running) for s in found) == 2


async def test_agencies_on_the_network_are_those_that_were_signed_in(
    connection: asyncpg.Connection[Any],
) -> None:
    """DOM-NUM-7."""
    begin, end = psn_database.moment(PERIOD.begin), psn_database.moment(PERIOD.end)
    hour = timedelta(hours=1)
    sessions = [
        ("person_id", 1, begin - 3 * hour, begin + hour, None),  # was there when it began
        ("device_id", 2, begin + hour, end, None),  # the same agency
        ("device_id", 3, end - hour, end + hour, None),  # of the coast guard
        ("person_id", 3, begin - 3 * hour, begin + hour, begin - hour),  # had signed out
    ]
    for number, (column, owner, since, until, ended) in enumerate(sessions):
        await connection.execute(
            f"insert into session (token_hash, {column}, created_at, ends_at, ended_at)"
            " values ($1, $2, $3, $4, $5)",
            bytes([number]),
            owner,
            since,
            until,
            ended,
        )
    agencies, cross = await figures.network(connection, PERIOD)
    assert (agencies, cross) == (2, 0)
