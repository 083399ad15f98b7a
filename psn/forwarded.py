"""Behind a proxy: from where a request really came. Pure.

A proxy says who asked in ``X-Forwarded-For`` and how in ``X-Forwarded-Proto``. Anyone can write
these headers, so they count only when the connection comes from a proxy that the operator named
(``PSN_TRUSTED_PROXIES``), and only as far as such proxies vouch for them: read from the right, the
first address that is no trusted proxy's is whom the last trusted one has seen.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an address, and the scheme by which he came where a proxy tells."""

    address: str
    scheme: str | None = None


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks (``10.0.0.1, 2001:db8::/32``); raises ``ValueError``."""
    parts = [part.strip() for part in text.split(",")]
    return tuple(ipaddress.ip_network(part) for part in parts if part)


def asker(
    peer: str,
    said_for: Iterable[str],
    said_proto: Iterable[str],
    trusted: Sequence[Network],
) -> Asker:
    """Who asks, by the peer of the connection and the values of both headers, in their order.

    What is no address ends the reading: the proxy that let it through is then as far as is known.
    """
    nearest = _address(peer)
    if nearest is None or not _within(nearest, trusted):
        return Asker(peer)
    for said in reversed(_items(said_for)):
        found = _address(said)
        if found is None:
            break
        nearest = found
        if not _within(found, trusted):
            break
    scheme = (_items(said_proto) or [""])[-1].lower()
    return Asker(str(nearest), scheme if scheme in ("http", "https") else None)


def is_within(address: str, within: Sequence[Network]) -> bool:
    """Whether a text writes an address of one of these networks."""
    found = _address(address)
    return found is not None and _within(found, within)


def _items(values: Iterable[str]) -> list[str]:
    return [item.strip() for value in values for item in value.split(",") if item.strip()]


def _address(text: str) -> Address | None:
    """The address that a text writes, with a port or without."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _within(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
