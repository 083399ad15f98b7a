"""WebSocket frames (RFC 6455 §5.2), bytes in and bytes out. No I/O."""

from __future__ import annotations

import base64
import hashlib
from typing import Final, NamedTuple

BINARY: Final = 0x82
PING: Final = 0x89
PONG: Final = 0x8A
CLOSE: Final = 0x88
_ACCEPT: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WireProblem(ConnectionError):
    """The server did not behave like a WebSocket server, refused, or went away."""


class Cut(NamedTuple):
    """One whole frame in some bytes: its first byte, and where its payload lies."""

    first: int
    start: int
    end: int


def cut(data: bytes, place: int = 0) -> tuple[list[Cut], int]:
    """Every whole frame from ``place`` on, and where the rest begins."""
    found: list[Cut] = []
    size = len(data)
    while size - place >= 2:
        length, start = data[place + 1], place + 2
        if length >= 126:
            start += 2 if length == 126 else 8
            if size < start:
                break
            length = int.from_bytes(data[place + 2 : start], "big")
        end = start + length
        if size < end:
            break
        found.append(Cut(data[place], start, end))
        place = end
    return found, place


def masked(first: int, payload: bytes, mask: bytes) -> bytes:
    """A client's frame: the payload hidden behind four bytes, as servers demand it."""
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    else:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


def upgrade(host: str, port: int, path: str, protocol: str | None, key: bytes) -> bytes:
    """The request with which a WebSocket begins (RFC 6455 §4.1)."""
    wanted = "" if protocol is None else f"Sec-WebSocket-Protocol: {protocol}\r\n"
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{wanted}"
        f"Sec-WebSocket-Key: {key.decode()}\r\n\r\n"
    ).encode()


def check_upgrade(head: bytes, key: bytes) -> None:
    """Raise :class:`WireProblem` unless the answer opens the WebSocket (RFC 6455 §4.2.2)."""
    accept = base64.b64encode(hashlib.sha1(key + _ACCEPT).digest())
    if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
        raise WireProblem(head.split(b"\r\n")[0].decode("latin-1"))
