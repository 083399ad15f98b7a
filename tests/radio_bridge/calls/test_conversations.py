"""All channels: one talker for each talkgroup, nothing twice, and no loop goes round.

DOM-RAD-3 (one talks), -4 (emergencies), -5 (two sites), -6 (loops), -7 (no talkgroup stays taken).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio_bridge.calls.conversations import (
    Began,
    Call,
    Conversations,
    Denied,
    Ended,
    Event,
    Named,
    Spoke,
    Where,
)
from radio_bridge.calls.transmissions import Identity
from radio_bridge.dmr.link_control import Service, VoiceCall
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.stream import Stream

HILL, CAYE, MASTER, TABLET = ("hill", 1), ("caye", 1), ("master", 2), ("network", 91)
NORMAL, EMERGENCY = Service(), Service(emergency=True)
GROUP = 91
ONE, TWO = Identity(7001, GROUP, True), Identity(7002, GROUP, True)
PERIOD = 0.06


class Network:
    """All channels, and one clock."""

    def __init__(self) -> None:
        self.all = Conversations()
        self.now = 100.0
        self.events: list[Event] = []

    def hear(self, where: Where, *sent: BurstPacket) -> list[Event]:
        """Packets, all in one moment."""
        events = [e for packet in sent for e in self.all.hear(where, packet, self.now)]
        self.events += events
        return events

    def later(self, seconds: float = PERIOD) -> list[Event]:
        self.now += seconds
        events = self.all.pass_time(self.now)
        self.events += events
        return events

    def talk(self, where: Where, of: Talk, count: int = 6) -> list[Event]:
        """Header, voice and terminator, in their time."""
        events = self.hear(where, of.header())
        for _ in range(count):
            events += self.later() + self.hear(where, of.voice())
        return events + self.later() + self.hear(where, of.end())


class Talk:
    """One radio's talk, whose every burst sounds different."""

    _numbers = iter(range(1, 10**9))

    def __init__(self, who: Identity, service: Service = NORMAL, name: str = "") -> None:
        self.number = next(self._numbers)
        call = VoiceCall(who.source, who.target, who.group, service)
        self._stream = Stream(call, 1, self.number, 1, name)

    def header(self) -> BurstPacket:
        return self._stream.header()

    def voice(self) -> BurstPacket:
        return self._stream.voice(next(self._numbers))

    def end(self) -> BurstPacket:
        return self._stream.terminator()


def story(events: Iterable[Event]) -> list[str]:
    """What happened, without the speech: who, and how."""
    told = []
    for event in events:
        match event:
            case Began():
                told.append(f"{event.call.identity.source} began")
            case Ended():
                told.append(f"{event.call.identity.source} {event.cause}")
            case Denied():
                told.append(f"{event.identity.source} denied: {event.cause}")
            case Named():
                told.append(f"{event.call.identity.source} is {event.name}")
    return told


def words(events: Iterable[Event]) -> list[int]:
    return [e.sound for e in events if isinstance(e, Spoke) and isinstance(e.sound, int)]


def test_a_call_of_a_radio() -> None:
    net = Network()
    events = net.talk(HILL, Talk(ONE))
    assert story(events) == ["7001 began", "7001 terminated"]
    assert len(words(events)) == 6
    began = events[0]
    assert isinstance(began, Began)
    assert began.call == Call(1, HILL, ONE, NORMAL, late=False)
    assert net.all.due is None


def test_two_slots_and_two_sites_talk_at_once_without_mixing() -> None:
    net = Network()
    channels = [("hill", 1), ("hill", 2), ("caye", 1), ("caye", 2)]
    talks = [(where, Talk(Identity(7001 + n, 91 + n, True))) for n, where in enumerate(channels)]
    for where, talk in talks:
        net.hear(where, talk.header())
    for _ in range(20):
        net.later()
        for where, talk in talks:
            packet = talk.voice()
            (spoke,) = net.hear(where, packet)
            assert isinstance(spoke, Spoke)
            assert spoke.call.where == where
            assert spoke.call.identity.target == packet.target
    assert story(net.events) == ["7001 began", "7002 began", "7003 began", "7004 began"]


def test_a_radio_that_two_sites_hear_is_passed_on_once() -> None:
    net, talk = Network(), Talk(ONE)
    for packet in (talk.header(), *(talk.voice() for _ in range(6)), talk.end()):
        net.hear(HILL, packet)
        net.hear(CAYE, packet)
        net.later()
    assert story(net.events) == ["7001 began", "7001 denied: duplicate", "7001 terminated"]
    assert len(words(net.events)) == 6


def test_the_other_site_goes_on_where_the_first_falls_silent() -> None:
    net, talk = Network(), Talk(ONE)
    for number, packet in enumerate([talk.header(), *(talk.voice() for _ in range(20))]):
        if number < 8:
            net.hear(HILL, packet)
        net.hear(CAYE, packet)
        net.later()
    assert story(net.events)[:2] == ["7001 began", "7001 denied: duplicate"]
    assert story(net.events)[-2:] == ["7001 silent", "7001 began"]
    heard = words(net.events)
    assert len(heard) == len(set(heard)) >= 14


