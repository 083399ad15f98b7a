"""The repeater's side: we sign in at a master. Pure: datagrams and times in, the same out.

Theory of operation
-------------------
=============  =======================  =======================================================
we are         what happens             then
=============  =======================  =======================================================
waiting        the pause is over        login is sent: *asking*
asking         salt                     proof is sent: *proving*
proving        accepted                 description is sent: *describing*
describing     accepted                 options, if any, are sent: *choosing*; or *connected*
choosing       accepted                 *connected*
any of these   nothing for RETRY_S      sent again; after TRIES begun anew: *waiting*
any of these   refused                  *waiting*, each time longer, up to LONGEST_PAUSE_S
connected      PING_S                   ping; after MISSED without an answer lost: *waiting*
connected      refused, master closing  lost: *waiting*
=============  =======================  =======================================================
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from typing import Final

from radio_bridge.homebrew import configuration, packets
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.unreadable import Unreadable

RETRY_S: Final = 3.0
TRIES: Final = 4
PING_S: Final = 5.0
MISSED: Final = 3
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0


class State(enum.Enum):
    """How far signing in has come."""

    CLOSED = enum.auto()
    WAITING = enum.auto()
    ASKING = enum.auto()
    PROVING = enum.auto()
    DESCRIBING = enum.auto()
    CHOOSING = enum.auto()
    CONNECTED = enum.auto()


class Lost(enum.StrEnum):
    """Why a master is not there, or no longer."""

    SILENT = "silent"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Send:
    """A datagram for the master."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """The master has taken us."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Signing in failed, or a connection is lost; it is tried again by itself."""

    cause: Lost
    was_connected: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """A burst of the master."""

    packet: BurstPacket


Out = Send | Connected | Disconnected | Heard


class Peer:
    """A repeater of this id at one master."""

    def __init__(
        self, repeater: int, secret: bytes, description: Configuration, options: bytes = b""
    ) -> None:
        self.repeater = repeater
        self._secret = secret
        self._description = configuration.write(description)
        self._options = options
        self._salt = b""
        self._now = 0.0
        self._pause = FIRST_PAUSE_S
        self._tries = 0
        self.state = State.CLOSED
        self.due: float | None = None
        """When :meth:`pass_time` is to be called at the latest."""
        self.dropped: Counter[str] = Counter()
        """Packets that were not taken, by code."""

    def open(self, now: float) -> list[Out]:
        """Sign in, now and whenever the connection is lost."""
        self._now = max(self._now, now)
        return self._step(State.ASKING)

    def receive(self, data: bytes, now: float) -> list[Out]:
        """Take a datagram that came from the master's address."""
        self._now = max(self._now, now)
        try:
            packet = packets.read_from_master(data)
        except Unreadable as error:
            self.dropped[error.code] += 1
            return []
        if self.state in (State.CLOSED, State.WAITING):
            self.dropped["homebrew.too_early"] += 1
            return []
        match packet:
            case packets.Accepted():
                return self._accepted(packet.salt)
            case packets.Refused():
                return self._lose(Lost.REFUSED)
            case packets.MasterClosing():
                return self._lose(Lost.CLOSED)
            case packets.Pong():
                self._tries = 0
                return []
            case BurstPacket() if self.state == State.CONNECTED:
                self._tries = 0
                return [Heard(packet)]
            case BurstPacket():
                self.dropped["homebrew.too_early"] += 1
        return []

    def _accepted(self, salt: bytes) -> list[Out]:
        match self.state:
            case State.ASKING:
                self._salt = salt
                return self._step(State.PROVING)
            case State.PROVING if salt != self._salt:  # else the answer to a second login
                return self._step(State.DESCRIBING)
            case State.DESCRIBING if self._options:
                return self._step(State.CHOOSING)
            case State.DESCRIBING | State.CHOOSING:
                self.state, self._tries, self._pause = State.CONNECTED, 0, FIRST_PAUSE_S
                self.due = self._now + PING_S
                return [Connected()]
        return []  # an answer that came twice

    def _step(self, state: State) -> list[Out]:
        self.state, self._tries = state, 1
        self.due = self._now + RETRY_S
        return [self._say()]

    def _say(self) -> Send:
        match self.state:
            case State.ASKING:
                return Send(packets.write_login(self.repeater))
            case State.PROVING:
                return Send(packets.write_proof(self.repeater, self._salt, self._secret))
            case State.DESCRIBING:
                return Send(packets.write_description(self.repeater, self._description))
            case State.CHOOSING:
                return Send(packets.write_options(self.repeater, self._options))
        return Send(packets.write_ping(self.repeater))

    def pass_time(self, now: float) -> list[Out]:
        """Ask again, ping, or give up, when it is time."""
        self._now = max(self._now, now)
        if self.due is None or self._now < self.due:
            return []
        if self.state == State.WAITING:
            return self._step(State.ASKING)
        connected = self.state == State.CONNECTED
        if self._tries >= (MISSED if connected else TRIES):
            return self._lose(Lost.SILENT)
        self._tries += 1
        self.due = self._now + (PING_S if connected else RETRY_S)
        return [self._say()]

    def _lose(self, cause: Lost) -> list[Out]:
        was_connected = self.state == State.CONNECTED
        self.state = State.WAITING
        self.due = self._now + self._pause
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2)
        return [Disconnected(cause, was_connected)]

    def send(self, packet: BurstPacket) -> list[Out]:
        """A burst, in our name; nothing while we are not connected."""
        if self.state != State.CONNECTED:
            return []
        return [Send(packets.write_burst(packet, self.repeater))]

    def close(self) -> list[Out]:
        """We go."""
        said = self.state not in (State.CLOSED, State.WAITING)
        self.state, self.due = State.CLOSED, None
        return [Send(packets.write_closing(self.repeater))] if said else []
