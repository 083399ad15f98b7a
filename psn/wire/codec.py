"""Bytes to frames and back, strictly."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from psn.wire import plain
from psn.wire.bidi import without_controls
from psn.wire.to_client import ServerFrame
from psn.wire.to_server import Announce, ClientFrame, Message, RadioHeard, RadioState
from psn.wire.values import MOST_REQUESTS, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK, Fix, Seat

Part = TypeVar("Part")


_SAYS: Final = (Message, Announce, RadioHeard, RadioState)
"""Frames with text that others are shown as it is."""


class WireError(Exception):
    """Bad input on the wire. ``code`` is stable, ``text`` is for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Malformed(WireError):
    """The bytes are no frame at all."""


class FrameRefused(WireError):
    """A frame with a wrong field, tag, type, range or size."""


class _Lenient(Struct):
    """What can be read of a refused frame, so that the answer can name the request."""

    n: int | UnsetType = UNSET
    id: UUID | UnsetType = UNSET


class Codec:
    """Bytes to frames and back, for one subprotocol.

    ``binary`` tells whether frames travel as binary WebSocket messages.
    """

    binary: bool
    _module: Any

    def __init__(self, subprotocol: str) -> None:
        """Make the codec of ``psn.v1.msgpack`` or ``psn.v1.json``; else ``ValueError``."""
        module = {SUBPROTOCOL_MSGPACK: msgspec.msgpack, SUBPROTOCOL_JSON: msgspec.json}.get(
            subprotocol
        )
        if module is None:
            raise ValueError(f"unknown subprotocol {subprotocol!r}")
        self._module = module
        self.binary = subprotocol == SUBPROTOCOL_MSGPACK
        self._encode = module.Encoder().encode
        self._client = module.Decoder(ClientFrame).decode
        self._server = module.Decoder(ServerFrame).decode
        self._fix = module.Decoder(Fix).decode
        self._lenient = module.Decoder(_Lenient).decode

    def encode(self, frame: ClientFrame | ServerFrame | Seat | Fix) -> bytes:
        """Bytes of one frame, of one seat for :meth:`picture`, or of one fix to keep."""
        encoded: bytes = self._encode(frame)
        return encoded

    def encode_part(self, part: Struct) -> bytes:
        """Bytes of a part of frames, so that it is encoded once for all of them."""
        encoded: bytes = self._encode(part)
        return encoded

    def decode_part(self, data: Raw, kind: type[Part]) -> Part:
        """What a frame carries unread, as ``kind``; raises :class:`FrameRefused`."""
        try:
            part: Part = without_controls(self._module.decode(data, type=kind))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return part

    def picture(self, seats: list[bytes], snapshot: bool = False) -> bytes:
        """The picture frame of seats that are encoded already, so that each is encoded once.

        Equal to ``encode(Picture(p=..., snapshot=...))`` of the same seats.
        """
        if self.binary:
            count = len(seats)
            head = (
                b"\x83\xa1t\xa7picture\xa8snapshot\xc3\xa1p"
                if snapshot
                else b"\x82\xa1t\xa7picture\xa1p"
            )
            size = bytes((0x90 | count,)) if count < 16 else b"\xdd" + count.to_bytes(4, "big")
            return head + size + b"".join(seats)
        tail = b'],"snapshot":true}' if snapshot else b"]}"
        return b'{"t":"picture","p":[' + b",".join(seats) + tail

    def decode_client(self, data: bytes | str) -> ClientFrame:
        """Read a frame that a client sent; raises :class:`Malformed`, :class:`FrameRefused`."""
        try:
            frame: ClientFrame = self._client(data)
            if isinstance(frame, _SAYS):
                frame = without_controls(frame)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return frame

    def decode_server(self, data: bytes | str) -> ServerFrame:
        """Read a frame that the server sent; raises as :meth:`decode_client` does."""
        try:
            frame: ServerFrame = self._server(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return frame

    def decode_fix(self, data: bytes) -> Fix:
        """Read one fix that stands alone, as a client keeps it; raises as above."""
        try:
            fix: Fix = self._fix(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return fix

    def request_of(self, data: bytes | str) -> tuple[int | None, UUID | None]:
        """The request number and message id of a refused frame, as far as they can be read."""
        try:
            got = self._lenient(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None, None
        return (
            None if got.n is UNSET or not 0 <= got.n <= MOST_REQUESTS else got.n,
            None if got.id is UNSET else got.id,
        )


def _refusal(problem: Exception) -> WireError:
    """Ours, from what the decoding library raised."""
    if isinstance(problem, msgspec.ValidationError):
        return FrameRefused("bad_field", plain.sentence(str(problem)))
    return Malformed("malformed", "These bytes are not a frame of this protocol.")


MSGPACK = Codec(SUBPROTOCOL_MSGPACK)
JSON = Codec(SUBPROTOCOL_JSON)
CODECS: Final = {SUBPROTOCOL_MSGPACK: MSGPACK, SUBPROTOCOL_JSON: JSON}
