"""What a client says of what it sends: tus 1.0.0, core protocol, creation and expiration. Pure.

The protocol: https://tus.io/protocols/resumable-upload. What is ours, in ``Upload-Metadata``: the
client makes the ``id`` (UUID) itself, so that beginning twice is beginning once, and says ``kind``
(photo, voice, document), ``sha256`` (hexadecimal) of all bytes, and perhaps ``type`` and
``about``. A name is not asked for, and one that is said is not kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from dispatch.attachments.kinds import DOCUMENT, PHOTO, TAKEN, VOICE
from psn.problems import Problem

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,expiration"
PIECE: Final = "application/offset+octet-stream"
"""The media type of a piece."""
LIFETIME: Final = timedelta(hours=24)
"""After so long what is not finished is forgotten."""
MOST_UNFINISHED: Final = 20
"""Of one author at a time."""
MEGABYTE: Final = 1_000_000
MOST_DOCUMENT_BYTES: Final = 256_000
_MOST_METADATA: Final = 2_048
_NUMBER: Final = re.compile(r"[0-9]{1,15}\Z")
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}\Z")
_TYPE: Final = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}(;.{0,60})?\Z")
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ABOUT: Final = re.compile(rf"(message:{_UUID}|incident:[1-9][0-9]{{0,8}})\Z")


@dataclass(frozen=True, slots=True)
class Limits:
    """Most bytes of one attachment by kind, and of an agency's in a day (UTC)."""

    of_one: Mapping[str, int]
    daily: int

    @classmethod
    def of(cls, photo_megabytes: int, voice_megabytes: int, daily_megabytes: int) -> Limits:
        """As the settings say them, in megabytes."""
        return cls(
            {
                PHOTO: photo_megabytes * MEGABYTE,
                VOICE: voice_megabytes * MEGABYTE,
                DOCUMENT: MOST_DOCUMENT_BYTES,
            },
            daily_megabytes * MEGABYTE,
        )


@dataclass(frozen=True, slots=True)
class Begun:
    """What a client is about to send."""

    id: UUID
    kind: str
    type: str
    size: int
    sha256: bytes
    about: str | None


def check_version(headers: Mapping[str, str]) -> None:
    """Raises ``wrong_version`` where a client does not speak our version."""
    if headers.get("Tus-Resumable") != VERSION:
        raise Problem(
            "wrong_version",
            f"This server speaks version {VERSION} of the tus protocol.",
            f"Send Tus-Resumable: {VERSION}.",
        )


def begun(headers: Mapping[str, str], limits: Limits) -> Begun:
    """What a request that creates an upload says; raises :class:`Problem`.

    Codes: ``wrong_version``, ``bad_length``, ``bad_metadata``, ``empty``, ``too_large``.
    """
    check_version(headers)
    length = _whole(headers, "Upload-Length")
    said = _metadata(headers.get("Upload-Metadata", ""))
    kind = said.get("kind", "")
    if kind not in TAKEN:
        raise _bad_metadata("kind", "one of " + ", ".join(TAKEN))
    if length == 0:
        raise Problem("empty", "This file is empty.", "Make it again, and attach that.")
    if length > limits.of_one[kind]:
        most = limits.of_one[kind] / MEGABYTE
        raise Problem(
            "too_large",
            f"This {kind} has {length / MEGABYTE:.1f} MB; the most is {most:g} MB.",
            "Make it smaller, and attach that.",
        )
    return Begun(
        _id(said.get("id", "")),
        kind,
        _type(said.get("type", "")),
        length,
        _sha256(said.get("sha256", "")),
        _about(said.get("about")),
    )


def piece_offset(headers: Mapping[str, str]) -> int:
    """Where a piece belongs; raises :class:`Problem`.

    Codes: ``wrong_version``, ``not_a_piece``, ``bad_length``.
    """
    check_version(headers)
    if headers.get("Content-Type") != PIECE or "Content-Encoding" in headers:
        raise Problem("not_a_piece", "The body is not a piece of a file.", f"Send {PIECE}.")
    return _whole(headers, "Upload-Offset")


def expires(made_at: datetime) -> str:
    """When an upload that is not finished is forgotten, as HTTP writes it (RFC 9110 §5.6.7)."""
    return format_datetime(made_at + LIFETIME, usegmt=True)


def _whole(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not _NUMBER.match(text):
        raise Problem("bad_length", f"{name} must be a whole number.", "Say it, and ask again.")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Pairs of a key and a base64 text; a key without one has an empty text."""
    said: dict[str, str] = {}
    if len(text) > _MOST_METADATA:
        raise Problem("bad_metadata", "Upload-Metadata is too long.", "Say less.")
    for pair in filter(None, (each.strip() for each in text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            decoded = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise _bad_metadata(ascii(key)[:40], "base64 of a text") from None
        if key in said:
            raise _bad_metadata(ascii(key)[:40], "said once")
        said[key] = decoded
    return said


def _bad_metadata(key: str, wanted: str) -> Problem:
    return Problem(
        "bad_metadata", f"In Upload-Metadata, {key} must be {wanted}.", "Correct it and ask again."
    )


def _id(text: str) -> UUID:
    if not re.fullmatch(_UUID, text.lower()):
        raise _bad_metadata("id", "a UUID that you made")
    return UUID(text)


def _sha256(text: str) -> bytes:
    if not _SHA256.match(text):
        raise _bad_metadata("sha256", "64 hexadecimal digits")
    return bytes.fromhex(text)


def _type(text: str) -> str:
    if text and (not _TYPE.match(text) or not text.isprintable()):
        raise _bad_metadata("type", "a media type, such as image/jpeg")
    return text


def _about(text: str | None) -> str | None:
    if text is not None and not _ABOUT.match(text):
        raise _bad_metadata("about", "message:UUID or incident:NUMBER")
    return text
