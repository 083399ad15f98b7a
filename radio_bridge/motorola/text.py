"""Text messages (TMS), UDP port 4007.

::

    length (2) | kind | length of address | address | number and coding (0 to 2) | text in UTF-16LE

Of *kind* the highest bit says that number and coding follow, the next that an answer is wanted,
0x10 that it is control and not text; the lowest four are the type. *Number* has five bits in one
byte and two in the next, each with a highest bit that says that another follows.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

PORT: Final = 4007
NUMBERS: Final = 128
MOST_CHARACTERS: Final = 1_000
"""Of any text; radios take far fewer."""

_MORE: Final = 0x80
_ANSWER: Final = 0x40
_USUAL: Final = 0x20
_KIND: Final = 0x1F
_UTF_16_LE: Final = 4


class Kind(enum.IntEnum):
    """What a message is: control bit and type."""

    TEXT = 0x00
    AVAILABLE = 0x10
    """A radio, or a program, says that it takes texts."""
    RECEIVED = 0x1F


@dataclass(frozen=True, slots=True)
class Message:
    """A text, or what is said about one."""

    kind: Kind
    number: int = 0
    """From 0 to 127; an answer has that of what it answers."""
    text: str = ""
    answer_wanted: bool = False
    address: bytes = b""


def read(data: bytes) -> Message:
    """A message; raises :class:`Unreadable`."""
    at_least(data, 4, "A text message")
    body = at_least(data[2:], int.from_bytes(data[:2]), "This text message")
    body = body[: int.from_bytes(data[:2])]
    at_least(body, 2, "A text message")
    try:
        kind = Kind(body[0] & _KIND)
    except ValueError:
        code = f"Text message of kind {body[0] & _KIND:#x}"
        raise Unreadable("radio.text", f"{code} is not known.") from None
    rest = at_least(body[2:], body[1], "The address of a text message")
    address, rest = rest[: body[1]], rest[body[1] :]
    headers: list[int] = []
    more = bool(body[0] & _MORE)
    while more:
        at_least(rest, 1, "The header of a text message")
        headers.append(rest[0])
        more, rest = bool(rest[0] & _MORE), rest[1:]
    text = ""
    if kind == Kind.TEXT:
        text = rest[: 2 * MOST_CHARACTERS].decode("utf-16-le", "replace").strip("\r\n\0 ")
    return Message(kind, _number(kind, headers), text, bool(body[0] & _ANSWER), address)


def _number(kind: Kind, headers: list[int]) -> int:
    if kind == Kind.AVAILABLE or not headers:
        return 0
    high = headers[1] >> 5 & 3 if len(headers) > 1 else 0
    return high << 5 | headers[0] & 0x1F


def write(message: Message) -> bytes:
    """The datagram."""
    low, high = message.number & 0x1F, message.number >> 5
    answer = _ANSWER if message.answer_wanted else 0
    address = bytes([len(message.address)]) + message.address
    match message.kind:
        case Kind.TEXT:
            text = message.text[:MOST_CHARACTERS].encode("utf-16-le", "replace")
            headers = bytes([_MORE | low, high << 5 | _UTF_16_LE]) + text
        case Kind.RECEIVED:
            headers = bytes([_MORE | low, high << 5]) if high else bytes([low])
        case Kind.AVAILABLE:
            headers = b"\x01"  # takes texts itself
    usual = 0 if message.kind == Kind.AVAILABLE else _USUAL
    body = bytes([_MORE | answer | usual | message.kind]) + address + headers
    return len(body).to_bytes(2) + body
