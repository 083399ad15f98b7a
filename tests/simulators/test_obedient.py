"""A crew that does what it is ordered."""

from __future__ import annotations

from random import Random
from typing import Any

from simulators.obedient import WAITS, Duty, following


def item(number: int, unit: int = 7, **reached: int) -> dict[str, Any]:
    return {"is": "assignment", "id": number, "unit": unit, **reached}


def test_it_knows_where_its_own_assignments_are() -> None:
    duty = Duty(7)
    duty.take([item(1), item(2, unit=8), {"is": "unit", "id": 7}], [], whole=True)
    assert duty.live == (1,) and duty.at(1) == "ordered"
    duty.take([item(1, acknowledged=5, en_route=6)], [], whole=False)
    assert duty.at(1) == "en_route"
    duty.take([item(1, en_route=6, ended=9)], [], whole=False)
    assert duty.at(1) is None
    duty.take([item(3)], [], whole=False)
    duty.take([], ["assignment:3", "incident:1"], whole=False)
    assert duty.live == ()
    duty.take([item(4)], [], whole=False)
    duty.take([], [], whole=True)
    assert duty.live == ()


def test_it_says_every_step_and_is_clear_at_the_end() -> None:
    said, random = ["ordered"], Random(1)
    while said[-1] != "clear":
        step, seconds = following(said[-1], random)
        _, least, most = WAITS[said[-1]]
        assert least <= seconds <= most
        said.append(step)
    assert said == ["ordered", "acknowledged", "en_route", "on_scene", "clear"]
