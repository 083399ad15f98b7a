"""Fences that are watched: what crosses them is told by the network, who stays by the clock."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

import asyncpg
import msgspec

from dispatch.board.board import Board
from dispatch.domain import fence_rules
from dispatch.domain.alarms import Kind
from dispatch.domain.fence_rules import FenceRule, Inside
from psn import database, wire
from psn.core import Core
from psn.directory import Unit

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 1.0

Broken = tuple[FenceRule, int, int]
"""The rule, the unit, and when (ms UTC)."""


class FenceWatch:
    """Raises alarms by the rules that are in force."""

    def __init__(self, core: Core, pool: asyncpg.Pool, board: Board) -> None:
        self._core = core
        self._pool = pool
        self._board = board
        self._rules: tuple[FenceRule, ...] = ()
        self._crossed: list[Broken] = []
        self._since: dict[tuple[int, int], int] = {}
        """By unit and fence: since when it is there (ms UTC)."""
        self._told: set[tuple[int, int]] = set()
        """Rules and units whose stay or speed was told, as long as it lasts."""

    def crossed(self, unit: Unit, crossing: wire.FenceCrossing) -> None:
        """A unit has crossed a fence; called for each."""
        if crossing.inside:
            self._since[unit.id, crossing.fence] = crossing.time
        else:
            self._since.pop((unit.id, crossing.fence), None)
        broken = fence_rules.crossing_breaks(
            self._rules, unit.id, unit.kind, crossing.fence, crossing.inside
        )
        self._crossed += [
            (rule, unit.id, crossing.time) for rule in broken if self._shown(rule, unit.id)
        ]

    async def run(self) -> None:
        """Look every second; survives the database going away."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.look(time.time_ns() // 1_000_000)
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("alarms of fences wait for the database: %s", problem)

    async def look(self, now: int) -> None:
        """Raise what was crossed, and what stays too long or is too fast, at ``now`` (ms UTC)."""
        await self._load()
        stays = await self._stays(now)
        staying = {(rule.id, unit) for rule, unit, _ in stays}
        crossed, self._crossed = self._crossed, []
        raised = [*crossed, *(s for s in stays if (s[0].id, s[1]) not in self._told)]
        try:
            if raised:
                await self._raise(raised)
        except BaseException:
            self._crossed = [*crossed, *self._crossed]
            raise
        self._told = staying

    async def _load(self) -> None:
        async with database.asking(self._pool) as connection:
            found = await connection.fetch(
                "select id, agency_id, fence_id, what, unit_id, unit_kind, threshold"
                " from fence_rule where ended_at is null order by id"
            )
        self._rules = tuple(FenceRule(*row) for row in found)

    async def _stays(self, now: int) -> list[Broken]:
        rules = [rule for rule in self._rules if rule.what in ("dwell", "speed")]
        if not rules:
            return []
        fences = {rule.fence for rule in rules}
        units = self._core.directory.units
        inside = [
            (units[number], fence, newest.fix.speed)
            for number, newest in self._core.picture.newest.items()
            if newest.inside
            for fence in newest.inside & fences
            if number in units
        ]
        await self._learn_since([(unit.id, fence) for unit, fence, _ in inside], now)
        broken: list[Broken] = []
        for unit, fence, speed in inside:
            there = Inside(unit.id, unit.kind, fence, self._since.get((unit.id, fence), now), speed)
            broken += [
                (rule, unit.id, now)
                for rule in fence_rules.stay_breaks(rules, there, now)
                if self._shown(rule, unit.id)
            ]
        return broken

    async def _learn_since(self, there: list[tuple[int, int]], now: int) -> None:
        """Since when units are where they were before this server started."""
        unknown = [each for each in there if each not in self._since]
        if not unknown:
            return
        async with database.asking(self._pool) as connection:
            found = await connection.fetch(
                "select unit_id, fence_id, max(at) as at from fence_event where inside"
                " and (unit_id, fence_id) in (select * from unnest($1::int[], $2::int[]))"
                " group by 1, 2",
                [unit for unit, _ in unknown],
                [fence for _, fence in unknown],
            )
        self._since |= dict.fromkeys(unknown, now)
        for row in found:
            self._since[row["unit_id"], row["fence_id"]] = database.milliseconds(row["at"])

    def _shown(self, rule: FenceRule, unit: int) -> bool:
        """Whether the agency of a rule is shown exactly where the unit is."""
        channel = self._core.directory.channels.get(unit)
        return channel in self._core.rules.audience(rule.agency, None).exact

    async def _raise(self, broken: list[Broken]) -> None:
        async with database.asking(self._pool) as connection, connection.transaction():
            await connection.execute("select set_config('psn.acting', 'yes', true)")
            made = await connection.fetch(
                "insert into alarm (agency_id, kind, about, details)"
                " select * from unnest($1::int[], $2::text[], $3::text[], $4::jsonb[])"
                " on conflict do nothing returning id",
                [rule.agency for rule, _, _ in broken],
                [str(Kind.FENCE)] * len(broken),
                [f"fence_rule:{rule.id}/unit:{unit}" for rule, unit, _ in broken],
                [
                    msgspec.json.encode(
                        {"unit": unit, "fence": rule.fence, "what": rule.what, "at": at}
                    ).decode()
                    for rule, unit, at in broken
                ],
            )
        await self._board.renew(("alarm", row["id"]) for row in made)
