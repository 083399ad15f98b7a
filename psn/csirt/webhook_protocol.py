"""What webhooks say and prove, whom they may call, and when they try again. Pure.

A request is a ``POST`` of JSON with three headers (the convention of standardwebhooks.com, 1.0.0):
``webhook-id``, ``webhook-timestamp`` (seconds UTC), and ``webhook-signature``: ``v1,`` and the
base64 of HMAC-SHA256 (RFC 2104) over ``id.timestamp.body``, with a secret that both sides know. The
receiver recomputes it over the bytes that came, and refuses old timestamps: so nobody else can
send in our name, nor send again what we once sent.

Whoever may name an address to be called must not be able to make the server call services that
trust it because of where it stands: its own machine, and what a cloud keeps for its guests at
link-local addresses. Addresses are judged when they are connected to, after names are resolved.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from psn import destinations
from psn.csirt.security_events import SecurityEvent
from psn.problems import Problem

PREFIX: Final = "whsec_"
"""Begins a secret as it is shown."""
SECRET_BYTES: Final = 32
TOLERANCE_SECONDS: Final = 300
"""A receiver refuses a timestamp that is further off."""
GIVE_UP_SECONDS: Final = 86_400.0
"""A receiver that has taken nothing for so long is called no more."""
LOCAL: Final = ("localhost", "127.0.0.1", "::1")
"""Hosts that may be called without TLS, and at loopback addresses."""

_PAUSES: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0)


class BadWebhook(Problem):
    """An address that is not called: ``bad_webhook``."""


# -- the secret, and what it signs


def new_secret() -> bytes:
    """A secret for one webhook."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as it is given to the receiver: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(secret: bytes, id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a request; ``at`` is seconds UTC, ``id`` the same for each try of it."""
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secret, id, at, body),
    }


def signature(secret: bytes, id: str, at: int, body: bytes) -> str:
    """``v1,`` and what proves that the owner of the secret sent this."""
    signed = f"{id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def payload(events: Sequence[SecurityEvent]) -> bytes:
    """The body for events: ``{"type": "security.events", "timestamp": …, "data": [ … ]}``."""
    return msgspec.json.encode(
        {
            "type": "security.events",
            "timestamp": _iso(events[-1].at) if events else None,
            "data": [_said(event) for event in events],
        }
    )


def _said(event: SecurityEvent) -> dict[str, object]:
    return {
        "seq": event.seq,
        "time": _iso(event.at),
        "kind": event.kind,
        "severity": event.severity.name.lower(),
        "text": event.text,
        "action": event.action,
        "actor": event.actor,
        "actor_name": event.actor_name,
        "agency": event.agency,
        "source": event.source,
        "session": event.session,
        "object": event.object,
        "owner": event.owner,
        "details": event.details,
    }


def _iso(at: int) -> str | None:
    try:
        moment = datetime.fromtimestamp(at // 1_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1_000:03}Z"


# -- whom it may call


def check_url(url: str) -> str:
    """The address of a receiver, if it may be one; raises :class:`BadWebhook`."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (reading it is what checks it)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise BadWebhook("bad_webhook", f"{url!r} is no address.", "Give https://host/path.")
    if parts.username is not None or parts.fragment:
        raise BadWebhook(
            "bad_webhook",
            "The address has a password or a fragment in it.",
            "Leave them out: the signature says who calls.",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOCAL):
        raise BadWebhook(
            "bad_webhook",
            f"{url} is not called: what goes there or comes from there goes over TLS.",
            "Give an address with https; http is for localhost alone.",
        )
    if is_address(host) and not may_be_called(host, host):
        raise refused(host, host)
    return url


def is_address(host: str) -> bool:
    """Whether a host is an address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def may_be_called(address: str, host: str) -> bool:
    """Whether the address may be connected to, of a receiver that was named ``host``."""
    try:
        found = destinations.plain(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if found.is_loopback:
        return host in LOCAL
    return not destinations.is_forbidden(found)


def refused(address: str, host: str) -> BadWebhook:
    """Why an address is not connected to."""
    return BadWebhook(
        "bad_webhook",
        f"{host} is at {address}, which is not called: it is this machine's own or its host's.",
        "Give the address of a receiver in a network.",
    )


# -- when it tries again


def pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row, at least one."""
    return _PAUSES[min(failures, len(_PAUSES)) - 1]
