"""``psn public``: what the public reads, by a process of its own; a rush to it is nobody else's.

It reads what was sent from the database (``dispatch.warnings.following``) and serves the same page,
feed and alerts as the server (``dispatch.warnings.public_pages``), and nothing else: nobody signs
in, no socket stays open, no key is near. Whatever the public does to it, the server does not notice
but by the processor that both may run on, and there this one stands back.

Connections are few and short. Who asks nothing is let go after some seconds; and when there are as
many as there may be, the next one is let in and the oldest is cut (``psn.refusing.Runner``), so
that those who hold on to connections keep nobody out.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import uvloop
from aiohttp import web
from cryptography import x509

from dispatch.alerting import cap
from dispatch.warnings.following import Followed, Following
from dispatch.warnings.public import Elsewhere
from dispatch.warnings.public_pages import PublicPages
from psn import gate, open_files, tls
from psn.log_lines import LogLines
from psn.problems import Problem
from psn.refusing import LONGEST_LINE, Runner
from psn.settings import Settings, load
from psn.standing_back import stand_back

log = logging.getLogger(__name__)

PORT: Final = 8081
MOST: Final = 4_096
"""Connections at once."""
KEEP_ALIVE_SECONDS: Final = 10.0
"""A connection that asks nothing, or never finishes asking, is closed after this."""
HANDSHAKE_SECONDS: Final = 5.0
FIRST_SECONDS: Final = 5.0
"""So long it waits for the database before it listens; then it says that it knows nothing yet."""


@click.command(
    name="public",
    epilog="""
\b
Examples:
  psn public --host 0.0.0.0
  psn public --certificate /etc/psn-alerts.pem
\b
It answers /alerts/, /alerts.atom and what these name, and for those who watch it /healthz and
/readyz. PSN_DATABASE is all that it needs; PSN_TLS_CERTIFICATE and PSN_TLS_KEY let it do TLS.
""",
)
@click.option("--host", help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65_535),
              help="TCP port; 0: any that is free.")  # fmt: skip
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM file of the certificate that alerts are signed with; else that of the last one sent.",
)
def public(host: str | None, port: int, certificate: Path | None) -> None:
    """Serve what the public reads, apart from the server, until it is told to stop."""
    # The public shows no certificates.
    settings = replace(load(os.environ), port=port, tls_client_authority=None)
    if host is not None:
        settings = replace(settings, host=host)
    given = None if certificate is None else _read_certificate(certificate)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(LogLines())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[lines])
    stand_back()
    uvloop.run(_until_stopped(settings, given))


def _read_certificate(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as problem:
        raise Problem(
            "bad_certificate",
            f"{file} holds no certificate.",
            "Name a PEM file, such as what the server answers at /alerts/certificate.pem.",
        ) from problem


async def _until_stopped(settings: Settings, certificate: x509.Certificate | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with running(settings, certificate) as address:
        gc.collect()
        gc.freeze()
        print(f"listening on {address}", flush=True)
        await stop.wait()


@contextlib.asynccontextmanager
async def running(settings: Settings, certificate: x509.Certificate | None) -> AsyncIterator[str]:
    """Follow and serve; gives the address. Raises :class:`Problem` when it cannot listen."""
    most = min(MOST, open_files.as_many_as_may_be() // 2)
    site = Site(settings, certificate)
    async with contextlib.AsyncExitStack() as stack:
        secure = await stack.enter_async_context(tls.secured(settings))
        stack.enter_context(_going_on(site.following))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                await site.following.shown.wait()
        runner = Runner(
            site.application(),
            most=most,
            access_log=None,
            logger=gate.http_log(),
            shutdown_timeout=1.0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=0.0,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        assert runner.server is not None
        try:
            # Not a site of aiohttp's: who begins TLS and does not go on would be waited for longer.
            listening = await asyncio.get_running_loop().create_server(
                runner.server,
                settings.host,
                settings.port,
                backlog=4_096,
                ssl=secure,
                ssl_handshake_timeout=None if secure is None else HANDSHAKE_SECONDS,
            )
        except OSError as problem:
            raise Problem(
                "port_taken",
                f"Port {settings.port} on {settings.host} cannot be opened: {problem.strerror}.",
                "Stop what listens there, or choose another port with --port.",
            ) from problem
        stack.callback(listening.close)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        port = listening.sockets[0].getsockname()[1]
        yield f"{'http' if secure is None else 'https'}://{host}:{port}"


@contextlib.contextmanager
def _going_on(following: Following) -> Iterator[None]:
    tasks = [asyncio.create_task(each()) for each in (following.read, following.show)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


class Site:
    """The pages of what is followed."""

    def __init__(self, settings: Settings, certificate: x509.Certificate | None) -> None:
        """``certificate``: with which alerts are signed; None: with what the last one was."""
        self._origin = settings.origin
        self._given = certificate
        self._pages = PublicPages(certificate)
        self.following = Following(settings.database, self._show)

    def _show(self, followed: Followed) -> None:
        if self._given is None and followed.newest is not None:
            self._pages.certificate = cap.certificate_in(followed.newest)
        elsewhere = None
        if followed.cut_off is not None:
            elsewhere = Elsewhere(self._origin, followed.cut_off)
        self._pages.make(followed.now, elsewhere)

    def application(self) -> web.Application:
        """What is answered."""
        made = web.Application(client_max_size=1_024, middlewares=[gate.failing_plainly()])
        self._pages.add_routes(made)
        made.router.add_get("/", _to_the_page)
        made.router.add_get("/healthz", _healthz)
        made.router.add_get("/readyz", self._readyz)
        return made

    async def _readyz(self, request: web.Request) -> web.Response:
        if self.following.known:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="what was sent cannot be read\n")


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _to_the_page(request: web.Request) -> web.Response:
    headers = {"Location": "/alerts/", "Cache-Control": "public, max-age=86400"}
    return web.Response(status=308, headers=headers)
