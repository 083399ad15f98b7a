"""The server's own keys: files in one directory that only its user can read.

``sign.pem`` (Ed25519, RFC 8032) signs what must be provable later: checkpoints of the audit.
``seal.key`` (AES-256-GCM, NIST SP 800-38D) seals what the database must hold and must not tell:
the secrets of second factors. ``push.pem`` (ECDSA on P-256, RFC 8292) says to push services whose
server asks; browsers subscribe with its public half. ``alert.pem`` has a key and its certificate
(X.509), with which public alerts are signed; in its place may stand those that an authority has
issued. All are made when they are missing. A copy belongs in the backup, apart from that of the
database: without ``seal.key`` nobody's second factor works any more, without ``push.pem`` every
browser has to subscribe anew, and who trusts ``alert.pem``'s certificate has to be given another.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from psn.problems import Problem

SIGN_FILE: Final = "sign.pem"
SEAL_FILE: Final = "seal.key"
PUSH_FILE: Final = "push.pem"
ALERT_FILE: Final = "alert.pem"
CERTIFIED_DAYS: Final = 3_650
"""So long a certificate made here is good: nobody renews what nobody thinks of."""
_NONCE_BYTES: Final = 12
_SEAL_BYTES: Final = 32


class KeyProblem(Problem):
    """Why a key cannot be used: ``bad_key``, or ``not_sealed_here`` for what another key sealed."""


def new_push() -> ec.EllipticCurvePrivateKey:
    """A key to push with."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Certified:
    """A private key, and the certificate of its public half."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate


def new_certified() -> Certified:
    """A key to sign alerts with, certified by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "BZ"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "Public Safety Network of Belize: alerts"),
        ]
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Who gets an alert may have a clock that is behind.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFIED_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return Certified(key, certificate)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys, in memory. Nothing of them is shown when this is printed."""

    sign: Ed25519PrivateKey = field(repr=False)
    seal_key: bytes = field(repr=False)
    push: ec.EllipticCurvePrivateKey = field(repr=False, default_factory=new_push)
    alert: Certified = field(repr=False, default_factory=new_certified)

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """A secret as the database keeps it; it opens for the same ``purpose`` only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.seal_key).encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed for ``purpose``; raises :class:`KeyProblem`."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self.seal_key).decrypt(nonce, rest, purpose.encode())
        except (InvalidTag, ValueError) as problem:
            raise KeyProblem(
                "not_sealed_here",
                "A secret in the database was sealed with another key, or was changed.",
                f"Put the {SEAL_FILE} of this network back into PSN_KEYS.",
            ) from problem

    @property
    def public(self) -> bytes:
        """The key that checks signatures: 32 bytes."""
        return self.sign.public_key().public_bytes_raw()


def load(directory: Path) -> Keys:
    """Read the keys, and make those that are missing; raises :class:`KeyProblem`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = _kept(directory / SIGN_FILE, _new_sign)
        seal = _kept(directory / SEAL_FILE, lambda: secrets.token_bytes(_SEAL_BYTES))
        push_pem = _kept(directory / PUSH_FILE, lambda: _pem(new_push()))
        alert_pem = _kept(directory / ALERT_FILE, lambda: _certified_pem(new_certified()))
    except OSError as problem:
        raise KeyProblem(
            "bad_key",
            f"The keys in {directory} cannot be read or made: {problem.strerror}.",
            "Let PSN_KEYS name a directory that the server's user alone may read and write.",
        ) from problem
    sign, push = _read(pem), _read(push_pem)
    if not isinstance(sign, Ed25519PrivateKey):
        raise _no_key(directory / SIGN_FILE)
    if len(seal) != _SEAL_BYTES:
        raise _no_key(directory / SEAL_FILE)
    if not isinstance(push, ec.EllipticCurvePrivateKey) or push.curve.name != "secp256r1":
        raise _no_key(directory / PUSH_FILE)
    return Keys(sign, seal, push, _certified(directory / ALERT_FILE, alert_pem))


def _certified(file: Path, pem: bytes) -> Certified:
    """What is in a file of a key and its certificate; more certificates may follow."""
    key = _read(pem)
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError:
        certificates = []
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) or not certificates:
        raise _no_key(file)
    if certificates[0].public_key() != key.public_key():
        raise KeyProblem(
            "bad_key",
            f"The first certificate in {file} is not that of the key.",
            "Put the key's own certificate first.",
        )
    return Certified(key, certificates[0])


def _read(pem: bytes) -> object:
    """The private key of a file; none: it is no key."""
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except ValueError:
        return None


def _no_key(file: Path) -> KeyProblem:
    return KeyProblem("bad_key", f"{file} is no key.", "Put it back from the backup.")


def _new_sign() -> bytes:
    return _pem(Ed25519PrivateKey.generate())


def _certified_pem(certified: Certified) -> bytes:
    assert isinstance(certified.key, ec.EllipticCurvePrivateKey)
    return _pem(certified.key) + certified.certificate.public_bytes(serialization.Encoding.PEM)


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _kept(file: Path, make: Callable[[], bytes]) -> bytes:
    """The file's content, made first when it is not there; of two that make it one wins."""
    if not file.exists():
        new = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(make())
            out.flush()
            os.fsync(handle)
        with contextlib.suppress(FileExistsError):
            os.link(new, file)
        new.unlink()
    return file.read_bytes()
