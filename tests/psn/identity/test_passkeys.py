"""Passkeys (W3C Web Authentication): challenges that are good once, keys that are checked whole."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from authenticator import Authenticator
from hypothesis import given, settings
from hypothesis import strategies as st

from psn.identity import once, passkeys
from psn.identity.passkeys import Assertion, Attestation, Challenges, Passkey, PasskeyRefused, Site

HERE = Site("psn.example.bz", "https://psn.example.bz")


def attestation(value: dict[str, Any]) -> Attestation:
    return msgspec.convert(value, Attestation)


def assertion(value: dict[str, Any]) -> Assertion:
    return msgspec.convert(value, Assertion)


def enrolled(key: Authenticator) -> Passkey:
    challenge = b"c" * 32
    options = passkeys.enrolment_options(HERE, "A network", 3, "ana", "Ana", challenge, [b"other"])
    assert options["rp"] == {"id": HERE.id, "name": "A network"}
    assert options["user"]["name"] == "ana"
    assert len(options["excludeCredentials"]) == 1
    made = attestation(key.make(options))
    assert passkeys.challenge_in(made) == challenge
    return passkeys.enrolled(made, challenge, HERE)


def test_a_passkey_is_made_and_used() -> None:
    key = Authenticator(HERE.origin)
    kept = enrolled(key)
    assert kept.credential_id == key.id
    challenge = b"d" * 32
    options = passkeys.use_options(HERE, challenge, [])
    assert options["userVerification"] == "required"
    use = assertion(key.use(options))
    assert passkeys.credential_id(use) == key.id
    assert passkeys.used(use, challenge, HERE, kept) == (1, True)


def test_one_that_does_not_verify_its_user_says_so() -> None:
    key = Authenticator(HERE.origin, verifies=False)
    kept = enrolled(key)
    options = passkeys.use_options(HERE, b"d" * 32, [kept.credential_id])
    assert options["userVerification"] == "preferred"
    assert len(options["allowCredentials"]) == 1
    use = assertion(key.use(options))
    assert passkeys.used(use, b"d" * 32, HERE, kept) == (1, False)


@pytest.mark.parametrize(
    "lies",
    [
        {"origin": "https://psn.example.bz.evil.test"},
        {"origin": "http://psn.example.bz"},
        {"rp": "evil.test"},
        {"kind": "webauthn.create"},
        {"challenge": "AAAA"},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
        {"signature": b"no signature"},
    ],
)
def test_what_was_made_for_elsewhere_or_forged_is_refused_alike(lies: dict[str, Any]) -> None:
    key = Authenticator(HERE.origin)
    kept = enrolled(key)
    options = passkeys.use_options(HERE, b"d" * 32, [])
    with pytest.raises(PasskeyRefused) as refused:
        passkeys.used(assertion(key.use(options, **lies)), b"d" * 32, HERE, kept)
    assert refused.value.code == "wrong_passkey"
    assert str(refused.value) == str(passkeys.unknown())


def test_another_key_with_the_same_name_is_refused() -> None:
    key, other = Authenticator(HERE.origin), Authenticator(HERE.origin)
    kept, other.id = enrolled(key), key.id
    use = assertion(other.use(passkeys.use_options(HERE, b"d" * 32, [])))
    with pytest.raises(PasskeyRefused):
        passkeys.used(use, b"d" * 32, HERE, kept)


def test_a_counter_that_went_back_is_a_copied_key() -> None:
    key = Authenticator(HERE.origin)
    kept = enrolled(key)
    use = assertion(key.use(passkeys.use_options(HERE, b"d" * 32, [])))
    seen = msgspec.convert(
        {"credential_id": kept.credential_id, "public_key": kept.public_key, "sign_count": 5},
        Passkey,
    )
    with pytest.raises(PasskeyRefused):
        passkeys.used(use, b"d" * 32, HERE, seen)


@given(st.dictionaries(st.sampled_from(["clientDataJSON", "authenticatorData", "signature",
                                        "attestationObject"]),
                       st.text(min_size=1, max_size=60)))  # fmt: skip
@settings(max_examples=150)
def test_any_nonsense_is_refused_and_no_crash(nonsense: dict[str, str]) -> None:
    key = Authenticator(HERE.origin)
    kept = Passkey(key.id, b"no key", 0)
    use = key.use(passkeys.use_options(HERE, b"d" * 32, []))
    made = key.make(passkeys.enrolment_options(HERE, "N", 3, "ana", "Ana", b"c" * 32, []))
    for value in (use, made):
        value["response"] = {k: nonsense.get(k, v) for k, v in value["response"].items()}
    for call in (
        lambda: passkeys.used(assertion(use), b"d" * 32, HERE, kept),
        lambda: passkeys.challenge_in(assertion(use)),
        lambda: passkeys.challenge_in(attestation(made)),
        lambda: passkeys.credential_id(assertion({**use, "rawId": "é%"})),
        lambda: nonsense and passkeys.enrolled(attestation(made), b"c" * 32, HERE),
    ):
        try:
            call()
        except PasskeyRefused as refused:
            assert refused.code == "wrong_passkey"


def test_a_challenge_is_good_once_for_its_purpose_and_five_minutes() -> None:
    waiting = Challenges()
    made = waiting.new("sign_in", 3, "192.0.2.1", 0.0)
    assert waiting.take(made, "sign_in", 299.0).person == 3
    late = waiting.new("sign_in", None, "192.0.2.1", 0.0)
    other = waiting.new("enrol", 3, "person:3", 0.0)
    for challenge, now in ((made, 0.0), (late, 300.0), (other, 0.0), (b"guess", 0.0)):
        with pytest.raises(PasskeyRefused) as refused:
            waiting.take(challenge, "sign_in", now)
        assert refused.value.code == "challenge_over"
    with pytest.raises(PasskeyRefused):
        waiting.take(other, "enrol", 0.0)  # the wrong purpose used it up
    assert len(waiting) == 0


def test_whoever_asks_for_very_many_pushes_out_his_own() -> None:
    waiting = Challenges()
    mine = waiting.new("sign_in", None, "192.0.2.1", 0.0)
    for _ in range(10_000):
        waiting.new("sign_in", None, "203.0.113.9", 1.0)
    assert len(waiting) == once.MOST_OF_ONE + 1
    waiting.take(mine, "sign_in", 2.0)
    for n in range(10_000):
        waiting.new("sign_in", None, f"10.0.{n // 250}.{n % 250}", 2.0)
    assert len(waiting) == once.MOST_WAITING
    waiting.new("sign_in", None, "192.0.2.1", 400.0)
    assert len(waiting) == 1


@pytest.mark.parametrize(
    ("setting", "scheme", "host", "wanted"),
    [
        (None, "http", "localhost:8080", Site("localhost", "http://localhost:8080")),
        (None, "https", "LocalHost", Site("localhost", "https://localhost")),
        ("https://psn.example.bz", "http", "evil.test", HERE),
        ("https://psn.example.bz:8443", "http", "x", Site(HERE.id, HERE.origin + ":8443")),
        (None, "https", "psn.example.bz", None),
        (None, "http", "127.0.0.1:8080", None),
        (None, "http", "localhost.evil.test", None),
        (None, "http", "", None),
    ],
)
def test_where_passkeys_are_good(
    setting: str | None, scheme: str, host: str, wanted: Site | None
) -> None:
    if wanted is not None:
        assert passkeys.site(setting, scheme, host) == wanted
        return
    with pytest.raises(PasskeyRefused) as refused:
        passkeys.site(setting, scheme, host)
    assert refused.value.code == "no_passkeys_here"
