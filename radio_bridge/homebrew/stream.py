"""A transmission as ``DMRD`` packets: numbered, with one stream id from header to terminator."""

from __future__ import annotations

from radio_bridge.dmr.burst import DataType
from radio_bridge.dmr.link_control import VoiceCall
from radio_bridge.dmr.transmission import Transmission
from radio_bridge.homebrew.packets import BurstPacket, Frame


class Stream:
    """The packets of one talk. ``stream`` is a number that its receivers have not seen lately."""

    def __init__(
        self, call: VoiceCall, slot: int, stream: int, colour_code: int, name: str = ""
    ) -> None:
        self._call = call
        self._slot = slot
        self._stream = stream
        self._bursts = Transmission(call, colour_code, name)
        self._sequence = 0

    def header(self) -> BurstPacket:
        """Sent two or three times before the voice."""
        return self._packet(Frame.DATA, DataType.VOICE_HEADER, self._bursts.header())

    def voice(self, frames: int) -> BurstPacket:
        """The next 60 ms, 216 bits."""
        place, burst = self._bursts.voice(frames)
        return self._packet(Frame.VOICE if place else Frame.VOICE_SYNC, place, burst)

    def terminator(self) -> BurstPacket:
        """The last one."""
        return self._packet(Frame.DATA, DataType.TERMINATOR, self._bursts.terminator())

    def _packet(self, frame: Frame, kind: int, burst: bytes) -> BurstPacket:
        sequence, self._sequence = self._sequence, (self._sequence + 1) % 256
        return BurstPacket(
            sequence=sequence,
            source=self._call.source,
            target=self._call.target,
            repeater=0,
            slot=self._slot,
            group=self._call.group,
            frame=frame,
            kind=int(kind),
            stream=self._stream,
            burst=burst,
        )
