"""Guards of the audit that are off are told (docs/domain.md, DOM-SEC-1)."""

from __future__ import annotations

import json

import asyncpg

from psn.csirt import security_events
from psn.csirt.guards import Guards
from psn.trail.auditor import Auditor


async def test_guards_that_go_off_and_come_back_are_told_once_each(database: str) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=2) as pool:
        auditor = Auditor(pool)
        guards = Guards(pool, auditor)
        await guards.look()
        await pool.execute("alter table person disable trigger audited_update")
        for _ in range(3):
            await guards.look()
        await pool.execute("alter table audit disable trigger audit_stays")
        await guards.look()
        await pool.execute("alter table person enable trigger audited_update")
        await pool.execute("alter table audit enable trigger audit_stays")
        for _ in range(3):
            await guards.look()
        await auditor.settle()
        rows = await pool.fetch("select seq, body from audit order by seq")
    entries = [json.loads(row["body"]) for row in rows]
    assert [(e["action"], e["details"].get("count")) for e in entries] == [
        ("audit.unguarded", 1),
        ("audit.unguarded", 2),
        ("audit.guarded", None),
    ]
    kinds = [event.kind for row in rows if (event := security_events.event_of(*row)) is not None]
    assert kinds == ["AUDIT_UNGUARDED", "AUDIT_UNGUARDED", "AUDIT_GUARDED"]
