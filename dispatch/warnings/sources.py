"""The feeds of others that ``PSN_FEEDS`` names: a TOML file, each with whose signature counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from cryptography import x509
from msgspec import Meta, Struct

from dispatch import toml_file
from psn.csirt import webhook_protocol
from psn.problems import Problem

_NAME: Final = r"^[a-z0-9_-]{1,30}\Z"


@dataclass(frozen=True, slots=True)
class Source:
    """A feed that is listened to.

    Attributes:
        name: ours, for lists and logs.
        title: for people.
        url: where it is.
        hosts: to which its entries may lead, beside its own.
        certificates: of those who sign its alerts; none: nobody's signature is known.
        every: seconds between two looks.
    """

    name: str
    title: str
    url: str
    hosts: frozenset[str] = frozenset()
    certificates: tuple[x509.Certificate, ...] = ()
    every: float = 60.0


class _Feed(Struct, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(pattern=_NAME)]
    url: Annotated[str, Meta(min_length=1, max_length=2_000)]
    title: Annotated[str, Meta(max_length=100)] = ""
    hosts: list[Annotated[str, Meta(min_length=1, max_length=253)]] = []
    certificates: list[str] = []
    every: Annotated[float, Meta(ge=30, le=3_600)] = 60.0


class _File(Struct, forbid_unknown_fields=True):
    feed: list[_Feed]


def read(path: str) -> tuple[Source, ...]:
    """The feeds of a file, and their certificates; raises :class:`Problem` ``bad_feeds``."""
    said = toml_file.read(path, _File, partial(_bad, path))
    if not toml_file.told_apart(said.feed):
        raise _bad(path, "has two feeds of one name")
    return tuple(_source(each, path) for each in said.feed)


def _source(said: _Feed, path: str) -> Source:
    try:
        webhook_protocol.check_url(said.url)
    except Problem as problem:
        raise _bad(path, f"has a feed {said.name} that is not asked: {problem.text}") from problem
    found: list[x509.Certificate] = []
    for name in said.certificates:
        file = Path(path).parent / name
        try:
            found += x509.load_pem_x509_certificates(file.read_bytes())
        except OSError as error:
            raise _bad(path, f"names {file}, which cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise _bad(path, f"names {file}, which is no certificate in PEM") from error
    hosts = frozenset(each.lower() for each in said.hosts)
    return Source(said.name, said.title or said.name, said.url, hosts, tuple(found), said.every)


def _bad(path: str, why: str) -> Problem:
    return Problem(
        "bad_feeds",
        f"The file of feeds {path} {why.rstrip('.')}.",
        "Correct it; docs/operating.md (Warnings) has an example.",
    )
