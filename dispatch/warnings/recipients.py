"""Who is warned by SMS, e-mail, requests and in groups, as somebody names him; checked. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dispatch.alerting.channels import takes
from dispatch.alerting.content import LANGUAGES, SPOKEN, Channel
from dispatch.domain import telephone
from geo import belize
from psn.csirt import webhook_protocol
from psn.problems import Problem

CHANNELS: Final = ("sms", "email", "webhook", "cell", "spoken", "radio_text")
SIGNED: Final = ("webhook", "cell")
"""Those whose requests are signed with a secret of their own."""
GROUPS: Final = ("spoken", "radio_text")
"""Those that go to voice groups, and the talkgroups that are joined with them."""
_MAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,250}\.[A-Za-z]{2,63}\Z")
_COLUMNS: Final = frozenset({"channel", "address", "district", "language"})


@dataclass(frozen=True, slots=True)
class Said:
    """A recipient as he was named; ``district`` is ISO 3166-2, none: everywhere."""

    channel: str
    address: str
    district: str | None = None
    language: str = "en-BZ"


def checked(said: Said) -> Said:
    """The same, written as it is kept; raises :class:`Problem` ``bad_recipient``."""
    district = (said.district or "").strip().upper() or None
    if district is not None and district not in {each.code for each in belize.districts()}:
        codes = ", ".join(each.code for each in belize.districts())
        raise _bad(f"{said.district!r} is no district", f"Choose from {codes}.")
    if said.language not in LANGUAGES:
        raise _bad(f"{said.language!r} is no language here", f"Choose from {', '.join(LANGUAGES)}.")
    address = said.address.strip()
    if said.channel == "sms":
        address = _number(address)
    elif said.channel == "email":
        if not _MAIL.match(address) or not address.isascii():
            raise _bad(f"{address!r} is no address for e-mail", "Write name@example.bz.")
    elif said.channel in SIGNED:
        webhook_protocol.check_url(address)
    elif said.channel in GROUPS:
        address = _group(address)
        if not takes(Channel(said.channel), said.language):
            raise _bad(f"no voice speaks {SPOKEN[said.language]}", "Choose en-BZ or es-BZ.")
    else:
        raise _bad(f"{said.channel!r} is no channel", f"Choose from {', '.join(CHANNELS)}.")
    return replace(said, address=address, district=district)


def read_csv(data: bytes) -> list[Said]:
    """The rows of a table; raises :class:`Problem` with the line that is bad."""
    try:
        lines = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        names = set(lines.fieldnames or ())
        if not {"channel", "address"} <= names <= _COLUMNS:
            raise _bad(
                "the first line does not name the columns",
                "Name channel, address, and perhaps district, language.",
            )
        return list(_rows(lines))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad(f"it is no table: {error}", "Save it as CSV in UTF-8.") from error


def _rows(lines: csv.DictReader[str]) -> Iterator[Said]:
    for row in lines:
        said: Mapping[str | None, str | None] = row
        if None in said or None in said.values():
            raise _bad(f"line {lines.line_num} has other columns than the first", "Correct it.")
        if row["channel"].strip() in SIGNED:
            raise _bad(
                f"line {lines.line_num} is a receiver of requests",
                "Add it by itself: it has a secret.",
            )
        try:
            yield checked(
                Said(
                    row["channel"].strip(),
                    row["address"],
                    row.get("district"),
                    (row.get("language") or "en-BZ").strip(),
                )
            )
        except Problem as problem:
            raise _bad(f"line {lines.line_num}: {problem.text}", problem.todo) from None


def _group(text: str) -> str:
    """The address of a group; whether it is there, and may be warned, is found when it is."""
    number = text.removeprefix("group:")
    if not (number.isascii() and number.isdecimal() and len(number) <= 9 and int(number)):
        raise _bad(f"{text!r} is no group", "Write its address, such as group:2.")
    return f"group:{int(number)}"


def _number(text: str) -> str:
    found = telephone.number(text)
    if found is None:
        raise _bad(f"{text!r} is no telephone number", "Write it as +5016001234.")
    return found


def _bad(what: str, todo: str) -> Problem:
    return Problem("bad_recipient", f"{what[:1].upper()}{what[1:].rstrip('.')}.", todo)
