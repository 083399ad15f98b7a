"""What becomes of what is handed to a taker of others: an SMS centre, a mail server. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

_PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)


class State(StrEnum):
    """What has become of a delivery."""

    WAITING = "waiting"
    HANDING = "handing"
    """Begun; written before it is tried, so that a crash leaves a trace."""
    HANDED = "handed"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """Whoever was to take it may have taken it: it is not tried again, and nobody guesses."""
    DROPPED = "dropped"
    """The message was over before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try.

    Attributes:
        receipt: what the taker calls it.
        pause: seconds before this delivery is tried again.
        slow: the taker is overloaded: everything for it waits so long.
        recipient: what is wrong is with this recipient (no such number, nobody hears the group),
            and says nothing of the taker.
    """

    state: State
    receipt: str | None = None
    problem: str | None = None
    pause: float = 0.0
    slow: bool = False
    recipient: bool = False
    price: Decimal | None = None


class Away(Exception):
    """Whoever takes deliveries cannot be reached; nothing was handed over."""


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row, at least one."""
    return _PAUSES[min(failures, len(_PAUSES)) - 1]
