"""What radio gateways tell: who was heard, who is there, how sites and links are.

What is heard is in memory, shown once a second, and written to the database with each report
before that is answered. How a gateway is belongs to its session: when that is over, it is lost
since then. Units whose radios are there are connected, as far as others see, while they are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import asyncpg

from psn import access, database, wire
from psn.access import Principal, Rules
from psn.directory import RadioNetwork
from psn.problems import Problem
from psn.radio import heard, items, rights
from psn.radio.heard import Row
from psn.radio.items import TOPIC, Number, StateItem
from psn.sessions import Session, Sessions
from psn.topics import Item, Topic, Topics
from psn.wire import Radio

SHOWN_EVERY_S: Final = 1.0
DAY_MS: Final = 86_400_000
PRESSED_AGAIN_MS: Final = 300_000
"""A radio sends its emergency many times; agencies are told anew so long after they were told."""
RED_BUTTON: Final = "RED BUTTON / BOTÓN ROJO:"
"""To agencies whose people read either."""
KNOWN_EVERY: Final = 30
"""Of radios that carry units it is shown each so manieth time: their units are on the map."""


class Radios:
    """Radio networks as this server knows them now."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        rules: Rules,
        topics: Topics,
        sessions: Sessions,
        clock: Callable[[], int],
        tell: Callable[[int, str, str], None],
    ) -> None:
        """``clock``: the server's, milliseconds UTC.

        ``tell``: an agency of an emergency: by whom, in words, and what.
        """
        self._tell = tell
        self._pool = pool
        self._rules = rules
        self._topics = topics
        self._sessions = sessions
        self._clock = clock
        self.heard: dict[Number, Row] = {}
        self._rings: dict[Number, int] = {}
        """How often the red button of a radio that carries no unit was pressed."""
        self._told_at: dict[Number, int] = {}
        """When agencies were told of it last."""
        self._unshown: set[Number] = set()
        self._turn = 0
        self._swept = clock()
        self._timer: asyncio.TimerHandle | None = None
        self._keeping = asyncio.Lock()
        self._here: dict[Session, dict[Radio, Principal | None]] = {}
        """By gateway: the radios that are there, and the units that are connected by them."""
        self._states: dict[int, tuple[Session | None, int, wire.RadioState | None]] = {}
        """By device: its session, since when it is so, and what it said last."""
        self._shown: dict[str, Item] = {}
        """What is shown of plan and states."""
        self.reports = 0
        """Times that radios were heard."""
        topics.add(Topic(TOPIC, items.open_to))

    async def load(self) -> None:
        """Read what was heard before this start; raises what asyncpg raises."""
        async with database.asking(self._pool) as connection:
            rows = await heard.load(connection)
        self.heard = {row.key: row for row in rows}
        self._topics.change(TOPIC, [self._heard_item(key) for key in self.heard])
        self._show_plan()

    # -- what a gateway tells

    async def report(self, session: Session, frame: wire.RadioHeard) -> None:
        """Radios were heard: kept when this returns. Raises :class:`Problem`, and as asyncpg."""
        check_serves(session, (each.network for each in frame.heard))
        known = self._rules.directory.radios_by_number
        touched: dict[Number, Row] = {}
        for each in frame.heard:
            key = each.network, each.number
            before = touched.get(key) or self.heard.get(key)
            row = touched[key] = heard.after(before, _not_ahead(each, self._clock()), key in known)
            if each.what == "emergency" and key not in known:
                self._pressed(row, before is None or row.emergency != before.emergency)
        self.reports += len(frame.heard)
        self.heard |= touched
        forgotten = self._too_many(touched)
        self._show_soon(touched, any(each.what == "emergency" for each in frame.heard))
        async with self._keeping, database.asking(self._pool) as connection:
            # As they are by now: another report may have come meanwhile.
            rows = [self.heard.get(key, row) for key, row in touched.items()]
            await heard.keep(connection, rows)
            await heard.forget(connection, forgotten)
            if self._clock() - self._swept > DAY_MS:
                await self._sweep(connection)

    async def _sweep(self, connection: database.Connection) -> None:
        """Once a day: forget who was heard too long ago."""
        self._swept = self._clock()
        await heard.sweep(connection)
        since = self._swept - heard.KEPT_DAYS * DAY_MS
        self._drop([key for key, row in self.heard.items() if row.last < since])

    def _drop(self, keys: Iterable[Number]) -> None:
        gone = []
        for network, number in keys:
            self.heard.pop((network, number), None)
            self._rings.pop((network, number), None)
            self._told_at.pop((network, number), None)
            self._unshown.discard((network, number))
            gone.append(f"radio_heard:{network << 24 | number}")
        self._topics.change(TOPIC, [], gone)

    def _pressed(self, row: Row, is_later: bool) -> None:
        """The red button of a radio that carries no unit; ``is_later`` than it was before."""
        now, told = self._clock(), self._told_at.get(row.key)
        # Whichever clock was put back: rather told once too often.
        is_due = told is None or abs(now - told) > PRESSED_AGAIN_MS
        if is_later or is_due:
            self._rings[row.key] = self._rings.get(row.key, 0) + 1
        if is_due:
            self._told_at[row.key] = now
            self._call_for_help(row)

    def _call_for_help(self, row: Row) -> None:
        """A radio that carries no unit has its red button pressed: nobody else would hear of it."""
        network = self._rules.directory.radio_networks.get(row.network)
        if network is None:
            return
        name = f"{network.name} {row.number}"
        where = [row.site] if row.site else []
        if row.lon is not None and row.lat is not None:
            where.append(f"{row.lat / 1e7:.5f}, {row.lon / 1e7:.5f}")
        for agency in network.agencies:
            self._tell(agency, name, " · ".join((f"{RED_BUTTON} {name}", *where)))

    def _too_many(self, touched: Iterable[Number]) -> list[Number]:
        """Forget the unknown radios that were heard longest ago; which they were."""
        known = self._rules.directory.radios_by_number
        gone: list[Number] = []
        for network in {network for network, _ in touched}:
            rows = self.heard.values()
            unknown = [r for r in rows if r.network == network and r.key not in known]
            if len(unknown) > heard.MOST_UNKNOWN:
                unknown.sort(key=lambda row: row.last)
                gone += [row.key for row in unknown[: -heard.MOST_UNKNOWN]]
        self._drop(gone)
        return gone

    def presence(self, session: Session, frame: wire.RadioPresence) -> None:
        """Radios are there, or no more; raises :class:`Problem`."""
        check_serves(session, (each.network for each in (*frame.here, *frame.gone)))
        here = self._here.setdefault(session, {})
        for radio in frame.here:
            if radio not in here:
                here[radio] = self._come(session, radio)
        for radio in frame.gone:
            self._go(here.pop(radio, None))

    def state(self, session: Session, frame: wire.RadioState) -> None:
        """How a gateway is, by its own word; raises :class:`Problem`."""
        networks = {each.network for each in frame.sites} | {each.network for each in frame.calls}
        check_serves(session, networks.union(frame.voiceless))
        device = session.principal.device or 0
        there = self._states.get(device)
        since = self._clock() if there is None or there[0] is None else there[1]
        self._states[device] = session, since, frame
        self._show_plan()

    def came(self, session: Session) -> None:
        """A session has begun; a gateway's may be let serve a network while it is there."""
        if session.principal.gateway:
            before = self._states.get(session.principal.device or 0)
            said = None if before is None else before[2]
            self._states[session.principal.device or 0] = session, self._clock(), said
            self._show_plan()

    def gone(self, session: Session) -> None:
        """A session is over."""
        for unit in self._here.pop(session, {}).values():
            self._go(unit)
        device = session.principal.device or 0
        there = self._states.get(device)
        if there is not None and there[0] is session:
            self._states[device] = None, self._clock(), _without_calls(there[2])
            self._show_plan()

    # -- what is asked of it

    def heard_of(self, network: int) -> list[Item]:
        """Who was heard in a network."""
        return [self._heard_item(key) for key in self.heard if key[0] == network]

    def states_of(self, network: RadioNetwork, who: Principal) -> list[StateItem]:
        """How the gateways of a network are, as ``who``, who may see it, is shown them."""
        directory = self._rules.directory

        def shows(number: Number) -> bool:
            radio = directory.radios_by_number.get(number)
            unit = None if radio is None else directory.units[radio.unit]
            return unit is None or rights.may_see_whose(who, unit, self._rules)

        found: list[StateItem] = []
        for device in sorted(network.gateways & directory.devices.keys()):
            others = [n for n in directory.radio_networks.values() if device in n.gateways]
            whole = all(rights.may_see(who, each) for each in others)
            body = self._state_item(network, device, shows, whole).body
            assert isinstance(body, StateItem)
            found.append(body)
        return found

    async def forget(self, network: int, number: int) -> None:
        """Keep nothing of when and where a radio was heard; raises what asyncpg raises."""
        async with self._keeping, database.asking(self._pool) as connection:
            await heard.forget(connection, [(network, number)])
        self._drop([(network, number)])

    # -- when the rules change

    def mend(self, rules: Rules) -> None:
        """Radios, talkgroups or networks may be somebody else's now."""
        old, self._rules = self._rules, rules
        for session, here in self._here.items():
            for radio, unit in here.items():
                carried = self._carried(session, radio)
                if (None if carried is None else carried.address) != (
                    None if unit is None else unit.address
                ):
                    self._go(unit)
                    here[radio] = self._come(session, radio)
        before, now = old.directory.radios_by_number, rules.directory.radios_by_number
        changed = (before.keys() ^ now.keys()) & self.heard.keys()
        for key in changed & now.keys():
            self._rings.pop(key, None)
            self._told_at.pop(key, None)
            self.heard[key] = _as_known(self.heard[key])
        self._topics.change(TOPIC, [self._heard_item(key) for key in changed])
        self._show_plan()

    def _carried(self, session: Session, radio: Radio) -> Principal | None:
        """The unit that is connected by a radio's being there."""
        directory = self._rules.directory
        found = directory.radios_by_number.get((radio.network, radio.number))
        if found is None or radio.network not in session.principal.networks:
            return None
        return access.of_unit(directory.units[found.unit])

    def _come(self, session: Session, radio: Radio) -> Principal | None:
        unit = self._carried(session, radio)
        if unit is not None:
            self._sessions.came(unit)
        return unit

    def _go(self, unit: Principal | None) -> None:
        if unit is not None:
            self._sessions.went(unit)

    # -- what is shown

    def _show_plan(self) -> None:
        """Put what changed of plan and states into the topic."""
        directory = self._rules.directory
        now = {item.address: item for item in items.plan(self._rules)}
        served = Counter(g for each in directory.radio_networks.values() for g in each.gateways)

        def is_nobodys(number: Number) -> bool:
            return number not in directory.radios_by_number

        for network in directory.radio_networks.values():
            for device in network.gateways & directory.devices.keys():
                # One for all who follow: without what only some of them may see.
                item = self._state_item(network, device, is_nobodys, served[device] == 1)
                now[item.address] = item
        shown = self._shown
        fresh = [i for a, i in now.items() if a not in shown or shown[a].body != i.body]
        self._topics.change(TOPIC, fresh, [address for address in shown if address not in now])
        self._shown = now

    def _state_item(
        self, network: RadioNetwork, device: int, shows: Callable[[Number], bool], whole: bool
    ) -> Item:
        session, since, said = self._states.get(device, (None, 0, None))
        label, online = self._rules.directory.devices[device].label, session is not None
        return items.state(network.id, device, label, online, since, said, shows=shows, whole=whole)

    def _heard_item(self, key: Number) -> Item:
        return items.heard(self.heard[key], self._rings.get(key, 0))

    def _show_soon(self, touched: Iterable[Number], at_once: bool) -> None:
        self._unshown |= set(touched)
        if self._timer is not None and at_once:
            self._timer.cancel()
            self._timer = None
        if at_once:
            self._show_heard()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SHOWN_EVERY_S, self._show_heard)

    def _show_heard(self) -> None:
        self._timer = None
        self._turn += 1
        known = self._rules.directory.radios_by_number.keys()
        all_of_them = self._turn % KNOWN_EVERY == 0
        show = {key for key in self._unshown if all_of_them or key not in known}
        self._unshown -= show
        self._topics.change(TOPIC, [self._heard_item(key) for key in show & self.heard.keys()])
        if self._unshown:
            self._show_soon((), at_once=False)


