"""Where a radio is, as the standard has it: location information at port 5017 (part 3).

The short report of TS 100 392-18-1 (clause 6.2.1): 76 bits, with bits of no use at the end. Long
reports and requests are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

PORT: Final = 5017
_BYTES: Final = 10
_SHORT: Final = 0
_AGES_S: Final = (5, 300, 1800)
_ERRORS_M: Final = (2.0, 20.0, 200.0, 2_000.0, 20_000.0, 200_000.0)
_KMH: Final = 1 / 3.6
_LINEAR: Final = 28
_UNKNOWN_SPEED: Final = 127


@dataclass(frozen=True, slots=True)
class Position:
    """A radio's own position, in degrees, metres and metres per second."""

    longitude: float
    latitude: float
    error_m: float | None
    """At most so far off; none when that is not known, or more than 200 km."""
    age_s: int | None
    """At most so old; none when that is not known."""
    speed_mps: float | None
    course_deg: float
    """In steps of 22.5."""


def read(data: bytes) -> Position:
    """A short report; raises :class:`Unreadable`."""
    bits = int.from_bytes(at_least(data, _BYTES, "A short location report")[:_BYTES]) >> 4
    if bits >> 74 != _SHORT:
        raise Unreadable("radio.location", "This location report is not a short one.")
    age, error, speed = bits >> 72 & 3, bits >> 20 & 7, bits >> 13 & 0x7F
    return Position(
        longitude=_signed(bits >> 47, 25) * 360 / 2**25,
        latitude=_signed(bits >> 23, 24) * 180 / 2**24,
        error_m=_ERRORS_M[error] if error < len(_ERRORS_M) else None,
        age_s=_AGES_S[age] if age < len(_AGES_S) else None,
        speed_mps=None if speed == _UNKNOWN_SPEED else _speed(speed),
        course_deg=(bits >> 9 & 0xF) * 22.5,
    )


def _signed(value: int, width: int) -> int:
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


def _speed(step: int) -> float:
    """Kilometres an hour up to 28, then 3.8 % more with each step."""
    return (step if step <= _LINEAR else 16 * 1.038 ** (step - 13)) * _KMH
