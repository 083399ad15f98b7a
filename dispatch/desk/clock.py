"""What the clock raises: asks ``dispatch.domain.alarms`` every second, and writes what it says."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

import asyncpg

from dispatch.board import rows
from dispatch.board.board import Board
from dispatch.domain import alarms
from dispatch.domain.alarms import AT_ONCE, Due, Kind, Open, Patience
from dispatch.domain.incidents import Phase
from dispatch.domain.statuses import Status
from psn import database

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0


class Clock:
    """Raises what is due, ends what is not any more, and tells the supervisor."""

    def __init__(self, pool: asyncpg.Pool, board: Board, patience: Patience) -> None:
        self._pool = pool
        self._board = board
        self._patience = patience

    async def run(self) -> None:
        """Look every second; survives the database going away."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.look(datetime.now(UTC))
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("alarms wait for the database: %s", problem)

    async def look(self, now: datetime) -> None:
        """What is due at ``now`` (UTC, aware) is there afterwards, and no other of the clock."""
        seconds = now.timestamp()
        wanted = alarms.due(_open(self._board), seconds, self._patience)
        there = {
            Due(each.agency, Kind(each.kind), each.about): each
            for each in self._board.of(rows.Alarm).values()
        }
        new = sorted(wanted - there.keys())
        over = [a.id for due, a in there.items() if due not in wanted and due.kind not in AT_ONCE]
        up = [
            alarm.id
            for alarm in there.values()
            if alarms.goes_up(alarm.level, alarm.taken is not None, alarm.raised / 1000, seconds)
            and alarm.id not in over
        ]
        if not new and not over and not up:
            return
        async with database.asking(self._pool) as connection, connection.transaction():
            await connection.execute("select set_config('psn.acting', 'yes', true)")
            made = await connection.fetch(
                "insert into alarm (agency_id, kind, about) select * from"
                " unnest($1::int[], $2::text[], $3::text[]) on conflict do nothing returning id",
                [each.agency for each in new],
                [str(each.kind) for each in new],
                [each.about for each in new],
            )
            await connection.execute(
                "update alarm set ended_at = now() where id = any($1) and ended_at is null", over
            )
            await connection.execute("update alarm set level = 2 where id = any($1)", up)
        touched = [*(row["id"] for row in made), *over, *up]
        await self._board.renew(("alarm", each) for each in touched)


def _open(board: Board) -> Open:
    """What is open now, as the pure rules see it; times in seconds since 1970 (UTC)."""
    left: dict[int, int] = {}
    for assignment in board.of(rows.Assignment).values():
        if assignment.ended is not None:
            left[assignment.incident] = max(left.get(assignment.incident, 0), assignment.ended)
    return Open(
        calls=tuple(
            alarms.WaitingCall(each.id, each.agency, each.received / 1000)
            for each in board.of(rows.Call).values()
            if each.state == "waiting"
        ),
        incidents=tuple(
            alarms.IdleIncident(
                each.id,
                each.agency,
                each.priority,
                max(each.opened, left.get(each.id, 0)) / 1000,
            )
            for each in board.of(rows.Incident).values()
            if each.phase == Phase.WAITING
        ),
        assignments=tuple(_live(each, board) for each in _assigned(board)),
        invitations=tuple(
            alarms.Waiting(each.id, each.agency, each.at / 1000)
            for each in board.of(rows.Invitation).values()
            if each.answer is None
        ),
        checks=tuple(
            alarms.Waiting(each.id, each.agency, each.due / 1000)
            for each in board.of(rows.WelfareCheck).values()
        ),
        emergencies=tuple(
            alarms.Waiting(each.id, each.agency, each.raised / 1000)
            for each in board.of(rows.Emergency).values()
            if each.owner_agency != each.agency
        ),
        reminders=tuple(
            alarms.Waiting(each.id, each.agency, each.due / 1000)
            for each in board.of(rows.Reminder).values()
        ),
    )


def _assigned(board: Board) -> list[rows.Assignment]:
    return [each for each in board.of(rows.Assignment).values() if each.ended is None]


def _live(each: rows.Assignment, board: Board) -> alarms.LiveAssignment:
    incident = board.of(rows.Incident).get(each.incident)
    kind = None if incident is None else board.of(rows.IncidentType).get(incident.type or 0)
    heard = [each.ordered, each.acknowledged, each.en_route, each.on_scene]
    return alarms.LiveAssignment(
        id=each.id,
        agency=each.agency,
        status=_status(each),
        ordered=each.ordered / 1000,
        refused=each.refused is not None,
        delivered=None if each.delivered is None else each.delivered / 1000,
        on_scene=None if each.on_scene is None else each.on_scene / 1000,
        contact=max(each.contact, *(at for at in heard if at is not None)) / 1000,
        scene_seconds=_minutes(None if kind is None else kind.scene_minutes),
        contact_seconds=_minutes(None if kind is None else kind.contact_minutes),
    )


def _minutes(minutes: int | None) -> float | None:
    return None if minutes is None else minutes * 60.0


def _status(each: rows.Assignment) -> Status:
    if each.on_scene is not None:
        return Status.ON_SCENE
    if each.en_route is not None:
        return Status.EN_ROUTE
    return Status.ORDERED if each.acknowledged is None else Status.ACKNOWLEDGED
