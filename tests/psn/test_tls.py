"""TLS: everything works over it, old versions do not, and a renewal disturbs nobody."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import trustme
from click.testing import CliRunner
from stage import (
    BEN,
    CAR,
    WITHIN,
    Complaints,
    Peer,
    Stage,
    credentials_of,
    device,
    message,
    now_ms,
    seed,
    until,
)
from websockets.exceptions import ConnectionClosed, InvalidMessage

from psn import settings, tls, wire
from psn.__main__ import main
from psn.client import client as library
from psn.enrolment.join import JoinRefused, join
from psn.picture import fanout


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


@pytest.mark.parametrize("how", ["expired", "not yet", "another name", "another authority"])
async def test_a_server_with_a_bad_certificate_gets_nobody(tmp_path: Path, how: str) -> None:
    """Neither the client library, nor a device that joins with a code, says it a secret."""
    place = await asyncio.to_thread(made, tmp_path / "tls")
    now, day = datetime.now(UTC), timedelta(days=1)
    signer = trustme.CA() if how == "another authority" else authority_of(place)
    issued = signer.issue_cert(
        "psn.example.bz" if how == "another name" else "127.0.0.1",
        not_before=now + day if how == "not yet" else now - 2 * day,
        not_after=now - day if how == "expired" else now + 2 * day,
    )
    bad = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(bad)
    said = bytearray()

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.extend(await reader.read(1))
        writer.close()

    async with await asyncio.start_server(listens, "127.0.0.1", 0, ssl=bad) as server:
        where = "{}:{}".format(*server.sockets[0].getsockname()[:2])
        trust = trusting(place)
        async with library.Client(
            f"wss://{where}/ws", credentials_of("ana"), trust=trust
        ) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.up(), 1.0)
            assert client.link is library.Link.LOST
        file = tmp_path / "device.pem"
        with pytest.raises(JoinRefused) as refused:
            await asyncio.to_thread(join, f"https://{where}", "K7MP-3XWD-H9TQ", file, trust)
        assert refused.value.code == "no_server"
    assert said == b""


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


async def test_only_forward_secret_and_authenticated_ciphers_are_spoken(
    secure: tuple[Stage, Path],
) -> None:
    stage, place = secure
    for ciphers in ("ECDHE+AES:!AESGCM:!AESCCM", "kRSA+AESGCM", "DHE+AESGCM"):
        weak = trusting(place)
        weak.maximum_version = ssl.TLSVersion.TLSv1_2
        weak.set_ciphers(ciphers)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await Peer.join(stage.url, ssl=weak)
    # The client would like the weaker one better; the server decides.
    asks = trusting(place)
    asks.maximum_version = ssl.TLSVersion.TLSv1_2
    asks.set_ciphers("ECDHE+AESGCM+AES128:ECDHE+AESGCM+AES256")
    async with await Peer.join(stage.url, ssl=asks) as peer:
        spoken = peer.socket.transport.get_extra_info("cipher")
    assert spoken[0].startswith("ECDHE-") and "AES256-GCM" in spoken[0]


def test_everything_that_may_be_spoken_is_known() -> None:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers(tls.CIPHERS)
    for cipher in made.get_ciphers():
        assert cipher["aead"] and cipher["strength_bits"] >= 128, cipher["name"]
        assert cipher["name"].startswith(("ECDHE-", "TLS_"))


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


# -- certificates of clients


def authority_of(place: Path) -> trustme.CA:
    parts = [(place / f"authority.{part}").read_bytes() for part in ("pem", "key")]
    return trustme.CA.from_pem(*parts)


def showing(place: Path, issued: trustme.LeafCert | None) -> ssl.SSLContext:
    """A client's context that trusts the server, and shows a certificate."""
    trust = trusting(place)
    if issued is not None:
        issued.configure_cert(trust)
    return trust


