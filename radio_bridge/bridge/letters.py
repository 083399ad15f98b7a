"""Texts of this network for radios: until their radio is heard, and until it says it has them."""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from psn import wire
from psn.client import Client
from radio_bridge.bridge import outgoing
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.settings import RadioNetwork
from radio_bridge.motorola import text

_MOST_TEXTS: Final = 20
"""That wait for one radio."""
_MOST_SENT: Final = 1_000
_NOWHERE: Final = "", 0


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
        self._texts: dict[wire.Radio, deque[wire.Mail]] = {}
        self._unanswered: OrderedDict[tuple[wire.Radio, int], wire.Mail] = OrderedDict()
        self._sent: OrderedDict[UUID, None] = OrderedDict()
        self._numbers = itertools.count(1)

    def planned(self) -> None:
        """It is known now which radios carry which units."""
        self._has_plan = True
        early, self._early = self._early, []
        for mail in early:
            self.take(mail)

    def heard(self, radio: wire.Radio) -> None:
        """A radio is there: what waits for it is sent."""
        for mail in self._texts.pop(radio, ()):
            self._send_text(radio, mail)

    def arrived(self, radio: wire.Radio, number: int) -> wire.Mail | None:
        """A radio has the text of this number; none: of no such text."""
        return self._unanswered.pop((radio, number), None)

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
                way = Way(self._ours, number, True, where[1], self._bridge.stream())
                self._send(name or "", where, way, body, 0)

    def _send_text(self, radio: wire.Radio, mail: wire.Mail) -> None:
        name = self.name_of(radio.network)
        where = self._bridge.exchange.heard_at.get((name, radio.number)) if name else None
        if name is None:
            self._bridge.figures.dropped["bridge.text_nobody"] += 1
            return
        if where is None:  # it is sent when the radio is heard
            self._texts.setdefault(radio, deque(maxlen=_MOST_TEXTS)).append(mail)
            return
        number = next(self._numbers) % text.NUMBERS
        self._unanswered[radio, number] = mail
        if len(self._unanswered) > _MOST_SENT:
            self._unanswered.popitem(last=False)
        way = Way(self._ours, radio.number, False, where[1], self._bridge.stream())
        assert isinstance(mail.body, wire.MessageBody)
        self._send(name, where, way, mail.body, number)

    def _send(
        self, name: str, where: tuple[str, int], way: Way, body: wire.MessageBody, number: int
    ) -> None:
        words = f"{body.sender_name}: {body.text}" if body.sender_name else body.text
        form = self._networks[name].texts
        self._bridge.send_data(where, outgoing.text_packets(way, form, words, number))

    def name_of(self, network: int) -> str | None:
        """What links call a radio network."""
        called = self._client.radio.plan.networks.get(network)
        return next((n for n, of in self._networks.items() if of.called == called), None)
