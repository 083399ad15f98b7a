"""Codes of authenticators (RFC 6238) and recovery codes."""

from __future__ import annotations

import time

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.identity import factors

SECRET = b"12345678901234567890"
"""Of RFC 6238, appendix B."""


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_standard(at: int, code: str) -> None:
    """Six of their eight digits."""
    assert factors.totp_step(SECRET, code[2:], at, None) == at // 30


def code_at(at: float) -> str:
    return pyotp.TOTP(factors.base32(SECRET)).at(at)


@pytest.mark.parametrize(("late", "good"), [(-30, True), (0, True), (30, True), (-60, False),
                                            (60, False), (600, False), (-600, False)])  # fmt: skip
def test_a_clock_may_be_half_a_minute_off_and_not_ten(late: int, good: bool) -> None:
    at = 1_800_000_015.0
    assert (factors.totp_step(SECRET, code_at(at - late), at, None) is not None) == good


def test_a_step_counts_once_and_none_before_it_again() -> None:
    at = 1_800_000_015.0
    step = factors.totp_step(SECRET, code_at(at), at, None)
    assert step is not None
    assert factors.totp_step(SECRET, code_at(at), at, step) is None
    assert factors.totp_step(SECRET, code_at(at - 30), at, step) is None
    assert factors.totp_step(SECRET, code_at(at + 30), at, step) == step + 1


@pytest.mark.parametrize("typed", ["{0}{1}", "{0} {1}", " {0}-{1} "])
def test_codes_may_be_typed_with_a_gap(typed: str) -> None:
    at = 1_800_000_015.0
    code = code_at(at)
    said = typed.format(code[:3], code[3:])
    assert factors.is_totp(said)
    assert factors.totp_step(SECRET, said, at, None) is not None


@given(st.text(max_size=40))
def test_any_text_is_no_code(code: str) -> None:
    if code.strip() != code_at(59):
        assert factors.totp_step(SECRET, code, 1e10, None) is None
    factors.is_totp(code)


def test_a_code_in_other_digits_is_none() -> None:
    """What int() would take for digits."""
    arabic = code_at(59).translate({ord("0") + n: 0x660 + n for n in range(10)})
    assert factors.totp_step(SECRET, arabic, 59, None) is None


def test_what_the_qr_code_says() -> None:
    said = factors.otpauth(SECRET, "bpd.ana", "Public Safety: Belize")
    read = pyotp.parse_uri(said)
    assert isinstance(read, pyotp.TOTP)
    assert (read.name, read.issuer, read.digits, read.interval) == (
        "bpd.ana", "Public Safety  Belize", 6, 30)  # fmt: skip
    assert read.byte_secret() == SECRET
    assert len({factors.new_totp_secret() for _ in range(20)}) == 20


def test_recovery_codes_are_found_by_their_hash_however_they_are_typed() -> None:
    codes = factors.new_recovery_codes()
    assert len(set(codes)) == factors.RECOVERY_CODES == 10
    kept = factors.hash_recovery_codes(codes)
    assert not any(code.replace("-", "").encode() in each for code in codes for each in kept)
    for typed in (codes[3], codes[3].upper(), codes[3].replace("-", " ")):
        assert not factors.is_totp(typed)
        assert factors.find_recovery_code(kept, typed) == kept[3]
    assert factors.find_recovery_code(kept, "aaaa-aaaa-aaaa") is None
    assert factors.find_recovery_code([], codes[0]) is None


def test_checking_recovery_codes_costs_one_hash_for_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = factors.hash_recovery_codes(factors.new_recovery_codes())
    made = []
    real = factors._recovery_hash
    monkeypatch.setattr(
        factors, "_recovery_hash", lambda code, salt: made.append(salt) or real(code, salt)
    )
    factors.find_recovery_code(kept, "aaaa-aaaa-aaaa")
    assert len(made) == 1


def test_a_code_of_now_is_good_now() -> None:
    now = time.time()
    assert factors.totp_step(SECRET, code_at(now), now, None) is not None
