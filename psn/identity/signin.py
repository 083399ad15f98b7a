"""Signing in: credentials in, a principal and a session token out.

How a person proves who he is stands in ``psn.identity.people``. A device's signature takes 0.1 ms,
less than handing it to a thread and back under load would, so it is checked at once. Tokens are
checked in memory, so everyone who was signed in comes back even while the database is away.
"""

from __future__ import annotations

import asyncio
import functools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from psn import access, database, wire
from psn.directory import Device, Directory, Person
from psn.enrolment import device_key
from psn.histogram import SECONDS, Histogram
from psn.identity import credentials, idle, passkeys
from psn.identity.failures import Failures
from psn.identity.people import People, unavailable, wrong_credentials
from psn.identity.people import SignInRefused as SignInRefused
from psn.keys import Keys
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import LONGEST_NAME, NOBODY, Actor, Entry, session_name
from psn.trail.auditor import Auditor, Unrecorded

_NOT_NOTED: Final = ("second_factor_needed", "too_many_tries", "unavailable", "hello_first")
FRESH: Final = timedelta(minutes=10)
"""So long after a proof its session may change how its person signs in."""


class WipeOrdered(SignInRefused):
    """This device is to erase itself. For the one that holds its key, and for nobody else."""

    def __init__(self, device: int) -> None:
        super().__init__(
            "wipe",
            "This device was reported lost or given up: its data is to be erased.",
            "Erase the key, the mail and all that waits to be sent, then close with 4410.",
        )
        self.device = device


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for everyone's sessions."""

    hours: float = 12.0
    """After so many hours everyone signs in again."""
    idle_minutes: float = 30.0
    """After so many minutes without activity a person's session locks; 0: never."""
    second_factor: bool = False
    """Whether a person without a second factor can do nothing but enrol one."""
    devices_need_certificate: bool = False
    """Whether devices come over mutual TLS only."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A session's right to be: kept in memory and, without the token itself, in the database."""

    hash: bytes = field(repr=False)
    person: int | None
    device: int | None
    began: datetime
    ends: datetime
    active: datetime
    """When its person last did something."""
    proved: datetime
    """When its person last proved who he is."""
    source: str | None
    """The address from which it was begun."""
    factorless: bool = False
    """A second factor is asked for, and its person has none."""
    first_password: bool = False
    """Its person has a password that somebody else made."""
    provider: int | None = None
    """The identity provider that said who its person is, and so has to vouch for him still."""
    multi_factor: bool = False
    """That provider also vouched for a second factor."""

    @property
    def limited(self) -> bool:
        """Good for nothing but choosing a password and enrolling a second factor."""
        return self.factorless or self.first_password

    @property
    def id(self) -> str:
        """A name for it that is no secret."""
        return self.hash.hex()[:16]


