"""What each session's screen shows: made when it watches, mended when the rules change.

A session that watches gets the roster and a snapshot once. When people, units or sharing change,
it gets the difference: what it has is not sent again, so that an incident that opens between two
agencies costs a few frames and not everyone's whole picture. Which difference a session needs
follows from the two sights and the units that changed; sessions with the same two share it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from psn import access, wire
from psn.access import Principal, Rules, Sight
from psn.directory import Directory, Person, Precision, Unit
from psn.picture.fanout import Hub
from psn.picture.tracking import LivePicture, Newest, seat_of
from psn.problems import Problem
from psn.sessions import Session


class WatchRefused(Problem):
    """Why a session may not watch."""


@dataclass(slots=True)
class Difference:
    """What a session must be told to get from one sight to another."""

    units: list[wire.RosterUnit] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    """Units that keep their names and lose their places."""
    placed: list[tuple[int, Precision]] = field(default_factory=list)
    """Units whose newest place is new to it, and how precisely it is shown."""

    def __bool__(self) -> bool:
        return bool(self.units or self.removed or self.gone or self.placed)


class Screens:
    """The screens of all sessions that watch."""

    def __init__(
        self,
        hub: Hub,
        picture: LivePicture,
        rules: Rules,
        online: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        """``online`` tells whether an address is connected, ``now_ms`` the time (ms UTC)."""
        self._hub = hub
        self._picture = picture
        self._online = online
        self._now_ms = now_ms
        self.rules = rules

    # -- watching

    def watch(self, session: Session, frame: wire.Watch) -> None:
        """Show the picture to a session from now on: roster, snapshot, then changes."""
        if not session.principal.reads:
            raise WatchRefused(
                "not_allowed",
                "A gateway does not watch the picture.",
                "Sign in as a person or as a unit's device.",
            )
        session.watch = frame
        session.send(wire.Ok(n=frame.n))
        self.show(session)

    def unwatch(self, session: Session) -> None:
        """No more picture for a session."""
        session.watch = None
        self._hub.unwatch(session.watcher)

    def _sight(self, session: Session) -> Sight:
        assert session.watch is not None
        wanted = session.watch.agencies
        return access.sight(
            session.principal,
            self.rules,
            session.watch.area,
            None if wanted is None else frozenset(wanted),
        )

    def show(self, session: Session) -> None:
        """Send the picture that a session has asked for, from its beginning."""
        sight = self._sight(session)
        self._hub.watch(session.watcher, sight, session.codec)
        people = self._people(session, sight)
        session.send(
            wire.Roster(
                agencies=people.agencies,
                groups=people.groups,
                people=people.people,
                units=list(self._units(sight)),
            )
        )
        self._hub.snapshot(session.watcher, self._seats(sight))

    def _units(self, sight: Sight) -> Iterable[wire.RosterUnit]:
        directory = self.rules.directory
        for unit in directory.units.values():
            shown = sight.audience.precision(directory.channels[unit.id])
            if shown > Precision.NOTHING and not unit.retired:
                yield self._unit(unit, shown)

    def _unit(self, unit: Unit, shown: Precision) -> wire.RosterUnit:
        return wire.RosterUnit(
            unit.id,
            unit.agency,
            unit.callsign,
            unit.kind,
            self._online(unit.address),
            _SHOWN[shown],
        )

    def _people(self, session: Session, sight: Sight) -> wire.RosterPeople:
        directory = self.rules.directory
        session.named = self._named(session, sight)
        return wire.RosterPeople(
            agencies=[
                wire.RosterAgency(a.id, a.code, a.name, a.colour)
                for a in directory.agencies.values()
            ],
            groups=[
                wire.RosterGroup(g.id, g.name, g.agency)
                for g in access.groups(session.principal, self.rules)
            ],
            people=[
                wire.RosterPerson(
                    p.id, p.agency, p.full_name, list(p.roles), self._online(p.address)
                )
                for p in directory.people.values()
                if p.agency in sight.people and not p.disabled
            ],
        )

    def _seats(self, sight: Sight) -> Iterable[tuple[wire.Seat, bytes]]:
        channels = self.rules.directory.channels
        for unit, newest in self._picture.newest.items():
            channel = channels.get(unit)
            if channel is None:
                continue
            if channel in sight.audience.exact:
                yield seat_of(newest.fix), newest.seat
            elif channel in sight.audience.blurred:
                yield newest.blurred, wire.MSGPACK.encode(newest.blurred)

    # -- when the rules change

    def mend(self, rules: Rules, sessions: Iterable[Session]) -> None:
        """Show sessions what they may see by new rules. Their principals are those of now."""
        old, self.rules = self.rules, rules
        touched = _touched(old.directory, rules.directory)
        people = _people_differ(old.directory, rules.directory)
        differences: dict[tuple[Sight, Sight], Difference] = {}
        for session in sessions:
            view = session.watcher.view
            if view is None:
                continue
            before, after = view.sight, self._sight(session)
            if before == after and not touched and not people:
                continue
            difference = differences.get((before, after))
            if difference is None:
                difference = self._difference(old, before, after, touched)
                differences[before, after] = difference
            new_people = (people or before.people != after.people) and (
                session.named != self._named(session, after)
            )
            if before == after and not difference and not new_people:
                continue
            # What was published before the change goes out before it.
            self._hub.settle(view)
            if after.area is None:
                self._tell(session, after, difference, new_people)
            else:
                # Who is inside the area is the view's to know: it is made anew.
                self.show(session)

    def _difference(
        self, old: Rules, before: Sight, after: Sight, touched: Iterable[int]
    ) -> Difference:
        new = self.rules
        told = Difference()
        for number in {*touched, *_moved(old.directory, before, after)}:
            unit = new.directory.units.get(number)
            was = _shown(old.directory, number, before)
            shown = _shown(new.directory, number, after)
            if shown is Precision.NOTHING:
                if was > Precision.NOTHING:
                    told.removed.append(number)
                continue
            assert unit is not None
            if was is not shown or _face(unit) != _face(old.directory.units[number]):
                told.units.append(self._unit(unit, shown))
            if was is not shown:
                if was >= Precision.BLURRED:
                    told.gone.append(number)
                if shown >= Precision.BLURRED and number in self._picture.newest:
                    told.placed.append((number, shown))
        return told

    def _named(self, session: Session, sight: Sight) -> int:
        """A hash of what a roster says besides units, without who is connected; to compare."""
        directory = self.rules.directory
        return hash(
            (
                tuple(directory.agencies.values()),
                tuple((g.id, g.name) for g in access.groups(session.principal, self.rules)),
                tuple(
                    (p.id, p.agency, p.full_name, p.roles)
                    for p in directory.people.values()
                    if p.agency in sight.people and not p.disabled
                ),
            )
        )

    def _tell(
        self, session: Session, after: Sight, difference: Difference, new_people: bool
    ) -> None:
        view, watcher = session.watcher.view, session.watcher
        assert view is not None
        if view.sight != after:
            self._hub.move(watcher, after)
        if new_people:
            session.send(self._people(session, after))
        if difference.units or difference.removed:
            session.send(wire.RosterUnits(units=difference.units, removed=difference.removed))
        seats = [
            (unit, _body(self._picture.newest[unit], shown, session.codec))
            for unit, shown in difference.placed
        ]
        # What is removed is gone, too: a lagging session must not get it from what it has missed.
        self._hub.amend(watcher, difference.gone + difference.removed, seats)

    # -- by the clock, and who comes and goes

    def renew_blurred(self) -> None:
        """Renew blurred places that are old enough. Call it about every second."""
        now = self._now_ms()
        channels = self.rules.directory.channels
        for unit, newest in self._picture.newest.items():
            if newest.renew_blurred(now) and unit in channels:
                self._hub.publish_blurred(channels[unit], newest.blurred)

    def presence(self, who: Principal, online: bool) -> None:
        """A unit or person came or went."""
        if who.person is not None:
            self._hub.person_presence(who.agency, who.address, online)
        elif who.unit is not None:
            channel = self.rules.directory.channels.get(who.unit)
            if channel is not None:
                self._hub.unit_presence(channel, who.address, online)


_SHOWN: dict[Precision, wire.Shown] = {
    Precision.EXACT: "exact",
    Precision.BLURRED: "blurred",
    Precision.PRESENCE: "presence",
}


def _body(newest: Newest, shown: Precision, codec: wire.Codec) -> bytes:
    if shown is Precision.EXACT and codec.binary:
        return newest.seat
    return codec.encode(seat_of(newest.fix) if shown is Precision.EXACT else newest.blurred)


def _shown(directory: Directory, number: int, sight: Sight) -> Precision:
    unit = directory.units.get(number)
    if unit is None or unit.retired:
        return Precision.NOTHING
    return sight.audience.precision(directory.channels[number])


def _touched(old: Directory, new: Directory) -> frozenset[int]:
    """Units whose row or channel has changed, that are new or are no more."""
    apart = frozenset((old.apart ^ new.apart) & new.units.keys())
    if old.units is new.units:
        return apart
    changed = {number for number, unit in new.units.items() if old.units.get(number) != unit}
    return apart | changed | (old.units.keys() - new.units.keys())


def _face(unit: Unit) -> tuple[int, str, str]:
    """What a roster says of a unit."""
    return unit.agency, unit.callsign, unit.kind


def _moved(directory: Directory, before: Sight, after: Sight) -> set[int]:
    """Units that stay in their channel, which is shown in another way than before."""
    a, b = before.audience, after.audience
    if a is b or a == b:
        return set()
    moved = (a.exact ^ b.exact) | (a.blurred ^ b.blurred) | (a.presence ^ b.presence)
    return {number for number, channel in directory.channels.items() if channel in moved}


def _people_differ(old: Directory, new: Directory) -> bool:
    """Whether the part of rosters that names no units has changed."""
    return (
        old.agencies != new.agencies
        or old.groups != new.groups
        or (old.people != new.people and _named(old.people.values()) != _named(new.people.values()))
    )


def _named(people: Iterable[Person]) -> list[tuple[int, int, str, tuple[str, ...], bool]]:
    return [(p.id, p.agency, p.full_name, p.roles, p.disabled) for p in people]
