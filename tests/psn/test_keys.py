"""The server's own keys: made once, kept from others, and told apart from what is none."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from psn import keys
from psn.keys import KeyProblem


def test_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    place = tmp_path / "state" / "keys"
    first, again = keys.load(place), keys.load(place)
    assert (again.public, again.seal_key) == (first.public, first.seal_key)
    assert again.push.private_numbers() == first.push.private_numbers()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in place.iterdir()} == {0o600}
    assert again.alert.certificate == first.alert.certificate
    assert sorted(file.name for file in place.iterdir()) == [
        keys.ALERT_FILE,
        keys.PUSH_FILE,
        keys.SEAL_FILE,
        keys.SIGN_FILE,
    ]


def test_two_that_start_at_once_have_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as many:
        loaded = list(many.map(lambda _: keys.load(tmp_path / "keys"), range(8)))
    assert len({(each.public, each.seal_key) for each in loaded}) == 1


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_for_the_same_purpose_only(secret: bytes, purpose: str) -> None:
    mine = keys.Keys(keys.Ed25519PrivateKey.generate(), b"k" * 32)
    sealed = mine.seal(secret, purpose)
    assert mine.open(sealed, purpose) == secret
    assert sealed != mine.seal(secret, purpose)
    with pytest.raises(KeyProblem, match="another key"):
        mine.open(sealed, purpose + "x")
    for spoilt in (sealed[:-1], sealed[:-1] + bytes((sealed[-1] ^ 1,)), b""):
        with pytest.raises(KeyProblem):
            mine.open(spoilt, purpose)


@pytest.mark.parametrize("name", [keys.SIGN_FILE, keys.SEAL_FILE, keys.PUSH_FILE, keys.ALERT_FILE])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, name: str) -> None:
    keys.load(tmp_path)
    (tmp_path / name).write_bytes(b"not a key")
    with pytest.raises(KeyProblem, match=name):
        keys.load(tmp_path)


def test_a_key_that_an_authority_has_certified_may_take_the_place_of_ours(tmp_path: Path) -> None:
    keys.load(tmp_path)
    file = tmp_path / keys.ALERT_FILE
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "NEMO")])
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(issuer, name, key.public_key(), 1, now, now + timedelta(days=1))
        .sign(rsa.generate_private_key(public_exponent=65_537, key_size=2_048), hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    file.write_bytes(certificate + pem)
    assert keys.load(tmp_path).alert.certificate.subject == name
    other = keys.new_certified().certificate.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(other + certificate + pem)
    with pytest.raises(KeyProblem, match="is not that of the key"):
        keys.load(tmp_path)
    file.write_bytes(pem)
    with pytest.raises(KeyProblem, match="is no key"):
        keys.load(tmp_path)


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyProblem, match="PSN_KEYS"):
        keys.load(tmp_path / "file" / "keys")


def test_keys_do_not_show_themselves(tmp_path: Path) -> None:
    mine = keys.load(tmp_path)
    assert repr(mine) == "Keys()"
