"""Orders by SMS: when the network does not reach a crew, its telephone may.

A dispatcher asks for it; nothing is sent by itself, for a short message is read by whoever holds
the telephone. What is asked for is committed, then handed to the first SMS centre that lets us in.
As for warnings (docs/decisions/0031) it may not come twice: that it is begun is on disk before the
first octet goes out, and what was begun when the server ended is *uncertain*. An order that its
crew has acknowledged, or that is over, before it was handed over is dropped.

That it is on the telephone does not say that it was read: the crew acknowledges by voice, and the
dispatcher says so on its behalf.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from msgspec import Struct

from dispatch.bell import Bell
from dispatch.board.board import Board
from dispatch.desk.assignments import live
from dispatch.desk.values import Id, Line
from dispatch.desk.work import Action, Work
from dispatch.domain import order_by_sms, telephone
from dispatch.domain.refusals import DispatchRefused, bad_value, not_now
from dispatch.outcomes import Away, Outcome, State, pause
from dispatch.sms import short_messages
from dispatch.sms.receipts import Receipt
from dispatch.sms.session import SmsCentre, Submission
from psn import database

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = 50
SETTLE_SECONDS: Final = 3.0
LONGEST_PAUSE: Final = 5.0
"""After so many seconds at the latest an order is tried again: it is urgent, and there are few."""
GIVEN_UP_SECONDS: Final = 180.0
"""What is being handed over for so long is not any more: four answers of a centre take less."""


class Telephone(Struct, kw_only=True, omit_defaults=True):
    """The number of a unit's telephone."""

    unit: Id
    number: Line = ""
    """With or without the country's code; none: it has no telephone."""


class BySms(Struct):
    """Send an order to the unit's telephone too."""

    assignment: Id


async def set_telephone(work: Work, body: Telephone) -> None:
    """Say which telephone a unit carries."""
    work.own("unit", "manage", "change units")
    unit = work.own_unit(body.unit)
    said = body.number.strip()
    number = telephone.number(said) if said else None
    if said and number is None:
        raise bad_value(f"{said!r} is no telephone number.", "Write it as +5016001234.")
    await work.connection.execute(
        "insert into unit_profile (unit_id, telephone) values ($1, $2)"
        " on conflict (unit_id) do update set telephone = $2",
        unit.id,
        number,
    )
    work.touch("telephone", unit.id)


async def by_sms(work: Work, body: BySms) -> None:
    """Have an order sent to the unit's telephone."""
    work.own("incident", "open", "send units")
    row = await live(work, body.assignment)
    callsign = work.directory.units[row["unit_id"]].callsign
    order = await work.connection.fetchrow(_ORDER, body.assignment)
    assert order is not None
    if order["known"]:
        raise not_now(f"{callsign} has acknowledged this order.", "Talk to the crew.")
    if order["under_way"]:
        raise not_now("This order is on its way by SMS already.", "Wait for what becomes of it.")
    if order["telephone"] is None:
        raise DispatchRefused(
            "no_telephone",
            f"{callsign} has no telephone number.",
            "Tell the crew by radio; whoever manages units adds the number.",
        )
    point = None if order["lon"] is None else (order["lon"], order["lat"])
    text = order_by_sms.text_of(order["order_text"], point)
    await work.connection.execute(
        "insert into order_sms (assignment_id, telephone, text, author) values ($1, $2, $3, $4)",
        body.assignment,
        order["telephone"],
        text,
        work.who.address,
    )
    said = {"unit": row["unit_id"], "callsign": callsign, "assignment": body.assignment}
    await work.log(row["incident_id"], "unit_ordered", said | {"sms": text})
    work.orders = True
    work.touch("assignment", body.assignment)


