"""Landmarks for the demonstration: hospitals, where buses and boats leave, and ports of entry.

Where they are is approximate, good for a map of the country and for trying the search.
"""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from geo.gazetteer import Entry, Kind
from psn import places

SOURCE: Final = "demonstration"

LANDMARKS: Final[tuple[tuple[str, Kind, float, float, tuple[str, ...]], ...]] = (
    ("Karl Heusner Memorial Hospital", "landmark", -88.196, 17.509, ("KHMH",)),
    ("Western Regional Hospital", "landmark", -88.767, 17.252, ("Belmopan Hospital",)),
    ("Northern Regional Hospital", "landmark", -88.563, 18.088, ("Orange Walk Hospital",)),
    ("Southern Regional Hospital", "landmark", -88.236, 16.978, ("Dangriga Hospital",)),
    ("San Ignacio Community Hospital", "landmark", -89.066, 17.152, ()),
    ("Corozal Community Hospital", "landmark", -88.402, 18.388, ()),
    ("Punta Gorda Community Hospital", "landmark", -88.810, 16.097, ()),
    ("Belize City bus terminal", "landmark", -88.194, 17.495, ("Novelo's terminal",)),
    ("Belmopan bus terminal", "landmark", -88.769, 17.250, ("Market Square",)),
    ("San Ignacio bus terminal", "landmark", -89.073, 17.158, ()),
    ("Orange Walk bus terminal", "landmark", -88.560, 18.083, ("Fort Cairns",)),
    ("Dangriga bus terminal", "landmark", -88.224, 16.966, ()),
    ("Water taxi terminal", "pier", -88.185, 17.496, ("San Pedro ferry", "Caye Caulker ferry")),
    ("Philip Goldson International Airport", "landmark", -88.308, 17.539, ("PGIA", "BZE")),
    ("Belize City Municipal Airport", "landmark", -88.195, 17.516, ("Municipal airstrip",)),
    ("Port of Belize", "pier", -88.203, 17.478, ()),
    ("Port of Big Creek", "pier", -88.408, 16.516, ("Big Creek",)),
    ("Punta Gorda pier", "pier", -88.802, 16.100, ("Front Street pier",)),
    ("Santa Elena border station", "landmark", -88.398, 18.486, ("Northern border",)),
    ("Benque Viejo border station", "landmark", -89.147, 17.069, ("Western border",)),
    ("Belcan Bridge", "bridge", -88.197, 17.500, ()),
    ("Swing Bridge", "bridge", -88.187, 17.495, ()),
    ("Haulover Bridge", "bridge", -88.236, 17.519, ()),
)
"""Name, kind, longitude, latitude, other names."""


async def seed_landmarks(conn: asyncpg.Connection[Any]) -> None:
    """Put them into the gazetteer, for everybody."""
    entries = [
        Entry(name, kind, lon, lat, others, key=name) for name, kind, lon, lat, others in LANDMARKS
    ]
    await places.load(conn, entries, None, SOURCE)
