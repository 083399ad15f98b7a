"""Which passwords may be chosen (NIST SP 800-63B-4 §3.1.1.2)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.identity import credentials, passwords
from psn.identity.passwords import WeakPassword

EXPECTED = ("bpd.ana", "Ana Castillo", "BPD", "Belize Police Department", "Public Safety Network")


def refusal(password: str) -> WeakPassword:
    with pytest.raises(WeakPassword) as refused:
        passwords.check(password, EXPECTED)
    assert refused.value.code == "weak_password"
    assert refused.value.text and refused.value.todo
    assert not password or password not in str(refused.value)
    return refused.value


@pytest.mark.parametrize(
    "password",
    [
        "three words and a boat",
        "correct horse battery",
        "Señorita Dangriga baila",
        "my uncle has 3 goats",
        "k7mp-3xwd-h9tq-r2vn",
        "police boats rarely sing opera",  # a word of the agency, and much besides
        "雨が降る日には傘を持って行こうと思います",
        "x9" * 3 + "a long walk home at night" * 19,
    ],
)
def test_a_few_words_will_do(password: str) -> None:
    passwords.check(password, EXPECTED)


@pytest.mark.parametrize("password", ["", "short", "x" * 14, "x" * 513])
def test_length_is_told_in_characters(password: str) -> None:
    refused = refusal(password)
    assert str(len(password)) in refused.text
    assert "15 to 512" in refused.todo


@pytest.mark.parametrize(
    "password",
    [
        "password1234567",
        "Passw0rd!Passw0rd!",
        "qwertyuiopasdfgh",
        "aaaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnopq",
        "1234567890123456",
        "iloveyouiloveyou",
        "letmein letmein letmein",
        "Sunshine2024!!!!",
        "p4$$w0rd" * 10,
        "ab12" * 100,
    ],
)
def test_what_is_commonly_used_is_refused_however_it_is_stretched(password: str) -> None:
    assert "commonly used" in refusal(password).text


@pytest.mark.parametrize(
    "password",
    [
        "bpd.ana bpd.ana bpd.ana",
        "Ana-Castillo-2026",
        "C4st1ll0.C4st1ll0",
        "BelizePolice2026!",
        "belize police department",
        "PublicSafetyNetwork1",
        "B3L!Z3 P0L!C3 D3P@RTM3NT",
        "ＢＥＬＩＺＥ ｐｏｌｉｃｅ 2026",  # the same letters, written wide
    ],
)
def test_names_that_others_would_try_are_refused_as_the_substance(password: str) -> None:
    assert "a name that others would try" in refusal(password).text


def test_what_was_stolen_elsewhere_is_asked_last_and_refused() -> None:
    asked = []

    def breached(password: str) -> bool:
        asked.append(password)
        return True

    with pytest.raises(WeakPassword, match="stolen"):
        passwords.check("three words and a boat", EXPECTED, breached)
    with pytest.raises(WeakPassword):
        passwords.check("short", EXPECTED, breached)
    assert asked == ["three words and a boat"]


def test_passwords_that_are_made_pass() -> None:
    for _ in range(50):
        passwords.check(credentials.new_password(), EXPECTED)


@given(st.text(max_size=600), st.lists(st.text(max_size=30), max_size=5))
@settings(max_examples=150)
def test_any_text_is_taken_or_refused(password: str, expected: list[str]) -> None:
    try:
        passwords.check(password, expected)
    except WeakPassword as refused:
        assert refused.code == "weak_password"


def test_the_estimate_looks_at_a_bounded_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of zxcvbn grows much faster than what it looks at."""
    import zxcvbn

    looked_at = []
    real = zxcvbn.zxcvbn

    def watched(password: str, **more: int) -> dict[str, object]:
        looked_at.append(password)
        return dict(real(password, **more))

    monkeypatch.setattr(zxcvbn, "zxcvbn", watched)
    passwords.check("4@8({[<369&#!1|0$5+7%2" * 20)
    assert [len(password) for password in looked_at] == [passwords.ESTIMATED]
