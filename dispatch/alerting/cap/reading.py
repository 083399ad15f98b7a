"""A CAP document read: any bytes in, an alert and everything that is wrong with it out."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from lxml import etree

from dispatch.alerting.cap import documents, lexical, rules
from dispatch.alerting.cap.findings import CapRefused, Finding, Findings, Weight
from dispatch.alerting.cap.layout import (
    LAYOUTS,
    OLD_WORDS,
    SIGNATURES,
    SINCE_1_2,
    Group,
    Kind,
    Part,
)
from dispatch.alerting.cap.lexical import Place, Reader, shown
from dispatch.alerting.cap.values import Alert, Area, Certainty, Info, Resource, Version

XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
"""Attributes that a schema allows everywhere."""

_READERS: Final[Mapping[Kind, Reader]] = {
    Kind.TEXT: lambda text, place: text,
    Kind.NAME: lexical.name,
    Kind.SAID: lexical.said,
    Kind.URI: lexical.uri,
    Kind.TIME: lexical.time,
    Kind.LANGUAGE: lexical.language,
    Kind.INTEGER: lexical.integer,
    Kind.DECIMAL: lexical.decimal,
    Kind.LIST: lexical.words,
    Kind.REFERENCES: lexical.references,
    Kind.POLYGON: lexical.polygon,
    Kind.CIRCLE: lexical.circle,
}

Values = dict[str, Any]
"""What was understood of a group, by field."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says.

    Attributes:
        version: of CAP; None when it is no CAP at all.
        alert: what was understood; None when something is missing without which it is no alert.
        findings: everything that is wrong, in the order of the document.
        signatures: how many signatures it bears. None of them is verified by reading it.
    """

    version: Version | None
    alert: Alert | None
    findings: tuple[Finding, ...]
    signatures: int = 0

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that make it invalid."""
        return tuple(each for each in self.findings if each.weight is Weight.ERROR)

    @property
    def valid(self) -> bool:
        """Whether it keeps the schema and every MUST of the standard."""
        return self.alert is not None and not self.errors


def read(data: bytes) -> Reading:
    """What the bytes say; never raises, whatever they are."""
    try:
        root = documents.tree(data)
        version = _version(root)
    except CapRefused as refusal:
        return Reading(None, None, refusal.findings)
    found = Findings()
    alert = _Reader(version, found).alert(root)
    signatures = sum(1 for _ in root.iter(f"{{{SIGNATURES}}}Signature"))
    return Reading(version, alert, found.all(), signatures)


def parse(data: bytes) -> Alert:
    """The alert, of a document that is valid.

    Raises :class:`CapRefused` for every other, with all findings.
    """
    reading = read(data)
    if reading.alert is None or reading.errors:
        raise CapRefused(reading.findings)
    return reading.alert


def _version(root: etree._Element) -> Version:
    name = etree.QName(root)
    if name.localname == "alert" and name.namespace in tuple(Version):
        return Version(name.namespace)
    if name.localname == "alert":
        raise documents.refused(
            "cap.version",
            f"It is an alert of {shown(name.namespace or 'no namespace')}, which is not read.",
            "Send it as CAP 1.2 or 1.1.",
        )
    raise documents.refused(
        "cap.not_cap",
        f"It is no CAP alert: it begins with <{name.localname[:40]}>.",
        "Send the alert itself; of a feed, send what its entries lead to.",
    )


