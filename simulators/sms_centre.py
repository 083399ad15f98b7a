"""An SMS centre for tests and benches: SMPP 3.4 at a real socket, in a process of its own.

    python -m simulators.sms_centre --log FILE [--port N] [--throttle N] [--die-after N] …

It says the port that it listens on. Each submission that it takes is a line of JSON in the log,
written before it is answered: what a test counts is what telephones would have got.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import IO, Final

import click
import smpp34

THROTTLED: Final = 0x58
INVALID_DESTINATION: Final = 0x0B
RECEIPT: Final = 0x04
NOBODY: Final = "00000"
"""Numbers that end so are refused for good."""


@click.command(epilog="Example: python -m simulators.sms_centre --log sms.jsonl --port 2775")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0: any that is free.")
@click.option("--throttle", type=int, default=0, help="Refuse every so-manieth for now.")
@click.option("--hang-after", type=int, default=0, help="Take so many, then answer nothing.")
@click.option("--die-after", type=int, default=0, help="Take so many, then drop dead unanswered.")
@click.option("--answer-ms", type=int, default=0, help="Answer after so long.")
@click.option("--receipts/--no-receipts", default=True, help="Tell what became of each.")
@click.option("--late-receipts", is_flag=True, help="Tell it to the session after.")
def main(
    log: Path,
    port: int,
    throttle: int,
    hang_after: int,
    die_after: int,
    answer_ms: int,
    receipts: bool,
    late_receipts: bool,
) -> None:
    """Take short messages and note them."""
    with log.open("a", encoding="utf-8") as file:
        centre = SmsCentre(
            file, throttle, hang_after, die_after, answer_ms, receipts, late_receipts
        )
        asyncio.run(centre.run(port or _free_port()))


class SmsCentre:
    """Takes what is submitted, misbehaving as it is told."""

    def __init__(
        self,
        log: IO[str],
        throttle: int,
        hang_after: int,
        die_after: int,
        answer_ms: int,
        receipts: bool,
        late_receipts: bool,
    ) -> None:
        self._log = log
        self._throttle, self._hang_after, self._die_after = throttle, hang_after, die_after
        self._answer_seconds, self._receipts = answer_ms / 1_000, receipts
        self._asked = self._taken = 0
        self._late: list[tuple[smpp34.SubmitSmEvent, str]] | None = [] if late_receipts else None
        """Receipts for whoever is bound next."""
        self._sessions: dict[str, smpp34.Esme] = {}
        self._kept: list[smpp34.SubmitSmEvent] = []
        """What it leaves unanswered."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, port: int) -> None:
        """Listen until it is killed."""
        server = smpp34.Server("127.0.0.1", port, system_id="simulated")
        await server.start()
        print(f"listening on {port}", flush=True)
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions[event.session_id] = event
                self._begin(self._tell_late(event))
            elif isinstance(event, smpp34.SubmitSmEvent):
                self._begin(self._submitted(event))
            else:
                self._sessions.pop(event.session_id, None)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _submitted(self, event: smpp34.SubmitSmEvent) -> None:
        self._asked += 1
        if self._throttle and self._asked % self._throttle == 0:
            return event.reject(THROTTLED)
        if event.destination_addr.endswith(NOBODY):
            return event.reject(INVALID_DESTINATION)
        self._taken += 1
        number = f"{os.getpid():x}-{self._taken}"
        self._note(event, number)
        if self._die_after and self._taken > self._die_after:
            os._exit(1)
        if self._hang_after and self._taken > self._hang_after:
            self._kept.append(event)
            return None
        if self._answer_seconds:
            await asyncio.sleep(self._answer_seconds)
        event.accept(number)
        if self._receipts and event.registered_delivery:
            if self._late is not None:
                self._late.append((event, number))
            elif (session := self._sessions.get(event.session_id)) is not None:
                await self._receipt(session, event, number)

    def _note(self, event: smpp34.SubmitSmEvent, number: str) -> None:
        said = {
            "to": event.destination_addr,
            "from": event.source_addr,
            "coding": event.data_coding,
            "esm": event.esm_class,
            "octets": event.short_message.hex(),
            "number": number,
        }
        self._log.write(json.dumps(said) + "\n")
        self._log.flush()

    async def _tell_late(self, session: smpp34.Esme) -> None:
        late = self._late or []
        if late:
            self._late = []
        for event, number in late:
            await self._receipt(session, event, number)

    async def _receipt(
        self, session: smpp34.Esme, event: smpp34.SubmitSmEvent, number: str
    ) -> None:
        text = (
            f"id:{number} sub:001 dlvrd:001 submit date:2609011200 done date:2609011200"
            " stat:DELIVRD err:000 text:"
        )
        try:
            await session.deliver_sm(
                event.source_addr,
                text.encode(),
                source_addr=event.destination_addr,
                esm_class=RECEIPT,
            )
        except smpp34.SmppError:
            return  # who submitted it is gone


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
