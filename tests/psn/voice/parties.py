"""Somebody in a voice group, and frames of speech that are no speech."""

from __future__ import annotations

import asyncpg
from stage import Peer, Stage

from psn import wire
from psn.wire import Speech, VoiceGroup

JOINT = "group:1"
OPUS = bytes([0x78]) + bytes(69)
"""As long as a packet of 20 ms at 24 kbit/s."""


class Party:
    """One session, and what it says and hears."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    @classmethod
    async def enter(cls, stage: Stage, who: str | int, *groups: str, **more: str) -> Party:
        """Signed in, and in these groups."""
        party = cls(await Peer.enter(stage.url, who, **more))
        for group in groups:
            await party.join(group)
        return party

    async def join(self, group: str = JOINT) -> wire.Floor:
        """Join; what is told of the floor."""
        n = self.peer.number()
        await self.peer.send(wire.VoiceJoin(n=n, group=group))
        await self.peer.expect(wire.Ok, lambda ok: ok.n == n)
        return await self.floor(group)

    async def leave(self, group: str = JOINT) -> None:
        n = self.peer.number()
        await self.peer.send(wire.VoiceLeave(n=n, group=group))
        await self.peer.expect(wire.Ok, lambda ok: ok.n == n)

    async def floor(self, group: str = JOINT) -> wire.Floor:
        """The next that is told of a floor."""
        return await self.peer.expect(wire.Floor, lambda floor: floor.group == group)

    async def yours(self, state: wire.FloorState, group: str = JOINT) -> wire.FloorYours:
        """The next that is told of one's own wish; it must be this."""
        told = await self.peer.expect(wire.FloorYours, lambda yours: yours.group == group)
        assert told.state == state, told
        return told

    async def ask(self, group: str = JOINT, call: wire.CallKind = "normal") -> None:
        await self.peer.send(wire.FloorAsk(group=group, call=call))

    async def granted(self, group: str = JOINT, call: wire.CallKind = "normal") -> wire.FloorYours:
        """Ask, and have the floor."""
        await self.ask(group, call)
        return await self.yours("granted", group)

    async def release(self, group: str = JOINT) -> None:
        await self.peer.send(wire.FloorRelease(group=group))

    def frame(self, number: int, group: str = JOINT, talker: str | None = None) -> bytes:
        me = talker or self.peer.me.me
        return Speech(VoiceGroup.of(group), me, number, 20, False, OPUS).encode()

    async def say(self, *numbers: int, group: str = JOINT, talker: str | None = None) -> None:
        """Frames of speech, of these numbers."""
        for number in numbers:
            await self.peer.socket.send(self.frame(number, group, talker))

    def heard(self, group: str = JOINT) -> list[tuple[str, int]]:
        """Who was heard in a group, and the numbers of his frames."""
        heard = self.peer.heard
        return [(each.talker, each.number) for each in heard if each.group.address == group]


async def change(stage: Stage, database: str, statement: str) -> None:
    """The database is changed as administration does it, and the server knows."""
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
    await stage.core.refresh_directory()
