"""Every endpoint of the OpenAPI document with whatever its schema allows, and what it does not.

Whoever asks, the server never fails (500), answers as the document says, and tells nothing of an
agency with which nothing is shared: its every text holds a secret word.
"""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from typing import Any

import pytest
import schemathesis
from clerks import ATTACHMENT, SECRET, hide_secrets, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode
from stage import Peer, Stage

pytestmark = pytest.mark.slow

load_all_checks()
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
EXPECTED = [
    check
    for check in CHECKS.get_all()
    if check.__name__
    in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
]
(CONFORMS,) = (each for each in EXPECTED if each.__name__ == "response_schema_conformance")
EXAMPLES = int(os.environ.get("PSN_FUZZ_EXAMPLES", "3"))
"""For each endpoint and each role; of more of them a night is a good time."""
WHO = ["bpd.dispatcher", "bpd.supervisor", "bpd.administrator", "bpd.auditor", None]


def test_the_checks_are_those_that_were_meant() -> None:
    assert len(EXPECTED) == 4


@pytest.mark.parametrize("who", WHO, ids=lambda who: str(who).rpartition(".")[2])
async def test_no_request_brings_a_failure_or_a_secret(stage: Stage, who: str | None) -> None:
    await staff(stage.dsn)
    await hide_secrets(stage.dsn)
    await stage.core.refresh_directory()
    base = stage.url.replace("ws://", "http://").removesuffix("/ws")
    done = await asyncio.to_thread(_fuzz, stage, base, who, asyncio.get_running_loop())
    assert done > EXAMPLES * 30


def _fuzz(stage: Stage, base: str, who: str | None, loop: asyncio.AbstractEventLoop) -> int:
    schema = schemathesis.openapi.from_url(f"{base}/api/openapi.json")
    session = _Session(stage, who, loop)
    return sum(_fuzz_one(found.ok(), base, session) for found in schema.get_all_operations())


def _fuzz_one(operation: Any, base: str, session: _Session) -> int:
    """Ask one endpoint a few times; how often it was asked."""
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if operation.body:
        cases |= operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    # Its schema has prefixItems (JSON Schema 2020-12), which the check takes for the older
    # items and refuses; tests/dispatch/test_api.py holds the answer to its type.
    excluded = [CONFORMS] if operation.path.endswith("/track") else []
    any_id = st.sampled_from(
        [ATTACHMENT, "1", "2", "3", "4", "5", "6", "agency:3", "person:3", "x"]
    )
    done = 0

    @settings(
        max_examples=EXAMPLES // 2 if operation.path.startswith("/api/do/") else EXAMPLES,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, id=any_id, near=st.booleans())
    def ask(case: schemathesis.Case, id: str, near: bool) -> None:
        nonlocal done
        if near:
            # Random texts name nothing; these name what there is, mostly of others.
            for name in case.path_parameters or {}:
                case.path_parameters[name] = id
        response = case.call(base_url=base, headers=session.headers())
        done += 1
        case.validate_response(response, checks=EXPECTED, excluded_checks=excluded)
        told = _told(response.content)
        if session.who is not None and SECRET.lower() in told.lower():
            raise AssertionError(f"{case.method} {response.url}: {told}")

    ask()
    return done


def _told(content: bytes) -> str:
    """What an answer says, also within an archive."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"\n".join(archive.read(name) for name in archive.namelist())
    return content.decode("utf-8", "replace")


class _Session:
    """Somebody who signs in again whenever what he asked for has put him out."""

    def __init__(self, stage: Stage, who: str | None, loop: asyncio.AbstractEventLoop) -> None:
        self._stage = stage
        self.who = who
        self._loop = loop
        self._token = ""

    def headers(self) -> dict[str, str]:
        if self.who is None:
            return {}
        if self._stage.core.tickets.by_token(self._token) is None:
            renewed = asyncio.run_coroutine_threadsafe(self._renew(self.who), self._loop)
            self._token = renewed.result(30)
        return {"Authorization": f"Bearer {self._token}"}

    async def _renew(self, who: str) -> str:
        async with await Peer.enter(self._stage.url, who) as peer:
            return peer.me.token