class SignIn:
    """Checks credentials against the directory, and keeps the tickets of signed-in sessions."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        keys: Keys,
        conditions: Conditions,
        auditor: Auditor | None = None,
    ) -> None:
        self.people = People(pool, keys)
        self.conditions = conditions
        self.limits = idle.Limits(timedelta(minutes=conditions.idle_minutes))
        self._auditor = auditor or Auditor(pool)
        self._pool = pool
        self._tickets: dict[bytes, Ticket] = {}
        self._loading = asyncio.Lock()
        self._failures = Failures()
        self._unwritten: set[Ticket] = set()
        """Tickets whose last activity is not in the database yet."""
        self.seconds = Histogram(SECONDS)
        """What sign-ins took, from the frame to the answer."""

    async def load(self) -> None:
        """Read the tickets that are still good; called at start and when sessions are ended."""
        async with self._loading:
            before = set(self._tickets)
            rows = await self._pool.fetch(
                "SELECT token_hash, person_id, device_id, created_at, ends_at, active_at,"
                " source, provider_id, multi_factor,"
                " EXISTS (SELECT FROM second_factor f WHERE f.person_id = s.person_id)"
                " AS factor,"
                " EXISTS (SELECT FROM person p WHERE p.id = s.person_id"
                "          AND p.password_until IS NOT NULL) AS first"
                " FROM session s WHERE ended_at IS NULL AND ends_at > now()"
            )
            # Whoever signed in while this was read may not be among the rows.
            kept = {hash: t for hash, t in self._tickets.items() if hash not in before}
            for row in rows:
                ticket = self._tickets.get(row["token_hash"]) or _ticket(row)
                has_factor = row["factor"] or row["multi_factor"]
                ticket.factorless = self._factorless(ticket.person, has_factor)
                ticket.first_password = row["first"] and ticket.provider is None
                kept[ticket.hash] = ticket
            self._tickets = kept

    async def check(
        self,
        auth: wire.PasswordAuth | wire.DeviceAuth | wire.SessionAuth,
        directory: Directory,
        source: str,
        nonce: bytes | None = None,
        certified: bool = False,
    ) -> tuple[access.Principal, str, Ticket]:
        """The principal, its token and its ticket; raises :class:`SignInRefused`.

        ``source`` is the remote address that asks. ``nonce`` is what a device has to sign, and
        must be good for this one try; none: it was used. ``certified``: the connection showed a
        certificate, and TLS has verified it.
        """
        if isinstance(auth, wire.SessionAuth):
            ticket = self.ticket(auth.token)
            principal = None if ticket is None else self.principal(ticket, directory)
            if ticket is None or principal is None:
                raise SignInRefused("session_ended", "This session has ended.", "Sign in again.")
            self.check_certified(principal, certified)
            return principal, auth.token, ticket
        try:
            if isinstance(auth, wire.PasswordAuth):
                return await self._by_password(auth, directory, source)
            principal = self._device(auth, directory, nonce, certified)
        except SignInRefused as problem:
            self.note_failure(_tried(auth, directory), source, problem)
            raise
        token, ticket = await self.issue(principal, source, has_factor=True)
        return principal, token, ticket

    async def _by_password(
        self, auth: wire.PasswordAuth, directory: Directory, source: str
    ) -> tuple[access.Principal, str, Ticket]:
        """As :meth:`check`. It may have waited, and the password may be another one by now."""
        proved = await self.people.by_password(auth, directory, source)
        principal = access.of_person(proved.person)
        first = proved.person.password_until is not None
        token, ticket = await self.issue(principal, source, proved.has_factor, first_password=first)
        if not await self.people.still_right(proved.person):
            await self.end(ticket)
            raise wrong_credentials(with_code=auth.code is not None)
        return principal, token, ticket

    async def passkey_options(
        self,
        first: wire.PasswordAuth | None,
        directory: Directory,
        source: str,
        where: passkeys.Site,
    ) -> dict[str, Any]:
        """As :meth:`People.passkey_options`."""
        try:
            return await self.people.passkey_options(first, directory, source, where)
        except SignInRefused as problem:
            if first is not None:
                self.note_failure(_tried(first, directory), source, problem)
            raise

    async def by_passkey(
        self, use: passkeys.Assertion, directory: Directory, source: str, where: passkeys.Site
    ) -> tuple[Person, str, Ticket]:
        """Who signs in by a passkey, with a token and its ticket.

        Raises :class:`SignInRefused` and :class:`psn.identity.passkeys.PasskeyRefused`.
        """
        try:
            person = await self.people.by_passkey(use, directory, source, where)
        except (SignInRefused, passkeys.PasskeyRefused) as problem:
            self.note_failure(Tried({"passkey": True}, slowed=False), source, problem)
            raise
        token, ticket = await self.issue(
            access.of_person(person),
            source,
            has_factor=True,
            first_password=person.password_until is not None,
        )
        # Rights may have changed while this waited.
        self.still(ticket, directory)
        return person, token, ticket

    def note_failure(self, tried: Tried, source: str, problem: Problem) -> None:
        """Put a failed sign-in into the audit.

        Not what was not looked at: a flood would fill it. That somebody has to wait from now on
        stands with the failure that led to it. What nothing slows is counted after a few.
        """
        if problem.code in _NOT_NOTED:
            return
        if not tried.slowed and not self._failures.alone(source, problem.code, time.monotonic()):
            return
        details = tried.details | _why(problem)
        nobody = Actor(NOBODY, source=source)
        at = auditor.now_ms()
        entry = Entry(nobody, "sign_in.failed", tried.what, tried.owner, details, at=at)
        self._auditor.note(entry)

    def note_counted(self, all_of_them: bool = False) -> None:
        """Put failures that were only counted into the audit when their minute is over.

        ``all_of_them``: the server stops.
        """
        for entry in self._failures.due(time.monotonic(), auditor.now_ms(), all_of_them):
            self._auditor.note(entry)

    def ticket(self, token: str) -> Ticket | None:
        """The ticket of a token that is still good."""
        ticket = self._tickets.get(credentials.token_hash(token))
        return ticket if ticket is not None and ticket.ends > datetime.now(UTC) else None

    def holds(self, ticket: Ticket) -> bool:
        """Whether a ticket is still good: not ended, not run out."""
        return ticket.hash in self._tickets and ticket.ends > datetime.now(UTC)

    def of_person(self, person: int) -> list[Ticket]:
        """A person's tickets that are still good, oldest first."""
        tickets = (t for t in self._tickets.values() if t.person == person and self.holds(t))
        return sorted(tickets, key=lambda ticket: ticket.began)

    def principal(self, ticket: Ticket, directory: Directory) -> access.Principal | None:
        """Who a ticket stands for now; none when disabled, revoked or retired."""
        if ticket.person is not None:
            person = directory.people.get(ticket.person)
            if person is None or person.disabled or not _vouched(ticket, directory):
                return None
            return access.of_person(person)
        device = directory.devices.get(ticket.device or 0)
        if device is None or device.revoked:
            return None
        return access.of_device(device, directory)

    def still(self, ticket: Ticket, directory: Directory) -> access.Principal:
        """Who a ticket stands for now; raises :class:`SignInRefused` when nobody."""
        principal = self.principal(ticket, directory)
        if principal is None:
            device = directory.devices.get(ticket.device or 0)
            if device is not None and device.wipe:
                raise WipeOrdered(device.id)
            raise SignInRefused(
                "session_ended", "The account or device was disabled.", "Sign in again."
            )
        return principal

    def check_certified(self, who: access.Principal, certified: bool) -> None:
        """Raise :class:`SignInRefused` for a device that must show a certificate and has not."""
        if who.person is None:
            self._check_device_certified(certified)

    def _check_device_certified(self, certified: bool) -> None:
        if self.conditions.devices_need_certificate and not certified:
            raise SignInRefused(
                "certificate_needed",
                "Devices sign in here with a certificate of their own only.",
                "Let the device show the one that your administrator has issued for it.",
            )

    # -- a person's activity

    def locked(self, ticket: Ticket, now: datetime) -> bool:
        """Whether a session is locked: its person has done nothing for too long."""
        return ticket.person is not None and self.limits.locked(ticket.active, now)

    def active(self, ticket: Ticket) -> None:
        """Its person has just done something."""
        ticket.active = datetime.now(UTC)
        self._unwritten.add(ticket)

    def proved(self, ticket: Ticket) -> None:
        """Its person has just proved again who he is."""
        self.active(ticket)
        ticket.proved = ticket.active

    def is_fresh(self, ticket: Ticket) -> bool:
        """Whether its person proved a moment ago who he is, by a clock that may be set back."""
        return abs(datetime.now(UTC) - ticket.proved) < FRESH

    async def write_activity(self) -> None:
        """Put into the database when people were last active; to be called once a minute."""
        tickets, self._unwritten = self._unwritten, set()
        if not tickets:
            return
        try:
            await self._execute(
                "UPDATE session s SET active_at = a.at"
                " FROM unnest($1::bytea[], $2::timestamptz[]) AS a (hash, at)"
                " WHERE s.token_hash = a.hash",
                [ticket.hash for ticket in tickets],
                [ticket.active for ticket in tickets],
            )
        except (*database.PASSING, asyncpg.PostgresError):
            self._unwritten |= tickets
            raise

    async def prove(
        self,
        ticket: Ticket,
        proof: wire.PasswordProof | wire.TokenProof,
        directory: Directory,
        source: str,
    ) -> None:
        """Whoever is at a person's session proves to be him; raises :class:`SignInRefused`.

        A token is that of a session which he began just now, by a passkey; it ends with this.
        """
        person = directory.people.get(ticket.person or 0)
        if person is None:
            raise SignInRefused("not_allowed", "A device proves nothing.", "Sign in as a person.")
        try:
            if isinstance(proof, wire.PasswordProof):
                await self.people.prove(person, proof.password, source, ticket.hash)
            else:
                await self.end(self._fresh_one(proof.token, ticket))
        except SignInRefused as problem:
            if problem.code not in _NOT_NOTED:
                by = Actor(person.address, person.full_name, person.agency, source, ticket.id[:8])
                at = auditor.now_ms()
                details = _why(problem)
                entry = Entry(by, "proof.failed", person.address, person.agency, details, at=at)
                self._auditor.note(entry)
            raise
        self.proved(ticket)

    def _fresh_one(self, token: str, ticket: Ticket) -> Ticket:
        """The other session that the same person has begun just now."""
        other = self.ticket(token)
        good = other is not None and other is not ticket and other.person == ticket.person
        if other is None or not good or not self.is_fresh(other):
            raise SignInRefused(
                "wrong_credentials", "That proves nothing here.", "Use your password."
            )
        return other

    def enrolled(self, person: int) -> None:
        """A person has a second factor from now on."""
        for ticket in self._tickets.values():
            if ticket.person == person:
                ticket.factorless = False

    def chosen(self, person: int) -> None:
        """A person has a password of his own from now on."""
        for ticket in self._tickets.values():
            if ticket.person == person:
                ticket.first_password = False

    # -- ending

    async def end(self, ticket: Ticket, by: Actor | None = None) -> None:
        """Sign out: the token is worth nothing from now on. ``by``: who ends it, if not himself."""
        self._tickets.pop(ticket.hash, None)
        async with (
            database.asking(self._pool) as connection,
            auditor.acting(connection, by or _himself(ticket)),
        ):
            await connection.execute(
                "UPDATE session SET ended_at = now() WHERE token_hash = $1 AND ended_at IS NULL",
                ticket.hash,
            )

    async def end_all(self, person: int, by: Actor, but: Ticket | None = None) -> int:
        """End a person's sessions, but perhaps one; how many there were."""
        ended = [ticket for ticket in self.of_person(person) if ticket is not but]
        for ticket in ended:
            self._tickets.pop(ticket.hash, None)
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            await connection.execute(
                "UPDATE session SET ended_at = now() WHERE person_id = $1 AND token_hash <> $2"
                " AND ended_at IS NULL AND ends_at > now()",
                person,
                b"" if but is None else but.hash,
            )
        return len(ended)

    async def _execute(self, statement: str, *values: object) -> None:
        async with database.asking(self._pool) as connection:
            await connection.execute(statement, *values)

    def _factorless(self, person: int | None, has_factor: bool) -> bool:
        return self.conditions.second_factor and person is not None and not has_factor

    def _device(
        self, auth: wire.DeviceAuth, directory: Directory, nonce: bytes | None, certified: bool
    ) -> access.Principal:
        # Before anything is looked up, so that it tells nothing of which devices there are.
        self._check_device_certified(certified)
        if nonce is None:
            raise SignInRefused(
                "hello_first",
                "A nonce is good for one try, and this connection's was used.",
                "Send hello again and sign the nonce of its welcome.",
            )
        device = _signed_by(auth, directory, nonce)
        if device is not None and device.wipe:
            raise WipeOrdered(device.id)
        principal = None
        if device is not None and not device.revoked:
            principal = access.of_device(device, directory)
        if principal is None:
            raise SignInRefused(
                "wrong_credentials",
                "This device is not enrolled, or was revoked.",
                "Ask your administrator to enrol the device again.",
            )
        return principal

    async def issue(
        self,
        principal: access.Principal,
        source: str,
        has_factor: bool,
        provider: int | None = None,
        multi_factor: bool = False,
        first_password: bool = False,
    ) -> tuple[str, Ticket]:
        """A token for who has proved who he is, and its ticket; raises :class:`SignInRefused`.

        ``provider``: the one that says so, perhaps together with a second factor of its own.
        ``first_password``: somebody else made the password that he has.
        """
        token = credentials.new_token()
        now = datetime.now(UTC)
        ticket = Ticket(
            credentials.token_hash(token),
            principal.person,
            None if principal.person is not None else principal.device,
            began=now,
            ends=now + timedelta(hours=self.conditions.hours),
            active=now,
            proved=now,
            source=source,
            factorless=self._factorless(principal.person, has_factor or multi_factor),
            first_password=first_password and provider is None,
            provider=provider,
            multi_factor=multi_factor,
        )
        try:
            await self._auditor.record(
                _started(principal, ticket, source),
                "INSERT INTO session"
                " (token_hash, person_id, device_id, created_at, ends_at, active_at, source,"
                " provider_id, multi_factor) VALUES ($1, $2, $3, $4, $5, $4, $6, $7, $8)",
                ticket.hash,
                ticket.person,
                ticket.device,
                now,
                ticket.ends,
                source,
                provider,
                multi_factor,
            )
        except Unrecorded as problem:
            raise unavailable() from problem
        self._tickets[ticket.hash] = ticket
        return token, ticket


