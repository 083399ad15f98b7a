"""OpenBridge: bursts between masters, each signed with HMAC-SHA1 under a shared passphrase.

73 bytes: the first 53 of ``DMRD``, with the sending network's id as repeater, and 20 of signature.
All of it is in slot 1. A signature does not tell a burst that is sent again; the calls do.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Final

from radio_bridge.homebrew import packets
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.unreadable import Unreadable, exactly

SIGNATURE: Final = 20
LENGTH: Final = packets.SHORTEST_BURST_PACKET + SIGNATURE


def read(data: bytes, passphrase: bytes) -> BurstPacket:
    """A burst that who knows the passphrase has sent; raises :class:`Unreadable`."""
    exactly(data, LENGTH, "OpenBridge")
    body = data[: packets.SHORTEST_BURST_PACKET]
    if not hmac.compare_digest(_signature(body, passphrase), data[len(body) :]):
        raise Unreadable("homebrew.signature", "The signature of an OpenBridge packet is wrong.")
    return packets.read_burst(body)


def write(packet: BurstPacket, network: int, passphrase: bytes) -> bytes:
    """The 73 bytes, from the network of this number."""
    body = packets.unsigned_burst(replace(packet, repeater=network, slot=1))
    return body + _signature(body, passphrase)


def _signature(body: bytes, passphrase: bytes) -> bytes:
    return hmac.digest(passphrase, body, hashlib.sha1)
