"""From the first ring to one of three ends."""

from __future__ import annotations

import itertools

import pytest

from dispatch.domain import calls
from dispatch.domain.calls import NEXT, OPEN, State
from dispatch.domain.refusals import DispatchRefused


@pytest.mark.parametrize(("state", "wanted"), list(itertools.product(State, State)))
def test_a_call_ends_in_one_of_three_ways_and_then_stays(state: State, wanted: State) -> None:
    """DOM-CALL-2."""
    if wanted in NEXT[state]:
        assert calls.become(state, wanted) is wanted
        assert state in OPEN
    else:
        with pytest.raises(DispatchRefused) as refused:
            calls.become(state, wanted)
        assert refused.value.code == "not_now"


def test_a_call_has_one_person_and_is_taken_over_knowingly() -> None:
    """DOM-CALL-3."""
    calls.take(State.WAITING, None, 1, over=False)
    calls.take(State.TAKEN, 1, 1, over=False)
    with pytest.raises(DispatchRefused, match="Somebody else"):
        calls.take(State.TAKEN, 1, 2, over=False)
    calls.take(State.TAKEN, 1, 2, over=True)
    for state, taken_by in ((State.WAITING, None), (State.TAKEN, 2), (State.CLOSED, 1)):
        with pytest.raises(DispatchRefused):
            calls.work(state, taken_by, 1)
    calls.work(State.TAKEN, 1, 1)
