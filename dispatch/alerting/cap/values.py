"""A CAP alert as values: what OASIS CAP 1.2, section 3.2, says that there is."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

DEFAULT_LANGUAGE: Final = "en-US"
"""The language of an ``info`` that names none (3.2.2)."""


class Version(enum.StrEnum):
    """Versions that are read; the value is the XML namespace."""

    V1_1 = "urn:oasis:names:tc:emergency:cap:1.1"
    V1_2 = "urn:oasis:names:tc:emergency:cap:1.2"


class Status(enum.StrEnum):
    """Whether somebody has to act on it."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(enum.StrEnum):
    """What it does to earlier messages."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(enum.StrEnum):
    """For whom it is."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Category(enum.StrEnum):
    """What kind of event."""

    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class Response(enum.StrEnum):
    """What people are to do."""

    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


class Urgency(enum.StrEnum):
    """When people are to act."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Severity(enum.StrEnum):
    """How bad it may be."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(enum.StrEnum):
    """How likely it is."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class Point(NamedTuple):
    """A position; degrees, WGS 84, latitude first as everywhere in CAP."""

    lat: float
    lon: float


Polygon = tuple[Point, ...]
"""A closed ring: the last point is the first."""


class Circle(NamedTuple):
    """A point and what lies around it."""

    centre: Point
    radius_km: float


class Named(NamedTuple):
    """A value and whose word it is: of ``eventCode``, ``parameter`` and ``geocode``."""

    name: str
    value: str


class Reference(NamedTuple):
    """An earlier message."""

    sender: str
    identifier: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that belongs to the alert: a picture, a sound."""

    description: str
    mime_type: str | None = None
    """Required in 1.2; in 1.1 it may be missing."""
    size: int | None = None
    """Bytes."""
    uri: str | None = None
    content: str | None = None
    """``derefUri``: the thing itself, in base 64."""
    digest: str | None = None
    """SHA-1 of the thing, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Area:
    """Where: all of its polygons, circles and codes together."""

    description: str
    polygons: tuple[Polygon, ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    altitude: Decimal | None = None
    """Feet above mean sea level; the lowest, when there is a ceiling."""
    ceiling: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """What is said, in one language."""

    categories: tuple[Category, ...]
    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    language: str | None = None
    responses: tuple[Response, ...] = ()
    audience: str | None = None
    event_codes: tuple[Named, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()

    @property
    def spoken(self) -> str:
        """The language, said or by default."""
        return (
            self.language.strip() if self.language and self.language.strip() else DEFAULT_LANGUAGE
        )


@dataclass(frozen=True, slots=True)
class Alert:
    """One message."""

    identifier: str
    sender: str
    sent: datetime
    status: Status
    message_type: MessageType
    scope: Scope
    source: str | None = None
    restriction: str | None = None
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()

    @property
    def reference(self) -> Reference:
        """How other messages name this one."""
        return Reference(self.sender, self.identifier, self.sent)
