"""The desk: carries out actions, each once, and shows what they changed.

Theory of operation
-------------------
An action is one transaction: the row of :data:`action_done` that its id makes, what it changes, and
the audit's entries, whose author is who asked. The id is the client's. When the same one comes
again (the answer was lost, the tablet was out of reach) nothing is done, and the first answer given
again; under the same id with other content it is refused. Two at once under one id wait for each
other at that row.

When it is committed: rights that it changed are renewed, what it touched is read again and shown on
boards, and then it is answered. So whoever has an answer has it on disk, and on his screen.

Nothing that was begun is broken off: the connection that asked may be gone, and the commit must
still be shown.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from dispatch.board.board import Board
from dispatch.desk.turns import Turns
from dispatch.desk.work import Action, Work
from dispatch.domain.refusals import DispatchRefused, not_now
from psn import database, wire
from psn.access import Principal
from psn.core import Core, no_such_action
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

TRIES: Final = 3
"""How often what two actions did to each other (a deadlock) is tried."""


class Desk:
    """Carries out actions."""

    def __init__(
        self,
        core: Core,
        pool: asyncpg.Pool,
        board: Board,
        actions: Mapping[str, Action],
        orders_wait: Callable[[], None],
        warned: Callable[[], Awaitable[None]],
        confirmed: Callable[[], None],
        warner: str,
    ) -> None:
        """``orders_wait`` is called when there are orders to be sent.

        ``warned`` is awaited when a message of a warning was written or went out, ``confirmed``
        called when somebody has confirmed one. ``warner``: code of the agency that warns the
        public.
        """
        self.core = core
        self.board = board
        self.turns = Turns()
        """For those who ask over HTTP; a socket brings one thing after the other by itself."""
        self._pool = pool
        self._actions = actions
        self._orders_wait = orders_wait
        self._warned = warned
        self._confirmed = confirmed
        self._warner = warner

    async def asked(self, who: Principal, codec: wire.Codec, frame: wire.Do, by: Actor) -> object:
        """Do what a frame asks for (:data:`psn.core.Acts`)."""
        action = self._actions.get(frame.what)
        if action is None:
            raise no_such_action(frame.what)
        try:
            body = codec.decode_part(frame.with_, action.takes)
        except wire.FrameRefused as problem:
            todo = "Compare it with docs/domain.md."
            raise DispatchRefused(problem.code, problem.text, todo) from None
        return await self.do(action, body, who, by, frame.id)

    async def do(
        self, action: Action, body: Struct, who: Principal, by: Actor, uid: UUID
    ) -> object:
        """Carry out an action; raises :class:`Problem`, and what asyncpg raises."""
        for left in reversed(range(TRIES)):
            try:
                work, result = await self._once(action, body, who, by, uid)
                break
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if not left:
                    raise
            except asyncpg.IntegrityConstraintViolationError as problem:
                # The rules above it were asked, and somebody else was quicker.
                log.warning("%s was not done: %s", action.name, problem)
                raise not_now(
                    "Something else was done at this very moment.", "Look at the board, and again."
                ) from None
            except (*database.PASSING, asyncpg.PostgresError):
                # It may have been committed all the same.
                self.board.doubt()
                raise
        if work is not None:
            await self._show(work)
        return result

    async def _once(
        self, action: Action, body: Struct, who: Principal, by: Actor, uid: UUID
    ) -> tuple[Work | None, object]:
        """One transaction; without work when it was done before."""
        digest = hashlib.sha256(msgspec.json.encode(body)).digest()
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                async with auditor.acting(connection, by):
                    now = await connection.fetchval(_BEGIN, uid, who.address, action.name, digest)
                    if now is None:
                        return None, await _done_before(connection, uid, who, action, digest)
                    work = Work(self.core, connection, who, by, now, self._warner)
                    result = await action.does(work, body)
                    if result is not None:
                        await connection.execute(_RESULT, uid, msgspec.json.encode(result).decode())
        return work, result

    async def _show(self, work: Work) -> None:
        if work.shares:
            try:
                await self.core.refresh_incidents()
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("rights are renewed a little later: %s", problem)
        if work.orders:
            self._orders_wait()
        if work.confirmed:
            self._confirmed()
        if work.warned:
            await asyncio.shield(self._warned())
        await asyncio.shield(self.board.renew(work.touched))


_BEGIN: Final = """
    insert into action_done (id, author, what, digest)
    select $1, $2, $3, $4 from set_config('psn.acting', 'yes', true)
        on conflict do nothing returning at
"""
_RESULT: Final = "update action_done set result = $2 where id = $1"


async def _done_before(
    connection: database.Connection, uid: UUID, who: Principal, action: Action, digest: bytes
) -> Any:
    row = await connection.fetchrow(
        "select author, what, digest, result from action_done where id = $1", uid
    )
    if row is None or tuple(row)[:3] != (who.address, action.name, digest):
        raise Problem(
            "id_taken",
            "Another action was done under this id.",
            "Make a new random id for every action.",
        )
    return None if row["result"] is None else msgspec.json.decode(row["result"])
