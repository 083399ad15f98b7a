"""Periods and legal holds (docs/domain.md, DOM-RET): what they say, and what they keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import BCG, BOAT, BPD, CAR, COVERT, CUSTOMS, PATROL, seed

from psn.keeping import retention
from psn.keeping.retention import EARLIEST, LATEST, Held, HeldUnit, Kind, Periods, cutoff
from psn.settings import Settings

NOW = datetime(2026, 11, 1, 15, 30, tzinfo=UTC)
DEFAULTS = {Kind.TRACK: 30, Kind.MESSAGE: None, Kind.RECORDING: None, Kind.AUDIT: 365}

days = st.none() | st.integers(1, 36_500)


def test_a_whole_day_is_past_before_anything_goes() -> None:
    """DOM-RET-1."""
    assert cutoff(1, NOW) == datetime(2026, 10, 31, tzinfo=UTC)
    assert cutoff(30, NOW) == datetime(2026, 10, 2, tzinfo=UTC)
    assert cutoff(None, NOW) == EARLIEST
    belize = NOW.astimezone(UTC) - timedelta(hours=9)
    assert cutoff(1, belize) == datetime(2026, 10, 31, tzinfo=UTC)


def test_an_agency_that_said_nothing_keeps_what_the_settings_say() -> None:
    own = {(BPD, Kind.TRACK): 90, (BCG, Kind.MESSAGE): 7, (BCG, Kind.TRACK): None}
    periods = Periods(DEFAULTS, own)
    assert periods.days(BPD, Kind.TRACK) == 90
    assert periods.days(BPD, Kind.MESSAGE) is None
    assert periods.days(BCG, Kind.MESSAGE) == 7
    assert periods.days(None, Kind.TRACK) == 30
    assert periods.longest(Kind.TRACK) is None
    assert periods.longest(Kind.AUDIT) == 365


@given(days, st.dictionaries(st.tuples(st.integers(1, 5), st.just(Kind.TRACK)), days))
def test_nobodys_period_is_longer_than_the_longest(
    otherwise: int | None, own: dict[tuple[int, Kind], int | None]
) -> None:
    periods = Periods({Kind.TRACK: otherwise}, own)
    longest = cutoff(periods.longest(Kind.TRACK), NOW)
    assert all(longest <= periods.cutoff(n, Kind.TRACK, NOW) for n in range(6))


@given(days, st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)))
def test_no_period_is_too_long_for_the_calendar(period: int | None, now: datetime) -> None:
    assert cutoff(period, now) <= now


def test_settings_are_the_periods_of_all() -> None:
    settings = Settings(keep_track_days=3, keep_message_days=4, keep_recording_days=90)
    assert retention.defaults(settings) == {
        Kind.TRACK: 3,
        Kind.MESSAGE: 4,
        Kind.ATTACHMENT: None,
        Kind.RECORDING: 90,
        Kind.CALL: 730,
        Kind.INCIDENT: 2_557,
        Kind.LOOKOUT: 365,
        Kind.AUDIT: None,
    }


@pytest.fixture
async def connection(database: str) -> asyncpg.Connection:
    await seed(database)
    made: asyncpg.Connection = await asyncpg.connect(database)
    yield made
    await made.close()


async def hold(
    connection: asyncpg.Connection, subject: str, starts: datetime, ends: datetime | None = None
) -> None:
    await connection.execute(
        "insert into legal_hold (subject, reason, author, starts_at, ends_at)"
        " values ($1, 'inquest', 'test', $2, $3)",
        subject,
        starts,
        ends,
    )


LONG_AGO = NOW - timedelta(days=1)


async def test_without_holds_nothing_is_held(connection: asyncpg.Connection) -> None:
    await hold(connection, f"unit:{CAR}", LONG_AGO, LONG_AGO + timedelta(hours=1))
    await hold(connection, f"unit:{CAR}", NOW + timedelta(hours=1))
    held = await retention.held(connection, NOW)
    assert held == Held(mailboxes={})
    assert held.mailbox("person:1") == LATEST


async def test_a_unit_under_hold(connection: asyncpg.Connection) -> None:
    """DOM-RET-3: its track, its mailbox, and what the audit says of it and of its device."""
    await hold(connection, f"unit:{CAR}", LONG_AGO)
    held = await retention.held(connection, NOW)
    assert held.units == (HeldUnit(CAR, EARLIEST, LATEST),)
    assert held.mailboxes == {f"unit:{CAR}": EARLIEST}
    assert held.addresses == {f"unit:{CAR}", f"device:{CAR}"}
    assert held.entry("nobody", f"device:{CAR}", [None])
    assert not held.entry("nobody", f"device:{BOAT}", [BPD])


async def test_an_agency_under_hold(connection: asyncpg.Connection) -> None:
    """DOM-RET-3: all of its units, mailboxes and groups."""
    await hold(connection, f"agency:{BPD}", LONG_AGO)
    held = await retention.held(connection, NOW)
    assert {each.unit for each in held.units} == {CAR, PATROL, COVERT}
    assert set(held.mailboxes or ()) == {
        "agency:1",
        "person:1",
        "unit:1",
        "unit:2",
        "unit:4",
        "group:1",
    }
    assert held.entry("person:9", None, [CUSTOMS, BPD])
    assert not held.entry("person:9", None, [CUSTOMS])


async def test_an_incident_under_hold(connection: asyncpg.Connection) -> None:
    """DOM-RET-3: what its units did while it was worked on."""
    opened, closed = NOW - timedelta(days=40), NOW - timedelta(days=39)
    await connection.execute(
        "insert into incident (agency_id, title, opened_by, opened_at, closed_at)"
        " values (2, 'adrift', 'test', $1, $2)",
        opened,
        closed,
    )
    await connection.execute(
        "insert into incident_member (incident_id, agency_id, unit_id, reason, author)"
        " values (1, 2, null, 'x', 'x'), (1, null, 1, 'x', 'x')"
    )
    await hold(connection, "incident:1", LONG_AGO)
    held = await retention.held(connection, NOW)
    assert held.units == (HeldUnit(CAR, opened, closed),)
    assert held.mailboxes == {"agency:2": opened, "unit:1": opened}
    assert held.addresses == {"incident:1", "incident_member:1", "incident_member:2"}


async def test_a_call_under_hold_holds_what_became_of_it(connection: asyncpg.Connection) -> None:
    """DOM-RET-10: its incident as if that were the subject, and what is linked with that."""
    opened, closed = NOW - timedelta(days=40), NOW - timedelta(days=39)
    await connection.execute(
        "insert into incident (agency_id, title, opened_by, opened_at, closed_at)"
        " select 2, 'adrift', 'test', $1, $2 from generate_series(1, 4)",
        opened,
        closed,
    )
    await connection.execute(
        "insert into incident_member (incident_id, unit_id, reason, author) values (2, 1, 'x', 'x')"
    )
    await connection.execute(
        "insert into incident_link (incident_id, other_id, reason, author)"
        " values (1, 2, 'x', 'x'), (2, 3, 'x', 'x'), (3, 4, 'x', 'x')"
    )
    await connection.execute(
        "insert into call (agency_id, number, line, state, ended_at, incident_id)"
        " values (1, 'x', '911', 'incident', now(), 2)"
    )
    await hold(connection, "call:1", LONG_AGO)
    held = await retention.held(connection, NOW)
    assert held.units == (HeldUnit(CAR, opened, closed),)
    assert held.addresses == {
        *("call:1", "incident:1", "incident:2", "incident:3", "incident_member:1"),
    }


@pytest.mark.parametrize(
    "subject", ["unit:x", "unit:0", "ship:1", "call:0", "unit:1; drop", "", "unit:1\n"]
)
async def test_no_other_subject_gets_into_the_table(
    connection: asyncpg.Connection, subject: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await hold(connection, subject, LONG_AGO)
