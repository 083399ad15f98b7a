"""Reed-Solomon (12,9) of full link control: B.3.6.

Over GF(2⁸) by x⁸+x⁴+x³+x²+1, with the generator (x+α)(x+α²)(x+α³). Mends one wrong byte.
"""

from __future__ import annotations

from typing import Final

from radio_bridge.unreadable import Unreadable, exactly

LENGTH: Final = 12
DATA: Final = 9

_FIELD: Final = 0b1_0001_1101
_POWERS: list[int] = [1]
for _ in range(254):
    _next = _POWERS[-1] << 1
    _POWERS.append(_next ^ _FIELD if _next & 0x100 else _next)
_LOGS: Final = {power: exponent for exponent, power in enumerate(_POWERS)}
_GENERATOR: Final = (14, 56, 64)
"""x³ + 14x² + 56x + 64."""


def _times(left: int, right: int) -> int:
    if not left or not right:
        return 0
    return _POWERS[(_LOGS[left] + _LOGS[right]) % 255]


def checks(data: bytes) -> bytes:
    """The three check bytes of nine bytes, without a mask."""
    rest = [0, 0, 0]
    for byte in exactly(data, DATA, "Link control"):
        factor = byte ^ rest[0]
        rest = [
            rest[1] ^ _times(factor, _GENERATOR[0]),
            rest[2] ^ _times(factor, _GENERATOR[1]),
            _times(factor, _GENERATOR[2]),
        ]
    return bytes(rest)


def encode(data: bytes, mask: bytes) -> bytes:
    """Nine bytes with their checks, under a mask of three bytes (B.3.12)."""
    return data + bytes(a ^ b for a, b in zip(checks(data), mask, strict=True))


def decode(word: bytes, mask: bytes) -> bytes:
    """The nine bytes of a word of twelve; raises :class:`Unreadable`."""
    exactly(word, LENGTH, "A Reed-Solomon word")
    plain = [*word[:DATA], *(a ^ b for a, b in zip(word[DATA:], mask, strict=True))]
    first, second, third = (_syndrome(plain, root) for root in (1, 2, 3))
    if not (first or second or third):
        return bytes(plain[:DATA])
    # One wrong byte e at place p (from the end) makes the syndromes e·αᵖ, e·α²ᵖ, e·α³ᵖ.
    if first and second and third:
        place = (_LOGS[second] - _LOGS[first]) % 255
        if place < LENGTH and (_LOGS[third] - _LOGS[second]) % 255 == place:
            plain[LENGTH - 1 - place] ^= _POWERS[(_LOGS[first] - place) % 255]
            return bytes(plain[:DATA])
    raise Unreadable("dmr.fec", "More than one byte of a Reed-Solomon word is wrong.")


def _syndrome(word: list[int], root: int) -> int:
    value = 0
    for byte in word:
        value = _times(value, _POWERS[root]) ^ byte
    return value
