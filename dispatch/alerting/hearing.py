"""What others warn of, as it is heard: which alerts are taken, and how each stands. Pure.

Theory of operation
-------------------
What was heard on a feed is believed as every receiver believes
(:mod:`dispatch.alerting.standing`), so a Cancel that comes before its alert works when that comes.
Two things are added, because a feed is a stranger's:

Nobody calls off what another has said. Messages have a say over others of the same feed only, and
over one whose signature is good only when theirs is good.

Time is ours. What says that it was sent later than now is not taken, what was over before it came
means nothing, and nothing is shown longer than :data:`KEPT` after it was heard, whatever it says.
An alert that several feeds have is shown once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from dispatch.alerting import standing
from dispatch.alerting.cap import Alert, MessageType, Status, Verdict, Verified
from dispatch.alerting.content import BELIZE
from dispatch.alerting.feeds import FeedRefused
from dispatch.alerting.standing import State

KEPT: Final = timedelta(days=31)
"""So long after it was heard a message counts."""
AHEAD: Final = timedelta(minutes=10)
"""So much a sender's clock may be before ours."""
MOST_LETTERS: Final = 250
"""Of a sender and of an identifier."""
_TAKEN: Final = frozenset({MessageType.ALERT, MessageType.UPDATE, MessageType.CANCEL})
_SHOWN: Final = frozenset({Status.ACTUAL, Status.EXERCISE, Status.TEST})
_RANK: Final = {Verdict.GOOD: 0, Verdict.OUT_OF_DATE: 1, Verdict.NONE: 2}
"""Of several that say the same, the one that is believed most; others come last."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that was heard.

    Attributes:
        id: ours.
        feed: on which.
        verdict: of its signature.
        signer: whose certificate it is, when the verdict has one.
        alert: what it says; of a good signature what was signed, and nothing else.
        at: when it was heard.
    """

    id: int
    feed: str
    verdict: Verdict
    signer: str
    alert: Alert
    at: datetime


@dataclass(frozen=True, slots=True)
class Advice:
    """How an alert of others stands.

    Attributes:
        by: what has replaced or cancelled it.
        ends: when it is over by itself; never later than :data:`KEPT` after it was heard.
    """

    heard: Heard
    state: State
    by: Alert | None
    ends: datetime


def taken(verified: Verified, now: datetime) -> Alert | None:
    """The alert of a document that came, if it counts; None: it means nothing any more.

    Raises :class:`FeedRefused` for what is no alert, or lies about time.
    """
    alert = verified.reading.alert
    if alert is None or not alert.sender.strip() or not alert.identifier.strip():
        first = next(iter(verified.reading.errors), None)
        raise FeedRefused(
            "feed.no_alert",
            "It is no CAP alert." if first is None else first.text,
            "Tell whoever makes the feed.",
        )
    if max(len(alert.sender), len(alert.identifier)) > MOST_LETTERS:
        raise FeedRefused(
            "feed.no_alert", "Its sender or identifier is no name.", "Tell whoever makes the feed."
        )
    if alert.sent > now + AHEAD:
        said = f"{alert.sent.astimezone(BELIZE):%Y-%m-%d at %H:%M}"
        raise FeedRefused(
            "feed.ahead",
            f"It says that it was sent on {said}, which is not yet.",
            "Tell whoever makes the feed; it is taken when its time has come.",
        )
    if alert.message_type not in _TAKEN or alert.status not in _SHOWN:
        return None
    if alert.message_type is MessageType.CANCEL:
        return alert if alert.sent > now - KEPT else None
    return alert if standing.life(alert) > now else None


def advice(messages: Iterable[Heard], now: datetime) -> tuple[Advice, ...]:
    """How every alert stands that was heard, each once: what is in force first, newest first."""
    fresh = [each for each in messages if each.at > now - KEPT]
    fresh.sort(key=attrgetter("feed"))
    found: dict[standing.Key, Advice] = {}
    for _, group in groupby(fresh, attrgetter("feed")):
        for each in _of_feed(list(group), now):
            key = standing.key(each.heard.alert)
            other = found.get(key)
            if other is None or _worth(each) < _worth(other):
                found[key] = each
    newest = sorted(found.values(), key=lambda each: each.heard.alert.sent, reverse=True)
    return tuple(sorted(newest, key=lambda each: each.state is not State.IN_FORCE))


def _of_feed(messages: Sequence[Heard], now: datetime) -> Iterable[Advice]:
    good = [each.alert for each in messages if each.verdict is Verdict.GOOD]
    every = [each.alert for each in messages]
    by_alert = {standing.key(each.alert): each for each in messages}
    signed = {standing.key(each) for each in good}
    for arrived, wanted in ((good, True), (every, False)):
        for belief in standing.beliefs(arrived, now):
            key = standing.key(belief.alert)
            if (key in signed) is wanted:
                yield _advice(by_alert[key], belief, now)


def _advice(heard: Heard, belief: standing.Belief, now: datetime) -> Advice:
    ends = min(belief.ends, heard.at + KEPT)
    state = belief.state
    if state is State.IN_FORCE and ends <= now:
        state = State.EXPIRED
    return Advice(heard, state, belief.by, ends)


def _worth(each: Advice) -> tuple[int, bool, int]:
    """Smaller: rather believed; of two alike, the one on whose feed it is over already."""
    return (
        _RANK.get(each.heard.verdict, 3),
        each.state is State.IN_FORCE,
        each.heard.id,
    )
