"""Devices by command line: codes made, shown and taken back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import Psn, RunSql, loaded

from psn.enrolment import device_key, enrolment_code


@pytest.fixture(autouse=True)
def agencies(psn: Psn) -> None:
    psn("agency", "add", "BPD", "Belize Police Department")
    psn("agency", "add", "BCG", "Belize Coast Guard")
    psn("unit", "add", "BPD/P-1", "--kind", "car")


def add_device(run_sql: RunSql) -> device_key.DeviceKey:
    key = device_key.new()
    run_sql(
        "insert into device (agency_id, unit_id, label, public_key)"
        f" values (1, 1, 'Tablet 1', '\\x{key.public.hex()}')"
    )
    return key


def test_a_code_is_shown_once_as_text_and_as_a_picture(psn: Psn, run_sql: RunSql) -> None:
    shown = psn("device", "enrol", "Tablet 1", "--unit", "BPD/P-1").output
    found = re.search(r"^  (\w{4}-\w{4}-\w{4})$", shown, re.MULTILINE)
    assert found
    assert sum(set(line) <= set(" ▄▀█\x1b[0m") for line in shown.splitlines()) > 15
    code = enrolment_code.canonical(found[1])
    kept = run_sql("select code_hash from enrolment")
    assert kept == enrolment_code.kept(code)
    listed = psn("device", "list").output
    assert "Tablet 1" in listed and "BPD/P-1" in listed and "command line" in listed
    assert code not in listed and found[1] not in listed
    assert loaded_devices(run_sql) == 0


def loaded_devices(run_sql: RunSql) -> object:
    return run_sql("select count(*) from device")


def test_for_programs_it_is_one_object(psn: Psn, run_sql: RunSql, tmp_path: Path) -> None:
    file = tmp_path / "code.svg"
    arguments = ("--gateway", "--agency", "BCG", "--server", "https://psn.example.bz")
    got = json.loads(psn("device", "enrol", "AIS", *arguments, "--qr", str(file), "--json").output)
    assert set(got) == {"enrolment", "code", "uri", "until"}
    server, code = enrolment_code.from_uri(got["uri"])
    assert (server, enrolment_code.shown(code)) == ("https://psn.example.bz", got["code"])
    assert ElementTree.parse(file).getroot().tag.endswith("svg")
    assert run_sql("select gateway and not gateway_all and agency_id = 2 from enrolment")
    hours = "extract(epoch from expires_at - created_at) / 3600"
    assert run_sql(f"select round({hours}) from enrolment") == 24


def test_the_server_is_where_the_settings_say(psn: Psn, monkeypatch: pytest.MonkeyPatch) -> None:
    def server() -> str:
        got = json.loads(psn("device", "enrol", "T", "--unit", "BPD/P-1", "--json").output)
        return enrolment_code.from_uri(got["uri"])[0]

    assert server() == "http://127.0.0.1:8080"
    monkeypatch.setenv("PSN_HOST", "::1")
    monkeypatch.setenv("PSN_TLS_CERTIFICATE", "server.pem")
    monkeypatch.setenv("PSN_TLS_KEY", "server.key")
    assert server() == "https://[::1]:8080"
    monkeypatch.setenv("PSN_HOST", "0.0.0.0")
    assert "0.0.0.0" not in server()
    monkeypatch.setenv("PSN_URL", "https://psn.example.bz")
    assert server() == "https://psn.example.bz"


def test_gateways(psn: Psn, run_sql: RunSql) -> None:
    psn("device", "enrol", "AIS", "--gateway", "--agency", "BCG", "--hours", "1")
    psn("device", "enrol", "Radio", "--gateway", "--agency", "BPD", "--all-agencies")
    listed = psn("device", "list").output
    assert re.search(r"AIS +BCG +gateway ", listed)
    assert re.search(r"Radio +BPD +gateway for all", listed)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--gateway",),
        ("--agency", "BPD"),
        ("--unit", "BPD/P-1", "--gateway", "--agency", "BPD"),
        ("--unit", "BPD/P-1", "--all-agencies"),
    ],
)
def test_a_device_is_for_a_unit_or_a_gateway(psn: Psn, arguments: tuple[str, ...]) -> None:
    assert "bad_device" in psn("device", "enrol", "T", *arguments, fails=True).output


def test_what_is_not_there_is_said(psn: Psn) -> None:
    for arguments in (
        ("enrol", "T", "--unit", "BPD/none"),
        ("rename", "7", "T"),
        ("revoke", "7"),
        ("wipe", "7"),
        ("cancel", "7"),
    ):
        assert "not_found" in psn("device", *arguments, fails=True).output
    assert "bad_name" in psn("device", "enrol", " ", "--unit", "BPD/P-1", fails=True).output


def test_a_code_that_waits_is_cancelled_and_one_that_was_used_is_not(
    psn: Psn, run_sql: RunSql
) -> None:
    psn("device", "enrol", "T", "--unit", "BPD/P-1")
    psn("device", "enrol", "U", "--unit", "BPD/P-1")
    assert psn("device", "cancel", "1").output == "Code 1 is worth nothing.\n"
    assert run_sql("select expires_at <= now() from enrolment where id = 1")
    listed = psn("device", "list").output
    assert "  U  " in listed and "  T  " not in listed
    assert "not_found" in psn("device", "cancel", "1", fails=True).output
    add_device(run_sql)
    run_sql("update enrolment set used_at = now(), device_id = 1 where id = 2")
    assert "not_found" in psn("device", "cancel", "2", fails=True).output
    assert "Codes" not in psn("device", "list").output


def test_revoking_ends_sessions(psn: Psn, database: str, run_sql: RunSql) -> None:
    key = add_device(run_sql)
    run_sql(
        "insert into session (token_hash, device_id, ends_at)"
        " values ('\\x01', 1, now() + interval '1 hour')"
    )
    assert loaded(database).devices[1].public_key == key.public
    assert psn("device", "revoke", "1").output == "Device 1 is revoked; 1 session ended.\n"
    assert loaded(database).devices[1].revoked
    assert "revoked" in psn("device", "list").output


def test_a_wiped_device_is_revoked_too_and_the_first_order_counts(
    psn: Psn, database: str, run_sql: RunSql
) -> None:
    add_device(run_sql)
    psn("device", "wipe", "1")
    found = loaded(database).devices[1]
    assert (found.revoked, found.wipe) == (True, True)
    first = run_sql("select wipe_ordered_at from device")
    psn("device", "wipe", "1")
    assert run_sql("select wipe_ordered_at from device") == first


def test_joining_needs_a_code_and_a_server(psn: Psn, tmp_path: Path) -> None:
    file = ("--key", str(tmp_path / "key.pem"))
    wrong = psn("device", "join", "--server", "http://x", "--code", "no", *file, fails=True)
    assert "wrong_code" in wrong.output
    assert "no_server" in psn("device", "join", "--code", "0" * 12, *file, fails=True).output
    uri = enrolment_code.uri("http://127.0.0.1:9", "0" * 12)
    assert "no_server" in psn("device", "join", "--code", uri, *file, fails=True).output
