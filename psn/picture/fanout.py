"""One encoding, many sockets: how the picture reaches every session that may see it.

Theory of operation
-------------------
Neither asyncio nor uvloop merges writes, and a system call per delivered frame is what costs. So
a seat (the newest position of a unit) is encoded once, appended to each *view* whose sessions may
see the unit, and a single callback at the end of the event-loop iteration frames each view once
and hands the same bytes to every socket of it. When idle nothing waits; under load the batches
grow by themselves.

A *view* is what sessions with equal rights and equal wishes share: visible channels and how
precisely, agencies whose people they may write to, area, filter and codec. Rights are looked at
when a session watches or when rules change, never when a position comes: a position is at most a
look-up of its channel. Views that see a channel blurred are in an index of their own, which the
clock asks (``psn.picture.screens``) and no position does.

A session whose socket does not drain is *lagging*: it stops getting the shared frames and keeps,
in memory bounded by the number of units, only the newest value of each. When its socket has
drained it gets those in one frame and is back. Record traffic is not conflated here: see
``psn.record.log``, which re-reads it from disk.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psn import wire
from psn.access import Sight
from psn.directory import Channel
from psn.histogram import SECONDS, Histogram

log = logging.getLogger(__name__)

HIGH_WATER_BYTES = 262_144
"""More than this waiting in a socket, and its session is lagging."""
LOW_WATER_BYTES = 32_768
"""At most this waiting, and it is back."""
CHOKED_BYTES = 4_194_304
"""More than this waiting, and nothing more is read from the peer: it asks and does not listen."""
PING_FRAME = b"\x89\x00"
PING_SECONDS = 10.0
CROSSINGS_KEPT = 1_000
"""Fence crossings that a lagging session keeps, the newest."""
SNAPSHOT_SEATS = 2_000
"""Seats in one frame of a snapshot, so that no frame keeps a voice frame waiting."""


def websocket_frame(payload: bytes, binary: bool) -> bytes:
    """Payload as one unfragmented, unmasked WebSocket frame (RFC 6455 §5.2)."""
    first = 0x82 if binary else 0x81
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big") + payload
    return bytes((first, 127)) + size.to_bytes(8, "big") + payload


class Outbox:
    """Frames for one socket, written once per event-loop iteration, in the order given."""

    __slots__ = (
        "_drained",
        "_hub",
        "_pending",
        "_pinged",
        "_size",
        "_stalled_since",
        "binary",
        "closed",
        "transport",
        "written",
    )

    def __init__(self, hub: Hub, transport: asyncio.WriteTransport, binary: bool) -> None:
        self._hub = hub
        self._pending: list[bytes] = []
        self._size = 0
        self._pinged = 0.0
        self._drained = 0
        self._stalled_since: float | None = None
        self.transport = transport
        self.binary = binary
        self.closed = False
        self.written = 0

    def send(self, payload: bytes) -> None:
        """Queue one frame."""
        self.send_framed(websocket_frame(payload, self.binary))

    def send_framed(self, framed: bytes) -> None:
        """Queue bytes that are a WebSocket frame already."""
        if self.closed:
            return
        if not self._pending:
            self._hub.dirty_outbox(self)
        self._pending.append(framed)
        self._size += len(framed)

    def write(self) -> None:
        """Hand everything queued to the socket in one call."""
        pending, self._pending, size, self._size = self._pending, [], self._size, 0
        if not pending:
            return
        if self.closed or self.transport.is_closing():
            self.closed = True
            return
        self.written += size
        self.transport.write(pending[0] if len(pending) == 1 else b"".join(pending))

    def write_now(self) -> None:
        """Write what is queued without waiting for the end of the iteration."""
        if self._pending:
            self.write()

    def ping(self, now: float) -> None:
        """Ask a silent peer for a sign of life (RFC 6455 §5.5.2), at most every few seconds."""
        if now - self._pinged > PING_SECONDS:
            self._pinged = now
            self.send_framed(PING_FRAME)

    @property
    def waiting(self) -> int:
        """Bytes that the operating system has not taken yet."""
        return self._size + (0 if self.closed else self.transport.get_write_buffer_size())

    def stuck(self, now: float) -> float:
        """Seconds for which the peer has taken nothing of what waits; ``now`` is monotonic.

        To be asked every second or so: it is measured from one asking to the next.
        """
        waiting = self.waiting
        drained = self.written + self._size - waiting
        if waiting <= LOW_WATER_BYTES or drained > self._drained or self._stalled_since is None:
            self._drained = drained
            self._stalled_since = now
        return now - self._stalled_since


@dataclass(slots=True)
class Backlog:
    """What a lagging session has missed, the newest of each: bounded by what there is to see."""

    seats: dict[int, bytes]
    presence: dict[str, bool]
    gone: set[int]
    crossings: deque[wire.FenceCrossing]


class Watcher:
    """One session's end of a view."""

    __slots__ = ("backlog", "outbox", "view")

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.view: View | None = None
        self.backlog: Backlog | None = None


