"""One's own account: second factors, passwords, sessions; and signing in by a passkey.

What changes how someone signs in needs a proof that is a few minutes old at most (a route that is
``fresh``): signing in, or ``/api/me/proof``. Without it the answer is ``proof_needed``. Who has not
enrolled a second factor where one is required may come here alone.
"""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import segno
from msgspec import Meta, Struct

from dispatch.asking import ApiProblem, Asked, Knock, Route, not_found
from psn import database, wire
from psn.directory import Person
from psn.identity import breached, factors, passkeys, passwords
from psn.identity.second_factors import Factor
from psn.wire.values import NO_NUL, SECRET

log = logging.getLogger(__name__)

Label = Annotated[str, Meta(min_length=1, max_length=60, pattern=NO_NUL)]


# -- what is sent and answered


class PasskeyAfterPassword(Struct):
    """To use a passkey as second factor, name and password come first; else nothing."""

    name: wire.ShortText | None = None
    password: wire.Secret | None = None
    known: wire.Secret | None = None


class BrowserOptions(Struct):
    """For ``navigator.credentials``: options in the JSON of the standard."""

    publicKey: dict[str, Any]


class UsedPasskey(Struct):
    """What ``navigator.credentials.get`` gave."""

    credential: passkeys.Assertion


class MadePasskey(Struct):
    """What ``navigator.credentials.create`` gave, and what its owner calls it."""

    credential: passkeys.Attestation
    label: Label


class Token(Struct):
    """A session's token: sign in with it on ``/ws``. ``ends`` in milliseconds UTC."""

    token: str
    ends: int
    known: str


class Proof(Struct):
    """A password, or the token of a session begun just now by a passkey."""

    password: wire.Secret | None = None
    token: wire.Secret | None = None


class MyFactor(Struct):
    """A second factor; times in milliseconds UTC."""

    id: int
    kind: str
    label: str
    created: int
    last_used: int | None


class MyFactors(Struct):
    """Second factors, and how many recovery codes are still good."""

    factors: list[MyFactor]
    recovery_left: int
    few_left: bool
    """Whether to make new recovery codes soon."""
    required: bool
    first_password: bool
    """Whether somebody else made the password, and another has to be chosen now."""
    passkeys: bool
    """Whether passkeys can be used at this address."""


class NewAuthenticator(Struct):
    """For an authenticator app: a QR code as ``data:`` address, and the same by hand."""

    qr: str
    address: str
    secret: str


class FirstCode(Struct):
    """The first code of a new authenticator, and what its owner calls it."""

    code: wire.Code
    label: Label


class NewLabel(Struct):
    """Another name for a factor."""

    label: Label


class RecoveryCodes(Struct):
    """Codes to be shown once; none when those there were are still good."""

    recovery_codes: list[str] | None


class ChangedPassword(Struct):
    """The password so far, and the one from now on."""

    old: wire.Secret
    new: Annotated[str, Meta(max_length=2_000, extra=SECRET)]


class Ended(Struct):
    """How many sessions were ended."""

    ended: int


class MySession(Struct):
    """A session of one's own; times in milliseconds UTC."""

    id: str
    began: int
    active: int
    ends: int
    source: str | None
    connected: bool
    current: bool


class MySessions(Struct):
    """All one's sessions, oldest first."""

    sessions: list[MySession]


class Done(Struct):
    """It is done."""

    ok: bool = True


# -- signing in by a passkey


async def passkey_options(knock: Knock) -> BrowserOptions:
    """What a browser needs to use a passkey: alone, or after name and password."""
    body: PasskeyAfterPassword = knock.body
    first = None
    if body.name is not None and body.password is not None:
        first = wire.PasswordAuth(body.name, body.password, known=body.known)
    options = await knock.core.signin.passkey_options(
        first, knock.core.directory, knock.source, knock.site()
    )
    return BrowserOptions(options)


async def sign_in_by_passkey(knock: Knock) -> Token:
    """A session for who has used a passkey; its token signs in on the wire."""
    body: UsedPasskey = knock.body
    core = knock.core
    person, token, ticket = await core.signin.by_passkey(
        body.credential, core.directory, knock.source, knock.site()
    )
    known = core.signin.people.known(person.name)
    return Token(token, database.milliseconds(ticket.ends), known)


# -- who asks


def me(asked: Asked) -> Person:
    """The person who asks; raises :class:`ApiProblem` for a device."""
    person = asked.core.directory.people.get(asked.who.person or 0)
    if person is None:
        raise ApiProblem(
            403, "not_allowed", "A device has no account of its own.", "Sign in as a person."
        )
    return person


