"""Recordings played into a real server, and a simulated patrol that answers."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from stage import BOAT, CAR, GATEWAY, KEY, Peer, Stage, device, message, until

from geo import recordings
from psn import wire
from psn.__main__ import main
from simulators import patrol, replay
from simulators.replay import Replay, announced, ending_now, gateway_of, wire_fix

CSV = b"""time,lat,lon,unit,speed
2026-01-05T10:00:00Z,17.50,-88.20,LAUNCH 1,5
2026-01-05T10:00:10Z,17.5003,-88.20,LAUNCH 1,5
2026-01-05T10:00:05Z,17.60,-88.10,LAUNCH 2,
2026-01-05T10:00:15Z,17.6003,-88.10,LAUNCH 2,
2026-01-05T10:00:20Z,95,-88.10,LAUNCH 2,
"""


async def played(stage: Stage, recording: recordings.Recording, speed: float) -> Replay:
    play = Replay(stage.url, device(GATEWAY), recording)
    await play.play(speed)
    return play


async def stored(stage: Stage) -> dict[str, int]:
    await stage.core.tracks.written(0)
    rows = await stage.core.pool.fetch(
        "select u.callsign, count(*) from track t join unit u on u.id = t.unit_id group by 1"
    )
    return {row["callsign"]: row["count"] for row in rows}


async def test_a_table_at_its_own_pace_sped_up(stage: Stage) -> None:
    recording = recordings.read(CSV, "launches.csv")
    assert [problem.line for problem in recording.problems] == [6]
    async with await Peer.enter(stage.url, "ben") as ben:
        await ben.send(wire.Watch(n=1))
        play = await played(stage, recording, speed=50)
        assert play.sent == 4
        assert not play.refused
        await until(
            lambda: len({s.unit for f in ben.of(wire.Picture) for s in f.p}) == 2,
            "both are on the other agency's map",
        )
    assert await stored(stage) == {"LAUNCH 1": 2, "LAUNCH 2": 2}


async def test_all_at_once_ends_now(stage: Stage) -> None:
    play = await played(stage, recordings.read(CSV, "launches.csv"), math.inf)
    assert (play.sent, play.too_old, play.refused) == (4, 0, {})
    newest = {unit: n.fix for unit, n in stage.core.picture.newest.items()}
    assert len(newest) == 2
    ahead = max(fix.time for fix in newest.values()) - 1_000
    assert ahead <= max(n.received for n in stage.core.picture.newest.values())


@pytest.mark.parametrize(
    ("file", "fixes", "units"),
    [
        ("ais/nmea_data_sample.txt", 764, 164),
        ("gpx/around-visnjan-with-car.gpx", 104, 1),
        ("gpx/cerknicko-jezero.gpx", 296, 1),
        ("gpx/Mojstrovka.gpx", 184, 1),
    ],
)
async def test_every_real_recording_goes_in(
    stage: Stage, recordings: Path, file: str, fixes: int, units: int
) -> None:
    from geo.recordings import read, shift_to

    path = recordings / file
    recording = shift_to(read(path.read_bytes(), path.name), 17.25, -88.77)
    play = await played(stage, recording, math.inf)
    assert play.sent + play.too_old == fixes
    counts = await stored(stage)
    assert sum(counts.values()) == play.sent
    assert len(counts) == units
    assert not play.refused


def test_units_are_named_apart() -> None:
    twice = recordings.read(CSV.replace(b"LAUNCH 2", b"LAUNCH 1"), "one.csv")
    assert len(announced(twice)) == 1
    both = recordings.read(CSV, "two.csv")
    names = [unit.callsign for unit in announced(both, kind="boat")]
    assert names == ["LAUNCH 1", "LAUNCH 2"]
    assert {unit.kind for unit in announced(both, kind="boat")} == {"boat"}


def test_what_is_older_than_the_network_takes_is_counted() -> None:
    recording = recordings.read(CSV, "launches.csv")
    ordered = list(recording.ordered())
    kept, old = ending_now(ordered, 1_800_000_000.0)
    assert (len(kept), old) == (4, 0)
    assert kept[-1][2] == 1_800_000_000.0
    assert ending_now([], 0.0) == ([], 0)


def test_a_recorded_fix_fits_the_wire() -> None:
    wild = recordings.Fix(0.0, -88.2, 17.5, 5_000.0, 359.999, 90_000.0)
    fix = wire_fix(7, wild, 1_795_478_000.5)
    assert fix == wire.Fix(7, 1_795_478_000_500, -882_000_000, 175_000_000, 100_000, 0, None, None)
    assert wire.MSGPACK.decode_client(wire.MSGPACK.encode(wire.Position(p=fix)))


def test_a_file_without_a_key_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "gateway.pem"
    for content in ("", "[]", "Device: 9\n", KEY.pem):
        file.write_text(content)
        with pytest.raises(replay.Problem) as refused:
            gateway_of(file)
        assert refused.value.code == "bad_key"
    file.write_text("Device: 9\n" + KEY.pem)
    assert (gateway_of(file).device, gateway_of(file).key.public) == (9, KEY.public)


def test_without_a_gateway_it_says_how_to_enrol_one() -> None:
    with pytest.raises(replay.Problem) as refused:
        gateway_of(None)
    assert "psn device enrol" in refused.value.todo


async def test_a_patrol_reports_and_reads_its_orders(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "units.json"
    file.write_text(
        json.dumps(
            [
                {"unit": unit, "device": unit, "key": KEY.pem, "callsign": f"U{unit}", "kind": k}
                for unit, k in ((CAR, "car"), (BOAT, "boat"))
            ]
        )
    )
    async with await Peer.enter(stage.url, "ana") as ana:
        driving = asyncio.create_task(
            patrol.patrol(stage.url, patrol.read_credentials(file), seconds=14.0)
        )
        order = message(f"unit:{CAR}", "Return to station.")
        await ana.send(order)
        await ana.expect(
            wire.Mail,
            lambda m: isinstance(m.body, wire.ReceiptBody) and m.body.state == "read",
        )
        await driving
    await stage.core.tracks.written(0)
    assert len(stage.core.picture.newest) == 2
    assert stage.core.refused_positions == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--shift-to=-88.19,17.50",), ("far_away", "look swapped")),
        (("--shift-to", "51.5,-0.1"), ("far_away", "from Belize")),
        (("--shift-to", "51.5,-0.1", "--anywhere"), ("gateway_missing",)),
        (("--shift-to", "17.50,-88.19"), ("gateway_missing",)),
        (("--kind", ""), ("bad_kind", "'' is no kind")),
    ],
)
def test_what_is_hardly_meant_is_asked_about(
    options: tuple[str, ...], told: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "launches.csv"
    file.write_bytes(CSV)
    done = CliRunner().invoke(main, ["replay", str(file), *options], prog_name="psn")
    assert done.exit_code == 1
    assert [part for part in told if part not in done.output] == []
