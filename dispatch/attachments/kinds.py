"""What bytes are, by what stands in them and never by their name. Pure.

The table is short: what is taken, and what people send most often that is not. It gives the plain
sentence; whether a photo is one, the decoder decides (``dispatch.attachments.decoding``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 4_096
"""The beginning of a file, as :func:`refusal` wants it."""
TAIL_BYTES: Final = 65_536 + 22
"""The end of a file: a ZIP archive's directory ends there (APPNOTE 6.3.10, 4.3.16)."""

PHOTO, VOICE, DOCUMENT = "photo", "voice", "document"
TAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    PHOTO: ("image/jpeg", "image/png", "image/webp", "image/heic"),
    VOICE: ("audio/ogg", "audio/webm"),
    DOCUMENT: ("text/plain",),
}
"""What each kind of attachment may be."""
MADE: Final[Mapping[str, str]] = {PHOTO: "image/jpeg", VOICE: "audio/ogg", DOCUMENT: "text/plain"}
"""What becomes of it."""

_HEIC_BRANDS: Final = (b"heic", b"heix", b"mif1", b"heim", b"heis")  # ISO/IEC 23008-12, annex B
_FOREIGN: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"BZh", "a compressed file"),
    (b"\xfd7zXZ", "a compressed file"),
    (b"\x28\xb5\x2f\xfd", "a compressed file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"dex\n", "a program"),
    (b"#!", "a program"),
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"GIF8", "a GIF"),
)
_MARKUP: Final = (
    (b"<svg", "an SVG drawing"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<script", "a web page"),
    (b"<iframe", "a web page"),
    (b"<?php", "a program"),
    (b"<?xml", "an XML file"),
)
_HIDDEN: Final = (b"<script", b"<html", b"<?php", b"<svg", b"%pdf-")
"""What makes a photo or a voice note something else as well, where a reader would look for it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is not taken: a stable code, and one plain sentence."""

    code: str
    text: str


def media_type(head: bytes) -> str | None:
    """The type of what is taken, by its first bytes; none when it is nothing of that.

    Signatures: JPEG (ISO/IEC 10918-1 B.1.1.3), PNG (W3C PNG 5.2), WebP (RFC 9649), HEIC
    (ISO/IEC 23008-12), Ogg (RFC 3533), WebM's EBML (RFC 8794).
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if head.startswith(b"OggS"):
        return "audio/ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "audio/webm"
    return "text/plain" if foreign(head) is None and _is_text(head) else None


def foreign(head: bytes) -> str | None:
    """What it is in words, when it is something that is never taken."""
    for signature, words in _FOREIGN:
        if head.startswith(signature):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not text.startswith(b"<"):
        return None
    return next((words for mark, words in _MARKUP if mark in text), None)


def _is_text(head: bytes) -> bool:
    """Whether this may be the beginning of a text: UTF-8, perhaps cut inside its last letter."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.start < len(head) - 3:
            return False
        text = head[: problem.start].decode("utf-8")
    return all(letter >= " " or letter in "\t\r\n" for letter in text)


def refusal(kind: str, head: bytes, tail: bytes) -> Refusal | None:
    """Why bytes cannot be an attachment of this kind, by their beginning and end; none: they may.

    ``head`` is the first :data:`HEAD_BYTES` of the file, ``tail`` the last :data:`TAIL_BYTES`.
    """
    found = media_type(head)
    if found is None or found not in TAKEN[kind]:
        is_what = foreign(head)
        if is_what is not None:
            return Refusal("wrong_type", f"This file is {is_what}, whatever its name says.")
        return Refusal("wrong_type", f"This file is not {_A[kind]}.")
    if found != "text/plain" and (b"PK\x05\x06" in tail or _holds(head[:1_024])):
        return Refusal("two_in_one", "This file is two things at once, which hides one of them.")
    return None


_A: Final = {
    PHOTO: "a photo (JPEG, PNG, WebP or HEIC)",
    VOICE: "a voice note (Opus in Ogg or WebM)",
    DOCUMENT: "plain text",
}


def _holds(beginning: bytes) -> bool:
    low = beginning.lower()
    return any(mark in low for mark in _HIDDEN)
