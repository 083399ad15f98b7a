"""Answers of identity providers are judged whole (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from psn.directory import Provider
from psn.identity import openid
from psn.identity.openid import Distrusted, Marks, Metadata, Subject, Tokens, UnknownKey

ISSUER = "https://id.police.example/realms/bpd"
NOW = 1_800_000_000.0
NONCE = "n" * 43
RSA = RSAKey.generate_key(2_048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2_048, {"kid": "one", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "two"})
PROVIDER = Provider(1, 1, "Police", ISSUER, "psn", b"", "openid profile", "sub", (), ())
METADATA = Metadata(
    ISSUER,
    f"{ISSUER}/auth?tenant=1",
    f"{ISSUER}/token",
    f"{ISSUER}/keys",
    id_token_signing_alg_values_supported=["RS256", "ES256", "HS256", "none"],
)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "agent-7",
    "aud": "psn",
    "exp": NOW + 300,
    "iat": NOW,
    "auth_time": NOW - 5,
    "nonce": NONCE,
}
MARKS = Marks("state", NONCE, "v" * 43)


def signed(key: Any = RSA, alg: str = "RS256", header: Any = None, **changes: Any) -> str:
    """A token of the provider, with other claims than the right ones; None: without it."""
    claims = {name: x for name, x in (CLAIMS | changes).items() if x is not None}
    said = {"alg": alg, "kid": "one", "typ": "JWT"} | (header or {})
    return jws.serialize_compact(said, json.dumps(claims), key, algorithms=[alg])


def judged(token: str, access_token: str = "", provider: Provider = PROVIDER) -> Subject:
    keys = openid.read_keys(key_set(RSA, EC))
    tokens = Tokens(token, access_token)
    return openid.subject_of(tokens, keys, METADATA, provider, NONCE, NOW - 10, NOW)


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def half_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def why(call: Callable[[], object]) -> str:
    with pytest.raises(Distrusted) as refused:
        call()
    return refused.value.why


# -- ID tokens


def test_a_token_in_which_all_is_right_says_who_it_is() -> None:
    assert judged(signed()) == Subject("agent-7")
    assert judged(signed(aud=["psn"], azp="psn", at_hash=half_hash("a")), "a").subject == "agent-7"
    assert judged(signed(EC, "ES256", {"kid": "two"})).subject == "agent-7"
    by = replace(PROVIDER, claim="oid")
    assert judged(signed(oid="4f1d", amr=["pwd", "mfa"], acr="gold"), provider=by) == Subject(
        "4f1d", ("pwd", "mfa"), "gold"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": ISSUER + "/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": None}, "claims"),
        ({"aud": ["psn", "other"]}, "azp"),
        ({"aud": ["psn", "other"], "azp": "psn"}, "aud"),
        ({"aud": []}, "aud"),
        ({"azp": "other"}, "azp"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "claims"),
        ({"nonce": ""}, "nonce"),
        ({"exp": NOW - 61}, "clock"),
        ({"exp": None}, "claims"),
        ({"exp": "tomorrow"}, "claims"),
        ({"exp": float("nan")}, "clock"),
        ({"iat": NOW + 61}, "clock"),
        ({"iat": None}, "claims"),
        ({"nbf": NOW + 61}, "clock"),
        ({"auth_time": NOW - 71}, "auth_time"),
        ({"auth_time": None}, "auth_time"),
        ({"auth_time": "now"}, "claims"),
        ({"auth_time": float("nan")}, "auth_time"),
        ({"auth_time": NOW + 61}, "clock"),
        ({"at_hash": "AAAA"}, "at_hash"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "agent\u00007"}, "subject"),
        ({"sub": "\ud800"}, "subject"),
        ({"amr": "mfa"}, "claims"),
    ],
)
def test_a_token_in_which_something_is_wrong_says_nothing(
    changes: dict[str, Any], reason: str
) -> None:
    assert why(lambda: judged(signed(**changes), "a")) == reason


def test_clocks_may_differ_by_a_minute() -> None:
    assert judged(signed(exp=NOW - 59, iat=NOW - 900)).subject == "agent-7"
    assert judged(signed(iat=NOW + 59, auth_time=NOW + 59)).subject == "agent-7"


def test_an_access_token_of_which_the_id_token_speaks_must_be_there() -> None:
    assert why(lambda: judged(signed(at_hash=half_hash("a")))) == "at_hash"


@pytest.mark.parametrize("alg", ["none", "HS256", "HS512"])
def test_nothing_but_a_key_pair_signs(alg: str) -> None:
    # The public key as if it were a shared secret, and the client's secret as one.
    shared = RSA.as_pem(private=False) if alg == "HS256" else b"secret of the client"
    content = f"{part({'alg': alg, 'kid': 'one'})}.{part(CLAIMS)}"
    mac = b"" if alg == "none" else hmac.digest(shared, content.encode(), f"sha{alg[2:]}")
    token = f"{content}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert why(lambda: judged(token)) == "algorithm"


def test_an_algorithm_counts_only_if_the_provider_says_that_it_uses_it() -> None:
    keys = openid.read_keys(key_set(RSA))
    only = msgspec.structs.replace(METADATA, id_token_signing_alg_values_supported=["HS256"])
    tokens = Tokens(signed())
    for metadata in (
        only,
        msgspec.structs.replace(METADATA, id_token_signing_alg_values_supported=["ES256"]),
    ):
        args = (tokens, keys, metadata, PROVIDER, NONCE, NOW, NOW)
        assert why(lambda args=args: openid.subject_of(*args)) == "algorithm"


def test_another_key_does_not_sign_and_one_not_known_may_be_newer() -> None:
    assert why(lambda: judged(signed(OTHER))) == "signature"
    with pytest.raises(UnknownKey):
        judged(signed(OTHER, header={"kid": "three"}))
    with pytest.raises(UnknownKey):
        judged(signed(EC, "ES256"))  # the kid is that of a key of another kind
    # A key that the token itself brings is no key.
    own = {"kid": "three", "jwk": OTHER.as_dict(private=False)}
    with pytest.raises(UnknownKey):
        judged(signed(OTHER, header=own))


def test_a_token_without_kid_is_good_only_when_one_key_can_be_meant() -> None:
    token = jwt.encode({"alg": "RS256"}, CLAIMS, RSA)
    assert judged(token).subject == "agent-7"
    keys = openid.read_keys(key_set(RSA, OTHER))
    args = (Tokens(token), keys, METADATA, PROVIDER, NONCE, NOW, NOW)
    assert why(lambda: openid.subject_of(*args)) == "key"


def test_a_changed_token_is_not_the_one_that_was_signed() -> None:
    header, _, signature = signed().split(".")
    changed = f"{header}.{part(CLAIMS | {'sub': 'agent-1'})}.{signature}"
    assert why(lambda: judged(changed)) == "signature"


@given(
    st.text(max_size=300)
    | st.lists(st.binary(max_size=60), max_size=4).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(each).decode() for each in parts)
    )
)
def test_rubbish_is_no_token(text: str) -> None:
    with pytest.raises(Distrusted):
        judged(text)


@given(
    st.dictionaries(
        st.sampled_from([*CLAIMS, "azp", "amr", "acr", "at_hash", "nbf"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=20)
        | st.lists(st.integers() | st.text(max_size=5), max_size=3)
        | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
        min_size=1,
        max_size=4,
    )
)
def test_odd_claims_are_refused_or_change_nothing(changes: dict[str, Any]) -> None:
    try:
        found = judged(signed(**changes), "a")
    except Distrusted:
        return
    assert found.subject == changes.get("sub", "agent-7")
    assert changes.get("nonce", NONCE) == NONCE
    assert changes.get("aud", "psn") in ("psn", ["psn"])


@given(st.binary(max_size=400))
def test_rubbish_is_no_document(raw: bytes) -> None:
    for read in (openid.read_tokens, openid.read_keys, lambda raw: openid.read_metadata(raw, "")):
        with pytest.raises(Distrusted):
            read(raw)


def test_deep_documents_are_refused_and_not_a_crash() -> None:
    for raw in (b"[" * 100_000, b'{"a":' * 100_000):
        for read in (openid.read_tokens, openid.read_keys):
            with pytest.raises(Distrusted):
                read(raw)


# -- metadata, keys, addresses


def test_metadata_is_that_of_the_issuer_or_none() -> None:
    raw = msgspec.json.encode(METADATA)
    assert openid.read_metadata(raw, ISSUER) == METADATA
    assert why(lambda: openid.read_metadata(raw, ISSUER + "/")) == "issuer"
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        for address in ("http://id.police.example/x", "javascript:alert(1)", "http://localhost/x"):
            odd = msgspec.json.encode(msgspec.structs.replace(METADATA, **{name: address}))
            assert why(lambda odd=odd: openid.read_metadata(odd, ISSUER)) == "endpoint"


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://id.example", True),
        ("https://id.example:8443/a?b=c", True),
        ("https://[2001:db8::1]/a", True),
        ("http://127.0.0.1:4000", True),
        ("http://localhost/a", True),
        ("http://[::1]/a", True),
        ("http://id.example", False),
        ("ftp://localhost", False),
        ("https://user@id.example", False),
        ("https://id.example/#x", False),
        ("https://id.example/a b", False),
        ("https://id.example/\n", False),
        ("https://id.example:99999/", False),
        ("https://[::1", False),
        ("https://", False),
        ("//id.example", False),
        ("", False),
    ],
)
def test_addresses_are_https_but_for_this_machine(address: str, good: bool) -> None:
    assert openid.is_good_address(address, address) is good
    if address.startswith("http:"):
        assert not openid.is_good_address(address, "https://id.example")


def test_of_a_key_set_those_count_that_can_check_signatures() -> None:
    weak = {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\x80" * 128).decode()}
    listed = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kty": "AKP", "pub": "post-quantum"},
        RSA.as_dict(private=False) | {"use": "enc", "kid": "encrypts"},
        weak,
        {"kty": "RSA", "n": 7},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        "none",
        RSA.as_dict(private=False),
    ]
    assert [key.kid for key in openid.read_keys(json.dumps({"keys": listed}).encode())] == ["one"]
    for nothing in ({"keys": listed[:-1]}, {"keys": {}}, {}):
        assert why(lambda n=nothing: openid.read_keys(json.dumps(n).encode())) == "keys"


def test_a_response_names_its_issuer_where_that_was_promised() -> None:
    openid.check_issuer(METADATA, None)
    openid.check_issuer(METADATA, ISSUER)
    assert why(lambda: openid.check_issuer(METADATA, "https://evil.example")) == "issuer"
    promised = msgspec.structs.replace(
        METADATA, authorization_response_iss_parameter_supported=True
    )
    assert why(lambda: openid.check_issuer(promised, None)) == "issuer"


# -- requests


def test_the_browser_is_sent_with_all_that_binds_its_return() -> None:
    trusted = replace(PROVIDER, trusted_acr=("gold", "silver"))
    address = openid.authorization_address(METADATA, trusted, "https://psn/sign-in/bpd", MARKS)
    assert {name: x for name, (x,) in parse_qs(urlsplit(address).query).items()} == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "psn",
        "redirect_uri": "https://psn/sign-in/bpd",
        "scope": "openid profile",
        "state": "state",
        "nonce": NONCE,
        # RFC 7636, section 4.2
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest())
        .decode()
        .rstrip("="),
        "code_challenge_method": "S256",
        "prompt": "login",
        "max_age": "0",
        "acr_values": "gold silver",
    }


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_secret_gets_there_as_it_is(secret: str) -> None:
    redirect = "https://psn/sign-in/bpd"
    headers, body = openid.token_request(METADATA, PROVIDER, secret, "co&de", redirect, MARKS)
    kind, _, pair = headers["Authorization"].partition(" ")
    name, _, said = base64.b64decode(pair).decode().partition(":")
    assert (kind, unquote_plus(name), unquote_plus(said)) == ("Basic", "psn", secret)
    assert {n: x for n, (x,) in parse_qs(body).items()} == {
        "grant_type": "authorization_code",
        "code": "co&de",
        "redirect_uri": redirect,
        "code_verifier": "v" * 43,
    }
    post = msgspec.structs.replace(
        METADATA, token_endpoint_auth_methods_supported=["client_secret_post"]
    )
    headers, body = openid.token_request(post, PROVIDER, secret, "c", redirect, MARKS)
    assert "Authorization" not in headers
    assert parse_qs(body, keep_blank_values=True)["client_secret"] == [secret]


def test_a_provider_that_knows_no_secrets_is_not_asked() -> None:
    odd = msgspec.structs.replace(
        METADATA, token_endpoint_auth_methods_supported=["private_key_jwt"]
    )
    call = lambda: openid.token_request(odd, PROVIDER, "s", "c", "https://psn/", MARKS)  # noqa: E731
    assert why(call) == "client_authentication"


def test_second_factors_count_where_they_are_trusted_alone() -> None:
    strong = Subject("x", ("pwd", "mfa"), "gold")
    assert not strong.second_factor(PROVIDER)
    assert strong.second_factor(replace(PROVIDER, trusted_amr=("mfa",)))
    assert strong.second_factor(replace(PROVIDER, trusted_acr=("gold",)))
    assert not Subject("x", ("pwd",)).second_factor(replace(PROVIDER, trusted_amr=("mfa",)))
