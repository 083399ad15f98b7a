"""The messages of each agency, from draft to sent, live for those who write and approve them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from dispatch.alerting.content import Content
from dispatch.warnings.items import DeskItem
from psn import access, database
from psn.access import Principal, Rules
from psn.core import Core
from psn.topics import Item, Topic

log = logging.getLogger(__name__)

TOPIC: Final = "warning_desk"
SOON_SECONDS: Final = 1.0
"""How many have confirmed is told so often: of thousands that do so at once, none is waited for."""
EVERY_SECONDS: Final = 300.0


def may_read(who: Principal, agency: int) -> bool:
    """Whether somebody may read what an agency is about to warn of."""
    return any(access.may(who, "warning", action, agency) for action in ("draft", "approve"))


class Drafts:
    """The topic of those who warn."""

    def __init__(self, core: Core, pool: asyncpg.Pool) -> None:
        self._core = core
        self._pool = pool
        self._items: dict[int, DeskItem] = {}
        self._reading = asyncio.Lock()
        self._dirty = asyncio.Event()
        core.topics.add(Topic(TOPIC, lambda who: may_read(who, who.agency)))

    def confirmed(self) -> None:
        """Somebody has confirmed a message; how many have is told soon."""
        self._dirty.set()

    async def run(self) -> None:
        """Tell how many were shown and have confirmed, at most once a second."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._dirty.wait()
            self._dirty.clear()
            await self.renew()
            await asyncio.sleep(SOON_SECONDS)

    async def renew(self) -> None:
        """Read the messages again and show what has changed; raises nothing of the database."""
        async with self._reading:
            try:
                async with database.asking(self._pool) as connection:
                    rows = await connection.fetch(_MESSAGES)
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("the desk of warnings waits for the database: %s", problem)
                self._dirty.set()
                return
            items = {}
            for row in rows:
                try:
                    items[row["id"]] = _item(row)
                except msgspec.MsgspecError:
                    # An action that was done is answered, whatever lies beside it.
                    log.exception("message %d of a warning cannot be read", row["id"])
            fresh = [each for number, each in items.items() if self._items.get(number) != each]
            gone = [_address(number) for number in self._items if number not in items]
            self._items = items
            self._core.topics.change(TOPIC, [_shown(each) for each in fresh], gone)


def _address(number: int) -> str:
    return f"warning_message:{number}"


def _shown(item: DeskItem) -> Item:
    def sees(who: Principal, rules: Rules) -> bool:
        return may_read(who, item.agency)

    return Item(_address(item.id), item, sees, rules_of=frozenset())


def _item(row: asyncpg.Record) -> DeskItem:
    content = msgspec.json.decode(row["content"], type=Content)
    return DeskItem(
        id=row["id"],
        warning=row["warning_id"],
        agency=row["agency_id"],
        kind=row["kind"],
        status=str(content.status),
        stage=row["stage"],
        called=content.spoken,
        digest=row["digest"],
        authors=row["authors"],
        approved_by=row["approved_by"],
        alone=row["alone"],
        held=row["held"],
        send_at=_ms(row["send_at"]),
        sent=_ms(row["sent_at"]),
        changed=database.milliseconds(row["changed_at"]),
        shown=row["shown"],
        confirmed_sessions=row["confirmed_sessions"],
        confirmed_units=row["confirmed_units"],
        confirmed_people=row["confirmed_people"],
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else database.milliseconds(at)


_MESSAGES: Final = """
    select m.id, m.warning_id, m.agency_id, m.kind, m.stage, m.content, m.digest, m.authors,
           m.approved_by, m.alone, m.held, m.send_at, m.sent_at, m.changed_at,
           s.shown, s.confirmed_sessions, s.confirmed_units, s.confirmed_people
      from warning_message m
     cross join lateral (
           select count(*)::int as shown, count(confirmed_at)::int as confirmed_sessions,
                  count(distinct address) filter (where confirmed_at is not null
                                                  and address like 'unit:%')::int
                      as confirmed_units,
                  count(distinct address) filter (where confirmed_at is not null
                                                  and address like 'person:%')::int
                      as confirmed_people
             from warning_shown where message_id = m.id) as s
     where m.changed_at > now() - interval '8 days' or m.sent_at > now() - interval '8 days'
           or m.stage = 'approved'
     order by m.id
"""
