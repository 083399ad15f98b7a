"""People of every role, who ask the API; and an agency whose every text holds a secret word."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import asyncpg
from stage import BPD, CUSTOMS, PASSWORD, Peer, Stage

from psn import roles
from psn.identity import credentials

SECRET = "Quetzalcoatlus"
"""Stands in every text of customs, and may stand in nothing that others are answered."""
ATTACHMENT = "00000000-0000-4000-8000-000000000005"
"""Of customs."""
EVERY_ROLE = roles.PEOPLES


async def staff(dsn: str) -> None:
    """One person of each role in the police and in customs: ``bpd.auditor``, ``cus.auditor``."""
    password = credentials.hash_password(PASSWORD)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.executemany(
            "insert into person (agency_id, name, full_name, roles, password_hash)"
            " values ($1, $2, $3, $4, $5)",
            [
                (
                    agency,
                    f"{code}.{role}",
                    f"{code.upper()} {role}" + (f" {SECRET}" if agency == CUSTOMS else ""),
                    [role],
                    password,
                )
                for agency, code in ((BPD, "bpd"), (CUSTOMS, "cus"))
                for role in EVERY_ROLE
            ],
        )
    finally:
        await connection.close()


SECRETS = f"""
update person set full_name = '{SECRET}', name = name || lower('{SECRET}') where name = 'cyd';
update unit set callsign = '{SECRET}' where agency_id = 3;
update device set label = '{SECRET}' where agency_id = 3;
update talkgroup set name = '{SECRET}' where agency_id = 3;
insert into group_member (group_id, person_id) select 1, id from person where agency_id = 3;
insert into group_member (group_id, unit_id) values (1, 5);
insert into enrolment (code_hash, agency_id, unit_id, label, author, expires_at)
    values ('\\x01', 3, 5, '{SECRET}', '{SECRET}', now() + interval '1 day');
insert into agreement (owner_agency, viewer_agency, units, reason, author)
    values (3, 2, 'exact', '{SECRET}', '{SECRET}'), (2, 3, 'exact', '{SECRET}', '{SECRET}');
insert into unit_exception (unit_id, viewer_agency, units, reason, author)
    values (5, null, 'nothing', '{SECRET}', '{SECRET}'), (5, 1, 'nothing', '{SECRET}', '{SECRET}');
insert into incident (agency_id, title, opened_by) values (3, '{SECRET}', '{SECRET}');
insert into incident_member (incident_id, agency_id, reason, author)
    values (1, 3, '{SECRET}', '{SECRET}');
insert into incident_member (incident_id, unit_id, reason, author)
    values (1, 5, '{SECRET}', '{SECRET}');
insert into broken_glass (person_id, owner_agency, reason, ends_at)
    select id, 2, '{SECRET}', now() + interval '1 hour' from person where name = 'cus.dispatcher';
insert into radio_network (agency_id, name) values (3, '{SECRET}');
insert into radio_network_agency (network_id, agency_id)
    select n.id, 2 from radio_network n where agency_id = 3;
insert into radio (network_id, number, unit_id)
    select n.id, 77, 5 from radio_network n where agency_id = 3;
insert into radio_talkgroup (network_id, number, group_id)
    select n.id, 77, 2 from radio_network n where agency_id = 3;
insert into legal_hold (subject, agency_id, reason, author)
    values ('unit:5', 3, '{SECRET}', '{SECRET}');
insert into attachment (id, agency_id, author, kind, said_type, size, sha256, state, reason)
    select '{ATTACHMENT}', 3, 'person:' || id, 'photo', '{SECRET}', 9, sha256('x'), 'ready',
           '{SECRET}' from person where name = 'cus.dispatcher';
insert into place (agency_id, name, kind, point, other_names, source)
    values (3, '{SECRET}', 'landmark', ST_SetSRID(ST_MakePoint(-88.2, 17.5), 4326), '{{{SECRET}}}',
            '{SECRET}');
insert into place_note (agency_id, place_id, point, radius_m, kind, text, author)
    select 3, id, point, 50000, 'premise', '{SECRET}', '{SECRET}' from place where agency_id = 3;
insert into fence (agency_id, name, area) values
    (3, '{SECRET}', ST_GeomFromText('POLYGON((-89 17,-88 17,-88 18,-89 18,-89 17))', 4326));
"""


async def hide_secrets(dsn: str) -> None:
    """Write the secret word into all that customs have."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(SECRETS)
    finally:
        await connection.close()


class Clerk:
    """Somebody signed in who asks the API."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, peer: Peer) -> None:
        self.base = stage.url.replace("ws://", "http://").removesuffix("/ws")
        self.http = http
        self.peer = peer

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the answer, which is JSON whatever happens."""
        headers = {"Authorization": f"Bearer {self.peer.me.token}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        async with self.http.request(
            method, self.base + path, data=data, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        """What is there; it must be."""
        status, answer = await self.ask("GET", path)
        assert status == 200, answer
        return answer

    async def post(self, path: str, body: Any = None) -> Any:
        """Done; it must be."""
        status, answer = await self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    async def delete(self, path: str) -> Any:
        """Done; it must be."""
        status, answer = await self.ask("DELETE", path)
        assert status == 200, answer
        return answer

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """The status and the code of a refusal that says what to do."""
        status, answer = await self.ask(method, path, body)
        assert status >= 400, answer
        assert answer["error"]["text"] and answer["error"]["todo"]
        return status, answer["error"]["code"]
