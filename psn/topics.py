"""Topics: lists of things that sessions follow, and are kept up to date on.

Theory of operation
-------------------
A topic holds *items*, each with an address (``incident:5``) and a body. Whoever follows it is sent
all items that he may see, and from then on each one as it changes, whole; and ``gone`` for what he
was shown and may see no more. So a client needs no history
and no resume: what it follows anew it gets anew, whole. What must reach somebody even if he was
away for days is a message (``psn.record``), not an item.

Who may see an item is asked of the item with the viewer and the rules of the moment: when it
changes, and for each follower when the rules change. Most changes of the rules are a unit that
joins an incident or leaves it; then only items are asked that say that this unit matters to them,
for with many units and many followers there are hundreds of thousands of other answers, all as
before. An item is encoded once for each codec; sessions that are shown the same items of one change
get the same bytes.

An item may *ring*: a locked session is told of nothing, but that somebody waits for help it hears.

A session whose socket does not drain is passed over, and gets everything anew when it has drained.
A locked session gets nothing, and everything anew when it goes on.

The network knows nothing of what the items mean; the rooms that do put them in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from psn import access, wire
from psn.access import Principal, Rules
from psn.picture.fanout import HIGH_WATER_BYTES, LOW_WATER_BYTES
from psn.problems import Problem
from psn.sessions import Session

PART: Final = 200
"""Items in one frame of a whole topic, so that no frame keeps a voice frame waiting."""
AT_ONCE: Final = 500
"""Followers that are told before others have their turn, where there may be thousands."""

Made = dict[tuple[wire.Codec, tuple[str, ...], tuple[str, ...]], bytes]
"""Frames that were encoded, by codec and by what is in them."""
Sees = Callable[[Principal, Rules], bool]
"""Whether somebody may see an item, under the rules of the moment."""


@dataclass(slots=True)
class Item:
    """One thing of a topic as it is now, and who may see it."""

    address: str
    body: msgspec.Struct
    seen_by: Sees
    ring: int = 0
    """Whenever this grows, locked sessions that may see it hear that an emergency waits."""
    rules_of: frozenset[int] | None = None
    """Units whose sharing decides who may see it, if the rules decide by nothing else; empty: the
    rules do not matter to it. None: by anything."""
    _encoded: dict[wire.Codec, msgspec.Raw] = field(default_factory=dict)

    def encoded(self, codec: wire.Codec) -> msgspec.Raw:
        """The body's bytes, made once."""
        made = self._encoded.get(codec)
        if made is None:
            made = self._encoded[codec] = msgspec.Raw(codec.encode_part(self.body))
        return made


class Topic:
    """The items of one topic, and who follows it."""

    def __init__(self, name: str, open_to: Callable[[Principal], bool]) -> None:
        """``open_to``: who may follow it at all."""
        self.name = name
        self.open_to = open_to
        self.items: dict[str, Item] = {}
        self.shown: dict[Session, set[str]] = {}
        """By follower: the addresses of what he has been shown and not told to forget."""
        self.judged: dict[Session, Principal] = {}
        """By follower: who he was when that was found out."""
        self.rung: dict[str, int] = {}
        """By address: how much has rung at locked sessions."""


