"""Signing in: credentials in, a principal and a session token out.

Passwords are checked in a worker thread (Argon2id costs some 30 ms on purpose) and never more than
two at once, so that a rush of sign-ins cannot starve positions. A device's signature takes 0.1 ms,
less than handing it to a thread and back under load would, so it is checked at once. Tokens are
checked in memory, so everyone who was signed in comes back even while the database is away.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from psn import access, auditor, credentials, database, device_key, wire
from psn.audit import LONGEST_NAME, NOBODY, Actor, Entry, session_name
from psn.auditor import Auditor, Unrecorded
from psn.directory import Device, Directory
from psn.histogram import SECONDS, Histogram
from psn.problems import Problem


class SignInRefused(Problem):
    """Why a sign-in did not succeed: ``code`` is stable."""


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
class Ticket:
    """A session's right to be: kept in memory and, without the token itself, in the database."""

    hash: bytes
    person: int | None
    device: int | None
    ends: datetime


class SignIn:
    """Checks credentials against the directory, and keeps the tickets of signed-in sessions."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        hours: float,
        devices_need_certificate: bool = False,
        auditor: Auditor | None = None,
    ) -> None:
        """``devices_need_certificate``: devices come over mutual TLS only."""
        self._pool = pool
        self._auditor = auditor or Auditor(pool)
        self._hours = hours
        self._devices_need_certificate = devices_need_certificate
        self._tickets: dict[bytes, Ticket] = {}
        self._password_checks = asyncio.Semaphore(2)
        self.seconds = Histogram(SECONDS)
        """What sign-ins took, from the frame to the answer."""

    async def load(self) -> None:
        """Read the tickets that are still good; called at start and when sessions are ended."""
        before = set(self._tickets)
        rows = await self._pool.fetch(
            "SELECT token_hash, person_id, device_id, ends_at FROM session"
            " WHERE ended_at IS NULL AND ends_at > now()"
        )
        # Whoever signed in while this was read may not be among the rows.
        newer = {hash: t for hash, t in self._tickets.items() if hash not in before}
        self._tickets = newer | {
            r["token_hash"]: Ticket(r["token_hash"], r["person_id"], r["device_id"], r["ends_at"])
            for r in rows
        }

    async def check(
        self,
        auth: wire.PasswordAuth | wire.DeviceAuth | wire.SessionAuth,
        directory: Directory,
        nonce: bytes | None = None,
        certified: bool = False,
        source: str = "",
    ) -> tuple[access.Principal, str, Ticket]:
        """The principal, its token and its ticket; raises :class:`SignInRefused`.

        ``nonce`` is what a device has to sign, and must be good for this one try; none: it was
        used. ``certified``: the connection showed a certificate, and TLS has verified it.
        ``source`` is the remote address.
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
                principal = await self._person(auth, directory)
            else:
                principal = self._device(auth, directory, nonce, certified)
        except SignInRefused as problem:
            self._auditor.note(_failed(auth, directory, source, problem.code))
            raise
        token, ticket = await self._issue(principal, source)
        return principal, token, ticket

    def ticket(self, token: str) -> Ticket | None:
        """The ticket of a token that is still good."""
        ticket = self._tickets.get(credentials.token_hash(token))
        return ticket if ticket is not None and ticket.ends > datetime.now(UTC) else None

    def holds(self, ticket: Ticket) -> bool:
        """Whether a ticket is still good: not ended, not run out."""
        return ticket.hash in self._tickets and ticket.ends > datetime.now(UTC)

    def principal(self, ticket: Ticket, directory: Directory) -> access.Principal | None:
        """Who a ticket stands for now; none when disabled, revoked or retired."""
        if ticket.person is not None:
            person = directory.people.get(ticket.person)
            return None if person is None or person.disabled else access.of_person(person)
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
        if self._devices_need_certificate and not certified:
            raise SignInRefused(
                "certificate_needed",
                "Devices sign in here with a certificate of their own only.",
                "Let the device show the one that your administrator has issued for it.",
            )

    async def end(self, ticket: Ticket, by: Actor | None = None) -> None:
        """Sign out: the token is worth nothing from now on. ``by``: who ends it, if not himself."""
        self._tickets.pop(ticket.hash, None)
        async with self._pool.acquire(timeout=database.ANSWER_SECONDS) as connection:
            with database.answering(connection):
                async with auditor.acting(connection, by or _himself(ticket)):
                    await connection.execute(
                        "UPDATE session SET ended_at = now()"
                        " WHERE token_hash = $1 AND ended_at IS NULL",
                        ticket.hash,
                    )

    async def _person(self, auth: wire.PasswordAuth, directory: Directory) -> access.Principal:
        person = directory.people_by_name.get(auth.name.strip().lower())
        known = person.password_hash if person is not None and not person.disabled else None
        async with self._password_checks:
            # Someone unknown costs as much as a wrong password, so time tells nothing.
            good = await asyncio.to_thread(credentials.verify_password, known, auth.password)
        if person is None or not good:
            raise SignInRefused(
                "wrong_credentials",
                "The name or the password is wrong.",
                "Try again, or ask your administrator whether the account is in use.",
            )
        return access.of_person(person)

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

    async def _issue(self, principal: access.Principal, source: str) -> tuple[str, Ticket]:
        token = credentials.new_token()
        ends = datetime.now(UTC) + timedelta(hours=self._hours)
        ticket = Ticket(
            credentials.token_hash(token),
            principal.person,
            None if principal.person is not None else principal.device,
            ends,
        )
        try:
            await self._auditor.record(
                _started(principal, ticket, source),
                "INSERT INTO session (token_hash, person_id, device_id, created_at, ends_at)"
                " VALUES ($1, $2, $3, now(), $4)",
                ticket.hash,
                ticket.person,
                ticket.device,
                ends,
            )
        except Unrecorded as problem:
            raise SignInRefused(
                "unavailable",
                "Nobody can sign in right now: the database does not answer.",
                "Try again in a moment. Sessions that are signed in stay signed in.",
                retry=1_000,
            ) from problem
        self._tickets[ticket.hash] = ticket
        return token, ticket


def _himself(ticket: Ticket) -> Actor:
    whose = f"device:{ticket.device}" if ticket.person is None else f"person:{ticket.person}"
    return Actor(whose, session=session_name(ticket.hash))


def _started(principal: access.Principal, ticket: Ticket, source: str) -> Entry:
    actor = auditor.actor_of(principal, source, ticket.hash)
    details = {"ends": database.milliseconds(ticket.ends), "device": principal.device}
    what = f"session:{session_name(ticket.hash)}"
    return Entry(actor, "session.started", what, principal.agency, details)


def _failed(
    auth: wire.PasswordAuth | wire.DeviceAuth, directory: Directory, source: str, why: str
) -> Entry:
    """That somebody failed to sign in, and as whom."""
    if isinstance(auth, wire.PasswordAuth):
        person = directory.people_by_name.get(auth.name.strip().lower())
        what = None if person is None else f"person:{person.id}"
        owner = None if person is None else person.agency
        details: dict[str, object] = {"name": auth.name[:LONGEST_NAME], "why": why}
    else:
        device = directory.devices.get(auth.device)
        what = None if device is None else f"device:{device.id}"
        owner = None if device is None else device.agency
        details = {"device": auth.device, "why": why}
    nobody = Actor(NOBODY, source=source)
    return Entry(nobody, "sign_in.failed", what, owner, details, at=auditor.now_ms())


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
