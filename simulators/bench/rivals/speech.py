"""How a position is published to each server, and read from it. Bytes in, bytes out; no I/O.

All but CoT carry the very same bytes, a ``position`` frame of this network's wire in MessagePack;
around it stands what the protocol needs:

- the relay: WebSocket (RFC 6455);
- NATS: ``PUB`` and ``MSG`` lines of its client protocol;
- Mosquitto: PUBLISH of MQTT 3.1.1 (OASIS, §3.3) with quality of service 0;
- taky: a CoT event in XML (``a-f-G-U-C``) with the same unit, time and place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.bench.field.positions import (
    LAT_AT,
    LON_AT,
    PAYLOAD_BYTES,
    TIME_AT,
    UNIT_AT,
    Ints,
    websocket_frames,
)  # fmt: skip
from simulators.bench.lines.frames import WireProblem

MASK: Final = b"\x37\xfa\x21\x3d"


class Speech(Protocol):
    """One protocol, as far as positions need it."""

    def published(self, payloads: NDArray[np.void]) -> list[bytes | memoryview]:
        """What a publisher sends for each position."""

    def read(self, data: bytes) -> tuple[int, Ints, Ints]:
        """Bytes that are whole messages; unit and time of each. Raises :class:`WireProblem`."""


@dataclass(frozen=True, slots=True)
class Around:
    """A protocol that puts constant bytes before and behind each payload."""

    sent_before: bytes
    sent_behind: bytes
    got_before: bytes
    got_behind: bytes

    def published(self, payloads: NDArray[np.void]) -> list[bytes | memoryview]:
        """See :class:`Speech`."""
        size = payloads.dtype.itemsize
        raw = payloads.tobytes()
        before, behind = self.sent_before, self.sent_behind
        return [before + raw[start : start + size] + behind for start in range(0, len(raw), size)]

    def read(self, data: bytes) -> tuple[int, Ints, Ints]:
        """See :class:`Speech`."""
        before, behind = len(self.got_before), len(self.got_behind)
        size = before + PAYLOAD_BYTES + behind
        count = len(data) // size
        rows = np.frombuffer(data, dtype=np.uint8, count=count * size).reshape(count, size)
        wanted = np.frombuffer(self.got_before + self.got_behind, dtype=np.uint8)
        if not ((rows[:, :before] == wanted[:before]).all()
                and (rows[:, size - behind :] == wanted[before:]).all()):  # fmt: skip
            raise WireProblem(f"unexpected bytes: {data[:80]!r}")
        payloads = rows[:, before : size - behind]
        return count * size, _big(payloads, UNIT_AT, 4), _big(payloads, TIME_AT, 8)


def _big(rows: NDArray[np.uint8], start: int, size: int) -> Ints:
    """A big-endian number at the same place of every row."""
    found = np.ascontiguousarray(rows[:, start : start + size])
    return found.view(f">i{size}").ravel().astype(np.int64)


class Masked(Around):
    """The relay: what clients send is hidden behind a mask, what they get is not."""

    def published(self, payloads: NDArray[np.void]) -> list[bytes | memoryview]:
        """See :class:`Speech`."""
        frames = memoryview(websocket_frames(payloads, MASK))
        size = len(frames) // len(payloads)
        return [frames[start : start + size] for start in range(0, len(frames), size)]


_SIZE: Final = str(PAYLOAD_BYTES).encode()
RELAY: Final = Masked(b"", b"", bytes((0x82, PAYLOAD_BYTES)), b"")
NATS: Final = Around(b"PUB p " + _SIZE + b"\r\n", b"\r\n", b"MSG p 1 " + _SIZE + b"\r\n", b"\r\n")
_PUBLISH: Final = bytes((0x30, PAYLOAD_BYTES + 3)) + b"\x00\x01p"
MQTT: Final = Around(_PUBLISH, b"", _PUBLISH, b"")


class Cot:
    """Events of Cursor on Target, one after another in a stream."""

    _EVENT = re.compile(rb'<event[^>]*? uid="U-(\d+)"[^>]*? time="([^"]+)"')
    _END = b"</event>"

    def published(self, payloads: NDArray[np.void]) -> list[bytes | memoryview]:
        """See :class:`Speech`."""
        size = payloads.dtype.itemsize
        rows = np.frombuffer(payloads.tobytes(), dtype=np.uint8).reshape(-1, size)
        columns = (
            _big(rows, UNIT_AT, 4), _big(rows, TIME_AT, 8),
            _big(rows, LON_AT, 4), _big(rows, LAT_AT, 4),
        )  # fmt: skip
        return [
            self._event(unit, time, lon, lat)
            for unit, time, lon, lat in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def _event(self, unit: int, time: int, lon: int, lat: int) -> bytes:
        at, stale = _iso(time), _iso(time + 60_000)
        return (
            f'<event version="2.0" uid="U-{unit}" type="a-f-G-U-C" how="m-g" time="{at}"'
            f' start="{at}" stale="{stale}"><point lat="{lat / 1e7}" lon="{lon / 1e7}" hae="0"'
            f' ce="5" le="9999999"/><detail><track speed="12.0" course="90.0"/></detail></event>'
        ).encode()

    def read(self, data: bytes) -> tuple[int, Ints, Ints]:
        """See :class:`Speech`."""
        end = data.rfind(self._END) + len(self._END)
        if end < len(self._END):
            return 0, np.empty(0, np.int64), np.empty(0, np.int64)
        found = self._EVENT.findall(data, 0, end)
        units = np.array([int(unit) for unit, _ in found], dtype=np.int64)
        times = np.array([_ms(time) for _, time in found], dtype=np.int64)
        return end, units, times


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _ms(text: bytes) -> int:
    return round(datetime.fromisoformat(text.decode()).timestamp() * 1000)


COT: Final = Cot()
