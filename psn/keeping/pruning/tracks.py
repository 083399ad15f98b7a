"""Pruning tracks: a day's partition is dropped when nobody keeps it any longer and no hold touches
it; otherwise the rows of those who do not are deleted inside it. Crossings of fences go with them.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Final

from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Held, Kind
from psn.picture import partitions

BATCH: Final = 10_000
"""Rows that one step deletes."""

_HELD: Final = """
    (SELECT count(*) FROM unnest($2::int[], $3::timestamptz[], $4::timestamptz[])
            AS h (unit, since, until)
      WHERE h.unit = t.unit_id AND t.received_at >= h.since AND t.received_at < h.until) > 0
"""
_DUE: Final = f"t.unit_id = ANY ($1::int[]) AND t.received_at < $5 AND NOT {_HELD}"
_LATE: Final = "interval '10 minutes'"
"""A fix may be so much ahead of the server's clock, and no more (DOM-PIC-2)."""


async def prune(work: Work) -> None:
    """Delete the fixes and crossings of every agency that are past its period."""
    units = await _units(work)
    cutoffs = {agency: work.periods.cutoff(agency, Kind.TRACK, work.now) for agency in units}
    longest = min(cutoffs.values(), default=work.periods.cutoff(None, Kind.TRACK, work.now))
    for name in await partitions.names(work.connection):
        day = partitions.day_of(name)
        ends = None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1)
        held = await work.held()
        if ends is not None and ends <= longest and not await _touched(work, name, held):
            await _drop(work, name, ends)
            continue
        for agency, cutoff in cutoffs.items():
            starts = None if ends is None else ends - timedelta(days=1)
            if starts is None or starts < cutoff:
                await _thin(work, name, agency, units[agency], cutoff)
        if day is None:
            await _forget_strangers(work, name, longest)
    for agency, cutoff in cutoffs.items():
        await _thin(work, "fence_event", agency, units[agency], cutoff)


async def _units(work: Work) -> dict[int, list[int]]:
    rows = await work.connection.fetch(
        "SELECT a.id, array_agg(u.id) FILTER (WHERE u.id IS NOT NULL) AS units"
        " FROM agency a LEFT JOIN unit u ON u.agency_id = a.id GROUP BY a.id ORDER BY a.id"
    )
    return {row["id"]: row["units"] or [] for row in rows}


def _arguments(held: Held) -> tuple[list[int], list[datetime], list[datetime]]:
    return (
        [each.unit for each in held.units],
        [each.since for each in held.units],
        [each.until for each in held.units],
    )


async def _touched(work: Work, name: str, held: Held) -> bool:
    """Whether there is anything in a partition that a hold keeps."""
    units, since, until = _arguments(held)
    if not units:
        return False
    return bool(
        await work.connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {name} t WHERE t.unit_id = ANY ($1::int[]) AND {_HELD})",
            units,
            units,
            since,
            until,
        )
    )


async def _drop(work: Work, name: str, ends: datetime) -> None:
    """Drop a whole day, and tell every agency how much of it was its own."""
    rows = await work.connection.fetch(
        f"SELECT u.agency_id, count(*) FROM {name} t LEFT JOIN unit u ON u.id = t.unit_id"
        " GROUP BY u.agency_id"
    )
    counts = Counter({row[0]: row[1] for row in rows})
    done = [Done("track", agency, count, ends) for agency, count in counts.items()]
    if not work.dry:
        async with work.step() as held:
            if await _touched(work, name, held):
                return
            await partitions.drop(work.connection, name)
            for each in done or [Done("track", None, 0, ends)]:
                await work.record("track.pruned", each, {"partition": name})
        await work.rest()
    work.done += done


async def _thin(work: Work, table: str, agency: int, units: list[int], cutoff: datetime) -> None:
    """Delete the rows of an agency that are past its period, some at a time."""
    if not units:
        return
    due = _DUE if table != "fence_event" else f"{_DUE} AND t.at < $5 + {_LATE}"
    counting = f"SELECT count(*) FROM {table} t WHERE {due}"
    deleting = (
        f"WITH due AS (SELECT t.ctid FROM {table} t WHERE {due} LIMIT {BATCH}),"
        f" gone AS (DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM due))"
        " RETURNING 1) SELECT count(*) FROM gone"
    )
    while True:
        async with work.step() as held:
            arguments = (units, *_arguments(held), cutoff)
            count = await work.connection.fetchval(counting if work.dry else deleting, *arguments)
            if not count:
                return
            done = Done("track", agency, count, cutoff)
            if not work.dry:
                await work.record("track.pruned", done, {"partition": table})
        work.done.append(done)
        if work.dry:
            return
        await work.rest()
        if count < BATCH:
            return


async def _forget_strangers(work: Work, name: str, cutoff: datetime) -> None:
    """Rows of units that are no more, which no agency speaks for."""
    where = "received_at < $1 AND NOT EXISTS (SELECT FROM unit u WHERE u.id = t.unit_id)"
    if work.dry:
        count = await work.connection.fetchval(
            f"SELECT count(*) FROM {name} t WHERE {where}", cutoff
        )
        if count:
            work.done.append(Done("track", None, count, cutoff))
        return
    async with work.connection.transaction():
        count = await work.connection.fetchval(
            f"WITH gone AS (DELETE FROM {name} t WHERE {where} RETURNING 1)"
            " SELECT count(*) FROM gone",
            cutoff,
        )
        if not count:
            return
        done = Done("track", None, count, cutoff)
        await work.record("track.pruned", done, {"partition": name})
    work.done.append(done)
