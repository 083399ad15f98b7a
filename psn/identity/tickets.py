"""Tickets: what those who have signed in hold, for as long as they may.

Tokens are checked in memory, so everyone who was signed in comes back even while the database is
away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from psn import access, database
from psn.identity import credentials, idle
from psn.identity.people import unavailable
from psn.trail import auditor
from psn.trail.audit import Actor, Entry, session_name
from psn.trail.auditor import Auditor, Unrecorded

FRESH: Final = timedelta(minutes=10)
"""So long after a proof its session may change how its person signs in."""


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


class Tickets:
    """Those that are good, in memory; each of them is in the database too."""

    def __init__(self, pool: asyncpg.Pool, conditions: Conditions, auditor: Auditor) -> None:
        self.conditions = conditions
        self.limits = idle.Limits(timedelta(minutes=conditions.idle_minutes))
        self._pool = pool
        self._auditor = auditor
        self._tickets: dict[bytes, Ticket] = {}
        self._loading = asyncio.Lock()
        self._unwritten: set[Ticket] = set()
        """Those whose last activity is not in the database yet."""

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

    def by_token(self, token: str) -> Ticket | None:
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
