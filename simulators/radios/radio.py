"""A radio that is simulated: where it goes, and what its user does next. Pure.

Users walk and drive around their site, talk for some seconds now and then, write a text, and very
seldom press the red button. Each report says where the radio is, as Motorola's do (LRRP).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from radio_bridge.dmr import control_block, data_header, datagram
from radio_bridge.dmr.burst import DataBurst, DataType, SlotType, write
from radio_bridge.dmr.control_block import EmergencyAlarm
from radio_bridge.dmr.data_header import PacketHeader
from radio_bridge.dmr.datagram import Datagram, Port
from radio_bridge.homebrew import stream
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.motorola import location, text

TEXTS: Final = ("10-8", "At the bridge.", "Todo tranquilo.", "Two males on foot, northbound.")
SPEEDS_MPS: Final = (0.0, 1.4, 8.0, 16.0)
REACH_DEG: Final = 0.15
ALARMS: Final = 5
"""So often an alarm is said; radios do until somebody answers."""
_METRES_PER_DEGREE: Final = 111_320.0


@dataclass(frozen=True, slots=True)
class Talk:
    """Press and talk, for so many bursts of 60 ms."""

    bursts: int


@dataclass(frozen=True, slots=True)
class Write:
    """A text to the talkgroup."""

    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Say where it is."""


@dataclass(frozen=True, slots=True)
class Press:
    """The red button."""


Deed = Talk | Write | Report | Press


class Radio:
    """One radio; times are seconds since the simulation began."""

    def __init__(
        self, number: int, name: str, around: tuple[float, float], every: float, random: Random
    ) -> None:
        """``around``: longitude and latitude of its site; ``every``: seconds between two deeds."""
        self.number = number
        self.name = name
        self._random = random
        self._around = around
        self._every = every
        self.longitude = around[0] + random.uniform(-0.05, 0.05)
        self.latitude = around[1] + random.uniform(-0.05, 0.05)
        self.speed_mps = random.choice(SPEEDS_MPS)
        self.course_deg = random.uniform(0, 360)
        self.due = random.uniform(0, every)
        """When it does something next."""
        self._at = 0.0

    def act(self, now: float) -> Deed:
        """What it does, when it is due."""
        self._move(now - self._at)
        self._at, self.due = now, now + self._random.uniform(0.5, 1.5) * self._every
        chance = self._random.random()
        if chance < 0.2:
            return Talk(self._random.randint(20, 110))
        if chance < 0.25:
            return Write(self._random.choice(TEXTS))
        return Press() if chance > 0.999 else Report()

    def _move(self, seconds: float) -> None:
        """On, turning a little; back when it has come too far from its site."""
        self.course_deg = (self.course_deg + self._random.gauss(0, 20)) % 360
        away = self.longitude - self._around[0], self.latitude - self._around[1]
        if math.hypot(*away) > REACH_DEG:
            self.course_deg = math.degrees(math.atan2(-away[0], -away[1])) % 360
        way = self.speed_mps * max(0.0, seconds) / _METRES_PER_DEGREE
        course = math.radians(self.course_deg)
        self.latitude += way * math.cos(course)
        self.longitude += way * math.sin(course) / math.cos(math.radians(self.latitude))

    def report(self, moment: datetime) -> bytes:
        """Where it is: a triggered report of LRRP."""
        elements = b"\x22\x01\x01" + b"\x34" + _time(moment) + b"\x51" + self._place()
        elements += b"\x0a\x00"  # a radius of ten metres
        elements += b"\x56" + bytes([round(self.course_deg / 2) % 180])
        whole = int(self.speed_mps)
        elements += b"\x6c" + bytes([whole, round((self.speed_mps - whole) * 128) & 0x7F])
        return bytes([location.Document.TRIGGERED_REPORT, len(elements)]) + elements

    def _place(self) -> bytes:
        latitude = round(abs(self.latitude) * 2**31 / 90) | (self.latitude < 0) << 31
        return latitude.to_bytes(4) + round(self.longitude * 2**32 / 360).to_bytes(4, signed=True)


def _time(moment: datetime) -> bytes:
    at = moment.astimezone(UTC)
    bits = at.year << 26 | at.month << 22 | at.day << 17
    return (bits | at.hour << 12 | at.minute << 6 | at.second).to_bytes(5)


def datagram_bursts(
    source: int, target: int, group: bool, port: int, payload: bytes, slot: int, number: int
) -> list[BurstPacket]:
    """What carries a datagram of a radio."""
    sent = Datagram(Port(port), Port(port), payload, 12 << 24 | source, 13 << 24 | target)
    header = PacketHeader(source, target, group, False, data_header.Access.IP, 0)
    return stream.data(header, datagram.write_ipv4(sent), slot, number, 1)


def text_bursts(
    source: int, target: int, group: bool, message: text.Message, slot: int, number: int
) -> list[BurstPacket]:
    """What carries a text, or the word that one has arrived."""
    return datagram_bursts(source, target, group, text.PORT, text.write(message), slot, number)


def alarm_bursts(source: int, target: int, slot: int, number: int) -> list[BurstPacket]:
    """What the red button sends."""
    info = control_block.to_info(EmergencyAlarm(source, target))
    kind = DataType.CONTROL_BLOCK
    sent = write(DataBurst(SlotType(1, kind), info))
    return [
        BurstPacket(
            place, source, target, 0, slot, True, Frame.DATA, int(kind), number, sent, 0, 80
        )
        for place in range(ALARMS)
    ]
