"""Consoles and tablets as a channel: what is in force reaches every session that it concerns.

Theory of operation
-------------------
The topic ``warnings`` has an item for each alert that is in force, and for :data:`AFTER` one that
says how it ended. A console sees all of them, for it answers for the whole country; a unit those
inside whose area it is, or is sent to (``psn.access.is_warned``), and it is looked every
:data:`LOOK_SECONDS` who has come in or left. Each item is encoded once; so many followers that
sending to them all at once would keep a voice frame waiting are told in parts.

To whose connection an item was handed is written down, and so is who confirms it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import asyncpg

from dispatch.alerting import cap
from dispatch.alerting.content import Channel
from dispatch.alerting.standing import State
from dispatch.board import rows as board_rows
from dispatch.board.board import Board
from dispatch.warnings import elsewhere
from dispatch.warnings.elsewhere import Heard
from dispatch.warnings.items import Circle, WarningItem, Words
from dispatch.warnings.told import Now, Sent, Stands
from geo import belize
from geo.coordinates import E7
from psn import access, database
from psn.core import Core
from psn.picture.tracking import FASTEST_M_S, FASTEST_OTHERWISE_M_S
from psn.sessions import Session
from psn.topics import Item, Topic
from psn.trail import audit

log = logging.getLogger(__name__)

TOPIC: Final = "warnings"
AFTER: Final = timedelta(hours=1)
"""So long it is shown that an alert is over."""
LOOK_SECONDS: Final = 2.0


class Screens:
    """Shows what is in force on consoles and tablets."""

    def __init__(
        self, core: Core, pool: asyncpg.Pool, board: Board, noted: Callable[[], None]
    ) -> None:
        """``noted`` is called when it was written down that somebody was shown something."""
        self._core = core
        self._told = noted
        self._pool = pool
        self._board = board
        self._now: Now | None = None
        self._items: dict[str, WarningItem] = {}
        self._outside: dict[int, frozenset[int]] = {}
        """By message: units that are known to be outside its area."""
        self._noted: set[tuple[int, str]] = set()
        """Messages and sessions that are written down."""
        core.topics.add(Topic(TOPIC, access.is_ever_warned))

    async def show(self, now: Now) -> None:
        """Show what is believed now (:data:`dispatch.warnings.told.Shows`)."""
        self._now = now
        shown = {
            f"warning:{each.sent.id}": each
            for each in now.stands
            if each.sent.by(Channel.SCREENS) and _is_told(each, now)
        }
        for each in shown.values():
            if each.sent.id not in self._outside:
                self._outside[each.sent.id] = self.outside(each.sent)
        items = {address: item_of(each) for address, each in shown.items()}
        fresh = [a for a, item in items.items() if self._items.get(a) != item]
        gone = [a for a in self._items if a not in items]
        self._items = items
        if fresh or gone:
            await self._core.topics.change_in_parts(
                TOPIC, [self._item(address, shown[address]) for address in fresh], gone
            )

    async def run(self) -> None:
        """Look who has come into an area, and write down who was shown what."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._look()
            try:
                await self.note()
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                log.warning("who was shown a warning is written later: %s", problem)

    def _look(self) -> None:
        moved: set[int] = set()
        in_force = () if self._now is None else self._now.in_force()
        heard = self._heard() if in_force else None
        for each in in_force:
            if each.sent.id in self._outside:
                outside = self.outside(each.sent, heard)
                moved |= outside ^ self._outside[each.sent.id]
                self._outside[each.sent.id] = outside
        if moved:
            self._core.topics.judge(TOPIC, moved)

    def _item(self, address: str, each: Stands) -> Item:
        number = each.sent.id
        loud = self._items[address].loud

        def sees(who: access.Principal, rules: access.Rules) -> bool:
            return access.is_warned(who, self._outside.get(number, frozenset()))

        return Item(address, self._items[address], sees, ring=int(loud), rules_of=frozenset())

    def outside(self, sent: Sent, heard: Heard | None = None) -> frozenset[int]:
        """Units that are known to be outside a message's area, and are not sent there."""
        area = sent.content.area
        if area is None:
            return frozenset()
        outside = elsewhere.outside(area.shape, heard or self._heard())
        return frozenset(outside - self._sent_there(sent, outside))

    def inside(self, sent: Sent) -> frozenset[int]:
        """Units that were heard of last in a message's area."""
        area = sent.content.area
        if area is None:
            return frozenset()
        return frozenset(
            number
            for number, seat in self._core.picture.newest.items()
            if area.covers(seat.fix.lon / E7, seat.fix.lat / E7)
        )

    def _heard(self) -> Heard:
        """Where each unit was heard of last; what came late says where it was then."""
        now = time.time() * 1_000
        units = self._core.directory.units
        return Heard.of(
            [
                (
                    number,
                    seat.fix.lon / E7,
                    seat.fix.lat / E7,
                    (now - min(seat.fix.time, seat.received)) / 1_000,
                    FASTEST_M_S.get(units[number].kind, FASTEST_OTHERWISE_M_S),
                )
                for number, seat in self._core.picture.newest.items()
                if number in units
            ]
        )

    def _sent_there(self, sent: Sent, units: set[int]) -> set[int]:
        """Those of the units whose incident lies in the area."""
        area = sent.content.area
        incidents = self._board.of(board_rows.Incident)
        there = set()
        for assignment in self._board.of(board_rows.Assignment).values():
            if assignment.ended is not None or assignment.unit not in units:
                continue
            incident = incidents.get(assignment.incident)
            lon, lat = assignment.lon, assignment.lat
            if (lon is None or lat is None) and incident is not None:
                lon, lat = incident.lon, incident.lat
            if area is None or lon is None or lat is None:
                continue
            if area.covers(lon / E7, lat / E7):
                there.add(assignment.unit)
        return there

    async def note(self) -> None:
        """Write down to whose connections what was handed; raises what asyncpg raises."""
        new = [
            (int(address.partition(":")[2]), session)
            for session, addresses in self._core.topics.handed(TOPIC).items()
            for address in addresses
        ]
        new = [(n, s) for n, s in new if (n, _name(s)) not in self._noted]
        if not new:
            return
        async with database.asking(self._pool) as connection:
            await connection.execute(
                _SHOWN,
                [number for number, _ in new],
                [_name(session) for _, session in new],
                [session.principal.address for _, session in new],
                [session.principal.agency for _, session in new],
                [self._district(session) for _, session in new],
            )
        there = {int(address.partition(":")[2]) for address in self._items}
        self._noted = {key for key in self._noted if key[0] in there}
        self._noted |= {(number, _name(session)) for number, session in new}
        self._told()

    def _district(self, session: Session) -> str | None:
        """Where a unit was heard of last; nobody knows where a console stands."""
        seat = self._core.picture.newest.get(session.principal.unit or 0)
        if seat is None:
            return None
        found = belize.district_of(seat.fix.lon / E7, seat.fix.lat / E7)
        return None if found is None else found.code


