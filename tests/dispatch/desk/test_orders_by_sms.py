"""Orders by SMS at a real SMPP server in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import smsc
from desk_peer import Worker
from hypothesis import given
from hypothesis import strategies as st
from stage import CAR, PATROL, Complaints, Stage, seed, until

from dispatch.board.board import Board
from dispatch.desk import by_sms
from dispatch.desk.by_sms import OrdersBySms
from dispatch.domain import order_by_sms, telephone
from dispatch.sms import session, short_messages

NUMBER = "+5016101234"
PLACE = {"text": "Pound Yard Bridge", "lon": -881_900_000, "lat": 174_950_000}


@contextlib.asynccontextmanager
async def staged(dsn: str, file: str | None) -> AsyncIterator[Stage]:
    await seed(dsn)
    stage = Stage(dsn, smsc=file)
    await stage.start()
    try:
        await stage.core.pool.execute("update person set roles = roles || '{administrator}'")
        await stage.core.refresh_directory()
        yield stage
    finally:
        await stage.stop()


async def ordered(ana: Worker, unit: int = CAR, **said: Any) -> int:
    """A unit is sent to a burglary; its assignment."""
    incident = (await ana.do("incident.open", title="Burglary", place=PLACE, **said))["incident"]
    made = await ana.do("incident.assign", incident=incident, units=[unit])
    assignment: int = made["assignments"][0]
    return assignment


def words(centre: smsc.Smsc) -> list[str]:
    """What telephones got, header apart."""
    return [bytes.fromhex(each["octets"]).decode("latin-1") for each in centre.taken]


async def test_an_order_goes_to_the_telephone_once_and_its_end_is_shown(
    database: str, tmp_path: Path, complaints: Complaints
) -> None:
    """DOM-ASG-13."""
    async with (
        smsc.running(tmp_path / "log") as centre,
        staged(database, smsc.settings_file(tmp_path, centre.port)) as stage,
    ):
        ana = await Worker.enter(stage, "ana")
        await ana.do("unit.telephone", unit=CAR, number="610-1234")
        await ana.sees(f"telephone:{CAR}", number=NUMBER)
        assignment = await ordered(ana)
        mine = f"assignment:{assignment}"
        await ana.do("assignment.by_sms", assignment=assignment)
        row = await ana.sees(mine, sms="delivered")
        assert "sms_problem" not in row and row["sms_at"] >= row["ordered"]
        (text,) = words(centre)
        number = ana.board[f"incident:{row['incident']}"]["number"]
        assert text.split("\n") == [
            f"{number} P3 Burglary",
            "Pound Yard Bridge",
            "17.49500,-88.19000",
            order_by_sms.CONFIRM,
        ]
        assert centre.taken[0]["to"] == NUMBER.lstrip("+")
        details = await stage.core.pool.fetchval(
            "select details->>'sms' from incident_event where kind = 'unit_ordered'"
            " and details ? 'sms'"
        )
        assert details == text

        # Asked for again it goes again; acknowledged it does not.
        await ana.do("assignment.by_sms", assignment=assignment)
        await ana.sees(mine, sms="delivered")
        assert len(centre.taken) == 2
        await ana.do("unit.status", unit=CAR, status="acknowledged", assignment=assignment)
        await ana.refused("assignment.by_sms", "not_now", assignment=assignment)
        await ana.leave()


async def test_a_long_order_has_arrived_when_all_of_it_has(
    database: str, tmp_path: Path, complaints: Complaints
) -> None:
    """DOM-ASG-13, and throttled in the middle."""
    async with (
        smsc.running(tmp_path / "log", "--throttle", "2") as centre,
        staged(database, smsc.settings_file(tmp_path, centre.port)) as stage,
    ):
        ana = await Worker.enter(stage, "ana")
        await ana.do("unit.telephone", unit=CAR, number=NUMBER)
        assignment = await ordered(ana, details="Two men on the roof. " * 100)
        await ana.do("assignment.by_sms", assignment=assignment)
        await ana.sees(f"assignment:{assignment}", sms="delivered")
        parts = centre.taken
        assert len(parts) == order_by_sms.MOST_PARTS and not centre.twice
        heads = [bytes.fromhex(each["octets"])[:6] for each in parts]
        assert [tuple(head[4:]) for head in heads] == [(4, part) for part in (1, 2, 3, 4)]
        assert order_by_sms.CONFIRM in words(centre)[-1]
        await ana.leave()


async def test_what_cannot_be_is_said(
    database: str, tmp_path: Path, complaints: Complaints
) -> None:
    """DOM-ASG-13: no telephone, no number, no centre, another's unit."""
    async with staged(database, None) as stage:
        ana = await Worker.enter(stage, "ana")
        assignment = await ordered(ana)
        await ana.refused("assignment.by_sms", "no_telephone", assignment=assignment)
        await ana.refused("assignment.by_sms", "not_found", assignment=999)
        for bad in ("12", "call me", "+0123456789", "٦١٠١٢٣٤", "6" * 40):
            await ana.refused("unit.telephone", "bad_value", unit=CAR, number=bad)
        await ana.refused("unit.telephone", "not_found", unit=999, number=NUMBER)
        await ana.do("unit.telephone", unit=CAR, number=NUMBER)
        await ana.do("assignment.by_sms", assignment=assignment)
        row = await ana.sees(f"assignment:{assignment}", sms="failed")
        assert row["sms_problem"] == "No SMS centre is set up on this server."
        await ana.do("unit.telephone", unit=CAR)
        await ana.sees_no(f"telephone:{CAR}")
        ben = await Worker.enter(stage, "ben")
        assert f"telephone:{CAR}" not in ben.board
        await ben.refused("assignment.by_sms", "not_found", assignment=assignment)
        await ana.leave()
        await ben.leave()


