"""The board in memory: the rows of now, put into the topics whenever something was committed.

The database is the truth. After each action the rows that it touched are read again and put into
the topics. Readings are made one after another, so a later one knows all that an earlier one knew;
what several actions touched meanwhile is read at once. Whatever may have been missed (a commit
whose answer was lost, a change made at the command line, what is off the board by the clock) is
found by reading everything anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import asyncpg

from dispatch.board import rows, sight
from dispatch.board.selections import SELECTIONS, Selection, read
from psn import database
from psn.topics import Item, Topic, Topics

log = logging.getLogger(__name__)

BOARD: Final = "board"
DUTY: Final = "duty"
EVERY_SECONDS: Final = 300.0
RowKind = TypeVar("RowKind", bound=rows.Row)
Touched = tuple[str, int]
"""The word of a kind, and an id."""


class Board:
    """All rows by address, and the topics that show them."""

    def __init__(self, pool: asyncpg.Pool, topics: Topics) -> None:
        self._pool = pool
        self._topics = topics
        self._rows: dict[str, rows.Row] = {}
        self._by_kind: dict[type[rows.Row], dict[int, Any]] = {}
        self._touched: set[Touched] = set()
        """What is to be read again, and is being waited for."""
        self._reading = asyncio.Lock()
        self._stale = asyncio.Event()
        topics.add(Topic(BOARD, sight.follows_board))
        topics.add(Topic(DUTY, sight.follows_duty))

    def of(self, kind: type[RowKind]) -> dict[int, RowKind]:
        """The rows of one kind, by id; not to be changed."""
        if kind not in self._by_kind:
            self._by_kind[kind] = {r.id: r for r in self._rows.values() if type(r) is kind}
        return self._by_kind[kind]

    def _incidents(self) -> dict[int, rows.Incident]:
        return self.of(rows.Incident)

    # -- reading

    def doubt(self) -> None:
        """Something may have changed unseen: read everything, soon."""
        self._stale.set()

    async def run(self) -> None:
        """Read everything whenever there is doubt, and every few minutes."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._stale.wait()
            self._stale.clear()
            try:
                await self.load()
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("the board was not read: %s", problem)
                self._stale.set()
                await asyncio.sleep(1.0)

    async def load(self) -> None:
        """Read everything; raises what asyncpg raises."""
        found: list[rows.Row] = []
        async with self._reading:
            self._touched.clear()
            async with (
                database.asking(self._pool) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                for selection in SELECTIONS:
                    found += await read(connection, selection)
            there = {_address(row) for row in found}
            self._put(found, [address for address in self._rows if address not in there])

    async def renew(self, touched: Iterable[Touched]) -> None:
        """Show what an action has touched; it is shown when this returns."""
        touched = set(touched)
        self._touched |= touched
        async with self._reading:
            if not touched & self._touched:
                return  # with what another action has touched
            together, self._touched = self._touched, set()
            try:
                await self._read_again(together)
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("the board waits for the database: %s", problem)
                self.doubt()

    async def _read_again(self, touched: set[Touched]) -> None:
        ids: defaultdict[str, set[int]] = defaultdict(set)
        for word, number in touched:
            ids[word].add(number)
        reading = (self._read(each, ids[each.word]) for each in SELECTIONS if each.word in ids)
        found = list(itertools.chain.from_iterable(await asyncio.gather(*reading)))
        there = {_address(row) for row in found}
        asked = {f"{word}:{number}" for word, numbers in ids.items() for number in numbers}
        self._put(found, sorted(asked - there))

    async def _read(self, selection: Selection, ids: set[int]) -> list[rows.Row]:
        async with database.asking(self._pool) as connection:
            return await read(connection, selection, ids)

    def _put(self, found: Iterable[rows.Row], gone: list[str]) -> None:
        fresh = [row for row in found if self._rows.get(_address(row)) != row]
        self._rows |= {_address(row): row for row in fresh}
        for address in gone:
            self._rows.pop(address, None)
        if not fresh and not gone:
            return
        self._by_kind.clear()
        # What depends on an incident is shown to whom the incident is, so it is judged again too.
        changed = {row.id for row in fresh if isinstance(row, rows.Incident)}
        there = {row.id for row in fresh if isinstance(row, rows.Assignment)}
        assignments = self.of(rows.Assignment).values()
        fresh += [r for r in assignments if r.incident in changed and r.id not in there]
        incidents = self._incidents
        self._topics.change(BOARD, [_on_board(row, incidents) for row in fresh], gone)
        duties = [_on_duty(row, incidents) for row in fresh]
        self._topics.change(DUTY, [item for item in duties if item is not None], gone)


_WORDS: Final = {selection.row: selection.word for selection in SELECTIONS}


def _on_board(row: rows.Row, incidents: sight.AllIncidents) -> Item:
    sees = sight.on_board(row, incidents)
    return Item(_address(row), row, sees, _ring(row), sight.shared_units(row))


def _on_duty(row: rows.Row, incidents: sight.AllIncidents) -> Item | None:
    sees = sight.on_duty(row, incidents)
    return None if sees is None else Item(_address(row), row, sees, rules_of=frozenset())


def _ring(row: rows.Row) -> int:
    """An emergency rings when it is raised and whenever it is pressed again, till it is owned."""
    return row.presses if isinstance(row, rows.Emergency) and row.owner is None else 0


def _address(row: rows.Row) -> str:
    return f"{_WORDS[type(row)]}:{row.id}"
