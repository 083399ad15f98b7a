"""What a warning says: to whom, how bad, where, until when, in which words. Pure values."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

import msgspec

from dispatch.alerting import cap
from dispatch.alerting.areas import Area

BELIZE: Final = timezone(timedelta(hours=-6))
"""Times are told by the country's clock, which is the same all year."""
ENGLISH: Final = "en-BZ"
SPANISH: Final = "es-BZ"
KRIOL: Final = "bzj"
"""ISO 639-3; Kriol has no shorter code."""
LANGUAGES: Final = (ENGLISH, SPANISH, KRIOL)
"""In the order in which they stand side by side."""
SPOKEN: Final[Mapping[str, str]] = {ENGLISH: "English", SPANISH: "Spanish", KRIOL: "Kriol"}


class Channel(enum.StrEnum):
    """A way by which a warning reaches people."""

    SCREENS = "screens"
    """Consoles and tablets."""
    SMS = "sms"
    EMAIL = "email"
    FEED = "feed"
    """The public feed, and the alert as a file."""
    PAGE = "page"
    """The public page."""
    RADIO_TEXT = "radio_text"
    """Text to radio groups."""
    SPOKEN = "spoken"
    """An announcement by voice in radio groups."""
    PUSH = "push"
    CELL = "cell"
    """Cell broadcast, by an entity that takes webhooks."""
    WEBHOOK = "webhook"
    """Sirens and broadcasters."""


@dataclass(frozen=True, slots=True)
class Text:
    """The words in one language.

    Attributes:
        language: one of :data:`LANGUAGES`, or another tag.
        event: what it is, such as “Hurricane warning”.
        headline: one line; what happens, and where.
        description: what is known.
        instruction: what to do.
        short: all of it for a telephone or a radio; none: the headline and what to do.
    """

    language: str
    event: str
    headline: str = ""
    description: str = ""
    instruction: str = ""
    short: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that somebody approves.

    Attributes:
        status: Actual, Exercise or Test; System and Draft are for machines and drawers.
        event: its kind, the code of a template or one of the officer's own.
        categories: of CAP; one at least.
        texts: one for each language.
        onset: when it begins; none: with the warning.
        expires: when it is over unless something is said.
        send_at: when it is to be sent; none: as soon as it is approved.
        note: of an exercise, which; of a cancellation, why.
        web: where more is to be read.
        plain_letters: whether short messages go without the letters that need more room
            (:func:`dispatch.sms.short_messages.plainer`).
    """

    status: cap.Status
    event: str
    categories: tuple[cap.Category, ...]
    urgency: cap.Urgency
    severity: cap.Severity
    certainty: cap.Certainty
    responses: tuple[cap.Response, ...] = ()
    texts: tuple[Text, ...] = ()
    area: Area | None = None
    channels: frozenset[Channel] = frozenset(Channel)
    onset: datetime | None = None
    expires: datetime | None = None
    send_at: datetime | None = None
    note: str = ""
    web: str = ""
    plain_letters: bool = False

    def text(self, language: str) -> Text | None:
        """The words in a language."""
        return next((each for each in self.texts if each.language == language), None)

    @property
    def spoken(self) -> str:
        """What it is called in sentences of this server."""
        english = self.text(ENGLISH) or (self.texts[0] if self.texts else None)
        return english.event if english and english.event.strip() else self.event

    @property
    def digest(self) -> str:
        """SHA-256 of all of it: whoever approved this has approved these words, and no others."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()
