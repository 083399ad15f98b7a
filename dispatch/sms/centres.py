"""The SMS centres that ``PSN_SMSC`` names: a TOML file, since it has passwords."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from dispatch import toml_file
from psn.problems import Problem

_NAME: Final = r"^[a-z0-9_-]{1,20}\Z"
_SOURCE: Final = re.compile(r"\+?[0-9]{3,15}|[A-Za-z][A-Za-z0-9 ]{0,10}")


@dataclass(frozen=True, slots=True)
class Centre:
    """An SMS centre, and what its operator has agreed to.

    Attributes:
        source: whom a message comes from, a word of up to eleven letters or a number.
        window: submissions that may be unanswered at once.
        rate: submissions a second.
        price: of one submission.
    """

    name: str
    host: str
    port: int
    system_id: str
    password: str
    source: str = "NEMO"
    tls: bool = False
    window: int = 10
    rate: float = 50.0
    price: Decimal | None = None


class _Centre(Struct, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(pattern=_NAME)]
    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65_535)] = 2_775
    system_id: Annotated[str, Meta(max_length=15)]
    password: Annotated[str, Meta(max_length=8)]
    source: str = "NEMO"
    tls: bool = False
    window: Annotated[int, Meta(ge=1, le=1_000)] = 10
    rate: Annotated[float, Meta(gt=0, le=10_000)] = 50.0
    price: Annotated[float, Meta(ge=0, le=1_000)] | None = None


class _File(Struct, forbid_unknown_fields=True):
    smsc: list[_Centre]


def read(path: str) -> tuple[Centre, ...]:
    """The centres of a file; raises :class:`Problem` ``bad_smsc``."""
    said = toml_file.read(path, _File, partial(_bad, path))
    if not toml_file.told_apart(said.smsc):
        raise _bad(path, "has two centres of one name")
    for each in said.smsc:
        if not _SOURCE.fullmatch(each.source):
            raise _bad(path, f"has {each.source!r} as source, which no telephone shows")
    return tuple(_centre(each) for each in said.smsc)


def _centre(said: _Centre) -> Centre:
    fields = msgspec.structs.asdict(said)
    price = None if said.price is None else Decimal(str(said.price))
    return Centre(**{**fields, "price": price})


def _bad(path: str, why: str) -> Problem:
    return Problem(
        "bad_smsc",
        f"The file of SMS centres {path} {why}.",
        "Correct it; docs/operating.md (Warnings) has an example.",
    )
