"""Every packet of the protocol, byte by byte; numbers are big-endian.

=========  =======================================================  ===================
tag        then                                                     from
=========  =======================================================  ===================
RPTL       id                                                       repeater: signs in
RPTACK     salt, or id                                              master
RPTK       id, SHA-256 of salt and secret (32)                      repeater
RPTC       id, configuration (294): :mod:`configuration`            repeater
RPTO       id, options (text)                                       repeater
RPTPING    id                                                       repeater
MSTPONG    id                                                       master
MSTNAK     id                                                       master: refused
RPTCL      id                                                       repeater: goes
MSTCL      id                                                       master: goes
DMRD       one burst: :class:`BurstPacket`                          both
=========  =======================================================  ===================

An id, and a salt, has four bytes. Other tags that peers send (``DMRA``, ``DMRG``, ``RPTSBKN``) say
nothing that is not in the bursts as well, often cut short: they are recognised and not read.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import Final

from radio_bridge.unreadable import Unreadable, exactly

ID: Final = 4
SALT: Final = 4
DIGEST: Final = 32
BURST_PACKET: Final = 55
SHORTEST_BURST_PACKET: Final = 53
"""Some send neither bit errors nor signal strength."""
_BURST_AT: Final = 20


class Frame(enum.IntEnum):
    """What kind of burst it is."""

    VOICE = 0
    VOICE_SYNC = 1
    DATA = 2


@dataclass(frozen=True, slots=True)
class BurstPacket:
    """A burst with what the sender says of it (``DMRD``)."""

    sequence: int
    """Counts packets of a stream, modulo 256."""
    source: int
    target: int
    repeater: int
    slot: int
    """1 or 2."""
    group: bool
    frame: Frame
    kind: int
    """Of data the data type; of voice 0 to 5 for A to F."""
    stream: int
    burst: bytes
    bit_errors: int | None = None
    """Of the 141 bits that are checked in a burst of voice."""
    signal: int | None = None
    """Received strength, in -dBm; 0 is not known."""


@dataclass(frozen=True, slots=True)
class Login:
    """A repeater wants to sign in."""

    repeater: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A repeater proves that it knows the secret."""

    repeater: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Description:
    """A repeater says what it is."""

    repeater: int
    fields: bytes


@dataclass(frozen=True, slots=True)
class Options:
    """A repeater asks for something of its master's own."""

    repeater: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """A repeater is there."""

    repeater: int


@dataclass(frozen=True, slots=True)
class Closing:
    """A repeater goes."""

    repeater: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A master's yes; in answer to a login its four bytes are the salt."""

    salt: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A master's no: sign in anew."""


@dataclass(frozen=True, slots=True)
class Pong:
    """A master is there."""


@dataclass(frozen=True, slots=True)
class MasterClosing:
    """A master goes."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A packet that is known and says nothing new."""

    tag: bytes


FromRepeater = Login | Proof | Description | Options | Ping | Closing | BurstPacket | Ignored
FromMaster = Accepted | Refused | Pong | MasterClosing | BurstPacket | Ignored

_IGNORED: Final = (b"DMRA", b"DMRG", b"RPTSBKN")
_LONGEST: Final = 512


def digest(salt: bytes, secret: bytes) -> bytes:
    """What proves the secret."""
    return hashlib.sha256(salt + secret).digest()


def read_from_repeater(data: bytes) -> FromRepeater:
    """What a repeater sent; raises :class:`Unreadable`."""
    _bounded(data)
    if data.startswith(b"DMRD"):
        return read_burst(data)
    if data.startswith(b"RPTPING"):
        return Ping(_only_id(data, 7))
    # A description begins with RPTC as well; its id may begin with an L.
    if data.startswith(b"RPTCL") and len(data) == 5 + ID:
        return Closing(_only_id(data, 5))
    if data.startswith(b"RPTL"):
        return Login(_only_id(data, 4))
    if data.startswith(b"RPTK"):
        exactly(data, 4 + ID + DIGEST, "RPTK")
        return Proof(_id(data, 4), data[8:])
    if data.startswith((b"RPTC", b"RPTO")) and len(data) >= 4 + ID:
        made = Description if data[3:4] == b"C" else Options
        return made(_id(data, 4), data[8:])
    return _ignored(data)


def read_from_master(data: bytes) -> FromMaster:
    """What a master sent; raises :class:`Unreadable`."""
    _bounded(data)
    if data.startswith(b"DMRD"):
        return read_burst(data)
    if data.startswith(b"RPTACK"):
        return Accepted(exactly(data, 6 + SALT, "RPTACK")[6:])
    # Ids in these are sometimes missing; who sent them tells whom they mean.
    if data.startswith(b"MSTNAK"):
        return Refused()
    if data.startswith(b"MSTPONG"):
        return Pong()
    if data.startswith(b"MSTCL"):
        return MasterClosing()
    return _ignored(data)


