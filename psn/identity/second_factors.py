"""The second factors that people have enrolled, in the database: kept, asked, used up.

What a code or a passkey is worth is for ``psn.identity.factors`` and ``psn.identity.passkeys`` to
say. Here each is used at most once even when two tries come in the same moment: one statement both
asks and marks.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from psn import database
from psn.identity import factors
from psn.identity.passkeys import Passkey
from psn.keys import Keys
from psn.problems import Problem
from psn.trail import auditor
from psn.trail.audit import Actor

MOST_FACTORS: Final = 10
TOTP_SECONDS: Final = 600.0
"""So long a new authenticator may take to prove itself by its first code."""
RECOVERY: Final = "recovery_code"


class FactorRefused(Problem):
    """Why a factor was not enrolled or removed."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor as its owner sees it."""

    id: int
    kind: str
    label: str
    created: datetime
    last_used: datetime | None


def _purpose(person: int) -> str:
    return f"second factor of person {person}"


class SecondFactors:
    """Everyone's second factors."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys) -> None:
        self._pool = pool
        self._keys = keys
        self._begun: dict[int, tuple[bytes, float]] = {}
        """By person: a TOTP secret that its authenticator has not proved to have yet."""

    # -- asking

    async def kinds(self, person: int) -> list[str]:
        """Which kinds a person has, recovery codes included; none: no second factor."""
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT kind FROM second_factor WHERE person_id = $1"
                " UNION ALL SELECT $2::text WHERE EXISTS (SELECT FROM recovery_code"
                " WHERE person_id = $1 AND used_at IS NULL)",
                person,
                RECOVERY,
            )
        kinds = sorted((row[0] for row in rows), key=("totp", "passkey", RECOVERY).index)
        return [] if kinds == [RECOVERY] else kinds

    async def of(self, person: int) -> list[Factor]:
        """A person's second factors, oldest first."""
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(
                "SELECT id, kind, label, created_at, last_used_at FROM second_factor"
                " WHERE person_id = $1 ORDER BY id",
                person,
            )
        return [Factor(*row) for row in rows]

    async def recovery_left(self, person: int) -> int:
        """How many of his recovery codes are still good."""
        async with database.asking(self._pool) as connection:
            left = await connection.fetchval(
                "SELECT count(*) FROM recovery_code WHERE person_id = $1 AND used_at IS NULL",
                person,
            )
        return int(left)

    async def passkeys(self, person: int) -> list[bytes]:
        """The credentials of a person's passkeys."""
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(
                "SELECT credential_id FROM second_factor"
                " WHERE person_id = $1 AND kind = 'passkey' ORDER BY id",
                person,
            )
        return [row[0] for row in rows]

    async def passkey(self, credential: bytes) -> tuple[int, Passkey] | None:
        """Whose passkey that is, and what is kept of it."""
        async with database.asking(self._pool) as connection:
            row = await connection.fetchrow(
                "SELECT person_id, credential_id, public_key, sign_count FROM second_factor"
                " WHERE credential_id = $1",
                credential,
            )
        return None if row is None else (row[0], Passkey(row[1], row[2], row[3]))

    # -- using

    async def accept(self, person: int, code: str, at: float, by: Actor) -> bool:
        """Whether a code is good now (seconds since 1970); it is used up by that."""
        if factors.is_totp(code):
            return await self._accept_totp(person, code, at)
        return await self._accept_recovery(person, code, by)

    async def _accept_totp(self, person: int, code: str, at: float) -> bool:
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(
                "SELECT id, secret, last_step FROM second_factor"
                " WHERE person_id = $1 AND kind = 'totp'",
                person,
            )
            for row in rows:
                secret = self._keys.open(row["secret"], _purpose(person))
                step = factors.totp_step(secret, code, at, row["last_step"])
                if step is None:
                    continue
                # Of two that use the same code in one moment, one finds the step taken.
                used = await connection.fetchval(
                    "UPDATE second_factor SET last_step = $2, last_used_at = now()"
                    " WHERE id = $1 AND (last_step IS NULL OR last_step < $2) RETURNING id",
                    row["id"],
                    step,
                )
                if used is not None:
                    return True
        return False

    async def _accept_recovery(self, person: int, code: str, by: Actor) -> bool:
        async with database.asking(self._pool) as connection:
            rows = await connection.fetch(
                "SELECT hash FROM recovery_code WHERE person_id = $1 AND used_at IS NULL", person
            )
        kept = [row[0] for row in rows]
        found = await asyncio.to_thread(factors.find_recovery_code, kept, code)
        if found is None:
            return False
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            used = await connection.fetchval(
                "UPDATE recovery_code SET used_at = now()"
                " WHERE person_id = $1 AND hash = $2 AND used_at IS NULL RETURNING person_id",
                person,
                found,
            )
        return used is not None

    async def passkey_used(self, credential: bytes, before: int, after: int) -> bool:
        """Keep a passkey's new counter; false when another use came in between."""
        async with database.asking(self._pool) as connection:
            used = await connection.fetchval(
                "UPDATE second_factor SET sign_count = $3, last_used_at = now()"
                " WHERE credential_id = $1 AND sign_count = $2 RETURNING id",
                credential,
                before,
                after,
            )
        return used is not None

    # -- enrolling and removing

    def begin_totp(self, person: int, now: float | None = None) -> bytes:
        """A secret for a new authenticator; it counts once :meth:`confirm_totp` has a code."""
        secret = factors.new_totp_secret()
        self._begun[person] = (secret, (now or time.monotonic()) + TOTP_SECONDS)
        return secret

    async def confirm_totp(
        self, person: int, code: str, label: str, at: float, by: Actor
    ) -> list[str] | None:
        """Enrol the authenticator that was begun. Returns as :meth:`add_passkey`."""
        secret, until = self._begun.get(person, (b"", 0.0))
        if time.monotonic() >= until:
            raise FactorRefused(
                "enrolment_over",
                "This enrolment of an authenticator took too long.",
                "Begin again; the authenticator then needs the new QR code.",
            )
        step = factors.totp_step(secret, code, at, None)
        if step is None:
            raise FactorRefused(
                "wrong_code",
                "The code is not the one of this moment.",
                "Type the newest code. If it is never right, set the phone's clock by the network.",
            )
        sealed = self._keys.seal(secret, _purpose(person))
        made = await self._add(person, by, "totp", label, secret=sealed, last_step=step)
        self._begun.pop(person, None)
        return made

    async def add_passkey(
        self, person: int, passkey: Passkey, label: str, by: Actor
    ) -> list[str] | None:
        """Keep a new passkey.

        Returns recovery codes, to be shown once, when there were none before; else none.
        """
        return await self._add(
            person,
            by,
            "passkey",
            label,
            credential_id=passkey.credential_id,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
        )

    async def _add(
        self, person: int, by: Actor, kind: str, label: str, **more: bytes | int
    ) -> list[str] | None:
        codes = factors.new_recovery_codes()
        hashes = await asyncio.to_thread(factors.hash_recovery_codes, codes)
        names = ("person_id", "kind", "label", *more)
        places = ", ".join(f"${n + 1}" for n in range(len(names)))
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            # One at a time for each person, so that the count holds.
            await connection.execute("SELECT 1 FROM person WHERE id = $1 FOR UPDATE", person)
            count = await connection.fetchval(
                "SELECT count(*) FROM second_factor WHERE person_id = $1", person
            )
            if count >= MOST_FACTORS:
                raise FactorRefused(
                    "too_many_factors",
                    f"There are {MOST_FACTORS} second factors, and no more are kept.",
                    "Remove one that is not used any more.",
                )
            try:
                await connection.execute(
                    f"INSERT INTO second_factor ({', '.join(names)}) VALUES ({places})",
                    person,
                    kind,
                    label,
                    *more.values(),
                )
            except asyncpg.UniqueViolationError:
                raise FactorRefused(
                    "already_there", "This passkey is enrolled already.", "Use another one."
                ) from None
            first = await _replace_codes(connection, person, hashes, only_if_none=True)
        return codes if first else None

    async def rename(self, person: int, factor: int, label: str, by: Actor) -> bool:
        """Give a factor another name; false when it is not there."""
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            done = await connection.fetchval(
                "UPDATE second_factor SET label = $3 WHERE id = $2 AND person_id = $1 RETURNING id",
                person,
                factor,
                label,
            )
        return done is not None

    async def remove(self, person: int, factor: int, by: Actor, *, may_be_last: bool) -> bool:
        """Remove a factor; false when it is not there. The last one takes the codes with it."""
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            await connection.execute("SELECT 1 FROM person WHERE id = $1 FOR UPDATE", person)
            gone = await connection.fetchval(
                "DELETE FROM second_factor WHERE id = $2 AND person_id = $1 RETURNING id",
                person,
                factor,
            )
            if gone is None:
                return False
            left = await connection.fetchval(
                "SELECT count(*) FROM second_factor WHERE person_id = $1", person
            )
            if not left and not may_be_last:
                raise FactorRefused(
                    "last_factor",
                    "This network asks for a second factor, and this is your last one.",
                    "Enrol another one first.",
                )
            if not left:
                await connection.execute("DELETE FROM recovery_code WHERE person_id = $1", person)
        return True

    async def new_codes(self, person: int, by: Actor) -> list[str]:
        """Ten new recovery codes, to be shown once; the old ones are worth nothing any more."""
        codes = factors.new_recovery_codes()
        hashes = await asyncio.to_thread(factors.hash_recovery_codes, codes)
        async with database.asking(self._pool) as connection, auditor.acting(connection, by):
            await connection.execute("SELECT 1 FROM person WHERE id = $1 FOR UPDATE", person)
            await _replace_codes(connection, person, hashes, only_if_none=False)
        return codes


async def _replace_codes(
    connection: database.Connection, person: int, hashes: Sequence[bytes], *, only_if_none: bool
) -> bool:
    """Put these codes in place of those that are there; whether that was done."""
    if only_if_none:
        left = await connection.fetchval(
            "SELECT count(*) FROM recovery_code WHERE person_id = $1 AND used_at IS NULL", person
        )
        if left:
            return False
    await connection.execute("DELETE FROM recovery_code WHERE person_id = $1", person)
    await connection.executemany(
        "INSERT INTO recovery_code (person_id, hash) VALUES ($1, $2)",
        [(person, each) for each in hashes],
    )
    return True