ACTIONS: Final = (
    Action("unit.telephone", Telephone, set_telephone),
    Action("assignment.by_sms", BySms, by_sms),
)
_ORDER: Final = """
    select a.order_text, f.telephone,
           num_nonnulls(a.acknowledged_at, a.en_route_at, a.on_scene_at) > 0 as known,
           exists (select from order_sms m where m.assignment_id = a.id
                      and m.state in ('waiting', 'handing')) as under_way,
           round(st_x(p.point) * 1e7)::int as lon, round(st_y(p.point) * 1e7)::int as lat
      from assignment a join incident_card k on k.incident_id = a.incident_id
      left join unit_profile f on f.unit_id = a.unit_id
     cross join lateral (
           select case when a.place <> '' then a.point else k.point end as point) p
     where a.id = $1
"""


@dataclass(frozen=True, slots=True)
class _Handed:
    """What became of one try: of its parts so far, all that centre has numbers for."""

    id: int
    outcome: Outcome
    by: str | None
    numbers: list[str]


class OrdersBySms:
    """Hands orders to SMS centres, and notes what becomes of them."""

    def __init__(self, pool: asyncpg.Pool, board: Board, centres: Sequence[SmsCentre]) -> None:
        self._pool = pool
        self._board = board
        self._centres = centres
        self._bell = Bell()
        self._under_way: set[asyncio.Task[None]] = set()
        for centre in centres:
            centre.tell.append(self.note_receipts)
            centre.watchers.append(self._reached)

    def wait(self) -> None:
        """There are orders to be sent."""
        self._bell.ring()

    def _reached(self, problem: str | None) -> None:
        if problem is None:
            self._bell.ring()

    async def load(self) -> None:
        """After a start: what was being handed over is uncertain; raises what asyncpg raises."""
        async with database.asking(self._pool) as connection:
            await connection.execute(_UNSURE, 0.0)

    async def run(self) -> None:
        """Hand over whatever waits; each by itself, so none waits for the answer of another."""
        try:
            while True:
                await self._bell.wait(LOOK_SECONDS)
                try:
                    await self._round()
                except (*database.PASSING, asyncpg.PostgresError) as problem:
                    log.warning("orders by SMS wait: %s", problem)
                    await asyncio.sleep(LOOK_SECONDS)
        finally:
            # A server that stops waits a little for answers: what has none is uncertain.
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=SETTLE_SECONDS)
            for task in self._under_way:
                task.cancel()

    async def _round(self) -> None:
        async with database.asking(self._pool) as connection:
            # Of a claim whose answer was lost nobody else would ever say what became.
            over = await connection.fetch(_UNSURE, GIVEN_UP_SECONDS)
            over += await connection.fetch(_DROP)
            room = AT_ONCE - len(self._under_way)
            rows = await connection.fetch(_CLAIM, room) if room > 0 else []
        # From here on they are begun: nothing comes between that and handing them over.
        for row in rows:
            task = asyncio.create_task(self._see_through(row))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await self._show(over)

    async def _see_through(self, row: asyncpg.Record) -> None:
        """Hand over one, and write what became of it."""
        await self._show(await self._write(await self._hand(row)))

    async def _show(self, over: Sequence[asyncpg.Record]) -> None:
        if over:
            await self._board.renew(("assignment", row["assignment_id"]) for row in over)

    def _in_order(self) -> list[SmsCentre]:
        """Centres that can be reached first; of these who has least to do, so none that hangs."""
        return sorted(self._centres, key=lambda each: (each.problem is not None, each.busy))

    async def _hand(self, row: asyncpg.Record) -> _Handed:
        """Hand over what is left of one, by one centre."""
        problem = "No SMS centre is set up on this server."
        state = State.FAILED
        for centre in self._in_order():
            if row["by"] not in (None, centre.name):
                continue
            try:
                await centre.ready()
            except Away as away:
                problem, state = str(away), State.WAITING
                continue
            except Exception as fault:
                # A fault of ours, and nothing was handed over; another centre may do.
                log.exception("%s failed", centre.name)
                problem, state = f"an error of this program: {fault!r}", State.WAITING
                continue
            return await self._parts(centre, row)
        return _Handed(
            row["id"],
            Outcome(state, problem=problem, pause=pause(row["tries"])),
            row["by"],
            row["numbers"],
        )

    async def _parts(self, centre: SmsCentre, row: asyncpg.Record) -> _Handed:
        parted = short_messages.measure(row["text"])
        numbers = list(row["numbers"])
        outcome = Outcome(State.HANDED)
        for part in range(len(numbers) + 1, len(parted.parts) + 1):
            submission = Submission(row["telephone"], parted, part, row["id"], row["tries"])
            try:
                outcome = await centre.submit(submission)
            except Exception as fault:
                # A fault of ours: nobody knows how far it got.
                log.exception("%s failed", centre.name)
                outcome = Outcome(State.UNCERTAIN, problem=f"an error of this program: {fault!r}")
            if outcome.state is not State.HANDED or outcome.receipt is None:
                break
            numbers.append(outcome.receipt)
        return _Handed(row["id"], outcome, centre.name if numbers else None, numbers)

    async def _write(self, each: _Handed) -> list[asyncpg.Record]:
        """Write what became of one; tried until it is written, for nobody else knows."""
        while True:
            try:
                async with database.asking(self._pool) as connection:
                    found: list[asyncpg.Record] = await connection.fetch(
                        _WRITE,
                        each.id,
                        str(each.outcome.state),
                        each.by,
                        each.numbers,
                        (each.outcome.problem or "")[:500] or None,
                        min(each.outcome.pause, LONGEST_PAUSE),
                    )
                    return found
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("what became of orders by SMS is written later: %s", problem)
                await asyncio.sleep(LOOK_SECONDS)

    async def note_receipts(self, name: str, receipts: list[Receipt]) -> list[Receipt]:
        """Note what a centre says later; those are given back that belong to no order (yet).

        Most are of warnings, and many at once: of all it is asked in one go which are of orders.
        """
        if not receipts:
            return []
        touched = []
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(_OURS, name, [number for number, _, _ in receipts])
            ours = {row["number"] for row in rows}
            for number, state, why in receipts:
                if number in ours:
                    touched += await connection.fetch(_RECEIPT, name, number, str(state), why)
        if touched:
            await self._board.renew(("assignment", row["assignment_id"]) for row in touched)
        return [each for each in receipts if each[0] not in ours]


