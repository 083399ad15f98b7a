"""A node: we sign in at a reflector, hear one talkgroup, and talk in it. Pure.

Theory of operation
-------------------
=============  =========================  =====================================================
we are         what happens               then
=============  =========================  =====================================================
waiting        the pause is over          the line is opened: *calling*
calling        it is open                 the protocol is said: *greeting*
greeting       challenge                  the proof is said: *proving*
proving        signed in                  *entering*
entering       welcome                    the talkgroup is chosen, a datagram sent: *finding*
finding        nothing for a second       the datagram is sent again
finding        a datagram                 *connected*
any of these   refused, line lost, or     line closed: *waiting*, each time longer, up to
               not further for PATIENCE_S LONGEST_PAUSE_S
connected      HERE_S without saying      still here, on the line or by datagram
connected      line lost, refused, or     line closed: *waiting*
               nothing heard for SILENT_S
=============  =========================  =====================================================

A node is in one talkgroup: with several, there are as many nodes, each with a name of its own. A
reflector without talkgroups (protocol 1.0) is one for all its nodes. So a node that was given a
talkgroup does not sign in there: its speech would come to groups that it is not for. One that was
given none speaks 1.0, and a newer reflector puts it where its owner wants such nodes.

Who talks comes over the line, speech by datagram, in either order. Several may talk at a time: the
reflector passes on who was first, and says who that is. The others are not told; here they are.
"""

from __future__ import annotations

import enum
from collections import Counter
from typing import Final

from radio_bridge.svxlink import messages
from radio_bridge.svxlink.events import (
    Call,
    Connected,
    Denied,
    Disconnected,
    Granted,
    HangUp,
    Keyed,
    Lost,
    Named,
    Out,
    Revoked,
    Say,
    Send,
    Spoke,
    Unkeyed,
)
from radio_bridge.svxlink.messages import (
    CONFERENCE,
    TALKGROUPS,
    Content,
    Datagram,
    Frames,
    NodeJoined,
    NodeLeft,
)
from radio_bridge.unreadable import Unreadable

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
PATIENCE_S: Final = 10.0
"""Signing in takes no longer."""
FIND_S: Final = 1.0
HERE_S: Final = 10.0
"""A reflector waits for 15 s."""
SILENT_S: Final = 15.0
"""A reflector says something each 10 s."""
SILENT_DATAGRAMS_S: Final = 60.0
"""Of datagrams one comes each 15 s."""
TALK_SILENCE_S: Final = 1.0
"""A talk of which nothing comes for so long is over."""
_NUMBERS: Final = 1 << 16


class State(enum.Enum):
    """How far we are."""

    CLOSED = enum.auto()
    WAITING = enum.auto()
    CALLING = enum.auto()
    GREETING = enum.auto()
    PROVING = enum.auto()
    ENTERING = enum.auto()
    FINDING = enum.auto()
    CONNECTED = enum.auto()


_ON_LINE: Final = {
    State.GREETING,
    State.PROVING,
    State.ENTERING,
    State.FINDING,
    State.CONNECTED,
}


