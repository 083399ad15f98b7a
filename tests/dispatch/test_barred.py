"""Every route of the API, for whom none is open: locked, limited, not proved lately, a device."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from stage import CAR, PASSWORD, Peer, Stage

from dispatch import api
from dispatch.asking import Route
from psn.identity.tickets import FRESH, Ticket

CLOSED = [route for route in api.ROUTES if not route.open]


async def _ask(stage: Stage, token: str, route: Route) -> tuple[int, str]:
    host, port = stage.address
    path = route.path.replace("{id}", "1").replace("{address}", "person:1")
    said: dict[str, Any] = {} if route.takes is None else {"json": {}}
    headers = {"Authorization": f"Bearer {token}"}
    if route.streams is not None:
        said, headers = {"data": b"x"}, headers | {"Content-Type": route.streams}
    async with (
        aiohttp.ClientSession(f"http://{host}:{port}", headers=headers) as http,
        http.request(route.method, path, **said) as answer,
    ):
        if route.method == "HEAD":  # has no body, and is refused where GET is
            return answer.status, (await _ask(stage, token, replace(route, method="GET")))[1]
        told = await answer.json()
        return answer.status, told.get("error", {}).get("code", "")


def _ticket(stage: Stage, peer: Peer) -> Ticket:
    ticket = stage.core.tickets.by_token(peer.me.token)
    assert ticket is not None
    return ticket


async def test_a_locked_session_gets_nothing_at_any_route(stage: Stage) -> None:
    """DOM-SES-6."""
    async with await Peer.enter(stage.url, "ana") as peer:
        _ticket(stage, peer).active = datetime.now(UTC) - timedelta(minutes=30)
        for route in CLOSED:
            assert await _ask(stage, peer.me.token, route) == (423, "locked"), route.path


async def test_a_limited_session_gets_nothing_but_what_enrols_a_factor(stage: Stage) -> None:
    """DOM-PER-7."""
    open_to_it = {route.path for route in CLOSED if route.limited}
    assert open_to_it == {
        "/api/me/proof",
        "/api/me/password",
        "/api/me/second-factors",
        "/api/me/second-factors/totp",
        "/api/me/second-factors/totp/confirm",
        "/api/me/second-factors/passkey/options",
        "/api/me/second-factors/passkey",
    }
    async with await Peer.enter(stage.url, "ana") as peer:
        _ticket(stage, peer).factorless = True
        for route in CLOSED:
            if not route.limited:
                refused = (403, "account_unfinished")
                assert await _ask(stage, peer.me.token, route) == refused, route.path


async def test_what_lets_people_in_needs_a_fresh_proof_at_every_route(stage: Stage) -> None:
    """DOM-PER: a page may be left alone. What only shuts out does not need it."""
    async with await Peer.enter(stage.url, "ana") as peer:
        _ticket(stage, peer).proved = datetime.now(UTC) - FRESH
        fresh = [route for route in CLOSED if route.fresh]
        assert len(fresh) >= 15
        for route in fresh:
            assert await _ask(stage, peer.me.token, route) == (403, "proof_needed"), route.path


async def test_a_proof_is_not_fresh_for_longer_because_the_clock_was_set_back(stage: Stage) -> None:
    async with await Peer.enter(stage.url, "ana") as peer:
        ticket, tickets = _ticket(stage, peer), stage.core.tickets
        assert tickets.is_fresh(ticket)
        ticket.proved = datetime.now(UTC) + 2 * FRESH  # as it was by the clock before
        assert not tickets.is_fresh(ticket)


@pytest.mark.parametrize("ended", ["signed out", "by the clock", "disabled", "revoked"])
async def test_a_stolen_token_is_worth_nothing_at_any_route(stage: Stage, ended: str) -> None:
    """DOM-SES-1."""
    async with await Peer.enter(stage.url, CAR if ended == "revoked" else "ana") as peer:
        token, ticket = peer.me.token, _ticket(stage, peer)
        if ended == "signed out":
            await stage.core.tickets.end(ticket)
        elif ended == "by the clock":
            ticket.ends = datetime.now(UTC)
        elif ended == "disabled":
            await stage.core.pool.execute("UPDATE person SET disabled_at = now() WHERE id = 1")
        else:
            await stage.core.pool.execute("UPDATE device SET revoked_at = now() WHERE id = $1", CAR)
        await stage.core.refresh_directory()
        for route in CLOSED:
            assert await _ask(stage, token, route) == (401, "not_signed_in"), route.path


async def test_the_proof_of_a_device_is_none(stage: Stage) -> None:
    host, port = stage.address
    async with await Peer.enter(stage.url, CAR) as peer:
        headers = {"Authorization": f"Bearer {peer.me.token}"}
        async with (
            aiohttp.ClientSession(f"http://{host}:{port}", headers=headers) as http,
            http.post("/api/me/proof", json={"password": PASSWORD}) as answer,
        ):
            assert answer.status == 403
