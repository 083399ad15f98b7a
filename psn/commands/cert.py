"""``psn cert``: certificates to try TLS with."""

from __future__ import annotations

import os
from pathlib import Path

import click
import trustme

from psn.problems import Problem


@click.group()
def cert() -> None:
    """Certificates to try with."""


@cert.command(epilog="Example: psn cert dev --into .psn/tls --name psn.example.bz")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".psn/tls"),
    show_default=True,
    help="Directory to write to.",
)
@click.option("--name", "names", multiple=True, help="One more name or address of the server.")
def dev(into: Path, names: tuple[str, ...]) -> None:
    """Make a local authority and a certificate for this machine. Not for real use."""
    files = {name: into / name for name in ("authority.pem", "server.pem", "server.key")}
    there = [file for file in files.values() if file.exists()]
    if there:
        raise Problem("cert_exists", f"{there[0]} is there already.", "Remove it, or use --into.")
    into.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Public Safety Network, for trying out")
    issued = authority.issue_cert("localhost", "127.0.0.1", "::1", *names)
    files["authority.pem"].write_bytes(authority.cert_pem.bytes())
    files["server.pem"].write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    _write_secret(files["server.key"], issued.private_key_pem.bytes())
    click.echo(f"PSN_TLS_CERTIFICATE={files['server.pem']} PSN_TLS_KEY={files['server.key']}")
    click.echo(f"Let browsers and clients trust {files['authority.pem']}.", err=True)


def _write_secret(file: Path, content: bytes) -> None:
    """Readable by its owner alone from the first moment."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