class Node:
    """One node at one reflector. ``dropped`` has what was not taken, by code."""

    def __init__(self, name: str, password: bytes, talkgroup: int | None) -> None:
        """``talkgroup``: none for a reflector that has none. ``ValueError`` for a bad name."""
        if not 0 < len(name.encode()) <= messages.MOST_NAME:
            raise ValueError(f"a node's name has 1 to {messages.MOST_NAME} bytes")
        if talkgroup is not None and not 0 < talkgroup < 1 << 32:
            raise ValueError("a talkgroup is a number above 0")
        self.name = name
        self._password = password
        self._talkgroup = talkgroup
        self._now = 0.0
        self._pause = FIRST_PAUSE_S
        self.state = State.CLOSED
        self.talker: str | None = None
        """Who has the talkgroup, as the reflector said last."""
        self.dropped: Counter[str] = Counter()
        self._begin()

    def _begin(self) -> None:
        """What belongs to one connection."""
        self._frames = Frames()
        self._nodes: tuple[str, ...] = ()
        self._number = self._next_out = self._next_in = 0
        self._until = self._said_at = self._sent_at = 0.0
        self._line_at = self._datagram_at = 0.0
        self._heard_at: float | None = None
        self._heard_name = ""
        self._speaking = False
        self.talker = None

    # -- the line

    def open(self, now: float) -> list[Out]:
        """Sign in, now and whenever the connection is lost."""
        self._now = max(self._now, now)
        return self._call()

    def _call(self) -> list[Out]:
        self._begin()
        self.state = State.CALLING
        self._until = self._now + PATIENCE_S
        return [Call()]

    def line_opened(self, now: float) -> list[Out]:
        """The line is there."""
        self._now = max(self._now, now)
        if self.state != State.CALLING:
            return []
        self.state, self._line_at = State.GREETING, self._now
        version = CONFERENCE if self._talkgroup is None else TALKGROUPS
        return [self._say(messages.write_version(version))]

    def line_lost(self, now: float) -> list[Out]:
        """The line could not be opened, or was closed."""
        self._now = max(self._now, now)
        on_line = self.state == State.CALLING or self.state in _ON_LINE
        return self._lose(Lost.CLOSED) if on_line else []

    def receive(self, data: bytes, now: float) -> list[Out]:
        """Take bytes of the line."""
        self._now = max(self._now, now)
        out: list[Out] = []
        if self.state not in _ON_LINE:
            return out
        self._line_at = self._now
        try:
            for frame in self._frames.take(data):
                out += self._message(messages.read(frame, self._talkgroup is not None))
                if self.state not in _ON_LINE:
                    break
        except Unreadable as error:
            self.dropped[error.code] += 1
            out += self._lose(Lost.UNREADABLE)
        return out

    def _message(self, message: messages.Message) -> list[Out]:
        match message:
            case messages.StillHere():
                return []
            case messages.Refusal(text):
                return self._refused(text)
            case messages.Unknown(messages.OLDER):
                return self._lose(Lost.OTHER_PROTOCOL)
            case messages.Unknown():
                self.dropped["svxlink.unknown"] += 1
                return []
            case messages.Challenge(salt) if self.state == State.GREETING:
                self.state = State.PROVING
                return [self._say(messages.write_proof(self.name, self._password, salt))]
            case messages.SignedIn() if self.state == State.PROVING:
                self.state = State.ENTERING
                return []
            case messages.Welcome() if self.state == State.ENTERING:
                return self._welcome(message)
            case NodeJoined() | NodeLeft() if self.state == State.CONNECTED:
                return [message]
            case NodeJoined(name) if self.state == State.FINDING:
                self._nodes += (name,)
                return []
            case NodeLeft(name) if self.state == State.FINDING:
                self._nodes = tuple(one for one in self._nodes if one != name)
                return []
            case messages.TalkerStart() if self._is_ours(message.talkgroup):
                return self._starts(message.name)
            case messages.TalkerStop() if self._is_ours(message.talkgroup):
                return self._stops(message.name)
        self.dropped["svxlink.untimely"] += 1
        return []

    def _is_ours(self, talkgroup: int | None) -> bool:
        here = self.state in (State.FINDING, State.CONNECTED)
        return here and talkgroup == self._talkgroup

    def _refused(self, text: str) -> list[Out]:
        old = self.state == State.GREETING
        return self._lose(Lost.OTHER_PROTOCOL if old else Lost.REFUSED, text)

    def _welcome(self, message: messages.Welcome) -> list[Out]:
        if message.codecs and messages.OPUS not in message.codecs:
            return self._lose(Lost.NO_OPUS, ", ".join(message.codecs))
        self.state, self._number = State.FINDING, message.number
        self._nodes = tuple(name for name in message.nodes if name != self.name)
        self._datagram_at = self._now
        out: list[Out] = []
        if self._talkgroup is not None:
            out.append(self._say(messages.write_select(self._talkgroup)))
        return [*out, self._send(messages.StillHere())]

    def _lose(self, cause: Lost, text: str = "") -> list[Out]:
        was_connected = self.state == State.CONNECTED
        out = self._unkey(silent=True)
        self._begin()
        self.state = State.WAITING
        self._until = self._now + self._pause
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2)
        return [HangUp(), *out, Disconnected(cause, was_connected, text)]

    def close(self) -> list[Out]:
        """We go."""
        out = [*self.end(), *self._unkey(silent=True)]
        hang_up = self.state not in (State.CLOSED, State.WAITING)
        self._begin()
        self.state = State.CLOSED
        return [*out, HangUp()] if hang_up else out

    # -- datagrams

    def receive_datagram(self, data: bytes, now: float) -> list[Out]:
        """Take a datagram that came from the reflector's address."""
        self._now = max(self._now, now)
        try:
            datagram = messages.read_datagram(data)
        except Unreadable as error:
            self.dropped[error.code] += 1
            return []
        if self.state not in (State.FINDING, State.CONNECTED) or datagram.node != self._number:
            self.dropped["svxlink.stranger"] += 1
            return []
        missed = (datagram.number - self._next_in) % _NUMBERS
        if missed >= _NUMBERS // 2:
            self.dropped["svxlink.late"] += 1
            return []
        self._next_in = (datagram.number + 1) % _NUMBERS
        self._datagram_at = self._now
        return [*self._found(), *self._content(datagram.content, missed)]

    def _found(self) -> list[Out]:
        if self.state == State.CONNECTED:
            return []
        self.state, self._pause = State.CONNECTED, FIRST_PAUSE_S
        return [Connected(self._nodes)]

    def _content(self, content: Content, missed: int) -> list[Out]:
        match content:
            case messages.Speech(opus) if 0 < len(opus) <= messages.MOST_SPEECH:
                return self._spoke(opus, missed)
            case messages.Speech():
                self.dropped["svxlink.speech"] += 1
            case messages.Over():
                return [*self._unkey(), self._send(messages.Played())]
        return []

    def _spoke(self, opus: bytes, missed: int) -> list[Out]:
        is_first = self._heard_at is None
        self._heard_at = self._now
        if not is_first:
            return [Spoke(opus, missed)]
        self._heard_name = self.talker or ""
        return [Keyed(self._heard_name), Spoke(opus)]

    def _unkey(self, silent: bool = False) -> list[Out]:
        if self._heard_at is None:
            return []
        self._heard_at = None
        return [Unkeyed(silent)]

    # -- who talks

    def _starts(self, name: str) -> list[Out]:
        self.talker = name
        if name == self.name:
            return [Granted()]
        out: list[Out] = [Denied(name)] if self._speaking else []
        if self._heard_at is None:
            return out
        if self._heard_name and self._heard_name != name:  # how the last ended was not heard
            return [*self._unkey(silent=True), *out]
        if not self._heard_name:
            self._heard_name = name
            out.append(Named(name))
        return out

    def _stops(self, name: str) -> list[Out]:
        if self.talker == name:
            self.talker = None
        return [Revoked()] if name == self.name and self._speaking else []

    def speak(self, opus: bytes) -> list[Out]:
        """A packet of ours; nothing while we are not connected. ``ValueError``: it is too long."""
        if self.state != State.CONNECTED:
            return []
        sent = self._send(messages.Speech(opus))
        begins, self._speaking = not self._speaking, True
        if begins and self.talker not in (None, self.name):
            return [Denied(self.talker or ""), sent]
        return [sent]

    def end(self) -> list[Out]:
        """Our talk is over."""
        if not self._speaking:
            return []
        self._speaking = False
        return [self._send(messages.Over())]

    # -- time

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        match self.state:
            case State.CLOSED:
                return None
            case State.CONNECTED:
                times = [
                    min(self._said_at, self._sent_at) + HERE_S,
                    self._line_at + SILENT_S,
                    self._datagram_at + SILENT_DATAGRAMS_S,
                ]
                if self._heard_at is not None:
                    times.append(self._heard_at + TALK_SILENCE_S)
                return min(times)
            case State.FINDING:
                return min(self._until, self._sent_at + FIND_S)
        return self._until

    def pass_time(self, now: float) -> list[Out]:
        """Call again, say that we are here, or give up, when it is time."""
        self._now = max(self._now, now)
        match self.state:
            case State.CLOSED:
                return []
            case State.WAITING:
                return self._call() if self._now >= self._until else []
            case State.CONNECTED:
                return self._keep()
        if self._now >= self._until:
            finding = self.state == State.FINDING
            return self._lose(Lost.NO_DATAGRAMS if finding else Lost.SILENT)
        if self.state == State.FINDING and self._now >= self._sent_at + FIND_S:
            return [self._send(messages.StillHere())]
        return []

    def _keep(self) -> list[Out]:
        if self._now >= self._line_at + SILENT_S:
            return self._lose(Lost.SILENT)
        if self._now >= self._datagram_at + SILENT_DATAGRAMS_S:
            return self._lose(Lost.NO_DATAGRAMS)
        out: list[Out] = []
        if self._heard_at is not None and self._now >= self._heard_at + TALK_SILENCE_S:
            out += self._unkey(silent=True)
        if self._now >= self._said_at + HERE_S:
            out.append(self._say(messages.write_still_here()))
        if self._now >= self._sent_at + HERE_S:
            out.append(self._send(messages.StillHere()))
        return out

    def _say(self, data: bytes) -> Say:
        self._said_at = self._now
        return Say(data)

    def _send(self, content: Content) -> Send:
        datagram = Datagram(self._number, self._next_out, content)
        data = messages.write_datagram(datagram)
        self._sent_at = self._now
        self._next_out = (self._next_out + 1) % _NUMBERS
        return Send(data)
