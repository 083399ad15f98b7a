"""Browsers that want to be pushed to, over HTTP: the server's key, begin, end.

A subscription is a recipient of the channel ``push``: it belongs to who is signed in, so to a
person's browser or a unit's tablet. What the browser gave is sealed; lists, reports and the audit
have whose it is and a digest.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from dispatch.asking import Asked, Route, not_allowed
from dispatch.warnings import push
from dispatch.warnings.push import Subscription
from psn import access, database
from psn.trail import auditor

MOST_EACH: Final = 10
"""Subscriptions of one person or unit; a further one ends the oldest."""
Endpoint = Annotated[str, Meta(min_length=1, max_length=push.MOST_ADDRESS)]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}\Z")]
Language = Literal["en-BZ", "es-BZ", "bzj"]


class PushKey(Struct):
    """The key that a page subscribes with (``applicationServerKey``), in base64url."""

    key: str


class Subscribe(Struct):
    """What the browser gave (``PushSubscription.toJSON``), and the language to be told in."""

    endpoint: Endpoint
    p256dh: Key
    auth: Key
    language: Language = "en-BZ"


class Unsubscribe(Struct):
    """The address at the push service that is to be told nothing more."""

    endpoint: Endpoint


class Subscribed(Struct):
    """It is done; ``subscribed``: something is pushed there from now on."""

    subscribed: bool


async def key(asked: Asked) -> PushKey:
    """The key of this server for web push."""
    _check(asked)
    return PushKey(push.public(asked.core.keys.push))


async def subscribe(asked: Asked) -> Subscribed:
    """Push warnings to this browser; said again, the newest counts. Raises BadSubscription."""
    _check(asked)
    said: Subscribe = asked.body
    to = Subscription(said.endpoint, said.p256dh, said.auth, asked.who.device)
    push.checked(to, asked.settings.push_hosts)
    address = push.address(asked.who.address, said.endpoint)
    sealed = asked.core.keys.seal(msgspec.json.encode(to), push.purpose(address))
    await _write(
        asked, _SUBSCRIBE, asked.who.agency, address, said.language, sealed, asked.who.address
    )
    await _write(asked, _OTHERS, f"% {push.digest(said.endpoint)}", address)
    await _write(asked, _TOO_MANY, f"{asked.who.address} %", MOST_EACH)
    return Subscribed(True)


async def unsubscribe(asked: Asked) -> Subscribed:
    """Push nothing more to this browser; nothing when nothing was."""
    _check(asked)
    said: Unsubscribe = asked.body
    await _write(asked, _END, push.address(asked.who.address, said.endpoint))
    return Subscribed(False)


def _check(asked: Asked) -> None:
    if not access.is_ever_warned(asked.who):
        raise not_allowed()


async def _write(asked: Asked, statement: str, *arguments: Any) -> None:
    async with (
        database.asking(asked.pool) as connection,
        auditor.acting(connection, asked.actor),
    ):
        await connection.execute(statement, *arguments)


_SUBSCRIBE: Final = """
    insert into warning_recipient (agency_id, channel, address, language, secret, added_by)
    values ($1, 'push', $2, $3, $4, $5)
        on conflict (agency_id, channel, address) where ended_at is null
        do update set language = excluded.language, secret = excluded.secret
"""
# A browser is of who used it last; nobody can name one that he has not been told of.
_OTHERS: Final = """
    update warning_recipient set ended_at = now(), secret = null
     where channel = 'push' and address like $1 and address <> $2 and ended_at is null
"""
_TOO_MANY: Final = """
    update warning_recipient set ended_at = now(), secret = null
     where id in (select id from warning_recipient
                   where channel = 'push' and address like $1 and ended_at is null
                   order by id desc offset $2)
"""
_END: Final = """
    update warning_recipient set ended_at = now(), secret = null
     where channel = 'push' and address = $1 and ended_at is null
"""
ROUTES: Final = (
    Route("/api/warnings/push", key, PushKey),
    Route("/api/warnings/push", subscribe, Subscribed, method="POST", takes=Subscribe),
    Route("/api/warnings/push", unsubscribe, Subscribed, method="DELETE", takes=Unsubscribe),
)
