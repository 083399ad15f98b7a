"""A file of an area or a track, sent by who writes a warning: what parts of an area it makes.

Nothing is kept of it. What comes back is parts as an officer would have drawn them, to be seen on
the map, changed, and written into the draft.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from msgspec import Struct

from dispatch.alerting import areas, drawn_files, storms
from dispatch.alerting.areas import Drawn, Track
from dispatch.alerting.shape_archives import FileRefused
from dispatch.asking import ApiProblem, Asked, Route, not_allowed
from dispatch.warnings import bodies
from geo.coordinates import E7
from psn import access

SECONDS: Final = 60.0
"""A file has to be there, whole, by then."""
MOST_KM: Final = 500
_AT_ONCE: Final = 2
"""Files that are read at once: each takes a while of the machine."""
_reading: Final = asyncio.Semaphore(_AT_ONCE)


class FileNote(Struct):
    """One thing that was left out or changed; ``figures``: the numbers of it, by name."""

    code: str
    text: str
    figures: dict[str, float]


class FileArea(Struct):
    """What a file gives to an area.

    ``told``: what was left out or changed, in sentences; ``notes``: the same with codes. ``name``:
    how the file calls it; empty: it does not, so whoever writes the warning has to.
    """

    parts: list[bodies.Part]
    told: list[str]
    name: str
    notes: list[FileNote]


async def area_of_file(asked: Asked) -> FileArea:
    """The parts of an area that a file has (GeoJSON, KML, GPX, zipped shapefile).

    ``km``: how far from a track is warned. Raises :class:`FileRefused` and ``AreaRefused``.
    """
    if not access.may(asked.who, "warning", "draft", asked.who.agency):
        raise not_allowed()
    km = asked.number("km", 10, 0, MOST_KM)
    data = await _body(asked)
    async with _reading:
        return await asyncio.to_thread(_made, data, float(km), time.time())


async def _body(asked: Asked) -> bytes:
    data = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in asked.request.content.iter_any():
                data += chunk
                if len(data) > drawn_files.MOST_BYTES:
                    raise FileRefused(
                        "file.too_large",
                        f"The file has more than {drawn_files.MOST_BYTES // 1_000_000} MB.",
                        "Save only the area that is to be warned, with fewer points.",
                    )
    except TimeoutError:
        raise ApiProblem(
            408, "too_slow", "The file did not come in time.", "Send it again, or a smaller one."
        ) from None
    return bytes(data)


def _made(data: bytes, km: float, now: float) -> FileArea:
    found = storms.parts(drawn_files.read(data), km, now)
    return FileArea(
        [_part(each) for each in found.parts],
        list(found.told),
        found.name,
        [FileNote(each.code, each.text, dict(each.figures)) for each in found.notes],
    )


def _part(part: areas.Part) -> bodies.Part:
    if isinstance(part, Drawn):
        return bodies.PolygonPart([(round(lon * E7), round(lat * E7)) for lon, lat in part.ring])
    assert isinstance(part, Track)
    return bodies.TrackPart(
        [
            (round(at.lon * E7), round(at.lat * E7), round(radius * 1_000))
            for at, radius in part.points
        ]
    )


ROUTES: Final = (
    Route(
        "/api/warnings/area",
        area_of_file,
        FileArea,
        ("km",),
        method="POST",
        streams="application/octet-stream",
    ),
)