def item_of(each: Stands) -> WarningItem:
    """An alert as screens show it."""
    sent, alert = each.sent, each.sent.alert
    area = sent.content.area
    info = alert.infos[0]
    why = "" if each.by is None else (each.by.alert.note or "")
    # Of one that was called off stands what its Cancel says, and no more what to do.
    says = alert if each.by is None else each.by.alert
    return WarningItem(
        id=sent.id,
        warning=sent.warning,
        agency=sent.agency,
        identifier=alert.identifier,
        kind=str(alert.message_type),
        status=str(alert.status),
        state=str(each.state),
        event=sent.content.event,
        urgency=str(info.urgency),
        severity=str(info.severity),
        certainty=str(info.certainty),
        sender=info.sender_name or alert.sender,
        note=alert.note or "",
        texts=[_words(each) for each in says.infos],
        area="" if area is None else area.name,
        polygons=[]
        if area is None
        else [[(round(p.lon * E7), round(p.lat * E7)) for p in ring] for ring in area.polygons],
        circles=[]
        if area is None
        else [
            Circle(round(c.centre.lon * E7), round(c.centre.lat * E7), round(c.radius_km * 1_000))
            for c in area.circles
        ],
        sent=database.milliseconds(alert.sent),
        onset=None if info.onset is None else database.milliseconds(info.onset),
        ends=database.milliseconds(each.ends),
        ended=None if each.ended is None else database.milliseconds(each.ended),
        why=why,
        loud=each.state is State.IN_FORCE and alert.status is cap.Status.ACTUAL,
    )


def _is_told(each: Stands, now: Now) -> bool:
    """In force, or over for less than an hour; what was replaced is shown by what did it."""
    if each.state is State.IN_FORCE:
        return True
    return (
        each.ended is not None
        and each.state is not State.REPLACED
        and (each.ended > now.at - AFTER)
    )


def _words(info: cap.Info) -> Words:
    return Words(
        info.spoken,
        info.event,
        info.headline or "",
        info.description or "",
        info.instruction or "",
    )


def _name(session: Session) -> str:
    return audit.session_name(session.ticket.hash)


_SHOWN: Final = """
    insert into warning_shown (message_id, session, address, agency_id, district)
    select * from unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::text[])
        on conflict (message_id, session)
        do update set district = coalesce(warning_shown.district, excluded.district)
"""
