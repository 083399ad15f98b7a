"""Where codes for devices are made, and spent: the administrator's and the device's side."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from typing import Any

import aiohttp
from click.testing import CliRunner
from stage import CAR, Stage

from psn.__main__ import main
from psn.enrolment import device_key, enrolment_code


class Office:
    """Where codes are made, and spent over HTTP."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.http = http
        self.url = stage.url.replace("ws://", "http://").removesuffix("/ws")

    async def psn(self, *arguments: str) -> str:
        """Run ``psn …`` on the server's database."""
        done = await asyncio.to_thread(
            CliRunner(env={"PSN_DATABASE": self.stage.dsn}).invoke, main, arguments
        )
        assert done.exit_code == 0, done.output
        return done.output

    async def code(self, *, hours: float = 24, unit: int | None = CAR) -> str:
        """A code for one more device of a unit, or for a gateway."""
        code = enrolment_code.new(secrets.choice)
        await self.stage.core.pool.execute(
            "insert into enrolment (code_hash, agency_id, unit_id, label, gateway, author,"
            " created_at, expires_at) values ($1, 1, $2, 'new', $2::int is null, 'test',"
            " now() - interval '1 day', now() + $3 * interval '1 hour')",
            enrolment_code.kept(code),
            unit,
            hours,
        )
        return code

    async def post(self, body: Any) -> tuple[int, Any]:
        kind = {"Content-Type": "application/json"}
        data = json.dumps(body)
        async with self.http.post(self.url + "/api/enrol", data=data, headers=kind) as answer:
            assert answer.headers["Content-Type"].startswith("application/json")
            return answer.status, await answer.json()

    async def spend(
        self, code: str, key: device_key.DeviceKey, proof: bytes | None = None
    ) -> tuple[int, Any]:
        content = device_key.enrolment_content(code, key.public)
        return await self.post(body(code, key.public, proof or key.sign(content)))

    async def devices(self) -> int:
        return int(await self.stage.core.pool.fetchval("select count(*) from device"))


def body(code: str, public: bytes, proof: bytes) -> dict[str, str]:
    written = {name: base64.b64encode(x).decode() for name, x in
               (("public_key", public), ("proof", proof))}  # fmt: skip
    return {"code": code} | written


def refused(answer: tuple[int, Any]) -> str:
    status, told = answer
    assert 400 <= status < 500
    error = told["error"]
    assert error["text"] and error["todo"]
    return str(error["code"])
