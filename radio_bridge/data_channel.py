"""What the data and control bursts of one channel say, in values of the inside. Pure, as calls are.

==================  ==========================================  ===============================
bursts              of                                          say
==================  ==========================================  ===============================
control blocks      emergency alarm, call alert, radio check    emergency, alert, check, presence
control blocks      unit to unit voice request and answer       call wanted, call answered
header alone        precoded status                             status
short data          defined formats that are text               text
UDP, port 5016      UTF-16BE                                    text
UDP, port 5017      location information                        position
UDP, port 4007      Motorola text messages                      text, arrived
UDP, port 4005      Motorola registration                       presence
UDP, port 4001      Motorola positions                          position, no position
UDP, port 30007     Hytera text messages                        text, arrived
UDP, port 30003     Hytera positions                            position
==================  ==========================================  ===============================

A control block that is said again and again, as radios do until somebody answers, is told once.
Packets whose checksum does not hold, or of which blocks are missing, say nothing and are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from radio_bridge import hytera
from radio_bridge.dmr import burst, control_block, data_block, datagram, position, short_text
from radio_bridge.dmr.burst import DataType
from radio_bridge.dmr.control_block import (
    PROCEED,
    CallAlert,
    ControlBlock,
    EmergencyAlarm,
    RadioCheck,
    UnitVoiceAnswer,
    UnitVoiceRequest,
)
from radio_bridge.dmr.data_header import Access, PacketHeader, RawOrStatus, Response, ShortData
from radio_bridge.dmr.fragments import Joiner
from radio_bridge.dmr.packet import Assembler, BlocksWanted, Header, Incomplete, Outcome, Packet
from radio_bridge.dmr.packet import answer as packet_answer
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.inside import (
    Alert,
    CallAnswered,
    CallWanted,
    Checked,
    Emergency,
    Happening,
    NoPosition,
    Position,
    Presence,
    Status,
    Text,
    TextArrived,
)
from radio_bridge.motorola import location, presence, text
from radio_bridge.unreadable import Unreadable

SILENCE_S: Final = 1.0
"""A packet of which nothing comes for so long is not going on."""
AGAIN_S: Final = 10.0
"""The same control block within such a time is the same request."""
MOST_ANSWERS: Final = 16
"""Of answers that nobody takes the oldest is dropped."""
_TEXT_IDENTIFIER: Final = 98
"""A maker's port identifier in compressed headers under which text messages were recorded."""


class DataChannel:
    """One channel's data. ``counted`` has what said nothing, by code."""

    def __init__(self, counted: Counter[str]) -> None:
        self._counted = counted
        self._assembler = Assembler()
        self._joiner = Joiner()
        self._heard_at: float | None = None
        self._said: dict[Happening, float] = {}
        self.answers: list[Response] = []
        """What confirmed packets were heard want to be told, by whoever their target is."""
        self.wanted: list[BlocksWanted] = []
        """Blocks that receivers want again, from whoever sent them."""

    def hear(self, packet: BurstPacket, now: float) -> list[Happening]:
        """Take a burst."""
        happened = self.pass_time(now)
        if packet.frame != Frame.DATA:
            return happened
        try:
            return happened + self._data(packet, now)
        except Unreadable as error:
            self._counted[error.code] += 1
            if packet.kind in data_block.SIZES:
                happened += self._outcome(self._assembler.lost())
            return happened

    def pass_time(self, now: float) -> list[Happening]:
        """What has not ended will not."""
        if self._heard_at is None or now < self._heard_at + SILENCE_S:
            return []
        self._heard_at = None
        return self._outcome(self._assembler.end())

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        return None if self._heard_at is None else self._heard_at + SILENCE_S

    def _data(self, packet: BurstPacket, now: float) -> list[Happening]:
        heard = burst.read_data(packet.burst)
        kind = heard.slot_type.data_type
        if kind == DataType.CONTROL_BLOCK:
            return self._once(control_block.from_info(heard.info), now)
        if kind != DataType.DATA_HEADER and kind not in data_block.SIZES:
            return []
        self._heard_at = now
        return self._outcome(self._assembler.take(heard))

    def _once(self, block: ControlBlock, now: float) -> list[Happening]:
        self._said = {said: until for said, until in self._said.items() if until > now}
        happening = _of_block(block)
        if happening is None:
            return []
        is_new = happening not in self._said
        self._said[happening] = now + AGAIN_S
        return [happening] if is_new else []

    def _outcome(self, outcome: Outcome | None) -> list[Happening]:
        if isinstance(outcome, BlocksWanted):
            self.wanted = [*self.wanted[-MOST_ANSWERS:], outcome]
            return []
        answer = packet_answer(outcome) if outcome else None
        if answer is not None:
            self.answers = [*self.answers[-MOST_ANSWERS:], answer]
        if isinstance(outcome, Incomplete):
            self._counted["data.incomplete"] += 1
        if not isinstance(outcome, Packet):
            return []
        try:
            happening = self._of_packet(outcome)
        except Unreadable as error:
            self._counted[error.code] += 1
            return []
        return [happening] if happening else []

    def _of_packet(self, whole: Packet) -> Happening | None:
        header = whole.header
        if isinstance(header, RawOrStatus):
            if header.status is None:
                raise Unreadable("data.unknown", "Raw short data means what two programs agreed.")
            return Status(header.source, header.target, header.group, header.status)
        if isinstance(header, ShortData):
            said = short_text.read(whole)
            return Text(header.source, header.target, header.group, said)
        payload = self._joiner.take(whole)
        return None if payload is None else _of_payload(header, payload)


