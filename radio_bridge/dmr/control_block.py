"""Control signalling blocks (CSBK): requests and answers of one burst.

Clause 9.1.8 and 9.3.32; 7.1.2 and annex B.1 of part 2. Call alert, radio check and emergency alarm
are Motorola's (feature set 0x10); their addresses stand where open repeaters (MMDVM) read them,
and the service of an answer where open descriptions of the air interface have it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from radio_bridge.dmr import bptc, checks
from radio_bridge.dmr.link_control import STANDARD, Service
from radio_bridge.unreadable import Unreadable, exactly

LENGTH: Final = 12
MOTOROLA: Final = 0x10
PROCEED: Final = 0x20
DENY: Final = 0x21
"""Answers of a unit (7.2.2 of part 2)."""


class Opcode(enum.IntEnum):
    """Control block opcodes (CSBKO) of the standard."""

    UNIT_VOICE_REQUEST = 0x04
    UNIT_VOICE_ANSWER = 0x05
    REFUSAL = 0x26
    ACTIVATION = 0x38
    PREAMBLE = 0x3D


class MotorolaOpcode(enum.IntEnum):
    """Opcodes of Motorola's feature set."""

    CALL_ALERT = 0x1F
    ANSWER = 0x20
    """To a request that has no other answer; which one, says the low six bits of its first byte."""
    RADIO_CHECK = 0x24
    EMERGENCY_ALARM = 0x27


@dataclass(frozen=True, slots=True)
class Preamble:
    """So many blocks follow, of data or of control: wakes radios that sleep."""

    source: int
    target: int
    group: bool
    data: bool
    blocks: int


@dataclass(frozen=True, slots=True)
class UnitVoiceRequest:
    """A unit asks whether another is there, before it talks to it."""

    source: int
    target: int
    service: Service = field(default_factory=Service)


