"""``psn audit`` (docs/domain.md, DOM-AUD): what it finds, shows, writes out and signs."""

from __future__ import annotations

import getpass
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Psn, RunSql

from psn import keys
from psn.trail import audit


@pytest.fixture(autouse=True)
def something_was_done(psn: Psn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PSN_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("SUDO_USER", raising=False)
    psn("agency", "add", "BPD", "Belize Police Department")
    psn("agency", "add", "BCG", "Belize Coast Guard")
    psn("unit", "add", "BPD/P-1", "--kind", "car")
    name = "Ana <b>\x1b[2J</b>"
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", name, "--role", "dispatcher")
    psn("user", "disable", "ana")


@pytest.fixture
def own_keys(tmp_path: Path) -> keys.Keys:
    """The server's, as after its first start."""
    return keys.load(tmp_path / "keys")


def by_hand(run_sql: RunSql, statement: str) -> None:
    """What an administrator does who knows how to switch the triggers off."""
    run_sql("alter table audit disable trigger user")
    run_sql(statement)
    run_sql("alter table audit enable trigger user")


def test_a_good_audit_is_told_with_its_time(psn: Psn) -> None:
    told = psn("audit", "verify").output
    assert re.search(
        r"^5 entries are good, through 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\.$", told, re.M
    )
    assert "No checkpoint was checked" in told


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "update audit set body = replace(body, 'P-1', 'P-2') where seq = 3",
            "Entry 3 was changed",
        ),
        ("update audit set hash = sha256('') where seq = 5", "Entry 5 was changed"),
        ("delete from audit where seq = 2", "Entry 2 is missing"),
        ("delete from audit where seq in (2, 3)", "Entries 2 to 3 are missing"),
        ("update audit set seq = 9 where seq = 5", "What stands at 9 is entry 5"),
    ],
)
def test_what_was_changed_by_hand_is_named(
    psn: Psn, run_sql: RunSql, statement: str, found: str
) -> None:
    """DOM-AUD-2."""
    by_hand(run_sql, statement)
    told = psn("audit", "verify", fails=True).output
    assert found in told
    assert "NOT GOOD" in told


def test_two_entries_that_changed_places_are_named(psn: Psn, run_sql: RunSql) -> None:
    by_hand(run_sql, "update audit set seq = -seq where seq in (2, 4)")
    by_hand(run_sql, "update audit set seq = case seq when -2 then 4 else 2 end where seq < 0")
    told = psn("audit", "verify", fails=True).output
    assert "Entry 2 was changed" in told and "Entry 4 was changed" in told
    assert "What stands at 4 is entry 2" in told


def test_a_trigger_that_was_left_off_is_named(psn: Psn, run_sql: RunSql) -> None:
    run_sql("alter table person disable trigger audited_update")
    told = psn("audit", "verify", fails=True).output
    assert "The trigger audited_update of the table person is off or gone." in told
    assert "5 entries are good" in told


def test_an_end_cut_off_with_its_checkpoint_is_found_by_one_kept_elsewhere(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys, tmp_path: Path
) -> None:
    """DOM-AUD-2."""
    kept = tmp_path / "elsewhere"
    kept.write_text(psn("audit", "checkpoint").output)
    assert audit.read_checkpoints(kept.read_text())[0].key == own_keys.public
    good = psn("audit", "verify", "--checkpoints", str(kept)).output
    assert "1 checkpoint checked, of entry 5 to 5" in good
    by_hand(run_sql, "delete from audit where seq = 5")
    run_sql("alter table audit_checkpoint disable trigger all")
    run_sql("delete from audit_checkpoint")
    run_sql("alter table audit_checkpoint enable trigger all")
    assert "4 entries are good" in psn("audit", "verify").output
    told = psn("audit", "verify", "--checkpoints", str(kept), fails=True).output
    assert "The end was cut off: entry 5 was signed" in told
    assert "entry 4 is the last one here" in told
    # All of it written anew does not help either.
    by_hand(run_sql, "delete from audit")
    run_sql("update person set full_name = 'Somebody' where id = 1")
    psn("audit", "verify")
    assert psn("audit", "verify", "--checkpoints", str(kept), fails=True).exit_code == 1


def test_a_checkpoint_signed_with_another_key_is_told(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys, tmp_path: Path
) -> None:
    forged = keys.load(tmp_path / "forger")
    head = run_sql("select hash from audit where seq = 5")
    assert isinstance(head, bytes)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    signature = forged.sign.sign(audit.checkpoint_text(5, head, at).encode())
    checkpoint = audit.Checkpoint(5, head, at, forged.public, signature)
    run_sql(
        f"insert into audit_checkpoint values (5, '\\x{head.hex()}', '2026-01-01Z',"
        f" '\\x{forged.public.hex()}', '\\x{signature.hex()}')"
    )
    told = psn("audit", "verify", fails=True).output
    assert f"signed with the key {forged.public.hex()}" in told
    assert (
        "1 checkpoint checked" in psn("audit", "verify", "--public-key", forged.public.hex()).output
    )
    file = tmp_path / "forger.pub"
    file.write_text(forged.public.hex() + "\n")
    psn("audit", "verify", "--public-key", str(file))
    file.write_text(checkpoint.line.replace(" 5 ", " 4 ", 1))
    told = psn("audit", "verify", "--checkpoints", str(file), fails=True).output
    assert "The checkpoint of entry 4 has a wrong signature" in told


