"""What the settings say of a radio network as a whole: how its radios are written to and called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from radio_bridge.bridge import tables
from radio_bridge.bridge.tables import Table


@dataclass(frozen=True, slots=True)
class RadioNetwork:
    """What holds for all links of a radio network."""

    called: str
    """Its name in this network."""
    texts: str = "motorola"
    """How texts are written to its radios: ``etsi``, ``motorola``, ``hytera``."""
    positions_s: int | None = None
    """Radios that are heard are to say where they are, every so many seconds; none: not asked."""
    statuses: dict[int, str] = field(default_factory=dict)
    """What a number that radios send as their status means."""
    desks: dict[int, int] = field(default_factory=dict)
    """Numbers that ring where an agency takes calls."""
    is_asked: bool = False
    """Its radios answer when they are asked whether they take a private call (OACSU)."""


def read(table: Table, name: str) -> RadioNetwork:
    """Of the file's table; ``name``: by which links know it."""
    made = RadioNetwork(
        table.take("called", tables.words, name),
        table.take("texts", tables.one_of("etsi", "motorola", "hytera"), "motorola"),
        table.take("positions", tables.whole(10, 86_400), None),
        table.take("status", _statuses, {}),
        table.take("desks", _desks, {}),
        table.take("ask_before_calls", tables.yes, False),
    )
    table.done()
    return made


def _statuses(value: Any) -> dict[int, str]:
    wanted = 'a table of numbers from 0 to 1023 and what they mean, such as 1 = "available"'
    if not isinstance(value, dict):
        raise ValueError(wanted)
    found: dict[int, str] = {}
    for number, word in value.items():
        is_number = number.isascii() and number.isdecimal() and int(number) < 1024
        if not is_number or not isinstance(word, str) or not re.fullmatch("[a-z_]+", word):
            raise ValueError(wanted)
        found[int(number)] = word
    return found


def _desks(value: Any) -> dict[int, int]:
    wanted = 'a table of radios\' numbers and agencies, such as 7000 = "agency:1"'
    if not isinstance(value, dict):
        raise ValueError(wanted)
    found: dict[int, int] = {}
    for number, agency in value.items():
        is_number = re.fullmatch(r"[1-9]\d{0,7}", number, re.ASCII)
        of = re.fullmatch(r"agency:([1-9]\d{0,8})", str(agency), re.ASCII)
        if not is_number or int(number) > tables.MOST_RADIO or of is None:
            raise ValueError(wanted)
        found[int(number)] = int(of[1])
    return found
