"""Full link control: who talks to whom, or something of the talker while he does.

Clause 9.1.6, and 7.1.1 of part 2; opcodes: 9.3.11, and annex B.1 of part 2.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from radio_bridge.dmr import bptc, checks, reed_solomon
from radio_bridge.dmr.burst import DataType
from radio_bridge.unreadable import exactly

LENGTH: Final = 9
STANDARD: Final = 0
"""The feature set of the standard (9.3.5); others are makers' own."""


class Opcode(enum.IntEnum):
    """Full link control opcodes (FLCO)."""

    GROUP = 0x00
    UNIT_TO_UNIT = 0x03
    TALKER_ALIAS_HEADER = 0x04
    TALKER_ALIAS_1 = 0x05
    TALKER_ALIAS_2 = 0x06
    TALKER_ALIAS_3 = 0x07
    GPS_INFO = 0x08
    DATA_TERMINATOR = 0x30


@dataclass(frozen=True, slots=True)
class Service:
    """Service options of a call: clause 7.2.1 of part 2."""

    emergency: bool = False
    privacy: bool = False
    broadcast: bool = False
    open_channel: bool = False
    """Open voice channel mode: others may join it."""
    priority: int = 0
    """From 0 to 3."""
    reserved: int = 0

    @staticmethod
    def of(byte: int) -> Service:
        """The options that a byte says."""
        return Service(
            emergency=bool(byte & 0x80),
            privacy=bool(byte & 0x40),
            broadcast=bool(byte & 0x08),
            open_channel=bool(byte & 0x04),
            priority=byte & 3,
            reserved=byte >> 4 & 3,
        )

    def __int__(self) -> int:
        flags = self.emergency << 7 | self.privacy << 6 | self.broadcast << 3
        return flags | self.open_channel << 2 | self.reserved << 4 | self.priority


@dataclass(frozen=True, slots=True)
class VoiceCall:
    """A group's call or one unit's to another: clause 7.1.1 of part 2."""

    source: int
    target: int
    group: bool
    service: Service = field(default_factory=Service)
    feature_set: int = STANDARD


@dataclass(frozen=True, slots=True)
class AliasPart:
    """A part of the talker's name, 7.1.1 and 7.2.18 of part 2 (:mod:`talker_alias` joins them)."""

    number: int
    """0 is the header, 1 to 3 are the blocks."""
    content: bytes
    """Seven bytes, in the header with format and length in the first."""


@dataclass(frozen=True, slots=True)
class GpsInfo:
    """Where the talker is, in degrees: clause 7.1.1 of part 2."""

    longitude: float
    latitude: float
    error_m: float | None
    """At most so far off, in metres; none when it is not known, or more than 200 km."""


@dataclass(frozen=True, slots=True)
class OtherLinkControl:
    """Of a maker or a service that is not known here; as it came."""

    content: bytes


LinkControl = VoiceCall | AliasPart | GpsInfo | OtherLinkControl

_ERROR_LIMITS: Final = (2.0, 20.0, 200.0, 2_000.0, 20_000.0, 200_000.0)
"""Position error by its value: clause 7.2.15 of part 2; 6 is more, 7 is not known."""


def read(content: bytes) -> LinkControl:
    """Nine bytes of link control; raises :class:`Unreadable`."""
    exactly(content, LENGTH, "Link control")
    opcode, feature_set = content[0] & 0x3F, content[1]
    if opcode in (Opcode.GROUP, Opcode.UNIT_TO_UNIT) and not content[0] & 0x80:
        return VoiceCall(
            source=int.from_bytes(content[6:9]),
            target=int.from_bytes(content[3:6]),
            group=opcode == Opcode.GROUP,
            service=Service.of(content[2]),
            feature_set=feature_set,
        )
    if feature_set == STANDARD and not content[0] & 0x80:
        if Opcode.TALKER_ALIAS_HEADER <= opcode <= Opcode.TALKER_ALIAS_3:
            return AliasPart(opcode - Opcode.TALKER_ALIAS_HEADER, content[2:])
        if opcode == Opcode.GPS_INFO:
            return _gps(content)
    return OtherLinkControl(content)


def _gps(content: bytes) -> GpsInfo:
    bits = int.from_bytes(content[2:])
    error = bits >> 49 & 7
    longitude, latitude = _signed(bits >> 24 & 0x1FFFFFF, 25), _signed(bits & 0xFFFFFF, 24)
    return GpsInfo(
        longitude=longitude * 360 / 2**25,
        latitude=latitude * 180 / 2**24,
        error_m=_ERROR_LIMITS[error] if error < len(_ERROR_LIMITS) else None,
    )


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


def write(control: LinkControl) -> bytes:
    """The nine bytes."""
    if isinstance(control, OtherLinkControl):
        return exactly(control.content, LENGTH, "Link control")
    if isinstance(control, VoiceCall):
        opcode = Opcode.GROUP if control.group else Opcode.UNIT_TO_UNIT
        head = bytes([opcode, control.feature_set, int(control.service)])
        return head + control.target.to_bytes(3) + control.source.to_bytes(3)
    if isinstance(control, AliasPart):
        return bytes([Opcode.TALKER_ALIAS_HEADER + control.number, STANDARD]) + control.content
    error = next((n for n, limit in enumerate(_ERROR_LIMITS) if control.error_m is not None
                  and control.error_m <= limit), 7)  # fmt: skip
    longitude = _placed(control.longitude * 2**25 / 360, 25)
    latitude = _placed(control.latitude * 2**24 / 180, 24)
    bits = error << 49 | longitude << 24 | latitude
    return bytes([Opcode.GPS_INFO, STANDARD]) + bits.to_bytes(7)


def _placed(value: float, width: int) -> int:
    """In two's complement, within what the width holds."""
    most = (1 << (width - 1)) - 1
    return max(-most - 1, min(most, round(value))) & ((1 << width) - 1)


_MASKS: Final = {
    DataType.VOICE_HEADER: checks.VOICE_HEADER_MASK,
    DataType.TERMINATOR: checks.TERMINATOR_MASK,
}


def from_info(info: int, data_type: DataType) -> LinkControl:
    """Out of a voice header or a terminator: BPTC(196,96) around RS(12,9), clause 7.1.1."""
    word = bptc.decode_196(info).to_bytes(reed_solomon.LENGTH)
    return read(reed_solomon.decode(word, _MASKS[data_type]))


def to_info(control: LinkControl, data_type: DataType) -> int:
    """The 196 bits of a voice header or a terminator."""
    word = reed_solomon.encode(write(control), _MASKS[data_type])
    return bptc.encode_196(int.from_bytes(word))