async def test_a_centre_that_is_away_is_tried_until_the_order_is_known(
    database: str, tmp_path: Path, complaints: Complaints
) -> None:
    """DOM-ASG-13."""
    async with staged(database, smsc.settings_file(tmp_path, 1)) as stage:
        ana = await Worker.enter(stage, "ana")
        await ana.do("unit.telephone", unit=CAR, number=NUMBER)
        assignment = await ordered(ana)
        await ana.do("assignment.by_sms", assignment=assignment)
        mine = f"assignment:{assignment}"
        await until(lambda: "sms_problem" in ana.board[mine], "it was tried")
        row = await ana.sees(mine, sms="waiting")
        assert "does not let us in" in row["sms_problem"]
        await ana.refused("assignment.by_sms", "not_now", assignment=assignment)
        await ana.do("unit.status", unit=CAR, status="acknowledged", assignment=assignment)
        await ana.sees(mine, sms="dropped")
        await ana.leave()


@pytest.mark.parametrize("how", ["--die-after", "--hang-after"])
async def test_what_the_centre_may_have_is_uncertain(
    how: str, database: str, tmp_path: Path, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-ASG-13."""
    monkeypatch.setattr(session, "ANSWER_SECONDS", 1.0)
    async with (
        smsc.running(tmp_path / "log", how, "1") as centre,
        staged(database, smsc.settings_file(tmp_path, centre.port)) as stage,
    ):
        ana = await Worker.enter(stage, "ana")
        for unit in (CAR, PATROL):
            await ana.do("unit.telephone", unit=unit, number=NUMBER)
        first, second = await ordered(ana), await ordered(ana, PATROL)
        await ana.do("assignment.by_sms", assignment=first)
        await ana.do("assignment.by_sms", assignment=second)
        both = [f"assignment:{each}" for each in (first, second)]
        await until(
            lambda: "uncertain" in {ana.board[each]["sms"] for each in both}, "one is uncertain"
        )
        await ana.leave()
        complaints.said.clear()


async def test_a_centre_that_hangs_holds_no_other_order(
    database: str, tmp_path: Path, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-ASG-13: what comes behind goes by another centre, at once."""
    monkeypatch.setattr(session, "ANSWER_SECONDS", 1_000.0)
    async with (
        smsc.running(tmp_path / "a", "--hang-after", "1") as first,
        smsc.running(tmp_path / "b", "--hang-after", "1") as second,
        staged(database, smsc.settings_file(tmp_path, first.port, second.port)) as stage,
    ):
        ana = await Worker.enter(stage, "ana")
        await ana.do("unit.telephone", unit=CAR, number=NUMBER)
        assignment = await ordered(ana)
        mine = f"assignment:{assignment}"
        await ana.do("assignment.by_sms", assignment=assignment)
        await ana.sees(mine, sms="delivered")
        # The first centre answers no more; the second one more.
        await ana.do("unit.telephone", unit=PATROL, number=NUMBER)
        other = await ordered(ana, PATROL)
        await ana.do("assignment.by_sms", assignment=assignment)
        await until(lambda: len(first.taken) + len(second.taken) == 2, "it hangs")
        await ana.do("assignment.by_sms", assignment=other)
        await ana.sees(f"assignment:{other}", sms="delivered")
        assert ana.board[mine]["sms"] == "handing"
        await ana.leave()


async def test_a_server_that_ended_in_it_does_not_send_it_again(
    database: str, complaints: Complaints
) -> None:
    """DOM-ASG-13."""
    async with staged(database, None) as stage:
        ana = await Worker.enter(stage, "ana")
        assignment = await ordered(ana)
        await stage.core.pool.execute(
            "insert into order_sms (assignment_id, telephone, text, author, state)"
            " values ($1, $2, 'x', 'ana', 'handing')",
            assignment,
            NUMBER,
        )
        board = Board(stage.core.pool, stage.core.topics)
        await OrdersBySms(stage.core.pool, board, []).load()
        assert await stage.core.pool.fetchval("select state from order_sms") == "uncertain"
        await ana.leave()


async def test_a_claim_whose_answer_was_lost_does_not_hang_for_ever(
    database: str, tmp_path: Path, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-ASG-13: it is told as uncertain, and can be asked for anew."""
    monkeypatch.setattr(by_sms, "GIVEN_UP_SECONDS", 0.5)
    async with (
        smsc.running(tmp_path / "log") as centre,
        staged(database, smsc.settings_file(tmp_path, centre.port)) as stage,
    ):
        ana = await Worker.enter(stage, "ana")
        await ana.do("unit.telephone", unit=CAR, number=NUMBER)
        assignment = await ordered(ana)
        await stage.core.pool.execute(
            "insert into order_sms (assignment_id, telephone, text, author, state)"
            " values ($1, $2, 'x', 'ana', 'handing')",
            assignment,
            NUMBER,
        )
        await ana.sees(f"assignment:{assignment}", sms="uncertain")
        await ana.do("assignment.by_sms", assignment=assignment)
        await ana.sees(f"assignment:{assignment}", sms="delivered")
        assert len(centre.taken) == 1
        await ana.leave()


async def test_a_centre_that_fails_in_a_way_of_its_own_is_tried_again(
    database: str, tmp_path: Path, complaints: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-ASG-13."""
    ready, faults = session.SmsCentre.ready, [RuntimeError("a fault")]

    async def fails_once(self: session.SmsCentre) -> None:
        if faults:
            raise faults.pop()
        await ready(self)

    async with (
        smsc.running(tmp_path / "log") as centre,
        staged(database, smsc.settings_file(tmp_path, centre.port)) as stage,
    ):
        ana = await Worker.enter(stage, "ana")
        await ana.do("unit.telephone", unit=CAR, number=NUMBER)
        assignment = await ordered(ana)
        monkeypatch.setattr(session.SmsCentre, "ready", fails_once)
        await ana.do("assignment.by_sms", assignment=assignment)
        await ana.sees(f"assignment:{assignment}", sms="delivered")
        assert not faults and len(centre.taken) == 1
        await ana.leave()
    assert [said for said in complaints.said if "failed" in said]
    complaints.said.clear()


@given(
    st.text(max_size=5_000),
    st.tuples(st.integers(-(10**9), 10**9), st.integers(-(9 * 10**8), 9 * 10**8)) | st.none(),
)
def test_every_order_fits(order: str, point: tuple[int, int] | None) -> None:
    """DOM-ASG-13: and says where, and to confirm."""
    text = order_by_sms.text_of(order, point)
    parted = short_messages.measure(text)
    assert len(parted.parts) <= order_by_sms.MOST_PARTS
    assert text.endswith(order_by_sms.CONFIRM)
    plain = short_messages.plainer(order)
    assert text.startswith(plain) or order_by_sms.CUT in text
    for part in parted.parts:
        short_messages.encode(part, parted.coding)


@given(st.text(max_size=30))
def test_a_number_is_a_number_or_nothing(text: str) -> None:
    """DOM-ASG-13."""
    found = telephone.number(text)
    assert found is None or (
        found.isascii() and found[0] == "+" and telephone.number(found) == found
    )


def test_numbers_as_people_write_them() -> None:
    """DOM-ASG-13."""
    for text in ("610-1234", "+501 610 1234", "501 610-1234", "(501) 610.1234"):
        assert telephone.number(text) == NUMBER
