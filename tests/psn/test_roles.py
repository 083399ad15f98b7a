"""The table of rights: every role, object and action, against the one that people read."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import roles
from psn.roles import ACTIONS, RIGHTS, Reach

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"
CELL = {"": Reach.NONE, "own": Reach.OWN, "shared": Reach.SHARED, "all": Reach.ALL}


def documented() -> dict[tuple[str, str, str], Reach]:
    """Role, object and action, as the table in docs/access.md says."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| (object|`?\w+`?) +\|", line)
    ]
    heads = next(row for row in rows if row[0] == "object")
    table = {}
    for row in rows[rows.index(heads) + 1 :]:
        if len(row) != len(heads):
            break
        for role, cell in zip(heads[2:], row[2:], strict=True):
            table[role.replace(" ", "_"), row[0], row[1]] = CELL[cell]
    return table


def test_the_document_says_the_same_for_every_role_object_and_action() -> None:
    said = documented()
    every = {
        (role, kind, action): roles.reach([role], kind, action)
        for role, (kind, actions) in itertools.product(RIGHTS, ACTIONS.items())
        for action in actions
    }
    assert said == every


def test_what_is_not_in_the_table_is_nobodys() -> None:
    for kind, actions in ACTIONS.items():
        for action in actions:
            for nobody in ([], [""], ["root"], ["Administrator"], ["gateway"], ["*"]):
                assert roles.reach(nobody, kind, action) is Reach.NONE


def test_an_object_or_an_action_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        roles.reach(["supervisor"], "moon", "see")
    with pytest.raises(ValueError, match="unit knows no fly"):
        roles.reach(["supervisor"], "unit", "fly")


@given(st.lists(st.sampled_from(list(RIGHTS))))
def test_several_roles_reach_as_far_as_the_furthest(held: list[str]) -> None:
    for kind, actions in ACTIONS.items():
        for action in actions:
            single = [roles.reach([role], kind, action) for role in held]
            assert roles.reach(held, kind, action) is max(single, default=Reach.NONE)


def test_nobody_sees_every_unit_whatever_his_role() -> None:
    """DOM-WHO-3: a reach of all would pass by exceptions."""
    for role in RIGHTS:
        for kind in ("unit", "track", "message", "recording", "audit"):
            for action in ACTIONS[kind]:
                assert roles.reach([role], kind, action) < Reach.ALL


def test_no_single_role_both_shares_and_looks_or_both_acts_and_audits() -> None:
    """Who lets others in sees no units by that role; who audits changes nothing."""
    assert RIGHTS["administrator"].keys().isdisjoint({("unit", "see"), ("track", "see")})
    changing = {"manage", "conceal", "open", "close", "draw", "approve", "agree", "set", "end"}
    assert not {action for _, action in RIGHTS["auditor"]} & changing


def test_who_drafts_a_warning_as_an_officer_does_not_approve_it() -> None:
    assert ("warning", "approve") not in RIGHTS["warning_officer"]
