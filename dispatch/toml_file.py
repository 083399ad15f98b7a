"""A settings file in TOML of tables that have names, read as it is meant or refused."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from psn.problems import Problem

T = TypeVar("T")


class Named(Protocol):
    """A table with a name of its own."""

    name: str


def read(path: str, kind: type[T], bad: Callable[[str], Problem]) -> T:
    """What a file says; raises the problem that ``bad`` makes of why it cannot be used."""
    try:
        return msgspec.convert(tomllib.loads(Path(path).read_text(encoding="utf-8")), kind)
    except OSError as error:
        raise bad(f"cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise bad(f"is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise bad(f"is not right: {error}") from error


def told_apart(tables: Sequence[Named]) -> bool:
    """Whether each has a name of its own."""
    return len({each.name for each in tables}) == len(tables)