async def prove(asked: Asked) -> Done:
    """Prove again that it is you, before changing how you sign in."""
    body: Proof = asked.body
    me(asked)
    proof: wire.PasswordProof | wire.TokenProof
    if body.password is not None:
        proof = wire.PasswordProof(body.password)
    elif body.token is not None:
        proof = wire.TokenProof(body.token)
    else:
        raise ApiProblem(400, "bad_body", "There is no proof in it.", "Send password or token.")
    core = asked.core
    await core.signin.prove(asked.ticket, proof, core.directory, asked.source)
    return Done()


# -- second factors


async def my_factors(asked: Asked) -> MyFactors:
    """One's second factors, and what is left of the recovery codes."""
    person, kept = me(asked), asked.core.signin.people.factors
    try:
        asked.site()
        here = True
    except passkeys.PasskeyRefused:
        here = False
    have = await kept.of(person.id)
    left = await kept.recovery_left(person.id)
    return MyFactors(
        [_shown(factor) for factor in have],
        left,
        bool(have) and left <= factors.FEW_RECOVERY_CODES,
        asked.core.tickets.conditions.second_factor,
        asked.ticket.first_password,
        here,
    )


def _shown(factor: Factor) -> MyFactor:
    used = None if factor.last_used is None else database.milliseconds(factor.last_used)
    return MyFactor(
        factor.id, factor.kind, factor.label, database.milliseconds(factor.created), used
    )


async def begin_totp(asked: Asked) -> NewAuthenticator:
    """Begin to enrol an authenticator app: show it the QR code, then confirm with its code."""
    person = me(asked)
    secret = asked.core.signin.people.factors.begin_totp(person.id)
    address = factors.otpauth(secret, person.name, asked.settings.name)
    picture = io.BytesIO()
    # White around it, and black on white in every theme: cameras need that (ISO/IEC 18004).
    segno.make(address, error="m").save(picture, kind="svg", scale=4, border=4, light="#fff")
    qr = "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode()
    return NewAuthenticator(qr, address, factors.base32(secret))


async def confirm_totp(asked: Asked) -> RecoveryCodes:
    """Enrol the authenticator that was begun, by its first code."""
    body: FirstCode = asked.body
    person, people = me(asked), asked.core.signin.people
    codes = await people.factors.confirm_totp(
        person.id, body.code, body.label, time.time(), asked.actor
    )
    asked.core.tickets.enrolled(person.id)
    return RecoveryCodes(codes)


async def new_passkey_options(asked: Asked) -> BrowserOptions:
    """What a browser needs to make a passkey."""
    person, people = me(asked), asked.core.signin.people
    where = asked.site()
    there = await people.factors.passkeys(person.id)
    made = people.challenges.new("enrol", person.id, person.address, time.monotonic())
    options = passkeys.enrolment_options(
        where, asked.settings.name, person.id, person.name, person.full_name, made, there
    )
    return BrowserOptions(options)


async def add_passkey(asked: Asked) -> RecoveryCodes:
    """Enrol the passkey that was made."""
    body: MadePasskey = asked.body
    person, people = me(asked), asked.core.signin.people
    made = passkeys.challenge_in(body.credential)
    challenge = people.challenges.take(made, "enrol", time.monotonic())
    if challenge.person != person.id:
        raise passkeys.unknown()
    passkey = passkeys.enrolled(body.credential, made, asked.site())
    codes = await people.factors.add_passkey(person.id, passkey, body.label, asked.actor)
    asked.core.tickets.enrolled(person.id)
    return RecoveryCodes(codes)


async def rename_factor(asked: Asked) -> Done:
    """Give a second factor another name."""
    body: NewLabel = asked.body
    kept = asked.core.signin.people.factors
    if not await kept.rename(me(asked).id, asked.path_id("id"), body.label, asked.actor):
        raise not_found()
    return Done()


async def remove_factor(asked: Asked) -> Done:
    """Remove a second factor; the last one takes the recovery codes with it."""
    person, people = me(asked), asked.core.signin.people
    may_be_last = not asked.core.tickets.conditions.second_factor
    gone = await people.factors.remove(
        person.id, asked.path_id("id"), asked.actor, may_be_last=may_be_last
    )
    if not gone:
        raise not_found()
    return Done()


async def new_recovery_codes(asked: Asked) -> RecoveryCodes:
    """Ten new recovery codes; the old ones are worth nothing any more."""
    person, kept = me(asked), asked.core.signin.people.factors
    if not await kept.of(person.id):
        raise ApiProblem(
            409,
            "no_second_factor",
            "Recovery codes stand in for a second factor, and you have none.",
            "Enrol one first.",
        )
    return RecoveryCodes(await kept.new_codes(person.id, asked.actor))


