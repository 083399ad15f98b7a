"""How long a text is as short messages: GSM 7-bit, or UCS-2 when it must be. Pure.

3GPP TS 23.038 has the alphabet and its extension, 3GPP TS 23.040 (9.2.3.24.1) how long texts are
parted: a message has 140 octets, of which a header of six (or of seven, with a reference of two
octets) says which part it is. A character of the extension takes two septets, which must not be
parted, as the two halves of a UTF-16 pair must not.
"""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass
from typing import Final

OCTETS: Final = 140
"""Of a message's text, header included."""

_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE: Final = 0x1B
_EXTENSION: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_CODES: Final[dict[str, bytes]] = {
    **{each: bytes([code]) for code, each in enumerate(_BASIC) if code != _ESCAPE},
    **{each: bytes([_ESCAPE, code]) for each, code in _EXTENSION.items()},
}
_PLAINER: Final = {
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "`": "'",
    "´": "'", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "•": "-", "·": "-", "…": "...",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\t": " ", "ç": "Ç", "º": "o", "ª": "a",
    "°": "o", "×": "x", "½": "1/2", "¼": "1/4", "¾": "3/4", "→": "->", "\u200b": "",
}  # fmt: skip
"""What stands for characters that the alphabet does not have."""
_JOINERS: Final = {"\u200d", "\ufe0e", "\ufe0f"}


class Coding(enum.StrEnum):
    """How characters are written."""

    GSM_7 = "gsm7"
    UCS_2 = "ucs2"


@dataclass(frozen=True, slots=True)
class ShortMessages:
    """A text as it is sent.

    Attributes:
        coding: of all parts alike.
        parts: the text of each; joined, they are the text.
        units: septets, or UTF-16 units, of all parts together.
        left: how many more fit before there is another part.
    """

    coding: Coding
    parts: tuple[str, ...]
    units: int
    left: int


def measure(text: str, wide_reference: bool = False) -> ShortMessages:
    """A text in as few messages as hold it.

    ``wide_reference``: the reference of long messages has two octets, as some centres want it.
    """
    coding = Coding.GSM_7 if all(each in _CODES for each in text) else Coding.UCS_2
    pieces = list(text) if coding is Coding.GSM_7 else _clusters(text)
    whole = _room(coding, 0)
    total = sum(_units(piece, coding) for piece in pieces)
    if total <= whole:
        return ShortMessages(coding, (text,), total, whole - total)
    room = _room(coding, 7 if wide_reference else 6)
    parts, last = _parted(pieces, coding, room)
    return ShortMessages(coding, parts, total, room - last)


def encode(text: str, coding: Coding) -> bytes:
    """The octets of a part, one a septet in GSM 7-bit, as SMPP carries it; UTF-16 in UCS-2.

    Raises ValueError for a character that GSM 7-bit does not have.
    """
    if coding is Coding.UCS_2:
        return text.encode("utf-16-be", "surrogatepass")
    try:
        return b"".join(_CODES[each] for each in text)
    except KeyError as error:
        raise ValueError(f"no character of GSM 7-bit: {error}") from None


def plainer(text: str) -> str:
    """The same text in GSM 7-bit where that can be read, without the accents it does not have.

    In Spanish ``á í ó ú`` lose theirs (``é ñ ü ¿ ¡`` do not); a text with one of them would need
    more than twice as many messages. What has no plainer form stays.
    """
    return "".join(each if each in _CODES else _plain(each) for each in text)


def _plain(each: str) -> str:
    if each in _PLAINER:
        return _PLAINER[each]
    if unicodedata.combining(each):
        return ""
    bare = "".join(
        part for part in unicodedata.normalize("NFKD", each) if not unicodedata.combining(part)
    )
    return bare if bare and all(part in _CODES for part in bare) else each


def _room(coding: Coding, header: int) -> int:
    octets = OCTETS - header
    return octets * 8 // 7 if coding is Coding.GSM_7 else octets // 2


def _units(piece: str, coding: Coding) -> int:
    if coding is Coding.GSM_7:
        return sum(len(_CODES[each]) for each in piece)
    return sum(2 if ord(each) > 0xFFFF else 1 for each in piece)


def _clusters(text: str) -> list[str]:
    """What is not parted: a character with the marks upon it, and what is joined to it."""
    found: list[str] = []
    for each in text:
        joined = unicodedata.combining(each) or each in _JOINERS
        if found and (joined or found[-1].endswith("\u200d")):
            found[-1] += each
        else:
            found.append(each)
    return found


def _parted(pieces: list[str], coding: Coding, room: int) -> tuple[tuple[str, ...], int]:
    """The parts, and how much of the last one is taken."""
    parts: list[str] = [""]
    taken = 0
    for piece in pieces:
        needs = _units(piece, coding)
        # A heap of marks upon one letter may be longer than a message; then it is parted.
        for each in piece if needs > room else (piece,):
            units = _units(each, coding)
            if taken + units > room:
                parts.append("")
                taken = 0
            parts[-1] += each
            taken += units
    return tuple(parts), taken
