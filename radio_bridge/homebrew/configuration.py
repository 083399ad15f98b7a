"""What a repeater says of itself when it has signed in: 294 bytes of text in fixed columns.

Repeaters fill them oddly: empty, with zero bytes, with commas in numbers, or end them too soon.
What cannot be read is none; nothing of it decides anything but what is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_COLUMNS: Final = {
    "callsign": 8, "receive_hz": 9, "send_hz": 9, "power_w": 2, "colour_code": 2,
    "latitude": 8, "longitude": 9, "height_m": 3, "location": 20, "description": 19,
    "slots": 1, "url": 124, "software": 40, "package": 40,
}  # fmt: skip
LENGTH: Final = sum(_COLUMNS.values())


@dataclass(frozen=True, slots=True)
class Configuration:
    """A repeater's own words; nothing of it was checked."""

    callsign: str = ""
    receive_hz: int | None = None
    send_hz: int | None = None
    power_w: int | None = None
    colour_code: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    height_m: int | None = None
    location: str = ""
    description: str = ""
    slots: str = ""
    """1, 2, 3 for both, 4 for a simplex hot spot."""
    url: str = ""
    software: str = ""
    package: str = ""


def read(fields: bytes) -> Configuration:
    """Whatever can be read of it."""
    found: dict[str, str] = {}
    at = 0
    for name, width in _COLUMNS.items():
        text = fields[at : at + width].decode("utf-8", "replace")
        found[name] = "".join(c for c in text if c.isprintable()).strip()
        at += width
    return Configuration(
        callsign=found["callsign"],
        receive_hz=_whole(found["receive_hz"]),
        send_hz=_whole(found["send_hz"]),
        power_w=_whole(found["power_w"]),
        colour_code=_whole(found["colour_code"]),
        latitude=_degrees(found["latitude"], 90),
        longitude=_degrees(found["longitude"], 180),
        height_m=_whole(found["height_m"]),
        location=found["location"],
        description=found["description"],
        slots=found["slots"],
        url=found["url"],
        software=found["software"],
        package=found["package"],
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _degrees(text: str, most: float) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= most else None


def write(configuration: Configuration) -> bytes:
    """The 294 bytes."""
    c = configuration
    texts = {
        "callsign": c.callsign,
        "receive_hz": f"{c.receive_hz or 0:09d}",
        "send_hz": f"{c.send_hz or 0:09d}",
        "power_w": f"{c.power_w or 0:02d}",
        "colour_code": f"{1 if c.colour_code is None else c.colour_code:02d}",
        "latitude": f"{c.latitude or 0.0:08f}",
        "longitude": f"{c.longitude or 0.0:09f}",
        "height_m": f"{c.height_m or 0:03d}",
        "location": c.location,
        "description": c.description,
        "slots": c.slots or "3",
        "url": c.url,
        "software": c.software,
        "package": c.package,
    }
    columns = (
        texts[name].encode("ascii", "replace")[:width].ljust(width)
        for name, width in _COLUMNS.items()
    )
    return b"".join(columns)
