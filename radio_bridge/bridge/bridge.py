"""The bridge: what comes over links goes through the exchange, and what that says is done.

Everything here runs in one event loop, and no step of it waits: a burst that came is on its way out
when :meth:`Bridge.burst` returns, unless a vocoder has to be asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from radio_bridge import narrowband
from radio_bridge.bridge import data, talks, wiring
from radio_bridge.bridge.data import DataPassing, Forward, Send, Told
from radio_bridge.bridge.exchange import NETWORK, Exchange
from radio_bridge.bridge.link import LinkState
from radio_bridge.bridge.links import Links
from radio_bridge.bridge.mouths import DmrMouth
from radio_bridge.bridge.our_side import OurSide
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.quality import Quality
from radio_bridge.bridge.records import Records, record_of
from radio_bridge.bridge.settings import (
    Line,
    Master,
    Nodes,
    OpenBridge,
    Peer,
    Settings,
    Talkgroup,
)
from radio_bridge.bridge.speech import Mouth, Speech
from radio_bridge.bridge.talks import Private, Talk
from radio_bridge.calls.conversations import Cause, Where
from radio_bridge.calls.transmissions import Identity
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.inside import Emergency, Opus, Position, Samples
from radio_bridge.vocoder.chip import Chip
from radio_bridge.vocoder.server import ChipLine

log = logging.getLogger(__name__)

TICK_S: Final = 0.1
"""So late at most a silence is noticed."""
BURST_S: Final = 0.06
"""From one burst of our own data to the next."""
DATA_WAITS_S: Final = 20.0
"""So long data of ours waits for a free channel."""
CODED: Final = (Master, Peer, OpenBridge)
"""Links over which speech goes in a vocoder's frames: those of DMR."""
_Out = TypeVar("_Out")
_MOST_HEARD: Final = 1_000
_MOST_SAID: Final = 100


@dataclass(slots=True)
class HeardRadio:
    """A radio, when and where it was heard last."""

    radio_network: str
    radio: int
    where: str
    what: str
    at: float
    """Seconds UTC."""
    name: str = ""
    group: int | None = None


@dataclass(slots=True)
class Figures:
    """What is counted, from the start on."""

    bursts_in: int = 0
    bursts_out: int = 0
    calls: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    """What radios were answered and asked, by what it was."""


