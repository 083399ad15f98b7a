"""The red button is over only when both sides have said so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain import emergencies
from dispatch.domain.emergencies import Emergency
from dispatch.domain.refusals import DispatchRefused

steps = st.lists(
    st.sampled_from(["press", "press at once", "own", "unit", "desk", "alone"]), max_size=15
)


@given(steps)
def test_it_is_over_exactly_when_both_have_said_so_since_the_last_press(said: list[str]) -> None:
    """DOM-EMG-2, DOM-EMG-3, DOM-EMG-4."""
    now = Emergency()
    owned = unit = desk = alone = False
    for word in said:
        if now.over:
            with pytest.raises(DispatchRefused):
                emergencies.press(now, just_taken=False)
            return
        if word.startswith("press"):
            at_once = word == "press at once"
            now, unit, desk = emergencies.press(now, at_once), False, False
            owned = owned and at_once
            assert (now.owner is not None) == owned
        elif word == "own":
            now, owned = emergencies.own(now, 1), True
        elif word == "unit":
            now, unit = emergencies.unit_says_safe(now), True
        elif not owned:
            with pytest.raises(DispatchRefused, match="Nobody takes care"):
                emergencies.desk_says_safe(now, word == "alone")
        else:
            now, desk = emergencies.desk_says_safe(now, word == "alone"), True
            alone = alone or word == "alone"
        assert now.over is (alone or (unit and desk))