def test_duplicates_that_come_late_do_not_begin_anew() -> None:
    net, talk = Network(), Talk(ONE)
    sent = [talk.header(), *(talk.voice() for _ in range(12)), talk.end()]
    delayed = 4
    for number in range(len(sent) + delayed):
        if number < len(sent):
            net.hear(HILL, sent[number])
        if number >= delayed:
            net.hear(CAYE, sent[number - delayed])
        net.later()
    assert story(net.events) == ["7001 began", "7001 denied: duplicate", "7001 terminated"]


@pytest.mark.parametrize("seconds", [0.5, 3.0, 9.0])
def test_a_loop_longer_than_the_call_ends_where_it_began(seconds: float) -> None:
    net, talk = Network(), Talk(ONE)
    sent = [talk.header(), *(talk.voice() for _ in range(6)), talk.end()]
    for packet in sent:
        net.hear(HILL, packet)
        net.later()
    net.later(seconds)
    for packet in sent:
        net.hear(MASTER, packet)
        net.later()
    assert story(net.events) == ["7001 began", "7001 terminated", "7001 denied: echo"]
    assert net.all.dropped["calls.echo"] == 1


def test_a_loop_that_gives_calls_other_numbers_ends_too() -> None:
    net, talk, again = Network(), Talk(ONE), Talk(ONE)
    net.hear(HILL, talk.header())
    sent = [talk.voice() for _ in range(12)]
    for packet in sent:
        net.later()
        net.hear(HILL, packet)
    net.hear(HILL, talk.end())
    net.later(1)
    net.hear(MASTER, again.header())
    for packet in sent:
        net.later()
        net.hear(MASTER, replace(packet, stream=again.number))
    assert story(net.events) == ["7001 began", "7001 terminated", "7001 denied: echo"]


def test_an_echo_of_the_call_before_the_last_ends_too() -> None:
    net, first, second = Network(), Talk(ONE), Talk(ONE)
    sent = [first.header(), *(first.voice() for _ in range(6)), first.end()]
    for packet in sent:
        net.hear(HILL, packet)
        net.later()
    assert story(net.talk(HILL, second)) == ["7001 began", "7001 terminated"]
    for _ in range(3):
        net.later(2)
        heard = []
        for packet in sent:
            heard += net.hear(MASTER, packet)
            net.later()
        assert story(heard) == ["7001 denied: echo"]


def test_who_keys_again_at_the_same_site_is_heard_with_his_header() -> None:
    net = Network()
    net.talk(HILL, Talk(ONE))
    net.later()
    assert story(net.hear(HILL, Talk(ONE).header())) == ["7001 began"]


def test_a_talker_who_has_walked_to_another_site_is_heard() -> None:
    net = Network()
    net.talk(HILL, Talk(ONE))
    net.later(1)
    events = net.talk(CAYE, Talk(ONE))
    assert story(events) == ["7001 began", "7001 terminated"]
    assert len(words(events)) == 6


def test_a_busy_talkgroup_denies_another_and_lets_him_go_on_afterwards() -> None:
    net, first, second = Network(), Talk(ONE), Talk(TWO)
    net.hear(HILL, first.header(), first.voice())
    net.hear(CAYE, second.header(), second.voice(), second.voice())
    assert story(net.events) == ["7001 began", "7002 denied: busy"]
    net.hear(HILL, first.end())
    net.hear(CAYE, second.voice(), second.end())
    assert story(net.events)[2:] == ["7001 terminated", "7002 began", "7002 terminated"]


def test_an_emergency_takes_the_talkgroup() -> None:
    net, first, second = Network(), Talk(ONE), Talk(TWO, EMERGENCY)
    net.hear(HILL, first.header(), first.voice())
    net.hear(CAYE, second.header(), second.voice())
    assert story(net.events) == ["7001 began", "7001 preempted", "7002 began"]
    # A keyed radio cannot be stopped: it goes on unheard.
    assert story(net.hear(HILL, first.voice())) == ["7001 denied: busy"]
    assert words(net.hear(HILL, first.voice())) == []
    third = Talk(Identity(7003, GROUP, True), EMERGENCY)
    assert story(net.hear(MASTER, third.header())) == ["7003 denied: busy"]


def test_a_tablet_talks_and_a_radio_waits() -> None:
    net, talk = Network(), Talk(ONE)
    assert story(net.all.begin(TABLET, TWO, NORMAL, net.now)) == ["7002 began"]
    assert words(net.all.speak(TABLET, 5, net.now)) == [5]
    assert story(net.hear(HILL, talk.header())) == ["7001 denied: busy"]
    assert story(net.all.end(TABLET, net.now)) == ["7002 terminated"]
    assert story(net.hear(HILL, talk.voice())) == ["7001 began"]
    assert story(net.all.begin(TABLET, TWO, NORMAL, net.now)) == ["7002 denied: busy"]
    assert net.all.speak(TABLET, 6, net.now) == []
    assert net.all.end(TABLET, net.now) == []
    assert story(net.all.begin(TABLET, TWO, EMERGENCY, net.now)) == [
        "7001 preempted",
        "7002 began",
    ]


