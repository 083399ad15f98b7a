"""Everybody of a run on the line: signing in, watching, and what a foreigner must not be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from simulators.bench.field.post import Party, Post
from simulators.bench.lines.frames import WireProblem
from simulators.bench.lines.journal import Journal, Library
from simulators.bench.lines.line import Frame, Line, Target
from simulators.bench.lines.reactor import Reactor
from simulators.bench.load import say

OPENING_AT_ONCE: Final = 64
STUCK_BUFFER: Final = 8_192
SIGN_IN_SECONDS: Final = 300.0
"""For everybody together."""


class Unit:
    """A unit's device: it reports, and reads its mail."""

    def __init__(self, crowd: Crowd, enrolled: dict[str, Any]) -> None:
        self.line = Line(crowd.reactor, crowd.target, enrolled["auth"])
        self.party = Party(self.line, enrolled["address"], enrolled["agency"])
        self.number = int(enrolled["address"].partition(":")[2])


class Console:
    """A dispatcher's console that sees everything."""

    def __init__(self, crowd: Crowd, enrolled: dict[str, Any], may_stick: bool) -> None:
        self.line = Line(crowd.reactor, crowd.target, enrolled["auth"])
        self.party = Party(self.line, enrolled["address"], enrolled["agency"])
        self.may_stick = may_stick
        if may_stick:  # or the kernel would hide from the server for long that nobody reads
            self.line.receive_buffer = STUCK_BUFFER
        self.journal: Journal | None = None
        self.watching = False
        self.leaks = 0
        self.crossings = 0
        self.foreign = enrolled["agency"] != crowd.home
        self._crowd = crowd

    def watch(self, line: Line) -> None:
        """Ask for the picture; from here on the journal reads."""
        line.send({"t": "watch", "n": 2})
        self.journal = Journal(self._crowd.library, line, self._other)

    def _other(self, journal: Journal, frame: Frame, at: float) -> None:
        crowd = self._crowd
        if crowd.post is not None and crowd.post.received(self.line, frame, at, True):
            return
        kind = frame["t"]
        if kind == "picture":
            self.watching = True
        elif kind == "fence":
            self.crossings += len(frame["x"])
        elif kind == "error":
            crowd.errors.append(frame)
        if self.foreign:
            self.leaks += sum(unit in crowd.hidden for unit in _named(frame))


def _named(frame: Frame) -> Iterator[int]:
    """Units that a frame tells of."""
    match frame["t"]:
        case "picture":
            yield from (seat[0] for seat in frame["p"])
        case "roster" | "roster_units":
            yield from (unit["id"] for unit in frame["units"])
        case "gone":
            yield from frame["units"]
        case "fence":
            yield from (crossing[0] for crossing in frame["x"])
        case "presence":
            yield from (int(a[5:]) for a in frame["who"] if a.startswith("unit:"))


class Crowd:
    """Units, hidden units and consoles of a plan, on one reactor."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.reactor = Reactor()
        self.target = Target.of(plan["url"], plan.get("authority"))
        self.library = Library()
        self.errors: list[Frame] = []
        self.gone: list[str] = []
        """Why lines were lost."""
        self.post: Post | None = None
        self.home: int = plan["hidden"][0]["agency"] if plan["hidden"] else 0
        self.units = [Unit(self, enrolled) for enrolled in plan["units"]]
        self.secret = [Unit(self, enrolled) for enrolled in plan["hidden"]]
        self.hidden = {unit.number for unit in self.secret}
        stuck = plan.get("stuck", 0)
        self.consoles = [Console(self, p, n < stuck) for n, p in enumerate(plan["consoles"])]
        for unit in (*self.units, *self.secret):
            unit.line.frame = self._to_unit

    def _to_unit(self, line: Line, frame: Frame, at: float) -> None:
        if self.post is not None and self.post.received(line, frame, at, False):
            return
        if frame["t"] == "error":
            self.errors.append(frame)

    def sign_in(self) -> None:
        """Units first, then consoles, which get the whole map. Raises :class:`WireProblem`."""
        reporting = [unit.line for unit in (*self.units, *self.secret)]
        open_all(self.reactor, reporting, "units sign in")
        watching = {id(console.line): console for console in self.consoles}
        open_all(
            self.reactor,
            [console.line for console in self.consoles],
            "consoles sign in",
            lambda line: watching[id(line)].watch(line),
        )
        everyone = [*reporting, *(console.line for console in self.consoles)]
        for line in everyone:
            line.lost = self._lost
        if not self.reactor.run_until(lambda: all(c.watching for c in self.consoles), 60.0):
            raise WireProblem("not every console was shown the picture within a minute")

    def _lost(self, line: Line, why: str) -> None:
        self.gone.append(why)

    def let_stick(self, stuck: bool) -> None:
        """Those consoles that may get stuck read no more, or again."""
        for console in self.consoles:
            if console.may_stick:
                if stuck:
                    console.line.pause()
                else:
                    console.line.resume()


def open_all(
    reactor: Reactor,
    lines: Sequence[Line],
    text: str,
    ready: Callable[[Line], None] = lambda line: None,
) -> None:
    """Sign in all lines, some at a time; raises :class:`WireProblem` when one is refused."""
    waiting = iter(lines)
    done = 0

    def one_ready(line: Line) -> None:
        nonlocal done
        done += 1
        if done % 100 == 0:
            say("progress", text=text, done=done, total=len(lines))
        ready(line)
        following = next(waiting, None)
        if following is not None:
            following.open()

    def one_lost(line: Line, why: str) -> None:
        raise WireProblem(f"{text}: {why}")

    for line in lines:
        line.ready, line.lost = one_ready, one_lost
    for _, line in zip(range(OPENING_AT_ONCE), waiting, strict=False):
        line.open()
    if not reactor.run_until(lambda: done == len(lines), SIGN_IN_SECONDS):
        raise WireProblem(f"{text}: only {done} of {len(lines)} within {SIGN_IN_SECONDS:.0f} s")
