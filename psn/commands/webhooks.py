"""``psn webhook``: addresses to which security events are posted, signed."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

import click
from sqlalchemy import Text, cast, delete, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from psn.commands.own_keys import needed_keys
from psn.commands.rows import agency_of, user, writing
from psn.commands.words import connected, missing, settings, show
from psn.csirt import outlets, webhook_protocol, webhooks
from psn.csirt.outlets import Undelivered
from psn.csirt.security_events import SecurityEvent, Severity
from psn.problems import Problem
from psn.schema import Agency, Outlet, Webhook


@click.group()
def webhook() -> None:
    """Addresses to which security events are posted, signed.

    docs/operating.md says what is sent, and how the signature is checked.
    """


@webhook.command(
    "add",
    short_help="Add a receiver.",
    epilog="""
\b
Examples:
  psn webhook add https://csirt.example.bz/psn
  psn webhook add https://soc.police.example.bz/events --agency BPD
""",
)
@click.argument("url")
@click.option("--agency", "code", help="Only what this agency's people did, or was done to it.")
def add(url: str, code: str | None) -> None:
    """Add a receiver, and show the secret that its signatures are checked with, once.

    It gets what happens from now on.
    """
    webhook_protocol.check_url(url)
    own = needed_keys(settings())
    secret = webhook_protocol.new_secret()

    async def work() -> int:
        async with writing() as session:
            agency = None if code is None else (await agency_of(session, code)).id
            new = Webhook(
                url=url,
                secret=own.seal(secret, webhooks.purpose(url)),
                agency_id=agency,
                created_by=user().address,
            )
            session.add(new)
            await session.flush()
            number = new.id
        async with connected(settings().database) as connection:
            await outlets.make(connection, webhooks.outlet_name(number))
        return number

    click.echo(f"Webhook {asyncio.run(work())} added.")
    click.echo(f"Secret (shown once): {webhook_protocol.shown(secret)}")


@webhook.command("list", epilog="Example: psn webhook list")
def list_webhooks() -> None:
    """Show receivers, how far each has got, and what hinders it."""

    async def work() -> list[tuple[object, ...]]:
        async with writing() as session:
            found = await session.execute(
                select(Webhook, Agency.code, Outlet)
                .outerjoin(Agency, Agency.id == Webhook.agency_id)
                .outerjoin(Outlet, Outlet.name == literal("webhook:") + cast(Webhook.id, Text))
                .order_by(Webhook.id)
            )
            return [
                (hook.id, hook.url, code or "all", "" if at is None else at.seq, _state(hook, at))
                for hook, code, at in found
            ]

    show(("id", "url", "agency", "through entry", "state"), asyncio.run(work()))


@webhook.command("test", epilog="Example: psn webhook test 3")
@click.argument("number", type=int)
def test(number: int) -> None:
    """Post an event of the kind TEST now, and say whether it was taken."""
    own = needed_keys(settings())

    async def work() -> str:
        async with writing() as session:
            hook = await _of(session, number)
            url, sealed = hook.url, hook.secret
        secret = own.open(sealed, webhooks.purpose(url))
        at = int(datetime.now(UTC).timestamp() * 1_000)
        text = "This is a test: nothing happened"
        event = SecurityEvent(0, at, "TEST", Severity.NOTICE, text, "test", user().address)
        body = webhook_protocol.payload([event])
        async with webhooks.client() as http:
            await webhooks.post(http, url, secret, f"psn-test-{secrets.token_hex(8)}", body)
        return url

    try:
        click.echo(f"{asyncio.run(work())} has taken it.")
    except Undelivered as problem:
        raise Problem(
            "not_delivered",
            f"It was not taken: {problem}.",
            "Look at the receiver and its log; psn webhook list says how it goes otherwise.",
        ) from problem


@webhook.command("enable", epilog="Example: psn webhook enable 3")
@click.argument("number", type=int)
def enable(number: int) -> None:
    """Go on with a receiver that was given up, from where it stopped."""

    async def work() -> None:
        async with writing() as session:
            (await _of(session, number)).disabled_at = None
            at = await session.get(Outlet, webhooks.outlet_name(number))
            if at is not None:
                at.failing_since = at.problem = None

    asyncio.run(work())
    click.echo(f"Webhook {number} is in use.")


@webhook.command("remove", epilog="Example: psn webhook remove 3")
@click.argument("number", type=int)
def remove(number: int) -> None:
    """Send nothing to a receiver any more, and forget its secret."""

    async def work() -> None:
        async with writing() as session:
            await session.delete(await _of(session, number))
            name = webhooks.outlet_name(number)
            await session.execute(delete(Outlet).where(Outlet.name == name))

    asyncio.run(work())
    click.echo(f"Webhook {number} removed.")


async def _of(session: AsyncSession, number: int) -> Webhook:
    found = await session.get(Webhook, number)
    if found is None:
        raise missing("webhook", str(number), "psn webhook list")
    return found


def _state(hook: Webhook, at: Outlet | None) -> str:
    if hook.disabled_at is not None:
        return f"disabled {hook.disabled_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if at is not None and at.failing_since is not None:
        since = f"{at.failing_since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return f"failing since {since}: {_plain(at.problem or '')}"
    return ""


def _plain(text: str) -> str:
    """What a receiver said, without what would steer a terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
