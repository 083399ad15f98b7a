"""TLS of the server: a context from files, made anew in place when the files change."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from psn.problems import Problem

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0


class TlsProblem(Problem):
    """Why certificate and key cannot be used."""


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context, TLS 1.2 and 1.3; raises :class:`TlsProblem`.

    ``certificate`` is a PEM file with the server's certificate first and then those that signed
    it; ``key`` is the PEM file of its private key, without a passphrase.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(made, certificate, key)
    return made


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


def _written(*files: Path) -> tuple[int, ...]:
    """When the files were last changed; 0 for one that is being replaced."""
    return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


async def keep_current(of: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Load the files again whenever they have changed; connections that are open stay.

    A pair that cannot be used, such as one half of a renewal, leaves the old one in place.
    """
    seen = _written(certificate, key)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = _written(certificate, key)
        if now == seen:
            continue
        seen = now
        try:
            # Tried on another context first: loading a key that does not fit spoils the one used.
            context(certificate, key)
            _load(of, certificate, key)
            log.info("the certificate was renewed from %s", certificate)
        except TlsProblem as problem:
            log.warning("the certificate was not renewed: %s", problem.text)
