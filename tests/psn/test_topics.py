"""Topics: everyone has what he may see now, and nothing else, however slow or locked he is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from psn import access, wire
from psn.access import Principal
from psn.directory import EMPTY, Precision
from psn.picture.fanout import HIGH_WATER_BYTES
from psn.problems import Problem
from psn.sharing import Sharing
from psn.topics import PART, Item, Topic, Topics

RULES = access.rules(EMPTY, datetime(2026, 1, 1, tzinfo=UTC))


class Thing(msgspec.Struct, tag_field="is", tag="thing"):
    id: int
    text: str = ""


class Line:
    """As much of an outbox as topics ask for."""

    def __init__(self) -> None:
        self.waiting = 0
        self.sent: list[bytes] = []

    def send(self, payload: bytes) -> None:
        self.sent.append(payload)


class Listener:
    """As much of a session as topics ask for, and what a client makes of what it is sent."""

    def __init__(self, agency: int, codec: wire.Codec = wire.MSGPACK) -> None:
        self.principal = Principal(f"person:{agency}", "x", agency, ("dispatcher",), person=agency)
        self.codec = codec
        self.outbox = Line()
        self.barred: Problem | None = None

    def send(self, frame: wire.ServerFrame) -> None:
        self.outbox.send(self.codec.encode(frame))

    @property
    def rings(self) -> int:
        """How often it was told that an emergency waits."""
        frames = [self.codec.decode_server(data) for data in self.outbox.sent]
        return sum(isinstance(frame, wire.EmergencyWaits) for frame in frames)

    @property
    def there(self) -> dict[str, str]:
        there: dict[str, str] = {}
        for data in self.outbox.sent:
            frame = self.codec.decode_server(data)
            if isinstance(frame, wire.EmergencyWaits):
                continue
            assert isinstance(frame, wire.News)
            if frame.whole:
                there.clear()
            there |= {f"thing:{each['id']}": each["text"] for each in frame.set}
            for address in frame.gone:
                del there[address]  # nobody is told to forget what he was not shown
        return there


def thing(number: int, text: str = "", agencies: set[int] | None = None) -> Item:
    shown = {1, 2} if agencies is None else agencies
    return Item(f"thing:{number}", Thing(number, text), lambda who, _: who.agency in shown)


@pytest.fixture
def topics() -> Topics:
    made = Topics(RULES)
    made.add(Topic("things", lambda who: who.agency < 9))
    return made


def follow(topics: Topics, listener: Any) -> None:
    topics.follow(listener, "things")


@pytest.mark.parametrize("codec", [wire.MSGPACK, wire.JSON])
def test_a_follower_has_everything_and_then_every_change(topics: Topics, codec: Any) -> None:
    """DOM-ACT-4."""
    one, two = Listener(1, codec), Listener(2, codec)
    topics.change("things", [thing(n) for n in range(PART + 5)])
    follow(topics, one)
    assert len(one.there) == PART + 5 and len(one.outbox.sent) == 2
    follow(topics, two)
    topics.change("things", [thing(1, "new"), thing(2, "ours", {1})], ["thing:3", "thing:999"])
    assert one.there["thing:1"] == two.there["thing:1"] == "new"
    assert one.there["thing:2"] == "ours" and "thing:2" not in two.there
    assert "thing:3" not in one.there | two.there
    before = len(two.outbox.sent)
    topics.change("things", [thing(2, "still ours", {1})])
    assert len(two.outbox.sent) == before
    topics.unfollow(one, "things")  # type: ignore[arg-type]
    topics.change("things", [thing(1, "newer")])
    assert one.there["thing:1"] == "new" and two.there["thing:1"] == "newer"


def test_when_the_rules_change_each_has_what_he_may_see_now(topics: Topics) -> None:
    listener: Any = Listener(1)
    seen = {"of": {1}}
    item = Item("thing:1", Thing(1), lambda who, _: who.agency in seen["of"])
    topics.change("things", [item, thing(2)])
    follow(topics, listener)
    seen["of"] = set()
    topics.mend(RULES, [listener])
    assert set(listener.there) == {"thing:2"}
    seen["of"] = {1}
    topics.mend(RULES, [listener])
    assert set(listener.there) == {"thing:1", "thing:2"}
    listener.principal = Principal("person:9", "x", 9, (), person=9)
    topics.mend(RULES, [listener])
    assert listener.there == {}
    topics.change("things", [thing(3)])
    assert listener.there == {}


def test_when_only_units_are_shared_otherwise_only_what_depends_on_them_is_asked_again(
    topics: Topics,
) -> None:
    asked: list[str] = []

    def item(name: str, units: frozenset[int] | None) -> Item:
        def sees(who: Principal, rules: access.Rules) -> bool:
            asked.append(name)
            return who.agency in rules.sharing.together.get(7, ())

        return Item(f"thing:{ord(name)}", Thing(ord(name)), sees, rules_of=units)

    def rules(**of: Any) -> access.Rules:
        return access.Rules(EMPTY, Sharing(**of))

    listener: Any = Listener(1)
    car, boat, none = frozenset({7}), frozenset({8}), frozenset[int]()
    topics.change("things", [item("a", car), item("b", boat), item("c", none), item("d", None)])
    follow(topics, listener)
    assert not listener.there
    asked.clear()
    topics.mend(rules(together={7: frozenset({1})}), [listener])
    assert asked == ["a", "d"] and len(listener.there) == 2
    # Whoever he is now, everything is asked anew; so it is when more than units is shared.
    asked.clear()
    listener.principal = Principal("person:1", "x", 1, ("field",), person=1)
    topics.mend(rules(together={7: frozenset({1})}), [listener])
    assert asked == ["a", "b", "c", "d"] and len(listener.there) == 4
    for shared in ({"agreed": {(1, 2): Precision.EXACT}}, {"writable": frozenset({(1, 2)})}):
        asked.clear()
        topics.mend(rules(**shared), [listener])
        assert len(asked) == 4 and not listener.there
        topics.mend(rules(together={7: frozenset({1})}), [listener])


def test_who_does_not_listen_is_passed_over_and_gets_everything_anew(topics: Topics) -> None:
    slow: Any = Listener(1)
    topics.change("things", [thing(1)])
    follow(topics, slow)
    slow.outbox.waiting = HIGH_WATER_BYTES + 1
    topics.change("things", [thing(2)], ["thing:1"])
    slow.outbox.waiting = HIGH_WATER_BYTES // 2
    topics.change("things", [thing(3)])
    topics.tend()
    assert set(slow.there) == {"thing:1"}
    slow.outbox.waiting = 0
    topics.tend()
    assert set(slow.there) == {"thing:2", "thing:3"}
    sent = len(slow.outbox.sent)
    topics.tend()
    assert len(slow.outbox.sent) == sent


def test_a_locked_session_gets_nothing_and_everything_anew_afterwards(topics: Topics) -> None:
    locked: Any = Listener(1)
    topics.change("things", [thing(1)])
    follow(topics, locked)
    locked.barred = Problem("locked", "x", "y")
    topics.change("things", [thing(2)], ["thing:1"])
    topics.mend(RULES, [locked])
    follow(topics, locked)
    assert set(locked.there) == {"thing:1"}
    locked.barred = None
    topics.release(locked)
    assert set(locked.there) == {"thing:2"}
    topics.leave(locked)
    topics.change("things", [thing(3)])
    assert set(locked.there) == {"thing:2"}


def test_what_is_no_topic_or_not_for_him_is_refused_alike(topics: Topics) -> None:
    for listener, name in ((Listener(1), "other"), (Listener(9), "things")):
        with pytest.raises(Problem) as refused:
            topics.follow(listener, name)  # type: ignore[arg-type]
        assert refused.value.code == "no_topic"


def test_what_rings_is_heard_at_locked_sessions_that_may_see_it_and_nothing_else(
    topics: Topics,
) -> None:
    """DOM-SES-8."""
    locked, other, open_one = Listener(1), Listener(2), Listener(1)
    for each in (locked, other, open_one):
        topics.follow(each, "things")  # type: ignore[arg-type]
    locked.barred = other.barred = Problem("locked", "Locked.", "Unlock.")

    def call(ring: int, text: str = "help") -> Item:
        return Item("thing:1", Thing(1, text), lambda who, _: who.agency == 1, ring)

    topics.change("things", [call(1)])
    assert (locked.rings, other.rings, open_one.rings) == (1, 0, 0)
    topics.change("things", [call(1, "help, and a note")])
    assert locked.rings == 1, "nothing new rings"
    topics.change("things", [call(0, "owned")])
    topics.change("things", [call(2)])
    assert locked.rings == 2, "pressed again"
    assert "thing:1" not in locked.there and open_one.there["thing:1"] == "help"
    # Who follows while he is locked hears what rings already.
    late = Listener(1)
    late.barred = Problem("locked", "Locked.", "Unlock.")
    topics.follow(late, "things")  # type: ignore[arg-type]
    assert late.rings == 1
    topics.change("things", [], ["thing:1"])
    topics.change("things", [call(1)])
    assert locked.rings == 3, "another one under the same address"
