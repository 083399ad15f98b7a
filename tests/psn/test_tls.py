"""TLS: everything works over it, old versions do not, and a renewal disturbs nobody."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner
from stage import (
    BEN,
    CAR,
    WITHIN,
    Complaints,
    Peer,
    Stage,
    credentials_of,
    message,
    now_ms,
    seed,
    until,
)

from psn import client as library
from psn import fanout, settings, tls, wire
from psn.__main__ import main


def made(into: Path) -> Path:
    """A directory with an authority, a certificate and its key."""
    result = CliRunner().invoke(main, ["cert", "dev", "--into", str(into)])
    assert result.exit_code == 0, result.output
    return into


def trusting(place: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(place / "authority.pem"))


@pytest_asyncio.fixture
async def secure(
    database: str, tmp_path: Path, complaints: Complaints
) -> AsyncIterator[tuple[Stage, Path]]:
    place = await asyncio.to_thread(made, tmp_path / "tls")
    await seed(database)
    stage = Stage(
        database,
        tls_certificate=str(place / "server.pem"),
        tls_key=str(place / "server.key"),
    )
    await stage.start()
    try:
        yield stage, place
    finally:
        await stage.stop()
        # A handshake that fails is told by asyncio's debug mode alone, and is what some of these
        # tests are about.
        failed = "Error on transport creation for incoming connection"
        complaints.said[:] = [said for said in complaints.said if not said.startswith(failed)]


async def test_clients_speak_over_tls_and_only_to_whom_they_trust(
    secure: tuple[Stage, Path],
) -> None:
    stage, place = secure
    assert stage.url.startswith("wss://")
    shown: list[wire.Mail] = []
    trust = trusting(place)
    async with (
        library.Client(stage.url, credentials_of("ana"), trust=trust) as ana,
        library.Client(stage.url, credentials_of("ben"), trust=trust, mail=shown.append) as ben,
        library.Client(stage.url, credentials_of("cyd")) as stranger,
    ):
        await asyncio.wait_for(ana.up(), WITHIN)
        await asyncio.wait_for(ben.up(), WITHIN)
        await ana.acknowledged(ana.send([BEN], "over TLS"))
        await until(lambda: shown, "the message is shown")
        assert stranger.link is library.Link.LOST  # it does not know the authority


async def test_versions_before_1_2_are_refused(secure: tuple[Stage, Path]) -> None:
    stage, place = secure
    old = trusting(place)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await Peer.join(stage.url, ssl=old)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        new = trusting(place)
        new.minimum_version = new.maximum_version = version
        await (await Peer.join(stage.url, ssl=new)).leave()


async def test_a_reader_that_takes_nothing_is_seen_through_tls(
    secure: tuple[Stage, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, place = secure
    monkeypatch.setattr(fanout, "HIGH_WATER_BYTES", 65_536)
    trust = trusting(place)
    async with (
        await Peer.enter(stage.url, CAR, ssl=trust) as car,
        await Peer.enter(stage.url, "ana", ssl=trust) as ana,
    ):
        await ana.send(wire.Watch(n=1))
        await ana.expect(wire.Picture)
        ana.socket.transport.pause_reading()
        begun = asyncio.get_running_loop().time()
        session = next(s for s in stage.core.sessions.all if s.principal.person == 1)
        while not stage.core.hub.lagging:
            for _ in range(50):
                session.send(wire.RosterUnits(units=[wire.RosterUnit(1, 1, "x" * 40, "car")] * 90))
            fix = wire.Fix(0, now_ms(), -881_000_000, 172_000_000)
            await car.send(wire.Position(p=fix))
            await car.answers()
            assert asyncio.get_running_loop().time() - begun < WITHIN
        ana.socket.transport.resume_reading()
        await until(lambda: not stage.core.hub.lagging, "it is back")
        await ana.expect(wire.Picture, lambda p: any(s.time == fix.time for s in p.p))


async def test_a_renewed_certificate_is_used_and_open_connections_stay(
    secure: tuple[Stage, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, place = secure
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.05)
    old = trusting(place)
    async with await Peer.enter(stage.url, "ana", ssl=old) as ana:
        renewed = await asyncio.to_thread(made, tmp_path / "renewed")
        # A half of the new pair is no pair: the old one goes on.
        shutil.copy(renewed / "server.key", place / "server.key")
        await asyncio.sleep(0.2)
        await (await Peer.join(stage.url, ssl=old)).leave()
        shutil.copy(renewed / "server.pem", place / "server.pem")
        new = trusting(renewed)

        async def joined() -> bool:
            try:
                await (await Peer.join(stage.url, ssl=new)).leave()
            except ssl.SSLError:
                return False
            return True

        async with asyncio.timeout(WITHIN):
            while not await joined():
                await asyncio.sleep(0.05)
        await ana.send(message(BEN, "still here"))
        await ana.expect(wire.Ack)


def test_files_that_are_no_pair_are_one_sentence(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one"), made(tmp_path / "other")
    (tmp_path / "nonsense").write_text("no certificate")
    for pair in (
        (one / "server.pem", other / "server.key"),
        (tmp_path / "nonsense", one / "server.key"),
        (tmp_path / "missing", one / "server.key"),
    ):
        with pytest.raises(tls.TlsProblem) as refused:
            tls.context(*pair)
        assert refused.value.code == "bad_certificate"
        assert refused.value.todo.endswith(".")


def test_one_of_the_two_settings_is_not_enough() -> None:
    with pytest.raises(settings.SettingsError) as refused:
        settings.read({"PSN_TLS_KEY": "server.key"})
    assert refused.value.code == "bad_setting"


def test_a_certificate_to_try_with_is_not_written_over(tmp_path: Path) -> None:
    place = made(tmp_path / "tls")
    assert stat.S_IMODE((place / "server.key").stat().st_mode) == 0o600
    result = CliRunner().invoke(main, ["cert", "dev", "--into", str(place)])
    assert result.exit_code == 1
    assert "[cert_exists]" in result.output
