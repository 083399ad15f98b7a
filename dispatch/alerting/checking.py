"""Everything that is wrong with a warning before somebody approves it. Pure.

Findings have the shape of those about CAP documents: path, stable code, sentence, what to do. An
error keeps the warning from being approved; advice is shown, and may be passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from dispatch.alerting import cap
from dispatch.alerting.cap import Finding, MessageType, Status, Weight
from dispatch.alerting.channels import (
    HEADLINE_CHARACTERS,
    begins_as_no_warning,
    fit,
    shown,
    takes,
)
from dispatch.alerting.content import SPOKEN, Channel, Content, Text
from dispatch.alerting.issuing import Issuer, alert
from dispatch.alerting.life import SENDABLE, Message, Policy, earliest, sent
from dispatch.alerting.templates import until
from dispatch.sms import short_messages

CHEAP_PARTS: Final = 3
"""Short messages that a warning may need before it is worth a word."""
_FIELDS: Final[Mapping[str, str]] = {
    "event": "What it is",
    "headline": "Headline",
    "description": "What is known",
    "instruction": "What to do",
    "short": "Short text",
}
"""What who writes it sees above each field."""
_COUNTED: Final[Mapping[str, str]] = {
    "parts": "messages",
    "octets": "bytes",
}
"""What a channel counts, in a word; all else is letters."""
_BLANK: Final = re.compile(r"\{[^{}]*\}|_{3,}")


def findings(
    message: Message, chain: Sequence[Message], issuer: Issuer, policy: Policy, now: datetime
) -> tuple[Finding, ...]:
    """What is wrong with a message, errors first."""
    content = message.content
    found = [
        *_whole(content),
        *_area(content),
        *_times(content, message.kind, policy, now),
        *_languages(content, policy),
        *_called_off(message, chain),
        *_left_behind(message, chain),
        *_said_in_one_language(message, chain),
        *(each for text in content.texts for each in _text(content, text)),
        *(each for text in content.texts for each in _lengths(content, text, issuer)),
    ]
    # Of what is told above, the standard would say the same again in its own words.
    if not any(each.weight is Weight.ERROR for each in found):
        document = cap.check(alert(message, chain, issuer, earliest(chain, now)))
        found += [each for each in document if each.weight is Weight.ERROR]
    return tuple(sorted(found, key=lambda each: each.weight is Weight.ADVICE))


def _whole(content: Content) -> Iterator[Finding]:
    if content.status not in SENDABLE:
        yield _error(
            "/status",
            "warning.status",
            f"A warning that is {content.status} is not sent to anybody.",
            "Make it Actual, Exercise or Test.",
        )
    if content.status is Status.EXERCISE and not content.note.strip():
        yield _error(
            "/note",
            "warning.exercise_unnamed",
            "It is for an exercise, and does not say for which.",
            "Name the exercise in the note.",
        )
    if not content.event.strip() or not content.categories:
        yield _error(
            "/event",
            "warning.event_missing",
            "It does not say what kind of event it is about.",
            "Choose a template, or a kind and a category.",
        )
    if not content.channels:
        yield _error(
            "/channels",
            "warning.no_channel",
            "No channel is chosen, so it would reach nobody.",
            "Choose one channel at least.",
        )
    for name, value in (
        ("urgency", content.urgency),
        ("severity", content.severity),
        ("certainty", content.certainty),
    ):
        if value == "Unknown":
            yield _advice(
                f"/{name}",
                "warning.unknown",
                f"The {name} is unknown; receivers that choose by it may not show the warning.",
                "Say what is most likely.",
            )


def _area(content: Content) -> Iterator[Finding]:
    if content.area is None:
        yield _error(
            "/area",
            "warning.no_area",
            "No area is chosen.",
            "Draw it, or choose a district, a town or a track.",
        )
        return
    for told in content.area.told:
        yield _advice("/area", "warning.area_changed", told, "Look at it on the map.")


def _times(content: Content, kind: MessageType, policy: Policy, now: datetime) -> Iterator[Finding]:
    goes = max(now, content.send_at) if content.send_at else now
    if content.send_at is not None and content.send_at < now:
        yield _advice(
            "/send_at",
            "warning.send_at_past",
            "The time to send it is past.",
            "It is sent as soon as it is approved; choose another time if that is not meant.",
        )
    if content.expires is None:
        if kind is not MessageType.CANCEL:
            yield _error(
                "/expires",
                "warning.no_end",
                "It does not say until when it holds.",
                "Choose when it is over; it can be updated until then.",
            )
        return
    if content.onset is not None and content.onset > content.expires:
        yield _error(
            "/onset",
            "warning.begins_late",
            "It is over before what it warns of begins.",
            "Check the beginning and the end.",
        )
    if kind is not MessageType.CANCEL and content.expires < goes + policy.least:
        yield _error(
            "/expires",
            "warning.expired",
            "It would be over before anybody could act on it.",
            f"Choose an end that is {policy.least.seconds // 60} minutes or more after it is sent.",
        )
    if content.expires > goes + policy.longest:
        yield _error(
            "/expires",
            "warning.too_long_in_force",
            f"It would hold for more than {policy.longest.days} days.",
            "Choose an earlier end, and update it while the danger lasts.",
        )


def _languages(content: Content, policy: Policy) -> Iterator[Finding]:
    counted = Counter(text.language for text in content.texts)
    for language in policy.languages:
        if not counted[language]:
            yield _error(
                f"/text[{language}]",
                "warning.language_missing",
                f"There is no text in {_spoken(language)}.",
                "Write it, or choose a template that has it.",
            )
    for language, count in counted.items():
        if count > 1:
            yield _error(
                f"/text[{language}]",
                "warning.language_twice",
                f"There are {count} texts in {_spoken(language)}.",
                "Put them together.",
            )


def _called_off(message: Message, chain: Sequence[Message]) -> Iterator[Finding]:
    """A Cancel that says what it calls off would send people to shelters again."""
    if message.kind is not MessageType.CANCEL:
        return
    before = [each for earlier in sent(chain) for each in earlier.content.texts]
    said = {(each.language, each.headline.strip()) for each in before}
    for text in message.content.texts:
        if text.headline.strip() and (text.language, text.headline.strip()) in said:
            yield _error(
                f"/text[{text.language}]/headline",
                "warning.cancel_unsaid",
                f"In {_spoken(text.language)} the Cancel has the headline of what it calls off.",
                "Say that it is over, in the headline, in what to do, and in the short text.",
            )


def _left_behind(message: Message, chain: Sequence[Message]) -> Iterator[Finding]:
    """What is still as it was before, or no more, where somebody relies on the contrary."""
    content, before = message.content, [each for each in sent(chain) if each.id != message.id]
    left = {each for earlier in before for each in earlier.content.channels} - content.channels
    if left:
        named = ", ".join(_by(each) for each in sorted(left))
        yield _advice(
            "/channels",
            "warning.channel_left",
            f"Who was warned by {named} is not told of this, and goes by what was said before;"
            f" {_waits(message)}.",
            "Choose all channels by which the warning went out.",
        )
    ends = {each.content.expires for each in before} - {content.expires, None}
    for text in content.texts:
        now = None if content.expires is None else until(content.expires, text.language)
        old = {until(each, text.language) for each in ends if each is not None} - {now}
        for name in ("headline", "description", "instruction", "short"):
            found = next((each for each in sorted(old) if each in getattr(text, name)), None)
            if found is not None:
                yield _advice(
                    f"/text[{text.language}]/{name}",
                    "warning.old_end",
                    f"“{_FIELDS[name]}” in {_spoken(text.language)} says {found}, when the warning "
                    "was to be over before.",
                    "Say there until when it holds now.",
                )


def _said_in_one_language(message: Message, chain: Sequence[Message]) -> Iterator[Finding]:
    """Who reads another language than was written in would hold what was said before for true."""
    before = [each for each in sent(chain) if each.id != message.id]
    if message.kind is not MessageType.UPDATE or not before:
        return
    said = {each.language: _words(each) for each in before[-1].content.texts}
    texts = [each for each in message.content.texts if each.language in said]
    as_before = [each for each in texts if _words(each) == said[each.language]]
    changed = " and ".join(_spoken(each.language) for each in texts if each not in as_before)
    for text in as_before if changed else ():
        yield _advice(
            f"/text[{text.language}]",
            "warning.old_words",
            f"In {_spoken(text.language)} it says what it said before, and in {changed} it does"
            " not.",
            "Say there what is new, if it is more than a slip that was put right.",
        )


def _words(text: Text) -> tuple[str, ...]:
    return tuple(getattr(text, name).strip() for name in _FIELDS)


def _waits(message: Message) -> str:
    if message.kind is MessageType.CANCEL:
        return "who still waits for it is told nothing"
    return "who still waits for that gets it"


def _text(content: Content, text: Text) -> Iterator[Finding]:
    path = f"/text[{text.language}]"
    spoken = _spoken(text.language)
    for name in ("event", "headline", "instruction"):
        if not getattr(text, name).strip():
            yield _error(
                f"{path}/{name}",
                "warning.words_missing",
                f"“{_FIELDS[name]}” in {spoken} is empty.",
                "Write it; whoever reads only this must know what happens and what to do.",
            )
    if len(text.headline) > HEADLINE_CHARACTERS:
        yield _advice(
            f"{path}/headline",
            "warning.headline_long",
            f"The headline in {spoken} has {len(text.headline)} characters, and some screens "
            f"show {HEADLINE_CHARACTERS}.",
            "Say less in it, and the rest in the description.",
        )
    for name in ("event", "headline", "description", "instruction", "short"):
        said = getattr(text, name)
        blank = _BLANK.search(said)
        if blank is not None:
            yield _error(
                f"{path}/{name}",
                "warning.blank_left",
                f"“{_FIELDS[name]}” in {spoken} still has a blank in it: {blank[0][:40]}.",
                "Fill it in, or take it out.",
            )
        if content.status is Status.ACTUAL and begins_as_no_warning(said):
            yield _error(
                f"{path}/{name}",
                "warning.looks_like_exercise",
                f"“{_FIELDS[name]}” in {spoken} begins as an exercise or a test does, and this is "
                "real.",
                "Take that word out, or make it an Exercise or a Test.",
            )


def _lengths(content: Content, text: Text, issuer: Issuer) -> Iterator[Finding]:
    spoken = _spoken(text.language)
    for channel in sorted(content.channels):
        if not takes(channel, text.language):
            continue
        found = fit(content, text, channel, issuer.word)
        path = f"/text[{text.language}]/{channel}"
        if not found.fits:
            yield _error(
                path,
                "warning.too_long",
                f"In {spoken} it takes {found.length} {_COUNTED.get(found.unit, 'letters')} by "
                f"{_by(channel)}; "
                f"{found.most} are the most.",
                "Write a short text for telephones and radios, or shorten what to do.",
            )
    if Channel.SMS in content.channels:
        yield from _short_messages(content, text, issuer)


def _short_messages(content: Content, text: Text, issuer: Issuer) -> Iterator[Finding]:
    said = shown(content, text, Channel.SMS, issuer.word)
    parts = len(short_messages.measure(said).parts)
    fewer = len(short_messages.measure(short_messages.plainer(said)).parts)
    path = f"/text[{text.language}]/sms"
    spoken = _spoken(text.language)
    if fewer < parts:
        yield _advice(
            path,
            "warning.sms_letters",
            f"In {spoken} it takes {parts} short messages, and {fewer} with plain letters.",
            "Choose plain letters for short messages, or do without letters such as á and í.",
        )
    elif parts > CHEAP_PARTS:
        yield _advice(
            path,
            "warning.sms_parts",
            f"In {spoken} it takes {parts} short messages for each telephone.",
            "Shorten it, so that it is there sooner.",
        )


def _spoken(language: str) -> str:
    return SPOKEN.get(language, language)


def _by(channel: Channel) -> str:
    return {Channel.SMS: "SMS", Channel.CELL: "cell broadcast"}.get(
        channel, channel.value.replace("_", " ")
    )


def _error(path: str, code: str, text: str, todo: str) -> Finding:
    return Finding(path, code, text, todo)


def _advice(path: str, code: str, text: str, todo: str) -> Finding:
    return Finding(path, code, text, todo, Weight.ADVICE)
