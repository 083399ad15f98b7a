"""What people do about warnings, each an action of the desk (``dispatch.desk``).

Theory of operation
-------------------
Every action locks its warning first, reads the chain as it is, asks ``dispatch.alerting.life``
what becomes of it, and writes that; so two that meet are done one after the other, and the second
is told what the first has done. An approval sends at once what is not to be sent later; whatever
else is due the clock sends (:mod:`dispatch.warnings.clock`).

Whoever writes or approves says the digest of what he has seen (``seen``): that is the version, and
nobody writes over, or approves, what he has not read (DOM-WRN-2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final
from uuid import uuid4

import msgspec
from msgspec import Meta, Struct

from dispatch.alerting import checking, life
from dispatch.alerting.areas import Area
from dispatch.alerting.calling_off import called_off
from dispatch.alerting.cap import Finding, MessageType, Weight
from dispatch.alerting.content import Content
from dispatch.alerting.issuing import NEMO
from dispatch.alerting.life import Message, Stage
from dispatch.desk.values import Id, Milliseconds, Reason, Text
from dispatch.desk.work import Action, Work
from dispatch.domain.refusals import DispatchRefused, not_allowed, not_now, not_there
from dispatch.warnings import bodies, going_out, rows, screens
from dispatch.warnings.bodies import Draft
from dispatch.warnings.rows import Chain
from psn import access, database
from psn.trail import audit

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Begin(Struct):
    """A new warning."""

    content: Draft


class Write(Struct):
    """What a message says now; ``seen``: the digest of what was changed."""

    message: Id
    seen: Digest
    content: Draft


class Which(Struct):
    """A message of a warning."""

    message: Id


class Approve(Struct):
    """Answer for a message; ``phrase``: what has to be typed for one that is Actual."""

    message: Id
    seen: Digest
    phrase: Text = ""


class ApproveAlone(Struct, kw_only=True):
    """Answer for one's own words, in an emergency."""

    message: Id
    seen: Digest
    phrase: Text = ""
    reason: Reason


class Schedule(Struct):
    """When it is to be sent (milliseconds UTC); none: as soon as it is approved."""

    message: Id
    seen: Digest
    send_at: Milliseconds | None


class Follow(Struct, omit_defaults=True):
    """A message about a warning that was sent.

    Without content an Update says the same again, and a Cancel that it is over.
    """

    warning: Id
    content: Draft | None = None


class Begun(Struct):
    """A message that was begun."""

    warning: int
    message: int
    digest: str


class Standing(Struct):
    """How far a message is; ``sent`` in milliseconds UTC."""

    stage: str
    digest: str
    sent: int | None


class Found(Struct):
    """One thing that is wrong: where, a stable code, a sentence, what to do."""

    path: str
    code: str
    text: str
    todo: str
    error: bool


class Checked(Struct):
    """All that is wrong at once; ``stage`` is ``checked`` when none of it is an error.

    ``phrase`` is what has to be typed to approve it.
    """

    stage: str
    digest: str
    phrase: str
    findings: list[Found]


async def begin(work: Work, body: Begin) -> Begun:
    """Begin a warning: an Alert that is a draft."""
    agency = work.own("warning", "draft", "write warnings")
    content, drawn = await _content(body.content)
    warning = await rows.new_warning(work.connection)
    made = life.draft(0, warning, content, work.person())
    return await _begun(work, made, agency, drawn)


async def update(work: Work, body: Follow) -> Begun:
    """Begin an Update of a warning that was sent: it takes the place of what was said."""
    return await _follow(work, body, MessageType.UPDATE)


async def cancel(work: Work, body: Follow) -> Begun:
    """Begin the Cancel of a warning that was sent."""
    return await _follow(work, body, MessageType.CANCEL)


async def write(work: Work, body: Write) -> Standing:
    """Keep what a draft says now; a check or an approval is taken back."""
    content, drawn = await _content(body.content)
    _, old = await _opened(work, body.message, "draft", "write warnings")
    new = life.write(old, content, work.person(), body.seen)
    if new is not old:
        await rows.write(work.connection, new, drawn)
    return _standing(work, new)


async def schedule(work: Work, body: Schedule) -> Standing:
    """Say when a message is to be sent; a check or an approval is taken back."""
    _, old = await _opened(work, body.message, "draft", "write warnings")
    at = None if body.send_at is None else database.moment(body.send_at)
    new = life.write(old, replace(old.content, send_at=at), work.person(), body.seen)
    if new is not old:
        await rows.write(work.connection, new, await _drawn(work, old.id))
    return _standing(work, new)


