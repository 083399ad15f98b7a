"""What the other side sent and nobody can read: the one kind of error that reading raises."""

from __future__ import annotations


class Unreadable(ValueError):
    """Bytes, or bits, that are none of what was asked for.

    ``code`` is stable and is what counters and the state page go by; ``text`` is a plain sentence.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def exactly(data: bytes, length: int, what: str) -> bytes:
    """The bytes, when there are ``length`` of them."""
    if len(data) != length:
        raise Unreadable("radio.length", f"{what} has {length} bytes, not {len(data)}.")
    return data


def at_least(data: bytes, length: int, what: str) -> bytes:
    """The bytes, when there are ``length`` of them or more."""
    if len(data) < length:
        raise Unreadable("radio.length", f"{what} has at least {length} bytes, not {len(data)}.")
    return data
