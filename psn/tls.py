"""TLS of the server: a context from files, replaced by another when the files change.

Clients may be asked for a certificate too (mutual TLS): one that shows none is let in, one that
shows a bad one is not. Who must have shown one is for ``psn.identity.signin`` to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from psn.problems import Problem
from psn.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: what RFC 9325 §4.2 recommends, forward secret and authenticated, nothing else.

Those of TLS 1.3 are all so. The server's order counts, which puts 256 bits first.
"""


class TlsProblem(Problem):
    """Why certificate and key cannot be used."""


def context(certificate: Path, key: Path, authority: Path | None = None) -> ssl.SSLContext:
    """A server's context, TLS 1.2 and 1.3; raises :class:`TlsProblem`.

    ``certificate`` is a PEM file with the server's certificate first and then those that signed
    it; ``key`` is the PEM file of its private key, without a passphrase. ``authority`` is the PEM
    file of those that sign certificates of clients; with it, TLS 1.3 only.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHERS)
    made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    _load(made, certificate, key)
    if authority is not None:
        _ask_clients(made, authority)
    return made


@contextlib.asynccontextmanager
async def secured(settings: Settings) -> AsyncIterator[ssl.SSLContext | None]:
    """The context that the settings name, kept current; none without one.

    Raises :class:`TlsProblem`.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        yield None
        return
    authority = settings.tls_client_authority
    files = (
        Path(settings.tls_certificate),
        Path(settings.tls_key),
        None if authority is None else Path(authority),
    )
    made = context(*files)
    task = asyncio.create_task(keep_current(made, *files), name="certificate")
    try:
        yield made
    finally:
        task.cancel()


def _load(into: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        into.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as problem:
        raise TlsProblem(
            "bad_certificate",
            f"{certificate} and {key} are no certificate with its key: {problem.reason}.",
            "Name PEM files that belong together; psn cert dev makes a pair to try with.",
        ) from problem
    except OSError as problem:
        raise TlsProblem(
            "bad_certificate",
            f"{certificate} or {key} cannot be read: {problem.strerror}.",
            "Correct PSN_TLS_CERTIFICATE and PSN_TLS_KEY, or let the server's user read them.",
        ) from problem


def _ask_clients(of: ssl.SSLContext, authority: Path) -> None:
    try:
        of.load_verify_locations(authority)
    except OSError as problem:  # ssl.SSLError is one
        why = getattr(problem, "reason", None) or problem.strerror
        raise TlsProblem(
            "bad_certificate",
            f"{authority} holds no authority for certificates of clients: {why}.",
            "Let PSN_TLS_CLIENT_AUTHORITY name a PEM file that the server's user may read.",
        ) from problem
    of.verify_mode = ssl.CERT_OPTIONAL
    # A resumed session is not verified again, whatever has run out or was replaced meanwhile, and
    # only in TLS 1.3 can resuming be turned off. TLS 1.2 would also show certificates to everyone
    # on the way.
    of.minimum_version = ssl.TLSVersion.TLSv1_3
    of.num_tickets = 0


def _written(files: tuple[Path, ...]) -> tuple[int, ...]:
    """When the files were last changed; 0 for one that is being replaced."""
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


async def keep_current(
    of: ssl.SSLContext, certificate: Path, key: Path, authority: Path | None = None
) -> None:
    """Use the files anew whenever they have changed; connections that are open stay.

    Files that cannot be used, such as one half of a renewal, leave the old ones in place.
    """
    files = (certificate, key) if authority is None else (certificate, key, authority)
    seen = _written(files)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = _written(files)
        if now == seen:
            continue
        seen = now
        try:
            _hand_over(of, context(certificate, key, authority))
            log.info("the certificate was renewed from %s", certificate)
        except TlsProblem as problem:
            log.warning("the certificate was not renewed: %s", problem.text)


def _hand_over(of: ssl.SSLContext, fresh: ssl.SSLContext) -> None:
    """Let a fresh context answer for the one that listens.

    A context can be given a new certificate but never made to forget an authority. It is asked
    for another at each handshake, also of clients that name no server (RFC 6066 §3).
    """

    def instead(
        connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, base: ssl.SSLContext
    ) -> None:
        connection.context = fresh

    of.sni_callback = instead
