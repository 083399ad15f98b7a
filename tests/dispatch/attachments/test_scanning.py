"""Asking a virus scanner (docs/domain.md, DOM-FILE-7): a daemon that is one, and some that lie."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from attached import entered, photo
from hypothesis import given
from hypothesis import strategies as st
from stage import Stage, seed, until

from dispatch.attachments import scanning
from dispatch.attachments.scanning import ScannerAway, judgement, scanner

# The test file of the European Institute for Computer Antivirus Research, which every scanner
# knows; in two parts, so that this file is not one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD" + rb"-ANTIVIRUS-TEST-FILE!$H+H*"


@contextlib.asynccontextmanager
async def daemon(answer: bytes, path: Path) -> AsyncIterator[list[bytes]]:
    """Speaks INSTREAM as clamd(8) says, and answers always the same; what it was sent."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        data = b""
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            data += await reader.readexactly(length)
        heard.append(data)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield heard


@pytest.fixture
def socket_path() -> AsyncIterator[Path]:
    # Not pytest's own temporary directory: names of sockets are short.
    with tempfile.TemporaryDirectory(prefix="psn-scan-") as place:
        Path(place).chmod(0o755)
        yield Path(place) / "clamd"


async def test_a_daemon_gets_all_bytes_and_its_word_counts(
    tmp_path: Path, socket_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(200_000))
    scan = scanner(f"clamd:{socket_path}")
    assert scan is not None
    async with daemon(b"stream: OK\0", socket_path) as heard:
        assert await scan(file) is None
        assert heard == [file.read_bytes()]
    socket_path.unlink(missing_ok=True)
    async with daemon(b"stream: Eicar-Test FOUND\0", socket_path):
        assert await scan(file) == "Eicar-Test"
    socket_path.unlink(missing_ok=True)
    for lie in (b"", b"OK\0", b"stream: ", b"INSTREAM size limit exceeded. ERROR\0", b"x" * 99_999):
        async with daemon(lie, socket_path):
            with pytest.raises(ScannerAway):
                await scan(file)
        socket_path.unlink(missing_ok=True)
    with pytest.raises(ScannerAway):
        await scan(file)


@given(st.binary(max_size=300))
def test_no_other_word_says_that_a_file_is_clean(answer: bytes) -> None:
    try:
        found = judgement(answer)
    except ScannerAway:
        return
    assert found is not None or answer.rstrip(b"\0\n") == b"stream: OK"


async def test_a_program_says_it_by_its_exit_status(tmp_path: Path) -> None:
    program = tmp_path / "scan"
    program.write_text('#!/bin/sh\nif grep -q EICAR "$2"; then exit 1; fi\nexit "$1"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    clean, bad = tmp_path / "clean", tmp_path / "bad"
    clean.write_bytes(b"clean")
    bad.write_bytes(EICAR)
    scan = scanner(f"command:{program} 0")
    assert scan is not None
    assert await scan(clean) is None
    assert await scan(bad) == "found"
    for setting in (f"command:{program} 2", "command:/nonexistent/program"):
        scan = scanner(setting)
        assert scan is not None
        with pytest.raises(ScannerAway):
            await scan(clean)


async def test_a_scanner_that_hangs_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "SCAN_SECONDS", 0.2)
    program = tmp_path / "scan"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    scan = scanner(f"command:{program}")
    assert scan is not None
    with pytest.raises(ScannerAway):
        await scan(tmp_path)


async def test_nothing_passes_unscanned_while_the_scanner_is_away(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_path: Path
) -> None:
    """DOM-FILE-7."""
    monkeypatch.setattr("dispatch.attachments.checking.EVERY_SECONDS", 0.1)
    await seed(database)
    stage = Stage(database, virus_scan=f"clamd:{socket_path}")
    await stage.start()
    try:
        async with entered(stage, "ana") as ana:
            data = photo()
            path, _ = await ana.begin(data)
            assert (await ana.piece(path, 0, data)).status == 204
            for _ in range(10):
                await asyncio.sleep(0.1)
                assert (await ana.ask("GET", path)).said["state"] == "checking"
            answer = await ana.ask("GET", f"{path}/content")
            assert (answer.status, answer.code) == (409, "not_ready")
            async with daemon(b"stream: OK\0", socket_path) as heard:
                assert (await ana.settled(path))["state"] == "ready"
                assert heard == [data]
            socket_path.unlink(missing_ok=True)
            async with daemon(b"stream: Bad FOUND\0", socket_path):
                _, said = await ana.attach(photo())
                assert (said["state"], said["code"]) == ("refused", "virus")
                place = tmp_path / "files"
                await until(lambda: len(list(place.rglob("*-*"))) == 2, "its bytes go")
    finally:
        await stage.stop()


async def test_clamav_itself(tmp_path: Path, socket_path: Path) -> None:
    """The real daemon with a database of one signature, where Debian's clamav-daemon is there."""
    clamd = shutil.which("clamd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if clamd is None:
        pytest.skip("no clamd; install the package clamav-daemon")
    base = socket_path.parent / "signatures"
    base.mkdir()
    (base / "own.ndb").write_text(f"Own.Eicar:0:0:{EICAR.hex()}\n")
    config = socket_path.parent / "clamd.conf"
    config.write_text(
        f"LocalSocket {socket_path}\nDatabaseDirectory {base}\nForeground yes\n"
        f"User {_user()}\nExitOnOOM yes\nOfficialDatabaseOnly no\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(clamd, "--config-file", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        await until(lambda: socket_path.exists() or process.returncode is not None, "it listens")
        scan = scanner(f"clamd:{socket_path}")
        assert scan is not None
        clean, bad = tmp_path / "clean", tmp_path / "bad"
        clean.write_bytes(photo())
        bad.write_bytes(EICAR)
        assert await scan(clean) is None
        assert "Own.Eicar" in str(await scan(bad))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