# -- password and sessions


async def change_password(asked: Asked) -> Ended:
    """Change one's password; every other session of one's own ends."""
    body: ChangedPassword = asked.body
    person, core = me(asked), asked.core
    proof = wire.PasswordProof(body.old)
    await core.signin.prove(asked.ticket, proof, core.directory, asked.source)
    until = person.password_until
    if until is not None and until <= datetime.now(UTC):
        raise ApiProblem(
            403,
            "first_password_over",
            "Somebody else made this password, and its days are over.",
            "Ask your administrator for another.",
        )
    if body.new == body.old:
        raise ApiProblem(
            400, "same_password", "That is the password you have.", "Choose another one."
        )
    agency = core.directory.agencies.get(person.agency)
    own = (person.name, person.full_name, asked.settings.name)
    expected = own if agency is None else (*own, agency.code, agency.name)
    look_up = breached.look_up(asked.settings.breached_passwords)
    try:
        await asyncio.to_thread(passwords.check, body.new, expected, look_up)
    except breached.BadList as problem:
        log.error("%s", problem)
        raise
    await core.signin.people.set_password(person, body.new, asked.actor)
    core.tickets.chosen(person.id)
    await core.refresh_directory()
    return Ended(await core.tickets.end_all(person.id, asked.actor, but=asked.ticket))


async def my_sessions(asked: Asked) -> MySessions:
    """Where one is signed in."""
    core, person = asked.core, me(asked)
    connected = {session.ticket for session in core.sessions.all}
    return MySessions(
        [
            MySession(
                ticket.id,
                database.milliseconds(ticket.began),
                database.milliseconds(ticket.active),
                database.milliseconds(ticket.ends),
                ticket.source,
                ticket in connected,
                ticket is asked.ticket,
            )
            for ticket in core.tickets.of_person(person.id)
        ]
    )


async def end_session(asked: Asked) -> Done:
    """End one of one's own sessions; what is connected with it is closed at once."""
    tickets, wanted = asked.core.tickets, asked.path["id"]
    for ticket in tickets.of_person(me(asked).id):
        if ticket.id == wanted:
            await tickets.end(ticket, asked.actor)
            return Done()
    raise not_found()


async def sign_out_everywhere(asked: Asked) -> Ended:
    """End all one's sessions, this one too."""
    return Ended(await asked.core.tickets.end_all(me(asked).id, asked.actor))


_FACTORS: Final = "/api/me/second-factors"

ROUTES: Final = (
    Route(
        "/api/sign-in/passkey/options",
        passkey_options,
        BrowserOptions,
        method="POST",
        takes=PasskeyAfterPassword,
        open=True,
    ),
    Route(
        "/api/sign-in/passkey",
        sign_in_by_passkey,
        Token,
        method="POST",
        takes=UsedPasskey,
        open=True,
    ),
    Route("/api/me/proof", prove, Done, method="POST", takes=Proof, limited=True),
    Route(_FACTORS, my_factors, MyFactors, limited=True),
    Route(
        f"{_FACTORS}/totp", begin_totp, NewAuthenticator, method="POST", limited=True, fresh=True
    ),
    Route(
        f"{_FACTORS}/totp/confirm",
        confirm_totp,
        RecoveryCodes,
        method="POST",
        takes=FirstCode,
        limited=True,
        fresh=True,
    ),
    Route(
        f"{_FACTORS}/passkey/options",
        new_passkey_options,
        BrowserOptions,
        method="POST",
        limited=True,
        fresh=True,
    ),
    Route(
        f"{_FACTORS}/passkey",
        add_passkey,
        RecoveryCodes,
        method="POST",
        takes=MadePasskey,
        limited=True,
        fresh=True,
    ),
    Route(f"{_FACTORS}/{{id}}/label", rename_factor, Done, method="POST", takes=NewLabel),
    Route(f"{_FACTORS}/{{id}}", remove_factor, Done, method="DELETE", fresh=True),
    Route("/api/me/recovery-codes", new_recovery_codes, RecoveryCodes, method="POST", fresh=True),
    Route(
        "/api/me/password",
        change_password,
        Ended,
        method="POST",
        takes=ChangedPassword,
        limited=True,
    ),
    Route("/api/me/sessions", my_sessions, MySessions),
    Route("/api/me/sessions/{id}", end_session, Done, method="DELETE"),
    Route("/api/me/sign-out-everywhere", sign_out_everywhere, Ended, method="POST"),
)
