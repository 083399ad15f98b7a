"""Pruning incidents: each with all of its own, and what is counted of it is kept without a name.

An incident is due when it is closed, no unit is on it, nothing attached to it is under way, and it
and the last entry of its log are past the period of every agency that has something in it; what
any hold concerns stays (``holds``). It goes in one transaction with its calls, log, assignments,
links, invitations, members, alarms, reminders, checks and attachments, whose files a trigger names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from geo import belize
from psn.keeping.pruning import holds
from psn.keeping.pruning.step import Done, Work
from psn.keeping.retention import Held, Kind

BATCH: Final = 100
"""Incidents that one step deletes."""

_DUE: Final = f"""
    SELECT i.id FROM incident i
     WHERE i.agency_id = $8 AND i.opened_at < $9 AND i.closed_at < $9
       AND ($12::int[] IS NULL OR i.id = ANY ($12))
       AND NOT EXISTS (
           SELECT FROM unnest($10::int[], $11::timestamptz[]) AS p (agency, cutoff)
            WHERE greatest(i.closed_at, (SELECT e.at FROM incident_event e
                                          WHERE e.incident_id = i.id
                                          ORDER BY e.seq DESC LIMIT 1)) >= p.cutoff
              AND p.agency IN (
                  SELECT i.agency_id
                   UNION ALL
                  SELECT m.agency_id FROM incident_member m WHERE m.incident_id = i.id
                   UNION ALL
                  SELECT s.agency_id FROM assignment s WHERE s.incident_id = i.id
                   UNION ALL
                  SELECT c.agency_id FROM call c WHERE c.incident_id = i.id))
       AND NOT EXISTS (SELECT FROM assignment s
                        WHERE s.incident_id = i.id AND s.ended_at IS NULL)
       AND NOT EXISTS (SELECT FROM welfare_check w
                        WHERE w.incident_id = i.id AND w.ended_at IS NULL)
       AND NOT EXISTS (SELECT FROM attachment a WHERE a.about = 'incident:' || i.id
                          AND (a.state NOT IN ('ready', 'refused') OR {holds.ATTACHMENT}))
       AND NOT EXISTS (SELECT FROM recording r WHERE r.incident_id = i.id
                          AND (r.ended_at IS NULL OR {holds.RECORDING}))
       AND NOT {holds.INCIDENT}
     ORDER BY i.id
"""
# Who works on an incident has its card; what somebody is at waits for the next time.
_LOCK: Final = """
    SELECT incident_id FROM incident_card WHERE incident_id = ANY ($1::int[])
     ORDER BY incident_id FOR UPDATE SKIP LOCKED
"""
# Attachments that are past their own period are counted where these are deleted.
_COUNTS: Final = """
    SELECT (SELECT count(*) FROM call WHERE incident_id = ANY ($1::int[])) AS call,
           (SELECT count(*) FROM assignment WHERE incident_id = ANY ($1)) AS assignment,
           (SELECT count(*) FROM incident_event WHERE incident_id = ANY ($1)) AS entry,
           (SELECT count(*) FROM unnest($1) AS g (id)
              JOIN recording r ON r.incident_id = g.id
              JOIN unnest($2::int[], $4::timestamptz[]) AS p (agency, cutoff)
                ON p.agency = r.agency_id AND r.begun_at >= p.cutoff) AS recording,
           (SELECT count(*) FROM unnest($1) AS g (id)
              JOIN attachment a ON a.about = 'incident:' || g.id
              JOIN unnest($2::int[], $3::timestamptz[]) AS p (agency, cutoff)
                ON p.agency = a.agency_id AND a.made_at >= p.cutoff) AS attachment
"""
# A kilometre of UTM 16N, as the map of incidents counts them (``dispatch.numbers``); far from here
# that grid means nothing, and a hundredth of a degree does.
_WEST, _SOUTH, _EAST, _NORTH = belize.BOUNDS
_MARGIN: Final = belize.AROUND_DEGREES
_SQUARE: Final = f"""
    CASE WHEN k.point && st_makeenvelope({_WEST - _MARGIN}, {_SOUTH - _MARGIN},
                                         {_EAST + _MARGIN}, {_NORTH + _MARGIN}, 4326)
         THEN st_transform(st_setsrid(st_makepoint(
                  floor(st_x(st_transform(k.point, 32616)) / 1000) * 1000 + 500,
                  floor(st_y(st_transform(k.point, 32616)) / 1000) * 1000 + 500), 32616), 4326)
         ELSE st_snaptogrid(k.point, 0.01) END
