"""The bridge at this network: it signs in as a gateway, and acts for the radios that it hears.

What belongs to a radio that carries a unit goes as that unit's; of others it is told only that they
were heard. Texts, positions and red buttons are kept while there is no link, by the client library;
speech is not: how many calls nobody here heard is said when the link is back. Radios notice nothing
of it: what links join goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from typing import Any, Final

from psn import wire
from psn.client import Client, ClientRefused, Link, Offline
from psn.client.radio import Plan
from psn.enrolment import device_key
from radio_bridge.bridge import settings
from radio_bridge.bridge.asking import Asking
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.data import Told
from radio_bridge.bridge.exchange import PATCH
from radio_bridge.bridge.group_ears import GroupEar, GroupEars, ToTalkgroup
from radio_bridge.bridge.group_mouths import GroupMouths
from radio_bridge.bridge.letters import Letters
from radio_bridge.bridge.private_calls import PrivateCalls
from radio_bridge.bridge.reaching import Reaching
from radio_bridge.bridge.reporting import Reporter
from radio_bridge.bridge.settings import Talkgroup
from radio_bridge.bridge.sightings import MOST_RADIOS, Sightings
from radio_bridge.bridge.speech import Mouth
from radio_bridge.bridge.tables import MOST_RADIO
from radio_bridge.bridge.talks import RadioTwice, Talk, TalkerPlaced
from radio_bridge.calls.conversations import Where
from radio_bridge.inside import (
    Emergency,
    Position,
    Presence,
    Status,
    Text,
    TextArrived,
)

log = logging.getLogger(__name__)

TELLS_EVERY_S: Final = 1.0
HEARD_EVERY_S: Final = 3.0
REACH_EVERY_S: Final = 0.1
AGAIN_S: Final = 10.0
SAME_TEXT_S: Final = 180.0
"""A text of the same number and words from the same radio was sent again by its radio."""
SAME_WORDS_S: Final = 20.0
"""The same, where texts have no numbers: a person may write the same words again soon."""
_ACCURACY_MOST_CM: Final = 10_000_000


class OurNetwork:
    """One signing in; :meth:`run` until cancelled, or refused for good."""

    def __init__(
        self,
        bridge: Bridge,
        of: settings.OurNetwork,
        problem: str = "",
        before: OurNetwork | None = None,
    ) -> None:
        """``problem``: why the one before was refused, which was said. ``before``: whose place it
        takes; what that had to tell still, this one tells.

        Raises :class:`psn.problems.Problem` when the key cannot be read.
        """
        self._bridge = bridge
        self._of = of
        self._networks = bridge.settings.radio_networks
        goes_on = before is not None and before.is_at(of)
        store = before.client.offline if before and goes_on else Offline(of.store)
        self.client: Client = Client(
            of.url,
            device_key.read(of.key),
            offline=store,
            name="psn radio",
            mail=lambda mail: self._letters.take(mail),
            links=self._link,
        )
        self._letters: Letters = Letters(bridge, self.client, self._networks, of.radio)
        self._reporter = Reporter(bridge, self.number_of)
        self._mouths = GroupMouths(self.client.radio, self.spawn, self.count)
        self.problem = problem
        """Why this network does not let the bridge in."""
        self._groups: dict[Talkgroup, str] = {}
        """The voice group of each talkgroup that is joined with one."""
        self._ears = GroupEars(self.client, self._mouths, of.radio)
        self._hearing: dict[Talkgroup, GroupEar] = {}
        """What is said in the voice group of a talkgroup."""
        self._passed = asyncio.Event()
        self.calls: PrivateCalls = PrivateCalls(
            bridge, self.client, self._ears, self._mouths, self._networks, self
        )
        self._reaching = Reaching(bridge, self.client, self._groups, self.calls)
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = asyncio.Event()
        self._plan_changed = asyncio.Event()
        self._early: dict[tuple[str, int], tuple[Told, str]] = {}
        """Red buttons that were pressed before it was known which networks are served."""
        self._written: dict[tuple[str, Text], float] = {}
        """Texts of radios, by network, until when they are known again."""
        self._asking = Asking(bridge, self._networks, of.radio, self._letters.name_of)
        kept = before if goes_on else None
        if kept is not None:
            self._early = kept._early
        self._sightings: Sightings = Sightings(
            self.client, self.count, self._asking, kept._sightings if kept else None
        )
        self._lost_at: int | None = None
        self._missed = 0
        self._missed_told: wire.RadioMissed | None = None
        self._state: object = None

    def is_at(self, of: settings.OurNetwork) -> bool:
        """Whether it keeps what is for that network, of that gateway, and where that wants it."""
        ours = self._of
        return (ours.url, ours.key, ours.store) == (of.url, of.key, of.store)

    async def run(self) -> None:
        """Stay signed in, until that is refused in a way that no waiting mends."""
        self._bridge.our_side = self
        try:
            async with self.client:
                await self._serve()
        finally:
            self._bridge.our_side = None
            self.calls.lost()
            self._letters.close()
            self._bridge.join((), list(self._groups))
            for task in list(self._tasks):
                task.cancel()

    async def _serve(self) -> None:
        while True:
            try:
                await self.client.up()
                await self.client.radio.serve(self._planned)
                break
            except ClientRefused as problem:
                self._say_problem(problem.text)
                if self.client.problem is not None:
                    return
                await asyncio.sleep(AGAIN_S)
            except ConnectionError:
                await asyncio.sleep(TELLS_EVERY_S)
        self._say_problem("")
        async with asyncio.TaskGroup() as tasks:
            kept = [
                tasks.create_task(self._keep_groups()),
                tasks.create_task(self.calls.keep()),
                tasks.create_task(self._keep_reach()),
                tasks.create_task(self._keep_telling(self._tell_state, TELLS_EVERY_S)),
                tasks.create_task(self._keep_telling(self._tell_radios, HEARD_EVERY_S)),
            ]
            await self._refused.wait()
            for one in kept:
                one.cancel()
        if self.client.problem is not None:
            self._say_problem(self.client.problem.text)

    def _say_problem(self, text: str) -> None:
        if text != self.problem:
            self.problem = text
            self._bridge.changed("network", text or "taken")

    async def _keep_telling(self, tell: Any, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            if self.client.link is Link.UP:
                await self._tried(tell())

    async def _tried(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except ClientRefused as problem:
            self.count("bridge.network_refused")
            log.warning("the network refused something: %s %s", problem.text, problem.todo)
        except (ConnectionError, TimeoutError):
            pass  # it is told again when the link is back

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something that takes time, and stands for itself."""
        task = asyncio.create_task(self._tried(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def name_of(self, network: int) -> str | None:
        """What links call a radio network of this number here."""
        return self._letters.name_of(network)

    def number_of(self, name: str) -> int | None:
        """... and the other way round; none: it is not served."""
        of = self._networks.get(name)
        return self.client.radio.plan.network(of.called) if of else None

    def is_there(self, radio: wire.Radio) -> bool:
        """Whether a radio was heard lately."""
        return self._sightings.is_there(radio)

    def count(self, code: str) -> None:
        """One more of what did not work."""
        self._bridge.figures.dropped[code] += 1

    def _link(self, link: Link) -> None:
        if link is Link.REFUSED:
            self._refused.set()  # why is said there
            return
        self._bridge.changed("network", link.value)
        if link is Link.LOST:
            if self._lost_at is None:  # and not only away again before it was up
                self._lost_at, self._missed = self.client.now_ms(), 0
            for ear in self._hearing.values():
                ear.quiet()
            self.calls.lost()
        elif link is Link.UP:
            self._sightings.tell_all_again()
            self._reaching.tell_all_again()
            self._state = None
            if self._lost_at is not None:
                missed = wire.RadioMissed(self._lost_at, self.client.now_ms(), self._missed)
                self._missed_told, self._lost_at = missed, None
            self._bridge.network_is_back()

    # -- which groups

    def look_again(self) -> None:
        """Links may carry other talkgroups now."""
        self._plan_changed.set()

    def _planned(self, plan: Plan) -> None:
        """What is served has come, or has changed; texts that came before it can go on."""
        self.look_again()
        self._letters.planned()
        self.calls.planned()
        if plan.networks:
            early, self._early = self._early, {}
            for told, site in early.values():
                self.told(told, site)

    async def _keep_groups(self) -> None:
        """Join the voice groups that talkgroups here are joined with, whenever that changes.

        One that cannot be joined now is tried again as long as it is wanted.
        """
        is_refused = False
        while True:
            with contextlib.suppress(TimeoutError):
                again = AGAIN_S if is_refused else None
                await asyncio.wait_for(self._plan_changed.wait(), again)
            self._plan_changed.clear()
            wanted = self._wanted(self.client.radio.plan)
            parted = [one for one, group in self._groups.items() if wanted.get(one) != group]
            left = {self._groups.pop(talkgroup) for talkgroup in parted}
            for talkgroup in parted:
                self._hearing.pop(talkgroup).quiet()
            self._bridge.join((), parted)
            for group in left - set(self._groups.values()):
                await self._tried(self.client.voice.leave(group))
            for talkgroup, group in wanted.items():
                if talkgroup not in self._groups:
                    await self._join(talkgroup, group)
            is_refused = not wanted.keys() <= self._groups.keys()

    def _wanted(self, plan: Plan) -> dict[Talkgroup, str]:
        """Of talkgroups that are joined with one group the first: that group is one talkgroup."""
        found: dict[Talkgroup, str] = {}
        names = {plan.network(of.called): name for name, of in self._networks.items()}
        for (network, number), talkgroup in sorted(plan.talkgroups.items()):
            name = names.get(network)
            here = None if name is None else (name, number)
            if here and self._bridge.exchange.is_carried(here):
                if talkgroup.group in found.values():
                    log.warning("%s is joined with several talkgroups here", talkgroup.group)
                else:
                    found[here] = talkgroup.group
        return found

    async def _join(self, talkgroup: Talkgroup, group: str) -> None:
        way, network = ToTalkgroup(self._bridge, talkgroup, self.passed), talkgroup[0]
        ear = GroupEar(
            self._ears, group, way, lambda who: self._ears.number_of(who, self.number_of(network))
        )
        while True:
            try:
                await self.client.voice.join(group, ear.speech, ear.floor)
                break
            except ClientRefused as problem:
                self.count("bridge.network_refused")
                log.warning("group %s cannot be joined: %s", group, problem.text)
                return
            except (ConnectionError, TimeoutError):
                await asyncio.sleep(TELLS_EVERY_S)
        self._groups[talkgroup], self._hearing[talkgroup] = group, ear
        self._bridge.join([talkgroup], ())

    # -- speech

    def mouth(self, talkgroup: Talkgroup, talk: Talk) -> Mouth | None:
        """Brings a talk of a radio to the voice group; none: there is no link."""
        group = self._groups.get(talkgroup)
        radio = self._radio(self._origin(talk), talk.call.identity.source)
        if group is None or radio is None or self.client.link is not Link.UP:
            return None
        return self._mouths.mouth(group, radio, talk.call.service.emergency)

    def private_mouth(self, leg: Where, talk: Talk) -> Mouth | None:
        """Brings a radio's talk to the private call in which it is; none: there is no link."""
        return self.calls.mouth(leg, talk) if self.client.link is Link.UP else None

    def private_began(self, talk: Talk) -> None:
        """A radio talks to another number alone."""
        self.calls.began(talk)

    def _origin(self, talk: Talk) -> str:
        """The radio network of the talker, who may have come through a patch."""
        where = talk.call.where[0]
        if where.startswith(PATCH):
            return where.removeprefix(PATCH).partition(":")[0]
        return talk.radio_network

    def passed(self) -> None:
        """A talk goes out somewhere, or no longer: maybe of who talks in a voice group."""
        self._passed.set()

    async def _keep_reach(self) -> None:
        """Tell voice groups whether radios hear them: soon when a talk begins or ends somewhere."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._passed.wait(), TELLS_EVERY_S)
            self._passed.clear()
            if self.client.link is Link.UP:
                await self._tried(self._reaching.tell())
            await asyncio.sleep(REACH_EVERY_S)

    def twice(self, out: RadioTwice) -> None:
        """Two radios have one number."""
        radio = self._radio(out.radio_network, out.radio)
        if radio is not None:
            self._sightings.twice(radio, out.where[0], out.other[0])

    def over(self, talk: Talk) -> None:
        """A talk has ended."""
        if self.client.link is not Link.UP and talk.talkgroup in self._groups:
            self._missed += 1

    # -- what radios say

    def _radio(self, network: str, number: int) -> wire.Radio | None:
        found = self.number_of(network)
        if found is None or not 0 < number <= MOST_RADIO:
            return None
        return wire.Radio(found, number)

    def heard(self, radio_network: str, radio: int, site: str) -> None:
        """A radio talks."""
        found = self._radio(radio_network, radio)
        if found is not None:
            self._sightings.called(found, site)
            self._is_there(found)

    def placed(self, out: TalkerPlaced) -> None:
        """A talker's radio says where it is."""
        place, source = out.place, out.talk.call.identity.source
        told = Position(source, place.longitude, place.latitude, place.error_m)
        where = out.talk.call.where
        self.told(Told(self._origin(out.talk), where, told), where[0])

    def told(self, told: Told, site: str) -> None:
        """Something has happened on a radio network."""
        happening = told.happening
        radio = self._radio(told.radio_network, happening.source)
        if radio is None:
            is_early = not self.client.radio.plan.networks and len(self._early) < MOST_RADIOS
            if isinstance(happening, Emergency) and is_early:
                self._early[told.radio_network, happening.source] = told, site
            return
        carried = self.client.radio.plan.radios.get(radio)
        unit = carried.unit if carried else None
        if isinstance(happening, Presence) and not happening.here:
            self._sightings.signed_off(radio)
            return
        if isinstance(happening, Presence):
            self._asking.switched(radio)
        mail: wire.Mail | None = None
        if isinstance(happening, TextArrived):
            mail = self._letters.arrived(radio, happening.number)
        if self._sightings.happened(radio, happening, site):
            self._is_there(radio)
        self._asking.happened(radio, happening)
        self.calls.happened(told.radio_network, radio, happening)
        match happening:
            case Position() if unit is not None:
                self.spawn(self.client.report(_fix(unit, happening, self.client.now_ms())))
            case Emergency() if unit is not None:
                self.spawn(self._press(radio, unit))
            case Emergency():
                self.spawn(self._tell_radios())
            case Status() if unit is not None:
                self._status(told.radio_network, unit, happening.number)
            case Text() if unit is not None:
                self._text(told.radio_network, unit, happening)
            case TextArrived() if mail is not None:
                self.spawn(self.client.radio.delivered(mail))

    async def _press(self, radio: wire.Radio, unit: int) -> None:
        at = self.client.now_ms()
        await self.client.do_surely("emergency.press", unit=unit, how="button", at=at)
        self._asking.alarm_taken(radio)

    def _status(self, network: str, unit: int, number: int) -> None:
        status = self._networks[network].statuses.get(number)
        if status is None:
            self.count("bridge.status_unknown")
        else:
            self.spawn(self.client.do("unit.status", unit=unit, status=status))

    def _text(self, network: str, unit: int, said: Text) -> None:
        """To the voice group of its talkgroup, or the unit of its radio."""
        to: str | None = None
        if said.group:
            to = self._groups.get((network, said.target))
        else:
            target = self._radio(network, said.target)
            carried = self.client.radio.plan.radios.get(target) if target else None
            to = f"unit:{carried.unit}" if carried else None
        if to is None or not said.text:
            self.count("bridge.text_nobody")
            return
        if self._is_again(network, said):
            return
        try:
            self._letters.ours(self.client.send([to], said.text, unit=unit))
        except ClientRefused:
            self.count("bridge.network_refused")

    def _is_again(self, network: str, said: Text) -> bool:
        """Whether a radio has sent this text before: it had no answer in time, or was not sure."""
        now = time.monotonic()
        self._written = {one: until for one, until in self._written.items() if until > now}
        is_again = (network, said) in self._written
        known = SAME_WORDS_S if said.number is None else SAME_TEXT_S
        self._written[network, said] = now + known
        return is_again

    def _is_there(self, radio: wire.Radio) -> None:
        """What waited for that."""
        self._asking.heard(radio, carries=radio in self.client.radio.plan.radios)
        self._letters.heard(radio)

    async def _tell_radios(self) -> None:
        """Who was heard, and who is there; what is not answered is told again."""
        await self._sightings.tell()

    # -- how it is

    async def _tell_state(self) -> None:
        state = self._reporter.state(asyncio.get_running_loop().time())
        if (state, self._missed_told) == self._state:
            return
        await self.client.radio.state(*state, missed=self._missed_told)
        self._state = state, self._missed_told


def _fix(unit: int, place: Position, now: int) -> wire.Fix:
    """A position as it travels; by the server's clock, since nobody looks after those of radios."""
    age = min(place.age_s or 0, 3_600)
    speed, course, error = place.speed_mps, place.course_deg, place.error_m
    altitude = place.altitude_m
    if altitude is not None and not -10_000 <= altitude <= 50_000:
        altitude = None
    return wire.Fix(
        unit,
        now - age * 1_000,
        round(place.longitude * 1e7),
        round(place.latitude * 1e7),
        None if speed is None else min(round(speed * 100), 100_000),
        None if course is None else round(course * 100) % 36_000,
        None if error is None else min(round(error * 100), _ACCURACY_MOST_CM),
        None if altitude is None else round(altitude * 100),
    )
