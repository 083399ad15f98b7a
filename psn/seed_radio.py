"""A radio network for the demonstration: one gateway, two talkgroups, and radios.

Of the radios every other one carries a unit. The rest are heard and belong to nobody yet, as they
would the day a network is joined: an administrator gives them to units.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg

from psn.enrolment import device_key

NETWORK: Final = "Demonstration radio"
AGENCY: Final = "BPD"
LABEL: Final = "Demonstration bridge"
TALKGROUPS: Final = ((91, "BPD"), (92, "JOC"))
"""Number, and the name of the group that it is joined with."""


async def seed_radio(conn: asyncpg.Connection[Any], radios: Sequence[int], key: Path) -> None:
    """Put the network into a seeded database; ``key`` is the file of its gateway's key.

    ``radios``: their numbers. Seeding again changes nothing but the gateway's key.
    """
    made = device_key.new()
    async with conn.transaction():
        device = await conn.fetchval(_GATEWAY, AGENCY, LABEL, made.public)
        network = await conn.fetchval(_NETWORK, AGENCY, NETWORK)
        await conn.execute(_AGENCIES, network)
        await conn.execute(_SERVES, network, device)
        for number, group in TALKGROUPS:
            await conn.execute(_TALKGROUP, network, number, group)
        carried = list(radios[::2])
        callsigns = [f"R-{at + 1}" for at in range(len(carried))]
        await conn.execute(_UNITS, AGENCY, callsigns)
        await conn.execute(_RADIOS, network, AGENCY, carried, callsigns)
    # After the commit: a key that the network does not know is of no use.
    device_key.write(key, made, device)


_GATEWAY: Final = """
    with there as (
        update device set public_key = $3
         where label = $2 and gateway and revoked_at is null
           and agency_id = (select id from agency where code = $1) returning id),
    made as (
        insert into device (agency_id, label, gateway, public_key)
        select id, $2, true, $3 from agency where code = $1 and not exists (select from there)
        returning id)
    select id from there union all select id from made limit 1
"""
_NETWORK: Final = """
    with made as (
        insert into radio_network (agency_id, name) select id, $2 from agency where code = $1
            on conflict (name) do nothing returning id)
    select id from made union all select id from radio_network where name = $2 limit 1
"""
_AGENCIES: Final = """
    insert into radio_network_agency (network_id, agency_id)
    select n.id, a.id from radio_network n join agency a on a.id <> n.agency_id where n.id = $1
        on conflict do nothing
"""
_SERVES: Final = """
    insert into radio_gateway (network_id, device_id) values ($1, $2) on conflict do nothing
"""
_TALKGROUP: Final = """
    insert into radio_talkgroup (network_id, number, group_id)
    select $1, $2, id from talkgroup where name = $3 order by id limit 1 on conflict do nothing
"""
_UNITS: Final = """
    insert into unit (agency_id, callsign, kind)
    select a.id, callsign, 'foot' from agency a, unnest($2::text[]) callsign where a.code = $1
        on conflict (agency_id, callsign) do nothing
"""
_RADIOS: Final = """
    insert into radio (network_id, number, unit_id)
    select $1, r.number, u.id
      from unnest($3::int[], $4::text[]) as r (number, callsign)
      join agency a on a.code = $2
      join unit u on u.agency_id = a.id and u.callsign = r.callsign
        on conflict do nothing
"""
