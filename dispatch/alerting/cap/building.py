"""An alert written: values in, the bytes of CAP 1.2 out."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from dispatch.alerting.cap.findings import CapRefused, Finding
from dispatch.alerting.cap.layout import ALERT, Group, Kind, Part
from dispatch.alerting.cap.reading import read
from dispatch.alerting.cap.values import Alert, Circle, Point, Polygon, Reference, Version

_NAMESPACE: Final = Version.V1_2.value


def build(alert: Alert) -> bytes:
    """The document, in UTF-8; reading it gives the same alert.

    It is written as it stands, right or wrong: :func:`check` says which. Raises
    :class:`CapRefused` for what no document can say: characters that XML does not have, a quotation
    mark in a list, a time without an offset or with parts of a second.
    """
    root = etree.Element(f"{{{_NAMESPACE}}}alert", nsmap={None: _NAMESPACE})
    _fill(root, alert, ALERT, "/alert")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def check(alert: Alert) -> tuple[Finding, ...]:
    """Everything that is wrong with an alert that is to be sent."""
    try:
        return read(build(alert)).findings
    except CapRefused as refusal:
        return refusal.findings


def moment(time: datetime) -> str:
    """A time as CAP writes it; UTC has the offset ``-00:00``.

    Raises ValueError when it has no offset, or parts of a second or of an offset's minute.
    """
    offset = time.utcoffset()
    if offset is None or time.microsecond or offset % timedelta(minutes=1):
        raise ValueError("a time needs whole seconds, and an offset in whole minutes")
    if not offset:
        return f"{time.replace(tzinfo=None).isoformat()}-00:00"
    return time.isoformat()


def reference(to: Reference) -> str:
    """A message as others name it."""
    return f"{to.sender},{to.identifier},{moment(to.sent)}"


def _fill(element: etree._Element, value: Any, group: Group, path: str) -> None:
    for part in group.parts:
        held = getattr(value, part.attribute)
        for at, each in enumerate(held if part.many else _one(held), 1):
            where = f"{path}/{part.name}" + (f"[{at}]" if part.many else "")
            child = etree.SubElement(element, f"{{{_NAMESPACE}}}{part.name}")
            if isinstance(part.holds, Group):
                _fill(child, each, part.holds, where)
            else:
                _write(child, each, part, where)


def _one(held: object) -> tuple[object, ...]:
    return () if held is None or held == () else (held,)


def _write(element: etree._Element, value: Any, part: Part, path: str) -> None:
    try:
        element.text = _text(value, part.holds)
    except ValueError as error:
        raise CapRefused(
            [
                Finding(
                    path,
                    "cap.unwritable",
                    f"It cannot be written: {error}.",
                    "Remove characters that cannot be typed, and quotation marks in names.",
                )
            ]
        ) from None


def _text(value: Any, holds: Kind | type[enum.StrEnum] | Group) -> str:
    if holds is Kind.TIME:
        return moment(value)
    if holds is Kind.LIST:
        return _list(value)
    if holds is Kind.REFERENCES:
        return " ".join(reference(each) for each in value)
    if holds is Kind.POLYGON:
        return _polygon(value)
    if holds is Kind.CIRCLE:
        return _circle(value)
    if holds is Kind.DECIMAL:
        return f"{value:f}"
    return str(value)


def _list(words: Iterable[str]) -> str:
    written = []
    for word in words:
        if '"' in word or not word:
            raise ValueError("a name in a list is empty or has a quotation mark in it")
        written.append(f'"{word}"' if any(each.isspace() for each in word) else word)
    return " ".join(written)


def _polygon(ring: Polygon) -> str:
    return " ".join(_point(point) for point in ring)


def _circle(circle: Circle) -> str:
    return f"{_point(circle.centre)} {_number(circle.radius_km)}"


def _point(point: Point) -> str:
    return f"{_number(point.lat)},{_number(point.lon)}"


def _number(value: float) -> str:
    """All digits of a number and no exponent, so that reading gives the very same."""
    return f"{Decimal(repr(value)):f}"
