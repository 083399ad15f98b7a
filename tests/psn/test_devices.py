"""Devices from their code to their end (docs/domain.md, DOM-DEV), by real sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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

from psn import client as library
from psn import device_key, door, enrolment_code, join, pace, wire
from psn.__main__ import main
from psn.client import Client, Link
from psn.device_key import Enrolled
from psn.offline import Offline


class Office:
    """Where codes are made, and spent over HTTP."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.http = http
        self.url = stage.url.replace("ws://", "http://").removesuffix("/ws")

    async def psn(self, *arguments: str) -> str:
        """Run ``psn …`` on the server's database."""
        done = await asyncio.to_thread(
            CliRunner(env={"PSN_DATABASE": self.stage.dsn}).invoke, main, arguments
        )
        assert done.exit_code == 0, done.output
        return done.output

    async def code(self, *, hours: float = 24, unit: int | None = CAR) -> str:
        """A code for one more device of a unit, or for a gateway."""
        code = enrolment_code.new(secrets.choice)
        await self.stage.core.pool.execute(
            "insert into enrolment (code_hash, agency_id, unit_id, label, gateway, author,"
            " created_at, expires_at) values ($1, 1, $2, 'new', $2::int is null, 'test',"
            " now() - interval '1 day', now() + $3 * interval '1 hour')",
            enrolment_code.kept(code),
            unit,
            hours,
        )
        return code

    async def post(self, body: Any) -> tuple[int, Any]:
        kind = {"Content-Type": "application/json"}
        data = json.dumps(body)
        async with self.http.post(self.url + "/api/enrol", data=data, headers=kind) as answer:
            assert answer.headers["Content-Type"].startswith("application/json")
            return answer.status, await answer.json()

    async def spend(
        self, code: str, key: device_key.DeviceKey, proof: bytes | None = None
    ) -> tuple[int, Any]:
        content = device_key.enrolment_content(code, key.public)
        return await self.post(body(code, key.public, proof or key.sign(content)))

    async def devices(self) -> int:
        return int(await self.stage.core.pool.fetchval("select count(*) from device"))


def body(code: str, public: bytes, proof: bytes) -> dict[str, str]:
    written = {name: base64.b64encode(x).decode() for name, x in
               (("public_key", public), ("proof", proof))}  # fmt: skip
    return {"code": code} | written


@pytest_asyncio.fixture
async def office(stage: Stage) -> AsyncIterator[Office]:
    async with aiohttp.ClientSession() as http:
        yield Office(stage, http)


def refused(answer: tuple[int, Any]) -> str:
    status, told = answer
    assert 400 <= status < 500
    error = told["error"]
    assert error["text"] and error["todo"]
    return str(error["code"])


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


# -- enrolling


async def test_a_code_makes_one_device_that_signs_in_at_once(office: Office) -> None:
    """DOM-DEV-3."""
    key = device_key.new()
    status, got = await office.spend(await office.code(), key)
    assert status == 200
    assert (got["unit"], got["agency"], got["label"]) == (CAR, 1, "new")
    async with await Peer.join(office.stage.url) as peer:
        assert (await peer.sign_in(Enrolled(got["device"], key))).me == f"unit:{CAR}"
    _, got = await office.spend(await office.code(unit=None), key)
    async with await Peer.join(office.stage.url) as peer:
        me = await peer.sign_in(Enrolled(got["device"], key))
        assert (me.me, me.unit, got["unit"]) == (f"device:{got['device']}", None, None)


async def test_only_the_hash_of_a_code_and_the_public_key_are_kept(office: Office) -> None:
    """DOM-DEV-1."""
    code, key = await office.code(), device_key.new()
    assert (await office.spend(code, key))[0] == 200
    pool = office.stage.core.pool
    rows = [
        dict(r) for t in ("device", "enrolment") for r in await pool.fetch(f"select * from {t}")
    ]
    everything = repr(rows)
    assert code not in everything and enrolment_code.shown(code) not in everything
    assert repr(key.public) in everything
    scalar = base64.b64decode("".join(key.pem.splitlines()[1:-1]))[36:68]
    assert repr(scalar)[2:-1] not in everything


