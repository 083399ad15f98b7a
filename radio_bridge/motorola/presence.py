"""Registration (ARS), UDP port 4005: a radio says that it is there, or goes.

::

    length (2) | kind | header, when the highest bit of kind is set | fields with their lengths
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, at_least

PORT: Final = 4005
REFRESH_S: Final = 30 * 60
"""The unit in which a radio is told when to register again."""

_MORE: Final = 0x80
_ANSWER: Final = 0x40
_USUAL: Final = 0x30
_TYPE: Final = 0x0F


class Kind(enum.IntEnum):
    """What is said."""

    REGISTRATION = 0x0
    DEREGISTRATION = 0x1
    QUERY = 0x4
    """Are you there?"""
    USER_REGISTRATION = 0x5
    USER_DEREGISTRATION = 0x6
    USER_ANSWER = 0x7
    ANSWER = 0xF


@dataclass(frozen=True, slots=True)
class Message:
    """What a radio, or who registers radios, says."""

    kind: Kind
    device: str = ""
    user: str = ""
    refused: bool = False
    value: int = 0
    """In an answer: after how many half hours to register again, or why it was refused."""
    answer_wanted: bool = False


def read(data: bytes) -> Message:
    """A message; raises :class:`Unreadable`."""
    at_least(data, 3, "A registration")
    body = at_least(data[2:], int.from_bytes(data[:2]), "This registration")
    body = at_least(body[: int.from_bytes(data[:2])], 1, "A registration")
    try:
        kind = Kind(body[0] & _TYPE)
    except ValueError:
        raise Unreadable("radio.presence", "This kind of registration is not known.") from None
    wanted, more = bool(body[0] & _ANSWER), bool(body[0] & _MORE)
    if kind in (Kind.ANSWER, Kind.USER_ANSWER):
        value = body[1] if len(body) > 1 else 0
        return Message(kind, refused=wanted, value=value & 0x7F)
    fields = _fields(body[2:] if more else b"")
    device, user = [*fields, "", ""][:2]
    return Message(kind, device, user, answer_wanted=wanted)


def _fields(data: bytes) -> list[str]:
    found = []
    while data:
        at_least(data, 1 + data[0], "A field of a registration")
        found.append(data[1 : 1 + data[0]].decode("utf-8", "replace"))
        data = data[1 + data[0] :]
    return found


def write_answer(half_hours: int) -> bytes:
    """Registered; again after so many half hours, or only when it is switched on."""
    return bytes([0, 2, _MORE | _USUAL | Kind.ANSWER, half_hours & 0x7F])


def write_query() -> bytes:
    """Ask whether a radio is there."""
    return bytes([0, 1, _ANSWER | _USUAL | Kind.QUERY])
