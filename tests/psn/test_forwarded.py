"""Who asks, behind proxies that are believed and others that are not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import forwarded
from psn.forwarded import Asker

TRUSTED = forwarded.networks("10.0.0.0/8, 127.0.0.1, 2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "said_for", "said_proto", "found"),
    [
        # A stranger may claim what he likes.
        ("203.0.113.9", ["198.51.100.1"], ["https"], Asker("203.0.113.9")),
        # The proxy in front has seen 198.51.100.1; what that one claims does not count.
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], ["https"], Asker("198.51.100.1", "https")),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1"], ["https"], Asker("198.51.100.1", "https")),
        # Two proxies, both trusted.
        ("127.0.0.1", ["6.6.6.6, 198.51.100.1, 10.2.3.4"], [], Asker("198.51.100.1")),
        # Somebody on a trusted machine itself.
        ("127.0.0.1", ["10.2.3.4"], ["http"], Asker("10.2.3.4", "http")),
        ("127.0.0.1", [], [], Asker("127.0.0.1")),
        # Ports, brackets, addresses of IPv4 written as IPv6.
        ("10.0.0.1", ["198.51.100.1:4711"], [], Asker("198.51.100.1")),
        ("10.0.0.1", ["[2001:db9::1]:4711"], [], Asker("2001:db9::1")),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], [], Asker("198.51.100.1")),
        # What is no address is believed by nobody.
        ("10.0.0.1", ["198.51.100.1, unknown"], [], Asker("10.0.0.1")),
        ("10.0.0.1", ["198.51.100.1, <script>, 10.1.1.1"], [], Asker("10.1.1.1")),
        ("10.0.0.1", ["198.51.100.1"], ["gopher"], Asker("198.51.100.1")),
        ("10.0.0.1", ["198.51.100.1"], ["http, HTTPS"], Asker("198.51.100.1", "https")),
        ("", ["198.51.100.1"], ["https"], Asker("")),
    ],
)
def test_who_asks(peer: str, said_for: list[str], said_proto: list[str], found: Asker) -> None:
    assert forwarded.asker(peer, said_for, said_proto, TRUSTED) == found


addresses = st.ip_addresses().map(str)
headers = st.lists(st.text(max_size=60) | st.lists(addresses, max_size=4).map(", ".join))


@given(peer=addresses, said_for=headers, said_proto=headers)
def test_a_stranger_never_changes_who_he_is(
    peer: str, said_for: list[str], said_proto: list[str]
) -> None:
    nobody = forwarded.asker(peer, said_for, said_proto, ())
    assert nobody == Asker(peer)
    behind = forwarded.asker("10.0.0.1", [*said_for, peer], said_proto, TRUSTED)
    mapped = getattr(ipaddress.ip_address(peer), "ipv4_mapped", None) or ipaddress.ip_address(peer)
    if not any(mapped in network for network in TRUSTED):
        assert behind.address == str(mapped)


@pytest.mark.parametrize("text", ["10.0.0.1/7", "all", "10.0.0.0/33", "10.0.0.1;10.0.0.2"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|host bits"):
        forwarded.networks(text)