async def check(work: Work, body: Which) -> Checked:
    """Tell all that is wrong with a message; without errors it can be approved."""
    chain, message = await _opened(work, body.message, "draft", "check warnings")
    # Its polygons are looked at one by one.
    found = await asyncio.to_thread(
        checking.findings, message, chain.messages, NEMO, chain.policy, work.now
    )
    if not any(each.weight is Weight.ERROR for each in found):
        message = life.check(message, found)
        await rows.stand(work.connection, message)
    _standing(work, message)
    return Checked(
        str(message.stage),
        message.content.digest,
        life.phrase(message),
        [_found(each) for each in found],
    )


async def approve(work: Work, body: Approve) -> Standing:
    """Answer for a message of which one has written nothing; it is sent unless it is for later."""

    def approved(chain: Chain, message: Message) -> Message:
        return life.approve(message, work.person(), work.now, body.phrase, body.seen, chain.policy)

    return await _approve(work, body.message, approved)


async def approve_alone(work: Work, body: ApproveAlone) -> Standing:
    """Answer for one's own words in an emergency, and say why; all who approve are told at once."""

    def approved(chain: Chain, message: Message) -> Message:
        return life.approve_alone(
            message, work.person(), work.now, body.phrase, body.seen, body.reason
        )

    standing = await _approve(work, body.message, approved)
    await _tell_approvers(work, body)
    return standing


async def take_back(work: Work, body: Which) -> Standing:
    """Withdraw or refuse the approval: the message goes back to its authors."""
    _, message = await _opened(work, body.message, "draft", "take a warning back")
    message = life.take_back(message)
    await rows.stand(work.connection, message)
    return _standing(work, message)


async def send(work: Work, body: Which) -> Standing:
    """Send what was approved, and whose time has come; once, whoever asks."""
    chain, message = await _opened(work, body.message, "send", "send warnings")
    _warns(work)
    _may_call_off(work, message)
    return _standing(work, await _go_out(work, chain, message))


async def drop(work: Work, body: Which) -> Standing:
    """Drop a message: it is not sent, ever."""
    _, message = await _opened(work, body.message, "draft", "drop a warning")
    message = life.drop(message)
    await rows.stand(work.connection, message)
    return _standing(work, message)


async def confirm(work: Work, body: Which) -> None:
    """Somebody has seen a message; so often he says it, it counts once for each session.

    It counts where it was shown: here, or, for who was connected anew since, where he or his unit
    was shown it last. Who was shown nothing confirms nothing.
    """
    if not access.is_ever_warned(work.who):
        raise not_allowed("see warnings")
    if not await work.connection.fetchval(_IS_SENT, body.message):
        raise not_there("warning")
    who = (work.by.session or work.who.address, work.who.address)
    if _is_shown(work, body.message):
        await work.connection.execute(_SHOWN_HERE, body.message, *who, work.who.agency)
    if not await work.connection.fetchval(_CONFIRMED, body.message, *who):
        raise not_now("You were not shown this warning.", "Confirm it where it is shown.")
    work.confirmed = True


def _is_shown(work: Work, message: int) -> bool:
    """Whether it stands on the screen that asks; that is written down a little later."""
    return any(
        work.core.topics.was_handed(screens.TOPIC, each, f"warning:{message}")
        for each in work.core.sessions.of(work.who.address)
        if audit.session_name(each.ticket.hash) == work.by.session
    )


_IS_SENT: Final = "select 1 from warning_message where id = $1 and stage = 'sent'"
_SHOWN_HERE: Final = """
    insert into warning_shown (message_id, session, address, agency_id) values ($1, $2, $3, $4)
        on conflict (message_id, session) do nothing
"""
_CONFIRMED: Final = """
    update warning_shown set confirmed_at = coalesce(confirmed_at, now())
     where message_id = $1
       and session = (select session from warning_shown where message_id = $1 and address = $3
                       order by session = $2 desc, shown_at desc limit 1)
    returning 1
"""


# -- what they have in common


async def _content(draft: Draft) -> tuple[Content, bytes | None]:
    """What a draft says, and its area as it was drawn; raises AreaRefused."""
    made: Area | None = None
    drawn = None
    if draft.area is not None:
        made = await asyncio.to_thread(bodies.area, draft.area)
        drawn = msgspec.json.encode(draft.area)
    return bodies.content(draft, made), drawn


async def _opened(work: Work, number: int, action: str, todo: str) -> tuple[Chain, Message]:
    """A message of the own agency and its chain, locked; raises ``not_allowed``, ``not_found``."""
    agency = work.own("warning", action, todo)
    work.person()
    chain = await rows.of_message(work.connection, number)
    if chain is None or chain.agency != agency:
        raise not_there("warning")
    return chain, chain.of(number)