def test_an_export_is_verified_without_a_database(
    psn: Psn, own_keys: keys.Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(psn("audit", "checkpoint").output)
    export = tmp_path / "export.jsonl"
    export.write_text(psn("audit", "export").output)
    lines = export.read_text().splitlines()
    said = [json.loads(line) for line in lines]
    assert [line["seq"] for line in said] == [1, 2, 3, 4, 5, 6]
    assert said[2]["entry"]["object"] == "unit:1"
    assert (said[5]["entry"]["action"], said[5]["entry"]["actor"]) == (
        "audit.exported",
        f"command line: {getpass.getuser()}",
    )
    monkeypatch.setenv("PSN_DATABASE", "postgresql:///nowhere?host=/nowhere")
    verify = ("audit", "verify", "--file", str(export))
    checked = (*verify, "--checkpoints", str(kept))
    assert "6 entries are good" in psn(*verify).output
    assert "say --public-key" in psn(*checked).output
    good = psn(*checked, "--public-key", own_keys.public.hex()).output
    assert own_keys.public.hex() in good and "say --public-key" not in good
    for bad, found in (
        ([lines[0], lines[2], lines[1], *lines[3:]], "Entry 2 stands behind entry 3"),
        ([*lines[:2], *lines[3:]], "Entry 3 is missing"),
        ([*lines[:3], *lines[2:]], "There are two of entry 3"),
        ([*lines[:2], lines[2].replace("P-1", "P-2"), *lines[3:]], "Entry 3 was changed"),
        ([*lines, "not a line"], "Line 7 of the export cannot be read"),
        ([*lines[:2], lines[2].replace('"seq": 3', '"seq": 99999999999999999999'), *lines[3:]],
         "Line 3 of the export cannot be read"),
        (lines[:4], "The end was cut off: entry 5 was signed"),
        ([], "The end was cut off: entry 5 was signed"),
    ):  # fmt: skip
        export.write_text("".join(line + "\n" for line in bad))
        assert found in psn(*checked, fails=True).output
    export.write_bytes(b"\xff\xfe\x00\n" + lines[0].encode() + b"\n")
    assert "Line 1 of the export cannot be read" in psn(*verify, fails=True).output


def test_entries_are_listed_by_filters(psn: Psn, run_sql: RunSql) -> None:
    me = f"command line: {getpass.getuser()}"
    everything = psn("audit", "list").output.splitlines()
    assert len(everything) == 6 and everything[0].startswith("entry")
    assert all(me in line for line in everything[1:])

    def listed(*options: str) -> list[str]:
        lines = psn("audit", "list", *options).output.splitlines()[1:]
        return [line.split()[0] for line in lines]

    assert listed("--action", "person") == ["4", "5"]
    assert listed("--action", "person.disabled") == ["5"]
    assert listed("--object", "unit:1") == ["3"]
    assert listed("--agency", "bpd") == ["1", "3", "4", "5"]
    assert listed("--agency", "BCG") == ["2"]
    assert listed("--actor", me, "--limit", "2") == ["4", "5"]
    assert listed("--since", "2000-01-01", "--until", "2100-01-01T12:00") == list("12345")
    assert listed("--until", "2000-01-01") == []
    assert psn("audit", "list", "--actor", "nobody'; --\0").output == "none\n"
    assert "not_found" in psn("audit", "list", "--agency", "XYZ", fails=True).output
    assert psn("audit", "list", "--since", "yesterday", fails=True).exit_code == 2


def test_what_a_stranger_typed_does_not_steer_the_terminal(psn: Psn) -> None:
    told = psn("audit", "list").output
    assert "\x1b" not in told and "<b>" in told


def test_who_asked_by_sudo_stands_beside_the_user(
    psn: Psn, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "maria")
    psn("user", "enable", "ana")
    body = run_sql("select body from audit order by seq desc limit 1")
    assert isinstance(body, str)
    entry = json.loads(body)
    assert (entry["action"], entry["actor_name"]) == ("person.enabled", "sudo by maria")


def test_without_the_servers_keys_nothing_is_signed_and_none_are_made(
    psn: Psn, tmp_path: Path
) -> None:
    assert "no_keys" in psn("audit", "checkpoint", fails=True).output
    psn("audit", "verify")
    assert not (tmp_path / "keys").exists()
    assert "bad_key" in psn("audit", "verify", "--public-key", "12", fails=True).output
    assert "no_checkpoints" in psn("audit", "verify", "--checkpoints", __file__, fails=True).output
