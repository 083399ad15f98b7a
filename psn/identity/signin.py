"""Signing in: credentials in, a principal and a session token out.

How a person proves who he is stands in ``psn.identity.people``, and what he gets for it in
``psn.identity.tickets``. A device's signature takes 0.1 ms, less than handing it to a thread and
back under load would, so it is checked at once.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from psn import access, wire
from psn.directory import Device, Directory, Person
from psn.enrolment import device_key
from psn.histogram import SECONDS, Histogram
from psn.identity import passkeys
from psn.identity.failures import Failures
from psn.identity.people import People, wrong_credentials
from psn.identity.people import SignInRefused as SignInRefused
from psn.identity.tickets import Ticket, Tickets
from psn.keys import Keys
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import LONGEST_NAME, NOBODY, Actor, Entry
from psn.trail.auditor import Auditor

_NOT_NOTED: Final = ("second_factor_needed", "too_many_tries", "unavailable", "hello_first")


class WipeOrdered(SignInRefused):
    """This device is to erase itself. For the one that holds its key, and for nobody else."""

    def __init__(self, device: int) -> None:
        super().__init__(
            "wipe",
            "This device was reported lost or given up: its data is to be erased.",
            "Erase the key, the mail and all that waits to be sent, then close with 4410.",
        )
        self.device = device


class SignIn:
    """Checks credentials against the directory; who is right gets a ticket."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys, tickets: Tickets, auditor: Auditor) -> None:
        self.people = People(pool, keys)
        self.tickets = tickets
        self._auditor = auditor
        self._failures = Failures()
        self.seconds = Histogram(SECONDS)
        """What sign-ins took, from the frame to the answer."""

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
            ticket = self.tickets.by_token(auth.token)
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
        token, ticket = await self.tickets.issue(principal, source, has_factor=True)
        return principal, token, ticket

    async def _by_password(
        self, auth: wire.PasswordAuth, directory: Directory, source: str
    ) -> tuple[access.Principal, str, Ticket]:
        """As :meth:`check`. It may have waited, and the password may be another one by now."""
        proved = await self.people.by_password(auth, directory, source)
        principal = access.of_person(proved.person)
        first = proved.person.password_until is not None
        token, ticket = await self.tickets.issue(
            principal, source, proved.has_factor, first_password=first
        )
        if not await self.people.still_right(proved.person):
            await self.tickets.end(ticket)
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
        token, ticket = await self.tickets.issue(
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
        if self.tickets.conditions.devices_need_certificate and not certified:
            raise SignInRefused(
                "certificate_needed",
                "Devices sign in here with a certificate of their own only.",
                "Let the device show the one that your administrator has issued for it.",
            )

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
                await self.tickets.end(self._fresh_one(proof.token, ticket))
        except SignInRefused as problem:
            if problem.code not in _NOT_NOTED:
                by = Actor(person.address, person.full_name, person.agency, source, ticket.id[:8])
                at = auditor.now_ms()
                details = _why(problem)
                entry = Entry(by, "proof.failed", person.address, person.agency, details, at=at)
                self._auditor.note(entry)
            raise
        self.tickets.proved(ticket)

    def _fresh_one(self, token: str, ticket: Ticket) -> Ticket:
        """The other session that the same person has begun just now."""
        other = self.tickets.by_token(token)
        good = other is not None and other is not ticket and other.person == ticket.person
        if other is None or not good or not self.tickets.is_fresh(other):
            raise SignInRefused(
                "wrong_credentials", "That proves nothing here.", "Use your password."
            )
        return other

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


def _vouched(ticket: Ticket, directory: Directory) -> bool:
    """Whether the provider that opened it is still there and linked; without one, always."""
    return ticket.provider is None or (ticket.provider, ticket.person) in directory.linked


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