@pytest_asyncio.fixture
async def mutual(
    database: str, tmp_path: Path, complaints: Complaints
) -> AsyncIterator[tuple[Stage, Path]]:
    """A server that asks for certificates of clients, and of devices needs one."""
    place = await asyncio.to_thread(made, tmp_path / "tls")
    await seed(database)
    stage = Stage(
        database,
        tls_certificate=str(place / "server.pem"),
        tls_key=str(place / "server.key"),
        tls_client_authority=str(place / "authority.pem"),
        tls_devices_need_certificate=True,
    )
    await stage.start()
    try:
        yield stage, place
    finally:
        await stage.stop()
        failed = "Error on transport creation for incoming connection"
        complaints.said[:] = [said for said in complaints.said if not said.startswith(failed)]


async def test_devices_show_a_certificate_and_people_need_none(
    mutual: tuple[Stage, Path],
) -> None:
    """DOM-DEV-7."""
    stage, place = mutual
    result = await asyncio.to_thread(
        CliRunner().invoke, main, ["cert", "dev", "--into", str(place), "--client", "tablet-12"]
    )
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE((place / "tablet-12.key").stat().st_mode) == 0o600
    bare, own = trusting(place), trusting(place)
    own.load_cert_chain(place / "tablet-12.pem", place / "tablet-12.key")
    async with await Peer.enter(stage.url, CAR, ssl=own) as tablet:
        await tablet.answers()
        token = wire.SessionAuth(tablet.me.token)
    async with await Peer.enter(stage.url, "ana", ssl=bare) as ana:
        await ana.answers()
    async with await Peer.join(stage.url, ssl=bare) as peer:
        for n, auth in enumerate((peer.auth(device(CAR)), peer.auth(device(99)), token)):
            await peer.send(wire.SignIn(n=n, auth=auth))
            assert (await peer.refusal("certificate_needed")).n == n
    async with await Peer.join(stage.url, ssl=own) as peer:
        assert (await peer.sign_in(token)).unit == CAR
    base = stage.url.replace("wss:", "https:").removesuffix("/ws")
    headers = {"Authorization": f"Bearer {token.token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for trust, status in ((own, 200), (bare, 401)):
            async with http.get(base + "/api/fences", ssl=trust) as answer:
                assert answer.status == status


async def test_a_bad_certificate_of_a_client_ends_the_handshake(
    mutual: tuple[Stage, Path],
) -> None:
    """Also of one who would need none."""
    stage, place = mutual
    authority, now, day = authority_of(place), datetime.now(UTC), timedelta(days=1)
    bad = {
        "expired": authority.issue_cert(
            common_name="t", not_before=now - 2 * day, not_after=now - day
        ),
        "not yet": authority.issue_cert(
            common_name="t", not_before=now + day, not_after=now + 2 * day
        ),
        "another authority": trustme.CA().issue_cert(common_name="t"),
    }
    for issued in bad.values():
        with pytest.raises((OSError, InvalidMessage, ConnectionClosed)):
            await Peer.join(stage.url, ssl=showing(place, issued))
    good = authority.issue_cert(common_name="t", not_before=now - day, not_after=now + day)
    async with await Peer.enter(stage.url, CAR, ssl=showing(place, good)):
        pass


async def test_another_authority_takes_over_without_a_restart(
    mutual: tuple[Stage, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, place = mutual
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.05)
    server_trust = shutil.copy(place / "authority.pem", tmp_path / "server-trust.pem")
    old, next_one = authority_of(place), trustme.CA()

    def client(authority: trustme.CA) -> ssl.SSLContext:
        trust = ssl.create_default_context(cafile=str(server_trust))
        authority.issue_cert(common_name="t").configure_cert(trust)
        return trust

    # One client, so that it has a TLS session to resume if the server would let it.
    before = client(old)
    async with await Peer.enter(stage.url, CAR, ssl=before) as tablet:
        (place / "authority.pem").write_text("nonsense")
        await asyncio.sleep(0.2)
        await (await Peer.enter(stage.url, CAR, ssl=before)).leave()
        (place / "authority.pem").write_bytes(next_one.cert_pem.bytes())

        async def enters(trust: ssl.SSLContext) -> bool:
            try:
                await (await Peer.enter(stage.url, CAR, ssl=trust)).leave()
            except (OSError, InvalidMessage, ConnectionClosed):
                return False
            return True

        async with asyncio.timeout(WITHIN):
            while not await enters(client(next_one)):
                await asyncio.sleep(0.05)
        assert not await enters(before)
        await tablet.answers()


def resumes(address: tuple[str, int], trust: ssl.SSLContext) -> bool:
    """Whether a second connection gets by with what the first one has agreed (RFC 8446 §2.2)."""
    kept, reused = None, None
    for _ in range(2):
        with (
            socket.create_connection(address) as raw,
            trust.wrap_socket(raw, server_hostname="localhost", session=kept) as secure,
        ):
            secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while secure.recv(4_096):
                pass
            kept, reused = secure.session, secure.session_reused
    return bool(reused)


async def test_who_shows_a_certificate_is_verified_each_time(
    mutual: tuple[Stage, Path],
) -> None:
    """A resumed session would outlive the certificate, and the authority."""
    stage, place = mutual
    _, _, port = stage.url.removesuffix("/ws").rpartition(":")
    address = "127.0.0.1", int(port)
    trust = showing(place, authority_of(place).issue_cert(common_name="t"))
    assert not await asyncio.to_thread(resumes, address, trust)
    trust.maximum_version = ssl.TLSVersion.TLSv1_2  # there it could not be turned off
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.to_thread(resumes, address, trust)


async def test_without_certificates_of_clients_sessions_are_resumed(
    secure: tuple[Stage, Path],
) -> None:
    stage, place = secure
    _, _, port = stage.url.removesuffix("/ws").rpartition(":")
    assert await asyncio.to_thread(resumes, ("127.0.0.1", int(port)), trusting(place))


def test_an_authority_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    place = made(tmp_path / "tls")
    (tmp_path / "nonsense").write_text("no certificate")
    for authority in (tmp_path / "nonsense", tmp_path / "missing", place / "server.key"):
        with pytest.raises(tls.TlsProblem) as refused:
            tls.context(place / "server.pem", place / "server.key", authority)
        assert refused.value.code == "bad_certificate"
        assert "PSN_TLS_CLIENT_AUTHORITY" in refused.value.todo


@pytest.mark.parametrize(
    "said",
    [
        {"PSN_TLS_CLIENT_AUTHORITY": "a.pem"},
        {"PSN_TLS_DEVICES_NEED_CERTIFICATE": "yes"},
        {
            "PSN_TLS_CERTIFICATE": "s.pem",
            "PSN_TLS_KEY": "s.key",
            "PSN_TLS_DEVICES_NEED_CERTIFICATE": "true",
        },
        {"PSN_TLS_DEVICES_NEED_CERTIFICATE": "perhaps"},
    ],
)
def test_settings_that_would_let_nobody_or_everybody_in_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        settings.read(said)
    assert refused.value.code == "bad_setting"


def test_a_client_needs_an_authority_and_a_name_of_its_own(tmp_path: Path) -> None:
    def run(*more: str) -> str:
        result = CliRunner().invoke(main, ["cert", "dev", "--into", str(tmp_path), *more])
        assert result.exit_code == 1
        return result.output

    assert "[no_authority]" in run("--client", "tablet")
    made(tmp_path)
    for name in ("server", "authority", "../elsewhere", "a/b", ""):
        assert "[bad_name]" in run("--client", name)
    done = ["cert", "dev", "--into", str(tmp_path), "--client", "tablet"]
    assert CliRunner().invoke(main, done).exit_code == 0
    assert "[cert_exists]" in run("--client", "tablet")
