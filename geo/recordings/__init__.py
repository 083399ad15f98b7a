"""Recordings of movements in the formats they come in: GPX, AIS, NMEA 0183 and tables.

``read`` takes the bytes of any of them. One bad line or point never ends the reading: it is left
out, or kept without its bad part, and becomes a :class:`Problem` with its line and one plain
sentence. Only a file that gives nothing at all raises :class:`RecordingError`, the one family of
errors of this package.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from geo.recordings import ais, gpx, nmea, table
from geo.recordings.model import Fix, Problem, Recording, RecordingError, Track
from geo.recordings.transforms import retimed, shift_to

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "Fix",
    "Problem",
    "Recording",
    "RecordingError",
    "Track",
    "read",
    "retimed",
    "shift_to",
    "sniff",
]

FORMATS: Final[dict[str, Callable[[bytes], Recording]]] = {
    "gpx": gpx.read,
    "ais": ais.read,
    "nmea": nmea.read,
    "table": table.read,
}
"""The readers by the name of their format."""

MAX_BYTES: Final = 256 * 1024 * 1024
"""Larger files are refused: everything read is held in memory."""

_ENDINGS: Final = {
    "gpx": "gpx", "ais": "ais", "aivdm": "ais", "nmea": "nmea", "gps": "nmea", "csv": "table",
    "tsv": "table",
}  # fmt: skip
_LOOKED_AT: Final = 65_536
_AIS: Final = re.compile(rb"![A-Z0-9]{2}VD[MO],")
_NMEA: Final = re.compile(rb"\$[A-Z]{2}(GGA|GLL|GNS|RMC|ZDA),")
_GPX: Final = re.compile(rb"<(\w+:)?gpx[\s>]")


def sniff(data: bytes) -> str:
    """The format of a file, from its content: a key of ``FORMATS``.

    Raises:
        RecordingError: ``recording.empty`` or ``recording.unknown_format``.
    """
    if not data.strip():
        raise RecordingError("recording.empty", "The file is empty.", "Choose another file.")
    head = data[:_LOOKED_AT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", errors="ignore").encode()
    if _GPX.search(head):
        return "gpx"
    if _AIS.search(head):
        return "ais"
    if _NMEA.search(head):
        return "nmea"
    if table.header(data[:_LOOKED_AT]):
        return "table"
    raise RecordingError(
        "recording.unknown_format",
        "The file is no recording of a known format.",
        "Known are GPX, AIS and GPS sentences of NMEA 0183, and tables with a first line that "
        "names the columns time, lat and lon.",
    )


def read(data: bytes, name: str = "") -> Recording:
    """Read a recording of any known format.

    Args:
        data: the whole file.
        name: its name, whose ending helps when the content does not tell the format.

    Raises:
        RecordingError: when the file is too large, its format unknown, or nothing in it usable.
    """
    if len(data) > MAX_BYTES:
        raise RecordingError(
            "recording.too_large",
            f"The file has {len(data) // 2**20} MB; {MAX_BYTES // 2**20} MB is the most.",
            "Cut it into several files.",
        )
    try:
        found = sniff(data)
    except RecordingError as error:
        ending = _ENDINGS.get(name.rpartition(".")[2].lower())
        if ending is None or error.code == "recording.empty":
            raise
        found = ending
    recording = FORMATS[found](data)
    if not recording.decoded:
        first = next((problem.text for problem in recording.problems), "There is no record in it.")
        raise RecordingError(
            "recording.nothing_usable",
            f"Nothing in the file could be read as {found}. {first}",
            "Check that the file is complete and of the format it claims to be.",
        )
    return recording