def within(area: wire.Area, lon: int, lat: int) -> bool:
    """Whether a place (degrees x 10^7) lies in the area, also when that crosses 180°."""
    if not area.south <= lat <= area.north:
        return False
    if area.west <= area.east:
        return area.west <= lon <= area.east
    return lon >= area.west or lon <= area.east


class View:
    """Sessions that see the same, and what changed for them since the last flush."""

    __slots__ = ("codec", "crossings", "gone", "inside", "presence", "seats", "sight", "watchers")

    def __init__(self, sight: Sight, codec: wire.Codec) -> None:
        self.sight = sight
        self.codec = codec
        self.watchers: set[Watcher] = set()
        self.seats: list[tuple[int, bytes]] = []
        self.gone: list[int] = []
        self.presence: dict[str, bool] = {}
        self.crossings: list[wire.FenceCrossing] = []
        self.inside: set[int] = set()
        """Units now in the area; not kept for a view of everywhere."""

    def admits(self, unit: int, lon: int, lat: int) -> bool:
        """Whether a unit's new place is in the area; a unit that left is marked gone."""
        area = self.sight.area
        if area is None:
            return True
        if within(area, lon, lat):
            self.inside.add(unit)
            return True
        if unit in self.inside:
            self.remove(unit)
        return False

    def remove(self, unit: int) -> None:
        """Mark a unit gone, and forget a seat of it that has not been sent yet."""
        self.inside.discard(unit)
        self.gone.append(unit)
        if self.seats:
            self.seats = [waiting for waiting in self.seats if waiting[0] != unit]


