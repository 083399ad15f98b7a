"""Templates of warnings for Belize: what an officer begins with. Data, one file each.

A file has what CAP asks for, how long such a warning holds, blanks to fill in, the words in
English, Spanish and Kriol, and where wording and hours were read. What could not be confirmed is
said in ``doubt``. Words in Kriol are ours, in the spelling of the National Kriol Council: somebody
who speaks it at home has to read them before they are used, as Spanish has to be read at NEMO.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from dispatch.alerting import cap
from dispatch.alerting.areas import Area, named_in
from dispatch.alerting.content import BELIZE, LANGUAGES, SPANISH, Content, Text

GIVEN: Final = frozenset({"area", "until"})
"""Blanks that are filled from the area and the end of a warning."""
_BLANK: Final = re.compile(r"\{([a-z_]+)\}")
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_MESES: Final = ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic")


@dataclass(frozen=True, slots=True)
class Blank:
    """Something that the officer fills in; what is optional may be left empty."""

    name: str
    en: str
    es: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where something was read: what, and at which address."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of warning.

    Attributes:
        code: of the event; the file's name.
        name: in each language of the pages, ``en`` and ``es``.
        hours: how long such a warning holds, unless the officer says otherwise.
        texts: with blanks, as ``{storm}``.
        doubt: what nobody has confirmed yet.
    """

    code: str
    name: Mapping[str, str]
    categories: tuple[cap.Category, ...]
    urgency: cap.Urgency
    severity: cap.Severity
    certainty: cap.Certainty
    responses: tuple[cap.Response, ...]
    hours: float
    texts: tuple[Text, ...]
    blanks: tuple[Blank, ...]
    sources: tuple[Source, ...]
    doubt: str = ""

    def content(
        self,
        status: cap.Status,
        area: Area,
        values: Mapping[str, str],
        now: datetime,
        expires: datetime | None = None,
    ) -> Content:
        """A draft: blanks that have a value are filled in, the others stay to be seen."""
        ends = expires or _rounded(now + timedelta(hours=self.hours))
        known = {blank.name: values.get(blank.name, "") for blank in self.blanks}
        left = {
            blank.name
            for blank in self.blanks
            if not known[blank.name].strip() and not blank.optional
        }
        said = {name: value.strip() for name, value in known.items() if name not in left}
        return Content(
            status=status,
            event=self.code,
            categories=self.categories,
            urgency=self.urgency,
            severity=self.severity,
            certainty=self.certainty,
            responses=self.responses,
            texts=tuple(
                _filled(
                    text,
                    {
                        **said,
                        "area": named_in(area.name, text.language),
                        "until": until(ends, text.language),
                    },
                )
                for text in self.texts
            ),
            area=area,
            expires=ends,
        )


@cache
def templates() -> Mapping[str, Template]:
    """Every template, by code."""
    folder = resources.files(__package__) / "templates"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return MappingProxyType(
        {
            file.name.removesuffix(".toml"): _template(
                file.name.removesuffix(".toml"), tomllib.loads(file.read_text(encoding="utf-8"))
            )
            for file in files
            if file.name.endswith(".toml")
        }
    )


def until(moment: datetime, language: str) -> str:
    """A moment by the country's clock, short enough for a telephone: ``6:00 pm 1 Sep``."""
    local = moment.astimezone(BELIZE)
    hour = local.hour % 12 or 12
    half = "am" if local.hour < 12 else "pm"
    month = (_MESES if language == SPANISH else _MONTHS)[local.month - 1]
    return f"{hour}:{local.minute:02d} {half} {local.day} {month}"


def _rounded(moment: datetime) -> datetime:
    """The next full hour: an end that people can remember."""
    full = moment.replace(minute=0, second=0, microsecond=0)
    return full if full == moment else full + timedelta(hours=1)


def _filled(text: Text, values: Mapping[str, str]) -> Text:
    def fill(words: str) -> str:
        said = _BLANK.sub(lambda blank: values.get(blank[1], blank[0]), words)
        return " ".join(said.split())

    return Text(
        language=text.language,
        event=text.event,
        headline=fill(text.headline),
        description=fill(text.description),
        instruction=fill(text.instruction),
        short=fill(text.short),
    )


def _template(code: str, data: Mapping[str, Any]) -> Template:
    return Template(
        code=code,
        name=MappingProxyType(data["name"]),
        categories=tuple(cap.Category(each) for each in data["categories"]),
        urgency=cap.Urgency(data["urgency"]),
        severity=cap.Severity(data["severity"]),
        certainty=cap.Certainty(data["certainty"]),
        responses=tuple(cap.Response(each) for each in data["responses"]),
        hours=data["hours"],
        texts=tuple(Text(language, **data["text"][language]) for language in LANGUAGES),
        blanks=tuple(Blank(**each) for each in data.get("blanks", ())),
        sources=tuple(Source(**each) for each in data["sources"]),
        doubt=data.get("doubt", ""),
    )
