"""Ranks who fits each need by when he can be there, and chooses a team. Pure.

Rules DOM-NEAR-1 … of docs/domain.md hold here, and the tests quote them. Times are asked for in
rounds, each over a longer time, until every need has as many free units as are wanted within it;
whoever was not found by then is later than all of them, so the order is the same as if all had
been asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.recommending import candidates as people
from dispatch.recommending.arrival import Arrival, How, Towards, Ways, fleet
from dispatch.recommending.candidates import Availability, Candidate, Need, Spot, Unfit
from geo import plane

Ints = NDArray[np.int64]

_JUDGED_BY: Final = tuple(
    Candidate._fields.index(name) for name in ("kind", "agency", "capabilities", "state")
)
"""What decides whether a unit fits a need."""

STALE_S: Final = 15 * 60.0
"""A position that is older counts as later."""
MOST_LATER_S: Final = 60 * 60.0
"""By the time beyond that, and never by more than this."""
TIE_S: Final = 30.0
"""Units that are so near in time are as good as each other, and said so."""
ROUNDS_S: Final = (10 * 60.0, 60 * 60.0, math.inf)
"""Times over which is looked, one after the other."""
NEARER: Final = 12
"""So many of the nearest that do not fit are looked at, to say why they were left out."""
TOLD: Final = frozenset((Unfit.AGENCY, Unfit.CAPABILITY, Unfit.OUT, Unfit.EMERGENCY, Unfit.BUSY))
"""Why somebody near may be left out so that it is worth telling: he is of a kind that fits."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A unit for a need.

    ``counted_s``: by which it is ranked: its seconds, and what is added for an old position.
    ``diverted``: it would be taken from another incident. ``tied``: as good as the one before it.
    """

    candidate: Candidate
    arrival: Arrival
    counted_s: float
    diverted: bool
    tied: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A unit that would be there before the first offer, and why it does not fit."""

    candidate: Candidate
    arrival: Arrival
    why: Unfit


