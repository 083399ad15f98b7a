"""What each channel shows of a warning, in each language, and whether it fits. Pure.

One that is not Actual says so first and last, in its own language, on every channel; so nobody
acts on a test, and nobody who misses the first word is misled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dispatch.alerting.cap import Status
from dispatch.alerting.content import ENGLISH, KRIOL, SPANISH, Channel, Content, Text
from dispatch.sms import short_messages

MARKS: Final[Mapping[Status, Mapping[str, str]]] = {
    Status.EXERCISE: {
        ENGLISH: "EXERCISE EXERCISE EXERCISE",
        SPANISH: "SIMULACRO SIMULACRO SIMULACRO",
        KRIOL: "EXERCISE - DIS DA ONLI PRAKTIS",
    },
    Status.TEST: {
        ENGLISH: "TEST TEST TEST",
        SPANISH: "PRUEBA PRUEBA PRUEBA",
        KRIOL: "TEST - DIS DA ONLI WAH TES",
    },
    Status.SYSTEM: {ENGLISH: "SYSTEM", SPANISH: "SISTEMA", KRIOL: "SYSTEM"},
    Status.DRAFT: {ENGLISH: "DRAFT", SPANISH: "BORRADOR", KRIOL: "DRAFT"},
}
"""What a warning that is not Actual begins and ends with."""
NOT_ACTUAL: Final = frozenset(
    {"exercise", "drill", "test", "simulacro", "prueba", "ejercicio", "praktis", "tes", "draft",
     "borrador"}
)  # fmt: skip
"""Words at whose sight people stop reading; a warning that is Actual must not begin with one."""

SMS_PARTS: Final = 6
"""More messages than this are no warning, and cost as many times the centre's time."""
RADIO_UNITS: Final = 2 * 140
"""UTF-16 units of a text to a radio group; the bridge passes on so many and no more."""
CELL_SEPTETS: Final = 15 * 93
CELL_UNITS: Final = 15 * 41
"""3GPP TS 23.041: fifteen pages of 82 octets."""
PUSH_OCTETS: Final = 3_000
"""RFC 8030 lets a push service refuse more than 4,096 octets, and encryption adds its own."""
SPOKEN_CHARACTERS: Final = 900
"""About a minute of speech, for which a radio group is taken."""
VOICED: Final = (ENGLISH, SPANISH)
"""Languages in which something can be spoken: no voice is known that speaks Kriol."""
HEADLINE_CHARACTERS: Final = 160
"""CAP 1.2, 3.2.2: what a device with little room may show of a headline."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A text on a channel.

    Attributes:
        text: as it is sent or shown.
        length: of it, in what the channel counts.
        most: that fits; none: there is no limit.
        unit: what is counted: ``parts``, ``characters``, ``septets``, ``units`` or ``octets``.
        short: of a short message, how it is parted.
    """

    text: str
    length: int
    most: int | None
    unit: str
    short: short_messages.ShortMessages | None = None

    @property
    def fits(self) -> bool:
        """Whether the channel takes it."""
        return self.most is None or self.length <= self.most


def mark(status: Status, language: str, brief: bool = False) -> str:
    """The words that a warning of a status begins and ends with; nothing when it is Actual.

    ``brief``: one of them, where there is little room.
    """
    words = MARKS.get(status)
    said = "" if words is None else words.get(language, words[ENGLISH])
    return said.partition(" ")[0] if brief else said


def takes(channel: Channel, language: str) -> bool:
    """Whether a channel tells anything in a language."""
    return channel is not Channel.SPOKEN or language in VOICED


def fit(content: Content, text: Text, channel: Channel, sender: str) -> Fit:
    """What a channel sends or shows in a language; ``sender``: whose warning it is, in a word."""
    said = shown(content, text, channel, sender)
    if channel is Channel.SMS:
        parted = short_messages.measure(said)
        return Fit(said, len(parted.parts), SMS_PARTS, "parts", parted)
    if channel is Channel.CELL:
        parted = short_messages.measure(said)
        gsm = parted.coding is short_messages.Coding.GSM_7
        unit = "septets" if gsm else "units"
        return Fit(said, parted.units, CELL_SEPTETS if gsm else CELL_UNITS, unit)
    if channel is Channel.RADIO_TEXT:
        return Fit(said, len(said.encode("utf-16-le")) // 2, RADIO_UNITS, "units")
    if channel is Channel.PUSH:
        return Fit(said, len(said.encode()), PUSH_OCTETS, "octets")
    if channel is Channel.SPOKEN:
        return Fit(said, len(said), SPOKEN_CHARACTERS, "characters")
    return Fit(said, len(said), None, "characters")


def shown(content: Content, text: Text, channel: Channel, sender: str) -> str:
    """The words of a warning on a channel."""
    around = mark(content.status, text.language)
    short = text.short.strip() or _sentences(text.headline or text.event, text.instruction)
    if channel in (Channel.SMS, Channel.RADIO_TEXT, Channel.CELL):
        brief = mark(content.status, text.language, brief=True)
        said = _between(brief, f"{sender}: {short}", " ")
        plain = content.plain_letters and channel is not Channel.RADIO_TEXT
        return short_messages.plainer(said) if plain else said
    if channel is Channel.PUSH:
        return _between(around, f"{sender}: {text.headline or text.event}\n{short}", "\n")
    if channel is Channel.SPOKEN:
        spoken = f"{sender}. {_sentences(text.headline or text.event, text.instruction)}"
        return _between(around, spoken, ". ")
    parts = (text.headline or text.event, text.description, text.instruction)
    return _between(around, "\n\n".join(each.strip() for each in parts if each.strip()), "\n\n")


def begins_as_no_warning(text: str) -> bool:
    """Whether a text begins with a word that belongs to exercises and tests."""
    words = text.split(maxsplit=1)
    return bool(words) and words[0].strip(".,:;!¡-–*[]()").lower() in NOT_ACTUAL


def _between(around: str, text: str, space: str) -> str:
    return f"{around}{space}{text}{space}{around}" if around else text


def _sentences(*parts: str) -> str:
    said = [each.strip() for each in parts if each.strip()]
    return " ".join(each if each[-1] in ".!?…" else f"{each}." for each in said)
