"""Signatures: ours are good, everything that was done to one is found, and only what was signed
is used."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from written import ALERT, DOCUMENT, alerts

from dispatch.alerting import cap
from dispatch.alerting.cap import Seal, Verdict

NOW = datetime(2026, 6, 1, 18, tzinfo=UTC)
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


def seal(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, name: str = "NEMO") -> Seal:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return Seal(key, certificate)


NEMO = seal(ec.generate_private_key(ec.SECP256R1()))
STRANGER = seal(ec.generate_private_key(ec.SECP256R1()), "NEMO")
SIGNED = cap.sign(ALERT, NEMO)
KNOWN = [NEMO.certificate]


def verdict(data: bytes) -> Verdict:
    return cap.verify(data, KNOWN, NOW).verdict


@pytest.mark.parametrize(
    "key",
    [
        lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        lambda: ec.generate_private_key(ec.SECP384R1()),
    ],
)
def test_what_is_signed_is_good(
    key: Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey],
) -> None:
    own = seal(key())
    data = cap.sign(ALERT, own)
    found = cap.verify(data, [STRANGER.certificate, own.certificate], NOW)
    assert found.verdict is Verdict.GOOD
    assert found.signer == own.certificate
    assert found.reading.alert == ALERT
    assert found.reading.findings == ()
    # Whoever cannot verify it reads it all the same.
    assert cap.parse(data) == ALERT


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(alerts())
def test_any_alert_can_be_signed(alert: cap.Alert) -> None:
    found = cap.verify(cap.sign(alert, NEMO), KNOWN, NOW)
    assert found.verdict is Verdict.GOOD
    assert found.reading.alert == alert


def test_one_without_a_signature_has_none() -> None:
    found = cap.verify(DOCUMENT.encode(), KNOWN, NOW)
    assert found.verdict is Verdict.NONE and found.reading.valid
    assert cap.verify(b"hello", KNOWN, NOW).verdict is Verdict.NONE


def test_a_stranger_who_calls_himself_the_same_is_not_known() -> None:
    """DOM-WRN-25."""
    assert verdict(cap.sign(ALERT, STRANGER)) is Verdict.UNKNOWN
    assert cap.verify(SIGNED, [], NOW).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("days", [-2, 2])
def test_a_certificate_counts_in_its_time(days: int) -> None:
    found = cap.verify(SIGNED, KNOWN, NOW + timedelta(days=days))
    assert found.verdict is Verdict.OUT_OF_DATE
    assert found.signer == NEMO.certificate


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hurricane warning for", b"No hurricane for"),
        (b"17.6,-88.1", b"17.7,-88.1"),
        (b">Actual<", b">Test<"),
        (b"<scope>", b" <scope>"),
        (b"<scope>", b"<note/><scope>"),
    ],
)
def test_whatever_was_changed_is_found(old: bytes, new: bytes) -> None:
    assert old in SIGNED
    assert verdict(SIGNED.replace(old, new, 1)) is Verdict.UNKNOWN


def test_another_encoding_changes_nothing_that_was_signed() -> None:
    text = cap.sign(cap.parse(DOCUMENT.encode()), NEMO).decode()
    latin = text.replace("encoding='UTF-8'", "encoding='ISO-8859-1'").encode("iso-8859-1")
    found = cap.verify(latin, KNOWN, NOW)
    assert found.verdict is Verdict.GOOD
    assert found.reading.alert is not None
    assert found.reading.alert.infos[0].event == "Aviso de huracán"


# What follows is signature wrapping: the signed bytes stay, and something else is to be read.


def root() -> etree._Element:
    return etree.fromstring(SIGNED)


def element(place: etree._Element, name: str) -> etree._Element:
    found = place.find(f".//{name}")
    assert found is not None
    return found


def forged() -> etree._Element:
    """An alert that says something else, without a signature."""
    document = root()
    element(document, f"{CAP}headline").text = "All clear"
    document.remove(element(document, f"{DS}Signature"))
    return document


def test_the_signed_alert_inside_another_is_worth_nothing() -> None:
    """DOM-WRN-25."""
    outer = forged()
    outer.append(root())
    found = cap.verify(etree.tostring(outer), KNOWN, NOW)
    assert found.verdict is Verdict.MISPLACED


def test_the_signed_alert_inside_the_signature_of_another_is_worth_nothing() -> None:
    outer, inner = forged(), root()
    signature = copy.deepcopy(element(inner, f"{DS}Signature"))
    inner.set("Id", "it")
    element(signature, f"{DS}Reference").set("URI", "#it")
    thing = etree.SubElement(signature, f"{DS}Object")
    thing.append(inner)
    outer.append(signature)
    assert cap.verify(etree.tostring(outer), KNOWN, NOW).verdict is Verdict.MISPLACED


def test_a_reference_to_a_part_does_not_cover_the_whole() -> None:
    document = root()
    element(document, f"{DS}Reference").set("URI", "#it")
    element(document, f"{CAP}info").set("Id", "it")
    assert verdict(etree.tostring(document)) is Verdict.MISPLACED


def test_a_signature_elsewhere_is_worth_nothing() -> None:
    document = root()
    element(document, f"{CAP}info").append(element(document, f"{DS}Signature"))
    assert verdict(etree.tostring(document)) is Verdict.MISPLACED


def test_two_signatures_are_worth_nothing() -> None:
    document = root()
    document.append(copy.deepcopy(element(document, f"{DS}Signature")))
    assert verdict(etree.tostring(document)) is Verdict.MISPLACED


def test_what_stands_after_the_signature_was_not_meant() -> None:
    document = root()
    document.append(copy.deepcopy(element(document, f"{CAP}info")))
    assert verdict(etree.tostring(document)) is Verdict.MISPLACED


@pytest.mark.parametrize(
    "algorithm",
    [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
    ],
)
def test_a_transform_that_hides_something_is_not_done(algorithm: str) -> None:
    document = root()
    transforms = element(document, f"{DS}Transforms")
    etree.SubElement(transforms, f"{DS}Transform", Algorithm=algorithm)
    assert verdict(etree.tostring(document)) is Verdict.MISPLACED


def test_a_comment_that_is_not_hashed_does_not_part_words() -> None:
    """Some readers stop at a comment: an alert for “Belize City” would be for “Belize”."""
    data = SIGNED.replace(b"Belize City</areaDesc>", b"Belize<!-- --> City</areaDesc>", 1)
    assert data != SIGNED
    found = cap.verify(data, KNOWN, NOW)
    assert found.verdict is Verdict.GOOD
    assert found.reading.alert == ALERT


def test_what_is_returned_was_read_from_what_was_signed() -> None:
    """DOM-WRN-25."""
    data = SIGNED.replace(b"<scope>", b"<!-- anybody's word --><?anybody word?><scope>", 1)
    found = cap.verify(data, KNOWN, NOW)
    assert found.verdict is Verdict.UNKNOWN  # the instruction is hashed, the comment is not
    found = cap.verify(SIGNED.replace(b"<scope>", b"<!-- word --><scope>", 1), KNOWN, NOW)
    assert found.verdict is Verdict.GOOD
    assert found.reading.signatures == 0  # the bytes that were hashed, without the signature


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2001/04/xmldsig-more#ecdsa-sha256", b"2000/09/xmldsig#rsa-sha1"),
        (b"2001/04/xmldsig-more#ecdsa-sha256", b"2001/04/xmldsig-more#hmac-sha256"),
        (b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1"),
        (b"2001/04/xmlenc#sha256", b"2001/04/xmlenc#nothing"),
    ],
)
def test_a_signature_that_can_be_forged_is_weak(old: bytes, new: bytes) -> None:
    assert old in SIGNED
    assert verdict(SIGNED.replace(old, new, 1)) is Verdict.WEAK


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(SIGNED) - 1), st.binary(max_size=3))
def test_a_damaged_signature_never_does_harm(at: int, put: bytes) -> None:
    data = SIGNED[:at] + put + SIGNED[at + len(put) :]
    found = cap.verify(data, KNOWN, NOW)
    if found.verdict is Verdict.GOOD:
        assert found.reading.alert == ALERT


def test_the_signature_of_a_national_service_is_looked_at(recordings: Path) -> None:
    path = recordings / "cap" / "earthquake-iso8859-1.cap"
    if not path.exists():
        pytest.skip(f"no recording {path}")
    found = cap.verify(path.read_bytes(), KNOWN, NOW)
    assert found.verdict is Verdict.WEAK  # by SHA-1, and with a key that anybody could put there
    assert found.reading.valid