class Topics:
    """All topics, and what reaches whom of them."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._topics: dict[str, Topic] = {}
        self._behind: set[tuple[Session, str]] = set()
        """Sessions that were passed over, and in which topic."""

    def add(self, topic: Topic) -> None:
        """There is such a topic from now on."""
        self._topics[topic.name] = topic

    # -- what sessions ask

    def follow(self, session: Session, name: str) -> None:
        """Send the whole topic, and then its changes; raises :class:`Problem` when he may not."""
        topic = self._topics.get(name)
        if topic is None or not topic.open_to(session.principal):
            raise Problem(
                "no_topic",
                f"There is no topic {name} that you may follow.",
                "Compare the name with docs/wire.md.",
            )
        self._whole(topic, session)

    def unfollow(self, session: Session, name: str) -> None:
        """No more of this topic; nothing when it was not followed."""
        topic = self._topics.get(name)
        if topic is not None:
            topic.shown.pop(session, None)
            topic.judged.pop(session, None)
            self._behind.discard((session, name))

    def leave(self, session: Session) -> None:
        """The session is over."""
        for name in self._topics:
            self.unfollow(session, name)

    def release(self, session: Session) -> None:
        """The session goes on after it was locked: everything that it follows, anew."""
        for topic in self._topics.values():
            if session in topic.shown:
                self._whole(topic, session)

    # -- what happens to the items

    def change(self, name: str, items: Iterable[Item], gone: Iterable[str] = ()) -> None:
        """Put items that changed into a topic, take others out, and tell who follows it."""
        topic, fresh, left = self._put_in(name, items, gone)
        if fresh or left:
            self._tell(topic, fresh, left, list(topic.shown))

    async def change_in_parts(
        self, name: str, items: Iterable[Item], gone: Iterable[str] = ()
    ) -> None:
        """The same for a topic that thousands follow; all are told when this returns.

        Between the parts everything else goes on. Who follows it meanwhile gets it whole. Two
        changes of one topic must not be made at once.
        """
        topic, fresh, left = self._put_in(name, items, gone)
        if not fresh and not left:
            return
        ringing = self._ringing(topic, fresh, left)
        made: Made = {}
        followers = list(topic.shown)
        for at in range(0, len(followers), AT_ONCE):
            part = [each for each in followers[at : at + AT_ONCE] if each in topic.shown]
            self._tell_part(topic, fresh, left, part, ringing, made)
            await asyncio.sleep(0)

    def judge(self, name: str, units: Collection[int]) -> None:
        """Who may see what has changed for these units by itself: show them that, and only that."""
        topic = self._topics[name]
        items = list(topic.items.values())
        for session in [each for each in topic.shown if each.principal.unit in units]:
            self._judge(topic, session, items)

    def handed(self, name: str) -> Mapping[Session, Collection[str]]:
        """By follower, what was handed to his connection; of those that are being listened to."""
        return {
            session: shown
            for session, shown in self._topics[name].shown.items()
            if session.barred is None and (session, name) not in self._behind
        }

    def was_handed(self, name: str, session: Session, address: str) -> bool:
        """Whether an item was handed to a connection, and stands there."""
        shown = self._topics[name].shown.get(session, ())
        return address in shown and session.barred is None and (session, name) not in self._behind

    def _put_in(
        self, name: str, items: Iterable[Item], gone: Iterable[str]
    ) -> tuple[Topic, list[Item], list[str]]:
        topic = self._topics[name]
        fresh = list(items)
        topic.items |= {item.address: item for item in fresh}
        left = [address for address in gone if topic.items.pop(address, None) is not None]
        return topic, fresh, left

    def mend(self, rules: Rules, sessions: Iterable[Session]) -> None:
        """The rules have changed: show each follower what he may see now, and only that."""
        units = access.units_unlike(self._rules, rules)
        self._rules = rules
        live = set(sessions)
        for topic in self._topics.values():
            everything = list(topic.items.values())
            open_to_doubt = everything if units is None else _decided_by(units, everything)
            for session, shown in list(topic.shown.items()):
                if session not in live or not topic.open_to(session.principal):
                    self._put(topic, session, [], sorted(shown))
                    self.unfollow(session, topic.name)
                    continue
                same = session.principal == topic.judged[session]
                self._judge(topic, session, open_to_doubt if same else everything)

    def _judge(self, topic: Topic, session: Session, items: list[Item]) -> None:
        """Show a follower those of the items that he may see now, and only those."""
        topic.judged[session] = session.principal
        shown = topic.shown[session]
        new, over = [], []
        for item in items:
            sees = self._sees(session, item)
            if sees and item.address not in shown:
                new.append(item)
            elif not sees and item.address in shown:
                over.append(item.address)
        if new or over:
            self._put(topic, session, new, sorted(over))

    def tend(self) -> None:
        """Give those that were passed over everything anew, once their sockets have drained."""
        for session, name in list(self._behind):
            if session.barred is None and session.outbox.waiting <= LOW_WATER_BYTES:
                self._whole(self._topics[name], session)

    # -- out

    def _sees(self, session: Session, item: Item) -> bool:
        return item.seen_by(session.principal, self._rules)

    def _whole(self, topic: Topic, session: Session) -> None:
        self._behind.discard((session, topic.name))
        seen = [item for item in topic.items.values() if self._sees(session, item)]
        topic.shown[session] = {item.address for item in seen}
        topic.judged[session] = session.principal
        if session.barred is not None:
            if any(item.ring for item in seen):
                session.send(wire.EmergencyWaits())
            return
        for at in range(0, max(len(seen), 1), PART):
            part = [item.encoded(session.codec) for item in seen[at : at + PART]]
            session.send(wire.News(topic=topic.name, set=part, whole=at == 0))

    def _tell(
        self, topic: Topic, fresh: list[Item], left: list[str], followers: list[Session]
    ) -> None:
        self._tell_part(topic, fresh, left, followers, self._ringing(topic, fresh, left), {})

    def _ringing(self, topic: Topic, fresh: list[Item], left: list[str]) -> set[str]:
        """The items that ring now."""
        ringing = {i.address for i in fresh if i.ring > topic.rung.get(i.address, 0)}
        topic.rung |= {item.address: item.ring for item in fresh if item.address in ringing}
        for address in left:
            topic.rung.pop(address, None)
        return ringing

    def _tell_part(
        self,
        topic: Topic,
        fresh: list[Item],
        left: list[str],
        followers: list[Session],
        ringing: set[str],
        made: Made,
    ) -> None:
        for session in followers:
            shown = topic.shown[session]
            seen = [item for item in fresh if self._sees(session, item)]
            visible = {item.address for item in seen}
            over = [a for a in left if a in shown]
            over += [i.address for i in fresh if i.address not in visible and i.address in shown]
            if not seen and not over:
                continue
            shown |= visible
            shown.difference_update(over)
            if session.barred is not None and ringing & visible:
                session.send(wire.EmergencyWaits())
            if not self._listens(topic, session):
                continue
            codec = session.codec
            key = (codec, tuple(item.address for item in seen), tuple(over))
            if key not in made:
                news = wire.News(
                    topic=topic.name, set=[item.encoded(codec) for item in seen], gone=over
                )
                made[key] = codec.encode(news)
            session.outbox.send(made[key])

    def _put(self, topic: Topic, session: Session, new: list[Item], over: list[str]) -> None:
        shown = topic.shown[session]
        shown |= {item.address for item in new}
        shown.difference_update(over)
        if self._listens(topic, session):
            part = [item.encoded(session.codec) for item in new]
            session.send(wire.News(topic=topic.name, set=part, gone=over))

    def _listens(self, topic: Topic, session: Session) -> bool:
        """Whether it can be told now; if not, it gets everything anew later."""
        if session.barred is not None:
            return False
        if session.outbox.waiting > HIGH_WATER_BYTES or (session, topic.name) in self._behind:
            self._behind.add((session, topic.name))
            return False
        return True


def _decided_by(units: frozenset[int], items: list[Item]) -> list[Item]:
    """Items for which the rules about those units may matter."""
    return [i for i in items if i.rules_of is None or not units.isdisjoint(i.rules_of)]
