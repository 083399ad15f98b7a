"""Devices sign in, are cut off and wiped (docs/domain.md, DOM-DEV), by real sockets."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office import Office, refused
from stage import (
    ANA,
    CAR,
    GATEWAY,
    KEY,
    PATROL,
    WITHIN,
    Complaints,
    Peer,
    Stage,
    device,
    message,
    person,
    until,
)
from websockets.exceptions import ConnectionClosed

from psn import door, wire
from psn.client import Client, Link
from psn.client import client as library
from psn.client.offline import Offline
from psn.enrolment import device_key, enrolment_code, join
from psn.enrolment.device_key import Enrolled

# -- signing in


async def test_each_welcome_has_a_nonce_of_its_own(stage: Stage) -> None:
    nonces = set()
    for protocol in (wire.SUBPROTOCOL_MSGPACK, wire.SUBPROTOCOL_JSON):
        async with await Peer.join(stage.url, protocol) as peer:
            for _ in range(3):
                assert len(peer.nonce) == device_key.NONCE_BYTES
                nonces.add(peer.nonce)
                await peer.hello()
            me = await peer.sign_in(device(CAR))
            assert me.unit == CAR
    assert len(nonces) == 6


async def test_a_signature_lets_in_once_and_on_one_connection_only(stage: Stage) -> None:
    """DOM-DEV-2."""
    async with await Peer.join(stage.url) as one, await Peer.join(stage.url) as other:
        heard = one.auth(device(CAR))
        await other.send(wire.SignIn(n=1, auth=heard))
        await other.refusal("wrong_credentials")
        await one.sign_in(heard)
        await one.send(wire.SignIn(n=2, auth=heard))
        await one.refusal("already_signed_in")
    async with await Peer.join(stage.url) as later:
        await later.send(wire.SignIn(n=1, auth=heard))
        await later.refusal("wrong_credentials")


async def test_a_nonce_is_good_for_one_try_whatever_became_of_it(stage: Stage) -> None:
    """DOM-DEV-2."""
    async with await Peer.join(stage.url) as peer:
        good = peer.auth(device(CAR))
        await peer.send(wire.SignIn(n=1, auth=wire.DeviceAuth(CAR, bytes(64))))
        await peer.refusal("wrong_credentials")
        await peer.send(wire.SignIn(n=2, auth=good))
        await peer.refusal("hello_first")
        await peer.hello()
        await peer.send(wire.SignIn(n=3, auth=good))
        await peer.refusal("wrong_credentials")
        await peer.hello()
        assert (await peer.sign_in(device(CAR))).unit == CAR


async def test_a_token_needs_no_signature_and_spends_no_nonce(stage: Stage) -> None:
    async with await Peer.enter(stage.url, CAR) as tablet:
        token = tablet.me.token
    async with await Peer.join(stage.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=wire.SessionAuth("guess")))
        await peer.refusal("session_ended")
        assert (await peer.sign_in(device(CAR))).unit == CAR
    async with await Peer.join(stage.url) as peer:
        assert (await peer.sign_in(wire.SessionAuth(token))).unit == CAR


async def test_a_stranger_a_revoked_device_and_a_wrong_signature_are_told_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-DEV-4: the same words, after the same work."""
    await stage.core.pool.execute("update device set revoked_at = now() where id = $1", PATROL)
    await until(lambda: stage.core.directory.devices[PATROL].revoked, "it is revoked")
    checked: list[bytes] = []
    verifies = device_key.verifies

    def counted(public: bytes, signature: bytes, content: bytes) -> bool:
        checked.append(public)
        return verifies(public, signature, content)

    monkeypatch.setattr(device_key, "verifies", counted)
    told = []
    for who in (Enrolled(99, KEY), device(PATROL), Enrolled(CAR, device_key.new())):
        async with await Peer.join(stage.url) as peer:
            await peer.send(wire.SignIn(n=1, auth=peer.auth(who)))
            told.append(await peer.refusal("wrong_credentials"))
    assert told[0] == told[1] == told[2]
    assert len(checked) == 3


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(65), b"x" * 500])
async def test_a_signature_of_another_length_is_a_bad_field(stage: Stage, signature: bytes) -> None:
    async with await Peer.join(stage.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=wire.DeviceAuth(CAR, signature)))
        await peer.refusal("bad_field")
        await peer.sign_in(device(CAR))


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_that_is_wrong_keeps_no_device_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """DOM-DEV-2: nothing that is signed has to do with time."""
    wrong = SimpleNamespace(time_ns=lambda: time.time_ns() + minutes * 60 * 10**9)
    monkeypatch.setattr(library, "time", wrong)
    async with Client(stage.url, device(CAR)) as client:
        me = await asyncio.wait_for(client.up(), WITHIN)
        assert me.unit == CAR
        assert abs(client.now_ms() - time.time_ns() // 10**6) < 60_000


async def test_a_key_from_before_there_were_keys_lets_nobody_in(stage: Stage) -> None:
    await stage.core.pool.execute(
        "update device set public_key = null, revoked_at = now() where id = $1;", CAR
    )
    await stage.core.pool.execute("update device set public_key = 'x' where id = $1", PATROL)
    await until(lambda: stage.core.directory.devices[PATROL].public_key == b"x", "it is known")
    for number in (CAR, PATROL):
        async with await Peer.join(stage.url) as peer:
            await peer.send(wire.SignIn(n=1, auth=peer.auth(device(number))))
            await peer.refusal("wrong_credentials")


async def test_any_signature_is_refused_in_words(stage: Stage) -> None:
    loop = asyncio.get_running_loop()

    async def tried(number: int, signature: bytes) -> str:
        async with await Peer.join(stage.url) as peer:
            await peer.send(wire.SignIn(n=1, auth=wire.DeviceAuth(number, signature)))
            return (await peer.expect(wire.Error)).code

    @settings(max_examples=40)
    @given(st.integers(1, 8), st.binary(min_size=64, max_size=64))
    def check(number: int, signature: bytes) -> None:
        told = asyncio.run_coroutine_threadsafe(tried(number, signature), loop).result(WITHIN)
        assert told == "wrong_credentials"

    await asyncio.to_thread(check)


# -- the end of a device


async def test_a_revoked_device_is_cut_off_at_once_and_its_token_is_worth_nothing(
    office: Office,
) -> None:
    """DOM-DEV-5."""
    async with await Peer.enter(office.stage.url, CAR) as tablet:
        assert "1 session ended" in await office.psn("device", "revoke", str(CAR))
        assert (await tablet.expect(wire.Closing)).code == "session_ended"
        assert await tablet.closed() == wire.CloseCode.SESSION_ENDED
    await until(lambda: office.stage.core.directory.devices[CAR].revoked, "it is known")
    async with await Peer.join(office.stage.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=wire.SessionAuth(tablet.me.token)))
        await peer.refusal("session_ended")
        await peer.send(wire.SignIn(n=2, auth=peer.auth(device(CAR))))
        await peer.refusal("wrong_credentials")


