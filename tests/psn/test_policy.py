"""Every frame of every session against the policy written a second time (``policy_model``).

Random steps against the real server over real sockets: who signs in and out, is disabled or gets
another role, what is shared, named, opened, broken, ended or runs out, who moves and who writes.
After each step every session has received what the model says, and not one frame more.

``PSN_POLICY_EXAMPLES`` makes it long (docs/measurements.md).
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from emptied import past_the_doors
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from policy_model import Model, Viewer
from stage import Peer, Stage, message, now_ms, until

from geo import grid
from psn import connection, sessions, wire
from psn.directory import Precision
from psn.picture import tracking
from psn.record.mailboxes import Reader

T = TypeVar("T")

AGENCIES = (1, 2, 3)
PEOPLE = {1: (1, "ana"), 2: (2, "ben"), 3: (3, "cyd"), 4: (1, "dan"), 5: (2, "eve"), 6: (3, "fay")}
UNITS = {1: 1, 2: 1, 3: 2, 4: 1, 5: 3}
"""Unit (and its device, of the same number) and agency, as ``stage.seed`` makes them."""
ADDRESSES = (
    *(f"person:{p}" for p in PEOPLE),
    *(f"unit:{u}" for u in UNITS),
    *(f"agency:{a}" for a in AGENCIES),
    *("group:1", "group:2"),
)
NEVER_MS = 10**15
EXAMPLES = int(os.environ.get("PSN_POLICY_EXAMPLES", "8"))
STEPS = 50
SHOWN = {1: "presence", 2: "blurred", 3: "exact"}


class Client:
    """One session, and what its screen says by the frames that came."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.units: dict[int, tuple[str, bool]] = {}
        self.places: dict[int, wire.Seat] = {}
        self.people: dict[int, tuple[bool, str]] = {}
        self.groups: set[int] = set()

    def read(self) -> tuple[Counter[type], Counter[tuple[str, str]], set[str]]:
        """Take in what came: how many frames of each kind; messages; whom receipts name."""
        told: Counter[type] = Counter()
        mail: Counter[tuple[str, str]] = Counter()
        named: set[str] = set()
        frames, self.peer.frames[:] = list(self.peer.frames), []
        for frame in frames:
            if not isinstance(frame, wire.Mail):
                self._take(frame)
                told[type(frame)] += 1
            elif isinstance(frame.body, wire.MessageBody):
                mail[frame.box, frame.body.text] += 1
            else:
                named.add(frame.body.by)
        return told, mail, named

    def _take(self, frame: wire.ServerFrame) -> None:
        if isinstance(frame, wire.Roster):
            self.units = {u.id: (u.shown, u.online) for u in frame.units}
            self.places = {}
            self._name(frame)
        elif isinstance(frame, wire.RosterPeople):
            self._name(frame)
        elif isinstance(frame, wire.RosterUnits):
            assert not {u.id for u in frame.units} & set(frame.removed)
            assert set(frame.removed) <= self.units.keys(), "what was never named is removed"
            self.units |= {u.id: (u.shown, u.online) for u in frame.units}
            for unit in frame.removed:
                del self.units[unit]
        elif isinstance(frame, wire.Picture):
            for seat in frame.p:
                assert seat.unit in self.units, "a place without a name"
                assert self.units[seat.unit][0] != "presence"
                self.places[seat.unit] = seat
        elif isinstance(frame, wire.Gone):
            for unit in frame.units:
                self.places.pop(unit, None)
        elif isinstance(frame, wire.Presence):
            self._presence(frame.who)
        else:
            raise AssertionError(f"nobody asked for {frame}")

    def _name(self, frame: wire.Roster | wire.RosterPeople) -> None:
        assert {a.id for a in frame.agencies} == set(AGENCIES)
        self.people = {p.id: (p.online, "".join(p.roles)) for p in frame.people}
        self.groups = {g.id for g in frame.groups}

    def _presence(self, who: dict[str, bool]) -> None:
        for address, online in who.items():
            kind, _, number = address.partition(":")
            if kind == "unit" and int(number) in self.units:
                self.units[int(number)] = (self.units[int(number)][0], online)
            elif kind == "person" and int(number) in self.people:
                self.people[int(number)] = (online, self.people[int(number)][1])


