"""Passwords and tokens."""

from __future__ import annotations

import argon2
import pytest

from psn.identity import credentials, passwords

PASSWORD = "correct horse battery"


def test_a_password_verifies_and_a_wrong_one_does_not() -> None:
    kept = credentials.hash_password(PASSWORD)
    assert credentials.verify_password(kept, PASSWORD)
    assert not credentials.verify_password(kept, PASSWORD + " ")
    assert not credentials.verify_password(kept, "")


def test_the_hash_is_argon2id_with_the_parameters_that_are_documented() -> None:
    kept = credentials.hash_password(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert kept != credentials.hash_password(PASSWORD)
    assert not credentials.needs_new_hash(kept)


def test_older_parameters_verify_and_ask_for_a_new_hash() -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    assert credentials.verify_password(old, PASSWORD)
    assert credentials.needs_new_hash(old)


@pytest.mark.parametrize("kept", [None, "", "x", "$argon2id$v=19$m=19456,t=2,p=1$AAAA"])
def test_nobody_signs_in_without_a_hash(kept: str | None) -> None:
    assert not credentials.verify_password(kept, PASSWORD)


def test_the_same_word_from_another_keyboard_is_the_same_password() -> None:
    composed, decomposed = "Dangriga Se\u00f1orita", "Dangriga Sen\u0303orita"
    assert credentials.verify_password(credentials.hash_password(composed), decomposed)


def test_a_password_that_no_text_can_be_is_wrong_and_not_a_crash() -> None:
    kept = credentials.hash_password(PASSWORD)
    assert not credentials.verify_password(kept, "\ud800" * 20)


def test_made_passwords_are_strong_enough_and_readable() -> None:
    made = {credentials.new_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert len(password) >= passwords.SHORTEST
        assert not set(password) & set("0o1il")
    assert credentials.new_password(lambda letters: letters[0]) == "aaaa-aaaa-aaaa-aaaa"


def test_tokens_are_new_each_time_and_kept_as_a_hash() -> None:
    tokens = {credentials.new_token() for _ in range(50)}
    assert len(tokens) == 50
    token = tokens.pop()
    assert len(credentials.token_hash(token)) == 32
    assert token.encode() not in credentials.token_hash(token)