def _vouched(ticket: Ticket, directory: Directory) -> bool:
    """Whether the provider that opened it is still there and linked; without one, always."""
    return ticket.provider is None or (ticket.provider, ticket.person) in directory.linked


def _himself(ticket: Ticket) -> Actor:
    whose = f"device:{ticket.device}" if ticket.person is None else f"person:{ticket.person}"
    return Actor(whose, session=session_name(ticket.hash))


def _started(principal: access.Principal, ticket: Ticket, source: str) -> Entry:
    actor = auditor.actor_of(principal, source, ticket.hash)
    details: dict[str, object] = {"ends": database.milliseconds(ticket.ends)}
    details["device"] = principal.device
    if ticket.provider is not None:
        details |= {"provider": ticket.provider, "multi_factor": ticket.multi_factor}
    what = f"session:{session_name(ticket.hash)}"
    return Entry(actor, "session.started", what, principal.agency, details)


@dataclass(frozen=True, slots=True)
class Tried:
    """As whom somebody tried to sign in, for the audit."""

    details: dict[str, object]
    what: str | None = None
    owner: int | None = None
    slowed: bool = True
    """Whether each such try makes the next one wait."""


def _tried(auth: wire.PasswordAuth | wire.DeviceAuth, directory: Directory) -> Tried:
    if isinstance(auth, wire.PasswordAuth):
        person = directory.people_by_name.get(auth.name.strip().lower())
        details: dict[str, object] = {"name": auth.name[:LONGEST_NAME]}
        if person is None:
            return Tried(details)
        return Tried(details, person.address, person.agency)
    device = directory.devices.get(auth.device)
    details = {"device": auth.device}
    if device is None:
        return Tried(details, slowed=False)
    return Tried(details, f"device:{device.id}", device.agency, slowed=False)


