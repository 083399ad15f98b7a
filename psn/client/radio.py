"""The client's side of a radio gateway: what it serves, what it tells, for which radios it talks.

    await client.radio.serve(changed=lambda plan: ...)
    network = client.radio.plan.network("National")
    unit = client.radio.plan.radios.get(wire.Radio(network, 4711))
    keyed = await client.radio.key("group:2", wire.Radio(network, 4711))
    async for packet in call:
        await keyed.say(packet, 60)
    await keyed.unkey()

What belongs to a unit goes the way of every client: ``client.report(Fix(unit, …))``,
``client.send(to, text, unit=…)``, ``client.do("emergency.press", unit=…)``.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct

from psn import wire
from psn.client.refusal import ClientRefused
from psn.wire import Radio, Speech, VoiceGroup
from psn.wire.voice import NUMBERS

TOPIC: Final = "radio"
AT_ONCE: Final = 500
Asked = (
    wire.Delivered | wire.RadioHeard | wire.RadioPresence | wire.RadioState | wire.RadioReach
    | wire.VoiceCall | wire.VoiceLeave
)  # fmt: skip


class Network(Struct, frozen=True, tag_field="is", tag="radio_network"):
    """A radio network that the gateway serves."""

    id: int
    name: str


class Talkgroup(Struct, frozen=True, tag_field="is", tag="radio_talkgroup"):
    """A talkgroup that is joined with a voice group (``group:2``), and what people call that."""

    id: int
    network: int
    number: int
    group: str
    name: str


class Carried(Struct, frozen=True, tag_field="is", tag="radio"):
    """A radio that carries a unit."""

    id: int
    network: int
    number: int
    unit: int
    callsign: str


@dataclass(slots=True)
class Plan:
    """What a radio gateway serves, as the server said last. Kept while the link is lost."""

    networks: dict[int, str] = field(default_factory=dict)
    """Names by id."""
    talkgroups: dict[tuple[int, int], Talkgroup] = field(default_factory=dict)
    """By network and number: with which voice group each is joined."""
    radios: dict[Radio, Carried] = field(default_factory=dict)
    """Those that carry a unit; all others are unknown, and are only heard."""

    def network(self, name: str) -> int | None:
        """The network of a name; none: the gateway does not serve it."""
        return next((id for id, each in self.networks.items() if each == name), None)

    def radios_of(self, unit: int) -> list[Radio]:
        """The radios that carry a unit."""
        return [radio for radio, each in self.radios.items() if each.unit == unit]

    def talkgroups_of(self, group: str) -> list[Talkgroup]:
        """The talkgroups that are joined with a voice group."""
        return [each for each in self.talkgroups.values() if each.group == group]


class Keyed:
    """A radio that has keyed, from then until it unkeys.

    ``state`` is what the server said last: none yet, ``granted``, ``queued`` (it waits, and will be
    granted by itself), ``denied`` or ``revoked``; the last two, and a lost link, are the end
    (``over``).
    """

    def __init__(
        self,
        group: str,
        radio: Radio,
        send: Callable[[wire.FloorAsk | wire.FloorRelease | bytes], Awaitable[None]],
        told: Callable[[Keyed], None],
    ) -> None:
        self.group = group
        self.radio = radio
        self.talker = ""
        """As whom it is heard, once it is: ``unit:7``, or the gateway."""
        self.state: wire.FloorState | None = None
        self.over: ClientRefused | ConnectionError | None = None
        """Why nothing of it is heard any more."""
        self.unheard = 0
        """Packets that were not sent, since it did not have the floor."""
        self._of = VoiceGroup.of(group)
        self._send = send
        self._told = told
        self._numbers: Iterator[int] = itertools.count()
        self.left: Callable[[Keyed], None] = lambda keyed: None

    async def say(self, opus: bytes, milliseconds: int = 20, *, last: bool = False) -> bool:
        """One Opus packet of 20, 40 or 60 milliseconds; whether it was sent.

        What is said while others have the floor is dropped and counted. Raises nothing for a floor
        that is lost (see :attr:`over`); ``ConnectionError`` when the link is lost just now.
        """
        if self.state != "granted" or self.over is not None:
            self.unheard += 1
            return False
        number = next(self._numbers) % NUMBERS
        await self._send(Speech(self._of, self.talker, number, milliseconds, last, opus).encode())
        return True

    async def unkey(self) -> None:
        """It has unkeyed; nothing when it is over already."""
        self.left(self)
        if self.over is None:
            self.over = ClientRefused("unkeyed", "The radio has unkeyed.", "Key again.")
            await self._send(wire.FloorRelease(group=self.group, radio=self.radio))

    def yours(self, frame: wire.FloorYours) -> None:
        """The server has said something of it."""
        if frame.state == "granted" and self.state != "granted":
            self._numbers = itertools.count()  # what is granted anew is a talk of its own
        self.state, self.talker = frame.state, frame.talker
        if frame.state in ("denied", "revoked"):
            self.end(ClientRefused(frame.code, frame.text, frame.todo))
        else:
            self._told(self)

    def end(self, why: ClientRefused | ConnectionError) -> None:
        """Nothing of it is heard any more."""
        if self.over is None:
            self.left(self)
            self.over = why
            self._told(self)


class RadioLine:
    """What a radio gateway has to do with the server."""

    def __init__(
        self,
        ask: Callable[[Asked], Awaitable[object]],
        send: Callable[[wire.FloorAsk | wire.FloorRelease | bytes], Awaitable[None]],
        number: Callable[[], int],
        follow: Callable[[str], Awaitable[None]],
    ) -> None:
        """``ask`` waits for ``ok``, ``send`` does not; without a link: ``ConnectionError``."""
        self.plan = Plan()
        self._ask = ask
        self._send = send
        self._number = number
        self._follow = follow
        self.rings: Callable[[wire.Called], None] = lambda called: None
        """Called when somebody calls a radio: ``client.voice.join`` with ``radio`` takes it."""
        self.call_over: Callable[[wire.VoiceGone], None] = lambda gone: None
        """Called when a call that rang at a radio, or in which one was, is over."""
        self._changed: Callable[[Plan], None] = lambda plan: None
        self._items: dict[str, Any] = {}
        self._keyed: dict[tuple[str, Radio], Keyed] = {}

    async def serve(self, changed: Callable[[Plan], None] = lambda plan: None) -> None:
        """Learn what this gateway serves, after every reconnection too.

        ``changed`` is called with :attr:`plan` whenever it has changed; a gateway that serves no
        radio network (yet) has an empty one. Raises :class:`ClientRefused` (``no_topic``) for what
        is no gateway, ``ConnectionError`` when the link is lost meanwhile.
        """
        self._changed = changed
        await self._follow(TOPIC)

    # -- what a gateway tells

    async def heard(self, heard: Sequence[wire.Heard]) -> None:
        """Radios were heard, known ones or not; gather them for some seconds, but an emergency.

        Raises :class:`ClientRefused`, ``ConnectionError`` without a link; so do those below.
        """
        for start in range(0, len(heard), AT_ONCE):
            part = list(heard[start : start + AT_ONCE])
            await self._ask(wire.RadioHeard(n=self._number(), heard=part))

    async def presence(self, here: Sequence[Radio] = (), gone: Sequence[Radio] = ()) -> None:
        """Which radios are there now, and which no more; after a reconnection say all again."""
        await self._ask(wire.RadioPresence(n=self._number(), here=list(here), gone=list(gone)))

    async def state(
        self,
        sites: Sequence[wire.RadioSite],
        calls: Sequence[wire.RadioCall] = (),
        refused: dict[str, int] | None = None,
        voiceless: Sequence[int] = (),
        missed: wire.RadioMissed | None = None,
    ) -> None:
        """How sites and links are, whole; when it changes, at most once a second."""
        await self._ask(
            wire.RadioState(
                n=self._number(),
                sites=list(sites),
                calls=list(calls),
                refused=refused or {},
                voiceless=list(voiceless),
                missed=missed,
            )
        )

    async def reach(self, reach: dict[str, wire.Reached]) -> None:
        """How what is said in groups that were joined reaches radios, where it is otherwise now.

        Of one that was joined, also after a reconnection, that is ``heard`` until it is told.
        """
        await self._ask(wire.RadioReach(n=self._number(), reach=reach))

    async def call(
        self, radio: Radio, to: Sequence[str], call: wire.CallKind = "normal"
    ) -> wire.Called:
        """A radio that carries a unit calls units and people, or ``["agency:1"]``: who takes calls
        there. The gateway is in the call when this returns, for that radio; join it to hear it.
        """
        frame = wire.VoiceCall(n=self._number(), to=list(to), call=call, radio=radio)
        called = await self._ask(frame)
        assert isinstance(called, wire.Called)
        return called

    async def leave_call(self, group: str, radio: Radio, why: wire.RadioWhy = "over") -> None:
        """A radio is in a call no more, or does not take it."""
        await self._ask(wire.VoiceLeave(n=self._number(), group=group, radio=radio, why=why))

    async def delivered(self, mail: wire.Mail) -> None:
        """The radio of the unit whose mailbox this entry came from has got it."""
        await self._ask(wire.Delivered(n=self._number(), box=mail.box, seqs=[mail.seq]))

    # -- talk

    async def key(
        self,
        group: str,
        radio: Radio,
        call: wire.CallKind = "normal",
        told: Callable[[Keyed], None] = lambda keyed: None,
    ) -> Keyed:
        """A radio has keyed in a group that was joined; does not wait for the floor.

        ``told`` is called whenever its :attr:`Keyed.state` changes and when it is over. The same
        one keyed again raises how urgent it is. Raises ``ConnectionError`` without a link.
        """
        keyed = self._keyed.get((group, radio))
        if keyed is None:
            keyed = Keyed(group, radio, self._send, told)
            keyed.left = self._left
            self._keyed[group, radio] = keyed
        try:
            await self._send(wire.FloorAsk(group=group, call=call, radio=radio))
        except ConnectionError as problem:
            keyed.end(problem)
            raise
        return keyed

    def _left(self, keyed: Keyed) -> None:
        if self._keyed.get((keyed.group, keyed.radio)) is keyed:
            del self._keyed[keyed.group, keyed.radio]

    # -- what comes

    def yours(self, radio: Radio, frame: wire.FloorYours) -> None:
        """Something has become of a radio's wish to talk."""
        keyed = self._keyed.get((frame.group, radio))
        if keyed is not None:
            keyed.yours(frame)

    def gone(self, frame: wire.VoiceGone) -> None:
        """A group is heard no longer, or a radio is not in a call."""
        for keyed in [each for each in self._keyed.values() if each.group == frame.group]:
            if frame.radio in (None, keyed.radio):
                keyed.end(ClientRefused(frame.code, frame.text, frame.todo))
        if frame.group.startswith("call:"):
            self.call_over(frame)

    def lost(self) -> None:
        """The link is lost: nobody is heard."""
        for keyed in list(self._keyed.values()):
            keyed.end(ConnectionError("the connection to the server was lost"))

    def news(self, frame: wire.News) -> None:
        """What is served has changed."""
        if frame.whole:
            self._items.clear()
        for item in frame.set:
            self._items[f"{item['is']}:{item['id']}"] = item
        for address in frame.gone:
            self._items.pop(address, None)
        plan = Plan()
        for item in self._items.values():
            match _read(item):
                case Network(id, name):
                    plan.networks[id] = name
                case Talkgroup() as talkgroup:
                    plan.talkgroups[talkgroup.network, talkgroup.number] = talkgroup
                case Carried() as carried:
                    plan.radios[Radio(carried.network, carried.number)] = carried
        if plan != self.plan:
            self.plan = plan
            self._changed(plan)


def _read(item: Any) -> Network | Talkgroup | Carried | None:
    """An item of the topic; none: of a kind that a gateway need not know."""
    kind = _KINDS.get(item["is"])
    return None if kind is None else msgspec.convert(item, kind)


_KINDS: Final[dict[str, type[Network] | type[Talkgroup] | type[Carried]]] = {
    "radio_network": Network,
    "radio_talkgroup": Talkgroup,
    "radio": Carried,
}
