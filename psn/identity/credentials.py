"""Passwords and tokens: made, hashed and compared.

Passwords are kept as Argon2id (RFC 9106) with the least parameters that the OWASP Password Storage
Cheat Sheet names for it: 19 MiB of memory, 2 passes, 1 lane. That is some 20 ms of one core, on
purpose; call it in a worker thread. Hashes made with other parameters still verify, and
:func:`needs_new_hash` tells that they should be made again.

Tokens are 32 random bytes, so they need no slow hash: the database keeps their SHA-256. Devices
have keys (``psn.enrolment.device_key``). Nothing here is written down anywhere.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from psn.identity.passwords import normal

SECRET_BYTES: Final = 32

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""No 0 and o, no 1, i and l: they are read aloud and typed."""


def hash_password(password: str) -> str:
    """Argon2id hash of a password, with its salt and parameters, as kept in the database.

    Whether it may be chosen is for ``psn.identity.passwords`` to say. Takes some 20 ms.
    """
    return _HASHER.hash(_normal(password))


def verify_password(kept: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; with ``None`` false, after the same time."""
    try:
        matches = _HASHER.verify(_nobody() if kept is None else kept, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return matches and kept is not None


def needs_new_hash(kept: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def new_password(choose: Callable[[str], str] = secrets.choice) -> str:
    """A password to hand out, such as ``k7mp-3xwd-h9tq-r2vn``: 79 random bits."""
    return "-".join("".join(choose(_LETTERS) for _ in range(4)) for _ in range(4))


def new_token() -> str:
    """A session's token: 32 random bytes, URL-safe."""
    return secrets.token_urlsafe(SECRET_BYTES)


def token_hash(token: str) -> bytes:
    """SHA-256 of a token, as kept in the database."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@functools.cache
def _nobody() -> str:
    """A hash of a password that nobody has."""
    return _HASHER.hash(secrets.token_urlsafe(SECRET_BYTES))


def _normal(password: str) -> bytes:
    return normal(password).encode("utf-8", "surrogatepass")
