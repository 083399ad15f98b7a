"""What waits is taken back once, in its time, and nobody pushes out another's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from psn.identity.once import MOST_OF_ONE, MOST_WAITING, Once


def test_a_value_is_looked_at_often_and_taken_once() -> None:
    waiting: Once[str] = Once(600.0)
    waiting.put(b"key", "value", "192.0.2.1", 0.0)
    assert waiting.look(b"key", 599.0) == waiting.look(b"key", 599.0) == "value"
    assert waiting.look(b"key", 600.0) is None
    assert waiting.take(b"key", 1.0) == "value"
    assert waiting.take(b"key", 1.0) is waiting.look(b"key", 1.0) is None
    waiting.put(b"late", "value", "192.0.2.1", 0.0)
    assert waiting.take(b"late", 600.0) is None and len(waiting) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 20)), max_size=200))
def test_each_asker_has_his_newest_and_no_more(steps: list[tuple[str, bool, int]]) -> None:
    waiting: Once[int] = Once(1e9)
    model: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    for n, (asker, put, which) in enumerate(steps):
        own = model[asker]
        if put:
            waiting.put(str(n).encode(), n, asker, 0.0)
            model[asker] = [*own, n][-MOST_OF_ONE:]
        elif which < len(own):
            assert waiting.take(str(own[which]).encode(), 0.0) == own.pop(which)
        for kept in model.values():
            assert all(waiting.look(str(each).encode(), 0.0) == each for each in kept)
        assert len(waiting) == sum(map(len, model.values()))


def test_very_many_askers_are_bounded_together() -> None:
    waiting: Once[int] = Once(600.0)
    for n in range(MOST_WAITING + 10):
        waiting.put(str(n).encode(), n, str(n), 0.0)
    assert len(waiting) == MOST_WAITING
    assert waiting.look(b"9", 0.0) is None and waiting.look(b"10", 0.0) == 10
