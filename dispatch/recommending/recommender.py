"""Recommends units of the live picture to somebody: his rights, their places, the roads.

The work is done in a thread on values that do not change, so that the picture moves on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from dispatch.recommending import coast, ranking
from dispatch.recommending.arrival import Ways
from dispatch.recommending.candidates import FREE, UNKNOWN, Candidate, Need, Spot, State
from dispatch.recommending.ranking import Recommendation
from dispatch.roads.held_roads import HeldRoads
from geo import belize
from geo.coordinates import check
from psn import access, wire
from psn.access import Principal, Rules
from psn.core import Core, now_ms
from psn.directory import Precision
from psn.picture.tracking import Newest
from psn.problems import Problem

NOTHING: Final[frozenset[str]] = frozenset()
"""What a unit can do of which nothing was said."""


class Recommender:
    """Recommendations from what a server knows.

    ``driving``: how much faster emergency driving is than ordinary driving, as a factor.
    """

    def __init__(self, core: Core, roads: HeldRoads, driving: float) -> None:
        self._core, self._roads, self._driving = core, roads, driving

    async def recommend(
        self,
        who: Principal,
        place: tuple[float, float],
        needs: Sequence[Need],
        *,
        priority: int | None = None,
        states: Mapping[int, State] | None = None,
        capabilities: Mapping[int, frozenset[str]] | None = None,
        wanted: int = 10,
    ) -> Recommendation:
        """Rank the units that ``who`` may see for each need of an incident.

        Args:
            who: is shown units as precisely as the policy says, and no others.
            place: longitude and latitude in degrees.
            needs: of the response plan.
            priority: of the incident, 1 the highest; none: nobody is taken from another incident.
            states: by unit's id; who is not in it is free.
            capabilities: by unit's id; who is not in it has none.
            wanted: offers for each need.

        Raises :class:`Problem` ``far_away``, and ``geo.coordinates.CoordinateError``.
        """
        check(*place)
        why = belize.doubt(*place)
        if why is not None:
            raise Problem("far_away", why, "Correct the incident's place.")
        core, now = self._core, now_ms()
        rules, newest = core.rules, dict(core.picture.newest)

        def work() -> Recommendation:
            units = candidates(who, rules, newest, now, states or {}, capabilities or {})
            return ranking.recommend(needs, units, self.ways(), place, priority, wanted)

        return await asyncio.to_thread(work)

    def ways(self) -> Ways:
        """What is known of the country now."""
        return Ways(self._roads.network, coast.sea_chart(), coast.landmasses(), self._driving)


def candidates(
    who: Principal,
    rules: Rules,
    newest: Mapping[int, Newest],
    now: int,
    states: Mapping[int, State],
    capabilities: Mapping[int, frozenset[str]],
) -> list[Candidate]:
    """The units that ``who`` is shown, as he is shown them; ``now`` in milliseconds UTC. Pure.

    Of a unit whose presence alone is shown no place is used, of a blurred one the middle of the
    square that stands on his map; of neither what it is doing (DOM-STA-5).
    """
    seen, channels = access.audience(who, rules), rules.directory.channels
    precisions = {channel: seen.precision(channel) for channel in set(channels.values())}
    found = []
    for unit in rules.directory.units.values():
        precision = precisions[channels[unit.id]]
        if precision is Precision.NOTHING or unit.retired:
            continue
        found.append(
            Candidate(
                unit.id,
                unit.agency,
                unit.callsign,
                unit.kind,
                capabilities.get(unit.id, NOTHING),
                states.get(unit.id, FREE) if precision is Precision.EXACT else UNKNOWN,
                _spot(newest.get(unit.id), precision, now),
            )
        )
    return found


def _spot(newest: Newest | None, precision: Precision, now: int) -> Spot | None:
    if newest is None or precision is Precision.PRESENCE:
        return None
    shown: wire.Fix | wire.Seat = newest.fix if precision is Precision.EXACT else newest.blurred
    age = max(now - shown.time, 0) / 1000
    return Spot(shown.lon / 1e7, shown.lat / 1e7, age, precision is not Precision.EXACT)
