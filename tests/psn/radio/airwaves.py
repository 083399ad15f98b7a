"""A radio network with a gateway that serves it, on the stage."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from stage import GATEWAY, JOINT, Stage, device, until

from psn import wire
from psn.client import Client
from psn.wire import Radio

NATIONAL = 1
TALKGROUP = 9
GROUP = f"group:{JOINT}"
POLICE_RADIO, BOAT_RADIO, NOBODYS = Radio(1, 4711), Radio(1, 4712), Radio(1, 4799)
"""Of the police's car, unit 1; of the coast guard's boat, unit 3; of nobody."""
_NETWORK = """
    insert into radio_network (agency_id, name) values (1, 'National');
    insert into radio_network_agency (network_id, agency_id) values (1, 2);
    insert into radio_gateway (network_id, device_id) values (1, 6);
    insert into radio_talkgroup (network_id, number, group_id) values (1, 9, 1);
    insert into radio (network_id, number, unit_id) values (1, 4711, 1), (1, 4712, 3);
"""


async def on_air(stage: Stage) -> None:
    """Put the network into the stage's database; the server knows of it when this returns."""
    await change(stage, _NETWORK)


async def change(stage: Stage, statement: str, *arguments: object) -> None:
    """Change the database as the command line does; the server knows when this returns."""
    connection = await asyncpg.connect(stage.dsn)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()
    await stage.core.refresh_directory()


@contextlib.asynccontextmanager
async def gateway(stage: Stage, **more: Any) -> AsyncIterator[Client]:
    """The gateway as the bridge is one: the client library, signed in, with its plan."""
    async with Client(stage.url, device(GATEWAY), **more) as client:
        await client.up()
        await client.radio.serve()
        await until(lambda: client.radio.plan.radios, "the plan has come")
        yield client


class Box:
    """What mail came."""

    def __init__(self) -> None:
        self.mail: list[wire.Mail] = []

    def __call__(self, mail: wire.Mail) -> None:
        self.mail.append(mail)

    def texts(self) -> list[str]:
        return [m.body.text for m in self.mail if isinstance(m.body, wire.MessageBody)]

    def receipts(self) -> list[tuple[str, str]]:
        return [
            (m.body.by, m.body.state) for m in self.mail if isinstance(m.body, wire.ReceiptBody)
        ]


def items(news: list[wire.ServerFrame]) -> dict[str, Any]:
    """What a peer has been shown of the topic."""
    shown: dict[str, Any] = {}
    for frame in news:
        if isinstance(frame, wire.News) and frame.topic == "radio":
            if frame.whole:
                shown.clear()
            shown |= {f"{item['is']}:{item['id']}": item for item in frame.set}
            for address in frame.gone:
                shown.pop(address, None)
    return shown


def of_kind(news: list[wire.ServerFrame], kind: str) -> list[Any]:
    """... of one kind."""
    return [item for item in items(news).values() if item["is"] == kind]
