"""The phase of an incident, and its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import incidents
from dispatch.domain.incidents import Phase, phase
from dispatch.domain.refusals import DispatchRefused
from dispatch.domain.statuses import STEPS, Status


@given(st.lists(st.sampled_from(STEPS), max_size=6))
def test_the_phase_is_that_of_the_unit_which_is_furthest(statuses: list[Status]) -> None:
    """DOM-INC-3."""
    assert phase(True, statuses) is Phase.CLOSED
    furthest = max((STEPS.index(each) for each in statuses), default=-1)
    wanted = [Phase.WAITING, Phase.ORDERED, Phase.ORDERED, Phase.EN_ROUTE, Phase.ON_SCENE]
    assert phase(False, statuses) is wanted[furthest + 1]


def test_it_is_closed_only_when_nobody_is_assigned() -> None:
    """DOM-INC-4."""
    incidents.close(False, 0)
    for closed, assigned in ((False, 1), (False, 7), (True, 0)):
        with pytest.raises(DispatchRefused):
            incidents.close(closed, assigned)
    incidents.reopen(True)
    with pytest.raises(DispatchRefused):
        incidents.reopen(False)
