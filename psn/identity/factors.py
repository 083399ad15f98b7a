"""Second factors that are typed: codes of an authenticator, and recovery codes. Pure.

An authenticator's code is a TOTP (RFC 6238) of six digits with SHA-1 every 30 s, which is what
every authenticator app speaks. One step of clock skew is allowed on each side (§5.2), and a step
counts once: a code that was read over a shoulder is worth nothing any more.

Recovery codes are for a lost phone: ten, shown once, each good once. They have 59 bits, less than
the 112 that NIST SP 800-63B-4 §3.1.2.2 asks of what is kept by a plain hash, so they are kept by
Argon2id. All of one set share a salt, so that checking costs one hash and not ten.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final

import pyotp
from argon2.low_level import Type, hash_secret_raw

SECRET_BYTES: Final = 20
"""RFC 4226 §4 recommends 160 bits."""
STEP_SECONDS: Final = 30
SKEW_STEPS: Final = 1
RECOVERY_CODES: Final = 10
FEW_RECOVERY_CODES: Final = 3
"""With so many left, or fewer, their owner is warned."""
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 3, 4
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


def new_totp_secret() -> bytes:
    """A secret to share with one authenticator."""
    return secrets.token_bytes(SECRET_BYTES)


def base32(secret: bytes) -> str:
    """The secret as it is typed by hand where no camera is."""
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth(secret: bytes, name: str, network: str) -> str:
    """The address in the QR code that an authenticator reads."""
    # A colon would end the network's name in the label.
    return pyotp.TOTP(base32(secret)).provisioning_uri(
        name=name, issuer_name=network.replace(":", " ")
    )


def totp_step(secret: bytes, code: str, at: float, last: int | None) -> int | None:
    """The time step that a code is of, when it is good and later than the last one used.

    ``at`` is the time in seconds since 1970.
    """
    typed = _digits(code)
    if len(typed) != 6:
        return None
    totp = pyotp.TOTP(base32(secret))
    now = int(at // STEP_SECONDS)
    found = None
    # Every step is looked at, so that time does not tell which one it was.
    for step in range(max(0, now - SKEW_STEPS), now + SKEW_STEPS + 1):
        good = hmac.compare_digest(totp.generate_otp(step), typed)
        if good and (last is None or step > last):
            found = step
    return found


def is_totp(code: str) -> bool:
    """Whether this is an authenticator's code rather than a recovery code, by its looks."""
    return len(_digits(code)) == 6 and len(code) <= 12 and not any(c.isalpha() for c in code)


def new_recovery_codes(choose: Callable[[str], str] = secrets.choice) -> list[str]:
    """Ten codes such as ``k7mp-3xwd-h9tq``."""
    return [
        "-".join("".join(choose(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def hash_recovery_codes(codes: Sequence[str]) -> list[bytes]:
    """What the database keeps of a set: its salt, and each one's hash. Takes some 0.2 s."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return [salt + _recovery_hash(code, salt) for code in codes]


def find_recovery_code(kept: Sequence[bytes], code: str) -> bytes | None:
    """Which of the hashes is that of a code; takes some 20 ms for each set, mostly one."""
    found = None
    for salt in {each[:_SALT_BYTES] for each in kept}:
        wanted = salt + _recovery_hash(code, salt)
        for each in kept:
            if hmac.compare_digest(each, wanted):
                found = each
    return found


def _recovery_hash(code: str, salt: bytes) -> bytes:
    typed = "".join(c for c in code.lower() if c in _LETTERS)
    return hash_secret_raw(typed.encode(), salt, 2, 19 * 1024, 1, _HASH_BYTES, Type.ID)


def _digits(code: str) -> str:
    return "".join(c for c in code if c in "0123456789")
