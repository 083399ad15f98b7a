"""``psn serve``: the network and the work done over it, in one process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from dataclasses import replace
from typing import Final

import click
import uvloop
from aiohttp import web

from dispatch import api, control_room, pages
from psn import open_files, server
from psn.core import Core
from psn.log_lines import LogLines
from psn.problems import Problem
from psn.settings import Settings, load

log = logging.getLogger("psn")

SWITCH_SECONDS: Final = 0.0005
"""So long a thread that reckons (whom to send, the sea chart) may keep the loop from going on.

Python's own 5 ms would be added to nearly everything that the loop does in the meantime.
"""


@click.command(epilog="Example: PSN_DATABASE=postgresql:///psn psn serve --port 8080", name="serve")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), help="TCP port; 0: any that is free.")
def serve(host: str | None, port: int | None) -> None:
    """Run the server until it is told to stop."""
    settings = load(os.environ)
    if host is not None:
        settings = replace(settings, host=host)
    if port is not None:
        settings = replace(settings, port=port)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(LogLines())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[lines])
    open_files.as_many_as_may_be()
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)

    def extend(application: web.Application, core: Core) -> None:
        control_room.open_with(application, core, settings)
        api.add_routes(application, core, settings)
        pages.add_routes(application, settings)

    try:
        async with server.running(settings, extend) as address:
            # What was loaded so far stays; looking at it again and again is wasted.
            gc.collect()
            gc.freeze()
            print(f"listening on {address}", flush=True)
            await stop.wait()
            log.info("stopping")
    except* Problem as problems:
        first: BaseException = problems
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