def _bounded(data: bytes) -> None:
    if len(data) > _LONGEST:
        raise Unreadable("homebrew.length", f"A packet of {len(data)} bytes is none of these.")


def _ignored(data: bytes) -> Ignored:
    for tag in _IGNORED:
        if data.startswith(tag):
            return Ignored(tag)
    raise Unreadable("homebrew.unknown", "This packet begins like none that is known.")


def _id(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + ID])


def _only_id(data: bytes, at: int) -> int:
    return _id(exactly(data, at + ID, data[:at].decode()), at)


def read_burst(data: bytes) -> BurstPacket:
    """A ``DMRD`` packet of 53 to 55 bytes; raises :class:`Unreadable`."""
    if not SHORTEST_BURST_PACKET <= len(data) <= BURST_PACKET or not data.startswith(b"DMRD"):
        raise Unreadable("homebrew.length", f"DMRD has 55 bytes, or 53, not {len(data)}.")
    flags = data[15]
    frame = flags >> 4 & 3
    if frame > Frame.DATA:
        raise Unreadable("homebrew.reserved", "This DMRD is neither of voice nor of data.")
    tail = data[SHORTEST_BURST_PACKET:]
    return BurstPacket(
        sequence=data[4],
        source=int.from_bytes(data[5:8]),
        target=int.from_bytes(data[8:11]),
        repeater=_id(data, 11),
        slot=2 if flags & 0x80 else 1,
        group=not flags & 0x40,
        frame=Frame(frame),
        kind=flags & 0xF,
        stream=_id(data, 16),
        burst=data[_BURST_AT:SHORTEST_BURST_PACKET],
        bit_errors=tail[0] if tail else None,
        signal=tail[1] if len(tail) > 1 else None,
    )


def write_burst(packet: BurstPacket, repeater: int | None = None) -> bytes:
    """The 55 bytes, of another repeater if one is given; some peers drop anything shorter."""
    return unsigned_burst(packet, repeater) + bytes([packet.bit_errors or 0, packet.signal or 0])


def unsigned_burst(packet: BurstPacket, repeater: int | None = None) -> bytes:
    """The first 53 bytes, of another repeater if one is given."""
    sender = packet.repeater if repeater is None else repeater
    flags = (packet.slot == 2) << 7 | (not packet.group) << 6 | packet.frame << 4 | packet.kind
    ends = packet.source.to_bytes(3) + packet.target.to_bytes(3) + sender.to_bytes(ID)
    head = b"DMRD" + bytes([packet.sequence]) + ends + bytes([flags])
    return head + packet.stream.to_bytes(4) + exactly(packet.burst, 33, "A burst")


def write_login(repeater: int) -> bytes:
    """``RPTL``."""
    return b"RPTL" + repeater.to_bytes(ID)


def write_proof(repeater: int, salt: bytes, secret: bytes) -> bytes:
    """``RPTK``, 40 bytes."""
    return b"RPTK" + repeater.to_bytes(ID) + digest(salt, secret)


def write_description(repeater: int, fields: bytes) -> bytes:
    """``RPTC``, 302 bytes."""
    return b"RPTC" + repeater.to_bytes(ID) + fields


def write_options(repeater: int, text: bytes) -> bytes:
    """``RPTO``."""
    return b"RPTO" + repeater.to_bytes(ID) + text


def write_ping(repeater: int) -> bytes:
    """``RPTPING``."""
    return b"RPTPING" + repeater.to_bytes(ID)


def write_closing(repeater: int) -> bytes:
    """``RPTCL``."""
    return b"RPTCL" + repeater.to_bytes(ID)


def write_salt(salt: bytes) -> bytes:
    """``RPTACK`` to a login."""
    return b"RPTACK" + exactly(salt, SALT, "A salt")


def write_accepted(repeater: int) -> bytes:
    """``RPTACK`` to anything else."""
    return b"RPTACK" + repeater.to_bytes(ID)


def write_refused(repeater: int) -> bytes:
    """``MSTNAK``."""
    return b"MSTNAK" + repeater.to_bytes(ID)


def write_pong(repeater: int) -> bytes:
    """``MSTPONG``."""
    return b"MSTPONG" + repeater.to_bytes(ID)


def write_master_closing(repeater: int) -> bytes:
    """``MSTCL``."""
    return b"MSTCL" + repeater.to_bytes(ID)
