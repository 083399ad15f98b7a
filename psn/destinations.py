"""Where a server of ours may connect to when somebody else has named the place. Pure.

Webhooks and identity providers are named by people. No name may lead to this machine, or to what
hosts of clouds keep for their guests (server-side request forgery); callers say what else.
"""

from __future__ import annotations

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
)
"""Where clouds keep their guests' secrets, beside 169.254.0.0/16 and fe80::/10."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, if it does (RFC 4291, 3056, 6052)."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        return inner or address
    return address


def is_forbidden(address: Address) -> bool:
    """Whether nobody's name may lead to a plain address; loopback is for the caller to judge."""
    return (
        address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address in METADATA
    )
