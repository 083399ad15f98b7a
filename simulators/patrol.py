"""A simulated fleet on the network: every unit a client of its own, and a crew that answers.

Each unit signs in with its own device and reports once a period at a moment of its own. In a dead
spot it disconnects and keeps its fixes, which follow as batches when it is back. The crew reads
what is sent to the unit after some seconds and now and then answers, so that a dispatcher sees
what he would see on a real day. Movement comes from :mod:`simulators.fleet`, which is a pure
model; this is the shell around it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from psn import wire
from psn.client import Client, ClientRefused, Link, Offline
from psn.enrolment import device_key
from psn.enrolment.device_key import Enrolled
from psn.problems import Problem
from simulators import obedient
from simulators.fleet import KINDS, Fleet, Report

DEFAULT_SEED: Final = 501
"""Belize's telephone code: any number does."""
READS_AFTER: Final = (2.0, 8.0)
"""Seconds until a crew has read a message, shortest and longest."""
ANSWERS: Final = ("Received.", "Received, on our way.", "Copied, will report.", "Understood.")
ANSWERS_SHARE: Final = 0.4
"""Part of the messages from people that a crew answers."""
HANGS_UP_AFTER: Final = 3.0
"""Seconds without network after which the connection is given up."""
CONNECTS_WITHIN: Final = 2.0
"""Seconds over which a fleet signs in for every 200 units."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a unit signs in with."""

    unit: int
    enrolled: Enrolled
    callsign: str
    agency: str
    kind: str