async def _begun(work: Work, made: Message, agency: int, drawn: bytes | None) -> Begun:
    number = await rows.begin(work.connection, made, agency, drawn)
    work.warned = True
    return Begun(made.warning, number, made.content.digest)


async def _follow(work: Work, body: Follow, kind: MessageType) -> Begun:
    agency = work.own("warning", "draft", "write warnings")
    chain = await rows.locked(work.connection, body.warning)
    if chain is None or chain.agency != agency:
        raise not_there("warning")
    if body.content is not None:
        content, drawn = await _content(body.content)
    else:
        newest = (life.sent(chain.messages) or chain.messages)[-1]
        cancels = kind is MessageType.CANCEL
        content = called_off(newest.content) if cancels else replace(newest.content, send_at=None)
        drawn = await _drawn(work, newest.id)
    made = life.draft_about(chain.messages, kind, 0, content, work.person())
    return await _begun(work, made, agency, drawn)


async def _drawn(work: Work, number: int) -> bytes | None:
    """The area of a message as it was drawn."""
    drawn: str | None = await work.connection.fetchval(
        "select drawn from warning_message where id = $1", number
    )
    return None if drawn is None else drawn.encode()


async def _approve(
    work: Work, number: int, approved: Callable[[Chain, Message], Message]
) -> Standing:
    chain, message = await _opened(work, number, "approve", "approve warnings")
    _warns(work)
    _may_call_off(work, message)
    message = approved(chain, message)
    await rows.stand(work.connection, message)
    if life.due(message, work.now):
        chain = going_out.approved(chain, message)
        message = await _go_out(work, chain, message)
    return _standing(work, message)


async def _go_out(work: Work, chain: Chain, message: Message) -> Message:
    return await going_out.send(
        work.connection, chain, message, work.person(), work.now, NEMO, work.core.keys.alert
    )


def _warns(work: Work) -> None:
    """Whoever appoints people in another agency cannot make them warn the country (DOM-WRN-35)."""
    own = work.directory.agencies[work.who.agency].code
    if own != work.warner:
        raise DispatchRefused(
            "not_the_warner",
            f"{work.warner} warns the public, and {own} does not.",
            f"Tell {work.warner} what is to be warned of.",
        )


def _may_call_off(work: Work, message: Message) -> None:
    """A Cancel goes out by who may call warnings off."""
    if message.kind is MessageType.CANCEL and message.stage is not Stage.SENT:
        work.own("warning", "cancel", "call warnings off")


async def _tell_approvers(work: Work, body: ApproveAlone) -> None:
    """A letter to everybody of the agency who approves, sent when this is committed."""
    chain = await rows.of_message(work.connection, body.message)
    assert chain is not None
    message = chain.of(body.message)
    text = (
        f"{work.who.name} has approved his own warning alone: {message.content.status}"
        f" {message.content.spoken} (warning {message.warning}). Reason: {body.reason}"
    )
    people = [
        f"person:{each.id}"
        for each in work.directory.people.values()
        if not each.disabled
        and each.agency == chain.agency
        and each.id != work.who.person
        and access.may(access.of_person(each), "warning", "approve", chain.agency)
    ]
    await work.connection.executemany(
        "insert into warning_letter (id, agency_id, address, author, text)"
        " values ($1, $2, $3, $4, $5)",
        [(uuid4(), chain.agency, to, work.who.address, text) for to in people],
    )


def _standing(work: Work, message: Message) -> Standing:
    work.warned = True
    return Standing(str(message.stage), message.content.digest, _ms(message.sent))


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else database.milliseconds(moment)


def _found(finding: Finding) -> Found:
    return Found(
        finding.path,
        finding.code,
        finding.text,
        finding.todo,
        finding.weight is Weight.ERROR,
    )


ACTIONS: Final = (
    Action("warning.begin", Begin, begin, Begun),
    Action("warning.write", Write, write, Standing),
    Action("warning.schedule", Schedule, schedule, Standing),
    Action("warning.check", Which, check, Checked),
    Action("warning.approve", Approve, approve, Standing),
    Action("warning.approve_alone", ApproveAlone, approve_alone, Standing),
    Action("warning.take_back", Which, take_back, Standing),
    Action("warning.send", Which, send, Standing),
    Action("warning.update", Follow, update, Begun),
    Action("warning.cancel", Follow, cancel, Begun),
    Action("warning.drop", Which, drop, Standing),
    Action("warning.confirm", Which, confirm),
)
