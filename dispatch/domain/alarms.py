"""What raises itself: which alarms are due at a moment. Pure; the clock is an argument.

Theory of operation
-------------------
Every second the desk asks :func:`due` with what is open now. An alarm that is due and is not there
is raised, one that is there and not due any more is over by itself; so a restart, a missed second
or a database that was away changes nothing. One that nobody has taken after
:data:`SUPERVISOR_SECONDS` goes up to the supervisor.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dispatch.domain.statuses import Status

SUPERVISOR_SECONDS: Final = 60.0


class Kind(enum.StrEnum):
    """What an alarm is about."""

    CALL_UNANSWERED = "call_unanswered"
    INCIDENT_UNASSIGNED = "incident_unassigned"
    INVITATION_UNANSWERED = "invitation_unanswered"
    ORDER_UNDELIVERED = "order_undelivered"
    ORDER_UNACKNOWLEDGED = "order_unacknowledged"
    OVERDUE_ON_SCENE = "overdue_on_scene"
    NO_CONTACT = "no_contact"
    WELFARE_OVERDUE = "welfare_overdue"
    EMERGENCY_UNOWNED = "emergency_unowned"
    REMINDER = "reminder"
    FENCE = "fence"
    """Raised when it happens, and not by the clock."""
    ORDER_DECLINED = "order_declined"
    """Likewise."""
    INVITATION_ANSWERED = "invitation_answered"
    """Likewise."""


AT_ONCE: Final = frozenset({Kind.FENCE, Kind.ORDER_DECLINED, Kind.INVITATION_ANSWERED})
"""Alarms that are raised by what happens and end when somebody takes them."""


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many seconds each raises itself."""

    call: float = 15.0
    incident: tuple[float, ...] = (60.0, 120.0, 300.0, 900.0, 3_600.0)
    """By priority, 1 first: nobody is sent."""
    invitation: float = 120.0
    delivery: float = 10.0
    acknowledgement: float = 60.0
    emergency: float = 10.0


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that nobody has taken. Times are seconds since 1970 (UTC), here and below."""

    id: int
    agency: int
    since: float


@dataclass(frozen=True, slots=True)
class IdleIncident:
    """An open incident without units."""

    id: int
    agency: int
    priority: int
    since: float
    """Opened, or its last unit left."""


@dataclass(frozen=True, slots=True)
class LiveAssignment:
    """A unit that is assigned."""

    id: int
    agency: int
    status: Status
    ordered: float
    refused: bool
    """Its order cannot be delivered."""
    delivered: float | None
    on_scene: float | None
    contact: float
    scene_seconds: float | None
    contact_seconds: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something with one moment at which it is due."""

    id: int
    agency: int
    due: float


@dataclass(frozen=True, slots=True)
class Open:
    """All that the clock looks at."""

    calls: tuple[WaitingCall, ...] = ()
    incidents: tuple[IdleIncident, ...] = ()
    assignments: tuple[LiveAssignment, ...] = ()
    invitations: tuple[Waiting, ...] = ()
    """``agency`` is who was asked."""
    checks: tuple[Waiting, ...] = ()
    emergencies: tuple[Waiting, ...] = ()
    """Those that nobody owns; ``due``: when they were raised."""
    reminders: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """An alarm that has to be there."""

    agency: int
    kind: Kind
    about: str


def due(there: Open, now: float, patience: Patience) -> frozenset[Due]:
    """All alarms of the clock that have to be there at ``now``."""
    return frozenset(
        (
            *_calls(there.calls, now, patience),
            *_incidents(there.incidents, now, patience),
            *_assignments(there.assignments, now, patience),
            *_after(
                there.invitations,
                Kind.INVITATION_UNANSWERED,
                "invitation",
                now,
                patience.invitation,
            ),
            *_after(there.checks, Kind.WELFARE_OVERDUE, "welfare", now, 0),
            *_after(
                there.emergencies, Kind.EMERGENCY_UNOWNED, "emergency", now, patience.emergency
            ),
            *_after(there.reminders, Kind.REMINDER, "reminder", now, 0),
        )
    )


def goes_up(level: int, taken: bool, raised: float, now: float) -> bool:
    """Whether an alarm is to be told to the supervisor now."""
    return level == 1 and not taken and now - raised >= SUPERVISOR_SECONDS


def _calls(calls: Iterable[WaitingCall], now: float, patience: Patience) -> Iterator[Due]:
    for call in calls:
        if now - call.since >= patience.call:
            yield Due(call.agency, Kind.CALL_UNANSWERED, f"call:{call.id}")


def _incidents(incidents: Iterable[IdleIncident], now: float, patience: Patience) -> Iterator[Due]:
    for incident in incidents:
        if now - incident.since >= patience.incident[incident.priority - 1]:
            yield Due(incident.agency, Kind.INCIDENT_UNASSIGNED, f"incident:{incident.id}")


def _assignments(
    assignments: Iterable[LiveAssignment], now: float, patience: Patience
) -> Iterator[Due]:
    for each in assignments:
        about = f"assignment:{each.id}"
        if each.status is Status.ORDERED:
            late = each.refused or now - each.ordered >= patience.delivery
            if each.delivered is None and late:
                yield Due(each.agency, Kind.ORDER_UNDELIVERED, about)
            if now - each.ordered >= patience.acknowledgement:
                yield Due(each.agency, Kind.ORDER_UNACKNOWLEDGED, about)
            continue
        scene = None if each.on_scene is None else now - each.on_scene
        if each.scene_seconds is not None and scene is not None and scene >= each.scene_seconds:
            yield Due(each.agency, Kind.OVERDUE_ON_SCENE, about)
        if each.contact_seconds is not None and now - each.contact >= each.contact_seconds:
            yield Due(each.agency, Kind.NO_CONTACT, about)


def _after(
    waiting: Iterable[Waiting], kind: Kind, word: str, now: float, seconds: float
) -> Iterator[Due]:
    for each in waiting:
        if now - each.due >= seconds:
            yield Due(each.agency, kind, f"{word}:{each.id}")
