"""Fan-out: what reaches a screen is the truth, whatever order and pace things happen in."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Iterator
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from psn import wire
from psn.access import Audience, Sight
from psn.directory import Channel
from psn.picture.fanout import (
    HIGH_WATER_BYTES,
    LOW_WATER_BYTES,
    PING_FRAME,
    SNAPSHOT_SEATS,
    Hub,
    Outbox,
    Watcher,
    websocket_frame,
    within,
)

POLICE, COAST = (1, 0), (2, 0)


class Loop:
    """An event loop as the hub sees it: calls what was asked for when told to."""

    def __init__(self) -> None:
        self.soon: list[Any] = []

    def call_soon(self, call: Any) -> None:
        self.soon.append(call)

    def turn(self) -> None:
        soon, self.soon = self.soon, []
        for call in soon:
            call()


class Wire:
    """A socket whose peer reads only when told to."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.buffered = 0
        self.blocked = False
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        if self.blocked:
            self.buffered += len(data)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.aborted = True

    def unblock(self) -> None:
        self.blocked = False
        self.buffered = 0


def frames(data: bytes) -> Iterator[bytes]:
    """Payloads of the WebSocket frames in a stream (RFC 6455 §5.2)."""
    while data:
        assert data[0] in (0x81, 0x82, 0x89)
        size, start = data[1], 2
        if size == 126:
            (size,), start = struct.unpack(">H", data[2:4]), 4
        elif size == 127:
            (size,), start = struct.unpack(">Q", data[2:10]), 10
        if data[0] != 0x89:
            yield data[start : start + size]
        data = data[start + size :]


class Screen:
    """What a client shows, going by nothing but the frames it was sent."""

    def __init__(self, hub: Hub, sight: Sight, codec: wire.Codec = wire.MSGPACK) -> None:
        self.wire = Wire()
        self.codec = codec
        self.outbox = Outbox(hub, cast(asyncio.WriteTransport, self.wire), codec.binary)
        self.watcher = Watcher(self.outbox)
        self.seats: dict[int, wire.Seat] = {}
        self.presence: dict[str, bool] = {}
        self.crossings: list[wire.FenceCrossing] = []
        self.sizes: list[int] = []
        hub.watch(self.watcher, sight, codec)

    def read(self) -> None:
        """Take in everything that was written."""
        data, self.wire.writes = b"".join(self.wire.writes), []
        for payload in frames(data):
            frame = self.codec.decode_server(payload)
            if isinstance(frame, wire.Picture):
                self.sizes.append(len(frame.p))
                self.seats |= {seat.unit: seat for seat in frame.p}
            elif isinstance(frame, wire.Gone):
                for unit in frame.units:
                    self.seats.pop(unit, None)
            elif isinstance(frame, wire.Roster):
                self.seats.clear()
            elif isinstance(frame, wire.Presence):
                self.presence |= frame.who
            elif isinstance(frame, wire.FenceCrossings):
                self.crossings += frame.x


def sight(
    *channels: Channel, area: wire.Area | None = None, blurred: Iterable[Channel] = ()
) -> Sight:
    audience = Audience(frozenset(channels), frozenset(blurred))
    return Sight(audience, frozenset({1}), area, frozenset({None, 1}))


def seat(unit: int, time: int = 1, lon: int = 0, lat: int = 0) -> wire.Seat:
    return wire.Seat(unit, time, lon, lat, None, None, None)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def hub(loop: Loop) -> Hub:
    return Hub(cast(asyncio.AbstractEventLoop, loop))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_websocket_frame_is_what_the_standard_says(size: int) -> None:
    payload = b"x" * size
    assert list(frames(websocket_frame(payload, binary=True))) == [payload]


def test_many_changes_are_one_write(hub: Hub, loop: Loop) -> None:
    screens = [Screen(hub, sight(POLICE)) for _ in range(3)]
    for unit in range(50):
        hub.publish(POLICE, seat(unit))
    loop.turn()
    for screen in screens:
        assert len(screen.wire.writes) == 1
        screen.read()
        assert set(screen.seats) == set(range(50))
    assert screens[0].wire.writes == []
    assert hub.delivered == 150
    assert hub.views == 1