async def test_a_renamed_device_goes_on(office: Office) -> None:
    async with await Peer.enter(office.stage.url, CAR) as tablet:
        await office.psn("device", "rename", str(CAR), "Tablet 1, second hand")
        devices = office.stage.core.directory.devices
        await until(lambda: office.stage.core.directory.devices is not devices, "it is known")
        await tablet.answers()
    assert "Tablet 1, second hand" in await office.psn("device", "list")


async def wiped_at(office: Office) -> Any:
    return await office.stage.core.pool.fetchval("select wiped_at from device where id = $1", CAR)


async def noted(office: Office) -> None:
    async with asyncio.timeout(WITHIN):
        while await wiped_at(office) is None:
            await asyncio.sleep(0.01)


async def test_a_lost_device_that_is_connected_erases_itself(
    office: Office, tmp_path: Path
) -> None:
    """DOM-DEV-6: key, queue and mail."""
    file, store = tmp_path / "tablet.pem", tmp_path / "tablet.db"
    device_key.write(file, KEY, CAR)
    offline = Offline(store)
    async with (
        await Peer.enter(office.stage.url, "ana") as ana,
        Client(office.stage.url, device_key.read(file), offline=offline) as tablet,
    ):
        await asyncio.wait_for(tablet.up(), WITHIN)
        await ana.send(message(f"unit:{CAR}", "the informant's name"))
        await until(lambda: offline.cursors().get(f"unit:{CAR}") == 1, "mail has come")
        offline.keep_message(message(ANA, "what was to be sent"))
        offline.keep_fix(wire.Fix(0, 1, 2, 3))
        await office.psn("device", "wipe", str(CAR))
        await until(lambda: tablet.link is Link.REFUSED, "it has stopped")
        assert tablet.problem is not None and tablet.problem.code == "wipe"
        await noted(office)
    assert not file.exists()
    assert (offline.cursors(), offline.messages(), offline.fixes) == ({}, [], 0)
    assert offline.token is None
    offline.close()
    left = b"".join(found.read_bytes() for found in tmp_path.iterdir())
    assert b"what was to be sent" not in left and b"unit:1" not in left
    assert "wiped" in await office.psn("device", "list")
    assert (
        await office.stage.core.pool.fetchval(
            "select count(*) from session where device_id = $1 and ended_at is null", CAR
        )
        == 0
    )


