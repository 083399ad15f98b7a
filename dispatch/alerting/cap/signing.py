"""XML signatures in alerts (3.3.4.1): made, and verified against certificates that are known.

Theory of operation
-------------------
A signature inside a document says something only about the bytes that its digest covers, and by
itself only that somebody had a key. So two things are held to here:

What is verified is what is used. A signature counts only when it stands at the end of the alert,
alone, and covers the whole document but for itself; and the alert that :func:`verify` returns is
read from the very bytes that were hashed, never from the document that came. Moving a signed alert
into another one, or a second one beside it, therefore gives nothing.

Whose it is, is said by the receiver. The certificates of those whose alerts are believed are given
to :func:`verify`; one that comes with the document is not looked at.

CAP asks that an alert is not rejected because its signature cannot be verified: the verdict says
how it is, and whoever receives decides.
"""

from __future__ import annotations

import base64
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConfiguration,
    SignatureConstructionMethod,
    SignatureMethod,
    XMLSigner,
    XMLVerifier,
)

from dispatch.alerting.cap import documents
from dispatch.alerting.cap.building import build
from dispatch.alerting.cap.findings import CapRefused
from dispatch.alerting.cap.layout import SIGNATURES
from dispatch.alerting.cap.reading import Reading, read
from dispatch.alerting.cap.values import Alert

_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS: Final = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)
_ALGORITHMS: Final = frozenset(
    {*(method.value for method in _METHODS), *(digest.value for digest in _DIGESTS)}
)
_TRANSFORMS: Final = frozenset(
    {SignatureConstructionMethod.enveloped.value, *(each.value for each in CanonicalizationMethod)}
)
"""What may be done to the document before it is hashed: taking the signature out, and writing it
in its canonical form. Everything else could hash something that nobody reads."""


class Verdict(enum.StrEnum):
    """What a signature is worth."""

    NONE = "none"
    """There is none."""
    GOOD = "good"
    """By somebody who is known, over what is used."""
    UNKNOWN = "unknown"
    """By nobody who is known, or changed on the way: which of the two cannot be told."""
    WEAK = "weak"
    """Made in a way that can be forged (SHA-1), or not understood."""
    MISPLACED = "misplaced"
    """It does not cover the whole alert, or there are several: as an attack would have it."""
    OUT_OF_DATE = "out_of_date"
    """Good but for its certificate, whose time has not come or is over."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What an alert is signed with."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Verified:
    """A document that was looked at.

    Attributes:
        verdict: of its signature.
        reading: what it says; with a verdict of ``good``, what was signed and nothing else.
        signer: whose certificate it is, with a verdict of ``good`` or ``out_of_date``.
    """

    verdict: Verdict
    reading: Reading
    signer: x509.Certificate | None = None


def sign(alert: Alert, seal: Seal) -> bytes:
    """The document with an enveloped signature and the certificate; raises as :func:`build`."""
    rsa_key = isinstance(seal.key, rsa.RSAPrivateKey)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256 if rsa_key else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    root = signer.sign(documents.tree(build(alert)), key=seal.key, cert=[seal.certificate])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def verify(data: bytes, known: Sequence[x509.Certificate], now: datetime) -> Verified:
    """What a document says, and what its signature is worth.

    Args:
        data: any bytes.
        known: certificates of those whose alerts are believed.
        now: when it is verified, with an offset.
    """
    reading = read(data)
    if not reading.signatures:
        return Verified(Verdict.NONE, reading)
    try:
        root = documents.tree(data)
    except CapRefused:
        return Verified(Verdict.NONE, reading)
    trouble = _trouble(root, reading.signatures)
    if trouble is not None:
        return Verified(trouble, reading)
    document = etree.tostring(root)
    for certificate in known:
        signed = _signed(document, certificate)
        if signed is None:
            continue
        in_time = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        verdict = Verdict.GOOD if in_time else Verdict.OUT_OF_DATE
        return Verified(verdict, read(signed), certificate)
    return Verified(Verdict.UNKNOWN, reading)


def certificate_in(data: bytes) -> x509.Certificate | None:
    """The certificate that a document of our own brings along; None: there is none to be read.

    Of a document of others it says nothing: anybody can put any certificate into his.
    """
    try:
        text = documents.tree(data).findtext(f".//{_tag('X509Certificate')}")
        return None if text is None else x509.load_der_x509_certificate(base64.b64decode(text))
    except (CapRefused, ValueError):
        return None


def _trouble(root: etree._Element, signatures: int) -> Verdict | None:
    """Why a signature is not even tried; None when it may be good."""
    children = [child for child in root if isinstance(child.tag, str)]
    signature = children[-1] if children else root
    if signatures != 1 or signature.tag != _tag("Signature"):
        return Verdict.MISPLACED
    references = list(signature.iter(_tag("Reference")))
    if len(references) != 1 or references[0].get("URI") != "":
        return Verdict.MISPLACED
    transforms = [each.get("Algorithm") for each in references[0].iter(_tag("Transform"))]
    if transforms[:1] != [SignatureConstructionMethod.enveloped.value]:
        return Verdict.MISPLACED
    if not _TRANSFORMS.issuperset(transforms):
        return Verdict.MISPLACED
    method = signature.find(f"{_tag('SignedInfo')}/{_tag('SignatureMethod')}")
    digest = references[0].find(_tag("DigestMethod"))
    if any(each is None or each.get("Algorithm") not in _ALGORITHMS for each in (method, digest)):
        return Verdict.WEAK
    return None


def _signed(document: bytes, certificate: x509.Certificate) -> bytes | None:
    """The bytes that the owner of a certificate has signed, if he has."""
    try:
        result = XMLVerifier().verify(
            document,
            x509_cert=certificate,
            expect_config=SignatureConfiguration(
                location="./",
                expect_references=1,
                signature_methods=_METHODS,
                digest_algorithms=_DIGESTS,
                ignore_ambiguous_key_info=True,
                # Its time is looked at by our own clock, so that one that is over can be told.
                verification_time=certificate.not_valid_before_utc,
            ),
        )
    except (
        Exception
    ):  # Whatever is wrong with it, in a parser of keys or of numbers, it is not his.
        return None
    return None if isinstance(result, list) else result.signed_data


def _tag(name: str) -> str:
    return f"{{{SIGNATURES}}}{name}"
