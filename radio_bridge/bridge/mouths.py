"""How a talk comes out on one channel: as bursts of DMR, as packets of Opus, as samples."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from radio_bridge.bridge.talks import Talk
from radio_bridge.dmr.link_control import VoiceCall
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.homebrew.stream import Stream
from radio_bridge.inside import Opus, Samples, Sound


class DmrMouth:
    """Bursts with link control of their own around the talker's frames.

    A radio's talk begins at once. One that has to be coded first begins with the first frames: no
    transmitter is keyed for what nobody can say.
    """

    form: type[Sound] = int

    def __init__(
        self, talk: Talk, slot: int, colour_code: int, send: Callable[[BurstPacket], None]
    ) -> None:
        identity = talk.call.identity
        call = VoiceCall(identity.source, identity.target, identity.group, talk.call.service)
        # 0 is what some peers send for want of an id.
        stream = secrets.randbelow(2**32 - 1) + 1
        self._stream = Stream(call, slot, stream, colour_code, talk.name)
        self._send = send
        self._is_on = False
        if talk.is_coded:
            self._begin()

    def _begin(self) -> None:
        self._is_on = True
        self._send(self._stream.header())

    def rename(self, name: str) -> None:
        """The talker's name has become known."""
        self._stream.rename(name)

    def say(self, sound: Sound) -> None:
        """60 ms."""
        assert isinstance(sound, int)
        if not self._is_on:
            self._begin()
        self._send(self._stream.voice(sound))

    def end(self) -> None:
        """The terminator."""
        if self._is_on:
            self._send(self._stream.terminator())


class OpusMouth:
    """Packets of Opus, as they are."""

    form: type[Sound] = Opus

    def __init__(self, speak: Callable[[bytes], None], end: Callable[[], None]) -> None:
        self._speak = speak
        self.end = end

    def say(self, sound: Sound) -> None:
        """A packet."""
        assert isinstance(sound, Opus)
        self._speak(sound.packet)


class SamplesMouth:
    """20 ms of samples each."""

    form: type[Sound] = Samples

    def __init__(self, speak: Callable[[bytes], None], end: Callable[[], None]) -> None:
        self._speak = speak
        self.end = end

    def say(self, sound: Sound) -> None:
        """20 ms."""
        assert isinstance(sound, Samples)
        self._speak(sound.pcm)