def read_credentials(file: Path) -> list[Credential]:
    """Read a JSON list of units, each with a device's number and key; raises ``Problem``."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        found = [
            Credential(
                int(row["unit"]),
                Enrolled(int(row["device"]), device_key.from_pem(row["key"])),
                str(row.get("callsign", row["unit"])),
                str(row.get("agency", "")),
                str(row.get("kind", "car")),
            )
            for row in rows
        ]
    except OSError as error:
        raise Problem(
            "credentials_unreadable",
            f"The file {file} cannot be read: {error.strerror or error}.",
            "Name the file that psn demo wrote, .psn/demo/units.json.",
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, device_key.BadKey) as error:
        raise Problem(
            "credentials_malformed",
            f"The file {file} is no list of units with device and key: {type(error).__name__}.",
            'Each entry is {"unit": 7, "device": 9, "key": "-----BEGIN …", "kind": "car"}.',
        ) from error
    if not found:
        raise Problem("credentials_empty", f"The file {file} names no unit.", "Add units to it.")
    return found


class Movers:
    """A fleet's movements, given out to units of given kinds.

    The fleet decides itself which kinds it has, so it is made large enough to have a mover of the
    right kind for each; kinds it does not know move as cars. The first fix of a unit is at
    ``start``; all times are seconds UTC.
    """

    def __init__(self, seed: int, kinds: Sequence[str], start: float) -> None:
        wanted = [kind if kind in KINDS else "car" for kind in kinds]
        size = max(6, len(wanted))
        while True:
            self._fleet = Fleet(seed, size)
            have = Counter(unit.kind for unit in self._fleet.units)
            if all(have[kind] >= count for kind, count in Counter(wanted).items()):
                break
            size = size * 5 // 4 + 1
        free: defaultdict[str, deque[int]] = defaultdict(deque)
        for unit in self._fleet.units:
            free[unit.kind].append(unit.index)
        self._places = [free[kind].popleft() for kind in wanted]
        self._time = start
        self._last = self._fleet.step(start, 0.0)
        self._next = self._last

    def advance(self, seconds: float) -> None:
        """Move on; :meth:`at` then answers for the time between the last moment and the new."""
        self._last = self._next
        self._next = self._fleet.step(self._time + seconds, seconds)
        self._time += seconds

    def at(self, number: int, part: float) -> tuple[Report, float, float]:
        """Report, longitude and latitude of a unit when ``part`` (0–1) of the step has passed."""
        place = self._places[number]
        before, after = self._last[place].fix, self._next[place].fix
        return (
            self._next[place],
            before.lon + (after.lon - before.lon) * part,
            before.lat + (after.lat - before.lat) * part,
        )


def wire_fix(report: Report, lon: float, lat: float, at: float, accuracy_m: float) -> wire.Fix:
    """A fix as it travels: ``at`` seconds UTC, degrees, the rest from the report."""
    fix = report.fix
    return wire.Fix(
        0,
        round(at * 1000),
        round(lon * 1e7),
        round(lat * 1e7),
        None if fix.speed is None else round(fix.speed * 100),
        None if fix.heading is None else round(fix.heading * 100) % 36_000,
        round(accuracy_m * 100),
        None if fix.altitude is None else round(fix.altitude * 100),
        report.battery,
    )


class Crew:
    """One unit: its connection, what it keeps in dead spots, and what it reads and writes."""

    def __init__(self, url: str, who: Credential, random: Random, counts: Counter[str]) -> None:
        self.who = who
        self.gone_since: float | None = None
        self._url = url
        self._random = random
        self._counts = counts
        self._offline = Offline()
        self._client: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._duty = obedient.Duty(who.unit)
        self._obeyed: set[int] = set()
        self.accuracy_m = KINDS.get(who.kind, KINDS["car"]).error + 2.0

    @property
    def link(self) -> Link:
        """How the unit stands with the server."""
        return Link.LOST if self._client is None else self._client.link

    @property
    def problem(self) -> Problem | None:
        """Why the server does not let it in."""
        return None if self._client is None else self._client.problem

    async def connect(self) -> None:
        """Switch the radio on."""
        if self._client is None:
            self._client = Client(
                self._url,
                self.who.enrolled,
                offline=self._offline,
                name=f"patrol {self.who.callsign}",
                mail=self._mail,
                frames=self._frame,
                jitter=self._random,
            )
            await self._client.__aenter__()
            await self._client.follow("duty")

    async def hang_up(self) -> None:
        """Switch it off; what is unsent stays."""
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(None, None, None)

    async def end(self) -> None:
        """No more of this unit."""
        for task in self._tasks:
            task.cancel()
        await self.hang_up()
        self._offline.close()

    async def report(self, fix: wire.Fix, online: bool) -> None:
        """One fix: sent, or kept when there is no network where the unit is."""
        if online:
            self.gone_since = None
            await self.connect()
            assert self._client is not None
            sent = await self._client.report(fix)
            self._counts["sent" if sent else "kept"] += 1
            return
        self._offline.keep_fix(fix)
        self._counts["kept"] += 1
        now = asyncio.get_running_loop().time()
        if self.gone_since is None:
            self.gone_since = now
        elif now - self.gone_since > HANGS_UP_AFTER:
            await self.hang_up()

    # -- the crew

    def _mail(self, mail: wire.Mail) -> None:
        client, body = self._client, mail.body
        if client is None or client.me is None or not isinstance(body, wire.MessageBody):
            return
        if body.sender != client.me.me:
            self._begin(self._read(client, mail.box, mail.seq, body))

    def _frame(self, frame: wire.ServerFrame) -> None:
        if not isinstance(frame, wire.News) or self._client is None:
            return
        self._duty.take(frame.set, frame.gone, frame.whole)
        for assignment in self._duty.live:
            if assignment not in self._obeyed:
                self._obeyed.add(assignment)
                self._begin(self._obey(assignment))

    async def _obey(self, assignment: int) -> None:
        """Say one step after another, until the assignment is over."""
        while (step := self._duty.at(assignment)) is not None:
            said, seconds = obedient.following(step, self._random)
            await asyncio.sleep(seconds)
            client = self._client
            if client is None or self._duty.at(assignment) != step:
                continue  # out of reach, or somebody else has said it
            with contextlib.suppress(ClientRefused):
                await client.do("unit.status", status=said, assignment=assignment)
                self._counts["obeyed"] += 1
            await asyncio.sleep(1.0)  # until the news of it has come

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, client: Client, box: str, seq: int, body: wire.MessageBody) -> None:
        await asyncio.sleep(self._random.uniform(*READS_AFTER))
        for _ in range(10):
            try:
                await client.read(box, [seq])
                self._counts["read"] += 1
                break
            except ClientRefused:
                return
            except (OSError, TimeoutError):
                await asyncio.sleep(2.0)
        # Only people get an answer: two simulated units would never stop talking.
        personal = f"unit:{self.who.unit}" in body.to and body.sender.startswith("person:")
        personal = personal and body.priority != "immediate"  # an order is obeyed
        if personal and self._random.random() < ANSWERS_SHARE:
            await asyncio.sleep(self._random.uniform(1.0, 5.0))
            client.send([body.sender], self._random.choice(ANSWERS), about=body.id)
            self._counts["answered"] += 1


async def patrol(
    url: str,
    credentials: Sequence[Credential],
    *,
    seed: int = DEFAULT_SEED,
    rate: float = 1.0,
    seconds: float | None = None,
    status: Callable[[str], None] = lambda line: None,
) -> Counter[str]:
    """Run a fleet until cancelled, or for so many seconds.

    ``rate`` is reports a second and unit. Returns what was done: ``sent`` and ``kept`` fixes,
    messages ``read`` and ``answered``. Raises :class:`Problem` when the server lets no unit in.
    """
    random = Random(seed)
    counts: Counter[str] = Counter()
    crews = [Crew(url, who, Random(f"{seed}/{who.unit}"), counts) for who in credentials]
    period = 1.0 / rate
    phases = sorted((random.random(), number) for number in range(len(crews)))
    loop = asyncio.get_running_loop()
    began, utc = loop.time(), time.time()
    movers = Movers(seed, [who.kind for who in credentials], utc)
    until = None if seconds is None else began + seconds
    try:
        await _sign_in(crews)
        step = int((loop.time() - began) / period) + 1
        movers.advance(step * period)
        while until is None or loop.time() < until:
            movers.advance(period)
            for part, number in phases:
                due = began + (step + part) * period
                if (wait := due - loop.time()) > 0.002:
                    await asyncio.sleep(wait)
                report, lon, lat = movers.at(number, part)
                crew = crews[number]
                fix = wire_fix(report, lon, lat, utc + due - began, crew.accuracy_m)
                await crew.report(fix, report.online)
            step += 1
            _check_refusals(crews)
            status(_line(crews, counts))
    finally:
        await asyncio.gather(*(crew.end() for crew in crews), return_exceptions=True)
    return counts


async def _sign_in(crews: Sequence[Crew]) -> None:
    """Connect everybody, spread over some seconds: a fleet does not come on duty at once."""
    pause = CONNECTS_WITHIN / 200
    for crew in crews:
        await crew.connect()
        await asyncio.sleep(pause)


def _check_refusals(crews: Sequence[Crew]) -> None:
    problems = [crew.problem for crew in crews if crew.problem is not None]
    if len(problems) == len(crews):
        raise problems[0]


def _line(crews: Sequence[Crew], counts: Counter[str]) -> str:
    up = sum(crew.link is Link.UP for crew in crews)
    spots = sum(crew.gone_since is not None for crew in crews)
    refused = sum(crew.problem is not None for crew in crews)
    line = (
        f"{len(crews)} units: {up} connected, {spots} in dead spots; {counts['sent']} positions"
        f" sent, {counts['kept']} kept for later; {counts['read']} messages read,"
        f" {counts['answered']} answered"
    )
    return line + (f"; {refused} refused by the server" if refused else "")


@contextlib.contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """Show one line that renews itself, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return

    def show(line: str) -> None:
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\n")
