"""Agreements, exceptions, incidents and broken glass by command line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from command_line import Psn, RunSql, loaded

from psn.directory import Precision


@pytest.fixture
def units(psn: Psn, agencies: None) -> None:
    psn("unit", "add", "BPD/P-1", "--kind", "car")
    psn("unit", "add", "BCG/B-1", "--kind", "boat")


def test_agreements_both_ways_and_their_end(psn: Psn, agencies: None, database: str) -> None:
    psn(
        *("agreement", "add", "BPD", "BCG", "--units", "--both-ways"),
        *("--reason", "Joint patrols", "--author", "Order 12", "--until", "2099-01-01"),
    )
    first, second = loaded(database).agreements
    assert (first.owner, first.viewer, second.owner, second.viewer) == (1, 2, 2, 1)
    assert (first.units, first.messages) == (Precision.EXACT, False)
    assert first.ends == datetime(2099, 1, 1, tzinfo=UTC)
    listed = psn("agreement", "list").output
    assert "Order 12" in listed and "Joint patrols" in listed and "2099-01-01" in listed
    assert psn("agreement", "end", "1").output == "Agreement 1 has ended.\n"
    assert "over already" in psn("agreement", "end", "1").output
    assert [a.id for a in loaded(database).agreements] == [2]
    assert len(psn("agreement", "list").output.splitlines()) == 2
    assert len(psn("agreement", "list", "--all").output.splitlines()) == 3


def test_what_another_agency_wrote_does_not_steer_the_terminal(
    psn: Psn, agencies: None, run_sql: RunSql
) -> None:
    """Reasons are prose, which an agency's administrator writes at his page."""
    psn("agreement", "add", "BPD", "BCG", "--units", "--reason", "r", "--author", "Maya Can, café")
    run_sql("update agreement set reason = e'\\x1b]0;x\\x07 \\x1b[2J \\r\\n \\u009b2J \\u202e <b>'")
    told = psn("agreement", "list").output
    assert [c for c in told if not c.isprintable() and c != "\n"] == []
    assert len(told.splitlines()) == 2
    assert "<b>" in told and "Maya Can, café" in told and r"\x1b]0;x\x07" in told


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("BPD", "BCG", "--reason", "r"), "nothing_shared"),
        (("BPD", "bpd", "--units", "--reason", "r"), "same_agency"),
        (("BPD", "XX", "--units", "--reason", "r"), "not_found"),
        (("BPD", "BCG", "--units", "--reason", " "), "no_reason"),
        (("BPD", "BCG", "--units", "--reason", "r", "--until", "2001-01-01"), "already_over"),
    ],
)
def test_an_agreement_that_makes_no_sense_is_refused(
    psn: Psn, agencies: None, arguments: tuple[str, ...], code: str
) -> None:
    assert code in psn("agreement", "add", *arguments, fails=True).output
    assert psn("agreement", "list").output == "none\n"


def test_what_is_agreed_already_is_not_agreed_again(
    psn: Psn, agencies: None, database: str
) -> None:
    add = ("agreement", "add", "BPD", "BCG", "--reason", "r")
    psn(*add, "--units", "--until", "2099-01-01")
    refused = psn(*add, "--units", fails=True).output
    assert "agreed_already" in refused and "Agreement 1" in refused and "2099-01-01" in refused
    refused = psn(*add, "--units", "--both-ways", fails=True).output
    assert "agreed_already" in refused and "lets BCG have that of BPD" in refused
    # More than what there is, and the other way round, are agreements of their own.
    psn(*add, "--units", "--messages")
    psn("agreement", "add", "BCG", "BPD", "--reason", "r", "--units")
    assert [a.id for a in loaded(database).agreements] == [1, 2, 3]
    ended = psn("agreement", "end", "1").output
    assert "Still in force between the two, the same way: 2 (units exact, messages)." in ended
    assert "Still" not in psn("agreement", "end", "2").output
    psn(*add, "--units")


@pytest.mark.parametrize(
    "arguments", [("agency", "add", " ", "x"), ("agency", "add", "X", ""), ("group", "add", "")]
)
def test_what_has_no_name_is_not_added(psn: Psn, agencies: None, arguments: list[str]) -> None:
    assert "bad_name" in psn(*arguments, fails=True).output


def test_an_agreement_says_how_precisely(psn: Psn, agencies: None, database: str) -> None:
    add = ("agreement", "add", "BPD", "BCG", "--reason", "r", "--units")
    psn(*add, "blurred")
    assert "agreed_already" in psn(*add, "presence", fails=True).output
    psn(*add)
    assert [a.units for a in loaded(database).agreements] == [Precision.BLURRED, Precision.EXACT]
    assert "units blurred" in psn("agreement", "list").output
    psn(*add, "roughly", fails=True)


