"""A peer that works: does actions, follows boards, and knows what stands on its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
from stage import Peer, Stage, until

from psn import wire


class Worker:
    """Somebody signed in who does things and follows a topic."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    @classmethod
    async def enter(cls, stage: Stage, who: str | int, topic: str | None = None) -> Worker:
        """Sign in, and follow the board (a person) or the duty (a tablet)."""
        worker = cls(await Peer.enter(stage.url, who))
        await worker.follow(topic or ("board" if isinstance(who, str) else "duty"))
        return worker

    async def follow(self, topic: str) -> None:
        n = self.peer.number()
        await self.peer.send(wire.Follow(n=n, topic=topic))
        await self.peer.expect(wire.Ok, lambda ok: ok.n == n)

    async def ask(
        self, what: str, uid: UUID | None = None, /, **body: Any
    ) -> wire.Done | wire.Error:
        """Do something; what was answered."""
        uid = uid or uuid4()
        encode = msgspec.msgpack.encode if self.peer.codec.binary else msgspec.json.encode
        await self.peer.send(wire.Do(id=uid, what=what, with_=msgspec.Raw(encode(body))))
        answers = (wire.Done, wire.Error)
        return await self.peer.expect(answers, lambda frame: frame.id == uid)  # type: ignore[arg-type]

    async def do(self, what: str, uid: UUID | None = None, /, **body: Any) -> Any:
        """Do something that must succeed; its result."""
        answer = await self.ask(what, uid, **body)
        assert isinstance(answer, wire.Done), answer
        return answer.result

    async def refused(self, what: str, code: str, /, **body: Any) -> wire.Error:
        """Do something that must be refused so."""
        answer = await self.ask(what, **body)
        assert isinstance(answer, wire.Error) and answer.code == code, answer
        assert answer.text and answer.todo
        return answer

    @property
    def board(self) -> dict[str, Any]:
        """What a client that goes by the frames has, by address."""
        there: dict[str, Any] = {}
        for frame in self.peer.of(wire.News):
            if frame.whole:
                there.clear()
            there |= {f"{item['is']}:{item['id']}": item for item in frame.set}
            for address in frame.gone:
                there.pop(address, None)
        return there

    async def sees(self, address: str, **fields: Any) -> Any:
        """Wait until an item is on the board, and is so."""

        def fits() -> bool:
            item = self.board.get(address)
            return item is not None and all(item.get(k) == v for k, v in fields.items())

        await until(fits, f"{address} is {fields}; it is {self.board.get(address)}")
        return self.board[address]

    async def sees_no(self, address: str) -> None:
        await until(lambda: address not in self.board, f"{address} is off the board")

    async def leave(self) -> None:
        await self.peer.leave()