class Bridge:
    """One bridge, running from :meth:`start` until :meth:`stop`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.exchange = Exchange(wiring.of(settings))
        ours = {settings.network.radio} if settings.network else set()
        self.data = DataPassing(self.exchange, ours)
        self.links = Links(self)
        self.figures = Figures(dropped=self.exchange.dropped)
        self.heard: OrderedDict[tuple[str, int], HeardRadio] = OrderedDict()
        """The newest last."""
        self.quality: dict[str, Quality] = {}
        self.said: deque[tuple[float, str, str]] = deque(maxlen=_MOST_SAID)
        """What happened to links lately: when (UTC), to which, and what."""
        self.records = Records(settings.records)
        self.our_side: OurSide | None = None
        self._loop = asyncio.get_running_loop()
        self._vocoder: ChipLine | None = None
        self._vocoder_task: asyncio.Task[None] | None = None
        self._speeches: dict[Talk, Speech] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._senders: set[asyncio.Task[None]] = set()
        self._streams = itertools.count(int(time.time()) & 0xFFFFFF)

    # -- life

    async def start(self) -> None:
        """Open everything."""
        self._load_coders()
        self._open_vocoder()
        await self.links.apply(self.settings.links)

    async def change(self, to: Settings) -> None:
        """Go on under other settings; links that are the same notice nothing."""
        before, self.settings = self.settings, to
        self._load_coders()
        self.data.ours = {to.network.radio} if to.network else set()
        self._do(self.exchange.rewire(wiring.of(to), self._loop.time()))
        await self.links.apply(to.links)
        if to.records != before.records:
            self.records.close()
            self.records = Records(to.records)
        if to.vocoder != before.vocoder:
            await self._close_vocoder()
            self._open_vocoder()

    async def stop(self) -> None:
        """End every talk, say farewell, close."""
        if self._timer is not None:
            self._timer.cancel()
        for speech in list(self._speeches.values()):
            speech.end()
        for sender in list(self._senders):
            sender.cancel()
        await self.links.close()
        await self._close_vocoder()
        self.records.close()

    def _load_coders(self) -> None:
        """Where speech is coded: load FFmpeg now, and not while the first one talks."""
        of = self.settings
        lines = any(isinstance(link, Nodes | Line) for link in of.links.values())
        if of.network is not None or lines:
            narrowband.Encoder().encode(bytes(2 * narrowband.SAMPLES))
            narrowband.Decoder()

    def _open_vocoder(self) -> None:
        of = self.settings.vocoder
        if of is not None:
            self._vocoder = ChipLine(Chip(of.channels), *of.address)
            self._vocoder_task = asyncio.create_task(self._vocoder.run(), name="vocoder")

    async def _close_vocoder(self) -> None:
        task, self._vocoder, self._vocoder_task = self._vocoder_task, None, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def has_vocoder(self) -> bool:
        """Whether speech of tablets can be heard by DMR radios now, and the other way round."""
        return self._vocoder is not None and self._vocoder.is_ready

    def is_coded(self, where: Where) -> bool:
        """Whether a channel is one of DMR."""
        return isinstance(self.settings.links.get(where[0].partition("/")[0]), CODED)

    def is_mute(self, where: Where) -> bool:
        """Whether a talk from there is not heard everywhere: no vocoder is free for it."""
        speeches = self._speeches.items()
        return any(talk.call.where == where and speech.is_mute for talk, speech in speeches)

    # -- what links tell

    def burst(self, where: Where, packet: BurstPacket) -> None:
        """A burst of DMR."""
        self.figures.bursts_in += 1
        now = self._loop.time()
        quality = self.quality.get(where[0])
        if quality is None:
            quality = self.quality[where[0]] = Quality()
        quality.hear(packet, now)
        self._do(self.exchange.hear(where, packet, now))
        self._pass(self.data.hear(where, packet, now))
        self._arm()

    def keyed(self, where: Where, source: int, name: str) -> None:
        """Somebody without DMR begins to talk."""
        talkgroup = self._talkgroup(where)
        if talkgroup is not None:
            now = self._loop.time()
            self._do(self.exchange.key(where, talkgroup, source, now, name))

    def named(self, where: Where, name: str) -> None:
        """Who talks there is known now."""
        self._do(self.exchange.name(where, name))

    def spoke(self, where: Where, sound: Opus | Samples) -> None:
        """A piece of what he says."""
        self._do(self.exchange.speak(where, sound, self._loop.time()))

    def unkeyed(self, where: Where) -> None:
        """He has ended."""
        self._do(self.exchange.unkey(where, self._loop.time()))

    def changed(self, link: str, text: str) -> None:
        """A link came or went."""
        self.said.append((time.time(), link, text))
        log.info("link %s: %s", link, text)
        if text == "connected":
            self._come_in(lambda leg: leg[0] == link)

    def _come_in(self, is_his: Callable[[Where], bool]) -> None:
        """Who has come in the middle of talks hears the rest of them."""
        for talk, speech in self._speeches.items():
            for leg in talk.legs - speech.mouths.keys():
                if is_his(leg):
                    self._begin(leg, talk)

    def _talkgroup(self, where: Where) -> Talkgroup | None:
        network = self.exchange.network_of(where)
        return None if network is None else (network, where[1])

    # -- what this network tells

    def network_keyed(self, talkgroup: Talkgroup, name: str, emergency: bool, radio: int) -> None:
        """Somebody of a voice group talks, to be heard on the radio under this number."""
        where, now = (NETWORK + talkgroup[0], talkgroup[1]), self._loop.time()
        self._do(self.exchange.key(where, talkgroup, radio, now, name, emergency))

    def network_spoke(self, talkgroup: Talkgroup, opus: bytes) -> None:
        """A piece of what he says."""
        self.spoke((NETWORK + talkgroup[0], talkgroup[1]), Opus(opus))

    def network_unkeyed(self, talkgroup: Talkgroup) -> None:
        """He has ended."""
        self.unkeyed((NETWORK + talkgroup[0], talkgroup[1]))

    def private_keyed(
        self, private: Private, where: Where, name: str, emergency: bool, radio: int
    ) -> None:
        """Somebody in a private call talks to its radio."""
        network, target, _ = private
        now = self._loop.time()
        self._do(
            self.exchange.key(where, (network, target), radio, now, name, emergency, group=False)
        )

    def join_private(self, private: Private, where: Where) -> None:
        """A radio is in a private call with somebody of this network."""
        self.exchange.join_private(private, where, self._loop.time())

    def part_private(self, private: Private) -> None:
        """That call is over."""
        self._do(self.exchange.part_private(private, self._loop.time()))

    def network_is_back(self) -> None:
        """The link to this network is up: it hears the rest of the talks that go on."""
        self._come_in(lambda leg: leg[0].startswith(NETWORK))

    def join(self, talkgroups: Iterable[Talkgroup], parted: Iterable[Talkgroup]) -> None:
        """Talkgroups are joined with voice groups, others are no more."""
        now = self._loop.time()
        for talkgroup in talkgroups:
            self.exchange.join(talkgroup, now)
        for talkgroup in parted:
            self._do(self.exchange.part(talkgroup, now))

    def way(self, source: int, target: int, group: bool, where: Where) -> Way:
        """Of data of ours on a channel, under a number of its own."""
        number = next(self._streams) & 0xFFFFFFFF or 1
        return Way(source, target, group, where[1], number, self.exchange.colour_code(where))

    def send_data(self, where: Where, packets: list[BurstPacket]) -> asyncio.Task[bool]:
        """Data of ours on a channel, when it is there and free; whether it was sent."""
        task = asyncio.create_task(self._send_data(where, packets))
        keeper = asyncio.create_task(self._kept(task))
        self._senders.add(keeper)
        keeper.add_done_callback(self._senders.discard)
        return task

    async def _kept(self, task: asyncio.Task[bool]) -> None:
        try:
            await task
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _send_data(self, where: Where, packets: list[BurstPacket]) -> bool:
        target = packets[0].target, packets[0].group
        until = self._loop.time() + DATA_WAITS_S
        while not (self.is_there(where) and self.data.may_send(where, target, self._loop.time())):
            if self._loop.time() > until:
                self.figures.dropped["bridge.data_unsent"] += 1
                return False
            await asyncio.sleep(BURST_S)
        begun = self._loop.time()
        for number, packet in enumerate(packets):
            self.data.sending(where, packet, self._loop.time())
            self._pass([Forward(where, packet)])
            await asyncio.sleep(max(0.0, begun + (number + 1) * BURST_S - self._loop.time()))
        return self.is_there(where)

    def is_there(self, where: Where) -> bool:
        """Whether anything can be sent over the link of a channel."""
        return any(state.is_up for state in self.links.states() if state.name == where[0])

    # -- what is done

    def _do(self, outs: Sequence[talks.Out]) -> None:
        self._each(outs, self._do_one)
        passed = any(isinstance(out, talks.Begin | talks.End | talks.Refused) for out in outs)
        if passed and self.our_side is not None:
            self.our_side.passed()
        self._arm()

    def _each(self, outs: Iterable[_Out], do: Callable[[_Out], None]) -> None:
        """Do one after another; what fails by a fault of ours keeps no other from being done."""
        for out in outs:
            try:
                do(out)
            except Exception:
                self.figures.dropped["bridge.fault"] += 1
                log.exception("not done: %s", type(out).__name__)

    def _do_one(self, out: talks.Out) -> None:
        match out:
            case talks.Say():
                self.figures.bursts_out += len(out.talk.legs)
                self._speeches[out.talk].say(out.sound)
            case talks.Started():
                self._note(out.talk)
                self._call_for_help(out.talk)
                is_radios = self.exchange.network_of(out.talk.call.where) is not None
                if out.talk.talkgroup is None and is_radios and self.our_side is not None:
                    self.our_side.private_began(out.talk)
            case talks.Begin():
                self._begin(out.leg, out.talk)
            case talks.End():
                speech = self._speeches.get(out.talk)
                mouth = speech.mouths.pop(out.leg, None) if speech else None
                if mouth is not None:
                    mouth.end()
            case talks.Over():
                self._over(out)
            case talks.Refused():
                self._refused(out)
            case talks.TalkerNamed():
                self._named(out.talk)
            case talks.RadioTwice():
                self._twice(out)
            case talks.TalkerPlaced():
                if self.our_side is not None:
                    self.our_side.placed(out)

    def _begin(self, leg: Where, talk: Talk) -> None:
        if talk not in self._speeches:
            self._speeches[talk] = Speech(self._vocoder, self.figures.dropped)
        mouth: Mouth | None = None
        if leg[0].startswith(NETWORK):
            if self.our_side is not None and talk.talkgroup is not None:
                mouth = self.our_side.mouth(talk.talkgroup, talk)
            elif self.our_side is not None:
                mouth = self.our_side.private_mouth(leg, talk)
        elif (link := self.links.of(leg)) is not None:
            mouth = link.mouth(leg, talk)
        if mouth is not None:
            self._speeches[talk].mouths[leg] = mouth

    def _note(self, talk: Talk) -> None:
        where, identity = talk.call.where, talk.call.identity
        if self.exchange.network_of(where) is not None:
            self.note(talk.radio_network, identity.source, where[0], "call", identity, talk.name)

    def _call_for_help(self, talk: Talk) -> None:
        """A call of a radio that its link control says is an emergency is its red button, too."""
        where, identity = talk.call.where, talk.call.identity
        if talk.call.service.emergency and self.exchange.network_of(where) is not None:
            self._press(talk.radio_network, where, identity)

    def _press(self, network: str, where: Where, identity: Identity) -> None:
        """Also of who is heard by nobody: another has the talkgroup, or it is not carried there."""
        self.exchange.note(network, identity.source, where)
        self._pass([Told(network, where, Emergency(identity.source, identity.target))])

    def note(
        self, network: str, radio: int, site: str, what: str,
        identity: Identity | None = None, name: str = "",
    ) -> None:  # fmt: skip
        """A radio was heard."""
        before = self.heard.pop((network, radio), None)
        group = identity.target if identity and identity.group else None
        self.heard[network, radio] = HeardRadio(
            network, radio, site, what, time.time(), name or (before.name if before else ""), group
        )
        if len(self.heard) > _MOST_HEARD:
            self.heard.popitem(last=False)
        if self.our_side is not None and what == "call":
            self.our_side.heard(network, radio, site)

    def _over(self, out: talks.Over) -> None:
        self.figures.calls += 1
        speech = self._speeches.pop(out.talk, None)
        if speech is not None:
            speech.end()
        self.records.write(record_of(out, time.time(), speech is not None and speech.is_mute))
        if self.our_side is not None:
            self.our_side.over(out.talk)

    def _refused(self, out: talks.Refused) -> None:
        identity = out.identity
        log.info(
            "not passed on: radio %d of %s to %d on %s:%d: %s",
            identity.source, out.radio_network, identity.target, *out.where, out.cause.value,
        )  # fmt: skip

        may_press = Identity(identity.source, 0, group=False)
        unheard = out.cause in (Cause.BUSY, Cause.BARRED)
        if out.emergency and unheard and self.exchange.may(out.where, may_press):
            self._press(out.radio_network, out.where, identity)

    def _twice(self, out: talks.RadioTwice) -> None:
        where, other = out.where[0], out.other[0]
        log.warning("radio %d of %s is at %s and at %s", out.radio, out.radio_network, where, other)
        if self.our_side is not None:
            self.our_side.twice(out)

    def _named(self, talk: Talk) -> None:
        self._note(talk)
        speech = self._speeches.get(talk)
        for mouth in speech.mouths.values() if speech else ():
            if isinstance(mouth, DmrMouth):
                mouth.rename(talk.name)

    def _pass(self, outs: Iterable[data.Out]) -> None:
        self._each(outs, self._pass_one)

    def _pass_one(self, out: data.Out) -> None:
        match out:
            case Forward(where, packet):
                link = self.links.of(where)
                if link is not None:
                    link.send(where, packet)
            case Send(where, packets):
                self.send_data(where, packets)
            case Told(network, where, happening):
                what = type(happening).__name__.lower()
                # Positions come all the time; nobody would find anything else among them.
                level = logging.DEBUG if isinstance(happening, Position) else logging.INFO
                log.log(
                    level, "radio %d of %s at %s: %s", happening.source, network, where[0], what
                )
                self.note(network, happening.source, where[0], what)
                if self.our_side is not None:
                    self.our_side.told(out, where[0])

    # -- time

    def _arm(self) -> None:
        if self._timer is None:
            dues = [due for due in (self.exchange.due, self.data.due) if due is not None]
            if dues:
                at = min(*dues, self._loop.time() + TICK_S)
                self._timer = self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._pass(self.data.pass_time(now))
        self._do(self.exchange.pass_time(now))

    # -- what is shown

    def refusals(self) -> Counter[str]:
        """What was not taken or not passed on since the start, by code."""
        found = Counter(self.figures.dropped)
        for codes in self.links.dropped().values():
            found.update(codes)
        return found

    def states(self) -> list[LinkState]:
        """How all links are."""
        return self.links.states()