def test_exceptions_are_made_listed_and_ended(psn: Psn, units: None, database: str) -> None:
    psn("exception", "add", "BPD/P-1", "--units", "nothing", "--reason", "undercover")
    psn(
        *("exception", "add", "BPD/P-1", "--to", "bcg", "--units", "exact"),
        *("--reason", "boarding", "--until", "2099-01-01", "--author", "Order 7"),
    )
    for_all, named = loaded(database).exceptions
    assert (for_all.unit, for_all.viewer, for_all.units) == (1, None, Precision.NOTHING)
    assert (named.viewer, named.units, named.author) == (2, Precision.EXACT, "Order 7")
    listed = psn("exception", "list").output
    assert "everyone" in listed and "2099-01-01" in listed
    assert "hidden" in psn("unit", "list").output
    assert psn("exception", "end", "1").output == "Exception 1 has ended.\n"
    assert "over already" in psn("exception", "end", "1").output
    assert len(psn("exception", "list", "--all").output.splitlines()) == 3
    assert "not_found" in psn("exception", "end", "9", fails=True).output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("BPD/none", "--units", "nothing", "--reason", "r"), "not_found"),
        (("BPD/P-1", "--to", "BPD", "--units", "exact", "--reason", "r"), "same_agency"),
        (("BPD/P-1", "--units", "nothing", "--reason", ""), "no_reason"),
        (("BPD/P-1", "--units", "exact", "--reason", "r", "--until", "2001-01-01"), "already_over"),
    ],
)
def test_an_exception_that_makes_no_sense_is_refused(
    psn: Psn, units: None, arguments: tuple[str, ...], code: str
) -> None:
    assert code in psn("exception", "add", *arguments, fails=True).output
    assert psn("exception", "list").output == "none\n"


def test_an_incident_with_units_on_it_is_not_closed(psn: Psn, units: None, run_sql: RunSql) -> None:
    psn("incident", "open", "BPD", "Hit and run")
    run_sql(
        "insert into assignment (incident_id, unit_id, agency_id, order_text, ordered_by)"
        " select 1, id, agency_id, 'go', 'person:1' from unit where callsign = 'P-1'",
    )
    refused = psn("incident", "close", "1", fails=True).output
    assert "units_on_it" in refused and "P-1" in refused
    run_sql("update assignment set ended_at = now(), outcome = 'cleared'")
    assert psn("incident", "close", "1").output == "Incident 1 is closed.\n"


def test_an_incident_opens_is_joined_left_and_closed(psn: Psn, units: None, database: str) -> None:
    def members() -> set[tuple[int | None, int | None]]:
        return {(m.agency, m.unit) for i in loaded(database).incidents for m in i.members}

    psn("incident", "open", "BCG", "Boat adrift off Turneffe")
    assert members() == {(2, None)}
    joining = ("incident", "join", "1", "BPD", "BPD/P-1", "--reason", "pier")
    assert psn(*joining).output == "2 members added.\n"
    assert psn(*joining).output == "0 members added.\n"
    for_a_day = ("incident", "join", "1", "BPD", "--reason", "again", "--until", "2099-01-01")
    assert psn(*for_a_day).output == "0 members added.\n"
    assert members() == {(2, None), (1, None), (None, 1)}
    assert "BCG BPD BPD/P-1" in psn("incident", "list").output
    assert psn("incident", "leave", "1", "BPD/P-1").output == "1 member left.\n"
    assert members() == {(2, None), (1, None)}
    assert psn("incident", "close", "1").output == "Incident 1 is closed.\n"
    assert "already" in psn("incident", "close", "1").output
    assert members() == set()
    assert psn("incident", "list").output == "none\n"
    assert "Turneffe" in psn("incident", "list", "--all").output
    assert "not_found" in psn(*joining, fails=True).output
    assert "not_found" in psn("incident", "close", "2", fails=True).output
    assert "bad_name" in psn("incident", "open", "BCG", " ", fails=True).output


def test_broken_glass_is_listed_ended_and_reviewed(
    psn: Psn, units: None, database: str, run_sql: RunSql
) -> None:
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "A", "--role", "dispatcher")
    run_sql(
        "insert into broken_glass (person_id, owner_agency, reason, ends_at)"
        " values (1, 2, 'sinking', now() + interval '1 hour')"
    )
    assert "sinking" in psn("glass", "list", "--unreviewed").output
    assert psn("glass", "end", "1").output == "Broken glass 1 has ended.\n"
    assert "already" in psn("glass", "end", "1").output
    assert loaded(database).glasses == ()
    psn("glass", "review", "1", "justified")
    assert "reviewed_already" in psn("glass", "review", "1", "again", fails=True).output
    assert psn("glass", "list", "--unreviewed").output == "none\n"
    assert "justified" in psn("glass", "list").output
    for action in (("end", "7"), ("review", "7", "x")):
        assert "not_found" in psn("glass", *action, fails=True).output
