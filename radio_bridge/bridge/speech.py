"""One talk in every form in which somebody wants it: a vocoder's frames, Opus, samples.

=========  ==========  =========================================================================
from       to          by
=========  ==========  =========================================================================
any        the same    nothing: as it came
AMBE+2     samples     a vocoder
samples    AMBE+2      a vocoder, three frames a piece
Opus       samples     libopus and a low-pass (``narrowband``)
samples    Opus        libopus
=========  ==========  =========================================================================

The rest goes by samples. It is done once for a talk, however many hear it, and only as long as
somebody does. Without a vocoder those who would need one hear nothing, and that is said.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from radio_bridge import narrowband
from radio_bridge.inside import Opus, Samples, Sound
from radio_bridge.vocoder.server import Coder, Vocoder

log = logging.getLogger(__name__)

_FRAME_BITS: Final = 72
_FRAMES: Final = 3
_FRAME_BYTES: Final = _FRAME_BITS // 8


class Mouth(Protocol):
    """Brings a talk out on one channel."""

    form: type[Sound]
    """What it takes."""

    def say(self, sound: Sound) -> None:
        """A piece, in that form."""

    def end(self) -> None:
        """It is over."""


class Speech:
    """One talk, and the mouths that say it."""

    def __init__(self, vocoder: Vocoder | None, counted: Counter[str]) -> None:
        """``counted``: what could not be heard, by code."""
        self.mouths: dict[object, Mouth] = {}
        self.is_mute = False
        """Somebody hears nothing of it: there is no vocoder, or none free."""
        self._vocoder = vocoder
        self._counted = counted
        self._coders: list[Coder] = []
        self._decoder: Coder | None = None
        self._encoder: Coder | None = None
        self._from_opus: narrowband.Decoder | None = None
        self._to_opus: narrowband.Encoder | None = None
        self._frames: list[bytes] = []
        self._is_faulty = False

    def say(self, sound: Sound) -> None:
        """A piece of it, as the talker's side has it."""
        form = type(sound)
        self._out(form, sound)
        others = {mouth.form for mouth in self.mouths.values()} - {form}
        if not others:
            return
        match sound:
            case Samples():
                self._sampled(sound)
            case Opus(b""):  # to a decoder this is the end of everything
                self._counted["bridge.opus"] += 1
            case Opus(packet):
                if self._from_opus is None:
                    self._from_opus = narrowband.Decoder()
                try:
                    decoded = self._from_opus.decode(packet)
                except ValueError:  # bytes that are no Opus
                    self._counted["bridge.opus"] += 1
                    return
                for pcm in decoded:
                    self._sampled(Samples(pcm), but=Opus)
            case _:
                self._decode(sound)

    def _out(self, form: type[Sound], sound: Sound) -> None:
        for mouth in list(self.mouths.values()):
            if mouth.form is form:
                self._guarded(partial(mouth.say, sound))

    def _guarded(self, say: Callable[[], None]) -> None:
        """A mouth's fault is that mouth's alone: all others go on."""
        try:
            say()
        except Exception:
            self._counted["bridge.fault"] += 1
            if not self._is_faulty:
                self._is_faulty = True
                log.exception("a talk is not brought out somewhere")

    def _sampled(self, samples: Samples, but: type[Sound] = Samples) -> None:
        """There are samples of it: bring these out, and what is made of them."""
        forms = {mouth.form for mouth in self.mouths.values()} - {but}
        if Samples in forms:
            self._out(Samples, samples)
        if Opus in forms:
            if self._to_opus is None:
                self._to_opus = narrowband.Encoder()
            self._out(Opus, Opus(self._to_opus.encode(samples.pcm)))
        if int in forms and but is not int:
            self._encode(samples.pcm)

    def _decode(self, frames: int) -> None:
        self._drop_lost()
        if self._decoder is None and self._vocoder is not None:
            self._decoder = self._lent(self._vocoder.decoder(self._decoded))
        if self._decoder is None:
            self._miss()
            return
        data = frames.to_bytes(_FRAMES * _FRAME_BYTES)
        for at in range(0, len(data), _FRAME_BYTES):
            self._decoder.ask(data[at : at + _FRAME_BYTES])

    def _decoded(self, pcm: bytes) -> None:
        self._sampled(Samples(pcm), but=int)

    def _encode(self, pcm: bytes) -> None:
        self._drop_lost()
        if self._encoder is None and self._vocoder is not None:
            self._encoder = self._lent(self._vocoder.encoder(self._encoded))
            self._frames = []
        if self._encoder is None:
            self._miss()
            return
        self._encoder.ask(pcm)

    def _encoded(self, frame: bytes) -> None:
        self._frames.append(frame)
        if len(self._frames) == _FRAMES:
            whole, self._frames = int.from_bytes(b"".join(self._frames)), []
            self._out(int, whole)

    def _lent(self, coder: Coder | None) -> Coder | None:
        if coder is not None:
            self._coders.append(coder)
        return coder

    def _drop_lost(self) -> None:
        """What a vocoder lent before it was away is nobody's; when it is back it lends anew."""
        self._coders = [coder for coder in self._coders if not coder.is_lost]
        if self._decoder not in self._coders:
            self._decoder = None
        if self._encoder not in self._coders:
            self._encoder = None

    def _miss(self) -> None:
        if not self.is_mute:
            self.is_mute = True
            is_ready = self._vocoder is not None and self._vocoder.is_ready
            self._counted["bridge.vocoder_busy" if is_ready else "bridge.no_vocoder"] += 1

    def end(self) -> None:
        """It is over: mouths that are left end, and a vocoder is given back."""
        for coder in self._coders:
            coder.close()
        for mouth in self.mouths.values():
            self._guarded(mouth.end)
        self.mouths.clear()
