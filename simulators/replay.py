"""Recordings played into the network, as a gateway would bring them: named units, live times.

At a speed, the first fix is now and the others follow in their recorded rhythm. All at once, the
last fix is now and the others lie before it, as far back as the network takes positions; they go
as batches, like those of a device that comes out of a long dead spot.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from geo.recordings import Fix, Recording, Track
from psn import wire
from psn.client import Client
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from psn.problems import Problem

KINDS: Final = {"track": "car", "route": "car", "waypoints": "car"}
"""What moves is not said in every format; unless told otherwise it is taken for a car."""
OLDEST_SECONDS: Final = 30 * 86_400 - 3_600
"""Older fixes are refused by the network (30 days); an hour less, for slow going."""
CONNECTS_WITHIN: Final = 20.0
"""Seconds to wait for the server, at the start and after it went away."""
PLAUSIBLE_M_S: Final = 100.0
"""What moves faster is kept in the track but not shown at once (docs/wire.md)."""


def gateway_of(file: Path | None) -> Enrolled:
    """What the replay signs in with; raises ``Problem`` that says how to come by it.

    ``file`` is what ``psn device join`` wrote.
    """
    if file is None:
        raise Problem(
            "gateway_missing",
            "A replay reports for units of its own, so it signs in as a gateway.",
            'Make a code with psn device enrol "Replay" --gateway --agency BCG, spend it with'
            " psn device join --key gateway.pem, and give that file with --key.",
        )
    return device_key.read(file)


def announced(recording: Recording, kind: str | None = None) -> list[wire.AnnouncedUnit]:
    """The units of a recording as a gateway names them; ``kind`` overrides what the file says."""
    callsigns: Counter[str] = Counter()
    units = []
    for track in recording.tracks:
        callsign = (track.name or track.key)[:40].strip() or track.key[:40]
        callsigns[callsign] += 1
        if callsigns[callsign] > 1:
            callsign = f"{callsign[:34]} ({callsigns[callsign]})"
        units.append(wire.AnnouncedUnit(_key(track), callsign, kind or _kind(track)))
    return units


def _key(track: Track) -> str:
    return track.key[:80]


def _kind(track: Track) -> str:
    return KINDS.get(track.kind, track.kind)


def wire_fix(unit: int, fix: Fix, at: float) -> wire.Fix:
    """A recorded fix as it travels, at another time (seconds UTC)."""
    speed = None if fix.speed is None else min(round(fix.speed * 100), 100_000)
    altitude = None if fix.altitude is None else round(fix.altitude * 100)
    if altitude is not None and not -1_000_000 <= altitude <= 5_000_000:
        altitude = None
    return wire.Fix(
        unit,
        round(at * 1000),
        round(fix.lon * 1e7),
        round(fix.lat * 1e7),
        speed,
        None if fix.heading is None else round(fix.heading * 100) % 36_000,
        None,
        altitude,
    )


def ending_now(
    ordered: Iterable[tuple[Track, Fix]], now: float
) -> tuple[list[tuple[Track, Fix, float]], int]:
    """Every fix with its new time, so that the last is at ``now``; and how many were too old."""
    pairs = list(ordered)
    if not pairs:
        return [], 0
    offset = now - pairs[-1][1].time
    kept = [
        (track, fix, fix.time + offset)
        for track, fix in pairs
        if fix.time + offset >= now - OLDEST_SECONDS
    ]
    return kept, len(pairs) - len(kept)


def fastest(recording: Recording) -> float:
    """The highest speed that the fixes of one unit imply, metres per second; 0 for none.

    Jumps of less than 100 m are left out: they are errors of the receiver.
    """
    found = 0.0
    for track in recording.tracks:
        before: Fix | None = None
        for fix in track.fixes:
            if before is not None and fix.time > before.time:
                metres = _metres(before, fix)
                if metres > 100.0:
                    found = max(found, metres / (fix.time - before.time))
            before = fix
    return found


def _metres(a: Fix, b: Fix) -> float:
    """Distance on a plane; near enough for judging speeds between neighbouring fixes."""
    apart = (b.lon - a.lon + 180.0) % 360.0 - 180.0
    east = apart * math.cos(math.radians((a.lat + b.lat) / 2))
    return math.hypot(east, b.lat - a.lat) * 111_195.0


def problem_table(recording: Recording) -> list[str]:
    """What was wrong in a file: one line for each kind of problem, most frequent first."""
    first = {problem.code: problem for problem in reversed(recording.problems)}
    rows = [
        (str(count), code, str(first[code].line or ""), first[code].text)
        for code, count in recording.counts().items()
    ]
    if not rows:
        return []
    rows.insert(0, ("times", "problem", "first line", "what it was there"))
    widths = [max(len(row[n]) for row in rows) for n in range(3)]
    return [
        f"  {row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}"
        for row in rows
    ]


class Replay:
    """One recording on its way into the network."""

    def __init__(
        self,
        url: str,
        auth: Enrolled,
        recording: Recording,
        *,
        kind: str | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """``progress`` is told how many fixes were sent so far."""
        self._recording = recording
        self._kind = kind
        self._progress = progress
        self._client = Client(url, auth, name="psn replay", frames=self._frame)
        self.sent = 0
        self.too_old = 0
        self.refused: Counter[str] = Counter()
        """Error codes of the server, with how many frames (or batches) they concerned."""

    async def play(self, speed: float, loop: bool = False) -> None:
        """Play it ``speed`` times as fast as it was; ``math.inf``: all at once.

        Raises :class:`Problem` when the server does not let the gateway in, or refuses its units.
        """
        async with self._client as client:
            await self._connected()
            units = await client.announce(announced(self._recording, self._kind))
            while True:
                if math.isinf(speed):
                    await self._all_at_once(units)
                else:
                    await self._in_rhythm(units, speed)
                await client.drained()
                if not loop:
                    # A refusal of the last positions is on its way: the answer to a later
                    # question comes after it.
                    await client.request(wire.Ping(n=0))
                    return

    async def _all_at_once(self, units: dict[str, int]) -> None:
        kept, self.too_old = ending_now(self._recording.ordered(), time.time())
        fixes = [wire_fix(units[_key(track)], fix, at) for track, fix, at in kept]
        for batch in _batches(fixes, wire.MAX_BATCH):
            while True:
                try:
                    await self._client.report_batch(batch)
                    break
                except (ConnectionError, TimeoutError):
                    await self._connected()
            self._count(len(batch))

    async def _in_rhythm(self, units: dict[str, int], speed: float) -> None:
        clock = asyncio.get_running_loop().time
        began, utc = clock(), time.time()
        first: float | None = None
        for track, fix in self._recording.ordered():
            if first is None:
                first = fix.time
            after = (fix.time - first) / speed
            if (wait := began + after - clock()) > 0.001:
                await asyncio.sleep(wait)
            await self._client.report(wire_fix(units[_key(track)], fix, utc + after))
            self._count(1)

    async def _connected(self) -> None:
        try:
            async with asyncio.timeout(CONNECTS_WITHIN):
                await self._client.up()
        except TimeoutError:
            raise Problem(
                "no_server",
                f"The server at {self._client.url} does not answer.",
                "Start it, or name another with --url.",
            ) from None

    def _count(self, fixes: int) -> None:
        self.sent += fixes
        self._progress(self.sent)

    def _frame(self, frame: wire.ServerFrame) -> None:
        if isinstance(frame, wire.Error):
            self.refused[f"{frame.code}: {frame.text}"] += 1


def _batches(fixes: Sequence[wire.Fix], size: int) -> Iterator[Sequence[wire.Fix]]:
    for start in range(0, len(fixes), size):
        yield fixes[start : start + size]
