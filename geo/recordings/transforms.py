"""Recordings moved to another place or another time; the recording given is never changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

import numpy as np
from pyproj import Geod

from geo import coordinates
from geo.recordings.model import Fix, Recording

_WGS84: Final = Geod(ellps="WGS84")


def shift_to(
    recording: Recording, lat: float, lon: float, anchor: Literal["first", "centre"] = "first"
) -> Recording:
    """Move a whole recording so that its anchor lands on a position, keeping its shape in metres.

    Every fix keeps its distance and bearing from the anchor on the WGS84 ellipsoid, so that what
    was driven in metres stays so (better than 0.1 % within 100 km of the anchor).

    Args:
        recording: what to move.
        lat: latitude of the new place of the anchor, degrees.
        lon: longitude of it, degrees.
        anchor: ``first`` is the earliest fix, ``centre`` the middle of the area of all fixes.

    Raises:
        CoordinateError: when the new place is not on the earth.
    """
    coordinates.check(lon, lat)
    fixes = [fix for track in recording.tracks for fix in track.fixes]
    if not fixes:
        return recording
    lons = np.array([fix.lon for fix in fixes])
    lats = np.array([fix.lat for fix in fixes])
    if anchor == "first":
        first = min(fixes, key=lambda fix: fix.time)
        from_lon, from_lat = first.lon, first.lat
    else:
        from_lon, from_lat = _centre(lons, lats)
    size = len(fixes)
    bearings, _, metres = _WGS84.inv(np.full(size, from_lon), np.full(size, from_lat), lons, lats)
    to_lons, to_lats, _ = _WGS84.fwd(np.full(size, lon), np.full(size, lat), bearings, metres)
    moved = iter(zip(to_lons.tolist(), to_lats.tolist(), strict=True))

    def place(fix: Fix) -> Fix:
        new_lon, new_lat = next(moved)
        return fix._replace(lon=new_lon, lat=new_lat)

    return _with(recording, place)


def retimed(recording: Recording, start: float, speed: float = 1.0) -> Recording:
    """Let a recording begin at another time and run faster or slower.

    The reported speeds stay as recorded. With ``speed`` far from 1 they no longer agree with the
    distances covered, so a receiver that checks for plausible movement may refuse some fixes.

    Args:
        recording: what to play.
        start: seconds UTC of its earliest fix.
        speed: how many times faster; ``math.inf`` gives every fix the time ``start``.

    Raises:
        ValueError: when ``start`` is no number or ``speed`` is not above 0.
    """
    if not math.isfinite(start):
        raise ValueError("The start of a replay must be a time in seconds.")
    if not speed > 0:
        raise ValueError("The speed of a replay must be above 0; 1 is as recorded.")
    earliest = min((fix.time for track in recording.tracks for fix in track.fixes), default=0.0)
    return _with(recording, lambda fix: fix._replace(time=start + (fix.time - earliest) / speed))


def _with(recording: Recording, change: Callable[[Fix], Fix]) -> Recording:
    tracks = tuple(
        replace(track, fixes=tuple(change(fix) for fix in track.fixes))
        for track in recording.tracks
    )
    return replace(recording, tracks=tracks)


def _centre(lons: np.ndarray, lats: np.ndarray) -> tuple[float, float]:
    # Around the antimeridian 179 and -179 are neighbours: count from the first longitude.
    turned = (lons - lons[0] + 180.0) % 360.0 - 180.0
    lon = lons[0] + (turned.min() + turned.max()) / 2.0
    return float((lon + 180.0) % 360.0 - 180.0), float((lats.min() + lats.max()) / 2.0)