def _why(problem: Problem) -> dict[str, object]:
    """Why somebody was not believed, and what is kept for the audit alone."""
    why: dict[str, object] = {"why": problem.code}
    if isinstance(problem, SignInRefused):
        if problem.wait:
            why["wait"] = max(1, round(problem.wait))
        if problem.code_alone:
            why["code_alone"] = True
    return why


def _signed_by(auth: wire.DeviceAuth, directory: Directory, nonce: bytes) -> Device | None:
    """The device whose key made this signature; none: wrongly signed, or unknown.

    Somebody unknown costs the same work as a wrong signature, so that time tells nothing.
    """
    device = directory.devices.get(auth.device)
    kept = None if device is None else device.public_key
    content = device_key.sign_in_content(auth.device, nonce)
    try:
        good = device_key.verifies(_nobody() if kept is None else kept, auth.signature, content)
    except device_key.BadKey:
        return None
    return device if good and kept is not None else None


@functools.cache
def _nobody() -> bytes:
    """A key that nobody has."""
    return device_key.new().public


def _ticket(row: asyncpg.Record) -> Ticket:
    return Ticket(
        row["token_hash"],
        row["person_id"],
        row["device_id"],
        began=row["created_at"],
        ends=row["ends_at"],
        active=row["active_at"],
        proved=row["created_at"],
        source=row["source"],
        provider=row["provider_id"],
        multi_factor=row["multi_factor"],
    )
