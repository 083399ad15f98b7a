"""Reading a file of settings: every value at its path, every error with the path and a sentence.

Errors are gathered, so that whoever writes the file is told all of them at once.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")
Address = tuple[str, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_RADIO: Final = 16_776_415
"""The highest number of a radio or a talkgroup (TS 102 361-1, annex A)."""
_NOTHING: Final = object()


class Errors:
    """What is wrong with a file, in the order of the file."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, wanted: str) -> None:
        """At this path something else is wanted."""
        self.found.append(f"{path}: {wanted}.")


class Table:
    """One table of the file. What is not read of it by :meth:`done` is nothing that is known."""

    def __init__(self, content: Any, path: str, errors: Errors) -> None:
        self.path = path
        self.errors = errors
        self._known: list[str] = []
        self._content: dict[str, Any] = {}
        if isinstance(content, dict):
            self._content = content
        else:
            errors.add(path, "a table is wanted here")

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def at(self, name: str) -> str:
        """The path of something in it."""
        return f"{self.path}.{name}" if self.path else name

    def take(self, name: str, read: Callable[[Any], T], otherwise: Any = _NOTHING) -> Any:
        """A value; ``otherwise`` where there is none. What is wrong is said and ``otherwise``."""
        self._known.append(name)
        if name not in self._content:
            if otherwise is _NOTHING:
                self.errors.add(self.at(name), "this has to be given")
                return None
            return otherwise
        try:
            return read(self._content[name])
        except ValueError as error:
            self.errors.add(self.at(name), f"wanted is {error}")
            return None if otherwise is _NOTHING else otherwise

    def table(self, name: str) -> Table | None:
        """A table in it, where there is one."""
        self._known.append(name)
        if name not in self._content:
            return None
        return Table(self._content[name], self.at(name), self.errors)

    def tables(self, name: str) -> dict[str, Table]:
        """The tables in a table in it, by name."""
        outer = self.table(name)
        if outer is None:
            return {}
        return {
            key: Table(value, outer.at(key), self.errors) for key, value in outer._content.items()
        }

    def each(self, name: str) -> list[Table]:
        """A list of tables in it."""
        self._known.append(name)
        content = self._content.get(name, [])
        if not isinstance(content, list):
            self.errors.add(self.at(name), f"a list of tables is wanted: [[{name}]]")
            return []
        return [
            Table(one, f"{self.at(name)}.{number}", self.errors)
            for number, one in enumerate(content, 1)
        ]

    def done(self) -> None:
        """Nothing more of it is known."""
        for name in self._content:
            if name not in self._known:
                near = difflib.get_close_matches(name, self._known, 1)
                meant = f"; {near[0]} is probably meant" if near else ""
                self.errors.add(self.at(name), f"there is no such setting{meant}")


def words(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a text that is not empty, in one line")
    return value.strip()


def yes(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number between these."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


number = whole(1, MOST_RADIO)
"""Of a radio or a talkgroup."""


def numbers(value: Any) -> frozenset[int]:
    """A list of numbers of talkgroups, each once."""
    wanted = f"a list of talkgroups, each once, from 1 to {MOST_RADIO}"
    if not isinstance(value, list):
        raise ValueError(wanted)
    try:
        found = frozenset(number(one) for one in value)
    except ValueError:
        raise ValueError(wanted) from None
    if len(found) != len(value):
        raise ValueError(wanted)
    return found


def address(value: Any) -> Address:
    """A host and a port: ``10.8.0.1:62031``, ``[::1]:62031``."""
    wanted = "an address with a port, such as 10.8.0.1:62031"
    if not isinstance(value, str):
        raise ValueError(wanted)
    host, _, port = value.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(wanted)
    return host, int(port)


def networks(value: Any) -> tuple[Network, ...]:
    """Networks from which somebody may come."""
    wanted = "a list of addresses or networks, such as 10.8.0.0/16"
    if not isinstance(value, list):
        raise ValueError(wanted)
    try:
        return tuple(ipaddress.ip_network(str(one)) for one in value)
    except ValueError:
        raise ValueError(wanted) from None


def ranges(value: Any) -> tuple[range, ...]:
    """Numbers of radios: ``[7001, "7100-7199"]``."""
    wanted = 'a list of radios\' numbers and ranges, such as [7001, "7100-7199"]'
    if not isinstance(value, list):
        raise ValueError(wanted)
    found: list[range] = []
    for one in value:
        low, _, high = str(one).partition("-")
        try:
            first, last = number(int(low)), number(int(high or low))
        except ValueError:
            raise ValueError(wanted) from None
        if isinstance(one, bool) or last < first:
            raise ValueError(wanted)
        found.append(range(first, last + 1))
    return tuple(found)


def one_of(*allowed: str) -> Callable[[Any], str]:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError("one of " + ", ".join(allowed))
        return str(value)

    return read
