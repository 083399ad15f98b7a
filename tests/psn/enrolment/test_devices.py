"""Devices enrol with a code (docs/domain.md, DOM-DEV), by real sockets."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office import Office, body, refused
from stage import (
    CAR,
    KEY,
    WITHIN,
    Peer,
)

from psn import pace
from psn.client import Client
from psn.enrolment import device_key, enrolment_code, join
from psn.enrolment.device_key import Enrolled

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
    from dispatch import asking

    monkeypatch.setattr(asking, "BODY_SECONDS", 0.1)
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

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(ANYTHING | ALMOST)
    def check(sent: Any) -> None:
        answer = asyncio.run_coroutine_threadsafe(office.post(sent), loop).result(WITHIN)
        assert refused(answer) in ("bad_body", "bad_key", "wrong_code")

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
