"""What an agency wants to reach: so many of a hundred within so many seconds. Pure.

An agency's own targets stand in a TOML file, under its code; ``default`` is for all others::

    [[BPD]]
    interval = "call_to_dispatch"
    priorities = [1, 2]
    seconds = 90
    percent = 90
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from dispatch.numbers.intervals import Name
from psn.problems import Problem

PRIORITIES: Final = (1, 2, 3, 4, 5)
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Target:
    """Of the incidents of some priorities, ``percent`` of a hundred within ``limit``."""

    interval: Name
    priorities: tuple[int, ...]
    """In ascending order."""
    limit: int
    """Milliseconds; exactly so long is within."""
    percent: int


DEFAULTS: Final = (
    # NFPA 1225, Standard for Emergency Services Communications, 2022 edition: requests for
    # emergency assistance are processed within 60 s, 90 % of the time (as NFPA sums it up at
    # nfpa.org, "How Long Does It Take for your 911 Call to Be Answered?"). There the clock starts
    # when the call is answered, here when it is received, which is stricter.
    Target("call_to_dispatch", (1,), 60_000, 90),
    # The network's own rule: an order that is not acknowledged after 60 s raises an alarm
    # (DOM-ALM-3).
    Target("dispatch_to_acknowledge", PRIORITIES, 60_000, 90),
)
"""For agencies that say nothing else. How fast a crew sets off and travels is for each to say."""


class _Said(Struct, forbid_unknown_fields=True):
    interval: Name
    seconds: Annotated[int, Meta(ge=1, le=86_400)]
    percent: Annotated[int, Meta(ge=1, le=100)] = 90
    priorities: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=5)], ...], Meta(min_length=1, max_length=5)
    ] = PRIORITIES


class BadTargets(Problem):
    """The file of targets cannot be used: ``bad_targets``."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "bad_targets",
            f"The file of targets cannot be used: {why}.",
            "Tell whoever runs the server; docs/operating.md says how it is written.",
        )


def read(text: str) -> dict[str, tuple[Target, ...]]:
    """Targets by agency's code, of a TOML file; raises :class:`BadTargets`."""
    try:
        said = msgspec.convert(tomllib.loads(text), dict[str, list[_Said]])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as problem:
        raise BadTargets(str(problem)[:200] or type(problem).__name__) from None
    return {
        code: tuple(
            Target(
                each.interval,
                tuple(sorted(set(each.priorities))),
                each.seconds * 1_000,
                each.percent,
            )
            for each in targets
        )
        for code, targets in said.items()
    }


def of(code: str, said: Mapping[str, tuple[Target, ...]]) -> tuple[Target, ...]:
    """The targets of an agency: its own, else the file's default, else :data:`DEFAULTS`."""
    return said.get(code, said.get(DEFAULT, DEFAULTS))
