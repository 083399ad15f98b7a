"""``psn migrate`` and ``psn doctor``, and what every command says without a database."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result
from command_line import Psn, RunSql

from psn import revisions
from psn.__main__ import COMMANDS, main
from psn.commands import doctor
from psn.forwarded import networks
from psn.settings import Settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="psn")


def revision(dsn: str) -> str | None:
    async def work() -> str | None:
        conn = await asyncpg.connect(dsn)
        try:
            return await revisions.current(conn)
        finally:
            await conn.close()

    return asyncio.run(work())


def lines(result: Result) -> dict[str, str]:
    """What the doctor says of each thing: its level."""
    found = (line.split(None, 1) for line in result.output.splitlines() if line[0] != " ")
    return {rest.split(":")[0]: level for level, rest in found}


def test_migrate_up_again_and_down(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_DATABASE", empty_database)
    assert f"from revision base to {revisions.head()}" in run("migrate").output
    assert "nothing to do" in run("migrate").output
    refused = run("migrate", "--to", "base")
    assert (refused.exit_code, "loses_data" in refused.output) == (1, True)
    assert revision(empty_database) == revisions.head()
    assert run("migrate", "--to", "base", "--lose-data").exit_code == 0
    assert revision(empty_database) is None
    assert "no_such_revision" in run("migrate", "--to", "9999").output


def test_a_command_on_an_unmigrated_database_says_what_to_run(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_DATABASE", empty_database)
    refused = run("agency", "list")
    assert refused.exit_code == 1
    assert "Run psn migrate. [schema_old]" in refused.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate",),
        ("agency", "list"),
        ("user", "disable", "ana"),
        ("unit", "list"),
        ("device", "revoke", "1"),
        ("group", "list"),
        ("agreement", "end", "1"),
        ("fence", "list"),
    ],
)
def test_without_a_database_every_command_says_one_sentence(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_DATABASE", f"postgresql://u:hushhush@/psn?host={tmp_path}")
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    assert len(refused.output.splitlines()) == 1
    assert "[database_unreachable]" in refused.output
    assert "hushhush" not in refused.output


@pytest.mark.parametrize(
    "dsn", ["postgresql://localhost:1/psn", "postgresql://host:port/psn", "postgresql://[::1/psn"]
)
def test_a_wrong_address_is_one_sentence_too(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_DATABASE", dsn)
    refused = run("agency", "list")
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    assert len(refused.output.splitlines()) == 1


def test_a_database_that_does_not_exist_is_one_sentence(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_DATABASE", database.replace("/test_", "/nowhere_"))
    refused = run("user", "list")
    assert "does not exist" in refused.output and "database_unreachable" in refused.output


def test_doctor_finds_a_sound_database_sound(psn: Psn, run_sql: RunSql) -> None:
    run_sql("insert into agency (code, name, colour) values ('X', 'x', '#000000')")
    psn("user", "add", "ana", "--agency", "X", "--full-name", "A", "--role", "dispatcher")
    said = lines(run("doctor"))
    expected = ("settings", "database", "PostGIS", "migrations", "accounts")
    assert [said[what] for what in expected] == ["ok"] * 5
    # The tests' cluster runs without fsync, and the doctor must not let that pass.
    assert said["durability"] == "fail"


def test_doctor_does_not_send_people_to_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_DATABASE", f"postgresql:///psn?host={tmp_path}")
    told = run("doctor").output
    assert "cannot be reached" in told and "psn doctor" not in told


def test_doctor_without_migrations(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_DATABASE", empty_database)
    result = run("doctor")
    assert result.exit_code == 1
    assert lines(result)["migrations"] == "fail"
    assert "Run psn migrate." in result.output


def test_doctor_names_bad_settings_and_looks_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PSN_PORT", "99999")
    monkeypatch.setenv("PSN_HOTS", "0.0.0.0")
    result = run("doctor")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "warn  settings: PSN_HOTS is no setting",
        "      Did you mean PSN_HOST?",
        "fail  settings: PSN_PORT is '99999'.",
        "      Make it a whole number from 0 to 65535.",
    ]


def test_doctor_without_a_database_still_looks_at_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_DATABASE", f"postgresql:///psn?host={tmp_path}")
    result = run("doctor")
    said = lines(result)
    assert result.exit_code == 1
    assert said["database"] == "fail"
    assert {"disk here", "port", "open files"} <= said.keys()


def test_where_files_lie_and_who_scans_them(tmp_path: Path) -> None:
    def found(**said: str) -> list[str]:
        return [each.level for each in doctor.attachments(Settings(**said))]

    place, file = tmp_path / "files", tmp_path / "file"
    file.touch()
    assert found(files=str(place))[1] == "warn", "no scanner"
    assert oct(place.stat().st_mode & 0o777) == "0o700" and list(place.iterdir()) == []
    assert found(files=str(file / "below"))[0] == "fail"
    assert found(files=str(place), virus_scan="command:sh -c x")[1] == "ok"
    assert found(files=str(place), virus_scan="command:/nonexistent")[1] == "fail"
    assert found(files=str(place), virus_scan=f"clamd:{tmp_path}/none")[1] == "fail"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"clamd:127.0.0.1:{taken.getsockname()[1]}"
        assert found(files=str(place), virus_scan=where)[1] == "ok"
    assert found(files=str(place), virus_scan=where)[1] == "fail"
    assert found(files=str(place), virus_scan="clamd:127.0.0.1:99999")[1] == "fail"


def test_passwords_that_would_travel_in_the_clear_are_told() -> None:
    elsewhere = Settings(host="0.0.0.0")
    for said, level in (
        (Settings(), "ok"),
        (Settings(host="::1"), "ok"),
        (Settings(host="localhost"), "ok"),
        (elsewhere, "warn"),
        (Settings(host="psn.example.bz"), "warn"),
        (replace(elsewhere, tls_certificate="server.pem", tls_key="server.key"), "ok"),
        (replace(elsewhere, trusted_proxies=networks("10.0.0.1")), "ok"),
    ):
        found = doctor.in_the_clear(said)
        assert (found.what, found.level) == ("TLS", level), said.host
        assert bool(found.todo) is (level == "warn")


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        problem = doctor.port_problem("127.0.0.1", number)
    assert problem is not None
    assert problem.code == "port_taken"
    assert str(number) in problem.text and "--port" in problem.todo
    assert doctor.port_problem("127.0.0.1", number) is None


def test_an_address_that_is_not_ours_cannot_be_listened_on() -> None:
    problem = doctor.port_problem("203.0.113.7", 0)
    assert problem is not None and problem.code == "cannot_listen"


@pytest.mark.parametrize(("free", "level"), [(0, "fail"), (2 << 30, "warn"), (9 << 30, "ok")])
def test_free_space(free: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": free}))
    assert doctor.disk("disk", Path("/nowhere/at/all")).level == level


def test_a_missing_map_file_is_found(tmp_path: Path) -> None:
    missing = Settings(pmtiles=str(tmp_path / "bz.pmtiles"), port=0)
    assert {f.what: f.level for f in doctor.machine(missing)}["map file"] == "fail"
    (tmp_path / "bz.pmtiles").touch()
    assert {f.what: f.level for f in doctor.machine(missing)}["map file"] == "ok"


def test_help_names_every_command_without_loading_any() -> None:
    said = run("--help").output
    for name in ("serve", "demo", "migrate", "doctor", "user", "fence"):
        assert f"  {name} " in said


@pytest.mark.parametrize("name", [n for n, (m, _, _) in COMMANDS.items() if m.startswith("psn.")])
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = main.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    subcommands = getattr(command, "commands", {})
    for arguments in [(name, sub) for sub in subcommands] or [(name,)]:
        said = run(*arguments, "--help")
        assert said.exit_code == 0
        assert "psn " + " ".join(arguments) in said.output.split("Example", 1)[1]


def test_a_command_that_is_none_is_refused_plainly() -> None:
    refused = run("sevre")
    assert refused.exit_code == 2
    assert "sevre" in refused.output