class Policy(RuleBasedStateMachine):
    """Steps, each done to the server and to the model, and then compared."""

    stage: Stage
    loop: asyncio.AbstractEventLoop
    refresh_rights: Callable[[], Any]
    renew_blurred: Callable[[], None]
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, str] = {}
        self.entered: str | None = None
        self.numbers = itertools.count(1)
        self.time = now_ms() - 20 * 86_400_000
        self.fixes: dict[int, wire.Fix] = {}
        self.blurred: dict[int, wire.Fix] = {}
        self.model = Model(
            {p: (agency, "dispatcher", False) for p, (agency, _) in PEOPLE.items()},
            {u: (agency, False) for u, agency in UNITS.items()},
            {1: ({1, 2}, set()), 2: ({3}, set())},
        )
        self.run(self._reset())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop that the server runs in."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _reset(self) -> None:
        self.stage.core.picture.newest.clear()
        await self.stage.core.pool.execute(
            past_the_doors(
                "truncate agreement, unit_exception, broken_glass, incident, incident_member"
                " cascade"
            )
            + "delete from group_member where person_id is not null;"
            "update person set disabled_at = null, roles = '{dispatcher}';"
            "update unit set retired_at = null"
        )
        await self.stage.core.refresh_directory()

    def teardown(self) -> None:
        self.run(self._leave_all())

    async def _leave_all(self) -> None:
        for address in list(self.clients):
            await self._leave(address)

    # -- what the model says of a session

    def viewer(self, address: str) -> Viewer:
        kind, _, text = address.partition(":")
        if kind == "unit":
            return Viewer(UNITS[int(text)], "field", unit=int(text))
        agency, role, _ = self.model.people[int(text)]
        return Viewer(agency, role, person=int(text))

    def nameable(self, address: str) -> set[str]:
        """Whom receipts may name to him in this step: who has just signed in, or his mailboxes."""
        if self.entered is None:
            return set()
        viewer = self.viewer(self.entered)
        if self.model.known(viewer, self.viewer(address).agency):
            return {self.entered}
        return self.model.boxes(viewer)

    def absent(self, address: str) -> bool:
        """Whether he may not sign in: disabled, or a unit out of use."""
        kind, _, text = address.partition(":")
        of = self.model.units if kind == "unit" else self.model.people
        return bool(of[int(text)][-1])

    def screen(self, address: str) -> tuple[Any, ...]:
        """Units, places, people and groups as they must stand on his screen."""
        who = self.viewer(address)
        names = self.model.names(who)
        exactly = {u: exact(f) for u, f in self.fixes.items() if names.get(u) == 3}
        roughly = {u: rough(f) for u, f in self.blurred.items() if names.get(u) == 2}
        return (
            {u: (SHOWN[shown], f"unit:{u}" in self.clients) for u, shown in names.items()},
            exactly | roughly,
            {
                p: (f"person:{p}" in self.clients, self.model.people[p][1])
                for p in self.model.persons(who)
            },
            self.model.member_of(who),
        )

    # -- one step

    def step(self, work: Callable[[], Awaitable[None]], *mail: tuple[str, str]) -> None:
        """Do it and compare; ``mail`` is what it brings: mailboxes and texts."""
        Policy.steps += 1
        self.run(self._step(work, mail))

    async def _step(
        self, work: Callable[[], Awaitable[None]], mail: tuple[tuple[str, str], ...]
    ) -> None:
        before = {address: self.screen(address) for address in self.clients}
        self.entered = None
        await work()
        for address, client in self.clients.items():
            await client.peer.answers()
            reads = self.model.boxes(self.viewer(address))
            expected = Counter(one for one in mail if one[0] in reads)
            self._compare(address, client, before.get(address), expected)

    def _compare(
        self,
        address: str,
        client: Client,
        before: tuple[Any, ...] | None,
        mail: Counter[tuple[str, str]],
    ) -> None:
        told, got, named = client.read()
        after = self.screen(address)
        assert (client.units, client.places, client.people, client.groups) == after, address
        assert got == mail, address
        assert named <= self.nameable(address), address
        assert all(count == 1 for count in told.values()), f"{address} is told twice"
        if before == after:
            assert not told, f"{address} is told what does not concern him"

    def change(self, model: Callable[[], object], statement: str, *values: object) -> None:
        """A change of the database, and of the model."""

        async def work() -> None:
            await self.stage.core.pool.execute(statement, *values)
            model()
            await self.stage.core.refresh_directory()
            for address in [each for each in self.clients if self.absent(each)]:
                await self._thrown_out(address)

        self.step(work)

    # -- who is there

    @initialize(absent=st.sets(st.sampled_from(ADDRESSES[:11]), max_size=3))
    def begin(self, absent: set[str]) -> None:
        """Most are there, and every unit has been seen somewhere."""
        for address in ADDRESSES[:11]:
            if address not in absent:
                self.sign_in_or_out(address)
        for unit in UNITS:
            self.move(unit, unit)

    @rule(address=st.sampled_from(ADDRESSES[:11]))
    def sign_in_or_out(self, address: str) -> None:
        if address in self.clients:
            self.step(lambda: self._leave(address))
        elif self.absent(address):
            self.step(lambda: self._refused(address))
        else:
            self.step(lambda: self._enter(address))

    async def _enter(self, address: str) -> None:
        kind, _, text = address.partition(":")
        who = int(text) if kind == "unit" else PEOPLE[int(text)][1]
        peer = await Peer.enter(self.stage.url, who, seen=dict(self.stage.core.record.heads))
        assert peer.me.boxes.keys() == self.model.boxes(self.viewer(address))
        await peer.send(wire.Watch(n=peer.number()))
        await peer.expect(wire.Ok)
        self.clients[address] = Client(peer)
        self.tokens[address] = peer.me.token
        # He says that he has everything, and whoever wrote it hears of it.
        self.entered = address
        # Marks are committed in order: when this one is, which marks nothing, so are all before it.
        await self.stage.core.record.read("unit:1", "", Reader("unit:9", "", frozenset()), [10**9])

    async def _refused(self, address: str) -> None:
        """Who was thrown out tries his old token."""
        async with await Peer.join(self.stage.url) as peer:
            token = self.tokens.get(address, "none")
            await peer.send(wire.SignIn(n=1, auth=wire.SessionAuth(token)))
            await peer.refusal("session_ended")

    async def _leave(self, address: str) -> None:
        await self.clients.pop(address).peer.leave()
        await until(lambda: not self.stage.core.sessions.online(address), "it is gone")

    async def _thrown_out(self, address: str) -> None:
        client = self.clients.pop(address)
        assert await client.peer.closed() == wire.CloseCode.SESSION_ENDED
        await until(lambda: not self.stage.core.sessions.online(address), "it is gone")

    @rule(person=st.sampled_from(list(PEOPLE)))
    def disable_or_enable(self, person: int) -> None:
        agency, role, disabled = self.model.people[person]
        self.change(
            lambda: self.model.people.__setitem__(person, (agency, role, not disabled)),
            "update person set disabled_at = case when $2 then now() end where id = $1",
            *(person, not disabled),
        )

    @rule(
        person=st.sampled_from(list(PEOPLE)),
        role=st.sampled_from(["dispatcher", "administrator", "auditor", ""]),
    )
    def give_role(self, person: int, role: str) -> None:
        agency, _, disabled = self.model.people[person]
        self.change(
            lambda: self.model.people.__setitem__(person, (agency, role, disabled)),
            "update person set roles = $2 where id = $1",
            *(person, [role] if role else []),
        )

    @rule(unit=st.sampled_from(list(UNITS)))
    def retire_or_bring_back(self, unit: int) -> None:
        agency, retired = self.model.units[unit]

        def model() -> None:
            self.model.units[unit] = (agency, not retired)
            self.fixes.pop(unit, None)
            self.blurred.pop(unit, None)

        self.change(
            model,
            "update unit set retired_at = case when $2 then now() end where id = $1",
            *(unit, not retired),
        )

    @rule(person=st.sampled_from(list(PEOPLE)))
    def join_or_leave_a_group(self, person: int) -> None:
        members = self.model.groups[2][1]
        self.change(
            lambda: members.symmetric_difference_update({person}),
            "delete from group_member where group_id = 2 and person_id = $1"
            if person in members
            else "insert into group_member (group_id, person_id) values (2, $1)",
            person,
        )

    # -- what is shared

    @rule(
        pair=st.permutations(AGENCIES),
        units=st.integers(0, 3),
        messages=st.booleans(),
    )
    def agree(self, pair: list[int], units: int, messages: bool) -> None:
        number, (owner, viewer) = next(self.numbers), pair[:2]
        self.change(
            lambda: self.model.agreements.__setitem__(number, (owner, viewer, units, messages)),
            "insert into agreement (id, owner_agency, viewer_agency, units, messages, reason,"
            " author) values ($1, $2, $3, $4, $5, 'r', 'a')",
            *(number, owner, viewer, Precision(units).word, messages),
        )

    @rule(
        unit=st.sampled_from(list(UNITS)),
        viewer=st.none() | st.sampled_from(AGENCIES),
        units=st.integers(0, 3),
    )
    def make_an_exception(self, unit: int, viewer: int | None, units: int) -> None:
        number = next(self.numbers)
        self.change(
            lambda: self.model.exceptions.__setitem__(number, (unit, viewer, units)),
            "insert into unit_exception (id, unit_id, viewer_agency, units, reason, author)"
            " values ($1, $2, $3, $4, 'r', 'a')",
            *(number, unit, viewer, Precision(units).word),
        )

    @rule(person=st.sampled_from(list(PEOPLE)), owner=st.sampled_from(AGENCIES))
    def break_glass(self, person: int, owner: int) -> None:
        number = next(self.numbers)
        self.change(
            lambda: self.model.glasses.__setitem__(number, (person, owner)),
            "insert into broken_glass (id, person_id, owner_agency, reason, ends_at)"
            " values ($1, $2, $3, 'sinking', now() + interval '1 hour')",
            *(number, person, owner),
        )

    @rule(
        agencies=st.sets(st.sampled_from(AGENCIES), min_size=1),
        units=st.sets(st.sampled_from(list(UNITS)), min_size=1, max_size=3),
    )
    def open_an_incident(self, agencies: set[int], units: set[int]) -> None:
        number = next(self.numbers)
        self.change(
            lambda: self.model.incidents.__setitem__(number, (agencies, units)),
            "with one as (insert into incident (id, agency_id, title, opened_by)"
            " values ($1, 1, 't', 'a') returning id)"
            " insert into incident_member (incident_id, agency_id, unit_id, reason, author)"
            " select one.id, agency, null, 'r', 'a' from one, unnest($2::int[]) agency"
            " union all select one.id, null, unit, 'r', 'a' from one, unnest($3::int[]) unit",
            *(number, list(agencies), list(units)),
        )

    @rule(data=st.data())
    def leave_an_incident(self, data: st.DataObject) -> None:
        if not self.model.incidents:
            return
        number = data.draw(st.sampled_from(sorted(self.model.incidents)))
        of = data.draw(st.sampled_from([0, 1]))
        members = self.model.incidents[number][of]
        if not members:
            return
        member = data.draw(st.sampled_from(sorted(members)))
        column = ("agency_id", "unit_id")[of]
        self.change(
            lambda: members.discard(member),
            f"update incident_member set ends_at = now() where incident_id = $1 and {column} = $2",
            *(number, member),
        )

    @rule(data=st.data(), by_the_clock=st.booleans())
    def end_something(self, data: st.DataObject, by_the_clock: bool) -> None:
        kinds = [kind for kind in ENDS if getattr(self.model, kind)]
        if not kinds:
            return
        kind = data.draw(st.sampled_from(kinds))
        rules = getattr(self.model, kind)
        number = data.draw(st.sampled_from(sorted(rules)))
        table, key = ENDS[kind]
        statement = (
            f"update {table} set ends_at = now() + $2 * interval '1 ms'"
            f" where {key} = $1 and (ends_at is null or ends_at > now())"
        )
        if not by_the_clock:
            self.change(lambda: rules.pop(number), statement, *(number, 0))
            return

        async def work() -> None:
            await self.stage.core.pool.execute(statement, number, 100)
            await self.stage.core.refresh_directory()
            await asyncio.sleep(0.12)
            rules.pop(number)
            assert self.refresh_rights() == []

        self.step(work)

    # -- what goes over it

    @rule(unit=st.sampled_from(list(UNITS)), place=st.integers(0, 8))
    def move(self, unit: int, place: int) -> None:
        if f"unit:{unit}" not in self.clients:
            return
        self.time += 3_600_000
        lon, lat = -881_000_000 + place % 3 * 500_000, 172_000_000 + place // 3 * 500_000
        fix = wire.Fix(unit, self.time, lon, lat)

        async def work() -> None:
            peer = self.clients[f"unit:{unit}"].peer
            await peer.send(wire.Position(p=fix))
            await peer.answers()
            self.fixes[unit] = fix
            self.blurred.setdefault(unit, fix)

        self.step(work)

    @rule()
    def a_minute_passes(self) -> None:
        async def work() -> None:
            for newest in self.stage.core.picture.newest.values():
                newest.blurred_at -= 2 * NEVER_MS
            self.renew_blurred()
            self.blurred = dict(self.fixes)

        self.step(work)

    @rule(
        sender=st.sampled_from(ADDRESSES[:11]),
        to=st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2),
    )
    def write(self, sender: str, to: list[str]) -> None:
        if sender not in self.clients:
            return
        text = f"text {next(self.numbers)}"
        sent = message(to, text)
        allowed = all(self.model.writes(self.viewer(sender), address) for address in to)

        async def work() -> None:
            peer = self.clients[sender].peer
            await peer.send(sent)
            if allowed:
                await peer.expect(wire.Ack, lambda ack: ack.id == sent.id)
            else:
                assert (await peer.refusal("not_reachable")).id == sent.id

        boxes = {sender, *to} if allowed else set()
        self.step(work, *((box, text) for box in sorted(boxes)))