"""
_FIGURES: Final = f"""
    WITH going AS MATERIALIZED (
         SELECT g.id, nextval(pg_get_serial_sequence('incident_figure', 'id'))::int AS figure
           FROM unnest($1::int[]) AS g (id)),
    kept AS (
         INSERT INTO incident_figure (id, agency_id, opened_at, asked_at, sent_at, closed_at,
                                      priority, type_id, point, shared)
         SELECT g.figure, i.agency_id, i.opened_at,
                coalesce((SELECT min(c.received_at) FROM call c
                           WHERE c.incident_id = i.id AND c.state = 'incident'), i.opened_at),
                (SELECT min(s.ordered_at) FROM assignment s WHERE s.incident_id = i.id),
                i.closed_at, k.priority, k.type_id, {_SQUARE},
                EXISTS (SELECT FROM incident_member m
                         WHERE m.incident_id = i.id AND m.agency_id <> i.agency_id)
           FROM going g JOIN incident i ON i.id = g.id JOIN incident_card k ON k.incident_id = i.id)
    INSERT INTO assignment_figure (figure_id, agency_id, ordered_at, acknowledged_at, en_route_at,
                                   on_scene_at, ended_at)
    SELECT g.figure, s.agency_id, s.ordered_at, s.acknowledged_at, s.en_route_at, s.on_scene_at,
           s.ended_at
      FROM going g JOIN assignment s ON s.incident_id = g.id ORDER BY s.ordered_at
"""
# The log, the card, links, invitations and members go with the incident's own row.
_DELETIONS: Final = (
    """
    DELETE FROM alarm WHERE about IN (
        SELECT 'incident:' || id FROM unnest($1::int[]) AS g (id)
         UNION ALL
        SELECT 'call:' || id FROM call WHERE incident_id = ANY ($1)
         UNION ALL
        SELECT 'assignment:' || id FROM assignment WHERE incident_id = ANY ($1)
         UNION ALL
        SELECT 'invitation:' || id FROM invitation WHERE incident_id = ANY ($1)
         UNION ALL
        SELECT 'reminder:' || id FROM reminder WHERE incident_id = ANY ($1))
    """,
    "DELETE FROM attachment WHERE about IN (SELECT 'incident:' || unnest($1::int[]))",
    "DELETE FROM recording WHERE incident_id = ANY ($1::int[])",
    "DELETE FROM reminder WHERE incident_id = ANY ($1::int[])",
    "DELETE FROM welfare_check WHERE incident_id = ANY ($1::int[])",
    "DELETE FROM call WHERE incident_id = ANY ($1::int[])",
    "DELETE FROM assignment WHERE incident_id = ANY ($1::int[])",
    "DELETE FROM incident WHERE id = ANY ($1::int[])",
)


async def prune(work: Work) -> None:
    """Delete the ended incidents of every agency that nobody keeps any longer."""
    agencies = [row[0] for row in await work.connection.fetch("SELECT id FROM agency ORDER BY id")]
    for agency in agencies:
        while await _step(work, agency, agencies) == BATCH:
            await work.rest()


async def _step(work: Work, agency: int, agencies: list[int]) -> int:
    """Delete some that are due; of how many it tried, or 0 when none of them went.

    In a dry run: count them all, and 0.
    """
    due = await _due(work, await work.held(), agency, agencies, None)
    if work.dry and due:
        work.done += (await _counted(work, agency, agencies, due))[0]
    if work.dry or not due:
        return 0
    async with work.step() as held:
        locked = [row[0] for row in await work.connection.fetch(_LOCK, due)]
        # Asked again now that nobody else can work on them.
        ids = await _due(work, held, agency, agencies, locked) if locked else []
        if not ids:
            return 0
        done, counts = await _counted(work, agency, agencies, ids)
        for statement in (_FIGURES, *_DELETIONS):
            await work.connection.execute(statement, ids)
        await work.record("incident.pruned", done[0], {"ids": ids, **counts})
    work.done += done
    # Those that somebody is at do not end it: others wait behind them.
    return len(due)


async def _due(
    work: Work, held: Held, agency: int, agencies: list[int], among: list[int] | None
) -> list[int]:
    rows = await work.connection.fetch(
        _DUE if work.dry else f"{_DUE} LIMIT {BATCH}",
        *holds.arguments(held),
        agency,
        work.periods.cutoff(agency, Kind.INCIDENT, work.now),
        agencies,
        _cutoffs(work, agencies, Kind.INCIDENT),
        among,
    )
    return [row[0] for row in rows]


def _cutoffs(work: Work, agencies: list[int], kind: Kind) -> list[datetime]:
    return [work.periods.cutoff(agency, kind, work.now) for agency in agencies]


async def _counted(
    work: Work, agency: int, agencies: list[int], ids: list[int]
) -> tuple[list[Done], dict[str, Any]]:
    """What goes with incidents: as it is told, the incidents first, and as the audit has it."""
    row: Any = await work.connection.fetchrow(
        _COUNTS,
        ids,
        agencies,
        _cutoffs(work, agencies, Kind.ATTACHMENT),
        _cutoffs(work, agencies, Kind.RECORDING),
    )
    cutoff = work.periods.cutoff(agency, Kind.INCIDENT, work.now)
    counts = dict(row)
    done = [Done("incident", agency, len(ids), cutoff)]
    done += [Done(f"incident.{what}", agency, n, cutoff) for what, n in counts.items() if n]
    return done, counts
