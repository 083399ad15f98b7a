"""The master's side: repeaters sign in here. Pure: datagrams and times in, the same and events out.

Theory of operation
-------------------
==============  ====================  =========================================================
repeater is     sends                 then
==============  ====================  =========================================================
anything        login                 gets a salt; nothing is remembered and nothing changes
anything        proof that holds      *signed in* here; signed in from elsewhere before: moved
anything        proof that does not   refused; whoever is signed in stays so
signed in       description           *connected*; again: described anew
connected       ping                  answered
connected       burst                 heard
not from here   ping, description     refused, so that it signs in anew
not from here   closing, burst        dropped
any             nothing for SILENCE   gone
==============  ====================  =========================================================

A salt is a keyed hash of who asked, from where, and when, so strangers who ask cost no memory; it
is good for 15 to 30 seconds and one proof. Whether an id is known only who knows its secret learns.
Every packet counts against its repeater's allowance; what is above it is dropped and counted.
Times are seconds of a clock; one that runs backwards is taken to stand still.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from radio_bridge.homebrew import configuration, packets
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.unreadable import Unreadable

Address = tuple[str, int]

SILENCE_S: Final = 30.0
"""Repeaters ping every five or ten seconds."""
SALT_S: Final = 15.0
ALLOWED_PER_S: Final = 100.0
"""Two slots make 34 bursts a second; the rest is for what a queue on the way lets go at once."""
ALLOWED_AT_ONCE: Final = 200.0


class Gone(enum.StrEnum):
    """Why a repeater is no longer signed in."""

    CLOSED = "closed"
    """It said so."""
    SILENT = "silent"
    """Nothing came of it."""
    MOVED = "moved"
    """It signed in from elsewhere."""
    BARRED = "barred"
    """Its secret was changed or taken away."""


@dataclass(frozen=True, slots=True)
class Send:
    """A datagram to be sent."""

    address: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """A repeater is signed in and has said what it is; or says it anew."""

    repeater: int
    address: Address
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class Left:
    """A repeater that was signed in is not any more."""

    repeater: int
    cause: Gone


@dataclass(frozen=True, slots=True)
class Heard:
    """A burst of a connected repeater."""

    packet: BurstPacket


@dataclass(frozen=True, slots=True)
class Flooding:
    """A repeater sends more than it may; said once until it calms down."""

    repeater: int


Out = Send | Connected | Left | Heard | Flooding


@dataclass(slots=True)
class _Session:
    address: Address
    heard_at: float
    allowance: float = ALLOWED_AT_ONCE
    is_flooding: bool = False
    configuration: Configuration | None = None


class Master:
    """Who is signed in. ``secrets`` has every repeater that may be; ``key`` is 32 random bytes."""

    def __init__(self, secrets: Mapping[int, bytes], key: bytes) -> None:
        self._secrets = dict(secrets)
        self._key = key
        self._now = 0.0
        self._sessions: dict[int, _Session] = {}
        self._proofs: Counter[int] = Counter()
        self.dropped: Counter[str] = Counter()
        """Packets that were not taken, by code."""

    @property
    def connected(self) -> list[int]:
        """Repeaters that are there now."""
        return [repeater for repeater, s in self._sessions.items() if s.configuration is not None]

    def is_from(self, repeater: int, address: Address) -> bool:
        """Whether that repeater is connected from there."""
        session = self._sessions.get(repeater)
        return session is not None and session.address == address

    def receive(self, data: bytes, address: Address, now: float) -> list[Out]:
        """Take a datagram."""
        self._now = max(self._now, now)
        try:
            packet = packets.read_from_repeater(data)
        except Unreadable as error:
            return self._drop(error.code)
        match packet:
            case packets.Ignored():
                return []
            case packets.Login():
                salt = self._salt(packet.repeater, address, self._slot)
                return [Send(address, packets.write_salt(salt))]
            case packets.Proof():
                return self._proof(packet, address)
        session = self._sessions.get(packet.repeater)
        if session is None or session.address != address:
            return self._stranger(packet, address)
        allowed = self._allow(packet.repeater, session)
        if allowed is not None:
            return allowed
        return self._known(packet, session)

    def _known(self, packet: packets.FromRepeater, session: _Session) -> list[Out]:
        """A packet of a repeater that is signed in, from where it is."""
        session.heard_at = self._now
        match packet:
            case packets.Description():
                session.configuration = configuration.read(packet.fields)
                return [
                    Send(session.address, packets.write_accepted(packet.repeater)),
                    Connected(packet.repeater, session.address, session.configuration),
                ]
            case packets.Options():
                return [Send(session.address, packets.write_accepted(packet.repeater))]
            case packets.Ping():
                return [Send(session.address, packets.write_pong(packet.repeater))]
            case packets.Closing():
                return [self._leave(packet.repeater, Gone.CLOSED)]
            case BurstPacket() if session.configuration is not None:
                return [Heard(packet)]
        return self._drop("homebrew.too_early")

    def _stranger(self, packet: packets.FromRepeater, address: Address) -> list[Out]:
        """A packet in the name of a repeater that is not signed in, or not from there."""
        if isinstance(packet, packets.Ping | packets.Description | packets.Options):
            refused = Send(address, packets.write_refused(packet.repeater))
            return [*self._drop("homebrew.not_signed_in"), refused]
        return self._drop("homebrew.spoofed")

    def _proof(self, proof: packets.Proof, address: Address) -> list[Out]:
        repeater = proof.repeater
        secret = self._secrets.get(repeater)
        # An unknown one costs the same work and gets the same answer.
        salts = [self._salt(repeater, address, self._slot - back) for back in (0, 1)]
        digests = [packets.digest(salt, secret or self._key) for salt in salts]
        right = [hmac.compare_digest(digest, proof.digest) for digest in digests]
        if secret is None or not any(right):
            refused = Send(address, packets.write_refused(repeater))
            return [*self._drop("homebrew.wrong_secret"), refused]
        self._proofs[repeater] += 1
        out: list[Out] = []
        before = self._sessions.get(repeater)
        if before is not None and before.address != address:
            out.append(self._leave(repeater, Gone.MOVED))
        self._sessions[repeater] = _Session(address, self._now)
        return [*out, Send(address, packets.write_accepted(repeater))]

    @property
    def _slot(self) -> int:
        return int(self._now // SALT_S)

    def _salt(self, repeater: int, address: Address, slot: int) -> bytes:
        """The same for who asks again at once; another after each proof that held."""
        asked = f"{repeater} {address[0]} {address[1]} {slot} {self._proofs[repeater]}"
        return hmac.digest(self._key, asked.encode(), hashlib.sha256)[: packets.SALT]

    def _allow(self, repeater: int, session: _Session) -> list[Out] | None:
        """None when it may; otherwise what comes of that."""
        grown = (self._now - session.heard_at) * ALLOWED_PER_S
        session.allowance = min(ALLOWED_AT_ONCE, session.allowance + grown)
        if session.allowance >= 1:
            session.allowance -= 1
            if session.allowance > ALLOWED_AT_ONCE / 2:
                session.is_flooding = False
            return None
        session.heard_at = self._now
        out: list[Out] = [] if session.is_flooding else [Flooding(repeater)]
        session.is_flooding = True
        return out + self._drop("homebrew.flood")

    def _leave(self, repeater: int, cause: Gone) -> Left:
        del self._sessions[repeater]
        return Left(repeater, cause)

    def _drop(self, code: str) -> list[Out]:
        self.dropped[code] += 1
        return []

    @property
    def due(self) -> float | None:
        """When :meth:`pass_time` is to be called at the latest."""
        heard = [session.heard_at for session in self._sessions.values()]
        return min(heard) + SILENCE_S if heard else None

    def pass_time(self, now: float) -> list[Out]:
        """Who was silent too long is gone."""
        self._now = max(self._now, now)
        silent = [
            repeater
            for repeater, session in self._sessions.items()
            if self._now >= session.heard_at + SILENCE_S
        ]
        return [self._leave(repeater, Gone.SILENT) for repeater in silent]

    def send(self, packet: BurstPacket, repeater: int) -> list[Out]:
        """A burst to a connected repeater, in its own name; nothing when it is not there."""
        session = self._sessions.get(repeater)
        if session is None or session.configuration is None:
            return []
        return [Send(session.address, packets.write_burst(packet, repeater))]

    def change_secrets(self, secrets: Mapping[int, bytes]) -> list[Out]:
        """Others may sign in from now on; who has another secret, or none, is sent away."""
        barred = [r for r in self._sessions if secrets.get(r) != self._secrets[r]]
        self._secrets = dict(secrets)
        return self._send_away(barred)

    def close(self) -> list[Out]:
        """This master goes."""
        return self._send_away(list(self._sessions))

    def _send_away(self, repeaters: list[int]) -> list[Out]:
        out: list[Out] = []
        for repeater in repeaters:
            address = self._sessions[repeater].address
            out.append(Send(address, packets.write_master_closing(repeater)))
            out.append(self._leave(repeater, Gone.BARRED))
        return out