class Hub:
    """All views and outboxes of this process, and the one callback that flushes them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._views: dict[tuple[Sight, wire.Codec], View] = {}
        self._exact: dict[Channel, list[View]] = {}
        self._blurred: dict[Channel, list[View]] = {}
        self._present: dict[Channel, list[View]] = {}
        """Views that see anything of a channel: its units' names, and whether they are there."""
        self._dirty_views: set[View] = set()
        self._dirty_outboxes: list[Outbox] = []
        self._scheduled = False
        self._changed_at = 0.0
        self.seconds = Histogram(SECONDS)
        """From the first change of an iteration until every socket had been handed it."""
        self.lagging: set[Watcher] = set()
        self.conflated = 0
        """Seats that a lagging session did not get because a newer one replaced them."""
        self.delivered = 0
        """Seats handed to sockets."""

    # -- who watches

    def watch(self, watcher: Watcher, sight: Sight, codec: wire.Codec) -> View:
        """Put a session into the view of that sight, out of the one it was in."""
        self.unwatch(watcher)
        key = (sight, codec)
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(sight, codec)
            for index, channels in self._indices(sight):
                for channel in channels:
                    index.setdefault(channel, []).append(view)
        view.watchers.add(watcher)
        watcher.view = view
        return view

    def unwatch(self, watcher: Watcher) -> None:
        """Take a session out of its view; a view without sessions is forgotten."""
        view, watcher.view = watcher.view, None
        watcher.backlog = None
        self.lagging.discard(watcher)
        if view is None:
            return
        view.watchers.discard(watcher)
        if not view.watchers:
            del self._views[(view.sight, view.codec)]
            self._dirty_views.discard(view)
            for index, channels in self._indices(view.sight):
                for channel in channels:
                    views = index[channel]
                    views.remove(view)
                    if not views:
                        del index[channel]

    def _indices(
        self, sight: Sight
    ) -> tuple[tuple[dict[Channel, list[View]], frozenset[Channel]], ...]:
        seen = sight.audience
        return (
            (self._exact, seen.exact),
            (self._blurred, seen.blurred),
            (self._present, seen.channels),
        )

    def move(self, watcher: Watcher, sight: Sight) -> None:
        """Rules changed: the session sees ``sight`` from now on. It keeps what it has.

        What it has not been sent yet was its due before the change. The difference between the
        two sights is for the caller to :meth:`amend`.
        """
        view, backlog = watcher.view, watcher.backlog
        assert view is not None
        self.settle(view)
        self.watch(watcher, sight, view.codec)
        if backlog is not None:
            watcher.backlog = backlog
            self.lagging.add(watcher)

    def settle(self, view: View) -> None:
        """Hand out now what changed for a view, so that what comes next comes after it."""
        if view in self._dirty_views:
            self._dirty_views.discard(view)
            self._flush_view(view)

    def amend(self, watcher: Watcher, gone: list[int], seats: list[tuple[int, bytes]]) -> None:
        """Take units off one session's map and put others on it, after the rules changed.

        ``seats`` are unit and body as the session's codec encodes it. A lagging session gets the
        newest of each when it is back.
        """
        if watcher.backlog is not None:
            self._keep(watcher.backlog, seats, gone, {})
            return
        assert watcher.view is not None
        for payload in _frames(watcher.view.codec, [body for _, body in seats], gone, {}, []):
            watcher.outbox.send(payload)
        self.delivered += len(seats)

    def snapshot(self, watcher: Watcher, seats: Iterable[tuple[wire.Seat, bytes]]) -> None:
        """Send a session that has just begun to watch everything there is to see now."""
        view = watcher.view
        assert view is not None
        area, codec = view.sight.area, view.codec
        bodies = []
        for seat, encoded in seats:
            if area is not None:
                if not within(area, seat.lon, seat.lat):
                    continue
                view.inside.add(seat.unit)
            bodies.append(encoded if codec.binary else codec.encode(seat))
        for start in range(0, max(len(bodies), 1), SNAPSHOT_SEATS):
            part = bodies[start : start + SNAPSHOT_SEATS]
            watcher.outbox.send(codec.picture(part, snapshot=True))

    # -- what changed

    def publish(self, channel: Channel, seat: wire.Seat) -> bytes:
        """Show a unit's newest seat to everyone who may see its channel. Returns it encoded."""
        encoded = wire.MSGPACK.encode(seat)
        for view in self._exact.get(channel, ()):
            self._show(view, seat, encoded)
        return encoded

    def publish_blurred(self, channel: Channel, seat: wire.Seat) -> None:
        """Show a unit's blurred seat to those who see its channel so."""
        encoded = wire.MSGPACK.encode(seat)
        for view in self._blurred.get(channel, ()):
            self._show(view, seat, encoded)

    @property
    def blurred(self) -> Mapping[Channel, object]:
        """Channels that some view sees blurred; empty when none does."""
        return self._blurred

    def _show(self, view: View, seat: wire.Seat, encoded: bytes) -> None:
        if view.sight.area is None or view.admits(seat.unit, seat.lon, seat.lat):
            body = encoded if view.codec.binary else view.codec.encode(seat)
            view.seats.append((seat.unit, body))
        self._dirty_view(view)

    def cross(self, channel: Channel, owner: int | None, crossing: wire.FenceCrossing) -> None:
        """Tell those who see the unit and the fence of agency ``owner`` of a crossing."""
        for view in self._exact.get(channel, ()):
            if owner in view.sight.fences:
                view.crossings.append(crossing)
                self._dirty_view(view)

    def unit_presence(self, channel: Channel, address: str, online: bool) -> None:
        """A unit came or went."""
        for view in self._present.get(channel, ()):
            view.presence[address] = online
            self._dirty_view(view)

    def person_presence(self, agency: int, address: str, online: bool) -> None:
        """A person came or went."""
        for view in self._views.values():
            if agency in view.sight.people:
                view.presence[address] = online
                self._dirty_view(view)

    # -- flushing

    def dirty_outbox(self, outbox: Outbox) -> None:
        """An outbox has something to write."""
        self._dirty_outboxes.append(outbox)
        self._schedule()

    def _dirty_view(self, view: View) -> None:
        self._dirty_views.add(view)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._changed_at = time.perf_counter()
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Frame every changed view once, then write every outbox once."""
        self._scheduled = False
        views, self._dirty_views = self._dirty_views, set()
        for view in views:
            self._flush_view(view)
        outboxes, self._dirty_outboxes = self._dirty_outboxes, []
        for outbox in outboxes:
            try:
                outbox.write()
            except Exception:
                # One broken socket must not keep the others' frames from them for good.
                log.exception("a socket could not be written to")
                outbox.closed = True
                outbox.transport.abort()
        self.seconds.observe(time.perf_counter() - self._changed_at)

    def _flush_view(self, view: View) -> None:
        seats, view.seats = view.seats, []
        gone, view.gone = view.gone, []
        presence, view.presence = view.presence, {}
        crossings, view.crossings = view.crossings, []
        bodies = [body for _, body in seats]
        frames = [
            websocket_frame(payload, view.codec.binary)
            for payload in _frames(view.codec, bodies, gone, presence, crossings)
        ]
        framed = frames[0] if len(frames) == 1 else b"".join(frames)
        for watcher in view.watchers:
            if watcher.backlog is None and watcher.outbox.waiting > HIGH_WATER_BYTES:
                watcher.backlog = Backlog({}, {}, set(), deque(maxlen=CROSSINGS_KEPT))
                self.lagging.add(watcher)
            if watcher.backlog is not None:
                self._keep(watcher.backlog, seats, gone, presence)
                watcher.backlog.crossings.extend(crossings)
            else:
                watcher.outbox.send_framed(framed)
                self.delivered += len(seats)

    def _keep(
        self,
        backlog: Backlog,
        seats: Iterable[tuple[int, bytes]],
        gone: Iterable[int],
        presence: dict[str, bool],
    ) -> None:
        for unit in gone:
            backlog.seats.pop(unit, None)
            backlog.gone.add(unit)
        for unit, body in seats:
            if unit in backlog.seats:
                self.conflated += 1
            backlog.gone.discard(unit)
            backlog.seats[unit] = body
        backlog.presence.update(presence)

    def check_lagging(self) -> None:
        """Bring back the lagging sessions that have drained. Call it a few times a second."""
        for watcher in list(self.lagging):
            outbox = watcher.outbox
            if outbox.closed:
                self.unwatch(watcher)
            elif outbox.waiting <= LOW_WATER_BYTES:
                self._catch_up(watcher)

    def _catch_up(self, watcher: Watcher) -> None:
        backlog, watcher.backlog = watcher.backlog, None
        self.lagging.discard(watcher)
        if backlog is None or watcher.view is None:
            return
        codec = watcher.view.codec
        seats = list(backlog.seats.values())
        crossings = list(backlog.crossings)
        for payload in _frames(codec, seats, list(backlog.gone), backlog.presence, crossings):
            watcher.outbox.send(payload)
        self.delivered += len(seats)

    @property
    def views(self) -> int:
        """How many different views there are."""
        return len(self._views)


def _frames(
    codec: wire.Codec,
    seats: list[bytes],
    gone: list[int],
    presence: dict[str, bool],
    crossings: list[wire.FenceCrossing],
) -> list[bytes]:
    """The frames of one flush. Units that left come first: one may have come back since."""
    frames = []
    if gone:
        frames.append(codec.encode(wire.Gone(units=gone)))
    for start in range(0, len(seats), SNAPSHOT_SEATS):
        frames.append(codec.picture(seats[start : start + SNAPSHOT_SEATS]))
    if presence:
        frames.append(codec.encode(wire.Presence(who=presence)))
    if crossings:
        frames.append(codec.encode(wire.FenceCrossings(x=crossings)))
    return frames
