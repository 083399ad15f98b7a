"""Who is heard where. DOM-RAD-3, -4, -6 and -7 over several links, patches and networks."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from radio_bridge.bridge.exchange import Exchange
from radio_bridge.bridge.settings import Radios
from radio_bridge.bridge.talks import Begin, End, Out, Over, Refused, Say, Talk
from radio_bridge.bridge.wiring import Wiring
from radio_bridge.calls.conversations import Where
from radio_bridge.dmr.link_control import Service, VoiceCall
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.stream import Stream
from radio_bridge.inside import Opus, Samples, Sound

HILL, CAYE, HILL_2, FORT = ("hill", 1), ("caye", 1), ("hill", 2), ("fort", 1)
NODE, LINE, TABLETS = ("node", 9), ("line", 91), ("network/police", 91)
POLICE, SECOND, DEFENCE, CUSTOMS = ("police", 91), ("police", 92), ("defence", 7), ("customs", 9)
WIRING = Wiring(
    networks={
        "hill": "police", "caye": "police", "line": "police", "fort": "defence", "node": "customs",
    },
    radios={"hill": Radios(refused=(range(666, 667),))},
    carriers={
        POLICE: (HILL, CAYE, LINE), SECOND: (HILL, CAYE), DEFENCE: (FORT,), CUSTOMS: (NODE,),
        ("police", 101): (HILL_2,),
    },
    patched={POLICE: (CUSTOMS, DEFENCE), DEFENCE: (CUSTOMS, POLICE), CUSTOMS: (DEFENCE, POLICE)},
)  # fmt: skip
PLAIN = Wiring(WIRING.networks, WIRING.radios, WIRING.carriers)
SPEECH = Opus(bytes(range(60)))


class Air:
    """An exchange with a clock, and what came out of it."""

    def __init__(self, wiring: Wiring = PLAIN) -> None:
        self.exchange = Exchange(wiring)
        self.now = 100.0
        self.numbers = iter(range(1, 10**9))

    def hear(self, where: Where, packet: BurstPacket) -> list[Out]:
        return self.exchange.hear(where, packet, self.now)

    def later(self, seconds: float = 0.06) -> list[Out]:
        self.now += seconds
        return self.exchange.pass_time(self.now)

    def radio(
        self, source: int, target: int, group: bool = True, emergency: bool = False
    ) -> Stream:
        call = VoiceCall(source, target, group, Service(emergency=emergency))
        return Stream(call, 1, next(self.numbers), 1)

    def voice(self, where: Where, radio: Stream) -> list[Out]:
        return self.later() + self.hear(where, radio.voice(next(self.numbers)))

    def talk(self, where: Where, radio: Stream) -> list[Out]:
        out = self.hear(where, radio.header())
        for _ in range(3):
            out += self.voice(where, radio)
        return out + self.later() + self.hear(where, radio.terminator())


def begun(out: Iterable[Out]) -> set[Where]:
    return {one.leg for one in out if isinstance(one, Begin)}


def ended(out: Iterable[Out]) -> set[Where]:
    return {one.leg for one in out if isinstance(one, End)}


def said(out: Iterable[Out]) -> set[Where]:
    """Where something is heard; while nothing else has changed."""
    return {leg for one in out if isinstance(one, Say) for leg in one.talk.legs}


def refused(out: Iterable[Out]) -> list[tuple[Where, str]]:
    return [(one.where, one.cause.value) for one in out if isinstance(one, Refused)]


def over(out: Iterable[Out]) -> list[tuple[int, str]]:
    return [(o.talk.call.identity.source, o.cause.value) for o in out if isinstance(o, Over)]


def test_a_talk_is_heard_on_every_channel_of_its_talkgroup_but_its_own() -> None:
    air = Air()
    radio = air.radio(7001, 91)
    assert begun(air.hear(HILL, radio.header())) == {CAYE, LINE}
    assert said(air.voice(HILL, radio)) == {CAYE, LINE}
    out = air.hear(HILL, radio.terminator())
    assert ended(out) == {CAYE, LINE}
    assert over(out) == [(7001, "terminated")]


def test_who_may_not_and_what_is_not_carried_takes_nothing() -> None:
    """DOM-RAD-22."""
    air = Air()
    assert refused(air.hear(HILL, air.radio(666, 91).header())) == [(HILL, "barred")]
    assert refused(air.hear(CAYE, air.radio(7001, 101).header())) == [(CAYE, "barred")]
    assert begun(air.hear(HILL_2, air.radio(7002, 91).header())) == set()
    assert air.hear(("nowhere", 1), air.radio(7002, 91).header()) == []
    air.later(1.0)
    assert begun(air.hear(CAYE, air.radio(7003, 91).header())) == {HILL, LINE}


def test_a_slot_that_is_taken_is_waited_for_and_heard_late() -> None:
    """DOM-RAD-23."""
    air = Air()
    one, two = air.radio(7001, 91), air.radio(7002, 92)
    air.hear(HILL, one.header())
    assert begun(air.hear(CAYE, two.header())) == set()  # both hear their own radios
    assert ended(air.voice(HILL, one)) == set()
    air.hear(HILL, one.terminator())
    assert begun(air.voice(CAYE, two)) == set()  # hang time of 91 on the hill
    air.later(0.0)
    for _ in range(60):
        out = air.voice(CAYE, two)
        if begun(out):
            break
    assert begun(out) == {HILL}
    assert said(out) == {HILL}


def test_a_radio_that_keys_where_another_is_brought_out_is_not_stopped() -> None:
    """DOM-RAD-23."""
    air = Air()
    one, two = air.radio(7001, 91), air.radio(7002, 92)
    air.hear(HILL, one.header())
    air.voice(HILL, one)
    assert ended(air.hear(CAYE, two.header())) == {CAYE}
    assert said(air.voice(HILL, one)) == {LINE}
    air.hear(CAYE, two.terminator())
    air.now += 3.1
    assert refused(air.exchange.pass_time(air.now)) == []


def test_an_emergency_takes_channels_from_others() -> None:
    """DOM-RAD-4, DOM-RAD-23."""
    air = Air()
    one, sos = air.radio(7001, 92), air.radio(7003, 91, emergency=True)
    air.hear(HILL, one.header())
    air.voice(HILL, one)
    air.exchange.key(LINE, POLICE, 7009, air.now)
    out = air.exchange.key(LINE, POLICE, 7009, air.now, emergency=True)
    assert CAYE in ended(out)
    assert begun(out) == {CAYE}
    assert refused(air.hear(CAYE, sos.header())) == [(CAYE, "busy")]  # of two the first


def test_a_radio_that_is_denied_has_its_channel_all_the_same() -> None:
    """DOM-RAD-4, DOM-RAD-23."""
    air = Air()
    one, two, barred = air.radio(7001, 91), air.radio(7002, 91), air.radio(7003, 55)
    air.hear(HILL, one.header())
    air.voice(HILL, one)
    for other, cause in ((two, "busy"), (barred, "barred")):
        out = air.hear(CAYE, other.header())
        assert (refused(out), ended(out)) == ([(CAYE, cause)], {CAYE})
        assert said(air.voice(HILL, one)) == {LINE}
        air.hear(CAYE, other.terminator())
        back = (begun(air.voice(HILL, one)) for _ in range(60))
        assert next(filter(None, back)) == {CAYE}, "when that one has ended"


def test_who_is_no_radio_is_refused_and_heard_when_it_is_over() -> None:
    air = Air()
    air.exchange.join(POLICE, air.now)
    radio = air.radio(7001, 91)
    assert begun(air.hear(HILL, radio.header())) == {CAYE, LINE, TABLETS}
    assert refused(air.exchange.key(TABLETS, POLICE, 702, air.now)) == [(TABLETS, "busy")]
    assert air.exchange.speak(TABLETS, SPEECH, air.now) == []
    air.hear(HILL, radio.terminator())
    out = air.exchange.speak(TABLETS, SPEECH, air.now)
    assert begun(out) == {HILL, CAYE, LINE}
    assert said(out) == {HILL, CAYE, LINE}
    assert over(air.exchange.unkey(TABLETS, air.now)) == [(702, "terminated")]


def test_a_tablet_that_vanishes_leaves_the_talkgroup() -> None:
    air = Air()
    air.exchange.join(POLICE, air.now)
    air.exchange.key(TABLETS, POLICE, 702, air.now)
    assert over(air.later(1.1)) == [(702, "silent")]
    assert begun(air.exchange.speak(TABLETS, SPEECH, air.now)) != set()
    assert ended(air.exchange.part(POLICE, air.now)) == {HILL, CAYE, LINE}


def test_a_patch_is_one_floor_and_no_loop() -> None:
    """DOM-RAD-24."""
    air = Air(WIRING)
    radio = air.radio(7001, 91)
    assert begun(air.hear(HILL, radio.header())) == {CAYE, LINE, FORT, NODE}
    assert said(air.voice(HILL, radio)) == {CAYE, LINE, FORT, NODE}
    assert refused(air.hear(FORT, air.radio(50, 7).header())) == [(FORT, "busy")]
    out = air.hear(HILL, radio.terminator())
    assert ended(out) == {CAYE, LINE, NODE}, "at the fort they hear their own radio"
    assert {one.talk.radio_network for one in out if isinstance(one, Over)} == {
        "police", "customs", "defence",
    }  # fmt: skip
    assert air.exchange.talks == []


def test_talkgroups_that_were_both_taken_are_one_when_one_of_them_is_free() -> None:
    air = Air(WIRING)
    here, there = air.radio(7001, 91), air.radio(50, 7)
    air.hear(HILL, here.header())
    air.hear(HILL, here.terminator())
    air.hear(FORT, there.header())
    assert refused(air.hear(HILL, here.header())) == [(HILL, "busy")]
    air.hear(FORT, there.terminator())
    assert FORT in said(air.voice(HILL, here))


def test_a_loop_of_reflectors_ends_where_it_began() -> None:
    wiring = Wiring({"a": "customs", "b": "customs"}, {}, {CUSTOMS: (("a", 9), ("b", 9))})
    air = Air(wiring)
    packets = [Opus(bytes([n]) * 60) for n in range(10)]
    air.exchange.key(("a", 9), CUSTOMS, 1, air.now)
    for packet in packets:
        assert said(air.exchange.speak(("a", 9), packet, air.now)) == {("b", 9)}
    air.exchange.unkey(("a", 9), air.now)
    assert air.exchange.key(("b", 9), CUSTOMS, 2, air.now) == []
    for packet in packets:
        assert air.exchange.speak(("b", 9), packet, air.now) == []
    assert air.exchange.dropped["calls.echo"] == len(packets)
    assert said(air.exchange.speak(("b", 9), Opus(b"something else, and longer"), air.now))


def test_a_private_call_goes_where_the_radio_was_heard() -> None:
    air = Air()
    one, two = air.radio(7001, 91), air.radio(7002, 7001, group=False)
    air.hear(HILL, one.header())
    air.hear(HILL, one.terminator())
    air.now += 4
    assert begun(air.hear(CAYE, two.header())) == {HILL}
    air.hear(CAYE, two.terminator())
    assert begun(air.hear(CAYE, air.radio(7002, 4444, group=False).header())) == set()
    assert air.exchange.dropped["bridge.radio_unknown"] == 1


def test_other_wiring_while_somebody_talks() -> None:
    air = Air()
    radio = air.radio(7001, 91)
    air.hear(HILL, radio.header())
    fewer = Wiring(PLAIN.networks, PLAIN.radios, {**PLAIN.carriers, POLICE: (HILL, LINE)})
    assert ended(air.exchange.rewire(fewer, air.now)) == {CAYE}
    assert said(air.voice(HILL, radio)) == {LINE}
    air.exchange.rewire(PLAIN, air.now)
    air.now += 3.1  # the hang time of what was cut off is for the same talkgroup
    assert begun(air.hear(HILL, radio.header()) + air.voice(HILL, radio)) <= {CAYE, LINE}


def test_who_may_talk_no_longer_is_over_and_goes_on_when_he_may_again() -> None:
    """DOM-RAD-22, DOM-RAD-26: a radio that was barred, a talkgroup and a link that are gone."""
    barred = Wiring(PLAIN.networks, {"hill": Radios(refused=(range(7001, 7002),))}, PLAIN.carriers)
    fewer = Wiring(PLAIN.networks, PLAIN.radios, {**PLAIN.carriers, POLICE: (CAYE, LINE)})
    gone = Wiring({**PLAIN.networks, "hill": "elsewhere"}, PLAIN.radios, PLAIN.carriers)
    for other in (barred, fewer, gone):
        air = Air()
        radio = air.radio(7001, 91)
        air.hear(HILL, radio.header())
        out = air.exchange.rewire(other, air.now)
        assert ended(out) == {CAYE, LINE}
        assert over(out) == [(7001, "barred")]
        assert said(air.voice(HILL, radio)) == set()
        assert begun(air.exchange.key(LINE, POLICE, 16_000_002, air.now)) >= {CAYE}
        air.exchange.unkey(LINE, air.now)
        air.exchange.rewire(PLAIN, air.now)
        assert said(air.voice(HILL, radio)) == {CAYE, LINE}


def test_a_line_that_is_gone_is_heard_no_more() -> None:
    air = Air()
    air.exchange.key(LINE, POLICE, 16_000_002, air.now)
    fewer = Wiring(PLAIN.networks, PLAIN.radios, {**PLAIN.carriers, POLICE: (HILL, CAYE)})
    assert ended(air.exchange.rewire(fewer, air.now)) == {HILL, CAYE}
    assert said(air.exchange.speak(LINE, SPEECH, air.now)) == set()


WHERES = [HILL, CAYE, HILL_2, FORT]
SOUNDS: list[Sound] = [SPEECH, Samples(bytes(320))]


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_whatever_happens_every_leg_that_begins_ends_once(seed: int) -> None:
    """DOM-RAD-7: and no channel has two at a time, nor hears itself."""
    dice, air = random.Random(seed), Air(WIRING)
    open_legs: dict[Where, Talk] = {}
    radios: dict[Where, Stream] = {}

    def check(out: list[Out]) -> None:
        for one in out:
            if isinstance(one, Begin):
                assert one.leg not in open_legs
                assert one.leg != one.talk.call.where
                open_legs[one.leg] = one.talk
            elif isinstance(one, Say):
                assert one.talk in open_legs.values()
            elif isinstance(one, End):
                assert open_legs.pop(one.leg) is one.talk

    air.exchange.join(POLICE, air.now)
    for _ in range(150):
        where = dice.choice(WHERES)
        match dice.randrange(8):
            case 0:
                target = dice.choice([91, 92, 101, 7])
                radios[where] = air.radio(
                    dice.choice([1, 2, 3]), target, emergency=dice.random() < 0.1
                )
                check(air.hear(where, radios[where].header()))
            case 1 | 2 | 3 if where in radios:
                check(air.voice(where, radios[where]))
            case 4 if where in radios:
                check(air.hear(where, radios.pop(where).terminator()))
            case 5:
                end, group = dice.choice([(NODE, CUSTOMS), (LINE, POLICE), (TABLETS, POLICE)])
                check(air.exchange.key(end, group, 99, air.now, emergency=dice.random() < 0.1))
                check(air.exchange.speak(end, dice.choice(SOUNDS), air.now))
            case 6:
                check(air.exchange.unkey(dice.choice([NODE, LINE, TABLETS]), air.now))
            case 7:
                check(air.later(dice.choice([0.06, 0.5, -3, 2])))
    air.now += 60
    check(air.later(60))
    check([one for w in (NODE, LINE, TABLETS) for one in air.exchange.unkey(w, air.now)])
    assert open_legs == {}
    assert air.exchange.talks == []


def test_somebody_here_and_a_radio_talk_in_turn_without_a_pause() -> None:
    """DOM-RAD-28: the channel is kept for answers of either, and for nobody else's."""
    air, here = Air(), ("network/call:1/police", 7001)
    air.talk(HILL, air.radio(7001, 91))
    air.exchange.join_private(("police", 7001, 7000), here, air.now)
    outs = air.exchange.key(here, ("police", 7001), 7000, air.now, "Ana", group=False)
    assert [type(out).__name__ for out in outs] == ["Started"]  # others may answer in the group
    air.later(3.1)
    outs = air.exchange.speak(here, SPEECH, air.now)
    assert begun(outs) == {HILL}
    air.exchange.unkey(here, air.now)
    assert not air.exchange.is_free(HILL, (91, True), air.now)
    outs = air.talk(HILL, air.radio(7001, 7000, group=False))
    assert begun(outs) == {here}
    outs = air.exchange.key(here, ("police", 7001), 7000, air.now, "Ana", group=False)
    assert begun(outs) == {HILL}
    outs = air.exchange.part_private(("police", 7001, 7000), air.now)
    assert ended(outs) == {HILL}
    assert air.exchange.talks == []
    assert air.exchange.dropped["bridge.radio_unknown"] == 0
    # A radio that calls a number which rings here is unknown to nobody.
    air.exchange.rings_here = {("police", 7000)}
    air.later(5.0)
    air.talk(HILL, air.radio(7001, 7000, group=False))
    assert air.exchange.dropped["bridge.radio_unknown"] == 0