@dataclass(frozen=True, slots=True)
class Ranked:
    """The units for one need, best first.

    ``left_out``: who is nearer and does not fit, nearest first. ``cannot``: how many fit and do not
    come there at all, by why. ``unplaced``: how many fit, and where they are is not known or shown.
    """

    need: Need
    offers: tuple[Offer, ...]
    left_out: tuple[LeftOut, ...]
    cannot: Mapping[How, int]
    unplaced: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """For each need its ranking; and a team in which no unit stands twice.

    ``team``: for each need the offers that are suggested for it, at most its count.
    """

    needs: tuple[Ranked, ...]
    team: tuple[tuple[Offer, ...], ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """For each need how many units are still to be found."""
        pairs = zip(self.needs, self.team, strict=True)
        return tuple(each.need.count - len(chosen) for each, chosen in pairs)


def recommend(
    needs: Sequence[Need],
    candidates: Iterable[Candidate],
    ways: Ways,
    place: tuple[float, float],
    priority: int | None = None,
    wanted: int = 10,
) -> Recommendation:
    """Rank candidates for each need of an incident at a place (longitude, latitude in degrees).

    Args:
        needs: of the response plan, in its order.
        candidates: all who might be sent; in any order.
        ways: what is known of roads, water and land.
        place: where the incident is.
        priority: of the incident, 1 the highest.
        wanted: offers for each need; more when the needs together ask for more.
    """
    wanted = max(wanted, sum(need.count for need in needs))
    field = _Field(needs, candidates, priority)
    ranked = _ranked(needs, field, ways, place, wanted)
    return Recommendation(ranked, _team(needs, [each.offers for each in ranked]))


class _Field:
    """Who there is, as columns, and who is shown nowhere.

    Rows are those of :attr:`placed`.
    """

    def __init__(
        self, needs: Sequence[Need], candidates: Iterable[Candidate], priority: int | None
    ) -> None:
        everyone = list(candidates)
        self.needs, self.priority = needs, priority
        self.placed = [each for each in everyone if each.spot is not None]
        kinds = list(map(itemgetter(Candidate._fields.index("kind")), self.placed))
        spots = map(itemgetter(Candidate._fields.index("spot")), self.placed)
        # Ten thousand rows: columns are taken out at once.
        flat = np.fromiter(chain.from_iterable(spots), np.float64, len(_SPOT) * len(self.placed))
        lons, lats, ages, _ = flat.reshape(-1, len(_SPOT)).T
        self.units = fleet(kinds, lons, lats)
        self.later_s = np.clip(ages - STALE_S, 0.0, MOST_LATER_S)
        hidden = [each for each in everyone if each.spot is None]
        self.unplaced = [
            sum(people.unfit(need, each, priority) is Unfit.NO_PLACE for each in hidden)
            for need in needs
        ]


_SPOT: Final = Spot._fields


class _Reach:
    """Those who might be there within a round's time: who fits which need, why others do not."""

    def __init__(self, field: _Field, towards: Towards) -> None:
        self.field, self.towards = field, towards
        rows = towards.reach(field.units)
        placed = [field.placed[row] for row in rows.tolist()]
        number: dict[object, int] = {}
        # Who is alike is judged once.
        alike = map(itemgetter(*_JUDGED_BY), placed)
        group = np.array([number.setdefault(key, len(number)) for key in alike], np.int64)
        firsts = np.unique(group, return_index=True)[1].tolist()
        samples = [placed[at] for at in firsts]
        self._rows, self._group = rows, group
        self._verdicts: list[list[Unfit | None]] = [
            [people.unfit(need, each, field.priority) for each in samples] for need in field.needs
        ]
        taken = [each.state.availability is Availability.BUSY for each in samples]
        self._busy = np.array(taken, np.bool_)

    def fits(self, need: int) -> tuple[Ints, NDArray[np.bool_]]:
        """The rows of those who fit a need, and whether each is on another incident."""
        at = self._where(need, lambda why: why is None)
        return self._rows[at], self._busy[self._group[at]]

    def told(self, need: int) -> tuple[Ints, list[Unfit | None]]:
        """The rows of those of whom it is told why they do not fit, and why."""
        at = self._where(need, lambda why: why in TOLD)
        verdicts = self._verdicts[need]
        return self._rows[at], [verdicts[group] for group in self._group[at].tolist()]

    def _where(self, need: int, wanted: Callable[[Unfit | None], bool]) -> Ints:
        kept = np.array([wanted(why) for why in self._verdicts[need]], np.bool_)
        return np.flatnonzero(kept[self._group])


def _ranked(
    needs: Sequence[Need],
    field: _Field,
    ways: Ways,
    place: tuple[float, float],
    wanted: int,
) -> tuple[Ranked, ...]:
    """Each need's ranking, from the first round in which enough were found for it."""
    done: dict[int, Ranked] = {}
    for within in ROUNDS_S:
        reach = _Reach(field, Towards(ways, *place, within))
        for n, need in enumerate(needs):
            if n not in done:
                search = _Search(reach, n)
                if within == math.inf or search.finds(wanted):
                    offers = search.offers(wanted)
                    left_out, cannot = search.left_out(offers), search.cannot()
                    done[n] = Ranked(need, offers, left_out, cannot, field.unplaced[n])
    return tuple(done[n] for n in range(len(needs)))


class _Search:
    """Those who fit one need, and when they can be there."""

    def __init__(self, reach: _Reach, need: int) -> None:
        self._field, self._towards = reach.field, reach.towards
        self._rows, self._busy = reach.fits(need)
        self._told, self._why = reach.told(need)
        self._times = self._towards.times(self._field.units.of(self._rows))
        self._counted = self._times.seconds + self._field.later_s[self._rows]

    def finds(self, wanted: int) -> bool:
        """Whether whoever was not found is later than all that are wanted."""
        in_time = self._counted[~self._busy] <= self._towards.within_s
        return int(np.count_nonzero(in_time)) >= wanted

    def offers(self, wanted: int) -> tuple[Offer, ...]:
        """The best: free ones first, each by when it can be there."""
        placed, found = self._field.placed, np.flatnonzero(np.isfinite(self._times.seconds))
        if len(found) > wanted:  # names decide between equals: keep all that equal the last
            tier = self._counted[found] + np.where(self._busy[found], _DIVERTED_S, 0.0)
            found = found[tier <= np.partition(tier, wanted - 1)[wanted - 1]]
        best = sorted(
            (
                (bool(self._busy[at]), float(self._counted[at]), placed[self._rows[at]], at)
                for at in found.tolist()
            ),
            key=lambda each: (*each[:2], each[2].agency, each[2].callsign, each[2].id),
        )[:wanted]
        shown = np.array([at for *_, at in best], np.int64)
        arrivals = self._towards.arrivals(self._field.units.of(self._rows[shown]))
        offers: list[Offer] = []
        for (diverted, counted, candidate, _), arrival in zip(best, arrivals, strict=True):
            last = offers[-1] if offers else None
            tied = (
                last is not None and last.diverted == diverted and counted - last.counted_s <= TIE_S
            )
            offers.append(Offer(candidate, arrival, counted, diverted, tied))
        return tuple(offers)

    def left_out(self, offers: tuple[Offer, ...]) -> tuple[LeftOut, ...]:
        """Who does not fit and would be there before the first offer."""
        told = self._told
        if not len(told):
            return ()
        units, towards = self._field.units.of(told), self._towards
        nearness = plane.straight_m(towards.lon, towards.lat, units.lons, units.lats) / units.m_s
        most = min(NEARER, len(nearness))
        near = np.flatnonzero(nearness <= np.partition(nearness, most - 1)[most - 1])
        first = offers[0].arrival.seconds if offers else math.inf
        found = []
        for at, arrival in zip(near.tolist(), towards.arrivals(units.of(near)), strict=True):
            why = self._why[at]
            if arrival.seconds < first and why is not None:
                found.append(LeftOut(self._field.placed[told[at]], arrival, why))
        found.sort(key=lambda e: (e.arrival.seconds, e.candidate.callsign, e.candidate.id))
        return tuple(found[:NEARER])

    def cannot(self) -> dict[How, int]:
        """Those who fit and do not come there at all, by why; when all were looked at."""
        if self._towards.within_s < math.inf:
            return {}
        hows, counts = np.unique(self._times.how, return_counts=True)
        pairs = zip(hows.tolist(), counts.tolist(), strict=True)
        return {How(how): count for how, count in pairs if not How(how).comes}


_DAY_S: Final = 86_400.0
_DIVERTED_S: Final = 30 * _DAY_S
"""A free unit is chosen before one that is diverted, however far it is."""
_NOBODY_S: Final = 10_000 * _DAY_S
"""Somebody is chosen before nobody, whoever it is."""


def _team(
    needs: Sequence[Need], offers: Sequence[tuple[Offer, ...]]
) -> tuple[tuple[Offer, ...], ...]:
    """The units with the least time together, none twice (linear assignment, scipy).

    As many places as can be filled are filled, with free units before diverted ones.
    """
    # Not with the module: see geo.graphs.
    from scipy.optimize import linear_sum_assignment

    units = {each.candidate.id: each for ranked in offers for each in ranked}
    best = sorted(units.values(), key=_rank)
    column = {each.candidate.id: at for at, each in enumerate(best)}
    places = [n for n, need in enumerate(needs) for _ in range(need.count)]
    cost = np.full((len(places), len(best)), _NOBODY_S)
    for row, n in enumerate(places):
        for each in offers[n]:
            cost[row, column[each.candidate.id]] = each.counted_s + (
                _DIVERTED_S if each.diverted else 0.0
            )
    chosen: list[list[Offer]] = [[] for _ in needs]
    for row, at in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, at] < _NOBODY_S:
            chosen[places[row]].append(best[at])
    return tuple(tuple(sorted(each, key=_rank)) for each in chosen)


def _rank(offer: Offer) -> tuple[bool, float, int, str, int]:
    who = offer.candidate
    return offer.diverted, offer.counted_s, who.agency, who.callsign, who.id