def test_nothing_is_written_when_nothing_changes(hub: Hub, loop: Loop) -> None:
    screen = Screen(hub, sight(POLICE))
    hub.publish(COAST, seat(1))
    loop.turn()
    assert screen.wire.writes == []
    assert loop.soon == []


def test_both_codecs_show_the_same(hub: Hub, loop: Loop) -> None:
    screens = [Screen(hub, sight(POLICE), codec) for codec in (wire.MSGPACK, wire.JSON)]
    hub.publish(POLICE, seat(4, 9, -881_900_000, 174_900_000))
    hub.unit_presence(POLICE, "unit:4", True)
    hub.cross(POLICE, None, wire.FenceCrossing(4, 1, True, 9))
    hub.cross(POLICE, 2, wire.FenceCrossing(4, 2, True, 9))
    loop.turn()
    for screen in screens:
        screen.read()
        assert screen.seats == {4: seat(4, 9, -881_900_000, 174_900_000)}
        assert screen.presence == {"unit:4": True}
        assert [crossing.fence for crossing in screen.crossings] == [1]


def test_a_snapshot_comes_in_parts_and_always_comes(hub: Hub, loop: Loop) -> None:
    empty, full = Screen(hub, sight(POLICE)), Screen(hub, sight(POLICE))
    hub.snapshot(empty.watcher, [])
    many = [seat(unit) for unit in range(SNAPSHOT_SEATS + 5)]
    hub.snapshot(full.watcher, [(one, wire.MSGPACK.encode(one)) for one in many])
    loop.turn()
    empty.read()
    full.read()
    assert empty.sizes == [0]
    assert full.sizes == [SNAPSHOT_SEATS, 5]
    assert len(full.seats) == len(many)


def test_a_lagging_session_keeps_only_the_newest(hub: Hub, loop: Loop) -> None:
    """DOM-PIC-4."""
    slow, fast = Screen(hub, sight(POLICE)), Screen(hub, sight(POLICE))
    slow.wire.blocked = True
    slow.wire.buffered = HIGH_WATER_BYTES + 1
    for time in range(1, 1_001):
        hub.publish(POLICE, seat(time % 10, time))
        hub.cross(POLICE, None, wire.FenceCrossing(1, 1, bool(time % 2), time))
        loop.turn()
        fast.read()
    assert slow.wire.writes == []
    assert slow.watcher.backlog is not None
    assert len(slow.watcher.backlog.seats) == 10
    assert hub.conflated == 990
    assert {s.time for s in fast.seats.values()} == set(range(991, 1_001))
    slow.wire.unblock()
    hub.check_lagging()
    loop.turn()
    slow.read()
    assert slow.seats == fast.seats
    assert slow.crossings == fast.crossings
    assert slow.sizes == [10]
    assert not hub.lagging


def test_a_socket_that_has_drained_by_half_still_lags(hub: Hub, loop: Loop) -> None:
    screen = Screen(hub, sight(POLICE))
    screen.wire.buffered = HIGH_WATER_BYTES + 1
    hub.publish(POLICE, seat(1))
    loop.turn()
    for buffered in (HIGH_WATER_BYTES, LOW_WATER_BYTES + 1):
        screen.wire.buffered = buffered
        hub.check_lagging()
        loop.turn()
        assert hub.lagging == {screen.watcher}
        assert screen.wire.writes == []
    screen.wire.buffered = LOW_WATER_BYTES
    hub.check_lagging()
    loop.turn()
    screen.read()
    assert not hub.lagging
    assert screen.seats == {1: seat(1)}


def test_nothing_of_before_comes_after_new_rights_while_lagging(hub: Hub, loop: Loop) -> None:
    """DOM-WHO-4: what was kept for a stalled session is not shown to it any more."""
    screen = Screen(hub, sight(POLICE, COAST))
    screen.wire.buffered = HIGH_WATER_BYTES + 1
    hub.publish(POLICE, seat(1))
    loop.turn()
    hub.watch(screen.watcher, sight(COAST), screen.codec)
    screen.wire.unblock()
    hub.check_lagging()
    hub.publish(COAST, seat(2))
    loop.turn()
    screen.read()
    assert screen.seats == {2: seat(2)}


