r"""Security events as syslog messages (RFC 5424), framed for a stream (RFC 6587 §3.4.1). Pure.

One message is ``<PRI>1 TIME HOST psn PID MSGID [psn@… …] BOM text``: what happened stands in the
structured data, field by field, and in the text once more as a sentence for people. Whatever a
stranger may have typed is made harmless: control characters, which could break a line or steer a
terminal, become visible ones, and in values ``"``, ``\`` and ``]`` are escaped (§6.3.3).

A message has at most :data:`LONGEST` bytes: what every receiver on TLS should take (RFC 5425
§4.3.1) and what rsyslog takes. What is cut is first the details, which alone can be long; every
other value has a limit of its own, so that the rest always fits.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psn.csirt.security_events import SecurityEvent

LONGEST: Final = 8_192
"""Bytes of a message, without the count before it."""
LONGEST_VALUE: Final = 500
"""Bytes of any value but the details, as it is written."""
LONGEST_TEXT: Final = 1_200
"""Bytes of the sentence."""
FACILITY: Final = 10
"""Security and authorization messages (RFC 5424 table 1)."""
BOM: Final = b"\xef\xbb\xbf"
"""Says that the text is UTF-8 (§6.4)."""
NIL: Final = "-"
_CUT: Final = "…"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the machine, the process, and under which number its fields are named."""

    host: str
    process: int
    enterprise: int
    """The private enterprise number in the name of the structured data (§6.3.2)."""


def message(event: SecurityEvent, sender: Sender) -> bytes:
    """The event as one message, without framing."""
    priority = FACILITY * 8 + event.severity
    header = " ".join(
        (
            f"<{priority}>1",
            timestamp(event.at),
            _header_word(sender.host, 255),
            "psn",
            _header_word(str(sender.process), 128),
            _header_word(event.kind, 32),
        )
    )
    text = BOM + _cut(harmless(event.text), LONGEST_TEXT).encode()
    values = [
        f'{name}="{_escaped(str(value), LONGEST_VALUE)}"'
        for name, value in _fields(event)
        if value is not None
    ]
    start = f"{header} [psn@{sender.enterprise} {' '.join(values)}".encode()
    room = LONGEST - len(start) - len(b' details=""] ') - len(text)
    details = json.dumps(event.details, ensure_ascii=False, separators=(",", ":"))
    written = _escaped(details, room) if event.details else ""
    more = f' details="{written}"' if written else ""
    return start + f"{more}] ".encode() + text


def framed(content: bytes) -> bytes:
    """A message for a stream: its length in bytes, a space, itself (octet counting)."""
    return f"{len(content)} ".encode() + content


def timestamp(at: int) -> str:
    """Milliseconds UTC as RFC 5424 §6.2.3 writes it; nil for what is no time of this calendar."""
    try:
        moment = datetime.fromtimestamp(at // 1_000, UTC)
    except (ValueError, OverflowError, OSError):
        return NIL
    if moment.year < 1:
        return NIL
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{at % 1_000:03}Z"


def harmless(text: str) -> str:
    """The text with a visible character in place of each that is none.

    C0 controls become their pictures (U+2400 …); other controls, separators of lines, what turns
    the direction of writing, and halves of surrogate pairs become U+FFFD.
    """
    return _HARMFUL.sub(lambda found: _visible(found.group()), text)


_HARMFUL: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def _visible(char: str) -> str:
    if char < " ":
        return chr(0x2400 + ord(char))
    return "\u2421" if char == "\x7f" else "\ufffd"


def _fields(event: SecurityEvent) -> list[tuple[str, str | int | None]]:
    """What stands in the structured data, in this order; the details come behind."""
    return [
        ("seq", event.seq),
        ("action", event.action),
        ("actor", event.actor),
        ("actorName", event.actor_name),
        ("agency", event.agency),
        ("source", event.source),
        ("session", event.session),
        ("object", event.object),
        ("owner", event.owner),
    ]


def _escaped(value: str, longest: int) -> str:
    """A value between quotation marks, of so many bytes at most; an escape is never cut apart."""
    written = re.sub(r'(["\\\]])', r"\\\1", harmless(value))
    cut = _cut(written, longest)
    if cut == written:
        return written
    kept = cut.removesuffix(_CUT)
    stray = len(kept) - len(kept.rstrip("\\"))
    return (kept[:-1] if stray % 2 else kept) + _CUT


def _cut(text: str, longest: int) -> str:
    """The text in so many bytes of UTF-8 at most; what was cut ends in an ellipsis."""
    data = text.encode()
    if len(data) <= longest:
        return text
    return data[: longest - len(_CUT.encode())].decode(errors="ignore") + _CUT


def _header_word(said: str, longest: int) -> str:
    """A word of the header: visible ASCII alone (§6), nil when nothing is left."""
    plain = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode()
    return re.sub(r"[^!-~]", "", plain)[:longest] or NIL
