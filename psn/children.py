"""Child processes that are kept running, for the demonstration.

A child that ends is started again, later each time, until it has failed too often in a row. A
child dies with this process, also when that is killed: ``setpriv`` asks the kernel for it
(PR_SET_PDEATHSIG, prctl(2)). Children are in sessions of their own, so a Ctrl-C on the terminal
reaches only their parent, which stops them in order.

The kernel watches the *thread* that started the child: run this in the main thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 10.0
SETTLED_SECONDS: Final = 20.0
"""A child that lived so long has not failed in a row."""
FAILURES: Final = 6
STOP_SECONDS: Final = 10.0


class Child:
    """One program, kept running. ``line`` gets each line of its standard output.

    Its standard error goes to ``log``. ``say`` is told of each end and start.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        say: Callable[[str], None],
        line: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.gave_up = False
        self._say = say
        self._line = line
        self._environment = dict(os.environ if environment is None else environment)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def run(self) -> None:
        """Start it, and again whenever it ends; returns after :meth:`stop` or too many failures."""
        loop = asyncio.get_running_loop()
        failures, wait = 0, FIRST_WAIT
        while not self._stopping:
            begun = loop.time()
            status = await self._run_once()
            if self._stopping:
                return
            if loop.time() - begun > SETTLED_SECONDS:
                failures, wait = 0, FIRST_WAIT
            failures += 1
            if failures >= FAILURES:
                self.gave_up = True
                self._say(f"{self.name} failed {failures} times in a row; see {self.log}.")
                return
            self._say(f"{self.name} {ending(status)}; starting it again in {wait:g} s.")
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def stop(self) -> None:
        """Ask it to end, and make it after ten seconds."""
        self._stopping = True
        process = self._process
        if process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """End it at once."""
        self._stopping = True
        self._signal(signal.SIGKILL)

    def last_words(self) -> str:
        """The last line it wrote to its log."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ""

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _run_once(self) -> int:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = process = await self._spawn(log)
        try:
            assert process.stdout is not None
            async for raw in process.stdout:
                if self._line is not None:
                    self._line(raw.decode("utf-8", "replace").rstrip())
            return await process.wait()
        except asyncio.CancelledError:
            self.kill()
            raise

    async def _spawn(self, log: IO[bytes]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "setpriv",
            "--pdeathsig",
            "TERM",
            "--",
            *self.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=self._environment,
            start_new_session=True,
        )


def ending(status: int) -> str:
    """A process's exit status in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
