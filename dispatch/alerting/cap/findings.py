"""What is wrong with a CAP document: where, a stable code, a plain sentence, what to do."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from psn.problems import Problem

MOST: Final = 100
"""So many findings are told of one document; who has made so many mistakes reads no more."""


class Weight(enum.StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The schema or a MUST of the standard is broken: this is no valid CAP."""
    ADVICE = "advice"
    """Understood by everyone, but not as the standard would have it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        path: of the element, as ``/alert/info[2]/area[1]/polygon[1]``; elements that may repeat
            are numbered from 1. Of the document as a whole it is ``/``.
        code: stable, such as ``cap.polygon_open``.
        text: one plain sentence.
        todo: what to do about it.
        weight: whether it makes the document invalid.
    """

    path: str
    code: str
    text: str
    todo: str
    weight: Weight = Weight.ERROR


Tell = Callable[[Finding], None]
"""Takes a finding."""


class Findings:
    """The findings of one document, in its order, :data:`MOST` at most."""

    __slots__ = ("_advice", "_kept", "_more")

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._advice = 0
        self._more = 0

    def __call__(self, finding: Finding) -> None:
        """Keep one; errors beyond the limit put out advice, never the other way round."""
        if len(self._kept) < MOST:
            self._kept.append(finding)
            self._advice += finding.weight is Weight.ADVICE
            return
        self._more += 1
        if finding.weight is Weight.ERROR and self._advice:
            for at in range(len(self._kept) - 1, -1, -1):
                if self._kept[at].weight is Weight.ADVICE:
                    del self._kept[at]
                    self._advice -= 1
                    self._kept.append(finding)
                    return

    def all(self) -> tuple[Finding, ...]:
        """Everything that was found; the last one says how many more there are."""
        if not self._more:
            return tuple(self._kept)
        more = Finding(
            "/",
            "cap.more",
            f"There are {self._more} more findings.",
            "Correct these first, and look again.",
            Weight.ADVICE,
        )
        return (*self._kept, more)


class CapRefused(Problem):
    """A document, or an alert, that cannot be used; ``findings`` has every reason."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        first = next(each for each in self.findings if each.weight is Weight.ERROR)
        super().__init__(first.code, f"{first.path}: {first.text}", first.todo)
