"""A device's key: signatures that fit one purpose, keys of one form, and files for one reader."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from psn.enrolment import device_key
from psn.enrolment.device_key import BadKey, Enrolled

KEY, OTHER = device_key.new(), device_key.new()
NONCE = bytes(range(32))
CODE = "K7MP3XWDH9TQ"


def spki(
    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey,
) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_a_signature_is_r_and_s_as_web_browsers_make_it() -> None:
    """Checked by the library alone, from what docs/wire.md says."""
    signature = Enrolled(9, KEY).sign_in(NONCE)
    assert len(signature) == device_key.SIGNATURE_BYTES
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    content = b"psn device sign-in 1\n" + b"\0\0\0\0\0\0\0\x09" + NONCE
    public = serialization.load_der_public_key(KEY.public)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(encode_dss_signature(r, s), content, ec.ECDSA(SHA256()))


@given(st.integers(1, 2**31 - 1), st.binary(min_size=32, max_size=32))
def test_a_signature_fits_one_key_one_device_one_nonce_and_one_purpose(
    device: int, nonce: bytes
) -> None:
    """DOM-DEV-2."""
    content = device_key.sign_in_content(device, nonce)
    signature = Enrolled(device, KEY).sign_in(nonce)
    assert device_key.verifies(KEY.public, signature, content)
    assert not device_key.verifies(OTHER.public, signature, content)
    flipped = bytes((nonce[0] ^ 1,)) + nonce[1:]
    for wrong in (
        device_key.sign_in_content(device + 1, nonce),
        device_key.sign_in_content(device, flipped),
        device_key.enrolment_content(CODE, KEY.public),
        nonce,
        b"",
    ):
        assert not device_key.verifies(KEY.public, signature, wrong)


@given(st.binary(max_size=80) | st.binary(min_size=64, max_size=64))
def test_no_bytes_are_a_signature_by_chance(signature: bytes) -> None:
    assert not device_key.verifies(KEY.public, signature, b"content")


@pytest.mark.parametrize("r", [0, 1, 2**256 - 1])
@pytest.mark.parametrize("s", [0, 1, 2**256 - 1])
def test_numbers_at_the_edge_are_no_signature(r: int, s: int) -> None:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert not device_key.verifies(KEY.public, signature, b"content")


P256 = ec.generate_private_key(ec.SECP256R1()).public_key()
POINT = P256.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
NO_KEYS = {
    "nothing": b"",
    "another curve": spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
    "a curve of the same size": spki(ec.generate_private_key(ec.SECP256K1()).public_key()),
    "RSA": spki(rsa.generate_private_key(65_537, 2_048).public_key()),
    "Ed25519": spki(ed25519.Ed25519PrivateKey.generate().public_key()),
    "the point alone": POINT,
    "not on the curve": KEY.public[:-1] + bytes((KEY.public[-1] ^ 1,)),
    "the point at infinity": KEY.public[:-65] + bytes(65),
    "something behind it": KEY.public + b"\0",
    "cut off": KEY.public[:-1],
    "PEM": b"-----BEGIN PUBLIC KEY-----\n",
    "a private key": KEY.pem.encode(),
}


@pytest.mark.parametrize("public", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_what_is_no_key_of_p_256_in_the_one_form_is_refused(public: bytes) -> None:
    with pytest.raises(BadKey) as refused:
        device_key.check_public(public)
    assert (refused.value.code, refused.value.todo[-1]) == ("bad_key", ".")


def test_a_compressed_point_is_refused_so_that_a_key_has_one_form() -> None:
    point = P256.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    compressed = head + point
    assert serialization.load_der_public_key(compressed) == P256
    with pytest.raises(BadKey):
        device_key.check_public(compressed)


@given(st.data())
def test_a_key_with_any_bytes_changed_is_another_or_none(data: st.DataObject) -> None:
    public = bytearray(KEY.public)
    for _ in range(data.draw(st.integers(1, 4))):
        public[data.draw(st.integers(0, len(public) - 1))] ^= data.draw(st.integers(1, 255))
    signature = KEY.sign(b"content")
    try:
        good = device_key.verifies(bytes(public), signature, b"content")
    except BadKey:
        return
    assert good == (bytes(public) == KEY.public)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_key_or_refused(public: bytes) -> None:
    with pytest.raises(BadKey):
        device_key.check_public(public)


def test_a_key_does_not_show_itself() -> None:
    scalar = KEY.pem.splitlines()[1]
    for thing in (KEY, Enrolled(9, KEY), (Enrolled(9, KEY, Path("x")),)):
        assert scalar not in repr(thing) and scalar not in str(thing)


def test_a_key_file_is_for_its_owner_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "tablet.pem"
    device_key.write(file, KEY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    number, key = device_key.read_key(file)
    assert (number, key.public) == (None, KEY.public)
    with pytest.raises(BadKey) as refused:
        device_key.read(file)
    assert "psn device join" in refused.value.todo
    device_key.write(file, KEY, 9)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    back = device_key.read(file)
    assert (back.device, back.key.public, back.file) == (9, KEY.public, file)
    assert [found.name for found in tmp_path.iterdir()] == ["tablet.pem"]
    back.erase()
    assert list(tmp_path.iterdir()) == []
    back.erase()


def test_a_file_of_something_else_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"phrase"),
    )
    for content in (b"", b"\xff\xfe", b"Device: 9\n", other, locked, b"\0" * 100):
        file.write_bytes(content)
        with pytest.raises(BadKey) as refused:
            device_key.read(file)
        assert refused.value.code == "bad_key"
    with pytest.raises(BadKey) as refused:
        device_key.read(tmp_path / "missing.pem")
    assert "missing.pem" in refused.value.text


@given(st.text(max_size=400))
def test_any_text_is_a_private_key_or_refused(text: str) -> None:
    with pytest.raises(BadKey):
        device_key.from_pem(text)
