"""``psn incident export`` (docs/domain.md, DOM-RET-13)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import tempfile
import zipfile
from pathlib import Path

import asyncpg
import pytest
from command_line import Psn, RunSql
from ended import attached

from psn.keeping import stored_files

pytestmark = pytest.mark.usefixtures("agencies")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server's files lie; and nothing is put where temporary files usually are."""
    place = tmp_path / "files"
    monkeypatch.setenv("PSN_FILES", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    return place


@pytest.fixture
def number(psn: Psn, run_sql: RunSql) -> str:
    psn("incident", "open", "BPD", "Boat adrift")
    return str(run_sql("select number from incident_card"))


def test_it_is_written_for_oneself_and_the_audit_has_its_hash(
    psn: Psn,
    run_sql: RunSql,
    number: str,
    database: str,
    tmp_path: Path,
    files: Path,
) -> None:
    async def photo() -> str:
        conn = await asyncpg.connect(database)
        try:
            return str(await attached(conn, 1, 0))
        finally:
            await conn.close()

    id = asyncio.run(photo())
    place = files / id[:2]
    place.mkdir(parents=True)
    (place / id).write_bytes(b"a photo")
    for named in (number.lower(), "1"):
        file = tmp_path / f"{named}.zip"
        told = psn("incident", "export", named, str(file)).output
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        assert f"incident {number}, 1 attachment" in told and sha256 in told
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with zipfile.ZipFile(file) as archive:
            assert json.loads(archive.read("incident.json"))["incident"]["title"] == "Boat adrift"
            assert archive.read(f"attachments/{id}.bin") == b"a photo"
        body = run_sql("select body from audit order by seq desc limit 1")
        entry = json.loads(str(body))
        assert (entry["action"], entry["object"]) == ("incident.exported", "incident:1")
        assert (entry["owner"], entry["details"]["sha256"]) == (1, sha256)


def test_what_is_missing_from_the_disk_is_no_success(
    psn: Psn, number: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def photo() -> None:
        conn = await asyncpg.connect(database)
        try:
            await attached(conn, 1, 0)
        finally:
            await conn.close()

    asyncio.run(photo())
    monkeypatch.setenv("PSN_FILES", str(tmp_path / "elsewhere"))
    file = tmp_path / "it.zip"
    told = psn("incident", "export", number, str(file), fails=True).output
    assert "files_missing" in told and "PSN_FILES" in told
    assert file.exists()


def test_another_agency_has_it_only_when_it_takes_part(
    psn: Psn, number: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "it.zip")
    export = ("incident", "export", number, file, "--agency", "bcg")
    told = psn(*export, fails=True).output
    assert "No agency BCG takes or took part in this incident." in told and "not_found" in told
    psn("incident", "join", "1", "BCG", "--reason", "asked")
    psn(*export)
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("incident.json"))["as_seen_by"] == "BCG"


def test_nothing_is_overwritten_and_nothing_there_without_a_record(
    psn: Psn, run_sql: RunSql, number: str, tmp_path: Path
) -> None:
    file = tmp_path / "it.zip"
    file.write_text("mine")
    assert "already_there" in psn("incident", "export", number, str(file), fails=True).output
    assert file.read_text() == "mine"
    other = tmp_path / "other.zip"
    nowhere = str(tmp_path / "no" / "it.zip")
    assert "cannot_write" in psn("incident", "export", number, nowhere, fails=True).output
    assert "not_found" in psn("incident", "export", "BPD-99-1", str(other), fails=True).output
    run_sql("alter table audit rename to elsewhere")
    with pytest.raises(Exception, match="audit"):
        psn("incident", "export", number, str(other), fails=True)
    assert not other.exists()


def test_a_disk_without_room_or_that_is_not_there_is_said(
    psn: Psn,
    run_sql: RunSql,
    number: str,
    tmp_path: Path,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "it.zip"
    export = ("incident", "export", number, str(file))
    with monkeypatch.context() as patch:
        patch.setattr(stored_files, "RESERVE_BYTES", 1 << 62)
        assert "no_room_for_export" in psn(*export, fails=True).output
    files.rmdir()
    files.write_text("no directory")
    assert "files_away" in psn(*export, fails=True).output
    assert not file.exists()
    said = "select count(*) from audit where action = 'incident.exported'"
    assert run_sql(said) == 0
