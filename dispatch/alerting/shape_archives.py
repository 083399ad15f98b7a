"""Archives of shapefiles (ESRI Shapefile Technical Description, 1998), opened with care. Pure.

An archive is unpacked in memory, into no more than is allowed, whatever it says of itself. A
shapefile is at least two files: ``.shp`` has the shapes, ``.prj`` the system in which they are, as
WKT; ``.dbf`` says something of each. Positions come out as degrees of WGS 84.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import pyproj
import shapefile
from pyproj.exceptions import ProjError

from psn.problems import Problem

MOST_FILES: Final = 100
MOST_UNPACKED: Final = 20_000_000
"""Bytes of what is read of an archive."""
_MOST_SYSTEM: Final = 20_000
_MOST_SHAPES: Final = 2_000
_READ: Final = (".shp", ".dbf", ".prj", ".kml")
# What is odd in a stranger's file is told to who sent it, and is no matter for the log.
shapefile.VERBOSE = False


class FileRefused(Problem):
    """A file of which no area can be made; its code begins with ``file.``."""


def broken(why: str) -> FileRefused:
    """The refusal of a file that is not what it should be."""
    return FileRefused(
        "file.broken",
        f"The file cannot be read: {why.rstrip('.')[:200]}.",
        "Save it anew, or draw the area.",
    )


def other_system(name: str) -> FileRefused:
    """The refusal of positions in a system that is not known."""
    return FileRefused(
        "file.system",
        f"Its positions are in a system that is not understood: {name}.",
        "Save it in longitude and latitude (WGS 84, EPSG:4326).",
    )


def not_degrees() -> FileRefused:
    """The refusal of numbers that are no degrees."""
    return FileRefused(
        "file.system",
        "Its positions are no longitude and latitude: they may be metres, or exchanged.",
        "Save it in longitude and latitude (WGS 84, EPSG:4326); of a shapefile, add its .prj.",
    )


def unpack(data: bytes) -> dict[str, bytes]:
    """The files of an archive that are read; raises :class:`FileRefused`."""
    found: dict[str, bytes] = {}
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.infolist()
            if len(names) > MOST_FILES:
                raise FileRefused(
                    "file.packed",
                    f"The archive has {len(names):,} files; {MOST_FILES} are the most.",
                    "Put only the area's own files into it.",
                )
            for each in names:
                if each.is_dir() or not each.filename.lower().endswith(_READ):
                    continue
                with archive.open(each) as inside:
                    found[each.filename] = inside.read(left + 1)
                left -= len(found[each.filename])
                if left < 0:
                    raise FileRefused(
                        "file.packed",
                        f"The archive unpacks to more than {MOST_UNPACKED // 1_000_000} MB.",
                        "Save the area with fewer points.",
                    )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise broken(f"the archive is damaged or locked: {error}") from None
    except (OSError, ValueError, struct.error) as error:
        raise broken(f"the archive is damaged: {error}") from None
    return found


def shapes(files: Mapping[str, bytes], most_points: int) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Each shape of the one shapefile of an archive as GeoJSON has it, and what is said of it.

    Raises :class:`FileRefused`.
    """
    by_name = {name.lower(): content for name, content in files.items()}
    found = [name for name in by_name if name.endswith(".shp")]
    if len(found) != 1:
        raise FileRefused(
            "file.packed",
            f"The archive has {'no' if not found else len(found)} .shp; one is wanted.",
            "Put .shp, .dbf and .prj of one shapefile into it.",
        )
    stem = found[0].removesuffix(".shp")
    put_right = _system(by_name.get(f"{stem}.prj"))
    for geometry, said in _records(by_name[found[0]], by_name.get(f"{stem}.dbf"), most_points):
        if geometry is not None:
            at = geometry.get("coordinates")
            yield {**geometry, "coordinates": _moved(at, put_right)}, said


def _records(
    shp: bytes, dbf: bytes | None, most_points: int
) -> Iterator[tuple[dict[str, Any] | None, Mapping[str, Any]]]:
    try:
        reader = shapefile.Reader(
            shp=io.BytesIO(shp),
            dbf=None if dbf is None else io.BytesIO(dbf),
            encodingErrors="replace",
        )
        points = 0
        for number, shape in enumerate(reader.iterShapes()):
            points += len(getattr(shape, "points", ()))
            parts = len(getattr(shape, "parts", ()))
            if points > most_points or max(number, parts) > _MOST_SHAPES:
                raise FileRefused(
                    "file.many_points",
                    f"The file has more than {most_points:,} points or {_MOST_SHAPES:,} shapes.",
                    "Save only the area that is to be warned, with fewer points.",
                )
            geometry = dict(shape.__geo_interface__) if shape.shapeType != shapefile.NULL else None
            yield geometry, {} if dbf is None else _said(reader, number)
    except FileRefused:
        raise
    except Exception as error:  # Whatever its reader says of it, this is no shapefile.
        raise broken(f"its .shp is no shapefile ({error or type(error).__name__})") from None


def _said(reader: shapefile.Reader, number: int) -> Mapping[str, Any]:
    record = reader.record(number)
    said = {} if record is None else record.as_dict()
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in said.items()
    }


def _system(prj: bytes | None) -> pyproj.Transformer | None:
    """What puts positions right; None: they are in WGS 84, or nobody says."""
    if prj is None:
        return None
    if len(prj) > _MOST_SYSTEM:
        raise other_system("its .prj is too long")
    text = prj.decode("utf-8", "replace").strip("\ufeff\x00 \r\n\t")
    try:
        system = pyproj.CRS.from_wkt(text)
        return pyproj.Transformer.from_crs(system, 4326, always_xy=True)
    except ProjError:
        raise other_system(text[:60] or "its .prj is empty") from None


def _moved(said: Any, put_right: pyproj.Transformer | None) -> Any:
    """Coordinates, however nested, as lists of two numbers in degrees."""
    if isinstance(said, list | tuple) and said and isinstance(said[0], int | float):
        lon, lat = float(said[0]), float(said[1])
        if put_right is not None:
            lon, lat = put_right.transform(lon, lat)
        return [lon, lat]
    return [_moved(each, put_right) for each in said or ()]
