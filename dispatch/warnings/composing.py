"""What the page reads on which warnings are written: templates, a message as it is, a preview.

Nothing is changed here; that is for actions (:mod:`dispatch.warnings.actions`). A preview looks at
what somebody types before it is kept: what each channel would show of it, and all that is wrong.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from dispatch.alerting import cap, checking, life
from dispatch.alerting.areas import Area, district_called
from dispatch.alerting.cap import Weight
from dispatch.alerting.channels import fit, takes
from dispatch.alerting.content import Channel, Content, Text
from dispatch.alerting.issuing import NEMO
from dispatch.alerting.life import Message
from dispatch.alerting.templates import Blank, Source, Template, templates
from dispatch.asking import Asked, Route, not_allowed, not_found
from dispatch.desk.values import Id
from dispatch.warnings import bodies, campaign, rows
from dispatch.warnings.actions import Found
from dispatch.warnings.bodies import Draft, DrawnArea, Words
from dispatch.warnings.campaign import SmsCampaign
from dispatch.warnings.drafts import may_read
from dispatch.warnings.items import Circle
from dispatch.warnings.room import ROOM
from dispatch.warnings.rows import Chain
from geo import belize, people
from geo.coordinates import E7
from psn import access, database


class TemplateShown(Struct):
    """A kind of warning to begin with; ``name`` by language of the pages, ``hours`` it holds."""

    code: str
    name: dict[str, str]
    categories: list[cap.Category]
    urgency: cap.Urgency
    severity: cap.Severity
    certainty: cap.Certainty
    responses: list[cap.Response]
    hours: float
    texts: list[Words]
    blanks: list[Blank]
    sources: list[Source]
    doubt: str


class DistrictShown(Struct):
    """A district that can be warned."""

    code: str
    name: str
    called: dict[str, str]
    """What people call it in each language but English (DOM-WRN-69)."""


class Beginnings(Struct):
    """What a warning is begun with, and what the caller may do with warnings of his agency."""

    templates: list[TemplateShown]
    districts: list[DistrictShown]
    channels: list[Channel]
    may: list[str]
    two_people: list[cap.Status]
    """Statuses that somebody else has to approve."""


class MessageEnd(Struct):
    """Of a message: where, and when it is over by itself (milliseconds UTC)."""

    id: int
    area: str
    ends: int | None


class MessageEnds(Struct):
    """Messages of the agency, of the last eight days."""

    messages: list[MessageEnd]


class Shown(Struct):
    """What a channel shows in a language, and whether it fits.

    ``length`` and ``most`` are counted in ``unit``; ``parts``: of short messages, the text of each.
    """

    channel: Channel
    language: str
    text: str
    length: int
    most: int | None
    unit: str
    fits: bool
    parts: list[str] = []


class AreaShown(Struct):
    """An area as it goes out: degrees x 10^7, square kilometres; ``told``: what was changed.

    ``people``: who live there, an estimate (:mod:`geo.people`).
    """

    name: str
    polygons: list[list[tuple[int, int]]]
    circles: list[Circle]
    km2: float
    told: list[str]
    people: int


class Preview(Struct):
    """How a message would be seen, and all that is wrong with it."""

    shown: list[Shown]
    area: AreaShown | None
    findings: list[Found]
    phrase: str
    """What would have to be typed to approve it."""
    sms: SmsCampaign | None
    """What it would take by SMS; none: it does not go by SMS, or was sent already."""


class Look(Struct):
    """What somebody types, and of which message; none: a new warning."""

    content: Draft
    message: Id | None = None


class Author(Struct):
    """Somebody who has written in it."""

    id: int
    name: str


class MessageShown(Struct):
    """A message as it is: what it says, and how it would be seen. Milliseconds UTC."""

    id: int
    warning: int
    kind: cap.MessageType
    stage: life.Stage
    digest: str
    content: Draft
    authors: list[Author]
    approved_by: Author | None
    alone: str | None
    sent: int | None
    preview: Preview


async def warning_beginnings(asked: Asked) -> Beginnings:
    """Templates, districts and channels of warnings, and what the caller may do."""
    agency = _agency(asked)
    async with asked.pool.acquire() as connection:
        policy = await rows.policy(connection, agency)
    may = ("draft", "approve", "send", "cancel")
    return Beginnings(
        [_template(each) for each in templates().values()],
        [
            DistrictShown(each.code, each.name, district_called(each.name))
            for each in belize.districts()
        ],
        list(Channel),
        [each for each in may if access.may(asked.who, "warning", each, agency)],
        sorted(policy.two_people),
    )


async def warning_ends(asked: Asked) -> MessageEnds:
    """Where the agency's messages are for, and until when."""
    agency = _agency(asked)
    async with asked.pool.acquire() as connection:
        found = await connection.fetch(_ENDS, agency)
    return MessageEnds([_end(row["id"], _decoded(row["content"])) for row in found])


async def warning_message(asked: Asked) -> MessageShown:
    """One message of a warning, as it is now."""
    number = asked.path_id()
    chain, drawn = await _read(asked, number)
    found = chain.of(number)

    def author(person: int) -> Author:
        return Author(person, asked.core.directory.name(f"person:{person}"))

    given = found.approval
    return MessageShown(
        found.id,
        found.warning,
        found.kind,
        found.stage,
        found.content.digest,
        _draft(found.content, drawn),
        [author(each) for each in sorted(found.authors)],
        None if given is None else author(given.person),
        None if given is None else given.alone,
        None if found.sent is None else database.milliseconds(found.sent),
        await _preview(asked, found, chain),
    )


