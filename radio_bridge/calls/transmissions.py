"""One channel: a slot of a repeater, or of a link. Bursts go in, who talks to whom comes out.

Theory of operation
-------------------
Whose transmission it is, the link control says that the talker's radio sends: in headers before it,
in pieces during it. What a packet says outside the burst was perhaps rewritten on the way, and
stream ids are reused or zero; so these only tell that something new begins, never what it is.

==========  ====================================  ==============================================
channel is  what comes                            then
==========  ====================================  ==============================================
quiet       header with link control              keyed
quiet       voice                                 heard, and kept from everybody
quiet       whole link control from voice         keyed, by late entry: at once when the packet
                                                  says the same, else when it is said twice
quiet       voice of a stream that timed out      keyed, as it was
keyed       voice                                 passed on
keyed       packets that say somebody else        unkeyed, then as when quiet; but dropped while
                                                  those of the stream that is on still come
keyed       other link control, said twice        unkeyed, and keyed anew
keyed       header of somebody else               unkeyed, and keyed anew
keyed       the same as an emergency, in a        unkeyed, and keyed anew: he keyed again, and the
            header, or said twice                 terminator was lost
keyed       terminator of the same stream         unkeyed
keyed       data or control                       unkeyed: the terminator was lost
keyed       no burst for SILENCE_S                unkeyed
any         a packet again, or one from behind    dropped
==========  ====================================  ==============================================
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from radio_bridge.dmr import burst, embedded, link_control, talker_alias
from radio_bridge.dmr.burst import DataBurst, DataType, Embedded, Piece, VoiceBurst
from radio_bridge.dmr.link_control import AliasPart, GpsInfo, LinkControl, Service, VoiceCall
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.unreadable import Unreadable

SILENCE_S: Final = 0.36
"""A superframe: six bursts of 60 ms."""
REMEMBERED_S: Final = 5.0
"""So long a stream that timed out is known again without link control."""
ALIVE_S: Final = 0.12
"""A stream of which a burst came so lately goes on; another at the same time is kept away."""
_BEHIND: Final = 16
"""A packet so little behind was overtaken; one farther behind has begun to count anew."""
_SEQUENCES: Final = 256
_OF_A_TALK: Final = frozenset({DataType.PI_HEADER, DataType.IDLE})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who talks to whom."""

    source: int
    target: int
    group: bool


@dataclass(frozen=True, slots=True)
class Keyed:
    """A transmission begins, or is heard from here on."""

    identity: Identity
    service: Service
    late: bool
    """Its beginning was not heard."""
    claimed: Identity
    """What the packets said, which may differ."""


@dataclass(frozen=True, slots=True)
class Voice:
    """60 ms of it: three frames of the vocoder in 216 bits."""

    frames: int


@dataclass(frozen=True, slots=True)
class Alias:
    """The talker's name, as his radio says it."""

    name: str


class Unkeying(enum.StrEnum):
    """Why a transmission is over."""

    TERMINATED = "terminated"
    SILENT = "silent"
    """Nothing came any more."""
    REPLACED = "replaced"
    """Something else came, and no terminator before."""


@dataclass(frozen=True, slots=True)
class Unkeyed:
    """The transmission is over."""

    cause: Unkeying


Said = Keyed | Voice | Alias | GpsInfo | Unkeyed
"""In this order: keyed, any of voice, alias and place, unkeyed."""