def _of_block(block: ControlBlock) -> Happening | None:
    match block:
        case EmergencyAlarm():
            return Emergency(block.source, block.target)
        case CallAlert(is_answer=False):
            return Alert(block.source, block.target)
        case RadioCheck(is_answer=True):
            return Presence(block.source, here=True)
        case RadioCheck():
            return Checked(block.source, block.target)
        case UnitVoiceRequest():
            return CallWanted(block.source, block.target)
        case UnitVoiceAnswer():
            return CallAnswered(block.source, block.target, block.answer == PROCEED)
    return None


def _of_payload(header: PacketHeader, payload: bytes) -> Happening | None:
    match header.access:
        case Access.UDP_COMPRESSED:
            packet = datagram.read_compressed(payload)
        case Access.IP:
            packet = datagram.read_ipv4(payload)
        case _:
            raise Unreadable("data.unknown", f"Data for {header.access} is read by nobody here.")
    port = packet.target_port
    number = text.PORT if port == datagram.Port(_TEXT_IDENTIFIER, True) else port.number
    read = _PORTS.get(number)
    if read is None or (port.is_identifier and number == port.number):
        raise Unreadable("data.unknown", f"Datagrams to port {port.number} are read by nobody.")
    return read(header, packet.payload)


def _short_text(header: Header, payload: bytes) -> Happening:
    words = short_text.read_datagram(payload)
    return Text(header.source, header.target, header.group, words)


def _short_position(header: Header, payload: bytes) -> Happening:
    found = position.read(payload)
    return Position(
        header.source,
        found.longitude,
        found.latitude,
        error_m=found.error_m,
        speed_mps=found.speed_mps,
        course_deg=found.course_deg,
        age_s=found.age_s,
    )


def _text(header: Header, payload: bytes) -> Happening | None:
    message = text.read(payload)
    match message.kind:
        case text.Kind.TEXT:
            return Text(
                header.source,
                header.target,
                header.group,
                message.text,
                message.number,
                message.answer_wanted,
            )
        case text.Kind.RECEIVED:
            return TextArrived(header.source, header.target, message.number)
    return Presence(header.source, here=True)


def _registration(header: Header, payload: bytes) -> Happening | None:
    message = presence.read(payload)
    if message.kind == presence.Kind.QUERY:
        return None
    is_asking = message.kind == presence.Kind.REGISTRATION and message.answer_wanted
    answers = header.target if is_asking and not header.group else None
    here = message.kind != presence.Kind.DEREGISTRATION
    return Presence(header.source, here, answers)


def _location(header: Header, payload: bytes) -> Happening | None:
    found = location.read(payload)
    if found.longitude is not None and found.latitude is not None:
        return Position(
            header.source,
            found.longitude,
            found.latitude,
            error_m=found.radius_m,
            altitude_m=found.altitude_m,
            speed_mps=found.speed_mps,
            course_deg=found.course_deg,
            time=found.time,
        )
    return NoPosition(header.source, found.result) if found.result else None


def _hytera_text(header: Header, payload: bytes) -> Happening | None:
    message = hytera.read_text(payload)
    group = message.kind == hytera.Kind.TO_GROUP
    if message.kind in (hytera.Kind.TO_RADIO, hytera.Kind.TO_GROUP):
        target = header.target
        return Text(header.source, target, group, message.text, message.number, not group)
    if message.failure:
        return None
    return TextArrived(header.source, header.target, message.number)


def _hytera_location(header: Header, payload: bytes) -> Happening:
    found = hytera.read_location(payload)
    return Position(
        header.source,
        found.longitude,
        found.latitude,
        course_deg=found.course_deg,
        time=found.time,
    )


_PORTS: Final[dict[int, Callable[[Header, bytes], Happening | None]]] = {
    short_text.PORT: _short_text,
    position.PORT: _short_position,
    text.PORT: _text,
    presence.PORT: _registration,
    location.PORT: _location,
    hytera.TEXT_PORT: _hytera_text,
    hytera.LOCATION_PORT: _hytera_location,
}
