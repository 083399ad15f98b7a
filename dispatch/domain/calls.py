"""A call: what somebody reports, from the first ring to its end.

Transitions: *waiting → taken → incident*, *joined* or *closed*; *taken → waiting* when it is given
back; a taken call is taken over by another who says so. What has ended stays as it is.
"""

from __future__ import annotations

import enum
from typing import Final

from dispatch.domain.refusals import not_now


class State(enum.StrEnum):
    """What has become of a call."""

    WAITING = "waiting"
    """Nobody has taken it."""
    TAKEN = "taken"
    """Somebody has it, and types."""
    INCIDENT = "incident"
    """It became an incident."""
    JOINED = "joined"
    """It is about an incident that was there already."""
    CLOSED = "closed"
    """It came to nothing, for a reason."""


LINES: Final = ("911", "90", "agency", "radio", "walk_in", "web", "program")
"""How calls come in."""
OPEN: Final = frozenset({State.WAITING, State.TAKEN})

NEXT: Final[dict[State, frozenset[State]]] = {
    State.WAITING: frozenset({State.TAKEN}),
    State.TAKEN: frozenset({State.WAITING, State.INCIDENT, State.JOINED, State.CLOSED}),
    State.INCIDENT: frozenset(),
    State.JOINED: frozenset(),
    State.CLOSED: frozenset(),
}
"""What may become of a call in each state."""


def become(state: State, wanted: State) -> State:
    """``wanted``, if a call in ``state`` may become that; raises :class:`DispatchRefused`."""
    if wanted in NEXT[state]:
        return wanted
    if state not in OPEN:
        raise not_now("This call has ended.", "Take a new call, or write into the incident's log.")
    raise not_now("Nobody has taken this call yet.", "Take it first.")


def take(state: State, taken_by: int | None, who: int, over: bool) -> None:
    """Whether ``who`` may take a call; ``over``: knowingly from somebody else.

    Raises :class:`DispatchRefused`.
    """
    if state not in OPEN:
        raise not_now("This call has ended.", "Look for the incident it became.")
    if state is State.TAKEN and taken_by != who and not over:
        raise not_now("Somebody else has this call.", "Take it over, if he cannot go on.")


def work(state: State, taken_by: int | None, who: int) -> None:
    """Whether ``who`` may change a call or end it; raises :class:`DispatchRefused`."""
    if state not in OPEN:
        raise not_now("This call has ended.", "Write into the incident's log what is to be added.")
    if state is State.WAITING or taken_by != who:
        raise not_now("This call is not yours.", "Take it first, or take it over.")
