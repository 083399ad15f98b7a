"""Web push: what a browser subscribes with, and what is posted to its push service. Pure.

A page asks its browser for a subscription; that names an address at the browser maker's push
service (RFC 8030) and two values by which only that browser can read what comes (RFC 8291). The
service learns that this server (its key, RFC 8292) sends something of some length, not what.

The addresses come from pages, so only services that the operator has named are called
(``PSN_PUSH_HOSTS``), over TLS, and never at an address of this machine or of its host.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import http_ece
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey
from msgspec import Struct

from dispatch.alerting import cap
from dispatch.alerting.channels import shown
from dispatch.alerting.content import Channel, Text
from dispatch.alerting.issuing import NEMO
from dispatch.warnings.told import Sent
from psn.problems import Problem

POINT_BYTES: Final = 65
"""Of a browser's public key: an uncompressed point of P-256 (RFC 8291, 3.1)."""
AUTH_BYTES: Final = 16
MOST_ADDRESS: Final = 1_000
"""Characters of an address at a push service."""
MOST_PAYLOAD: Final = 3_993
"""Octets before encryption: what every service takes is 4,096 after it (RFC 8291, 4)."""
TOKEN_SECONDS: Final = 12 * 3_600
"""A signed token is good for so long; 24 hours at most (RFC 8292, 2)."""
MOST_TTL: Final = 7 * 86_400


class Subscription(Struct, frozen=True):
    """A browser's subscription; ``p256dh`` and ``auth`` in base64url, as browsers give them.

    ``device``: of which it is, when it is a tablet's.
    """

    endpoint: str
    p256dh: str
    auth: str
    device: int | None = None


class BadSubscription(Problem):
    """``bad_subscription``: it is none, or of a service that is not called."""


def checked(said: Subscription, hosts: Iterable[str]) -> Subscription:
    """The same, if something can be pushed to it; raises :class:`BadSubscription`."""
    check_endpoint(said.endpoint, hosts)
    point, auth = octets(said.p256dh), octets(said.auth)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        point = b""
    if len(point) != POINT_BYTES or len(auth) != AUTH_BYTES:
        raise _bad("Its keys are none of a browser's.", "Subscribe anew.")
    return said


def check_endpoint(endpoint: str, hosts: Iterable[str]) -> None:
    """Raises :class:`BadSubscription` unless it is an address over TLS at one of the services.

    ``hosts`` are names, or ``*.`` and what names end with.
    """
    try:
        parts = urlsplit(endpoint)
        host, named = parts.hostname or "", parts.username is not None
        parts.port  # noqa: B018 (reading it is what checks it)
    except ValueError:
        host, named = "", False
        parts = urlsplit("")
    plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    if not plain or not host or named or parts.fragment or len(endpoint) > MOST_ADDRESS:
        raise _bad("It has no address at a push service.", "Subscribe anew.")
    if parts.scheme != "https":
        raise _bad("Its push service is not reached over TLS.", "Use another browser.")
    if not any(_is_of(host, each) for each in hosts):
        raise _bad(
            f"Its push service, {host}, is none that is called from here.",
            "Use another browser, or ask the operator to add it to PSN_PUSH_HOSTS.",
        )


def _is_of(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _bad(text: str, todo: str) -> BadSubscription:
    return BadSubscription("bad_subscription", text, todo)


def address(holder: str, endpoint: str) -> str:
    """How a subscription is called in lists and reports, which do not tell its address."""
    return f"{holder} {digest(endpoint)}"


def digest(endpoint: str) -> str:
    """A browser's subscription in a word: it tells one from another, and not where it leads."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:24]


def holder(address: str) -> str:
    """Whose it is: ``person:3`` or ``unit:7``."""
    return address.partition(" ")[0]


def purpose(address: str) -> str:
    """For what a subscription is sealed."""
    return f"push {address}"


def payload(message: Sent, text: Text) -> bytes:
    """What the page's service worker gets; short enough for every service."""
    content, alert = message.content, message.alert
    cancelled = alert.message_type is cap.MessageType.CANCEL
    title, _, body = shown(content, text, Channel.PUSH, NEMO.word).partition("\n")
    said = {
        "id": message.id,
        "warning": message.warning,
        "status": str(alert.status),
        "cancelled": cancelled,
        "language": text.language,
        "title": title,
        "body": body,
    }
    made = msgspec.json.encode(said)
    while len(made) > MOST_PAYLOAD:  # quotation marks, which take two octets each
        said["body"] = body = body[: len(body) * 3 // 4]
        made = msgspec.json.encode(said)
    return made


def encrypted(data: bytes, to: Subscription) -> bytes:
    """As only the browser reads it (RFC 8291)."""
    once = ec.generate_private_key(ec.SECP256R1())
    made: bytes = http_ece.encrypt(
        data,
        salt=os.urandom(16),
        private_key=once,
        dh=octets(to.p256dh),
        auth_secret=octets(to.auth),
        version="aes128gcm",
    )
    return made


def headers(
    message: Sent,
    endpoint: str,
    key: ec.EllipticCurvePrivateKey,
    contact: str | None,
    now: datetime,
) -> Mapping[str, str]:
    """The headers of a request (RFC 8030, 5; RFC 8292, 3). ``contact``: an address of ours."""
    expires = message.content.expires
    left = MOST_TTL if expires is None else int((expires - now).total_seconds())
    real = message.alert.status is cap.Status.ACTUAL
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(min(max(left, 60), MOST_TTL)),
        "Urgency": "high" if real else "normal",
        # A later word of the same warning takes the place of one that has not come yet.
        "Topic": f"warning-{message.warning}",
        "Authorization": f"vapid t={token(endpoint, key, contact, now)}, k={public(key)}",
    }


def token(
    endpoint: str, key: ec.EllipticCurvePrivateKey, contact: str | None, now: datetime
) -> str:
    """What proves to a service whose server asks (RFC 8292, 2)."""
    parts = urlsplit(endpoint)
    claims: dict[str, object] = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(now.timestamp()) + TOKEN_SECONDS,
    }
    if contact is not None:
        claims["sub"] = contact
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(pem))


def public(key: ec.EllipticCurvePrivateKey) -> str:
    """The key that pages subscribe with: an uncompressed point, in base64url."""
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def octets(text: str) -> bytes:
    """What base64url without padding says; empty for what is none."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
