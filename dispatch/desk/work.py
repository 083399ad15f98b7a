"""One action under way: whose it is, its transaction, and what it touches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from dispatch.board.board import Touched
from dispatch.domain.refusals import not_allowed, not_there
from psn import access, database
from psn.access import Principal, Rules
from psn.core import Core
from psn.directory import Directory, Unit
from psn.trail.audit import Actor


@dataclass(slots=True)
class Work:
    """An action of somebody, in a transaction of his."""

    core: Core
    connection: database.Connection
    who: Principal
    by: Actor
    now: datetime
    """When the transaction began, by the database's clock (UTC, aware)."""
    warner: str
    """Code of the agency that warns the public."""
    touched: set[Touched] = field(default_factory=set)
    shares: bool = False
    """It changes who sees what; that is to hold when it is answered."""
    orders: bool = False
    """There are orders to be sent."""
    warned: bool = False
    """A message of a warning was written, or went out."""
    confirmed: bool = False
    """Somebody has confirmed one."""

    @property
    def directory(self) -> Directory:
        """Who is who, now."""
        return self.core.directory

    @property
    def rules(self) -> Rules:
        """Who may see what, now."""
        return self.core.rules

    def touch(self, word: str, number: int) -> None:
        """A row of a board is changed by this."""
        self.touched.add((word, number))

    def own(self, kind: str, action: str, todo: str) -> int:
        """The agency of who asks, where he may do this; raises ``not_allowed``."""
        if not access.may(self.who, kind, action, self.who.agency):
            raise not_allowed(todo)
        return self.who.agency

    def person(self) -> int:
        """The person who asks; raises ``not_allowed`` when it is a device."""
        if self.who.person is None:
            raise not_allowed("do this from a device")
        return self.who.person

    def own_unit(self, number: int) -> Unit:
        """A unit of the agency that is in use; raises ``not_found``."""
        unit = self.directory.units.get(number)
        if unit is None or unit.retired or unit.agency != self.who.agency:
            raise not_there("unit of your agency")
        return unit

    def moment(self, said: int | None) -> datetime:
        """When somebody says that something was (milliseconds UTC); never later than now.

        What was so long ago that no tablet has kept it comes of a clock that knows no time: now.
        """
        if said is None:
            return self.now
        at = database.moment(said)
        return min(at, self.now) if at > self.now - LONGEST_KEPT else self.now

    async def log(
        self, incident: int, kind: str, *told: dict[str, Any], private: bool = False
    ) -> int:
        """Append to an incident's log, once for each of ``told``; the last one's sequence.

        Locks the incident's card till the end.
        """
        seq: int = await self.connection.fetchval(
            _LOG,
            incident,
            self.who.address,
            self.who.name,
            self.who.agency,
            kind,
            private,
            [msgspec.json.encode(each).decode() for each in told],
        )
        self.touch("incident", incident)
        return seq


LONGEST_KEPT: Final = timedelta(days=90)
"""So long a tablet may have kept what it says; as long as its ids are known (forgetting.py)."""
_LOG: Final = """
    with head as (
        update incident_card set log_head = log_head + cardinality($7::text[])
         where incident_id = $1 returning log_head),
    entries as (
        insert into incident_event (incident_id, seq, author, author_name, agency_id, kind, private,
                                    details)
        select $1, log_head - cardinality($7) + number, $2, $3, $4, $5, $6, details::jsonb
          from head, unnest($7) with ordinality as told (details, number))
    select log_head from head
"""
Does = Callable[[Work, Any], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done, by name; declared once, for the wire and for HTTP."""

    name: str
    """``incident.open``: what it is done to, and what is done."""
    takes: type[Struct]
    does: Does
    gives: type[Struct] | None = None
    """What it answers; nothing."""


class Made(Struct):
    """The id of what was made."""

    id: int


class Nothing(Struct):
    """No answer but that it is done."""