def test_a_lagging_session_whose_socket_closed_is_forgotten(hub: Hub, loop: Loop) -> None:
    screen = Screen(hub, sight(POLICE))
    screen.wire.buffered = HIGH_WATER_BYTES + 1
    hub.publish(POLICE, seat(1))
    loop.turn()
    screen.outbox.closed = True
    hub.check_lagging()
    assert (hub.views, hub.lagging) == (0, set())


def test_records_go_on_to_a_lagging_session_in_order(hub: Hub, loop: Loop) -> None:
    screen = Screen(hub, sight(POLICE))
    screen.wire.buffered = HIGH_WATER_BYTES + 1
    hub.publish(POLICE, seat(1))
    loop.turn()
    for n in range(3):
        screen.outbox.send(wire.MSGPACK.encode(wire.Ok(n=n)))
    loop.turn()
    got = [wire.MSGPACK.decode_server(p) for p in frames(b"".join(screen.wire.writes))]
    assert got == [wire.Ok(n=n) for n in range(3)]


def test_a_unit_that_leaves_and_comes_back_in_one_flush_is_there(hub: Hub, loop: Loop) -> None:
    box = wire.Area(0, 0, 10, 10)
    screen = Screen(hub, sight(POLICE, area=box))
    for lon in (5, 50, 7):
        hub.publish(POLICE, seat(1, lon, lon, 5))
    loop.turn()
    screen.read()
    assert screen.seats == {1: seat(1, 7, 7, 5)}
    for lon in (8, 50):
        hub.publish(POLICE, seat(1, 100 + lon, lon, 5))
    loop.turn()
    screen.read()
    assert screen.seats == {}


def test_a_unit_that_was_in_the_area_before_anyone_looked_can_leave_it(
    hub: Hub, loop: Loop
) -> None:
    screen = Screen(hub, sight(POLICE, area=BOX))
    inside, outside = seat(1, 1, 5, 5), seat(2, 1, 500, 5)
    hub.snapshot(screen.watcher, [(s, wire.MSGPACK.encode(s)) for s in (inside, outside)])
    loop.turn()
    screen.read()
    assert screen.seats == {1: inside}
    hub.publish(POLICE, seat(1, 2, 500, 5))
    loop.turn()
    screen.read()
    assert screen.seats == {}


def test_what_is_not_shared_any_more_leaves_the_map_and_the_rest_stays(
    hub: Hub, loop: Loop
) -> None:
    screen = Screen(hub, sight(POLICE, COAST))
    other = Screen(hub, sight(POLICE, COAST))
    hub.publish(POLICE, seat(1))
    hub.publish(COAST, seat(2))
    loop.turn()
    hub.publish(POLICE, seat(1, 2))
    hub.move(screen.watcher, sight(COAST))
    hub.amend(screen.watcher, [1], [])
    hub.publish(POLICE, seat(1, 3))
    loop.turn()
    for one in (screen, other):
        one.read()
    assert screen.seats == {2: seat(2)}
    assert other.seats == {1: seat(1, 3), 2: seat(2)}


def test_rules_that_change_for_a_lagging_session_reach_it_when_it_is_back(
    hub: Hub, loop: Loop
) -> None:
    screen = Screen(hub, sight(POLICE))
    hub.publish(POLICE, seat(1))
    loop.turn()
    screen.wire.blocked, screen.wire.buffered = True, HIGH_WATER_BYTES + 1
    hub.publish(POLICE, seat(1, 2))
    loop.turn()
    assert hub.lagging == {screen.watcher}
    hub.move(screen.watcher, sight(COAST))
    hub.amend(screen.watcher, [1], [(2, wire.MSGPACK.encode(seat(2)))])
    assert hub.lagging == {screen.watcher}
    screen.wire.unblock()
    hub.check_lagging()
    loop.turn()
    screen.read()
    assert screen.seats == {2: seat(2)}