async def test_a_lost_device_that_is_away_learns_of_it_when_it_shows_up(office: Office) -> None:
    """DOM-DEV-6: only who signs correctly is told; and once it has obeyed, nobody."""
    await office.psn("device", "wipe", str(CAR))
    assert "to be wiped when it shows up" in await office.psn("device", "list")
    await until(lambda: office.stage.core.directory.devices[CAR].wipe, "the order is known")
    async with await Peer.join(office.stage.url) as thief:
        await thief.send(wire.SignIn(n=1, auth=thief.auth(Enrolled(CAR, device_key.new()))))
        await thief.refusal("wrong_credentials")
        await thief.answers()
        assert not thief.of(wire.Closing)
    for _ in range(2):  # one that does not obey is told again
        async with await Peer.join(office.stage.url) as tablet:
            await tablet.send(wire.SignIn(n=1, auth=tablet.auth(device(CAR))))
            assert (await tablet.expect(wire.Closing)).code == "wipe"
            await tablet.socket.close(1000)
    assert await wiped_at(office) is None
    async with await Peer.join(office.stage.url) as tablet:
        await tablet.send(wire.SignIn(n=1, auth=tablet.auth(device(CAR))))
        await tablet.expect(wire.Closing)
        await tablet.socket.close(wire.CloseCode.WIPE)
    await noted(office)
    await until(lambda: not office.stage.core.directory.devices[CAR].wipe, "it is done")
    async with await Peer.join(office.stage.url) as copy:
        await copy.send(wire.SignIn(n=1, auth=copy.auth(device(CAR))))
        await copy.refusal("wrong_credentials")
    assert "erased itself already" in await office.psn("device", "wipe", str(CAR))


async def test_a_device_that_does_not_answer_the_order_is_cut_off(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-DEV-6: and hears nothing more until then."""
    monkeypatch.setattr(door, "WIPE_SECONDS", 1.0)
    async with (
        await Peer.enter(office.stage.url, "ana") as ana,
        await Peer.enter(office.stage.url, CAR) as tablet,
    ):
        await office.psn("device", "wipe", str(CAR))
        assert (await tablet.expect(wire.Closing)).code == "wipe"
        tablet.frames.clear()
        await ana.send(message(f"unit:{CAR}", "not for whoever has it now"))
        await ana.expect(wire.Ack)
        try:
            await tablet.send(wire.Ping(n=5))
            await tablet.send(wire.SignIn(n=6, auth=person("ana")))
        except ConnectionClosed:
            pass
        assert await tablet.closed() == wire.CloseCode.WIPE
        assert tablet.frames == []
    assert await wiped_at(office) is None


async def test_closing_as_if_wiped_without_an_order_changes_nothing(office: Office) -> None:
    async with await Peer.enter(office.stage.url, CAR) as tablet:
        await tablet.socket.close(wire.CloseCode.WIPE)
    async with await Peer.enter(office.stage.url, CAR):
        pass
    assert await wiped_at(office) is None


# -- what must not be written down


async def test_neither_codes_nor_keys_are_in_the_log(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture, complaints: Complaints
) -> None:
    """DOM-DEV-1: at the most talkative."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncpg").setLevel(logging.DEBUG)
    code, file = await office.code(), tmp_path / "tablet.pem"
    enrolled = await asyncio.to_thread(join.join, office.url, code, file)
    assert refused(await office.spend(code, device_key.new())) == "wrong_code"
    async with Client(office.stage.url, enrolled) as client:
        await asyncio.wait_for(client.up(), WITHIN)
        token = client.offline.token
        assert token is not None
    async with await Peer.join(office.stage.url) as peer:
        await peer.send(wire.SignIn(n=1, auth=wire.DeviceAuth(GATEWAY, bytes(64))))
        await peer.refusal("wrong_credentials")
    server_side = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("psn")
    )
    lines = enrolled.key.pem.splitlines()[1:-1]
    for secret in (code, enrolment_code.shown(code), token, *lines):
        assert secret not in server_side
    for line in lines:
        assert line not in caplog.text
