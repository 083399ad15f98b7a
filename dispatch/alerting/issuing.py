"""A message of a warning as the CAP alert that goes out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dispatch.alerting import cap
from dispatch.alerting.channels import mark
from dispatch.alerting.content import BELIZE, Content, Text
from dispatch.alerting.life import Message, sent

EVENT_CODE: Final = "bz:event"
"""Whose codes those of events are."""
SHORT: Final = "bz:shortText"
"""The parameter that has the words for telephones and radios."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who warns.

    Attributes:
        sender: for CAP, unique in the world, such as ``nemo.org.bz``.
        prefix: of every identifier, such as the object identifier of the authority.
        word: by which people know it, before short texts.
        name: in full.
        contact: for questions.
    """

    sender: str
    prefix: str
    word: str
    name: str
    contact: str = ""


NEMO: Final = Issuer(
    sender="nemo.org.bz",
    prefix="bz.nemo",
    word="NEMO",
    name="National Emergency Management Organization, Belize",
    contact="NEMO hotline 936; emergencies 911 or 90",
)
"""Until an operator says otherwise."""


def alert(message: Message, chain: Sequence[Message], issuer: Issuer, at: datetime) -> cap.Alert:
    """The alert of a message, with every earlier one of its warning named.

    ``at``: when it was sent, or would be. All earlier messages are named, since a receiver may have
    missed any of them.
    """
    moment = (message.sent or at).astimezone(BELIZE).replace(microsecond=0)
    earlier = [each for each in sent(chain) if each.id != message.id]
    content = message.content
    return cap.Alert(
        identifier=identifier(message, issuer),
        sender=issuer.sender,
        sent=moment,
        status=content.status,
        message_type=message.kind,
        scope=cap.Scope.PUBLIC,
        note=content.note or None,
        references=tuple(_reference(each, issuer) for each in earlier),
        incidents=(f"{issuer.prefix}.{message.warning}",),
        infos=tuple(_info(content, text, issuer) for text in content.texts),
    )


def identifier(message: Message, issuer: Issuer) -> str:
    """What a message is called, for ever."""
    return f"{issuer.prefix}.{message.warning}.{message.id}"


def _reference(message: Message, issuer: Issuer) -> cap.Reference:
    assert message.sent is not None
    return cap.Reference(
        issuer.sender, identifier(message, issuer), message.sent.astimezone(BELIZE)
    )


def _info(content: Content, text: Text, issuer: Issuer) -> cap.Info:
    around = mark(content.status, text.language)
    said = _marked(around, text.short) if text.short.strip() else None
    short = () if said is None else (cap.Named(SHORT, said),)
    return cap.Info(
        language=text.language,
        categories=content.categories,
        event=text.event,
        responses=content.responses,
        urgency=content.urgency,
        severity=content.severity,
        certainty=content.certainty,
        event_codes=(cap.Named(EVENT_CODE, content.event),),
        onset=_local(content.onset),
        expires=_local(content.expires),
        sender_name=issuer.name,
        headline=_marked(around, text.headline),
        description=_marked(around, text.description),
        instruction=_marked(around, text.instruction),
        web=content.web or None,
        contact=issuer.contact or None,
        parameters=short,
        areas=(content.area.cap(text.language),) if content.area is not None else (),
    )


def _marked(around: str, text: str) -> str | None:
    if not around:
        return text or None
    return f"{around}: {text}" if text else around


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(BELIZE).replace(microsecond=0)