async def warning_preview(asked: Asked) -> Preview:
    """How it would be seen by each channel, and what is wrong; raises AreaRefused."""
    look: Look = asked.body
    agency = _agency(asked)
    made = None if look.content.area is None else await _area(look.content.area)
    content = bodies.content(look.content, made)
    if look.message is None:
        async with asked.pool.acquire() as connection:
            policy = await rows.policy(connection, agency)
        drafted = life.draft(0, 0, content, asked.who.person or 0)
        chain = Chain(0, agency, (), policy)
    else:
        chain, _ = await _read(asked, look.message)
        drafted = replace(chain.of(look.message), content=content)
    return await _preview(asked, drafted, chain)


def _agency(asked: Asked) -> int:
    """The caller's agency, whose warnings he may read; raises ``not_allowed``."""
    if not may_read(asked.who, asked.who.agency):
        raise not_allowed()
    return asked.who.agency


async def _area(drawn: DrawnArea) -> Area:
    return await asyncio.to_thread(bodies.area, drawn)


async def _read(asked: Asked, number: int) -> tuple[Chain, DrawnArea | None]:
    """A message's chain, and its area as it was drawn; raises ``not_found``."""
    agency = _agency(asked)
    async with asked.pool.acquire() as connection:
        row = await connection.fetchrow(_ONE, number, agency)
        chain = None if row is None else await rows.chain(connection, row["warning_id"])
    if row is None or chain is None:
        raise not_found()
    drawn = row["drawn"]
    return chain, None if drawn is None else msgspec.json.decode(drawn, type=DrawnArea)


async def _preview(asked: Asked, message: Message, chain: Chain) -> Preview:
    sms = None
    if message.stage is not life.Stage.SENT:
        centres = asked.request.app[ROOM].centres
        async with asked.pool.acquire() as connection:
            sms = await campaign.by_sms(
                connection, message.content, chain.agency, chain.warning, centres
            )
    return await asyncio.to_thread(_seen, message, chain, sms)


def _seen(message: Message, chain: Chain, sms: SmsCampaign | None) -> Preview:
    content = message.content
    # What was sent was checked then; what is wrong with it now is nobody's to mend.
    found: tuple[cap.Finding, ...] = ()
    if message.stage is not life.Stage.SENT:
        found = checking.findings(message, chain.messages, NEMO, chain.policy, datetime.now(UTC))
    return Preview(
        [
            _shown(content, text, channel)
            for text in content.texts
            for channel in Channel
            if channel in content.channels and takes(channel, text.language)
        ],
        None if content.area is None else _area_shown(content.area),
        [
            Found(each.path, each.code, each.text, each.todo, each.weight is Weight.ERROR)
            for each in found
        ],
        life.phrase(message),
        sms,
    )


def _shown(content: Content, text: Text, channel: Channel) -> Shown:
    found = fit(content, text, channel, NEMO.word)
    parts = [] if found.short is None else list(found.short.parts)
    return Shown(
        channel,
        text.language,
        found.text,
        found.length,
        found.most,
        found.unit,
        found.fits,
        parts,
    )


def _area_shown(area: Area) -> AreaShown:
    return AreaShown(
        area.name,
        [[(round(at.lon * E7), round(at.lat * E7)) for at in ring] for ring in area.polygons],
        [
            Circle(
                round(each.centre.lon * E7),
                round(each.centre.lat * E7),
                round(each.radius_km * 1_000),
            )
            for each in area.circles
        ],
        area.km2,
        list(area.told),
        people.inside(area.shape),
    )


def _draft(content: Content, drawn: DrawnArea | None) -> Draft:
    """What a message says, as somebody writes it."""
    return Draft(
        status=content.status,
        event=content.event,
        categories=list(content.categories),
        urgency=content.urgency,
        severity=content.severity,
        certainty=content.certainty,
        responses=list(content.responses),
        texts=[_words(each) for each in content.texts],
        area=drawn,
        channels=[each for each in Channel if each in content.channels],
        onset=_ms(content.onset),
        expires=_ms(content.expires),
        send_at=_ms(content.send_at),
        note=content.note,
        web=content.web,
        plain_letters=content.plain_letters,
    )


def _words(text: Text) -> Words:
    return Words(
        language=text.language,
        event=text.event,
        headline=text.headline,
        description=text.description,
        instruction=text.instruction,
        short=text.short,
    )


def _template(template: Template) -> TemplateShown:
    return TemplateShown(
        template.code,
        dict(template.name),
        list(template.categories),
        template.urgency,
        template.severity,
        template.certainty,
        list(template.responses),
        template.hours,
        [_words(each) for each in template.texts],
        list(template.blanks),
        list(template.sources),
        template.doubt,
    )


def _end(number: int, content: Content) -> MessageEnd:
    return MessageEnd(
        number, "" if content.area is None else content.area.name, _ms(content.expires)
    )


def _decoded(content: Any) -> Content:
    return msgspec.json.decode(content, type=Content)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else database.milliseconds(at)


_ENDS: Final = """
    select id, content from warning_message
     where agency_id = $1
       and (changed_at > now() - interval '8 days' or sent_at > now() - interval '8 days'
            or stage = 'approved')
     order by id
"""
_ONE: Final = "select warning_id, drawn from warning_message where id = $1 and agency_id = $2"

ROUTES: Final = (
    Route("/api/warnings/templates", warning_beginnings, Beginnings),
    Route("/api/warnings/messages", warning_ends, MessageEnds),
    Route("/api/warnings/messages/{id}", warning_message, MessageShown),
    Route("/api/warnings/preview", warning_preview, Preview, method="POST", takes=Look),
)
