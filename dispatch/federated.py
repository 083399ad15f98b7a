"""Signing in at an agency's own provider: ``psn.identity.federation`` over HTTP.

The page asks where to go and goes there; it comes back at ``/sign-in/AGENCY``, reads what the
provider put into the address, takes it out of there, and sends it here. Nothing is changed by an
address that somebody opens.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from dispatch.account import BrowserOptions, Done, me
from dispatch.asking import ApiProblem, Asked, Handler, Knock, Route, not_found
from psn import database, wire
from psn.directory import Person
from psn.identity import federation, passkeys
from psn.identity.federation import Halfway, Opened, Return
from psn.trail import auditor
from psn.wire.values import NO_NUL

_Code = Annotated[str, Meta(min_length=1, max_length=20, pattern=NO_NUL)]
_Word = Annotated[str, Meta(max_length=200, pattern=NO_NUL)]
_Long = Annotated[str, Meta(max_length=8_000, pattern=NO_NUL)]
"""Of a provider's making: codes may be long."""


class AgencyProvider(Struct):
    """An agency that people can sign in at, and what its sign-in is called."""

    agency: str
    name: str


class AgencyProviders(Struct):
    """All of them, by name."""

    providers: list[AgencyProvider]


class Going(Struct):
    """Whose provider to go to; the place is known by name and token, if any."""

    agency: _Code
    name: wire.ShortText = ""
    known: wire.Secret | None = None


class Departed(Struct):
    """Where the browser goes; ``state`` and ``secret`` stay in the page until it is back."""

    address: str
    state: str
    secret: str


class Returned(Struct):
    """What the provider put into the address, and what the page has kept."""

    agency: _Code
    state: _Word
    secret: _Word
    code: _Long | None = None
    error: _Word | None = None
    iss: _Long | None = None
    name: wire.ShortText = ""
    known: wire.Secret | None = None


class SignedInThere(Struct):
    """A session, as by a passkey; or, with ``step``, which second factors are asked for now."""

    token: str | None = None
    ends: int | None = None
    known: str | None = None
    name: str | None = None
    """The name of the account here, to keep ``known`` with."""
    step: str | None = None
    kinds: list[str] | None = None


class SecondStep(Struct):
    """The code of a second factor, after the provider's word."""

    step: _Word
    secret: _Word
    code: wire.Code


class PasskeyStep(Struct):
    """A passkey instead of a code."""

    step: _Word
    secret: _Word


class MyIdentity(Struct):
    """Who one is at the provider; ``since`` in milliseconds UTC."""

    id: int
    provider: str
    subject: str
    since: int


class MyIdentities(Struct):
    """One's links, and the provider of one's agency that one may link with, if there is one."""

    identities: list[MyIdentity]
    agency: str | None
    provider: str | None


# -- signing in


async def providers(knock: Knock) -> AgencyProviders:
    """Where people can sign in other than by a password; nothing more of it is told."""
    try:
        _origin(knock)
    except ApiProblem:
        return AgencyProviders([])
    directory = knock.core.directory
    found = [
        AgencyProvider(directory.agencies[each.agency].code, each.name)
        for each in directory.providers.values()
    ]
    return AgencyProviders(sorted(found, key=lambda each: each.name.casefold()))


def _origin(knock: Knock) -> str:
    """The origin of our pages, which never is what a client says, but on this machine itself."""
    try:
        return knock.site().origin
    except passkeys.PasskeyRefused:
        raise ApiProblem(
            400,
            "no_origin",
            "This network does not say at which address it is.",
            "Sign in with your password; the administrator can set PSN_ORIGIN.",
        ) from None


async def begin(knock: Knock) -> Departed:
    """Where to send the browser, to sign in."""
    body: Going = knock.body
    core = knock.core
    place = core.federation.place(knock.source, body.name, body.known)
    gone = await core.federation.begin(body.agency, place, _origin(knock))
    return Departed(gone.address, gone.state, gone.secret)


async def finish(knock: Knock) -> SignedInThere:
    """A session for who is back; or which second factor is asked for."""
    core = knock.core
    done = await core.federation.finish(_returned(knock.body), knock.source)
    if isinstance(done, Halfway):
        return SignedInThere(step=done.step, kinds=done.kinds)
    return _opened(knock, done)


