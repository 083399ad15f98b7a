"""Texts of this network for radios: until their radio is heard, and until it says it has them.

A text stays in the client's store until then, however often the bridge starts anew. A radio that
does not say that it has one is sent it again, some times, when it is heard. One for a talkgroup
stays there until it is sent on each channel, or given up, which is counted.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psn import wire
from psn.client import Client
from radio_bridge.bridge import outgoing
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.radio_networks import RadioNetwork
from radio_bridge.calls.conversations import Where
from radio_bridge.motorola import text

_MOST_TEXTS: Final = 20
"""That wait for one radio."""
AGAIN_S: Final = 60.0
"""So long a radio has to say that it has a text."""
MOST_TIMES: Final = 3
"""So often a text is sent to a radio that does not say that it has it, or tried on a channel that
is never free."""
GROUP_AGAIN_S: Final = 30.0
"""So long after it could not be sent, a text for a talkgroup is tried again."""
GROUP_OLD_MS: Final = 3_600_000
"""So long after it was written nobody expects one for a talkgroup any more."""
_MOST_SENT: Final = 1_000
_NOWHERE: Final = "", 0


@dataclass(slots=True, eq=False)
class _Letter:
    """A text for a radio."""

    mail: wire.Mail
    number: int
    times: int = 0
    """It was sent."""
    is_going: bool = False
    again_at: float = 0.0


@dataclass(slots=True, eq=False)
class _GroupLetter:
    """A text for a talkgroup, on one of its channels."""

    network: str
    number: int
    where: Where
    mail: wire.Mail
    times: int = 0
    """It was tried."""

    @property
    def channel(self) -> str:
        """As the store has it."""
        return f"{self.network} {self.number} {self.where[1]} {self.where[0]}"

    @classmethod
    def of(cls, channel: str, mail: wire.Mail) -> _GroupLetter:
        """One that was kept."""
        network, number, place, link = channel.split(" ", 3)
        return cls(network, int(number), (link, int(place)), mail)


class Letters:
    """What is written to radios."""

    def __init__(
        self, bridge: Bridge, client: Client, networks: Mapping[str, RadioNetwork], ours: int
    ) -> None:
        """``ours``: the number of the radio that the bridge is."""
        self._bridge = bridge
        self._client = client
        self._networks = networks
        self._ours = ours
        self._has_plan = False
        self._early: list[wire.Mail] = []
        """What came before it was known whose radios these are."""
        self._texts: dict[wire.Radio, list[_Letter]] = {}
        self._unanswered: OrderedDict[tuple[wire.Radio, int], wire.Mail] = OrderedDict()
        self._sent: OrderedDict[UUID, None] = OrderedDict()
        self._numbers = itertools.count(1)
        for radio, mail in client.offline.for_radios():
            self._texts.setdefault(radio, []).append(self._numbered(mail))
        self._kept = [_GroupLetter.of(*kept) for kept in client.offline.for_channels()]
        """For talkgroups, from before this start."""
        self._again: set[asyncio.TimerHandle] = set()

    def planned(self) -> None:
        """It is known now which radios carry which units."""
        self._has_plan = True
        kept, self._kept = self._kept, []
        for letter in kept:
            self._send_to_group(letter)
        early, self._early = self._early, []
        for mail in early:
            self.take(mail)

    def close(self) -> None:
        """Try nothing more: what is kept is sent by who takes its place."""
        for timer in self._again:
            timer.cancel()

    def heard(self, radio: wire.Radio) -> None:
        """A radio is there: what waits for it is sent."""
        for letter in list(self._texts.get(radio, ())):
            self._try(radio, letter)

    def arrived(self, radio: wire.Radio, number: int) -> wire.Mail | None:
        """A radio has the text of this number; none: of no such text."""
        mail = self._unanswered.pop((radio, number), None)
        for letter in list(self._texts.get(radio, ())):
            if letter.mail is mail:
                self._drop(radio, letter)
        return mail

    def ours(self, message: UUID) -> None:
        """A radio wrote this: it is not brought to radios again."""
        self._sent[message] = None
        while len(self._sent) > _MOST_SENT:
            self._sent.popitem(last=False)

    def take(self, mail: wire.Mail) -> None:
        """A text for a unit that carries radios, or for a group: to these, or the talkgroup."""
        body = mail.body
        if not isinstance(body, wire.MessageBody) or body.id in self._sent:
            return
        if mail.box == body.sender or (body.expires and body.expires < self._client.now_ms()):
            return
        if not self._has_plan:
            self._early = [*self._early[-_MOST_SENT:], mail]
            return
        plan = self._client.radio.plan
        kind, _, ident = mail.box.partition(":")
        if kind == "unit":
            for radio in plan.radios_of(int(ident)):
                self._send_text(radio, mail)
            return
        for talkgroup in plan.talkgroups_of(mail.box):
            name, number = self.name_of(talkgroup.network), talkgroup.number
            for where in self._bridge.exchange.channels((name or "", number), _NOWHERE):
                letter = _GroupLetter(name or "", number, where, mail)
                self._client.offline.keep_for_channel(letter.channel, mail)
                self._send_to_group(letter)

    def _send_to_group(self, letter: _GroupLetter) -> None:
        """On one channel; one that is taken, or away, is tried again some times."""
        body = letter.mail.body
        assert isinstance(body, wire.MessageBody)
        until = body.expires or body.time + GROUP_OLD_MS
        carried = self._bridge.exchange.channels((letter.network, letter.number), _NOWHERE)
        is_over = until < self._client.now_ms() or letter.where not in carried
        if letter.times == MOST_TIMES or is_over:
            self._bridge.figures.dropped["bridge.text_given_up"] += 1
            self._client.offline.drop_for_channel(letter.channel, letter.mail)
            return
        letter.times += 1
        way = self._bridge.way(self._ours, letter.number, True, letter.where)
        sending = self._send(letter.network, letter.where, way, body, 0)
        sending.add_done_callback(lambda done: self._was_sent_to_group(letter, done))

    def _was_sent_to_group(self, letter: _GroupLetter, done: asyncio.Task[bool]) -> None:
        if done.cancelled() or done.exception() is not None:
            return  # the bridge stops; it is kept
        if done.result():
            self._client.offline.drop_for_channel(letter.channel, letter.mail)
            return

        def again() -> None:
            self._again.discard(timer)
            self._send_to_group(letter)

        timer = asyncio.get_running_loop().call_later(GROUP_AGAIN_S, again)
        self._again.add(timer)

    def _numbered(self, mail: wire.Mail) -> _Letter:
        return _Letter(mail, next(self._numbers) % text.NUMBERS)

    def _send_text(self, radio: wire.Radio, mail: wire.Mail) -> None:
        if self.name_of(radio.network) is None:
            self._bridge.figures.dropped["bridge.text_nobody"] += 1
            return
        letter = self._numbered(mail)
        waiting = self._texts.setdefault(radio, [])
        waiting.append(letter)
        self._client.offline.keep_for_radio(radio, mail)
        if len(waiting) > _MOST_TEXTS:
            self._give_up(radio, waiting[0])
        self._try(radio, letter)

    def _try(self, radio: wire.Radio, letter: _Letter) -> None:
        """Send it where its radio was heard, unless it is on its way; else it waits."""
        body, now = letter.mail.body, time.monotonic()
        assert isinstance(body, wire.MessageBody)
        name = self.name_of(radio.network)
        where = self._bridge.exchange.heard_at.get((name, radio.number)) if name else None
        if not self._has_plan or letter.is_going or now < letter.again_at:
            return
        unit = int(letter.mail.box.partition(":")[2])
        has_expired = body.expires is not None and body.expires < self._client.now_ms()
        if has_expired or radio not in self._client.radio.plan.radios_of(unit):
            self._give_up(radio, letter)
        elif name is not None and where is not None:
            letter.is_going = True
            self._unanswered[radio, letter.number] = letter.mail
            if len(self._unanswered) > _MOST_SENT:
                self._unanswered.popitem(last=False)
            way = self._bridge.way(self._ours, radio.number, False, where)
            sending = self._send(name, where, way, body, letter.number)
            says = self._networks[name].texts != "etsi"  # which has no word for that
            sending.add_done_callback(lambda done: self._was_sent(radio, letter, done, says))

    def _was_sent(
        self, radio: wire.Radio, letter: _Letter, done: asyncio.Task[bool], says: bool
    ) -> None:
        """``says``: its radio will say that it has it."""
        letter.is_going = False
        if done.cancelled() or done.exception() is not None or not done.result():
            return
        letter.times += 1
        letter.again_at = time.monotonic() + AGAIN_S
        if not says or letter.times == MOST_TIMES:
            self._drop(radio, letter)

    def _give_up(self, radio: wire.Radio, letter: _Letter) -> None:
        self._bridge.figures.dropped["bridge.text_given_up"] += 1
        self._drop(radio, letter)

    def _drop(self, radio: wire.Radio, letter: _Letter) -> None:
        waiting = self._texts.get(radio, [])
        if letter in waiting:
            waiting.remove(letter)
        if not waiting:
            self._texts.pop(radio, None)
        self._client.offline.drop_for_radio(radio, letter.mail)

    def _send(
        self, name: str, where: tuple[str, int], way: Way, body: wire.MessageBody, number: int
    ) -> asyncio.Task[bool]:
        words = f"{body.sender_name}: {body.text}" if body.sender_name else body.text
        form = self._networks[name].texts
        return self._bridge.send_data(where, outgoing.text_packets(way, form, words, number))

    def name_of(self, network: int) -> str | None:
        """What links call a radio network."""
        called = self._client.radio.plan.networks.get(network)
        return next((n for n, of in self._networks.items() if of.called == called), None)
