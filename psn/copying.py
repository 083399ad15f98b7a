"""Rows of tracks as PostgreSQL's binary COPY takes them (PostgreSQL manual, COPY, "Binary Format").

Pure: a position in, bytes out. The driver can encode rows too, one value at a time through a codec
each; here a row is one ``struct`` call, a fifth of the time, and at ten thousand positions a second
that is a fifth of a processor.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from struct import Struct
from typing import Final

from psn import wire

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Signature, flags and the length of the header's extension: none of either."""
TRAILER: Final = b"\xff\xff"

POSITION_COLUMNS: Final = (
    "unit_id",
    "at",
    "received_at",
    "place",
    "speed",
    "heading",
    "accuracy",
    "altitude",
    "battery",
)
TRACK_COLUMNS: Final = (*POSITION_COLUMNS, "flag")

_TO_2000_MS: Final = 946_684_800_000
"""2000-01-01 UTC, from which a timestamp counts microseconds."""
_BIG_ENDIAN: Final = 0
_POINT_WITH_SRID: Final = 0x2000_0001
_WGS84: Final = 4326
_POINT_BYTES: Final = 25
_NULL: Final = -1
_FLAG: Final = Struct(">ih")


@cache
def _form(known: tuple[bool, ...]) -> Struct:
    """Layout of a row whose optional columns are there or NULL, without its count of columns."""
    optional = "".join(
        ("ih" if at == len(known) - 1 else "if") if there else "i" for at, there in enumerate(known)
    )
    return Struct(">ii" + "iq" + "iq" + "iBIIdd" + optional)


def position(fix: wire.Fix, received: int) -> bytes:
    """The values of :data:`POSITION_COLUMNS`, in SI units; ``received`` is milliseconds UTC."""
    speed, heading, accuracy, altitude = fix.speed, fix.heading, fix.accuracy, fix.altitude
    battery = fix.battery
    values: list[float] = [
        4,
        fix.unit,
        8,
        (fix.time - _TO_2000_MS) * 1_000,
        8,
        (received - _TO_2000_MS) * 1_000,
        _POINT_BYTES,
        _BIG_ENDIAN,
        _POINT_WITH_SRID,
        _WGS84,
        fix.lon / 1e7,
        fix.lat / 1e7,
    ]
    for hundredths in (speed, heading, accuracy, altitude):
        if hundredths is None:
            values.append(_NULL)
        else:
            values += (4, hundredths / 100)
    if battery is None:
        values.append(_NULL)
    else:
        values += (2, battery)
    known = (
        speed is not None,
        heading is not None,
        accuracy is not None,
        altitude is not None,
        battery is not None,
    )
    return _form(known).pack(*values)


def tracks(rows: Iterable[tuple[bytes, int]]) -> bytes:
    """All of a COPY into ``track``: positions with their flags."""
    parts = [HEADER]
    for values, flag in rows:
        parts += (b"\0\x0a", values, _FLAG.pack(2, flag))
    parts.append(TRAILER)
    return b"".join(parts)


def positions(rows: Iterable[bytes]) -> bytes:
    """All of a COPY into a table with :data:`POSITION_COLUMNS`."""
    parts = [HEADER]
    for values in rows:
        parts += (b"\0\x09", values)
    parts.append(TRAILER)
    return b"".join(parts)
