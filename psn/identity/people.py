"""How a person proves who he is: by a password and a second factor, or by a passkey alone.

Every try passes :meth:`People.looked_at`, where ``psn.identity.lockout`` may make it wait, and
where few are worked on at once: two in all, and of strangers one, so that a flood of them keeps
nobody out who comes from a place that his account knows, and starves nothing else. What answers
say, and the work that is done for them, is the same whether or not an account exists, may sign in
or has a password; only who knows its password learns that a second factor is asked for.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from psn import database, wire
from psn.directory import Directory, Person
from psn.identity import credentials, passkeys
from psn.identity.lockout import Lockout
from psn.identity.second_factors import SecondFactors
from psn.keys import KeyProblem, Keys
from psn.pace import network
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Actor

log = logging.getLogger(__name__)

CHECKS_AT_ONCE: Final = 2
CHECKS_OF_STRANGERS: Final = 1
STRANGERS_WAITING: Final = 400
"""More than these are sent away at once: some ten seconds' work."""
BUSY_MS: Final = 5_000
FIRST_PASSWORD: Final = timedelta(days=7)
"""So long a password that somebody else made is good, and only to choose another."""
_TOKEN_BYTES: Final = 12


class SignInRefused(Problem):
    """Why a sign-in did not succeed: ``code`` is stable.

    ``kinds``: of second factors, for who has shown that he knows the password.
    """

    def __init__(
        self,
        code: str,
        text: str,
        todo: str,
        retry: int | None = None,
        kinds: Sequence[str] | None = None,
    ) -> None:
        super().__init__(code, text, todo, retry)
        self.kinds = None if kinds is None else list(kinds)
        self.wait = 0.0
        """Seconds that the next try from there has to wait; not told, but kept in the audit."""
        self.code_alone = False
        """Whether the password was right and only the code wrong; not told, but kept as well."""


@dataclass(frozen=True, slots=True)
class Place:
    """From where a try comes, and for which name."""

    name: str
    source: str
    token: bytes | None
    """What identifies a genuine ``known`` token."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A person who has proved who he is, and whether he has a second factor."""

    person: Person
    has_factor: bool