async def test_a_code_that_was_used_or_has_run_out_is_as_good_as_none(office: Office) -> None:
    """DOM-DEV-3."""
    used, late = await office.code(), await office.code(hours=-1)
    assert (await office.spend(used, device_key.new()))[0] == 200
    before = await office.devices()
    told = [
        await office.spend(code, device_key.new()) for code in (used, late, "0" * 12, "nonsense")
    ]
    assert [refused(answer) for answer in told] == ["wrong_code"] * 4
    assert told[0] == told[1] == told[2] == told[3]
    assert await office.devices() == before


async def test_an_answer_that_was_lost_is_given_again_to_the_same_key(office: Office) -> None:
    """DOM-DEV-3: one device all the same, and nobody else's."""
    code, key = await office.code(), device_key.new()
    first = await office.spend(code, key)
    assert first == await office.spend(code, key)
    assert refused(await office.spend(code, device_key.new())) == "wrong_code"
    await office.psn("device", "revoke", str(first[1]["device"]))
    assert refused(await office.spend(code, key)) == "wrong_code"


async def test_of_two_devices_with_one_code_exactly_one_is_enrolled(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-DEV-3."""
    monkeypatch.setattr(pace.Guesses, "EACH_A_MINUTE", 100)
    for _ in range(5):
        before = await office.devices()
        code = await office.code()
        both = await asyncio.gather(*(office.spend(code, device_key.new()) for _ in range(2)))
        assert sorted(status for status, _ in both) == [200, 400]
        assert await office.devices() == before + 1


async def test_a_key_that_is_none_or_not_proven_is_refused_and_the_code_stays_good(
    office: Office,
) -> None:
    code, key, other = await office.code(), device_key.new(), device_key.new()
    content = device_key.enrolment_content(code, key.public)
    for public, proof in (
        (b"", b""),
        (key.public[:-1], key.sign(content)),
        (key.public, other.sign(content)),
        (key.public, key.sign(device_key.enrolment_content("0" * 12, key.public))),
    ):
        assert refused(await office.post(body(code, public, proof))) == "bad_key"
    assert (await office.spend(code, key))[0] == 200


async def test_guessing_is_paced_and_others_are_not_kept_waiting(office: Office) -> None:
    """DOM-DEV-3."""
    code = await office.code()
    told = [
        refused(await office.spend("0" * 12, device_key.new()))
        for _ in range(pace.Guesses.EACH_A_MINUTE + 3)
    ]
    assert told == ["wrong_code"] * pace.Guesses.EACH_A_MINUTE + ["too_fast"] * 3
    assert refused(await office.spend(code, device_key.new())) == "too_fast"
    # From another address it goes on.
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    ) as elsewhere:
        status, _ = await Office(office.stage, elsewhere).spend(code, device_key.new())
        assert status == 200


async def test_a_hundred_guesses_at_once_are_no_way_around_the_pace(office: Office) -> None:
    told = await asyncio.gather(*(office.spend(f"{n:012}", device_key.new()) for n in range(100)))
    codes = [refused(answer) for answer in told]
    assert codes.count("wrong_code") == pace.Guesses.EACH_A_MINUTE
    assert codes.count("too_fast") == 100 - pace.Guesses.EACH_A_MINUTE


async def test_a_body_that_is_wrong_is_said_to_be(office: Office) -> None:
    good = body(await office.code(), KEY.public, bytes(64))
    url = office.url + "/api/enrol"
    for data, kind, status, code in (
        (b"{}", "text/plain", 415, "not_json"),
        (b"{}", "application/json", 400, "bad_body"),
        (b"[]", "application/json", 400, "bad_body"),
        (b"\xff", "application/json", 400, "bad_body"),
        (b"[" * 30_000, "application/json", 400, "bad_body"),
        (b'{"code": 7, "public_key": "", "proof": ""}', "application/json", 400, "bad_body"),
        (b'{"code": "", "public_key": "?", "proof": ""}', "application/json", 400, "bad_body"),
        (b" " * 70_000, "application/json", 413, "too_large"),
    ):
        async with office.http.post(url, data=data, headers={"Content-Type": kind}) as answer:
            told = (await answer.json())["error"]["code"]
            assert (answer.status, told) == (status, code), data[:40]
    async with office.http.get(url) as answer:
        assert answer.status == 404
    assert refused(await office.post(good)) == "bad_key"


async def test_a_body_that_never_comes_is_not_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatch import api

    monkeypatch.setattr(api, "BODY_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection(*office.stage.address)
    writer.write(
        b"POST /api/enrol HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    async with asyncio.timeout(WITHIN):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
ALMOST = st.fixed_dictionaries(
    {
        "code": st.text(max_size=70) | ANYTHING,
        "public_key": st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode())
        | st.just(base64.b64encode(KEY.public).decode())
        | ANYTHING,
        "proof": st.binary(max_size=70).map(lambda b: base64.b64encode(b).decode()) | ANYTHING,
    }
)


async def test_whatever_is_sent_to_enrol_is_refused_in_words(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a 500: bodies of every kind, and keys and proofs of any bytes."""
    monkeypatch.setattr(pace.Guesses, "take", lambda *_: True)
    loop = asyncio.get_running_loop()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ANYTHING | ALMOST)
    def check(sent: Any) -> None:
        answer = asyncio.run_coroutine_threadsafe(office.post(sent), loop).result(WITHIN)
        assert refused(answer) in ("bad_body", "bad_key", "wrong_code")

    await asyncio.to_thread(check)


