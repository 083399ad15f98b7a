"""People and units by command line."""

from __future__ import annotations

import re

import pytest
from command_line import Psn, RunSql, loaded

from psn.identity import credentials


@pytest.fixture(autouse=True)
def agencies(psn: Psn) -> None:
    psn("agency", "add", "BPD", "Belize Police Department")
    psn("agency", "add", "BCG", "Belize Coast Guard")


def shown_once(output: str) -> str:
    found = re.search(r"shown once\): (\S+)", output)
    assert found
    return found[1]


def test_a_user_is_added_with_a_password_that_works(psn: Psn, database: str) -> None:
    added = psn(
        *("user", "add", "BPD.Ana", "--agency", "bpd", "--full-name", "Ana Cal"),
        *("--role", "dispatcher", "--role", "supervisor"),
    )
    ana = loaded(database).people_by_name["bpd.ana"]
    assert ana.roles == ("dispatcher", "supervisor")
    assert credentials.verify_password(ana.password_hash, shown_once(added.output))
    assert "Ana Cal" in psn("user", "list", "--agency", "BPD").output
    assert psn("user", "list", "--agency", "BCG").output == "none\n"


def test_a_password_from_standard_input_is_not_shown(psn: Psn, database: str) -> None:
    arguments = (
        "user",
        "add",
        "ana",
        "--agency",
        "BPD",
        "--full-name",
        "A",
        "--password-stdin",
        "--role",
        "field",
    )
    added = psn(*arguments, typed="correct horse battery\n")
    assert "horse" not in added.output
    ana = loaded(database).people_by_name["ana"]
    assert credentials.verify_password(ana.password_hash, "correct horse battery")
    assert "already_there" in psn(*arguments, typed="correct horse battery\n", fails=True).output
    changed = psn("user", "password", "ana", "--password-stdin", typed="short\n", fails=True)
    assert "weak_password" in changed.output
    psn("user", "password", "ana", "--password-stdin", typed="another horse battery\n")
    ana = loaded(database).people_by_name["ana"]
    assert credentials.verify_password(ana.password_hash, "another horse battery")


@pytest.mark.parametrize("name", ["", "ana cal", "-ana", "a" * 64, "añа"])
def test_a_name_that_cannot_be_typed_is_refused(psn: Psn, name: str) -> None:
    refused = psn(
        *("user", "add", "--agency", "BPD", "--full-name", "A", "--role", "field", "--", name),
        fails=True,
    )
    assert "bad_name" in refused.output


def test_disabling_ends_sessions_and_enabling_lets_in_again(
    psn: Psn, database: str, run_sql: RunSql
) -> None:
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "A", "--role", "dispatcher")
    run_sql(
        "insert into session (token_hash, person_id, ends_at) values"
        " ('\\x01', 1, now() + interval '1 hour'), ('\\x02', 1, now() - interval '1 hour')"
    )
    assert psn("user", "disable", "ANA").output == "User ana is disabled; 1 session ended.\n"
    assert run_sql("select count(*) from session where ended_at is not null") == 1
    assert loaded(database).people_by_name == {}
    assert "disabled" in psn("user", "list").output
    psn("user", "enable", "ana")
    assert set(loaded(database).people_by_name) == {"ana"}
    assert "not_found" in psn("user", "disable", "ben", fails=True).output


def test_roles_are_given_anew_and_only_those_that_there_are(psn: Psn, database: str) -> None:
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "A", "--role", "dispatcher")
    said = psn("user", "roles", "ANA", "--role", "supervisor", "--role", "auditor").output
    assert said == "User ana: supervisor, auditor.\n"
    assert loaded(database).people_by_name["ana"].roles == ("supervisor", "auditor")
    psn("user", "roles", "ana", "--role", "gateway", fails=True)
    psn("user", "roles", "ana", fails=True)
    assert "not_found" in psn("user", "roles", "ben", "--role", "field", fails=True).output


def test_a_new_password_ends_sessions(psn: Psn, run_sql: RunSql) -> None:
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "A", "--role", "dispatcher")
    run_sql(
        "insert into session (token_hash, person_id, ends_at)"
        " values ('\\x01', 1, now() + interval '1 hour')"
    )
    told = psn("user", "password", "ana").output
    assert "1 session ended" in told and "disabled" not in told
    psn("user", "disable", "ana")
    assert "Still disabled" in psn("user", "password", "ana").output


def test_units_are_added_listed_and_hidden(psn: Psn, database: str) -> None:
    psn("unit", "add", "BPD/P-1", "--kind", "car", "--key", "radio:17")
    psn("unit", "add", "BCG/B-1", "--kind", "boat", "--hidden", "patrol")
    assert "already_there" in psn("unit", "add", "BPD/P-1", "--kind", "car", fails=True).output
    same_key = ("unit", "add", "BPD/P-2", "--kind", "car", "--key", "radio:17")
    assert "already_there" in psn(*same_key, fails=True).output
    (hiding,) = loaded(database).exceptions
    assert (hiding.unit, hiding.viewer, hiding.reason) == (2, None, "patrol")
    assert "BCG/B-1  boat  hidden" in psn("unit", "list", "--agency", "BCG").output
    psn("unit", "hide", "BPD/P-1", "--reason", "undercover")
    psn("unit", "hide", "BPD/P-1", "--reason", "another order", "--until", "2100-01-01")
    assert [e.reason for e in loaded(database).exceptions if e.unit == 1] == ["another order"]
    psn("unit", "hide", "1", "--show")
    assert loaded(database).apart == {2}
    assert (
        "already_over"
        in psn(*("unit", "hide", "1", "--reason", "x", "--until", "2020-01-01"), fails=True).output
    )
    assert "no_reason" in psn("unit", "hide", "1", "--reason", " ", fails=True).output
    assert "no_reason" in psn("unit", "hide", "1", fails=True).output
    psn("unit", "retire", "BPD/P-1")
    assert loaded(database).units[1].retired
    assert "retired" in psn("unit", "list").output
    psn("unit", "retire", "BPD/P-1", "--back")
    assert not loaded(database).units[1].retired
    assert "not_found" in psn("unit", "retire", "BPD/none", fails=True).output


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("P-1", "car", "bad_name"),
        ("BPD/", "car", "bad_name"),
        ("BPD/" + "x" * 41, "car", "bad_name"),
        ("XX/P-1", "car", "not_found"),
        ("BPD/P-1", "Car 1", "bad_kind"),
    ],
)
def test_a_unit_that_cannot_be_is_refused(psn: Psn, name: str, kind: str, code: str) -> None:
    assert code in psn("unit", "add", name, "--kind", kind, fails=True).output