def test_a_blurred_seat_reaches_only_those_who_see_the_channel_so(hub: Hub, loop: Loop) -> None:
    exact = Screen(hub, sight(POLICE))
    rough = Screen(hub, sight(COAST, blurred=[POLICE]))
    assert list(hub.blurred) == [POLICE]
    hub.publish(POLICE, seat(1, 5))
    hub.publish_blurred(POLICE, seat(1, 4, 90, 90))
    hub.cross(POLICE, None, wire.FenceCrossing(1, 1, True, 5))
    hub.unit_presence(POLICE, "unit:1", True)
    loop.turn()
    for screen in (exact, rough):
        screen.read()
        assert screen.presence == {"unit:1": True}
    assert (exact.seats, len(exact.crossings)) == ({1: seat(1, 5)}, 1)
    assert (rough.seats, rough.crossings) == ({1: seat(1, 4, 90, 90)}, [])
    hub.unwatch(rough.watcher)
    assert not hub.blurred


def test_views_without_sessions_are_forgotten(hub: Hub, loop: Loop) -> None:
    screen = Screen(hub, sight(POLICE))
    hub.publish(POLICE, seat(1))
    hub.unwatch(screen.watcher)
    hub.unwatch(screen.watcher)
    loop.turn()
    assert hub.views == 0
    assert screen.wire.writes == []


def test_an_outbox_pings_no_more_often_than_it_may(hub: Hub, loop: Loop) -> None:
    screen = Screen(hub, sight(POLICE))
    for now in (100.0, 101.0, 120.0):
        screen.outbox.ping(now)
    loop.turn()
    assert b"".join(screen.wire.writes) == PING_FRAME * 2


@pytest.mark.parametrize(
    ("area", "lon", "inside"),
    [
        (wire.Area(-10, -10, 10, 10), 0, True),
        (wire.Area(-10, -10, 10, 10), 11, False),
        (wire.Area(1_790_000_000, -10, -1_790_000_000, 10), 1_800_000_000, True),
        (wire.Area(1_790_000_000, -10, -1_790_000_000, 10), -1_800_000_000, True),
        (wire.Area(1_790_000_000, -10, -1_790_000_000, 10), 0, False),
    ],
)
def test_an_area_may_cross_180_degrees(area: wire.Area, lon: int, inside: bool) -> None:
    assert within(area, lon, 0) is inside
    assert not within(area, lon, 11)


BOX = wire.Area(0, 0, 100, 100)
CHANNELS = [(1, 0), (1, 7), (2, 0)]