def test_a_tablet_that_vanishes_does_not_keep_the_talkgroup() -> None:
    net = Network()
    net.all.begin(TABLET, TWO, NORMAL, net.now)
    assert net.all.due == pytest.approx(net.now + 1)
    assert story(net.later(1)) == ["7002 silent"]
    assert net.all.due is None


def test_what_a_tablet_said_does_not_come_back_by_a_loop() -> None:
    net, copy = Network(), Talk(TWO)
    sent = [copy.voice() for _ in range(6)]
    net.all.begin(TABLET, TWO, NORMAL, net.now)
    for packet in sent:
        net.later()
        frames = int.from_bytes(packet.burst)
        net.all.speak(TABLET, frames >> 156 << 108 | frames & (1 << 108) - 1, net.now)
    net.all.end(TABLET, net.now)
    net.later(0.5)
    heard = net.hear(MASTER, copy.header())
    for packet in sent:
        net.later()
        heard += net.hear(MASTER, packet)
    assert story(heard) == ["7002 denied: echo"]


def test_a_channel_is_kept_for_answers() -> None:
    net, talk = Network(), Talk(ONE)
    assert net.all.is_free(HILL, (GROUP, True), net.now)
    net.hear(HILL, talk.header())
    assert not net.all.is_free(HILL, (GROUP, True), net.now)
    assert net.all.is_free(("hill", 2), (GROUP, True), net.now)
    net.hear(HILL, talk.end())
    assert net.all.is_free(HILL, (GROUP, True), net.now)
    assert not net.all.is_free(HILL, (92, True), net.now)
    net.later(3)
    assert net.all.is_free(HILL, (92, True), net.now)


def test_the_talkers_name() -> None:
    net = Network()
    events = net.talk(HILL, Talk(ONE, name="Insp. Cal"), count=30)
    assert story(events) == ["7001 began", "7001 is Insp. Cal", "7001 terminated"]


def test_what_is_odd_is_counted() -> None:
    net, first, second = Network(), Talk(ONE), Talk(Identity(7001, 92, True))
    net.hear(HILL, first.header())
    net.hear(CAYE, replace(second.header(), target=999))
    assert net.all.dropped["calls.radio_twice"] == 1
    assert net.all.dropped["calls.claimed_otherwise"] == 1


def test_who_is_no_radio_may_share_a_number() -> None:
    """Two nodes of one link, in two talkgroups; and a tablet under the number of a radio."""
    net = Network()
    there = Identity(7001, 92, True)
    net.all.begin(("node", 92), there, NORMAL, net.now)
    events = net.all.begin(("node", GROUP), ONE, NORMAL, net.now)
    assert story(events) == ["7001 began"]
    assert story(net.hear(HILL, Talk(Identity(7001, 93, True)).header())) == ["7001 began"]
    assert net.all.dropped["calls.radio_twice"] == 0


def test_nothing_is_remembered_for_ever() -> None:
    net = Network()
    for number in range(300):
        net.talk((f"site {number % 7}", 1), Talk(Identity(7001 + number, GROUP, True)), count=1)
    assert len(net.all._echoes) <= 201
    net.later(20)
    net.later(1)
    held = (net.all._echoes, net.all._channels, net.all._talks, net.all._hangs, net.all._holders)
    assert [len(one) for one in held] == [0] * 5


places = st.sampled_from([HILL, CAYE, MASTER])
acts = st.tuples(
    st.sampled_from(["header", "voice", "end", "later", "tablet", "speak", "stop"]),
    places,
    st.integers(0, 3),
)


@given(st.lists(acts, max_size=80))
@settings(max_examples=150)
def test_whatever_happens_one_talks_and_no_floor_is_stuck(
    happened: list[tuple[str, Where, int]],
) -> None:
    net = Network()
    people = [ONE, TWO, Identity(7003, 92, True), Identity(7004, 7001, False)]
    talks = [Talk(who, EMERGENCY if n == 1 else NORMAL) for n, who in enumerate(people)]
    for act, where, who in happened:
        match act:
            case "header":
                net.hear(where, talks[who].header())
            case "voice":
                net.hear(where, talks[who].voice())
            case "end":
                net.hear(where, talks[who].end())
            case "later":
                net.later((0.06, 0.1, 0.4, 2.0)[who])
            case "tablet":
                net.events += net.all.begin(TABLET, people[who], NORMAL, net.now)
            case "speak":
                net.events += net.all.speak(TABLET, random.Random(who).getrandbits(216), net.now)
            case _:
                net.events += net.all.end(TABLET, net.now)
    net.later(2)
    talking: dict[tuple[int, bool], int] = {}
    for event in net.events:
        match event:
            case Began():
                target = event.call.identity.target, event.call.identity.group
                assert target not in talking
                talking[target] = event.call.number
            case Ended():
                target = event.call.identity.target, event.call.identity.group
                assert talking.pop(target) == event.call.number
            case Spoke():
                target = event.call.identity.target, event.call.identity.group
                assert talking[target] == event.call.number
    assert talking == {}
    assert net.all.due is None