def _opened(knock: Knock, done: Opened) -> SignedInThere:
    name = done.person.name
    known = knock.core.signin.people.known(name)
    return SignedInThere(done.token, database.milliseconds(done.ticket.ends), known, name)


def _returned(body: Returned) -> Return:
    return Return(
        body.agency, body.state, body.secret, body.code, body.error, body.iss, body.name, body.known
    )


async def second(knock: Knock) -> SignedInThere:
    """A session for who is back and has typed the code."""
    body: SecondStep = knock.body
    core = knock.core
    done = await core.federation.second(body.step, body.secret, body.code, knock.source)
    return _opened(knock, done)


async def second_passkey(knock: Knock) -> BrowserOptions:
    """What a browser needs to use a passkey instead; then as any sign-in by a passkey."""
    body: PasskeyStep = knock.body
    core = knock.core
    return BrowserOptions(
        await core.federation.passkey_options(body.step, body.secret, knock.source, knock.site())
    )


# -- one's own links


async def my_identities(asked: Asked) -> MyIdentities:
    """Who one is at one's agency's provider."""
    person, directory = me(asked), asked.core.directory
    rows = await asked.pool.fetch(
        "SELECT i.id, p.name, i.subject, i.created_at FROM linked_identity i"
        " JOIN identity_provider p ON p.id = i.provider_id"
        " WHERE i.person_id = $1 AND p.retired_at IS NULL ORDER BY i.id",
        person.id,
    )
    linked = [
        MyIdentity(row["id"], row["name"], row["subject"], database.milliseconds(row["created_at"]))
        for row in rows
    ]
    agency = directory.agencies.get(person.agency)
    provider = None if agency is None else directory.provider_of(agency.code)
    if agency is None or provider is None or linked:
        return MyIdentities(linked, None, None)
    return MyIdentities(linked, agency.code, provider.name)


async def begin_link(asked: Asked) -> Departed:
    """Where to send the browser, to be linked with one's agency's provider."""
    person, core = me(asked), asked.core
    agency = core.directory.agencies.get(person.agency)
    place = core.federation.place(asked.source, "", None)
    gone = await core.federation.begin(
        "" if agency is None else agency.code, place, _origin(asked), person.id
    )
    return Departed(gone.address, gone.state, gone.secret)


async def link(asked: Asked) -> Done:
    """Link oneself with who is back."""
    person, core = me(asked), asked.core
    back = _returned(asked.body)
    await core.federation.link(back, person, asked.ticket, asked.source, asked.actor)
    await core.refresh_directory()
    return Done()


async def unlink(asked: Asked) -> Done:
    """Unlink oneself; the sessions that the provider opened end."""
    person = me(asked)
    await _need_another_way(asked, person)
    async with asked.pool.acquire() as connection, auditor.acting(connection, asked.actor):
        gone = await connection.fetchval(
            "DELETE FROM linked_identity WHERE id = $1 AND person_id = $2 RETURNING provider_id",
            asked.path_id("id"),
            person.id,
        )
        if gone is None:
            raise not_found()
        await connection.execute(federation.END_SESSIONS, gone, person.id)
    await asked.core.refresh_directory()
    return Done()


async def _need_another_way(asked: Asked, person: Person) -> None:
    if person.password_hash is not None:
        return
    if not await asked.core.signin.people.factors.passkeys(person.id):
        raise ApiProblem(
            409,
            "last_way_in",
            "You have no password and no passkey, so this is your only way in.",
            "Enrol a passkey first, or ask your administrator for a password.",
        )


_PROVIDER: Final = "/api/sign-in/provider"
_MINE: Final = "/api/me/identities"


def _open(path: str, handler: Handler, returns: type, takes: type) -> Route:
    return Route(f"{_PROVIDER}/{path}", handler, returns, method="POST", takes=takes, open=True)


ROUTES: Final = (
    Route("/api/sign-in/providers", providers, AgencyProviders, open=True),
    _open("begin", begin, Departed, Going),
    _open("finish", finish, SignedInThere, Returned),
    _open("second", second, SignedInThere, SecondStep),
    _open("passkey", second_passkey, BrowserOptions, PasskeyStep),
    Route(_MINE, my_identities, MyIdentities),
    Route(f"{_MINE}/begin", begin_link, Departed, method="POST", fresh=True),
    Route(_MINE, link, Done, method="POST", takes=Returned, fresh=True),
    Route(f"{_MINE}/{{id}}", unlink, Done, method="DELETE", fresh=True),
)
