"""``psn radio`` as a process: the settings, read again when they change; signals; the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import stat
from pathlib import Path
from threading import Thread
from typing import Final
from wsgiref.simple_server import WSGIServer

from psn.problems import Problem
from radio_bridge.bridge import metrics, settings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.dmr_links import MasterLink
from radio_bridge.bridge.network import OurNetwork
from radio_bridge.bridge.plain_links import LineLink
from radio_bridge.bridge.settings import Settings, SettingsError
from radio_bridge.bridge.signing_in import SigningIn

log = logging.getLogger(__name__)
LOOKS_EVERY_S: Final = 1.0
_OPENS_WITHIN_S: Final = 5.0


class Process:
    """A bridge that runs by a file of settings."""

    def __init__(self, file: Path) -> None:
        """Raises :class:`SettingsError`."""
        self._file = file
        self._secrets = settings.secrets_of(file)
        self._looked = self._look()
        self._settings = settings.load(file)
        self._again = asyncio.Event()
        self._over = asyncio.Event()
        self._figures: tuple[WSGIServer, Thread] | None = None
        self.bridge = Bridge(self._settings)
        self._side: SigningIn | None = None
        self._last: OurNetwork | None = None
        """It may have something to tell still when others are at the network, or nobody is."""
        self._at_network: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Run until SIGTERM, SIGINT or cancelled. Raises :class:`Problem` when it cannot begin."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._again.set)
        for end in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(end, self._over.set)
        if os.stat(self._file).st_mode & stat.S_IROTH:
            log.warning("%s has secrets, and everybody on this machine can read it", self._file)
        self._open_metrics(self._settings)
        try:
            await self.bridge.start()
            self._sign_in()
            # Looking for garbage among all that was loaded would hold bursts up for milliseconds.
            gc.collect()
            gc.freeze()
            await self._say_ready()
            watching = asyncio.create_task(self._watch())
            await self._over.wait()
            watching.cancel()
        finally:
            await self._sign_out()
            await self.bridge.stop()
            self._close_metrics()

    def _sign_in(self) -> None:
        """At this network, where the settings want that; radios do not wait for it."""
        of = self._settings.network
        if of is None:
            return
        self._side = SigningIn(self.bridge, of, self._last)
        self._at_network = asyncio.create_task(self._side.run(), name="network")

    async def _sign_out(self) -> None:
        task, self._at_network = self._at_network, None
        side, self._side = self._side, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if side is not None:
            self._last = side.last

    async def _say_ready(self) -> None:
        """On standard output, for who waits for it: links that listen, and where."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OPENS_WITHIN_S):
                while any(port is None for port in self._ports().values()):
                    await asyncio.sleep(0.01)
        for name, port in self._ports().items():
            print(f"link {name} listens at port {port}", flush=True)
        print(f"radio bridge {self._settings.site} is ready", flush=True)

    def _ports(self) -> dict[str, int | None]:
        links = self.bridge.links.all.items()
        return {name: one.port for name, one in links if isinstance(one, MasterLink | LineLink)}

    def _look(self) -> list[tuple[int, int] | None]:
        """How old and long the file of settings is, and those of secrets that it names."""
        return [_stand(file) for file in (self._file, *self._secrets)]

    async def _watch(self) -> None:
        """Read the file again when it or a secret has changed, or at SIGHUP."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), LOOKS_EVERY_S)
            looked = self._look()
            if not self._again.is_set() and (looked[0] is None or looked == self._looked):
                continue
            self._again.clear()
            self._secrets = settings.secrets_of(self._file)
            self._looked = self._look()
            try:
                wanted = settings.load(self._file)
            except SettingsError as error:
                log.error("the old settings stay: %s", error.text)
                self.bridge.changed("settings", "refused: " + " ".join(error.found))
                continue
            try:
                await self._change(wanted)
            except Exception:
                # A fault of ours: saying so and going on is better than no change ever again.
                log.exception("the settings could not be changed")

    async def _change(self, wanted: Settings) -> None:
        before, self._settings = self._settings, wanted
        if wanted.metrics != before.metrics:
            self._close_metrics()
            with contextlib.suppress(Problem):
                self._open_metrics(wanted)
        sign_in = (wanted.network, wanted.radio_networks) != (before.network, before.radio_networks)
        if sign_in:
            await self._sign_out()
        await self.bridge.change(wanted)
        if sign_in:
            self._sign_in()
        elif self._side is not None:
            self._side.look_again()
        self.bridge.changed("settings", "taken")

    def _open_metrics(self, of: Settings) -> None:
        if of.metrics is None:
            return
        try:
            self._figures = metrics.serve(self.bridge, *of.metrics)
        except OSError as error:
            log.error("figures cannot be shown at %s:%d: %s", *of.metrics, error)
            raise Problem(
                "metrics_taken",
                f"Figures cannot be shown at {of.metrics[0]}:{of.metrics[1]}: {error.strerror}.",
                "Give another address, or leave metrics out.",
            ) from None

    def _close_metrics(self) -> None:
        if self._figures is not None:
            server, thread = self._figures
            server.shutdown()
            server.server_close()
            thread.join()
            self._figures = None


def _stand(file: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
