"""Which two times make an interval, and what one is when a time is missing. Pure.

Theory of operation
-------------------
An interval runs from one noted time to another. It is *measured* when both are noted, and the
second is not before the first. It is *running* when the first is noted, the second is not, and
nothing later has been: it will be measured some day, and its age says already whether a target is
missed. Otherwise, once something later is noted (a later step, or the end), it is *unmeasured*:
the crew passed over a step, the unit was called back before it, or a clock was wrong. What has not
begun is not counted.

The time from the call to the order is one for an incident, the others are one for each assignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Name = Literal["call_to_dispatch", "dispatch_to_acknowledge", "turnout", "travel", "on_scene"]


@dataclass(frozen=True, slots=True)
class Interval:
    """From one noted time to another; names are columns of what ``figures`` selects."""

    name: Name
    begin: str
    end: str
    past: tuple[str, ...]
    """Times each of which, once noted, says that the interval will not be measured any more."""


CALL_TO_DISPATCH: Final = Interval("call_to_dispatch", "asked_at", "sent_at", ("closed_at",))
"""From the receipt of the call that became the incident, or without one from its opening, to the
first unit that was sent, whoever sent it. Ringing is part of it."""

OF_ASSIGNMENTS: Final = (
    Interval(
        "dispatch_to_acknowledge",
        "ordered_at",
        "acknowledged_at",
        ("en_route_at", "on_scene_at", "ended_at"),
    ),
    Interval("turnout", "acknowledged_at", "en_route_at", ("on_scene_at", "ended_at")),
    Interval("travel", "en_route_at", "on_scene_at", ("ended_at",)),
    Interval("on_scene", "on_scene_at", "ended_at", ()),
)
"""Of one assignment, in the order of a job."""

INTERVALS: Final = (CALL_TO_DISPATCH, *OF_ASSIGNMENTS)
NAMES: Final = tuple(interval.name for interval in INTERVALS)
