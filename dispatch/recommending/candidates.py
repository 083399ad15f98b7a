"""What is needed, and who there is: the values that a recommendation is made from. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Need:
    """One line of a response plan: so many units that fit.

    An empty set of kinds or agencies: any. Of capabilities a unit must have all.
    """

    count: int
    kinds: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    agencies: frozenset[int] = frozenset()


class Availability(enum.IntEnum):
    """Whether a unit can be sent."""

    FREE = 0
    BUSY = 1
    """On another incident."""
    HERE = 2
    """On this incident already: never recommended for it again, and not told as left out."""
    OUT = 3
    """Out of service, or off duty."""
    UNKNOWN = 4
    """What it is doing is not shown to who asks; it may be asked for."""
    EMERGENCY = 5
    """Its own red button was pressed, and that emergency is not over."""


class State(NamedTuple):
    """What the caller knows of a unit; ``priority``: of the incident it is on, 1 the highest."""

    availability: Availability
    priority: int | None = None


FREE = State(Availability.FREE)
"""What a unit is of which nothing was said."""
UNKNOWN = State(Availability.UNKNOWN)
"""What a unit is that is not shown exactly (DOM-STA-5)."""


class Spot(NamedTuple):
    """Where a unit was (degrees), and how old that is (seconds).

    ``blurred``: only the square kilometre is known, and this is its middle.
    """

    lon: float
    lat: float
    age_s: float
    blurred: bool = False


class Candidate(NamedTuple):
    """A unit that might be sent.

    ``agency``: its agency's id; ``kind`` as in ``psn.schema.Unit``. ``spot`` None: it is not known,
    or not shown to who asks, where the unit is.
    """

    id: int
    agency: int
    callsign: str
    kind: str
    capabilities: frozenset[str]
    state: State
    spot: Spot | None


class Unfit(enum.Enum):
    """Why a unit does not meet a need; the first that holds is told."""

    KIND = "kind"
    AGENCY = "agency"
    CAPABILITY = "capability"
    OUT = "out"
    EMERGENCY = "emergency"
    BUSY = "busy"
    HERE = "here"
    NO_PLACE = "no_place"


def unfit(need: Need, candidate: Candidate, priority: int | None) -> Unfit | None:
    """Why a unit does not meet a need; None: it does.

    ``priority``: of the incident, 1 the highest. A unit is taken from another incident only for one
    with a higher priority.
    """
    if need.kinds and candidate.kind not in need.kinds:
        return Unfit.KIND
    if need.agencies and candidate.agency not in need.agencies:
        return Unfit.AGENCY
    if not need.capabilities <= candidate.capabilities:
        return Unfit.CAPABILITY
    state = candidate.state
    if state.availability is Availability.HERE:
        return Unfit.HERE
    if state.availability is Availability.OUT:
        return Unfit.OUT
    if state.availability is Availability.EMERGENCY:
        return Unfit.EMERGENCY
    if state.availability is Availability.BUSY and not diverts(priority, state.priority):
        return Unfit.BUSY
    return Unfit.NO_PLACE if candidate.spot is None else None


def diverts(priority: int | None, other: int | None) -> bool:
    """Whether an incident may take a unit from another. 1 is the highest priority; None: no."""
    return priority is not None and other is not None and priority < other
