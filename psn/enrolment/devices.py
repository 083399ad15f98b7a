"""Devices as the server has them: a code becomes a device, and a wiped one says that it is.

What is signed is told in ``psn.enrolment.device_key``, the code in
``psn.enrolment.enrolment_code``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psn import database
from psn.enrolment import device_key, enrolment_code
from psn.problems import Problem


class EnrolmentRefused(Problem):
    """Why no device came of it: ``bad_key`` or ``wrong_code``."""


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What was enrolled: the device's number, what it speaks for, and what it is called."""

    device: int
    unit: int | None
    agency: int
    label: str


async def enrol(
    connection: database.Connection, typed: str, public: bytes, proof: bytes
) -> NewDevice:
    """Spend a code on a key; raises :class:`EnrolmentRefused`, and what asyncpg raises.

    ``proof`` shows that whoever has the code has the private key too. Of two that come with one
    code the first gets its row, and the other finds it spent. The same key may come again while
    the code lasts, and is told the same: its first answer may have been lost on the way.
    """
    code = _code(typed)
    _check_key(code, public, proof)
    async with connection.transaction():
        row = await connection.fetchrow(
            "SELECT id, agency_id, unit_id, label, device_id FROM enrolment"
            " WHERE code_hash = $1 AND expires_at > now() FOR UPDATE",
            enrolment_code.kept(code),
        )
        if row is None:
            raise _wrong_code()
        if row["device_id"] is None:
            device = await connection.fetchval(_MAKE, row["id"], public)
        else:
            device = await connection.fetchval(
                "SELECT id FROM device WHERE id = $1 AND public_key = $2 AND revoked_at IS NULL",
                row["device_id"],
                public,
            )
            if device is None:
                raise _wrong_code()
    return NewDevice(device, row["unit_id"], row["agency_id"], row["label"])


_MAKE: Final = """
    WITH made AS (
        INSERT INTO device (agency_id, unit_id, label, gateway, gateway_all, public_key)
        SELECT agency_id, unit_id, label, gateway, gateway_all, $2
          FROM enrolment WHERE id = $1
        RETURNING id)
    UPDATE enrolment SET used_at = now(), device_id = made.id FROM made WHERE enrolment.id = $1
    RETURNING made.id
"""


async def wiped(connection: database.Connection, device: int) -> None:
    """Note that a device has said it is wiped; its sessions end, on paper too."""
    await connection.execute(
        "WITH said AS (UPDATE device SET wiped_at = now()"
        "               WHERE id = $1 AND wipe_ordered_at IS NOT NULL AND wiped_at IS NULL)"
        " UPDATE session SET ended_at = now()"
        "  WHERE device_id = $1 AND ended_at IS NULL AND ends_at > now()",
        device,
    )


def _code(typed: str) -> str:
    try:
        return enrolment_code.canonical(typed)
    except enrolment_code.BadCode:
        raise _wrong_code() from None


def _check_key(code: str, public: bytes, proof: bytes) -> None:
    try:
        content = device_key.enrolment_content(code, public)
        proven = device_key.verifies(public, proof, content)
    except device_key.BadKey as problem:
        raise EnrolmentRefused(problem.code, problem.text, problem.todo) from None
    if not proven:
        raise EnrolmentRefused(
            "bad_key",
            "The proof was not signed with the private key of this public key.",
            "Sign the code's canonical form and the public key, as docs/wire.md says.",
        )


def _wrong_code() -> EnrolmentRefused:
    return EnrolmentRefused(
        "wrong_code",
        "This code is not known, was used, or has run out.",
        "Type it again; if it stays so, ask your administrator for a new one.",
    )
