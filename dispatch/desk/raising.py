"""Alarms: raised, taken by somebody, over (docs/domain.md, Alarms)."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from dispatch.desk.values import Id
from dispatch.desk.work import Action, Work
from dispatch.domain.alarms import AT_ONCE, Kind
from dispatch.domain.refusals import not_there


class Which(Struct):
    """An alarm."""

    alarm: Id


async def raise_alarm(
    work: Work, agency: int, kind: Kind, about: str, details: dict[str, Any]
) -> None:
    """Raise an alarm in the transaction of what brings it about; nothing when it is there."""
    number = await work.connection.fetchval(
        "insert into alarm (agency_id, kind, about, details) values ($1, $2, $3, $4)"
        " on conflict do nothing returning id",
        agency,
        kind,
        about,
        msgspec.json.encode(details).decode(),
    )
    if number is not None:
        work.touch("alarm", number)


async def take(work: Work, body: Which) -> None:
    """Somebody takes care of it; what happened once is over by that."""
    agency = work.own("call", "take", "take alarms")
    kind = await work.connection.fetchval(
        "select kind from alarm where id = $1 and agency_id = $2 and ended_at is null for update",
        body.alarm,
        agency,
    )
    if kind is None:
        raise not_there("alarm")
    await work.connection.execute(
        "update alarm set taken_by = $2, taken_at = now(),"
        " ended_at = case when $3 then now() end where id = $1",
        body.alarm,
        work.person(),
        Kind(kind) in AT_ONCE,
    )
    work.touch("alarm", body.alarm)


ACTIONS: Final = (Action("alarm.take", Which, take),)
