"""A device's key pair: made, kept in a file, signing with it, and checking what was signed.

ECDSA on the curve P-256 with SHA-256 (FIPS 186-5): what WebCrypto, Android's keystore with its
StrongBox and a TPM 2.0 all have. A signature is 64 bytes, r and s of 32 each, as WebCrypto makes it
(the format of IEEE P1363). A public key is its SubjectPublicKeyInfo in DER (RFC 5480), 91 bytes.

What is signed begins with words that say what it is for, so that no signature can be used for
anything else. Server and devices both use this room, so it knows neither; only the functions of
files touch a disk.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from psn.problems import Problem

NONCE_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_HALF: Final = SIGNATURE_BYTES // 2
_ECDSA: Final = ec.ECDSA(SHA256())
_NUMBER_LINE: Final = re.compile(r"^Device: ([0-9]{1,10})$", re.MULTILINE)


class BadKey(Problem):
    """What should be a device's key is none: ``bad_key``."""


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """The private key of a device. Nothing of it is shown when this is printed."""

    _private: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The key that checks signatures, as the server keeps it."""
        return _spki(self._private.public_key())

    @property
    def pem(self) -> str:
        """The private key in PKCS #8 (RFC 5958) as PEM text: whoever reads it is this device."""
        return self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def sign(self, content: bytes) -> bytes:
        """The signature of some bytes; another one each time."""
        r, s = decode_dss_signature(self._private.sign(content, _ECDSA))
        return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that the server knows: its number there, its key, and the file of both if any."""

    device: int
    key: DeviceKey
    file: Path | None = field(default=None, compare=False)

    def sign_in(self, nonce: bytes) -> bytes:
        """The signature that lets this device in where that nonce was said."""
        return self.key.sign(sign_in_content(self.device, nonce))

    def erase(self) -> None:
        """Be no device any more: the file goes, and its bytes first."""
        if self.file is not None and self.file.exists():
            with self.file.open("r+b") as out:
                out.write(bytes(self.file.stat().st_size))
                out.flush()
                os.fsync(out.fileno())
            self.file.unlink()


def new() -> DeviceKey:
    """A new key pair, from the system's randomness."""
    return DeviceKey(ec.generate_private_key(ec.SECP256R1()))


def from_pem(text: str) -> DeviceKey:
    """A private key from PEM text; raises :class:`BadKey`."""
    try:
        private = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not _on_curve(private) or not isinstance(private, ec.EllipticCurvePrivateKey):
        raise BadKey(
            "bad_key",
            "This is no private key of a device.",
            "Make and enrol one: psn device join --help.",
        )
    return DeviceKey(private)


def sign_in_content(device: int, nonce: bytes) -> bytes:
    """What a device signs to sign in: what it is for, its number, the connection's nonce."""
    return b"psn device sign-in 1\n" + device.to_bytes(8, "big") + nonce


def enrolment_content(code: str, public: bytes) -> bytes:
    """What a device signs to enrol: that it has this key, and spends this code on it.

    ``code`` is in its canonical form (``psn.enrolment.enrolment_code``), which has one length.
    """
    return b"psn device enrolment 1\n" + code.encode() + public


def check_public(public: bytes) -> None:
    """Raise :class:`BadKey` unless this is a P-256 key in the one form that is kept."""
    _loaded(public)


def verifies(public: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the owner of a public key has signed this. Takes some 0.1 ms.

    Raises :class:`BadKey` for what is no key.
    """
    key = _loaded(public)
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:_HALF], "big"), int.from_bytes(signature[_HALF:], "big")
    try:
        key.verify(encode_dss_signature(r, s), content, _ECDSA)
    except InvalidSignature:
        return False
    return True


def read(file: Path) -> Enrolled:
    """The device of a key file; raises :class:`BadKey` where there is none, or not enrolled."""
    device, key = read_key(file)
    if device is None:
        raise BadKey(
            "bad_key",
            f"The key in {file} is not enrolled yet.",
            "Run psn device join with this file and a code.",
        )
    return Enrolled(device, key, file)


def read_key(file: Path) -> tuple[int | None, DeviceKey]:
    """Number (none: not enrolled yet) and key of a key file; raises :class:`BadKey`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise BadKey(
            "bad_key",
            f"The key file {file} cannot be read: {getattr(problem, 'strerror', 'it is no text')}.",
            "Name the file that psn device join wrote.",
        ) from problem
    found = _NUMBER_LINE.search(text)
    return None if found is None else int(found[1]), from_pem(text)


def write(file: Path, key: DeviceKey, device: int | None = None) -> None:
    """Keep a key, and its number once it has one, in a file of mode 0600; whole or not at all.

    PEM has room for words before the key (RFC 7468 §2), so that one file is the whole device.
    """
    number = "" if device is None else f"Device: {device}\n"
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(number + key.pem)
        out.flush()
        os.fsync(handle)
    fresh.replace(file)


def _loaded(public: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(public)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    # One form for one key: neither a compressed point nor a curve spelled out.
    if not isinstance(key, ec.EllipticCurvePublicKey) or not _on_curve(key) or _spki(key) != public:
        raise BadKey(
            "bad_key",
            "This is no public key of a device.",
            "Send a P-256 key as SubjectPublicKeyInfo in DER, its point uncompressed.",
        )
    return key


def _on_curve(key: object) -> bool:
    return isinstance(getattr(key, "curve", None), ec.SECP256R1)


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
