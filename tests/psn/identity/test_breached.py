"""The operator's list of breached passwords: looked into by halving, never loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from psn.identity import breached
from psn.identity.breached import BadList


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def listed(file: Path, passwords: list[str], end: str = "\r\n", counts: bool = True) -> Path:
    lines = sorted(sha1(password) + (":42" if counts else "") for password in passwords)
    file.write_text(end.join(lines) + (end if lines else ""), newline="")
    return file


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("counts", [True, False])
def test_every_line_is_found_and_no_other(tmp_path: Path, end: str, counts: bool) -> None:
    there = [f"password {n}" for n in range(2_000)]
    file = listed(tmp_path / "list", there, end, counts)
    assert all(breached.holds(file, password) for password in there)
    assert not any(breached.holds(file, f"other {n}") for n in range(500))
    assert breached.check(file) == file.stat().st_size


@given(st.sets(st.integers(0, 10_000), max_size=40), st.integers(0, 10_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list(tmp_path: Path, there: set[int], asked: int) -> None:
    file = listed(tmp_path / "list", [f"{n}" for n in there])
    assert breached.holds(file, f"{asked}") == (asked in there)


def test_a_list_without_a_last_line_end_and_in_small_letters(tmp_path: Path) -> None:
    file = tmp_path / "list"
    lines = sorted([sha1("one"), sha1("two"), sha1("three")])
    file.write_text("\n".join(lines).lower())
    assert all(breached.holds(file, password) for password in ("one", "two", "three"))
    assert not breached.holds(file, "four")


def test_the_same_word_from_another_keyboard_is_found(tmp_path: Path) -> None:
    file = listed(tmp_path / "list", ["Dangriga Se\u00f1orita"])
    assert breached.holds(file, "Dangriga Sen\u0303orita")


def test_a_look_up_reads_little_of_a_large_file(tmp_path: Path) -> None:
    """Sixty megabytes here, forty gigabytes there: some bytes for each halving."""
    file = tmp_path / "list"
    with file.open("wb") as out:
        for n in range(1_300_000):
            out.write(b"%040X:1\r\n" % (n << 138))
    before = _read_bytes()
    assert not breached.holds(file, "a password that is not there")
    assert _read_bytes() - before < 100_000


def _read_bytes() -> int:
    counters = Path("/proc/self/io").read_text()
    return int(counters.partition("rchar:")[2].split()[0])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not a list at all\n" * 50, "no HASH:COUNT"),
        (b"\x00\xff" * 5_000, "HASH:COUNT"),
        (b"%PDF-1.4\n" + b"0" * 300, "HASH:COUNT"),
    ],
)
def test_a_file_that_is_no_list_is_named_with_what_is_right(
    tmp_path: Path, content: bytes, why: str
) -> None:
    file = tmp_path / "list"
    file.write_bytes(content)
    for look in (lambda: breached.holds(file, "password"), lambda: breached.check(file)):
        with pytest.raises(BadList, match=why) as refused:
            look()
        assert refused.value.code == "bad_breach_list"
        assert "PSN_BREACHED_PASSWORDS" in refused.value.todo


def test_a_list_in_another_order_is_noticed(tmp_path: Path) -> None:
    lines = sorted(sha1(f"{n}") + ":1" for n in range(1_000))
    file = tmp_path / "list"
    file.write_text("\n".join(reversed(lines)))
    with pytest.raises(BadList, match="not ordered"):
        breached.check(file)


def test_a_missing_list_is_a_problem_and_no_list_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadList):
        breached.holds(tmp_path / "none", "password")
    with pytest.raises(BadList):
        breached.check(tmp_path / "none")
    assert not breached.look_up(None)("password")
    (tmp_path / "empty").touch()
    assert not breached.look_up(str(tmp_path / "empty"))("password")