ENDS = {
    "agreements": ("agreement", "id"),
    "exceptions": ("unit_exception", "id"),
    "glasses": ("broken_glass", "id"),
    "incidents": ("incident_member", "incident_id"),
}
"""What can end: the model's name, the table, and the column that the number is in."""


def exact(fix: wire.Fix) -> wire.Seat:
    """How a fix is shown."""
    return wire.Seat(fix.unit, fix.time, fix.lon, fix.lat, None, None, None)


def rough(fix: wire.Fix) -> wire.Seat:
    """How it is shown blurred."""
    lon, lat = grid.middle(fix.lon, fix.lat)
    minute = fix.time - fix.time % 60_000
    return wire.Seat(fix.unit, minute, lon, lat, None, None, grid.REACH_M * 100)


@pytest.mark.timeout(7_200)
async def test_every_frame_is_as_the_policy_says(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-WHO-2, DOM-WHO-3, DOM-WHO-4, DOM-WHO-5, DOM-WHO-6, DOM-PIC-5, DOM-SES-1."""
    core = stage.core
    # The clock is the test's: nothing is gone after a while, blurred or ended but by a step.
    monkeypatch.setattr(sessions, "GONE_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(tracking, "BLUR_MS", NEVER_MS)
    Policy.renew_blurred = core.screens.renew_blurred
    Policy.refresh_rights = core.refresh_rights
    monkeypatch.setattr(core.screens, "renew_blurred", lambda: None)
    monkeypatch.setattr(core, "refresh_rights", list)
    monkeypatch.setattr(connection, "FRAMES_PER_SECOND", {})
    monkeypatch.setattr(connection, "FRAMES_PER_SECOND_OTHERWISE", 1e6)
    for number, (agency, name) in PEOPLE.items():
        await core.pool.execute(
            "insert into person (id, agency_id, name, full_name, roles, password_hash)"
            " select $1, $2, $3, $3, '{dispatcher}', password_hash from person where id = 1"
            " on conflict (id) do nothing",
            *(number, agency, name),
        )
    Policy.stage, Policy.loop, Policy.steps = stage, asyncio.get_running_loop(), 0
    await asyncio.to_thread(
        run_state_machine_as_test,
        Policy,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(f"{Policy.steps} steps compared")
