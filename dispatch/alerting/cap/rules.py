"""What the standard says in prose, across elements (OASIS CAP 1.2, section 3.2).

What concerns one element alone is told where its text is read (``lexical``).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from dispatch.alerting.cap.findings import Finding, Tell, Weight
from dispatch.alerting.cap.values import (
    Alert,
    Area,
    Info,
    MessageType,
    Reference,
    Resource,
    Scope,
    Status,
)

ABOUT_OTHERS: Final = frozenset(
    {MessageType.UPDATE, MessageType.CANCEL, MessageType.ACK, MessageType.ERROR}
)
"""Messages that are about earlier ones, and mean nothing without naming them."""
_MIME: Final = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;.*)?", re.ASCII)
_SHA_1: Final = re.compile(r"[0-9A-Fa-f]{40}")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


def of_alert(alert: Alert, tell: Tell) -> None:
    """Tell what is wrong between the elements of a whole message."""
    _scope(alert, tell)
    _references(alert, tell)
    _explained(alert, tell)
    _languages(alert, tell)


def _scope(alert: Alert, tell: Tell) -> None:
    restricted = bool(alert.restriction and alert.restriction.strip())
    if alert.scope is Scope.RESTRICTED and not restricted:
        tell(
            Finding(
                "/alert/restriction",
                "cap.restriction_missing",
                "The scope is Restricted, and nothing says to whom.",
                "Say in restriction what limits who may have it, or make the scope Public.",
            )
        )
    if alert.scope is not Scope.RESTRICTED and restricted:
        _advise(
            tell,
            "/alert/restriction",
            "cap.restriction_idle",
            f"There is a restriction, and the scope is {alert.scope.value}.",
            "Make the scope Restricted, or remove the restriction.",
        )
    if alert.scope is Scope.PRIVATE and not alert.addresses:
        tell(
            Finding(
                "/alert/addresses",
                "cap.addresses_missing",
                "The scope is Private, and nobody is named.",
                "Name the recipients in addresses.",
            )
        )


def _references(alert: Alert, tell: Tell) -> None:
    path = "/alert/references"
    if alert.message_type in ABOUT_OTHERS and not alert.references:
        tell(
            Finding(
                path,
                "cap.references_missing",
                f"This is an {alert.message_type.value} of earlier messages, and names none."
                if alert.message_type is not MessageType.CANCEL
                else "This is a Cancel of earlier messages, and names none.",
                "Name each of them as sender,identifier,sent.",
            )
        )
    if alert.message_type is MessageType.ALERT and alert.references:
        _advise(
            tell,
            path,
            "cap.references_idle",
            "It names earlier messages, and its type is Alert, so that it changes none of them.",
            "Make it an Update if it takes their place.",
        )
    for each in alert.references:
        if each.sender == alert.sender and each.identifier == alert.identifier:
            _tell_reference(tell, each, "itself", "Name the messages that were before it.")
        elif each.sent > alert.sent:
            _tell_reference(tell, each, "a message that is later than it", "Check both times.")
    if len(set(alert.references)) < len(alert.references):
        _advise(tell, path, "cap.references_twice", "A message is named twice.", "Name it once.")


def _tell_reference(tell: Tell, each: Reference, what: str, todo: str) -> None:
    text = f"It refers to {what} ({each.identifier[:60]})."
    tell(Finding("/alert/references", "cap.reference_order", text, todo))


def _explained(alert: Alert, tell: Tell) -> None:
    if alert.note and alert.note.strip():
        return
    if alert.message_type is MessageType.ERROR:
        _advise(
            tell,
            "/alert/note",
            "cap.note_missing",
            "It says that a message was rejected, and not why.",
            "Give the reason in note.",
        )
    elif alert.status is Status.EXERCISE:
        _advise(
            tell,
            "/alert/note",
            "cap.note_missing",
            "It is for an exercise, and does not say for which.",
            "Name the exercise in note.",
        )


def _languages(alert: Alert, tell: Tell) -> None:
    """The standard lets a language come again for other areas; most receivers show one of them."""
    counted = Counter(info.spoken.lower() for info in alert.infos)
    seen: set[str] = set()
    for at, info in enumerate(alert.infos, 1):
        tag = info.spoken.lower()
        if counted[tag] > 1 and tag in seen:
            _advise(
                tell,
                f"/alert/info[{at}]",
                "cap.language_twice",
                f"There is more than one info in {info.spoken}.",
                "Say everything in one info for each language, with all of its areas.",
            )
        seen.add(tag)


def of_info(info: Info, path: str, tell: Tell) -> None:
    """Tell what is wrong between the elements of an ``info``."""
    begins = info.onset or info.effective
    if info.expires and begins and info.expires < begins:
        _advise(
            tell,
            f"{path}/expires",
            "cap.expires_early",
            "It expires before it begins.",
            "Check effective, onset and expires.",
        )
    if info.web and info.web.strip() and _ABSOLUTE.fullmatch(info.web.strip()) is None:
        _advise(
            tell,
            f"{path}/web",
            "cap.web_relative",
            "The address is not a full one.",
            "Write it whole, with https:// before it and without spaces.",
        )


def of_area(area: Area, path: str, tell: Tell) -> None:
    """Tell what is wrong between the elements of an ``area``."""
    if area.ceiling is None:
        return
    if area.altitude is None:
        tell(
            Finding(
                f"{path}/ceiling",
                "cap.ceiling_alone",
                "There is a ceiling, and no altitude below it.",
                "Give the altitude from which it reaches up to the ceiling.",
            )
        )
    elif area.ceiling < area.altitude:
        _advise(
            tell,
            f"{path}/ceiling",
            "cap.ceiling_low",
            "The ceiling is lower than the altitude.",
            "Exchange the two, in feet above mean sea level.",
        )


def of_resource(resource: Resource, path: str, tell: Tell) -> None:
    """Tell what is wrong between the elements of a ``resource``."""
    mime = resource.mime_type
    if mime is not None and _MIME.fullmatch(mime.strip()) is None:
        _advise(
            tell,
            f"{path}/mimeType",
            "cap.mime_type",
            "It is no type of content.",
            "Write it as image/png.",
        )
    if resource.digest is not None and _SHA_1.fullmatch(resource.digest.strip()) is None:
        _advise(
            tell,
            f"{path}/digest",
            "cap.digest",
            "It is no SHA-1 in forty hexadecimal digits.",
            "Write the SHA-1 of the file, as CAP 1.2 has it, or leave the digest out.",
        )


def _advise(tell: Tell, path: str, code: str, text: str, todo: str) -> None:
    tell(Finding(path, code, text, todo, Weight.ADVICE))
