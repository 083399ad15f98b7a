"""What an administrator sees and ends of people's sign-in by command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from command_line import Psn, RunSql, loaded

from psn.identity import credentials

SESSION = (
    "insert into session (token_hash, person_id, ends_at, source, active_at)"
    " values ('\\x0{0}', 1, now() + interval '1 hour', '192.0.2.{0}', '2026-09-01 12:34Z')"
)


@pytest.fixture(autouse=True)
def ana(psn: Psn) -> None:
    psn("agency", "add", "BPD", "Belize Police Department")
    psn(
        "user",
        "add",
        "bpd.ana",
        "--agency",
        "BPD",
        "--full-name",
        "Ana Castillo",
        "--role",
        "dispatcher",
    )


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password1234567",
        "Ana Castillo 2026",
        "belize police department",
        "bpdbpdbpdbpd.ana",
    ],
)
def test_a_weak_password_is_refused_and_the_old_one_stays(
    psn: Psn, database: str, password: str
) -> None:
    before = loaded(database).people[1].password_hash
    command = ("user", "password", "bpd.ana", "--password-stdin")
    told = psn(*command, typed=password + "\n", fails=True).output
    assert "weak_password" in told and password not in told.replace("bpd.ana", "")
    assert loaded(database).people[1].password_hash == before
    added = (
        *("user", "add", "ben", "--agency", "BPD", "--full-name", "Ben", "--role", "dispatcher"),
        "--password-stdin",
    )
    if "ana" not in password.lower():
        assert "weak_password" in psn(*added, typed=password + "\n", fails=True).output


def test_a_breached_password_is_refused(
    psn: Psn, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    password = "three words and a boat"
    file = tmp_path / "breached"
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    file.write_text(f"{digest}:7\n")
    command = ("user", "password", "bpd.ana", "--password-stdin")
    monkeypatch.setenv("PSN_BREACHED_PASSWORDS", str(file))
    assert "stolen" in psn(*command, typed=password + "\n", fails=True).output
    psn(*command, typed="another boat with words\n")
    kept = loaded(database).people[1].password_hash
    assert credentials.verify_password(kept, "another boat with words")
    monkeypatch.setenv("PSN_BREACHED_PASSWORDS", str(tmp_path / "none"))
    assert "bad_breach_list" in psn(*command, typed=password + "\n", fails=True).output


def test_second_factors_are_shown_and_reset(psn: Psn, run_sql: RunSql) -> None:
    assert psn("user", "factors", "bpd.ana").output == "none\n"
    run_sql(
        "insert into second_factor (person_id, kind, label, secret, created_at)"
        " values (1, 'totp', 'My phone', '\\x00', '2026-09-01 12:34Z')"
    )
    run_sql("insert into recovery_code (person_id, hash) values (1, '\\x01'), (1, '\\x02')")
    run_sql("update recovery_code set used_at = now() where hash = '\\x01'")
    run_sql(SESSION.format(1))
    told = psn("user", "factors", "BPD.Ana").output
    assert "My phone  2026-09-01 12:34 UTC" in told
    assert "1 recovery code left." in told
    told = psn("user", "reset-factors", "bpd.ana").output
    assert told == "1 second factor of bpd.ana removed; 1 session ended.\n"
    assert psn("user", "factors", "bpd.ana").output == "none\n"
    assert run_sql("select count(*) from recovery_code") == 0
    assert "not_found" in psn("user", "reset-factors", "nobody", fails=True).output


def test_sessions_are_shown_and_ended(psn: Psn, run_sql: RunSql) -> None:
    assert psn("user", "sessions", "bpd.ana").output == "none\n"
    for n in (1, 2):
        run_sql(SESSION.format(n))
    told = psn("user", "sessions", "bpd.ana").output
    assert "192.0.2.1" in told and "192.0.2.2" in told
    assert "2026-09-01 12:34 UTC" in told
    assert psn("user", "sign-out", "BPD.ANA").output == "2 sessions of bpd.ana ended.\n"
    assert psn("user", "sessions", "bpd.ana").output == "none\n"
    assert run_sql("select count(*) from session where ended_at is null") == 0


def test_the_doctor_looks_at_how_people_sign_in(
    psn: Psn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It fails here all the same: the tests' cluster runs without fsync."""
    monkeypatch.setenv("PSN_PORT", "0")
    told = psn("doctor", fails=True).output
    assert "warn  second factor: offered" in told
    assert "PSN_SECOND_FACTOR=required" in told
    assert "ok    passkeys: on localhost alone" in told
    assert "warn  breached passwords: no list" in told
    file = tmp_path / "breached"
    file.write_text("A" * 40 + ":1\n")
    monkeypatch.setenv("PSN_SECOND_FACTOR", "required")
    monkeypatch.setenv("PSN_BREACHED_PASSWORDS", str(file))
    monkeypatch.setenv("PSN_ORIGIN", "https://PSN.example.bz/")
    told = psn("doctor", fails=True).output
    assert "ok    second factor: required" in told
    assert "ok    breached passwords: 43 bytes" in told
    assert "ok    passkeys: for https://psn.example.bz" in told
    file.write_text("this is no list of hashes\n")
    assert "fail  breached passwords" in psn("doctor", fails=True).output