class Screens(RuleBasedStateMachine):
    """DOM-PIC-5: any order of moves, stalls, new rights; in the end each screen is the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.hub = Hub(cast(asyncio.AbstractEventLoop, self.loop))
        self.time = 0
        self.channel: dict[int, Channel] = {n: CHANNELS[n % 3] for n in range(4)}
        self.truth: dict[int, wire.Seat] = {}
        self.screens: list[tuple[Screen, Sight]] = []
        # Few, so that a stall, new rights and a move meet on one of them; two share a view.
        for codec, area, channels in (
            (wire.MSGPACK, None, CHANNELS[:1]),
            (wire.MSGPACK, BOX, CHANNELS),
            (wire.MSGPACK, BOX, CHANNELS),
            (wire.JSON, BOX, CHANNELS[:2]),
        ):
            seen = sight(*channels, area=area)
            self.screens.append((Screen(self.hub, seen, codec), seen))

    def visible(self, seen: Sight) -> dict[int, wire.Seat]:
        return {
            unit: one
            for unit, one in self.truth.items()
            if self.channel[unit] in seen.audience.exact
            and (seen.area is None or within(seen.area, one.lon, one.lat))
        }

    @rule(unit=st.integers(0, 3), lon=st.integers(-50, 150), lat=st.integers(-50, 150))
    def move(self, unit: int, lon: int, lat: int) -> None:
        self.time += 1
        self.truth[unit] = seat(unit, self.time, lon, lat)
        self.hub.publish(self.channel[unit], self.truth[unit])

    @rule(unit=st.integers(0, 3))
    def retire(self, unit: int) -> None:
        before = [self.visible(seen) for _, seen in self.screens]
        self.truth.pop(unit, None)
        self.mend(before)

    @rule(unit=st.integers(0, 3), channel=st.sampled_from(CHANNELS))
    def hide(self, unit: int, channel: Channel) -> None:
        if channel == self.channel[unit]:
            return
        before = [self.visible(seen) for _, seen in self.screens]
        self.channel[unit] = channel
        self.mend(before)

    @rule(which=st.integers(0, 3), channels=st.sets(st.sampled_from(CHANNELS), min_size=1))
    def share(self, which: int, channels: set[Channel]) -> None:
        before = [self.visible(seen) for _, seen in self.screens]
        screen, old = self.screens[which]
        self.screens[which] = (screen, sight(*channels, area=old.area))
        self.mend(before)

    def mend(self, before: list[dict[int, wire.Seat]]) -> None:
        """Tell every screen what rules have changed for it, as ``psn.picture.screens`` does."""
        for (screen, seen), had in zip(self.screens, before, strict=True):
            has = self.visible(seen)
            view = screen.watcher.view
            assert view is not None
            if had == has and view.sight == seen:
                continue
            self.hub.settle(view)
            if seen.area is not None:
                self.show(screen, seen)
                continue
            if view.sight != seen:
                self.hub.move(screen.watcher, seen)
            new = [(u, screen.codec.encode(one)) for u, one in has.items() if u not in had]
            self.hub.amend(screen.watcher, sorted(had.keys() - has.keys()), new)

    @rule(which=st.integers(0, 3))
    def stall(self, which: int) -> None:
        socket = self.screens[which][0].wire
        socket.blocked = True
        socket.buffered = HIGH_WATER_BYTES + 1

    @rule(which=st.integers(0, 3))
    def drain(self, which: int) -> None:
        self.screens[which][0].wire.unblock()
        self.hub.check_lagging()

    @rule(which=st.integers(0, 3), channels=st.sets(st.sampled_from(CHANNELS), min_size=1))
    def watch_again(self, which: int, channels: set[Channel]) -> None:
        screen, old = self.screens[which]
        seen = sight(*channels, area=old.area)
        self.screens[which] = (screen, seen)
        self.show(screen, seen)

    def show(self, screen: Screen, seen: Sight) -> None:
        # In the middle of whatever is going on, as the core does it: no flush before.
        self.hub.watch(screen.watcher, seen, screen.codec)
        screen.outbox.send(
            screen.codec.encode(wire.Roster(agencies=[], groups=[], people=[], units=[]))
        )
        self.hub.snapshot(
            screen.watcher,
            [
                (one, wire.MSGPACK.encode(one))
                for unit, one in self.truth.items()
                if self.channel[unit] in seen.audience.exact
            ],
        )

    @rule()
    def turn(self) -> None:
        self.loop.turn()

    @invariant()
    def nobody_is_shown_what_he_may_not_see(self) -> None:
        for screen, seen in self.screens:
            screen.read()
            units = set(screen.seats)
            # A unit that was just hidden may still be on its way out; a flush settles it.
            if not self.loop.soon and not screen.watcher.backlog:
                assert {self.channel[unit] for unit in units} <= seen.audience.exact

    def teardown(self) -> None:
        for screen, _ in self.screens:
            screen.wire.unblock()
        self.hub.flush()
        self.hub.check_lagging()
        self.hub.flush()
        for screen, seen in self.screens:
            screen.read()
            assert screen.seats == self.visible(seen)


Screens.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestScreens = Screens.TestCase


def test_a_socket_that_cannot_be_written_to_is_cut_off_and_the_others_get_theirs() -> None:
    class Broken(Wire):
        def write(self, data: bytes) -> None:
            raise RuntimeError("unexpected")

    loop = Loop()
    hub = Hub(cast(asyncio.AbstractEventLoop, loop))
    wires = [Broken(), Wire()]
    for one in wires:
        Outbox(hub, cast(asyncio.WriteTransport, one), True).send(b"x")
    loop.turn()
    assert [one.aborted for one in wires] == [True, False]
    assert len(wires[1].writes) == 1
