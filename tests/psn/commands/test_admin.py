"""Agencies and groups by command line."""

from __future__ import annotations

import pytest
from command_line import Psn, loaded


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
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "Ana Cal", "--role", "dispatcher")
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
