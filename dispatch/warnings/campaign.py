"""What a message by SMS would take before it is sent: telephones, parts, money, time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from dispatch.alerting.content import ENGLISH, Channel, Content
from dispatch.sms.session import SmsCentre
from dispatch.warnings import spreading
from psn import database


class InLanguage(Struct):
    """Telephones that get the text in a language, and the short messages that each of them gets."""

    language: str
    telephones: int
    parts: int


class SmsCampaign(Struct):
    """What it takes to tell everybody by SMS.

    ``cost`` is in the operator's currency, at the price of the dearest centre; none: a centre has
    no price. ``minutes`` at the speed (``rate``, short messages a second) of the centres that can
    be reached now, ``centres`` of them; none: there is none. It is the least that it takes: a
    centre may be slower than what was agreed.
    """

    telephones: int
    messages: int
    languages: list[InLanguage]
    cost: float | None
    minutes: float | None
    rate: float
    centres: int
    away: list[str]
    """Centres that cannot be reached now."""


async def by_sms(
    connection: database.Connection,
    content: Content,
    agency: int,
    warning: int,
    centres: Sequence[SmsCentre],
) -> SmsCampaign | None:
    """What it would take to send a message of a warning (0: a new one); None: not by SMS.

    Counted is who would be told now (:mod:`dispatch.warnings.spreading`). Raises what asyncpg
    raises.
    """
    if Channel.SMS not in content.channels or not content.texts:
        return None
    districts = await asyncio.to_thread(spreading.districts_of, content.area)
    counted: dict[str, int] = {}
    for row in await connection.fetch(_TELEPHONES, agency, districts, warning):
        text = content.text(row["language"]) or content.text(ENGLISH) or content.texts[0]
        counted[text.language] = counted.get(text.language, 0) + row["count"]
    languages = [
        InLanguage(language, count, spreading.parts_of(content, language))
        for language, count in sorted(counted.items())
    ]
    messages = sum(each.telephones * each.parts for each in languages)
    there = [each for each in centres if each.problem is None]
    prices = [each.price for each in centres if each.price is not None]
    rate = sum(each.rate for each in there)
    return SmsCampaign(
        sum(each.telephones for each in languages),
        messages,
        languages,
        float(messages * max(prices)) if prices and len(prices) == len(centres) else None,
        round(messages / rate / 60, 2) if there else None,
        rate,
        len(there),
        [each.name for each in centres if each.problem is not None],
    )


_TELEPHONES: Final = """
    select r.language, count(*)::int as count
      from warning_recipient r
     where r.channel = 'sms' and r.ended_at is null and r.agency_id = $1
       and (r.district is null or r.district = any($2::text[])
            or exists (select from warning_message m join warning_delivery d on d.message_id = m.id
                        where m.warning_id = $3 and m.stage = 'sent' and d.channel = 'sms'
                          and d.address = r.address))
     group by r.language
"""
