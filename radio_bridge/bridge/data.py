"""Data and control on all channels: what it says, and where else it is brought. Pure.

Bursts of data are not made anew: they go on as they came, to the channels of their talkgroup, or to
that on which the radio was heard last. Two packets at a time on one channel would both be lost, so
the second is dropped; so is what comes back by a loop, or by a second site.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from radio_bridge.bridge.exchange import Exchange
from radio_bridge.calls.conversations import ECHO_S, Where
from radio_bridge.calls.transmissions import Identity
from radio_bridge.data_channel import DataChannel
from radio_bridge.dmr import burst, data_block, data_header
from radio_bridge.dmr.burst import DataType
from radio_bridge.dmr.data_header import PacketHeader
from radio_bridge.dmr.packet import MOST_ROUNDS, BlocksWanted
from radio_bridge.homebrew import stream
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import Emergency, Happening, Status, Text

STREAM_S: Final = 0.5
"""A packet of which nothing comes for so long is over."""
CHANNEL_S: Final = 60.0
"""A channel on which no data came for so long is forgotten."""
MOST_CHANNELS: Final = 1_000
_MOST_SEEN: Final = 4_000
_OF_VOICE: Final = frozenset(
    {DataType.PI_HEADER, DataType.VOICE_HEADER, DataType.TERMINATOR, DataType.IDLE}
)


@dataclass(frozen=True, slots=True)
class Forward:
    """A burst goes out on a channel."""

    where: Where
    packet: BurstPacket


@dataclass(frozen=True, slots=True)
class Told:
    """Something has happened on a radio network."""

    radio_network: str
    where: Where
    happening: Happening


@dataclass(frozen=True, slots=True)
class Send:
    """Bursts of ours go out on a channel, one behind the other, as soon as it is free."""

    where: Where
    packets: list[BurstPacket]


Out = Forward | Told | Send


@dataclass(slots=True)
class _Sent:
    """A confirmed packet of ours: its header and blocks; blocks of it may be wanted again."""

    stream: int
    packets: list[BurstPacket]
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class _Stream:
    """What goes over a channel now."""

    source: int
    stream: int
    until: float

    def is_of(self, packet: BurstPacket) -> bool:
        """Whether this goes on with that burst."""
        return (self.source, self.stream) == (packet.source, packet.stream)


class DataPassing:
    """All channels' data."""

    def __init__(self, exchange: Exchange, ours: Collection[int]) -> None:
        """``ours``: numbers of radios that the bridge itself is."""
        self.dropped: Counter[str] = exchange.dropped
        self.ours = ours
        self._exchange = exchange
        self._channels: OrderedDict[Where, DataChannel] = OrderedDict()
        """Where data came last at the end."""
        self._heard_at: dict[Where, float] = {}
        self._streams: dict[Where, _Stream] = {}
        self._sent: OrderedDict[tuple[int, int], _Sent] = OrderedDict()
        """The last one from each of ours to each radio."""
        self._refused: OrderedDict[tuple[Where, int, int], float] = OrderedDict()
        self._seen: OrderedDict[tuple[int, int, int, int, bytes], tuple[Where, float]]
        self._seen = OrderedDict()

    def hear(self, where: Where, packet: BurstPacket, now: float) -> list[Out]:
        """Take a burst of any kind; those of voice say nothing here."""
        out = self.pass_time(now)
        network = self._exchange.network_of(where)
        if packet.frame != Frame.DATA or packet.kind in _OF_VOICE or network is None:
            return out
        identity = Identity(packet.source, packet.target, packet.group)
        may_pass = self._exchange.may(where, identity)
        if not may_pass:
            self.dropped["bridge.data_barred"] += 1
            if packet.kind != DataType.CONTROL_BLOCK:
                return out
        if self._came_back(where, packet, now):
            self.dropped["bridge.data_again"] += 1
            return out
        channel = self._channel(where, now)
        happened = channel.hear(packet, now)
        if not may_pass:
            # It is passed on to nobody; but nobody's call for help fails by a talkgroup.
            pressed = [one for one in happened if isinstance(one, Emergency)]
            return out + self._told(network, where, channel, pressed)
        out += self._told(network, where, channel, happened)
        for other in self._channels_of(network, packet, where):
            if self._is_free(other, packet, now):
                out.append(Forward(other, packet))
        return out

    def _channel(self, where: Where, now: float) -> DataChannel:
        channel = self._channels.get(where)
        if channel is None:
            channel = self._channels[where] = DataChannel(self.dropped)
        self._channels.move_to_end(where)
        self._heard_at[where] = now
        if len(self._channels) > MOST_CHANNELS:
            self._forget(next(iter(self._channels)))
        return channel

    def _forget(self, where: Where) -> None:
        del self._channels[where], self._heard_at[where]

    def _came_back(self, where: Where, packet: BurstPacket, now: float) -> bool:
        key = packet.source, packet.target, packet.stream, packet.sequence, packet.burst
        known = self._seen.get(key)
        if known is not None and known[0] != where and known[1] > now:
            return True
        self._seen.pop(key, None)
        self._seen[key] = where, now + ECHO_S
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return False

    def _channels_of(self, network: str, packet: BurstPacket, where: Where) -> list[Where]:
        if packet.group:
            return self._exchange.channels((network, packet.target), where)
        known = self._exchange.heard_at.get((network, packet.target))
        return [] if known is None or known == where or packet.target in self.ours else [known]

    def _is_free(self, where: Where, packet: BurstPacket, now: float) -> bool:
        """A packet of which the beginning could not be sent is not sent at all."""
        going = self._streams.get(where)
        is_going = going is not None and going.until > now
        if not is_going or going is None or not going.is_of(packet):
            key = where, packet.source, packet.stream
            refused = self._refused.pop(key, 0.0) > now
            target = packet.target, packet.group
            if refused or is_going or not self._exchange.is_free(where, target, now, urgent=True):
                if not refused:
                    self.dropped["bridge.data_busy"] += 1
                self._refused[key] = now + STREAM_S
                while next(iter(self._refused.values())) <= now:
                    self._refused.popitem(last=False)
                return False
        self._streams[where] = _Stream(packet.source, packet.stream, now + STREAM_S)
        return True

    def may_send(self, where: Where, target: tuple[int, bool], now: float) -> bool:
        """Whether something of ours may be sent on a channel now."""
        going = self._streams.get(where)
        if going is not None and going.until > now:
            return False
        return self._exchange.is_free(where, target, now)

    def sending(self, where: Where, packet: BurstPacket, now: float) -> None:
        """A burst of ours is being sent there."""
        self._streams[where] = _Stream(packet.source, packet.stream, now + STREAM_S)
        key = packet.source, packet.target
        sent = self._sent.get(key)
        if packet.kind in data_block.SIZES and sent is not None and sent.stream == packet.stream:
            sent.packets.append(packet)
        elif packet.kind == DataType.DATA_HEADER and _is_confirmed(packet):
            self._sent.pop(key, None)
            self._sent[key] = _Sent(packet.stream, [packet])
            if len(self._sent) > MOST_CHANNELS:
                self._sent.popitem(last=False)

    def _again(self, where: Where, wanted: BlocksWanted) -> list[Out]:
        """Blocks that a radio wants again of what one of ours has sent to it."""
        sent = self._sent.get((wanted.target, wanted.source))
        if sent is None or sent.rounds == MOST_ROUNDS:
            return []
        sent.rounds += 1
        number = hash((where, wanted, sent.rounds)) & 0xFFFFFFFF
        colour_code = self._exchange.colour_code(where)
        packets = stream.again(sent.packets, wanted.wanted, where[1], number, colour_code)
        return [Send(where, packets)] if packets else []

    def _may(self, where: Where, happening: Happening) -> bool:
        """Whether it may be said there: by whom and to whom its own bits say.

        Of a red button it is not asked to which talkgroup.
        """
        to_group = isinstance(happening, Text | Status) and happening.group
        target = happening.target if isinstance(happening, Text | Status) else 0
        return self._exchange.may(where, Identity(happening.source, target, to_group))

    def _told(
        self, network: str, where: Where, channel: DataChannel, happened: Iterable[Happening]
    ) -> list[Out]:
        out: list[Out] = []
        for one in happened:
            if self._may(where, one):
                self._exchange.note(network, one.source, where)
                out.append(Told(network, where, one))
            else:
                self.dropped["bridge.data_barred"] += 1
        answers, channel.answers = channel.answers, []
        for answer in answers:
            if answer.source in self.ours:
                number = hash((where, answer)) & 0xFFFFFFFF
                colour_code = self._exchange.colour_code(where)
                said = stream.response(answer, where[1], number, colour_code)
                out.append(Forward(where, *said) if len(said) == 1 else Send(where, said))
        wanted, channel.wanted = channel.wanted, []
        for each in wanted:
            out += self._again(where, each)
        return out

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        return min((due for c in self._channels.values() if (due := c.due)), default=None)

    def pass_time(self, now: float) -> list[Out]:
        """What has not ended will not."""
        out: list[Out] = []
        for where, channel in self._channels.items():
            if channel.due is not None and channel.due <= now:
                network = self._exchange.network_of(where)
                happened = channel.pass_time(now)
                if network is not None:
                    out += self._told(network, where, channel, happened)
        while self._channels:
            oldest = next(iter(self._channels))
            if self._heard_at[oldest] + CHANNEL_S > now:
                break
            self._forget(oldest)
        return out


def _is_confirmed(packet: BurstPacket) -> bool:
    """Whether a header is that of a whole packet of which blocks may be wanted again."""
    header = data_header.from_info(burst.read_data(packet.burst).info)
    return isinstance(header, PacketHeader) and header.confirmed and header.full
