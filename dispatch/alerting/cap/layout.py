"""Which elements stand in which, in what order and how often: the schemas of CAP, as tables.

From the XML schemas of OASIS CAP 1.2 (section 3.4) and CAP 1.1. Every group is a sequence, so the
order of the rows is the order in the document.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import Any, Final

from dispatch.alerting.cap import values
from dispatch.alerting.cap.values import Response, Version

SIGNATURES: Final = "http://www.w3.org/2000/09/xmldsig#"
"""The namespace of XML signatures, which may stand at the end of an alert."""


class Kind(enum.Enum):
    """How the text of an element is read."""

    TEXT = "text"
    NAME = "name"
    """Text without spaces, commas, ``<`` and ``&``: ``identifier`` and ``sender``."""
    SAID = "said"
    """Text that must say something."""
    URI = "uri"
    TIME = "time"
    LANGUAGE = "language"
    INTEGER = "integer"
    DECIMAL = "decimal"
    LIST = "list"
    """Words between spaces, those with spaces in quotes."""
    REFERENCES = "references"
    POLYGON = "polygon"
    CIRCLE = "circle"


@dataclass(frozen=True, slots=True)
class Part:
    """An element inside another.

    Attributes:
        name: of the element.
        holds: how its text is read, the words that it may be, or the elements inside it.
        least: 1 when it is required.
        many: whether it may repeat.
        field: of the value that the elements around it make; none: it has the element's name.
    """

    name: str
    holds: Kind | type[enum.StrEnum] | Group
    least: int = 0
    many: bool = False
    field: str = ""

    @property
    def attribute(self) -> str:
        """The field of the value in which it is kept."""
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class Group:
    """Elements in their order.

    Attributes:
        makes: the value that they are together; its fields are those of the parts.
        parts: the elements.
    """

    makes: type[Any]
    parts: tuple[Part, ...]


NAMED: Final = Group(
    values.Named,
    (Part("valueName", Kind.TEXT, 1, field="name"), Part("value", Kind.TEXT, 1)),
)

RESOURCE: Final = Group(
    values.Resource,
    (
        Part("resourceDesc", Kind.TEXT, 1, field="description"),
        Part("mimeType", Kind.TEXT, 1, field="mime_type"),
        Part("size", Kind.INTEGER),
        Part("uri", Kind.URI),
        Part("derefUri", Kind.TEXT, field="content"),
        Part("digest", Kind.TEXT),
    ),
)

AREA: Final = Group(
    values.Area,
    (
        Part("areaDesc", Kind.SAID, 1, field="description"),
        Part("polygon", Kind.POLYGON, many=True, field="polygons"),
        Part("circle", Kind.CIRCLE, many=True, field="circles"),
        Part("geocode", NAMED, many=True, field="geocodes"),
        Part("altitude", Kind.DECIMAL),
        Part("ceiling", Kind.DECIMAL),
    ),
)

INFO: Final = Group(
    values.Info,
    (
        Part("language", Kind.LANGUAGE),
        Part("category", values.Category, 1, many=True, field="categories"),
        Part("event", Kind.SAID, 1),
        Part("responseType", values.Response, many=True, field="responses"),
        Part("urgency", values.Urgency, 1),
        Part("severity", values.Severity, 1),
        Part("certainty", values.Certainty, 1),
        Part("audience", Kind.TEXT),
        Part("eventCode", NAMED, many=True, field="event_codes"),
        Part("effective", Kind.TIME),
        Part("onset", Kind.TIME),
        Part("expires", Kind.TIME),
        Part("senderName", Kind.TEXT, field="sender_name"),
        Part("headline", Kind.TEXT),
        Part("description", Kind.TEXT),
        Part("instruction", Kind.TEXT),
        Part("web", Kind.URI),
        Part("contact", Kind.TEXT),
        Part("parameter", NAMED, many=True, field="parameters"),
        Part("resource", RESOURCE, many=True, field="resources"),
        Part("area", AREA, many=True, field="areas"),
    ),
)

ALERT: Final = Group(
    values.Alert,
    (
        Part("identifier", Kind.NAME, 1),
        Part("sender", Kind.NAME, 1),
        Part("sent", Kind.TIME, 1),
        Part("status", values.Status, 1),
        Part("msgType", values.MessageType, 1, field="message_type"),
        Part("source", Kind.TEXT),
        Part("scope", values.Scope, 1),
        Part("restriction", Kind.TEXT),
        Part("addresses", Kind.LIST),
        Part("code", Kind.TEXT, many=True, field="codes"),
        Part("note", Kind.TEXT),
        Part("references", Kind.REFERENCES),
        Part("incidents", Kind.LIST),
        Part("info", INFO, many=True, field="infos"),
    ),
)

SINCE_1_2: Final = frozenset({Response.AVOID, Response.ALL_CLEAR})
"""Words that CAP 1.1 does not have."""
OLD_WORDS: Final = {"very likely": values.Certainty.LIKELY}
"""Words of CAP 1.0, and what is meant by them (3.2.2)."""


def _older(group: Group) -> Group:
    """The same in CAP 1.1, where a resource may be of an unnamed type."""
    return replace(group, parts=tuple(_older_part(part) for part in group.parts))


def _older_part(part: Part) -> Part:
    if isinstance(part.holds, Group):
        return replace(part, holds=_older(part.holds))
    return replace(part, least=0) if part.name == "mimeType" else part


LAYOUTS: Final[dict[Version, Group]] = {Version.V1_2: ALERT, Version.V1_1: _older(ALERT)}
"""The elements of ``alert``."""
