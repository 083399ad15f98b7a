"""Signatures of webhooks, and whom they may call."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.csirt import webhook_protocol
from psn.csirt.security_events import SecurityEvent, Severity
from psn.csirt.webhook_protocol import BadWebhook, check_url, headers, may_be_called, payload, shown

EVENT = SecurityEvent(
    7, 1_794_000_000_123, "BREAK_GLASS", Severity.WARNING, "x", "glass.added", "a"
)


@given(st.binary(min_size=16), st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_a_receiver_recomputes_the_signature_from_what_came(body: bytes, id: str) -> None:
    secret = webhook_protocol.new_secret()
    said = headers(secret, id, 1_700_000_000, body)
    key = base64.b64decode(shown(secret).removeprefix("whsec_"))
    signed = said["webhook-id"].encode() + b"." + said["webhook-timestamp"].encode() + b"." + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert said["webhook-signature"] == "v1," + expected


def test_a_signature_known_from_elsewhere() -> None:
    """The example of the convention's own reference libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = webhook_protocol.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_body_says_what_the_event_says() -> None:
    said = json.loads(payload([EVENT]))
    assert (said["type"], said["timestamp"]) == ("security.events", "2026-11-06T21:20:00.123Z")
    (event,) = said["data"]
    assert (event["seq"], event["kind"], event["severity"]) == (7, "BREAK_GLASS", "warning")


@pytest.mark.parametrize(
    "url",
    [
        "https://csirt.example.bz/psn",
        "https://csirt.example.bz:8443",
        "https://10.1.2.3/x?y=z",
        "https://[2001:db8::1]/",
        "http://localhost:9000/x",
        "http://127.0.0.1/",
        "https://[::1]/",
    ],
)
def test_receivers_in_networks_and_on_this_machine_by_name_are_called(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://csirt.example.bz/",
        "ftp://csirt.example.bz/",
        "https://",
        "https:///x",
        "csirt.example.bz",
        "https://user:password@csirt.example.bz/",
        "https://csirt.example.bz/#x",
        "https://csirt.example.bz/a b",
        "https://csirt.example.bz\r\nX: y/",
        "https://csirt.example.bz:99999/",
        "https://[::1/",
        "https://bücher.example/",
        "https://169.254.169.254/latest/meta-data",
        "http://169.254.169.254/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[fd00:ec2::254]/",
        "https://100.100.100.200/",
        "https://0.0.0.0/",
        "https://127.1.2.3/",
        "https://[::ffff:127.0.0.2]/",
        "https://224.0.0.1/",
        "http://localhost.example.bz/",
    ],
)
def test_others_are_refused(url: str) -> None:
    """DOM-SEC-6."""
    with pytest.raises(BadWebhook) as refused:
        check_url(url)
    assert refused.value.code == "bad_webhook"


@given(st.ip_addresses())
def test_no_name_in_a_network_leads_to_this_machine(address: object) -> None:
    """DOM-SEC-6: whatever a name resolves to."""
    said = str(address)
    allowed = may_be_called(said, "csirt.example.bz")
    assert not (allowed and said.startswith(("127.", "169.254.", "fe80:", "0.0.0.0", "::1")))


def test_a_name_that_resolves_to_loopback_is_called_as_localhost_alone() -> None:
    assert may_be_called("127.0.0.1", "localhost")
    assert not may_be_called("127.0.0.1", "csirt.example.bz")
    assert not may_be_called("fe80::1%eth0", "csirt.example.bz")
    assert not may_be_called("nonsense", "csirt.example.bz")


@given(st.text())
def test_any_text_is_an_address_or_is_refused(url: str) -> None:
    with contextlib.suppress(BadWebhook):
        assert check_url(url) == url


def test_pauses_grow_to_an_hour() -> None:
    pauses = [webhook_protocol.pause(failures) for failures in range(1, 20)]
    assert pauses == sorted(pauses) and pauses[0] < 10 and pauses[-1] == 3_600
