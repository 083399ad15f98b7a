"""Signing in at an agency's own identity provider (NIST SP 800-63C-4), and being linked with it.

Theory of operation
-------------------
A page begins: it is told where to send the browser, and keeps a secret of its own. The provider
proves its user and sends the browser back to a page of ours, with a code. That page finishes: it
sends the code together with its secret. The code is redeemed here, between the servers, and the
page is answered with a session's token, which therefore is in no address and in no cookie.

* Whoever is sent the address of somebody else's finished sign-in has not the secret to it, so
  nobody can be signed in as another without noticing.
* Each provider sends back to an address of its own, and may name itself (RFC 9207); what one
  provider's browser brings is never redeemed at another.
* What was begun is good once and for ten minutes.

A provider says who somebody is *there*. Who that is *here* was said before, by an administrator or
by the person himself: no name and no mail address is compared, and nobody is made an account. An
account's own second factor is asked for all the same, unless the provider vouches for one and its
agency trusts it with that. Everyone who may not come in reads the same.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from psn import access, database
from psn.directory import Directory, Person, Provider
from psn.identity import passkeys
from psn.identity.once import Once
from psn.identity.openid import Distrusted, Marks, Subject, check_issuer, secret_purpose
from psn.identity.openid import authorization_address as address_to_go_to
from psn.identity.people import Place, SignInRefused, too_many, unavailable, wrong_credentials
from psn.identity.providers import ProviderProblem, Providers, distrusted
from psn.identity.signin import SignIn, Tried
from psn.identity.tickets import Ticket
from psn.keys import KeyProblem, Keys
from psn.pace import network
from psn.trail import auditor
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

WAITING_SECONDS: Final = 600.0
"""So long a browser may be away, and so long a second factor may take after that."""
MOST_AWAY: Final = 16_384
MOST_OF_ONE: Final = 128
"""Of one address: at the change of the watch a whole agency may stand behind it."""
RETURN_PATH: Final = "/sign-in/"
"""Where browsers come back to; the agency's code, lower case, follows."""
END_SESSIONS: Final = """
    UPDATE session SET ended_at = now()
     WHERE provider_id = $1 AND person_id = $2 AND ended_at IS NULL AND ends_at > now()
"""
"""Ends the sessions that a provider opened for a person."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser goes, and what its page keeps until it is back."""

    address: str
    state: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Return:
    """What a browser brings back (RFC 6749, sections 4.1.2 and 4.1.2.1), and its page's secret."""

    agency: str
    """The code of the agency whose address it came to."""
    state: str
    secret: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    error: str | None = None
    issuer: str | None = None
    name: str = ""
    """Who signed in so at this browser before, if anyone did ..."""
    known: str | None = field(default=None, repr=False)
    """... and the token it was given then: a known place is not held up by what others do."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session for a person: its token and its ticket."""

    person: Person
    token: str = field(repr=False)
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Halfway:
    """The provider has said who it is, and one of these second factors is asked for beside it."""

    step: str = field(repr=False)
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class _Begun:
    provider: int
    issuer: str
    marks: Marks
    secret: bytes
    redirect: str
    at: float
    """Seconds since 1970."""
    person: int | None
    """Who wants to be linked; none: somebody wants to sign in."""


@dataclass(frozen=True, slots=True)
class _Half:
    provider: int
    subject: Subject
    secret: bytes


def return_address(origin: str, agency: str) -> str:
    """Where an agency's provider is to send browsers back to; to be registered there."""
    return f"{origin}{RETURN_PATH}{agency.lower()}"


