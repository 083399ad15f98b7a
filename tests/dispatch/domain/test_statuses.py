"""What a unit may say next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.refusals import DispatchRefused
from dispatch.domain.statuses import CLEAR, FREE, STEPS, Status, following, step

words = st.sampled_from([*Status, CLEAR, "flying"])


@given(st.sampled_from(list(Status)), words)
def test_only_what_may_follow_is_taken_and_a_refusal_says_what_that_is(
    status: Status, said: str
) -> None:
    """DOM-STA-2."""
    if said in following(status):
        after = step(status, said)
        assert after is (Status.AVAILABLE if said == CLEAR else Status(said))
    else:
        with pytest.raises(DispatchRefused) as refused:
            step(status, said)
        assert refused.value.code == "not_now"
        assert all(each.replace("_", " ") in refused.value.todo for each in following(status))


@given(st.lists(words, max_size=12))
def test_an_assignment_only_goes_forward_until_it_is_clear(said: list[str]) -> None:
    status = Status.ORDERED
    for word in said:
        try:
            after = step(status, word)
        except DispatchRefused:
            continue
        if word == CLEAR:
            return
        assert STEPS.index(after) > STEPS.index(status)
        status = after


def test_without_an_assignment_none_of_its_steps_is_reached() -> None:
    """DOM-STA-3."""
    for status in FREE:
        assert {Status(each) for each in following(status)} == FREE - {status}
