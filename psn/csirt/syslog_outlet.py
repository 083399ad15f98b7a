"""Syslog over TCP (RFC 6587) or TLS (RFC 5425): the connection to a receiver.

Neither knows acknowledgements: what was written may still lie in a buffer when the receiver dies.
So what was sent counts as received only when the connection has lived on for
:data:`SETTLED_SECONDS`. A peer that is gone without a word shows sooner: the kernel gives up data
that stay unacknowledged for :data:`UNACKNOWLEDGED_SECONDS` (TCP_USER_TIMEOUT, RFC 5482). The last
seconds before a break are sent again, so they may arrive twice, and nothing is lost.

Over TLS the receiver must show a certificate of the given authority, or of one that this machine
trusts, for the host's name (RFC 5425 §5.2); it may ask for ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from psn.csirt import syslog_format
from psn.csirt.outlets import Undelivered
from psn.csirt.security_events import SecurityEvent
from psn.csirt.syslog_format import Sender
from psn.problems import Problem
from psn.settings import Settings

CONNECT_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 10.0
UNACKNOWLEDGED_SECONDS: Final = 10.0
SETTLED_SECONDS: Final = 15.0
"""Longer than :data:`UNACKNOWLEDGED_SECONDS`, or what never arrived would count as received."""
LONGEST_PAUSE: Final = 30.0
TLS_PORT: Final = 6514
"""Registered for syslog over TLS (RFC 5425 §4.1)."""
TCP_PORT: Final = 514


@dataclass(frozen=True, slots=True)
class Target:
    """Where a receiver listens; ``tls``: the context to meet it with, none: plain TCP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


def target(settings: Settings) -> Target | None:
    """The receiver that the settings name, if any; raises :class:`Problem` ``bad_certificate``."""
    if settings.syslog is None:
        return None
    parts = urlsplit(settings.syslog)
    assert parts.hostname is not None  # the settings have checked it
    if parts.scheme == "tcp":
        return Target(parts.hostname, parts.port or TCP_PORT)
    try:
        made = ssl.create_default_context(cafile=settings.syslog_authority)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.syslog_certificate is not None:
            made.load_cert_chain(settings.syslog_certificate, settings.syslog_key, lambda: "")
    except OSError as problem:  # ssl.SSLError is one
        why = getattr(problem, "reason", None) or problem.strerror
        raise Problem(
            "bad_certificate",
            f"The certificates for syslog cannot be used: {why}.",
            "Let PSN_SYSLOG_AUTHORITY, _CERTIFICATE and _KEY name PEM files that can be read.",
        ) from problem
    return Target(parts.hostname, parts.port or TLS_PORT, made)


def sender(settings: Settings) -> Sender:
    """Who we are to a receiver."""
    return Sender(socket.gethostname(), os.getpid(), settings.syslog_enterprise)


class SyslogReceiver:
    """One receiver of syslog messages (:class:`psn.csirt.outlets.Receiver`)."""

    def __init__(self, where: Target, who: Sender, settled_after: float = SETTLED_SECONDS) -> None:
        self.settled_after = settled_after
        self._where = where
        self._who = who
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        """Ends when the receiver has closed: it never says anything."""

    async def ready(self) -> None:
        """Connect, when there is no connection."""
        if self._writer is None:
            await self._connect()
        elif self._listening is None or self._listening.done():
            await self.close()
            raise Undelivered("the receiver closed the connection")

    async def _connect(self) -> None:
        reader, writer = await connect(self._where)
        self._writer = writer
        self._listening = asyncio.create_task(_until_closed(reader), name="syslog")

    async def deliver(self, events: Sequence[SecurityEvent]) -> None:
        """Write events; that they were received shows by the connection's living on."""
        assert self._writer is not None
        messages = (syslog_format.message(event, self._who) for event in events)
        try:
            self._writer.write(b"".join(map(syslog_format.framed, messages)))
            async with asyncio.timeout(WRITE_SECONDS):
                await self._writer.drain()
        except (OSError, TimeoutError) as problem:
            await self.close()
            raise Undelivered(f"sending failed: {_said(problem)}") from problem

    def pause(self, failures: int) -> float:
        """A second, then twice as long each time, up to half a minute."""
        return float(min(2 ** (failures - 1), LONGEST_PAUSE)) if failures < 10 else LONGEST_PAUSE

    async def give_up(self, failing: float) -> bool:
        """Never: it is in the settings, and the metrics tell of it."""
        return False

    async def close(self) -> None:
        """Close the connection; what still waits to be sent is sent first, if that goes quickly."""
        writer, self._writer = self._writer, None
        listening, self._listening = self._listening, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
            writer.transport.abort()
        if listening is not None:
            listening.cancel()
            await asyncio.wait((listening,))


async def connect(where: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a receiver that was verified; raises :class:`Undelivered`."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(where.host, where.port, ssl=where.tls)
    except (OSError, TimeoutError, UnicodeError) as problem:
        raise Undelivered(
            f"{where.host}:{where.port} cannot be reached: {_said(problem)}"
        ) from problem
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_USER_TIMEOUT, int(UNACKNOWLEDGED_SECONDS * 1_000)),
        (socket.TCP_KEEPIDLE, 5),
        (socket.TCP_KEEPINTVL, 2),
        (socket.TCP_KEEPCNT, 3),
    ):
        raw.setsockopt(socket.IPPROTO_TCP, option, value)
    return reader, writer


async def _until_closed(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(4_096):
            pass


def _said(problem: BaseException) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not good: {problem.verify_message}"
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