class Federation:
    """Sign-ins at providers that are under way."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        signin: SignIn,
        keys: Keys,
        directory: Callable[[], Directory],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``directory`` gives that of now: much can change while a provider is asked."""
        self.providers = Providers(clock)
        self._directory = directory
        self._pool = pool
        self._signin = signin
        self._people = signin.people
        self._keys = keys
        self._clock = clock
        self._begun: Once[_Begun] = Once(WAITING_SECONDS, MOST_AWAY, MOST_OF_ONE)
        self._halfway: Once[_Half] = Once(WAITING_SECONDS)

    # -- going and coming back

    async def begin(
        self,
        agency: str,
        place: Place,
        origin: str,
        person: int | None = None,
    ) -> Departure:
        """Send a browser to the provider of an agency; raises :class:`Problem`.

        ``origin`` is that of our pages. ``person`` wants to be linked; none: to sign in.
        """
        self._refuse_if_too_many(place)
        directory = self._directory()
        provider = directory.provider_of(agency)
        if provider is None:
            raise _no_provider()
        redirect = return_address(origin, directory.agencies[provider.agency].code)
        metadata = await self.providers.metadata(provider)
        marks = Marks(*(secrets.token_urlsafe(32) for _ in range(3)))
        secret = secrets.token_urlsafe(32)
        begun = _Begun(
            provider.id,
            provider.issuer,
            marks,
            _hash(secret),
            redirect,
            time.time(),
            person,
        )
        asker = network(place.source) if place.token is None else f"known {place.name}"
        self._begun.put(_hash(marks.state), begun, asker, self._clock())
        address = address_to_go_to(metadata, provider, redirect, marks)
        return Departure(address, marks.state, secret)

    async def finish(self, back: Return, source: str) -> Opened | Halfway:
        """Sign in who has come back; raises :class:`SignInRefused` and :class:`ProviderProblem`."""
        begun, provider = self._taken(back, source, None)
        try:
            subject = await self._vouched_for(back, begun, provider)
            person = self._directory().person_at(provider, subject.subject)
            if person is None:
                raise _not_linked(provider, subject)
            kinds = await self._people.factors.kinds(person.id)
            if kinds and not subject.second_factor(provider):
                step = secrets.token_urlsafe(32)
                half = _Half(provider.id, subject, begun.secret)
                self._halfway.put(_hash(step), half, person.address, self._clock())
                return Halfway(step, kinds)
            return await self._open(person, provider, subject, bool(kinds), source)
        except (SignInRefused, ProviderProblem) as problem:
            self._note(problem, provider, back, source)
            raise
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            raise unavailable() from problem

    async def link(
        self, back: Return, person: Person, ticket: Ticket, source: str, by: Actor
    ) -> None:
        """Link a person with who has come back to his session; raises as :meth:`finish`."""
        begun, provider = self._taken(back, source, person.id)
        try:
            if provider.agency != person.agency:
                raise _no_provider()
            subject = await self._vouched_for(back, begun, provider)
        except (SignInRefused, ProviderProblem) as problem:
            self._note(problem, provider, back, source, person)
            raise
        # Who was thrown out while this waited must not leave himself a way in.
        self._signin.still(ticket, self._directory())
        if not self._signin.tickets.holds(ticket):
            raise SignInRefused("session_ended", "This session has ended.", "Sign in again.")
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            done = await connection.fetchval(
                "INSERT INTO linked_identity (provider_id, person_id, subject)"
                " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
                provider.id,
                person.id,
                subject.subject,
            )
        if done is None:
            raise SignInRefused(
                "already_there",
                "You, or who you are there, is linked already.",
                "Unlink it first; your administrator can see who is linked.",
            )

    def _taken(self, back: Return, source: str, person: int | None) -> tuple[_Begun, Provider]:
        """What was begun and is now finished, by the same page and for the same purpose."""
        place = self._place(back, source)
        self._refuse_if_too_many(place)
        begun = self._begun.take(_hash(back.state), self._clock())
        good = begun is not None and hmac.compare_digest(begun.secret, _hash(back.secret))
        provider = self._directory().provider_of(back.agency)
        if (
            begun is None
            or provider is None
            or not good
            or begun.person != person
            or (begun.provider, begun.issuer) != (provider.id, provider.issuer)
        ):
            self._failed(place)
            raise SignInRefused(
                "sign_in_over",
                "This sign-in took too long, was used before, or was begun in another window.",
                "Start again.",
            )
        return begun, provider

    async def _vouched_for(self, back: Return, begun: _Begun, provider: Provider) -> Subject:
        """Who it is, as the provider says; raises :class:`ProviderProblem`."""
        try:
            secret = self._keys.open(
                provider.client_secret, secret_purpose(provider.issuer, provider.client_id)
            ).decode()
        except KeyProblem as problem:
            log.error("%s", problem)
            raise distrusted(provider, "secret") from problem
        try:
            check_issuer(await self.providers.metadata(provider), back.issuer)
        except Distrusted as problem:
            raise distrusted(provider, problem.why) from problem
        if back.error is not None or back.code is None:
            raise _refused(provider, back.error)
        return await self.providers.subject(
            provider, secret, back.code, begun.redirect, begun.marks, begun.at
        )

    # -- the second factor

    async def second(self, step: str, secret: str, code: str, source: str) -> Opened:
        """Go on with a code of the account's own second factor; raises as :meth:`finish`.

        Whoever the provider has let through is counted by himself, so that those who guess at the
        account's password do not make him wait.
        """
        half, provider, person = self._still_halfway(step, secret)
        place = Place(person.name, source, _hash(provider.address))
        try:
            async with self._people.looked_at(place):
                by = Actor(person.address, person.full_name, person.agency, source)
                if not await self._people.factors.accept(person.id, code, time.time(), by):
                    wrong = wrong_credentials(with_code=True)
                    wrong.code_alone = True
                    raise self._people.failed(place, wrong)
        except SignInRefused as problem:
            tried = Tried({"provider": provider.id}, person.address, person.agency)
            self._signin.note_failure(tried, source, problem)
            raise
        self._halfway.take(_hash(step), self._clock())
        return await self._open(person, provider, half.subject, True, source)

    async def passkey_options(
        self, step: str, secret: str, source: str, where: passkeys.Site
    ) -> dict[str, Any]:
        """What a browser needs to use a passkey instead, which then signs in as any does."""
        _, _, person = self._still_halfway(step, secret)
        try:
            allowed = await self._people.factors.passkeys(person.id)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            raise unavailable() from problem
        owner = person.id if allowed else None
        made = self._people.challenges.new("sign_in", owner, network(source), self._clock())
        return passkeys.use_options(where, made, allowed)

    def _still_halfway(self, step: str, secret: str) -> tuple[_Half, Provider, Person]:
        directory = self._directory()
        half = self._halfway.look(_hash(step), self._clock())
        provider = None if half is None else directory.providers.get(half.provider)
        person = None
        if half is not None and provider is not None:
            person = directory.person_at(provider, half.subject.subject)
        good = half is not None and hmac.compare_digest(half.secret, _hash(secret))
        if half is None or provider is None or person is None or not good:
            raise SignInRefused("sign_in_over", "This sign-in took too long.", "Start again.")
        return half, provider, person

    async def _open(
        self,
        person: Person,
        provider: Provider,
        subject: Subject,
        has_factor: bool,
        source: str,
    ) -> Opened:
        token, ticket = await self._signin.tickets.issue(
            access.of_person(person),
            source,
            has_factor,
            provider.id,
            subject.second_factor(provider),
        )
        # Rights may have changed while this waited.
        self._signin.still(ticket, self._directory())
        self._people.lockout.succeeded(person.name, source, self._clock())
        return Opened(person, token, ticket)

    # -- failures

    def place(self, source: str, name: str, known: str | None, mark: str = "") -> Place:
        """Where somebody comes from: the known place of a name, or else an address.

        ``mark`` stands for the name then. Nobody guesses at it, so that only the address counts.
        """
        place = self._people.place(name, source, known)
        return place if place.token is not None else Place(f"sign-in {mark}", source, None)

    def _place(self, back: Return, source: str) -> Place:
        return self.place(source, back.name, back.known, back.state)

    def _refuse_if_too_many(self, place: Place) -> None:
        lockout = self._people.lockout
        seconds = lockout.wait(place.name, place.source, self._clock(), place.token)
        if seconds > 0:
            raise too_many(math.ceil(seconds * 1_000))

    def _failed(self, place: Place) -> None:
        self._people.lockout.failed(place.name, place.source, self._clock(), place.token)

    def _note(
        self,
        problem: SignInRefused | ProviderProblem,
        provider: Provider,
        back: Return,
        source: str,
        person: Person | None = None,
    ) -> None:
        """Count a failure and put it into the audit; not what is the provider's own trouble."""
        if problem.code in ("provider_away", "unavailable"):
            return
        self._failed(self._place(back, source))
        details: dict[str, object] = {"provider": provider.id}
        if isinstance(problem, ProviderProblem):
            details["reason"] = problem.why
        if isinstance(problem, _NotLinked):
            details["subject"] = problem.subject
        what = provider.address if person is None else person.address
        self._signin.note_failure(Tried(details, what, provider.agency), source, problem)


class _NotLinked(SignInRefused):
    """Nobody here is that; the audit keeps who it is there."""

    subject = ""


def _not_linked(provider: Provider, subject: Subject) -> _NotLinked:
    problem = _NotLinked(
        "not_linked",
        f"{provider.name} knows you, but no account that may sign in here is linked with that.",
        f"Ask your administrator to link {subject.subject}, which is you there.",
    )
    problem.subject = subject.subject
    return problem


def _no_provider() -> SignInRefused:
    return SignInRefused(
        "no_provider",
        "This agency has no sign-in of its own here.",
        "Sign in with your password.",
    )


def _refused(provider: Provider, error: str | None) -> ProviderProblem:
    cancelled = error in ("access_denied", "login_required", "interaction_required")
    return ProviderProblem(
        "provider_refused",
        f"{provider.name} has not let you in, or you have broken it off."
        if cancelled
        else f"{provider.name} could not sign you in.",
        "Start again, or sign in with your password here.",
        error if error is not None and error.isidentifier() and len(error) <= 60 else "error",
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
