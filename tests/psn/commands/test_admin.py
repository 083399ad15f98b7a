"""Agencies, groups and agreements by command line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from command_line import Psn, loaded


@pytest.fixture
def agencies(psn: Psn) -> None:
    psn("agency", "add", "bpd", "Belize Police Department", "--colour", "#5A6CCB")
    psn("agency", "add", "BCG", "Belize Coast Guard")


def test_agencies(psn: Psn, agencies: None, database: str) -> None:
    assert loaded(database).agencies_by_code["BPD"].colour == "#5a6ccb"
    listed = psn("agency", "list").output.splitlines()
    assert listed[0].split() == ["id", "code", "name", "colour"]
    assert listed[1].split() == ["1", "BPD", "Belize", "Police", "Department", "#5a6ccb"]
    again = psn("agency", "add", "BPD", "again", fails=True).output
    assert "The agency BPD is there already." in again and "already_there" in again


@pytest.mark.parametrize("colour", ["red", "#12345", "#12345g", "1234567"])
def test_a_bad_colour_is_refused(psn: Psn, colour: str) -> None:
    assert "bad_colour" in psn("agency", "add", "X", "x", "--colour", colour, fails=True).output


def test_groups_and_members(psn: Psn, agencies: None, database: str) -> None:
    psn("unit", "add", "BCG/B-1", "--kind", "boat")
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "Ana Cal")
    psn("group", "add", "JOC")
    psn("group", "add", "Marine", "--agency", "BCG")
    assert "already_there" in psn("group", "add", "JOC", fails=True).output
    added = psn("group", "member", "JOC", "agency:BCG", "person:ana", "unit:BCG/B-1")
    assert added.output == "3 members added.\n"
    assert psn("group", "member", "JOC", "agency:bcg").output == "0 members added.\n"
    assert psn("group", "member", "Marine", "agency:bcg").output == "1 member added.\n"
    joc = loaded(database).groups[1]
    assert (joc.people, joc.units, joc.agencies) == ({1}, {1}, {2})
    listed = psn("group", "list").output
    assert "agency:BCG person:ana unit:BCG/B-1" in listed
    assert "Marine  BCG" in listed
    psn("group", "member", "JOC", "person:ana", "--remove")
    assert loaded(database).groups[1].people == frozenset()


def test_two_groups_of_one_name_have_to_be_told_apart(
    psn: Psn, agencies: None, database: str
) -> None:
    psn("group", "add", "Ops", "--agency", "BPD")
    psn("group", "add", "Ops", "--agency", "BCG")
    assert "ambiguous" in psn("group", "member", "Ops", "agency:BPD", fails=True).output
    psn("group", "member", "BCG/Ops", "agency:BPD")
    assert loaded(database).groups[2].agencies == {1}


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("ana", "bad_member"),
        ("person:nobody", "not_found"),
        ("unit:BCG/none", "not_found"),
        ("unit:99", "not_found"),
        ("agency:XX", "not_found"),
    ],
)
def test_a_member_that_is_none_is_refused_and_nothing_changes(
    psn: Psn, agencies: None, database: str, member: str, code: str
) -> None:
    psn("group", "add", "JOC")
    assert code in psn("group", "member", "JOC", "agency:BPD", member, fails=True).output
    assert loaded(database).groups[1].agencies == frozenset()


def test_agreements_both_ways_and_their_end(psn: Psn, agencies: None, database: str) -> None:
    psn(
        *("agreement", "add", "BPD", "BCG", "--units", "--both-ways"),
        *("--reason", "Joint patrols", "--author", "Order 12", "--until", "2099-01-01"),
    )
    first, second = loaded(database).agreements
    assert (first.owner, first.viewer, second.owner, second.viewer) == (1, 2, 2, 1)
    assert (first.units, first.messages) == (True, False)
    assert first.ends == datetime(2099, 1, 1, tzinfo=UTC)
    listed = psn("agreement", "list").output
    assert "Order 12" in listed and "Joint patrols" in listed and "2099-01-01" in listed
    assert psn("agreement", "end", "1").output == "Agreement 1 has ended.\n"
    assert "over already" in psn("agreement", "end", "1").output
    assert [a.id for a in loaded(database).agreements] == [2]
    assert len(psn("agreement", "list").output.splitlines()) == 2
    assert len(psn("agreement", "list", "--all").output.splitlines()) == 3


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
    assert "Still in force between the two, the same way: 2 (units+messages)." in ended
    assert "Still" not in psn("agreement", "end", "2").output
    psn(*add, "--units")


@pytest.mark.parametrize(
    "arguments", [("agency", "add", " ", "x"), ("agency", "add", "X", ""), ("group", "add", "")]
)
def test_what_has_no_name_is_not_added(psn: Psn, agencies: None, arguments: list[str]) -> None:
    assert "bad_name" in psn(*arguments, fails=True).output