@dataclass(slots=True)
class _Transmission:
    """What is known of what is on the channel, keyed or not."""

    claimed: Identity
    stream: int
    sequence: int
    burst: bytes
    heard_at: float
    keyed: Keyed | None = None
    contradicted: LinkControl | None = None
    pieces: embedded.Reader = field(default_factory=embedded.Reader)
    alias: talker_alias.Reader = field(default_factory=talker_alias.Reader)
    name: str | None = None


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A stream that timed out."""

    stream: int
    claimed: Identity
    keyed: Keyed
    until: float

    def is_of(self, on: _Transmission) -> bool:
        """Whether this is what goes on now."""
        return (self.stream, self.claimed) == (on.stream, on.claimed)


class Channel:
    """What is on one channel. ``dropped`` counts bursts that were not taken, by code."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._dropped = dropped
        self._on: _Transmission | None = None
        self._remembered: _Remembered | None = None

    @property
    def keyed(self) -> Keyed | None:
        """The transmission that is going on."""
        return self._on.keyed if self._on else None

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        return self._on.heard_at + SILENCE_S if self._on else None

    def is_forgotten(self, now: float) -> bool:
        """Whether nothing is on it, nor is remembered of it."""
        return self._on is None and (self._remembered is None or self._remembered.until <= now)

    def pass_time(self, now: float) -> list[Said]:
        """Of whom nothing comes any more is not talking any more."""
        on = self._on
        if on is None or now < on.heard_at + SILENCE_S:
            return []
        if on.keyed and on.stream:
            until = now + REMEMBERED_S
            self._remembered = _Remembered(on.stream, on.claimed, on.keyed, until)
        return self._unkey(Unkeying.SILENT)

    def hear(self, packet: BurstPacket, now: float) -> list[Said]:
        """Take a burst."""
        said = self.pass_time(now)
        claimed = Identity(packet.source, packet.target, packet.group)
        if self._on and self._on.claimed != claimed:
            if packet.stream != self._on.stream and now < self._on.heard_at + ALIVE_S:
                self._dropped["calls.contention"] += 1
                return said
            said += self._unkey(Unkeying.REPLACED)
        if self._on and not self._is_next(self._on, packet):
            return said
        try:
            if packet.frame == Frame.DATA:
                return said + self._data(packet, claimed, now)
            return said + self._voice(packet, claimed, now)
        except Unreadable as error:
            self._dropped[error.code] += 1
            return said

    def _is_next(self, on: _Transmission, packet: BurstPacket) -> bool:
        """Whether it comes after what was heard; what is missing between is noticed."""
        kind = packet.kind if packet.frame == Frame.DATA else None
        ahead = (packet.sequence - on.sequence) % _SEQUENCES
        if packet.stream != on.stream:
            if kind == DataType.TERMINATOR and packet.stream and on.stream:
                self._dropped["calls.behind"] += 1
                return False
            on.stream = packet.stream
            on.pieces.lost()
        elif ahead == 0 and packet.burst == on.burst:
            self._dropped["calls.again"] += 1
            return False
        elif ahead >= _SEQUENCES - _BEHIND and kind != DataType.VOICE_HEADER:
            self._dropped["calls.behind"] += 1
            return False
        elif ahead > 1:
            on.pieces.lost()
        on.sequence, on.burst = packet.sequence, packet.burst
        return True

    def _data(self, packet: BurstPacket, claimed: Identity, now: float) -> list[Said]:
        kind = packet.kind
        if kind == DataType.TERMINATOR:
            return self._unkey(Unkeying.TERMINATED)
        if kind != DataType.VOICE_HEADER:
            return [] if kind in _OF_A_TALK else self._unkey(Unkeying.REPLACED)
        on = self._open(packet, claimed, now)
        heard: DataBurst = burst.read_data(packet.burst)
        control = link_control.from_info(heard.info, DataType.VOICE_HEADER)
        if not isinstance(control, VoiceCall):
            return []
        return self._key(on, control, late=False)

    def _open(self, packet: BurstPacket, claimed: Identity, now: float) -> _Transmission:
        if self._on is None:
            self._on = _Transmission(claimed, packet.stream, packet.sequence, packet.burst, now)
        self._on.heard_at = now
        return self._on

    def _voice(self, packet: BurstPacket, claimed: Identity, now: float) -> list[Said]:
        is_new = self._on is None
        on = self._open(packet, claimed, now)
        said: list[Said] = []
        known = self._remembered
        if is_new and known and now < known.until and known.is_of(on):
            on.keyed = known.keyed
            said.append(on.keyed)
        frames = Voice(burst.voice_bits(packet.burst))
        said += self._middle(on, packet)
        if on.keyed is None:
            self._dropped["calls.unidentified"] += 1
            return said
        return [*said, frames]

    def _middle(self, on: _Transmission, packet: BurstPacket) -> list[Said]:
        """What is embedded in a burst of voice, if anything."""
        if packet.frame == Frame.VOICE_SYNC:
            return []
        try:
            heard: VoiceBurst = burst.read_voice(packet.burst)
            if not isinstance(heard.middle, Embedded) or heard.middle.piece == Piece.ALONE:
                return []
            control = on.pieces.take(heard.middle)
        except Unreadable as error:
            on.pieces.lost()
            self._dropped[error.code] += 1
            return []
        if isinstance(control, VoiceCall):
            return self._identified(on, control)
        if on.keyed is None:
            return []
        if isinstance(control, AliasPart):
            name = on.alias.take(control)
            if name and name != on.name:
                on.name = name
                return [Alias(name)]
        return [control] if isinstance(control, GpsInfo) else []

    def _identified(self, on: _Transmission, control: VoiceCall) -> list[Said]:
        """Embedded link control: five bits of checksum, so another opinion is heard twice."""
        identity = _identity(control)
        expected = on.keyed.identity if on.keyed else on.claimed
        is_other = identity != expected or _is_raised(on.keyed, control)
        if is_other and on.contradicted != control:
            on.contradicted = control
            return []
        on.contradicted = None
        return self._key(on, control, late=True)

    def _key(self, on: _Transmission, control: VoiceCall, *, late: bool) -> list[Said]:
        identity = _identity(control)
        if on.keyed and on.keyed.identity == identity and not _is_raised(on.keyed, control):
            return []
        said: list[Said] = [Unkeyed(Unkeying.REPLACED)] if on.keyed else []
        on.keyed = Keyed(identity, control.service, late, on.claimed)
        on.alias, on.name, self._remembered = talker_alias.Reader(), None, None
        return [*said, on.keyed]

    def _unkey(self, cause: Unkeying) -> list[Said]:
        on, self._on = self._on, None
        if cause == Unkeying.TERMINATED:
            self._remembered = None
        return [Unkeyed(cause)] if on and on.keyed else []


def _identity(control: VoiceCall) -> Identity:
    return Identity(control.source, control.target, control.group)


def _is_raised(keyed: Keyed | None, control: VoiceCall) -> bool:
    """Whether what was a call like others is an emergency now."""
    return keyed is not None and control.service.emergency and not keyed.service.emergency
