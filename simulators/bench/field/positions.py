"""Reports of thousands of units, made by the thousand: frames of one length, numbers of numpy.

A position's frame has only fields of fixed width, so a block of them is an array of records, and
hiding it behind a mask (RFC 6455 §5.3) is one operation for all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_METRES_PER_E7: Final = 0.011_132
SPEED: Final = 1_200
"""Centimetres per second."""
LEG_SECONDS: Final = 600.0
"""Units go straight on for so long, and then back."""
WEST, EAST, SOUTH, NORTH = -890_000_000, -881_000_000, 162_000_000, 182_000_000
_HEAD: Final = b"\x82\xa1t\xa8position\xa1p\x97\xce"
_RECORD: Final = np.dtype([
    ("head", f"S{len(_HEAD)}"), ("unit", ">u4"), ("c0", "u1"), ("time", ">u8"), ("c1", "u1"),
    ("lon", ">i4"), ("c2", "u1"), ("lat", ">u4"), ("c3", "u1"), ("speed", ">u2"), ("c4", "u1"),
    ("heading", ">u2"), ("c5", "u1"), ("accuracy", ">u2"),
])  # fmt: skip
PAYLOAD_BYTES: Final = _RECORD.itemsize


def _place(name: str) -> int:
    assert _RECORD.fields is not None
    return _RECORD.fields[name][1]


UNIT_AT, TIME_AT, LON_AT, LAT_AT = map(_place, ("unit", "time", "lon", "lat"))
"""Where these numbers lie in a payload: 4, 8, 4 and 4 bytes, big-endian."""


class Roads:
    """Where every unit is at each moment: a place, a way, there and back at 12 m/s."""

    def __init__(self, ids: Sequence[int], random: Random) -> None:
        """``ids`` of the units; everything else here calls them by their place in it."""
        count = len(ids)
        self.ids: Ints = np.array(ids, dtype=np.int64)
        self.lon: Floats = np.array([random.randint(WEST, EAST) for _ in range(count)], dtype="f8")
        self.lat: Floats = np.array(
            [random.randint(SOUTH, NORTH) for _ in range(count)], dtype="f8"
        )
        way = np.array([random.uniform(0.0, math.tau) for _ in range(count)])
        self._east = np.cos(way) / _METRES_PER_E7
        self._north = np.sin(way) / _METRES_PER_E7
        # Never below 256, so that every frame has the same length.
        self._heading = 256 + (way * 5_600).astype(np.int64)

    def payloads(self, units: Ints, after: Floats, utc_ms: Ints) -> NDArray[np.void]:
        """The ``position`` frames (MessagePack) of those units, so many seconds into the run."""
        within = after % (2 * LEG_SECONDS)
        gone = SPEED / 100 * np.where(within < LEG_SECONDS, within, 2 * LEG_SECONDS - within)
        made = np.zeros(len(units), dtype=_RECORD)
        made["head"], made["unit"], made["time"] = _HEAD, self.ids[units], utc_ms
        made["c0"], made["c1"], made["c2"] = 0xCF, 0xD2, 0xCE
        made["lon"] = np.rint(self.lon[units] + gone * self._east[units])
        made["lat"] = np.rint(self.lat[units] + gone * self._north[units])
        made["c3"] = made["c4"] = made["c5"] = 0xCD
        made["speed"], made["heading"], made["accuracy"] = SPEED, self._heading[units], 500
        return made


def websocket_frames(payloads: NDArray[np.void], mask: bytes) -> bytes:
    """Each payload as a client's WebSocket frame, one after another (RFC 6455 §5.2)."""
    count, size = len(payloads), payloads.dtype.itemsize
    frames = np.empty((count, 6 + size), dtype=np.uint8)
    frames[:, 0], frames[:, 1] = 0x82, 0x80 | size
    frames[:, 2:6] = np.frombuffer(mask, dtype=np.uint8)
    key = np.frombuffer((mask * (size // 4 + 1))[:size], dtype=np.uint8)
    frames[:, 6:] = payloads.view(np.uint8).reshape(count, size) ^ key
    return frames.tobytes()


FRAME_BYTES: Final = PAYLOAD_BYTES + 6


@dataclass(frozen=True, slots=True)
class Phase:
    """Part of a run: every unit reports ``rate`` times a second for so many seconds."""

    name: str
    seconds: float
    rate: float
    stuck: bool = False
    """Whether the consoles that may get stuck are."""

    @property
    def rounds(self) -> int:
        """How often every unit reports."""
        return max(1, round(self.seconds * self.rate))


class Timetable:
    """Who reports when: units in a random order, spread evenly over each round."""

    def __init__(self, phases: list[Phase], units: int, random: Random) -> None:
        order = np.array(random.sample(range(units), units), dtype=np.int64)
        parts = (np.arange(units) + random.random()) / units
        begin, afters = 0.0, []
        self.begins: list[float] = []
        """When each phase begins, seconds into the run; then when the last ends."""
        for phase in phases:
            self.begins.append(begin)
            rounds = np.arange(phase.rounds, dtype=np.float64)
            afters.append(begin + ((rounds[:, None] + parts) / phase.rate).ravel())
            begin += phase.rounds / phase.rate
        self.begins.append(begin)
        self.after: Floats = np.concatenate(afters)
        """Seconds into the run, ascending."""
        self.unit: Ints = np.tile(order, len(self.after) // units)

    def utc_ms(self, begin_ms: float) -> Ints:
        """Time of each report, when the run began at ``begin_ms`` UTC."""
        return np.rint(begin_ms + self.after * 1000).astype(np.int64)

    def __len__(self) -> int:
        """How many reports there are."""
        return len(self.after)