class People:
    """Proofs of people, against the directory and their second factors."""

    def __init__(
        self, pool: asyncpg.Pool, keys: Keys, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.factors = SecondFactors(pool, keys)
        self.lockout = Lockout()
        self.challenges = passkeys.Challenges()
        self._pool = pool
        self._keys = keys
        self._clock = clock
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._strangers = asyncio.Semaphore(CHECKS_OF_STRANGERS)
        self._waiting = 0

    # -- places

    def known(self, name: str) -> str:
        """A token to keep at the place of a good sign-in: what comes with it is no stranger."""
        purpose = _place_purpose(_login(name))
        sealed = self._keys.seal(secrets.token_bytes(_TOKEN_BYTES), purpose)
        return base64.urlsafe_b64encode(sealed).decode()

    def place(self, name: str, source: str, known: str | None) -> Place:
        """Where a try comes from; a token that was not made here for this name is none."""
        name = _login(name)
        token = None
        if known is not None:
            with contextlib.suppress(ValueError, KeyProblem):
                token = self._keys.open(base64.urlsafe_b64decode(known), _place_purpose(name))
        return Place(name, source, token)

    @contextlib.asynccontextmanager
    async def looked_at(self, place: Place) -> AsyncIterator[None]:
        """A turn to check one try; raises :class:`SignInRefused` when it must wait longer."""
        self._refuse_if_too_many(place)
        async with contextlib.AsyncExitStack() as turn:
            known = self.lockout.knows(place.name, place.source, self._clock(), place.token)
            if not known:
                if self._waiting >= STRANGERS_WAITING:
                    raise too_many(BUSY_MS)
                self._waiting += 1
                try:
                    await turn.enter_async_context(self._strangers)
                finally:
                    self._waiting -= 1
            await turn.enter_async_context(self._checks)
            # Those before it in the queue may have failed meanwhile.
            self._refuse_if_too_many(place)
            try:
                yield
            except (*database.PASSING, asyncpg.PostgresError) as problem:
                raise unavailable() from problem
            except KeyProblem as problem:
                log.error("%s", problem)
                raise unavailable() from problem

    def _refuse_if_too_many(self, place: Place) -> None:
        seconds = self.lockout.wait(place.name, place.source, self._clock(), place.token)
        if seconds > 0:
            raise too_many(math.ceil(seconds * 1_000))

    def failed(self, place: Place, problem: SignInRefused) -> SignInRefused:
        """Count a failure; the problem to raise."""
        now = self._clock()
        self.lockout.failed(place.name, place.source, now, place.token)
        problem.wait = self.lockout.wait(place.name, place.source, now, place.token)
        return problem

    # -- by password

    async def by_password(
        self, auth: wire.PasswordAuth, directory: Directory, source: str
    ) -> Proved:
        """Who signs in by a password, and a code where he has a second factor.

        Raises :class:`SignInRefused`.
        """
        place = self.place(auth.name, source, auth.known)
        async with self.looked_at(place):
            person = await self._right(directory.people_by_name.get(place.name), auth.password)
            knows_password = person is not None
            kinds = [] if person is None else await self.factors.kinds(person.id)
            if person is not None and kinds:
                if auth.code is None:
                    raise SignInRefused(
                        "second_factor_needed",
                        "The password is right; this account also asks for a second factor.",
                        "Sign in again with a code, or with the passkey.",
                        kinds=kinds,
                    )
                by = Actor(person.address, person.full_name, person.agency, source)
                if not await self.factors.accept(person.id, auth.code, time.time(), by):
                    person = None
            if person is None:
                wrong = wrong_credentials(with_code=auth.code is not None)
                wrong.code_alone = knows_password
                raise self.failed(place, wrong)
            self.lockout.succeeded(place.name, source, self._clock(), place.token)
        if person.password_until is not None and person.password_until <= datetime.now(UTC):
            raise SignInRefused(
                "first_password_over",
                "The password is right, but nobody chose another while it was good.",
                "Ask your administrator for a new one.",
            )
        return Proved(person, bool(kinds))

    async def prove(self, person: Person, password: str, source: str, session: bytes) -> None:
        """Whoever sits at a person's session knows his password; raises :class:`SignInRefused`.

        The session is a place of its own, so that guessing at it locks out nobody elsewhere.
        """
        place = Place(person.name, source, session)
        async with self.looked_at(place):
            if await self._right(person, password) is None:
                raise self.failed(place, _wrong_password())
            self.lockout.succeeded(place.name, source, self._clock(), place.token)

    @staticmethod
    async def _right(person: Person | None, password: str) -> Person | None:
        """The person, when the password is his and he may sign in."""
        kept = person.password_hash if person is not None and not person.disabled else None
        # Someone unknown costs as much as a wrong password, so time tells nothing.
        good = await asyncio.to_thread(credentials.verify_password, kept, password)
        return person if good else None

    async def still_right(self, person: Person) -> bool:
        """Whether the password that somebody has just proved is his still, and he may sign in.

        To be asked when his session is there already. What gives him another password does that
        first and ends his sessions then, in one transaction: either that session is among them, or
        this waits for the row and finds the other password.
        """
        async with database.asking(self._pool) as connection:
            return bool(
                await connection.fetchval(
                    "SELECT true FROM person WHERE id = $1 AND password_hash = $2"
                    " AND disabled_at IS NULL FOR SHARE",
                    person.id,
                    person.password_hash,
                )
            )

    async def set_password(self, person: Person, password: str, by: Actor) -> None:
        """Keep a new password, which ``psn.identity.passwords`` has let pass.

        Only in the place of the one that was proved: who was given another in the meantime is not
        to be overruled. Raises :class:`SignInRefused`.
        """
        kept = await asyncio.to_thread(credentials.hash_password, password)
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            done = await connection.fetchval(
                "UPDATE person SET password_hash = $2, password_until = NULL"
                " WHERE id = $1 AND password_hash = $3 RETURNING true",
                person.id,
                kept,
                person.password_hash,
            )
        if not done:
            raise _wrong_password()

    # -- by passkey

    async def passkey_options(
        self,
        first: wire.PasswordAuth | None,
        directory: Directory,
        source: str,
        where: passkeys.Site,
    ) -> dict[str, Any]:
        """What a browser needs to use a passkey: alone, or after name and password."""
        person, allowed = None, []
        if first is not None:
            place = self.place(first.name, source, first.known)
            async with self.looked_at(place):
                person = await self._right(directory.people_by_name.get(place.name), first.password)
                if person is None:
                    raise self.failed(place, wrong_credentials(with_code=False))
                allowed = await self.factors.passkeys(person.id)
        owner, proof = None, None
        if person is not None and allowed:
            owner, proof = person.id, person.password_hash
        asker = network(source)
        challenge = self.challenges.new("sign_in", owner, asker, self._clock(), proof)
        return passkeys.use_options(where, challenge, allowed)

    async def by_passkey(
        self, use: passkeys.Assertion, directory: Directory, source: str, where: passkeys.Site
    ) -> Person:
        """Who signs in by a passkey.

        Raises :class:`SignInRefused` and :class:`passkeys.PasskeyRefused`.
        """
        made = passkeys.challenge_in(use)
        challenge = self.challenges.take(made, "sign_in", self._clock())
        try:
            found = await self.factors.passkey(passkeys.credential_id(use))
            person = None if found is None else directory.people.get(found[0])
            if found is None or person is None or person.disabled:
                raise passkeys.unknown()
            kept = found[1]
            count, verified = passkeys.used(use, made, where, kept)
            # The password may be another one by now.
            proved = challenge.person == person.id and (
                challenge.password in (None, person.password_hash)
            )
            if not verified and not proved:
                raise SignInRefused(
                    "second_factor_needed",
                    "This key did not check that it is you who uses it.",
                    "Sign in with name and password, and then with the key.",
                )
            if not await self.factors.passkey_used(kept.credential_id, kept.sign_count, count):
                raise passkeys.unknown()
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            raise unavailable() from problem
        self.lockout.succeeded(person.name, source, self._clock())
        return person


def unavailable() -> SignInRefused:
    """The database does not answer, so nobody new comes in."""
    return SignInRefused(
        "unavailable",
        "Nobody can sign in right now: the database does not answer.",
        "Try again in a moment. Sessions that are signed in stay signed in.",
        retry=1_000,
    )


def wrong_credentials(*, with_code: bool) -> SignInRefused:
    """What was typed is wrong. It depends on what was sent alone, and not on what is right."""
    what = (
        "The name, the password or the code is wrong."
        if with_code
        else ("The name or the password is wrong.")
    )
    return SignInRefused(
        "wrong_credentials",
        what,
        "Try again, or ask your administrator whether the account is in use.",
    )


def _wrong_password() -> SignInRefused:
    return SignInRefused(
        "wrong_credentials", "The password is wrong.", "Try again, or use a passkey."
    )


def too_many(retry: int) -> SignInRefused:
    """Who must wait, for so many milliseconds, before a try of his is looked at."""
    return SignInRefused(
        "too_many_tries",
        "There were too many tries; this one was not looked at.",
        "Wait a little, and then try again with care.",
        retry=retry,
    )


def _login(name: str) -> str:
    """A name to sign in with, as it is kept, from what was typed."""
    return name.strip().lower()


def _place_purpose(name: str) -> str:
    return f"place known to {name}"