class _Reader:
    """Reads one document, and tells its findings in their order."""

    def __init__(self, version: Version, tell: Findings) -> None:
        self._version = version
        self._tell = tell

    def alert(self, root: etree._Element) -> Alert | None:
        value = self._group(root, LAYOUTS[self._version], "/alert")
        return value if isinstance(value, Alert) else None

    def _group(self, element: etree._Element, group: Group, path: str) -> object:
        """The value of a group, when what it needs is there."""
        self._attributes(element, path)
        once: Values = {}
        many: dict[str, list[object]] = {p.attribute: [] for p in group.parts if p.many}
        for part, child, where in self._children(element, group.parts, path):
            value = self._value(child, part, where)
            if value is None:
                continue
            if part.many:
                many[part.attribute].append(value)
            else:
                once.setdefault(part.attribute, value)
        needed = (p.attribute for p in group.parts if p.least and not p.many)
        optional = group.makes is Resource
        if any(name not in once for name in needed if not (optional and name == "mime_type")):
            return None
        made = group.makes(**once, **{name: tuple(values) for name, values in many.items()})
        self._rules(made, path)
        return cast(object, made)

    def _rules(self, value: object, path: str) -> None:
        """Tell what is wrong between the elements of a value."""
        if isinstance(value, Alert):
            rules.of_alert(value, self._tell)
        elif isinstance(value, Info):
            rules.of_info(value, path, self._tell)
        elif isinstance(value, Area):
            rules.of_area(value, path, self._tell)
        elif isinstance(value, Resource):
            rules.of_resource(value, path, self._tell)

    def _children(
        self, element: etree._Element, parts: tuple[Part, ...], path: str
    ) -> Iterator[tuple[Part, etree._Element, str]]:
        """Elements that belong here, each with its row and path; tells those that do not."""
        order = {part.name: at for at, part in enumerate(parts)}
        counts = dict.fromkeys(order, 0)
        latest = 0
        self._stray(element.text, path)
        for child in element:
            self._stray(child.tail, path)
            if not isinstance(child.tag, str):
                continue
            name = etree.QName(child)
            if path == "/alert" and name.namespace == SIGNATURES:
                latest = len(parts)
                continue
            if name.namespace != self._version or name.localname not in order:
                self._unknown(name, path)
                continue
            part = parts[order[name.localname]]
            counts[part.name] += 1
            count = counts[part.name]
            where = f"{path}/{part.name}" + (f"[{count}]" if part.many else "")
            if count > 1 and not part.many:
                self._twice(where)
            elif order[part.name] < latest:
                self._late(where, parts, latest)
            latest = max(latest, order[part.name])
            yield part, child, where
        for part in parts:
            if part.least and not counts[part.name]:
                self._missing(path, part.name)

    def _value(self, element: etree._Element, part: Part, path: str) -> object:
        if isinstance(part.holds, Group):
            return self._group(element, part.holds, path)
        self._attributes(element, path)
        text = self._text(element, path)
        if isinstance(part.holds, Kind):
            return _READERS[part.holds](text, Place(path, self._version, self._tell))
        return self._word(text, part.holds, path)

    def _word(self, text: str, words: type[enum.StrEnum], path: str) -> enum.StrEnum | None:
        allowed = {
            each.value: each
            for each in words
            if self._version is Version.V1_2 or each not in SINCE_1_2
        }
        if text in allowed:
            return allowed[text]
        plain = text.strip(lexical.SPACE).lower()
        meant = {each.value.lower(): each for each in words}.get(plain)
        if meant is None and words is Certainty:
            meant = OLD_WORDS.get(plain)
        exact = meant is not None and meant.value in allowed
        self._error(
            path,
            "cap.word",
            f"{shown(text)} is none of the words that may stand here.",
            f"Write {meant} exactly so." if exact else f"Choose one of {', '.join(allowed)}.",
        )
        return meant

    def _text(self, element: etree._Element, path: str) -> str:
        """The characters of an element; comments between them are nothing."""
        text = element.text or ""
        for child in element:
            if isinstance(child.tag, str):
                name = etree.QName(child).localname
                self._error(
                    path,
                    "cap.nested",
                    f"It has an element <{name[:40]}> in it, and should have text alone.",
                    "Write the text without tags.",
                )
            text += child.tail or ""
        return text

    def _attributes(self, element: etree._Element, path: str) -> None:
        for name in element.attrib:
            if not str(name).startswith(XSI):
                self._error(
                    path,
                    "cap.attribute",
                    f"It has an attribute {shown(str(name))}; elements of CAP have none.",
                    "Remove it.",
                )

    def _stray(self, text: str | None, path: str) -> None:
        if text and text.strip(lexical.SPACE):
            self._error(
                path,
                "cap.stray_text",
                f"There is text between its elements: {shown(text)}.",
                "Remove it, or put it into an element.",
            )

    def _unknown(self, name: etree.QName, path: str) -> None:
        self._error(
            path,
            "cap.unknown_element",
            f"It has an element <{name.localname[:40]}>, which has no place there.",
            "Remove it, or check how it is spelt and where it stands.",
        )

    def _twice(self, path: str) -> None:
        text, todo = "It stands there more than once.", "Keep one of them; the first was read."
        self._error(path, "cap.repeated", text, todo)

    def _late(self, path: str, parts: tuple[Part, ...], latest: int) -> None:
        after = parts[latest].name if latest < len(parts) else "Signature"
        text = f"It stands after {after}, and belongs before it."
        self._error(path, "cap.order", text, "Put the elements in the order of the standard.")

    def _missing(self, path: str, name: str) -> None:
        text = f"It has no {name}, which is required."
        self._error(f"{path}/{name}", "cap.missing", text, f"Add a {name}.")

    def _error(
        self, path: str, code: str, text: str, todo: str, weight: Weight = Weight.ERROR
    ) -> None:
        self._tell(Finding(path, code, text, todo, weight))
