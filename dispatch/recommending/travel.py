"""How units of each kind travel, and how fast. Pure.

Speeds are what may be expected over a whole way with lights and siren, not what is possible. On
roads each road has its own; how much faster emergency driving is than that is a setting
(``PSN_EMERGENCY_DRIVING_PERCENT``). None of them has a source of its own: they are this project's,
to be corrected by what the agencies measure.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

KNOT: Final = 1852 / 3600
"""Metres per second."""


class Medium(enum.IntEnum):
    """What a unit travels on."""

    ROAD = 0
    WATER = 1
    AIR = 2
    FOOT = 3


@dataclass(frozen=True, slots=True)
class Travel:
    """How a kind of unit travels.

    ``m_s``: metres per second; on roads where no road is known. ``pace``: how fast on roads beside
    a car, 1 as fast.
    """

    medium: Medium
    m_s: float
    pace: float = 1.0


CAR: Final = Travel(Medium.ROAD, 45 / 3.6)
KINDS: Final = {
    "car": CAR,
    "motorcycle": CAR,
    "ambulance": Travel(Medium.ROAD, 40 / 3.6, 0.95),
    "truck": Travel(Medium.ROAD, 36 / 3.6, 0.8),
    "bus": Travel(Medium.ROAD, 36 / 3.6, 0.8),
    "fire_engine": Travel(Medium.ROAD, 36 / 3.6, 0.8),
    "boat": Travel(Medium.WATER, 25 * KNOT),
    "vessel": Travel(Medium.WATER, 12 * KNOT),
    "ship": Travel(Medium.WATER, 12 * KNOT),
    "aircraft": Travel(Medium.AIR, 110 * KNOT),
    "helicopter": Travel(Medium.AIR, 110 * KNOT),
    "drone": Travel(Medium.AIR, 25 * KNOT),
    "foot": Travel(Medium.FOOT, 5 / 3.6),
    "person": Travel(Medium.FOOT, 5 / 3.6),
    "bicycle": Travel(Medium.FOOT, 15 / 3.6),
}
"""Kinds of units; what is not here travels like a car."""


def of_kind(kind: str) -> Travel:
    """How units of a kind travel."""
    return KINDS.get(kind, CAR)
