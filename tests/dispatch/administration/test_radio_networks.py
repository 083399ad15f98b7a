"""Radio networks are kept by administrators, and what they say holds at once (docs/radio.md)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from clerks import Clerk
from stage import (
    BCG,
    BOAT,
    BPD,
    CAR,
    CUSTOMS,
    GATEWAY,
    JOINT,
    PATROL,
    TRUCK,
    Stage,
    device,
    now_ms,
    until,
)

from psn import wire
from psn.client import Client
from psn.wire import Radio

SignIn = Callable[[str], Awaitable[Clerk]]
NETWORKS = "/api/radio/networks"
ONE = f"{NETWORKS}/1"


async def both(stage: Stage, sign_in: SignIn) -> tuple[Clerk, Clerk]:
    """The administrators of the police and of the coast guard."""
    await stage.core.pool.execute("update person set roles = '{administrator}' where name = 'ben'")
    await stage.core.refresh_directory()
    return await sign_in("bpd.administrator"), await sign_in("ben")


async def network_of(clerk: Clerk) -> Any:
    (network,) = (await clerk.get(NETWORKS))["networks"]
    return network


async def test_a_network_is_made_served_shared_and_its_unknown_radios_given_out(
    stage: Stage, sign_in: SignIn
) -> None:
    """DOM-RAD-14, DOM-RAD-16."""
    police, coast = await both(stage, sign_in)
    assert (await police.post(NETWORKS, {"name": " National "})) == {"id": 1}
    assert (await police.get(NETWORKS))["gateways"] == [{"id": GATEWAY, "name": "gateway"}]
    assert (await coast.get(NETWORKS))["networks"] == []
    await police.post(f"{ONE}/gateways", {"add": [GATEWAY]})
    await police.post(f"{ONE}/agencies", {"add": [BCG]})
    await police.post(f"{ONE}/talkgroups", {"number": 9, "group": JOINT})
    async with Client(stage.url, device(GATEWAY)) as client:
        await client.up()
        await client.radio.serve()
        await until(lambda: client.radio.plan.talkgroups, "it serves")
        await client.radio.heard([wire.Heard(1, 4711, now_ms(), "call", "Baldy Beacon")])
        there = await network_of(coast)
        assert [(row["number"], row["site"]) for row in there["heard"]] == [(4711, "Baldy Beacon")]
        assert (there["run"], there["radios"], there["agencies"]) == (False, [], [BPD, BCG])
        (state,) = there["gateways"]
        assert (state["label"], state["online"]) == ("gateway", True)
        await coast.post(f"{ONE}/radios", {"number": 4711, "unit": BOAT})
        await until(lambda: Radio(1, 4711) in client.radio.plan.radios, "the gateway knows")
        # Its agency alone gives it to another unit; who runs the network may take it away.
        (radio,) = (await network_of(coast))["radios"]
        assert (radio["callsign"], radio["mine"]) == ("CG-1", True)
        assert await police.refused("POST", f"{ONE}/radios", {"number": 4711, "unit": CAR}) == (
            409,
            "not_your_radio",
        )
        await police.delete(f"/api/radio/radios/{radio['id']}")
        await police.post(f"{ONE}/radios", {"number": 4711, "unit": CAR})
        await police.post(f"{ONE}/radios", {"number": 4711, "unit": PATROL})
        known = Radio(1, 4711)
        await until(lambda: client.radio.plan.radios[known].unit == PATROL, "the gateway knows")
        await police.post(f"{ONE}/forget", {"number": 4711})
        assert (await network_of(police))["heard"] == []
        assert await stage.core.pool.fetchval("select count(*) from radio_heard") == 0
        await police.post(f"{ONE}/retire")
        await until(lambda: not client.radio.plan.networks, "nothing is served any more")
    assert (await police.get(NETWORKS))["networks"] == []
    assert (await police.post(NETWORKS, {"name": "National"})) == {"id": 2}
    written = await stage.core.pool.fetch(
        "select body from audit where action like 'radio%' order by seq"
    )
    said = [(e["action"], e["actor_name"]) for e in (json.loads(row["body"]) for row in written)]
    assert ("radio.added", "Ben") in said
    assert {action for action, _ in said} >= {
        "radio_network.added",
        "radio_gateway.added",
        "radio_network_agency.added",
        "radio_talkgroup.added",
        "radio.added",
        "radio.removed",
        "radio.changed",
        "radio_network.retired",
    }


async def test_an_agency_that_is_out_has_no_radios_left(stage: Stage, sign_in: SignIn) -> None:
    """DOM-RAD-14, DOM-RAD-15."""
    police, coast = await both(stage, sign_in)
    await police.post(NETWORKS, {"name": "National"})
    await police.post(f"{ONE}/agencies", {"add": [BCG]})
    await coast.post("/api/groups", {"name": "Boats"})
    await coast.post(f"{ONE}/talkgroups", {"number": 12, "group": 3})
    await coast.post(f"{ONE}/radios", {"number": 1, "unit": BOAT})
    assert await police.refused("POST", f"{ONE}/talkgroups", {"number": 12, "group": JOINT}) == (
        409,
        "already_joined",
    )
    (joined,) = (await network_of(coast))["talkgroups"]
    assert await police.refused("DELETE", f"/api/radio/talkgroups/{joined['id']}") == (
        404,
        "not_found",
    )
    assert await coast.refused("POST", f"{ONE}/agencies", {"add": [CUSTOMS]}) == (
        403,
        "not_yours_to_run",
    )
    assert await police.refused("POST", f"{ONE}/agencies", {"remove": [BPD]}) == (409, "runs_it")
    await police.post(f"{ONE}/agencies", {"remove": [BCG]})
    there = await network_of(police)
    assert (there["radios"], there["talkgroups"], there["agencies"]) == ([], [], [BPD])
    assert (await coast.get(NETWORKS))["networks"] == []
    rows = await stage.core.pool.fetchval("select count(*) from radio")
    assert rows == 0


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        (f"{ONE}/radios", {"number": 0, "unit": CAR}, (400, "bad_body")),
        (f"{ONE}/radios", {"number": 16_776_416, "unit": CAR}, (400, "bad_body")),
        (f"{ONE}/radios", {"number": 5, "unit": TRUCK}, (404, "not_found")),
        (f"{ONE}/radios", {"number": 5, "unit": 99}, (404, "not_found")),
        (f"{ONE}/talkgroups", {"number": 5, "group": 2}, (404, "not_found")),
        (f"{ONE}/gateways", {"add": [1]}, (409, "no_gateway")),
        (f"{ONE}/gateways", {"add": [99]}, (404, "not_found")),
        (f"{ONE}/agencies", {"add": [99]}, (404, "not_found")),
        (f"{NETWORKS}/9/radios", {"number": 5, "unit": CAR}, (404, "not_found")),
        (NETWORKS, {"name": "National"}, (409, "already_there")),
        (NETWORKS, {"name": " "}, (400, "bad_body")),
    ],
)
async def test_what_cannot_be_is_refused(
    stage: Stage, sign_in: SignIn, path: str, body: Any, answer: tuple[int, str]
) -> None:
    police = await sign_in("bpd.administrator")
    await police.post(NETWORKS, {"name": "National"})
    assert await police.refused("POST", path, body) == answer
    for number in ("/api/radio/radios/1", "/api/radio/talkgroups/1"):
        assert await police.refused("DELETE", number) == (404, "not_found")