_UNSURE: Final = """
    update order_sms set state = 'uncertain', at = now(),
           problem = 'The server ended while it was being handed over.'
     where state = 'handing' and at <= now() - make_interval(secs => $1)
    returning assignment_id
"""
_DROP: Final = """
    update order_sms m set state = 'dropped', at = now(), problem = null
      from assignment a
     where a.id = m.assignment_id and m.state = 'waiting'
       and (a.ended_at is not null
            or num_nonnulls(a.acknowledged_at, a.en_route_at, a.on_scene_at) > 0)
    returning m.assignment_id
"""
_CLAIM: Final = """
    with due as (
        select id from order_sms where state = 'waiting' and next_at <= now()
         order by next_at, id limit $1 for update skip locked)
    update order_sms m set state = 'handing', at = now(), tries = tries + 1
      from due where m.id = due.id
    returning m.id, m.assignment_id, m.telephone, m.text, m.tries, m.by, m.numbers
"""
_WRITE: Final = """
    update order_sms
       set state = $2, at = now(), by = $3, numbers = $4, awaited = $4, problem = $5,
           next_at = now() + make_interval(secs => $6)
     where id = $1 returning assignment_id
"""
_OURS: Final = """
    select n as number from order_sms, unnest(numbers) as n
     where by = $1 and numbers && $2 and n = any($2)
       and state in ('handed', 'delivered', 'failed')
"""
# Of a long one each part has a receipt: it has arrived when all have.
_RECEIPT: Final = """
    update order_sms
       set awaited = array_remove(awaited, $2), at = now(), problem = nullif($4, ''),
           state = case when state = 'failed' or $3 = 'failed' then 'failed'
                        when cardinality(array_remove(awaited, $2)) = 0 then 'delivered'
                        else state end
     where by = $1 and $2 = any(numbers) and state in ('handed', 'delivered', 'failed')
    returning assignment_id
"""