async def test_any_signature_is_refused_in_words(stage: Stage) -> None:
    loop = asyncio.get_running_loop()

    async def tried(number: int, signature: bytes) -> str:
        async with await Peer.join(stage.url) as peer:
            await peer.send(wire.SignIn(n=1, auth=wire.DeviceAuth(number, signature)))
            return (await peer.expect(wire.Error)).code

    @settings(max_examples=40, deadline=None)
    @given(st.integers(1, 8), st.binary(min_size=64, max_size=64))
    def check(number: int, signature: bytes) -> None:
        told = asyncio.run_coroutine_threadsafe(tried(number, signature), loop).result(WITHIN)
        assert told == "wrong_credentials"

    await asyncio.to_thread(check)


# -- joining from the other side


async def test_a_machine_joins_and_its_key_file_is_the_device(
    office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.pem"
    code = enrolment_code.shown(await office.code(unit=None)).lower()
    made = await office.psn(
        "device", "join", "--server", office.url, "--code", code, "--key", str(file)
    )
    enrolled = device_key.read(file)
    assert f"device {enrolled.device}" in made and enrolled.key.pem not in made
    async with Client(office.stage.url, enrolled) as client:
        assert (await asyncio.wait_for(client.up(), WITHIN)).me == f"device:{enrolled.device}"
    with pytest.raises(join.JoinRefused) as again:
        await asyncio.to_thread(join.join, office.url, code, file)
    assert again.value.code == "already_enrolled"


async def test_joining_goes_on_where_it_was_interrupted(office: Office, tmp_path: Path) -> None:
    """DOM-DEV-3: the server had enrolled it, and the answer was lost."""
    file, code = tmp_path / "tablet.pem", await office.code()
    with pytest.raises(join.JoinRefused) as away:
        await asyncio.to_thread(join.join, "http://127.0.0.1:9", code, file)
    assert away.value.code == "no_server"
    _, key = device_key.read_key(file)
    _, answer = await office.spend(code, key)
    enrolled = await asyncio.to_thread(join.join, office.url, code, file)
    assert (enrolled.device, enrolled.key.public) == (answer["device"], key.public)


async def test_a_refusal_of_the_server_is_told_as_it_said_it(
    office: Office, tmp_path: Path
) -> None:
    for server, code in ((office.url, "wrong_code"), (office.url + "/nothing", "no_server")):
        with pytest.raises(join.JoinRefused) as told:
            await asyncio.to_thread(join.join, server, "0000-0000-0000", tmp_path / "key.pem")
        assert (told.value.code, told.value.todo[-1]) == (code, ".")
    with pytest.raises(join.JoinRefused) as told:
        await asyncio.to_thread(join.join, office.url, "0" * 12, tmp_path / "no" / "key.pem")
    assert told.value.code == "not_writable"


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
