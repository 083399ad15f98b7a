"""Who is told of a message, written down: a row for everybody who is to get it.

It is done in batches, so that none takes longer than the database is waited for, however many
telephones there are; and the first are told while the others are still being found. After a crash
it begins anew, and whoever is written down already is passed over. That all are is noted last
(``warning_spread``).

Whoever was told of a warning is told of its updates and its end, wherever these are. It is spoken
also in groups that nobody has named, when units inside its area are in them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import shapely

from dispatch.alerting.areas import Area
from dispatch.alerting.channels import shown
from dispatch.alerting.content import ENGLISH, Channel, Content
from dispatch.alerting.issuing import NEMO
from dispatch.sms import short_messages
from dispatch.warnings.told import Sent
from geo import belize
from psn import database
from psn.trail import auditor
from psn.trail.audit import Actor

BATCH: Final = 1_000
"""Recipients of one transaction."""
BY_AREA: Final = "area"
"""Who has added a group in which a warning is spoken because units inside its area are there."""
LAST: Final = (Channel.SMS, Channel.EMAIL)
"""Those of many recipients; a siren does not wait for them."""


@dataclass(slots=True)
class _Place:
    """How far a message is."""

    districts: list[str]
    languages: list[str]
    parts: list[int]
    channels: list[str]
    """That are left."""
    outside: list[str]
    """Addresses of units that it is not for."""
    groups: list[str]
    """Those in which units inside its area are."""
    after: str = ""
    """The last address that was looked at, of the first of them."""


class Spreading:
    """Writes down who is to get each message, batch by batch."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        channels: Sequence[Channel],
        outside: Callable[[Sent], frozenset[int]] = lambda message: frozenset(),
        batch: int = BATCH,
        groups: Callable[[Sent], Collection[str]] = lambda message: (),
    ) -> None:
        """``outside``: units that a message is not for, as screens have it; ``groups``: those in
        which units inside its area are, and in which it may be spoken though nobody has named them.
        """
        self._groups = groups
        self._pool = pool
        self._outside = outside
        self._channels = channels
        self._batch = batch
        self._places: dict[int, _Place] = {}

    async def next(self, message: Sent) -> bool:
        """Write down the next batch; whether that was all. Raises what asyncpg raises."""
        place = self._places.get(message.id)
        if place is None:
            async with database.asking(self._pool) as connection:
                if await connection.fetchval(_KNOWN, message.id):
                    return True
            place = self._places[message.id] = await self._begin(message)
        async with database.asking(self._pool) as connection:
            if not place.channels:
                await connection.execute(_NOTE, message.id)
                del self._places[message.id]
                return True
            looked = await connection.fetch(
                _SPREAD,
                message.id,
                message.warning,
                message.agency,
                place.channels[0],
                place.districts,
                place.languages,
                place.parts,
                ENGLISH,
                place.after,
                self._batch,
                place.outside,
                place.groups,
                BY_AREA,
            )
        place.after = looked[-1]["address"] if looked else ""
        if len(looked) < self._batch:
            place.after = ""
            del place.channels[0]
        return False

    async def _begin(self, message: Sent) -> _Place:
        wanted = [each for each in self._channels if message.by(each)]
        groups = sorted(self._groups(message)) if Channel.SPOKEN in wanted else []
        if groups:
            async with (
                database.asking(self._pool) as connection,
                auditor.acting(connection, Actor("server")),
            ):
                await connection.execute(_GROUPS, message.agency, groups, BY_AREA)
        languages = [each.language for each in message.content.texts]
        return _Place(
            await asyncio.to_thread(districts_of, message.content.area),
            languages,
            [parts_of(message.content, each) for each in languages],
            [str(each) for each in sorted(wanted, key=lambda each: each in LAST)],
            [f"unit:{each}" for each in self._outside(message)],
            groups,
        )


def districts_of(area: Area | None) -> list[str]:
    """Codes of the districts that an area touches, with what counts to them of the sea."""
    if area is None:
        return []
    margin = belize.SHORE_M / 105_000
    return [
        each.code
        for each in belize.districts()
        if shapely.distance(each.shape, area.shape) <= margin
    ]


def parts_of(content: Content, language: str) -> int:
    """Short messages that it takes in a language that it has."""
    text = content.text(language)
    assert text is not None
    return len(short_messages.measure(shown(content, text, Channel.SMS, NEMO.word)).parts)


# They are no recipients of anything else: each is ended as it begins.
_GROUPS: Final = """
    insert into warning_recipient (agency_id, channel, address, added_by, added_at, ended_at)
    select $1, 'spoken', address, $3, now(), now() from unnest($2::text[]) as said (address)
     where not exists (select from warning_recipient r
                        where r.agency_id = $1 and r.channel = 'spoken'
                          and r.address = said.address and r.added_by = $3)
"""
_KNOWN: Final = "select 1 from warning_spread where message_id = $1"
_NOTE: Final = "insert into warning_spread (message_id) values ($1) on conflict do nothing"
# Each row is due a little after the one before it, so that the next ones are found without sorting.
_SPREAD: Final = """
    with text as (select * from unnest($6::text[], $7::int[]) as t (language, parts)),
    earlier as (select id from warning_message
                 where warning_id = $2 and stage = 'sent' and id <> $1),
    told as (
        select r.*
          from warning_recipient r
         where r.channel = $4 and r.address > $9
           and (r.ended_at is null
                or r.added_by = $13 and not exists (
                   select from warning_recipient named
                    where named.agency_id = r.agency_id and named.channel = r.channel
                      and named.address = r.address and named.ended_at is null))
           -- A browser is pushed to whatever its agency, as warnings are shown on its screen.
           and (r.channel = 'push' or r.agency_id = $3)
           and (case when r.channel = 'push'
                     then not split_part(r.address, ' ', 1) = any($11::text[])
                     when r.added_by = $13 then r.address = any($12::text[])
                     else r.district is null or r.district = any($5::text[]) end
                or exists (select from warning_delivery d, earlier e
                            where d.message_id = e.id and d.channel = r.channel
                              and d.address = r.address))
         order by r.address limit $10),
    made as (
        insert into warning_delivery (message_id, channel, address, part, parts, language, district,
                                      recipient_id, next_at)
        select $1, t.channel, t.address, part, p.parts, s.language, t.district, t.id,
               clock_timestamp()
          from told t
         cross join lateral (
               select * from text order by language = t.language desc, language = $8 desc limit 1)
               as s
         cross join lateral (
               select case when t.channel = 'sms' then s.parts else 1 end as parts) as p
         cross join lateral generate_series(1, p.parts) as part
         where not exists (select from warning_delivery d
                            where d.message_id = $1 and d.channel = t.channel
                              and d.address = t.address)
         order by t.address, part)
    select address from told order by address
"""
