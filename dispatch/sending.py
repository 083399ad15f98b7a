"""Whom to send to an incident: the units that fit its plan, ranked, with the reason in words."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from dispatch.asking import ApiProblem, Asked, Route, not_found
from dispatch.board import rows
from dispatch.board.board import Board
from dispatch.domain import plans
from dispatch.domain.statuses import SENDABLE, STEPS, Status
from dispatch.locating.values import MOST_LAT, MOST_LON
from dispatch.recommending import wording
from dispatch.recommending.candidates import Availability, Need, State
from dispatch.recommending.ranking import Offer, Ranked
from geo.coordinates import from_e7
from psn import access

OFFERS: Final = 10
ANYBODY: Final = plans.Need()
"""What is needed by an incident whose type has no plan: one unit of any kind."""


class Choice(Struct):
    """A unit of the own agency: when it can be there, and why it stands here."""

    unit: int
    agency: int
    callsign: str
    seconds: int
    metres: int
    diverted: bool
    reason: str


class NeedRanked(Struct):
    """One line of the plan, and who fits it, best first; in ``notes`` why others do not."""

    count: int
    kinds: list[str]
    capabilities: list[str]
    choices: list[Choice]
    team: list[int]
    """Units that are suggested for it."""
    notes: list[str]


class Recommended(Struct):
    """For an incident: each need of its plan; no unit stands in two teams."""

    incident: int
    needs: list[NeedRanked]


async def recommendation(asked: Asked) -> Recommended:
    """Whom to send to an incident: ranked by time to arrive, with the reasons in words.

    ``lon`` and ``lat`` (1e-7 degrees): where they are to go instead, perhaps a pier.
    """
    board, language = asked.desk.board, asked.query.get("language", "en")
    if language not in wording.LANGUAGES:
        raise ApiProblem(
            400, "bad_parameter", "The language must be en or es.", "Correct it and ask again."
        )
    incident = board.of(rows.Incident).get(asked.path_id())
    if incident is None or not access.may_see_incident(
        asked.who, incident.agency, incident.agencies
    ):
        raise not_found()
    found = await asked.recommender.recommend(
        asked.who,
        _place(asked, incident),
        [_need(each, asked.who.agency) for each in _plan(board, incident)],
        priority=incident.priority,
        states=_states(board, incident.id),
        capabilities={
            unit.id: frozenset(unit.capabilities)
            for unit in board.of(rows.Unit).values()
            if unit.capabilities
        },
        wanted=OFFERS,
    )
    return Recommended(
        incident.id,
        [
            _ranked(ranked, team, language)
            for ranked, team in zip(found.needs, found.team, strict=True)
        ],
    )


def _place(asked: Asked, incident: rows.Incident) -> tuple[float, float]:
    """Where units go, degrees: to a place of their own when the question says one."""
    lon = asked.optional("lon", -MOST_LON, MOST_LON)
    lat = asked.optional("lat", -MOST_LAT, MOST_LAT)
    if (lon is None) != (lat is None):
        raise ApiProblem(400, "bad_parameter", "Half a place.", "Say lon and lat, or neither.")
    if lon is None or lat is None:
        lon, lat = incident.lon, incident.lat
    if lon is None or lat is None:
        raise ApiProblem(
            409,
            "no_place",
            "This incident has no place on the map yet.",
            "Say where it is, and ask again.",
        )
    return from_e7(lon), from_e7(lat)


def _plan(board: Board, incident: rows.Incident) -> list[plans.Need]:
    kind = board.of(rows.IncidentType).get(incident.type or 0)
    plan = [] if kind is None else msgspec.convert(kind.plan, list[plans.Need])
    return plan or [ANYBODY]


def _need(need: plans.Need, agency: int) -> Need:
    """As the ranking takes it: of the own agency; that others have nearer ones is told."""
    own = frozenset({agency})
    return Need(need.count, frozenset(need.kinds), frozenset(need.capabilities), own)


def _states(board: Board, incident: int) -> dict[int, State]:
    """What units are doing, as the ranking sees it; those that are free are left out."""
    incidents = board.of(rows.Incident)
    states = {}
    for unit in board.of(rows.Unit).values():
        status = Status(unit.status)
        if status in STEPS:
            here = unit.incident == incident
            other = incidents.get(unit.incident or 0)
            priority = None if other is None else other.priority
            availability = Availability.HERE if here else Availability.BUSY
            states[unit.id] = State(availability, priority)
        elif status not in SENDABLE:
            states[unit.id] = State(Availability.OUT)
    for emergency in board.of(rows.Emergency).values():
        there = states.get(emergency.unit)
        if there is None or there.availability is not Availability.HERE:
            states[emergency.unit] = State(Availability.EMERGENCY)
    return states


def _ranked(ranked: Ranked, team: tuple[Offer, ...], language: str) -> NeedRanked:
    nearer = wording.nearer(ranked, language)
    return NeedRanked(
        ranked.need.count,
        sorted(ranked.need.kinds),
        sorted(ranked.need.capabilities),
        [
            Choice(
                offer.candidate.id,
                offer.candidate.agency,
                offer.candidate.callsign,
                round(offer.arrival.seconds),
                round(offer.arrival.metres),
                offer.diverted,
                wording.reason(offer, ranked, language),
            )
            for offer in ranked.offers
        ],
        [offer.candidate.id for offer in team],
        [*([] if nearer is None else [nearer]), *wording.others(ranked, language)],
    )


_QUERY: Final = ("language", "lon", "lat")
ROUTES: Final = (Route("/api/incidents/{id}/recommendation", recommendation, Recommended, _QUERY),)
