"""Whether two reports may be about the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.likeness import Report, alike

MINUTE = 60_000


def report(id: int = 2, **more: object) -> Report:
    fields: dict[str, object] = {
        "lon": -881_900_000,
        "lat": 174_900_000,
        "place": "",
        "kind": 1,
        "at": 0,
    }
    return Report(id, **(fields | more))  # type: ignore[arg-type]


def test_near_in_place_and_time_is_alike_and_another_kind_comes_later() -> None:
    """DOM-CALL-5."""
    one = report(1)
    other_kind, near, far = report(2, kind=2), report(3, lon=-881_880_000), report(4, lon=0)
    late = report(5, at=121 * MINUTE)
    found = alike(one, [other_kind, near, far, late])
    assert [each.id for each in found] == [3, 2]
    assert found[0].metres is not None and 150 < found[0].metres < 250
    assert found[0].same_type and not found[1].same_type


def test_without_a_place_on_the_map_the_same_words_do() -> None:
    one = report(1, lon=None, lat=None, place=" Queen  street")
    assert [each.id for each in alike(one, [report(2, place="queen Street")])] == [2]
    assert not alike(one, [report(2, place="King Street")])
    assert not alike(report(1, lon=None, place=""), [report(2, place="")])


@given(st.permutations([report(n, lon=-881_900_000 + n * 1_000) for n in range(2, 8)]))
def test_the_order_of_asking_changes_nothing(others: list[Report]) -> None:
    assert [each.id for each in alike(report(1), others)] == [2, 3, 4, 5, 6, 7]
