"""What radios are asked and answered: where they are, whether they are there, that they were heard.

=============================  ================================================================
what happens                   then the radio is
=============================  ================================================================
it is heard, and has a unit    asked where it is, every so many seconds, once while it is there
it registers with us (ARS)     answered that it is registered, and when to do so again
it asks whether we are there   answered that we are (radio check)
this network has its alarm     told so, and need not send it again
it was silent for long         asked whether it is there, before it is taken to be gone
=============================  ================================================================

A registration or a check that is for another number of its network is that one's to answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from psn import wire
from radio_bridge.bridge import outgoing
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.radio_networks import RadioNetwork
from radio_bridge.dmr.control_block import AlarmTaken, RadioCheck
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.inside import Checked, Happening, Presence
from radio_bridge.motorola import presence

HALF_HOURS: Final = 1
"""After so many a radio is to register again."""


class Asking:
    """Of the radios of all networks that the bridge serves."""

    def __init__(
        self,
        bridge: Bridge,
        networks: Mapping[str, RadioNetwork],
        ours: int,
        name_of: Callable[[int], str | None],
    ) -> None:
        """``ours``: the number of the radio that the bridge is. ``name_of``: what links call a
        radio network of this number here.
        """
        self._bridge = bridge
        self._networks = networks
        self._ours = ours
        self._name_of = name_of
        self._asked: set[wire.Radio] = set()
        """Who was asked where it is, and says so from now on."""

    def heard(self, radio: wire.Radio, carries: bool) -> None:
        """A radio is there; ``carries``: a unit."""
        name = self._name_of(radio.network)
        every = self._networks[name].positions_s if name else None
        if every is None or radio in self._asked or not carries:
            return
        sending = self._send(radio, lambda way: outgoing.position_packets(way, every))
        if sending is not None:
            self._asked.add(radio)
            sending.add_done_callback(lambda done: self._was_asked(radio, done))

    def _was_asked(self, radio: wire.Radio, done: asyncio.Task[bool]) -> None:
        if done.cancelled() or done.exception() is not None or not done.result():
            self._asked.discard(radio)

    def switched(self, radio: wire.Radio) -> None:
        """A radio was switched on or off: it knows nothing of what it was asked."""
        self._asked.discard(radio)

    def happened(self, radio: wire.Radio, happening: Happening) -> None:
        """Answer what a radio says, where that is for us to answer."""
        match happening:
            case Presence(answers=self._ours):
                answer = presence.write_answer(HALF_HOURS)
                self._answer("registration", radio, presence.PORT, answer)
            case Checked(target=self._ours):
                block = RadioCheck(self._ours, radio.number, is_answer=True)
                self._answer_block("check", radio, block)

    def alarm_taken(self, radio: wire.Radio) -> None:
        """This network has the alarm of a radio."""
        self._answer_block("alarm", radio, AlarmTaken(self._ours, radio.number))

    def is_there(self, radio: wire.Radio) -> None:
        """Ask a radio that was silent for long; it registers anew when it is."""
        self._answer("query", radio, presence.PORT, presence.write_query())

    def _answer(self, what: str, radio: wire.Radio, port: int, payload: bytes) -> None:
        self._count(
            what, self._send(radio, lambda way: outgoing.datagram_packets(way, port, payload))
        )

    def _answer_block(self, what: str, radio: wire.Radio, block: RadioCheck | AlarmTaken) -> None:
        self._count(what, self._send(radio, lambda way: outgoing.block_packets(way, block)))

    def _count(self, what: str, sending: asyncio.Task[bool] | None) -> None:
        def sent(done: asyncio.Task[bool]) -> None:
            if not done.cancelled() and done.exception() is None and done.result():
                self._bridge.figures.answers[what] += 1

        if sending is not None:
            sending.add_done_callback(sent)

    def _send(
        self, radio: wire.Radio, packets: Callable[[Way], list[BurstPacket]]
    ) -> asyncio.Task[bool] | None:
        """Send it where its radio was heard last; none: it was not heard, or of no network here."""
        name = self._name_of(radio.network)
        where = self._bridge.exchange.heard_at.get((name, radio.number)) if name else None
        if where is None:
            return None
        way = self._bridge.way(self._ours, radio.number, False, where)
        return self._bridge.send_data(where, packets(way))
