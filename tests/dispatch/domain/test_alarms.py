"""What raises itself, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import alarms
from dispatch.domain.alarms import (
    Due,
    IdleIncident,
    Kind,
    LiveAssignment,
    Open,
    Patience,
    Waiting,
    WaitingCall,
)
from dispatch.domain.statuses import Status

PATIENCE = Patience()
times = st.floats(0, 10_000)


def kinds(there: Open, now: float) -> set[Kind]:
    return {each.kind for each in alarms.due(there, now, PATIENCE)}


def assigned(**more: float | Status | None) -> Open:
    fields: dict[str, object] = {
        "id": 6,
        "agency": 1,
        "status": Status.ORDERED,
        "ordered": 0.0,
        "refused": False,
        "delivered": None,
        "on_scene": None,
        "contact": 0.0,
        "scene_seconds": None,
        "contact_seconds": None,
    }
    return Open(assignments=(LiveAssignment(**(fields | more)),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("there", "kind", "after"),
    [
        (Open(calls=(WaitingCall(4, 1, 0.0),)), Kind.CALL_UNANSWERED, 15),
        (Open(incidents=(IdleIncident(5, 1, 1, 0.0),)), Kind.INCIDENT_UNASSIGNED, 60),
        (Open(incidents=(IdleIncident(5, 1, 5, 0.0),)), Kind.INCIDENT_UNASSIGNED, 3_600),
        (assigned(), Kind.ORDER_UNDELIVERED, 10),
        (assigned(delivered=1.0), Kind.ORDER_UNACKNOWLEDGED, 60),
        (
            assigned(status=Status.ON_SCENE, on_scene=0.0, scene_seconds=600.0),
            Kind.OVERDUE_ON_SCENE,
            600,
        ),
        (assigned(status=Status.EN_ROUTE, contact_seconds=900.0), Kind.NO_CONTACT, 900),
        (Open(invitations=(Waiting(7, 1, 0.0),)), Kind.INVITATION_UNANSWERED, 120),
        (Open(checks=(Waiting(8, 1, 300.0),)), Kind.WELFARE_OVERDUE, 300),
        (Open(emergencies=(Waiting(9, 1, 0.0),)), Kind.EMERGENCY_UNOWNED, 10),
        (Open(reminders=(Waiting(2, 1, 50.0),)), Kind.REMINDER, 50),
    ],
)
def test_each_is_due_from_its_moment_on(there: Open, kind: Kind, after: float) -> None:
    """DOM-ALM-3."""
    assert kind not in kinds(there, after - 0.1)
    assert kind in kinds(there, after)
    assert kind in kinds(there, after + 1e6)


def test_an_order_that_cannot_arrive_is_told_at_once_till_the_crew_knows() -> None:
    """DOM-ALM-3."""
    assert kinds(assigned(refused=True), 0) == {Kind.ORDER_UNDELIVERED}
    assert not kinds(assigned(refused=True, delivered=1.0), 1)
    assert not kinds(assigned(refused=True, status=Status.ACKNOWLEDGED), 1_000)


@given(times)
def test_an_order_that_is_acknowledged_raises_nothing_more(now: float) -> None:
    assert not kinds(assigned(status=Status.ACKNOWLEDGED, delivered=1.0), now)


@given(times, times)
def test_what_is_due_depends_on_what_is_open_and_the_time_alone(one: float, other: float) -> None:
    """DOM-ALM-1, DOM-ALM-2."""
    there = Open(calls=(WaitingCall(4, 1, one), WaitingCall(4, 1, one)))
    due = alarms.due(there, other, PATIENCE)
    assert due == alarms.due(there, other, PATIENCE)
    assert due in (frozenset(), frozenset({Due(1, Kind.CALL_UNANSWERED, "call:4")}))


def test_nobody_has_taken_it_for_a_minute() -> None:
    """DOM-ALM-4."""
    assert not alarms.goes_up(1, taken=False, raised=0, now=59.9)
    assert alarms.goes_up(1, taken=False, raised=0, now=60)
    assert not alarms.goes_up(1, taken=True, raised=0, now=600)
    assert not alarms.goes_up(2, taken=False, raised=0, now=600)
