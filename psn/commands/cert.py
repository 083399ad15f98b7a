"""``psn cert``: certificates to try TLS with."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import click
import trustme

from psn.problems import Problem

_NAME: Final = re.compile(r"(?!(authority|server)$)[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")


@click.group()
def cert() -> None:
    """Certificates to try with."""


@cert.command(
    epilog="""
\b
Examples:
  psn cert dev --into .psn/tls --name psn.example.bz
  psn cert dev --into .psn/tls --client tablet-12     one more, for a device, of the same authority
"""
)
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".psn/tls"),
    show_default=True,
    help="Directory to write to.",
)
@click.option("--name", "names", multiple=True, help="One more name or address of the server.")
@click.option("--client", help="Make a certificate for this client, by the authority there.")
def dev(into: Path, names: tuple[str, ...], client: str | None) -> None:
    """Make a local authority and a certificate for this machine. Not for real use."""
    if client is not None:
        _for_client(into, client)
        return
    _check_free(into, "authority.pem", "authority.key", "server.pem", "server.key")
    into.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Public Safety Network, for trying out")
    issued = authority.issue_cert("localhost", "127.0.0.1", "::1", *names)
    (into / "authority.pem").write_bytes(authority.cert_pem.bytes())
    _write_secret(into / "authority.key", authority.private_key_pem.bytes())
    _write_pair(into, "server", issued)
    click.echo(f"PSN_TLS_CERTIFICATE={into / 'server.pem'} PSN_TLS_KEY={into / 'server.key'}")
    click.echo(f"Let browsers and clients trust {into / 'authority.pem'}.", err=True)


def _for_client(into: Path, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Problem(
            "bad_name",
            f"{name!r} names no file here.",
            "Use letters, digits, dots, hyphens and underscores, and not a name of the server's.",
        )
    _check_free(into, f"{name}.pem", f"{name}.key")
    try:
        parts = [(into / f"authority.{part}").read_bytes() for part in ("pem", "key")]
        authority = trustme.CA.from_pem(*parts)
    except (OSError, ValueError) as error:
        raise Problem(
            "no_authority",
            f"There is no authority with its key in {into}.",
            "Make one first: psn cert dev without --client.",
        ) from error
    _write_pair(into, name, authority.issue_cert(common_name=name))
    click.echo(f"{into / name}.pem and {into / name}.key are for the client {name}.")
    click.echo(f"PSN_TLS_CLIENT_AUTHORITY={into / 'authority.pem'}: the server knows it.", err=True)


def _check_free(into: Path, *names: str) -> None:
    for name in names:
        if (into / name).exists():
            raise Problem(
                "cert_exists", f"{into / name} is there already.", "Remove it, or use --into."
            )


def _write_pair(into: Path, name: str, issued: trustme.LeafCert) -> None:
    (into / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    _write_secret(into / f"{name}.key", issued.private_key_pem.bytes())


def _write_secret(file: Path, content: bytes) -> None:
    """Readable by its owner alone from the first moment."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