def check_serves(session: Session, networks: Iterable[int] = ()) -> None:
    """Raise :class:`Problem` unless a session serves radio networks, and these among them."""
    strange = set(networks) - session.principal.networks
    if strange or not session.principal.networks:
        raise Problem(
            "not_your_network",
            "This session does not serve that radio network.",
            "Let the administrator of the agency that runs it say that this gateway does.",
        )


def _not_ahead(each: wire.Heard, now: int) -> wire.Heard:
    """A gateway's clock may be wrong; nothing was heard later than now."""
    return each if each.time <= now else _at(each, now)


def _at(each: wire.Heard, now: int) -> wire.Heard:
    return wire.Heard(
        each.network, each.number, now, each.what, each.site, each.lon, each.lat, each.twice
    )


def _as_known(row: Row) -> Row:
    """Whose it is, is known now: what is kept of it besides is the unit's affair."""
    return Row(
        row.network,
        row.number,
        row.first,
        row.last,
        row.times,
        row.what,
        row.site,
        twice=row.twice,
        twice_site=row.twice_site,
    )


def _without_calls(said: wire.RadioState | None) -> wire.RadioState | None:
    """What is still true of a gateway that is gone."""
    if said is None:
        return None
    return wire.RadioState(n=said.n, sites=said.sites, refused=said.refused, missed=said.missed)
