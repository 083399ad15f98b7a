"""What sessions are shown when sharing changes, over real sockets (docs/access.md)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest_asyncio
from stage import (
    BOAT,
    CAR,
    COVERT,
    PATROL,
    TRUCK,
    Peer,
    Stage,
    named,
    report,
    shown,
    until,
    watching,
)

from geo import grid
from psn import wire
from psn.picture import tracking


@pytest_asyncio.fixture
async def ben(stage: Stage) -> AsyncIterator[Peer]:
    """A dispatcher of the coast guard who watches; the police share all their open units."""
    peer = await watching(stage, "ben")
    yield peer
    await peer.leave()


async def agree(stage: Stage, units: str) -> None:
    await stage.core.pool.execute("update agreement set units = $1 where owner_agency = 1", units)


async def except_(stage: Stage, unit: int, units: str, viewer: int | None = None) -> None:
    await stage.core.pool.execute(
        "insert into unit_exception (unit_id, viewer_agency, units, reason, author)"
        " values ($1, $2, $3, 'order 7', 'test')",
        *(unit, viewer, units),
    )


async def test_less_and_more_precise_as_agreed(stage: Stage, ben: Peer) -> None:
    """DOM-WHO-4, DOM-WHO-6."""
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car)
        await until(lambda: CAR in shown(ben), "exact")
        exact = shown(ben)[CAR]
        await agree(stage, "blurred")
        await until(lambda: named(ben)[CAR].shown == "blurred", "blurred")
        await until(lambda: CAR in shown(ben) and shown(ben)[CAR] != exact, "in its square")
        rough = shown(ben)[CAR]
        assert (rough.lon, rough.lat) == grid.middle(exact.lon, exact.lat)
        assert rough.time == exact.time - exact.time % 60_000
        assert (rough.speed, rough.heading, rough.accuracy) == (None, None, grid.REACH_M * 100)
        await report(car)
        await car.answers()
        await ben.answers()
        assert shown(ben)[CAR] == rough
        await agree(stage, "presence")
        await until(lambda: named(ben)[CAR].shown == "presence", "only its presence")
        await until(lambda: CAR not in shown(ben), "and no place")
    await ben.expect(wire.Presence, lambda p: p.who.get(f"unit:{CAR}") is False)
    await agree(stage, "nothing")
    await until(lambda: named(ben).keys() == {BOAT}, "not even its name")
    await agree(stage, "exact")
    await until(lambda: named(ben).keys() == {CAR, PATROL, BOAT} and CAR in shown(ben), "all again")
    assert len(ben.of(wire.Roster)) == 1, "only differences were sent"


async def test_a_blurred_place_is_renewed_by_the_clock_alone(stage: Stage, ben: Peer) -> None:
    """DOM-WHO-6: moving to another square shows nothing until a minute is over."""
    await agree(stage, "blurred")
    await until(lambda: named(ben)[CAR].shown == "blurred", "blurred")
    async with await Peer.enter(stage.url, CAR) as car:
        begin = time.time_ns() // 1_000_000 - 300_000
        await car.send(wire.Position(p=wire.Fix(0, begin, -881_000_000, 172_000_000)))
        await until(lambda: CAR in shown(ben), "its square")
        first = shown(ben)[CAR]
        far = wire.Fix(0, begin + 120_000, -880_900_000, 172_000_000)
        await car.send(wire.Position(p=far))
        await until(lambda: stage.core.picture.newest[CAR].fix.time == far.time, "it moved")
        stage.core.screens.renew_blurred()
        await ben.answers()
        assert shown(ben)[CAR] == first
        assert shown(await watching(stage, "ben"))[CAR] == first, "nor by looking again"
        stage.core.picture.newest[CAR].blurred_at -= tracking.BLUR_MS
        stage.core.screens.renew_blurred()
        await until(lambda: shown(ben)[CAR] != first, "a minute later")
        assert (shown(ben)[CAR].lon, shown(ben)[CAR].lat) == grid.middle(far.lon, far.lat)


async def test_an_undercover_unit_named_to_one_agency_is_there_and_gone_again(
    stage: Stage, ben: Peer
) -> None:
    """DOM-WHO-3, DOM-WHO-4."""
    cyd = await watching(stage, "cyd")
    async with await Peer.enter(stage.url, COVERT) as covert:
        await report(covert)
        await covert.answers()
        await except_(stage, COVERT, "exact", 2)
        await until(lambda: COVERT in named(ben) and COVERT in shown(ben), "named to ben's agency")
        assert named(ben)[COVERT].online
        await stage.core.pool.execute(
            "update unit_exception set ends_at = now() where units='exact'"
        )
        await until(lambda: COVERT not in named(ben) and COVERT not in shown(ben), "no more")
    await cyd.answers()
    assert named(cyd).keys() == shown(cyd).keys() | {TRUCK} == {TRUCK}
    await cyd.leave()


async def test_an_incident_shows_its_units_to_who_takes_part_until_it_is_closed(
    stage: Stage, ben: Peer
) -> None:
    cyd, ana = await watching(stage, "cyd"), await watching(stage, "ana")
    async with await Peer.enter(stage.url, TRUCK) as truck:
        await report(truck)
        await truck.answers()
        await stage.core.pool.execute(
            """
            insert into incident (agency_id, title, opened_by) values (3, 'Road block', 'test');
            insert into incident_member (incident_id, agency_id, unit_id, reason, author)
                values (1, 3, null, 'r', 'a'), (1, 2, null, 'r', 'a'), (1, null, 5, 'r', 'a'),
                       (1, null, 1, 'r', 'a')
            """
        )
        await until(lambda: TRUCK in shown(ben), "customs' truck is seen by the coast guard")
        await until(lambda: CAR in named(cyd), "and the police car by customs")
        assert TRUCK not in named(ana), "not by the police, who take no part"
        await stage.core.pool.execute("update incident set closed_at = now()")
        await until(lambda: TRUCK not in named(ben) and TRUCK not in shown(ben), "until the end")
        await until(lambda: named(cyd).keys() == {TRUCK}, "both ways")
    for peer in (cyd, ana):
        await peer.leave()


async def test_a_broken_glass_is_seen_through_by_its_person_alone_and_ends_by_the_clock(
    stage: Stage,
) -> None:
    cyd = await watching(stage, "cyd")
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car)
        await car.answers()
        await stage.core.pool.execute(
            "insert into broken_glass (person_id, owner_agency, reason, ends_at)"
            " values (3, 1, 'sinking', now() + interval '1.5 s')"
        )
        await until(lambda: named(cyd).keys() == {TRUCK, CAR, PATROL}, "open units alone")
        await until(lambda: CAR in shown(cyd), "with their places")
        await until(lambda: cyd.of(wire.RosterPeople), "and the police's people")
        await until(lambda: named(cyd).keys() == {TRUCK} and not shown(cyd), "and is over")
    await cyd.leave()


async def test_a_new_role_changes_what_is_seen_at_once(stage: Stage, ben: Peer) -> None:
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car)
        await until(lambda: CAR in shown(ben), "a dispatcher sees units")
        await stage.core.pool.execute("update person set roles = '{administrator}' where id = 2")
        await until(lambda: named(ben) == {} and shown(ben) == {}, "an administrator does not")
        await stage.core.pool.execute("update person set roles = '{}' where id = 2")
        await until(lambda: stage.core.directory.people[2].roles == (), "he has none")
        await ben.send(wire.Message(id=uuid4(), to=["agency:2"], text="x"))
        await ben.refusal("not_reachable")


async def test_who_watches_an_area_is_mended_too(stage: Stage) -> None:
    belize = wire.Area(-892_000_000, 158_000_000, -870_000_000, 186_000_000)
    ben = await watching(stage, "ben", area=belize)
    async with await Peer.enter(stage.url, CAR) as car:
        await report(car)
        await until(lambda: CAR in shown(ben), "it is seen")
        await except_(stage, CAR, "nothing")
        await until(lambda: CAR not in named(ben) and CAR not in shown(ben), "it is hidden")
        await agree(stage, "blurred")
        await stage.core.pool.execute("update unit_exception set ends_at = now() where unit_id = 1")
        await until(lambda: CAR in shown(ben), "it is back, blurred")
        assert shown(ben)[CAR].accuracy == grid.REACH_M * 100
    await ben.leave()


async def test_what_changes_for_nobody_is_sent_to_nobody(stage: Stage, ben: Peer) -> None:
    before = len(ben.frames)
    await stage.core.pool.execute("update person set password_hash = 'x' where id = 1")
    await stage.core.pool.execute("update unit set source_key = 'k' where id = 5")
    await until(lambda: stage.core.directory.units[5].source_key == "k", "the directory knows")
    await ben.answers()
    assert ben.frames[before:] == []