@dataclass(frozen=True, slots=True)
class UnitVoiceAnswer:
    """Whether it may: :data:`PROCEED` or :data:`DENY`."""

    source: int
    target: int
    answer: int
    service: Service = field(default_factory=Service)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A service is refused, for a reason (7.2.3 of part 2)."""

    source: int
    target: int
    service_type: int
    reason: int
    from_unit: bool


@dataclass(frozen=True, slots=True)
class Activation:
    """A unit wakes a repeater."""

    source: int
    repeater: int


@dataclass(frozen=True, slots=True)
class CallAlert:
    """A unit wants another to call back; or the answer to that."""

    source: int
    target: int
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class RadioCheck:
    """A unit asks whether another is switched on and in reach; or the answer to that."""

    source: int
    target: int
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class EmergencyAlarm:
    """The red button: to a talkgroup."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class AlarmTaken:
    """A red button was heard: who pressed it need not send it again."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class OtherBlock:
    """Of another opcode or feature set; the eight bytes as they came."""

    opcode: int
    feature_set: int
    content: bytes
    last: bool = True
    protected: bool = False


ControlBlock = (
    Preamble | UnitVoiceRequest | UnitVoiceAnswer | Refusal | Activation
    | CallAlert | RadioCheck | EmergencyAlarm | AlarmTaken | OtherBlock
)  # fmt: skip


def read(block: bytes) -> ControlBlock:
    """Twelve bytes with their CRC; raises :class:`Unreadable`."""
    exactly(block, LENGTH, "A control block")
    if checks.crc_16(block[:10], checks.Mask.CONTROL_BLOCK) != int.from_bytes(block[10:]):
        raise Unreadable("dmr.crc", "The checksum of a control block does not match.")
    other = OtherBlock(
        opcode=block[0] & 0x3F,
        feature_set=block[1],
        content=block[2:10],
        last=bool(block[0] & 0x80),
        protected=bool(block[0] & 0x40),
    )
    if other.protected or not other.last:
        return other
    known: ControlBlock | None = None
    if other.feature_set == STANDARD:
        known = _standard(other)
    elif other.feature_set == MOTOROLA:
        known = _motorola(other)
    return known or other


def _standard(block: OtherBlock) -> ControlBlock | None:
    content = block.content
    first, second = int.from_bytes(content[2:5]), int.from_bytes(content[5:8])
    match block.opcode:
        case Opcode.PREAMBLE:
            return Preamble(
                source=second,
                target=first,
                group=bool(content[0] & 0x40),
                data=bool(content[0] & 0x80),
                blocks=content[1],
            )
        case Opcode.UNIT_VOICE_REQUEST:
            return UnitVoiceRequest(second, first, Service.of(content[0]))
        case Opcode.UNIT_VOICE_ANSWER:
            return UnitVoiceAnswer(second, first, content[1], Service.of(content[0]))
        case Opcode.REFUSAL if content[0] & 0x80:
            return Refusal(first, second, content[0] & 0x3F, content[1], bool(content[0] & 0x40))
        case Opcode.ACTIVATION:
            return Activation(source=second, repeater=first)
    return None


def _motorola(block: OtherBlock) -> ControlBlock | None:
    content = block.content
    first, second = int.from_bytes(content[2:5]), int.from_bytes(content[5:8])
    match block.opcode:
        case MotorolaOpcode.CALL_ALERT:
            return CallAlert(second, first)
        case MotorolaOpcode.ANSWER if content[0] & 0x3F == MotorolaOpcode.EMERGENCY_ALARM:
            return AlarmTaken(second, first)
        case MotorolaOpcode.ANSWER:
            return CallAlert(second, first, is_answer=True)
        case MotorolaOpcode.RADIO_CHECK if content[1] == 0x80:
            return RadioCheck(second, first)
        case MotorolaOpcode.RADIO_CHECK:
            return RadioCheck(first, second, is_answer=True)
        case MotorolaOpcode.EMERGENCY_ALARM:
            return EmergencyAlarm(second, first)
    return None


def write(block: ControlBlock) -> bytes:
    """The twelve bytes with their CRC."""
    opcode, feature_set, content = _parts(block)
    flags = 0x80
    if isinstance(block, OtherBlock):
        flags = block.last << 7 | block.protected << 6
    body = bytes([flags | opcode, feature_set]) + content
    return body + checks.crc_16(body, checks.Mask.CONTROL_BLOCK).to_bytes(2)


def _parts(block: ControlBlock) -> tuple[int, int, bytes]:
    """Opcode, feature set and the eight bytes of content."""
    match block:
        case Preamble():
            head = bytes([block.data << 7 | block.group << 6, block.blocks])
            return Opcode.PREAMBLE, STANDARD, head + _to(block.target, block.source)
        case UnitVoiceRequest():
            head = bytes([int(block.service), 0])
            return Opcode.UNIT_VOICE_REQUEST, STANDARD, head + _to(block.target, block.source)
        case UnitVoiceAnswer():
            head = bytes([int(block.service), block.answer])
            return Opcode.UNIT_VOICE_ANSWER, STANDARD, head + _to(block.target, block.source)
        case Refusal():
            head = bytes([0x80 | block.from_unit << 6 | block.service_type, block.reason])
            return Opcode.REFUSAL, STANDARD, head + _to(block.source, block.target)
        case Activation():
            return Opcode.ACTIVATION, STANDARD, bytes(2) + _to(block.repeater, block.source)
        case CallAlert(is_answer=False):
            return MotorolaOpcode.CALL_ALERT, MOTOROLA, bytes(2) + _to(block.target, block.source)
        case CallAlert():
            ends = _to(block.target, block.source)
            head = bytes([MotorolaOpcode.CALL_ALERT, 0])
            return MotorolaOpcode.ANSWER, MOTOROLA, head + ends
        case RadioCheck(is_answer=False):
            ends = b"\x00\x80" + _to(block.target, block.source)
            return MotorolaOpcode.RADIO_CHECK, MOTOROLA, ends
        case RadioCheck():
            return MotorolaOpcode.RADIO_CHECK, MOTOROLA, bytes(2) + _to(block.source, block.target)
        case EmergencyAlarm():
            ends = _to(block.target, block.source)
            return MotorolaOpcode.EMERGENCY_ALARM, MOTOROLA, bytes(2) + ends
        case AlarmTaken():
            head = bytes([MotorolaOpcode.EMERGENCY_ALARM, 0])
            return MotorolaOpcode.ANSWER, MOTOROLA, head + _to(block.target, block.source)
        case OtherBlock():
            return block.opcode, block.feature_set, exactly(block.content, 8, "Its content")


def _to(first: int, second: int) -> bytes:
    return first.to_bytes(3) + second.to_bytes(3)


def from_info(info: int) -> ControlBlock:
    """Out of the 196 bits of a burst."""
    return read(bptc.decode_196(info).to_bytes(LENGTH))


def to_info(block: ControlBlock) -> int:
    """The 196 bits of a burst."""
    return bptc.encode_196(int.from_bytes(write(block)))
