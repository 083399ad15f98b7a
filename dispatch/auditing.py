"""The audit as its readers get it: pages of entries, each as far as its reader may know it."""

from __future__ import annotations

import json
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from psn import access
from psn.access import Principal
from psn.roles import Reach
from psn.trail import audit_search
from psn.trail.audit import Row
from psn.trail.audit_search import Filter

QUERY: Final = ("actor", "action", "object", "agency", "since", "until", "before", "limit")
"""The query's parameters; ``since`` and ``until`` are milliseconds UTC."""


class AuditEntry(Struct):
    """One entry of the audit; ``hash`` binds it to the one before."""

    seq: int
    at: int
    actor: str
    actor_name: str | None
    agency: int | None
    source: str | None
    session: str | None
    action: str
    object: str | None
    owner: int | None
    details: dict[str, Any]
    hash: str


class Audit(Struct):
    """Entries of the audit, newest first; ``before`` asks for the next page, none: no more."""

    entries: list[AuditEntry]
    before: int | None


def readable(who: Principal) -> frozenset[int]:
    """The agencies of whose people and objects ``who`` may read the audit."""
    may = who.person is not None and access.reach(who, "audit", "see") >= Reach.OWN
    return frozenset({who.agency} if may else ())


async def page(pool: asyncpg.Pool, who: Principal, wanted: Filter, limit: int) -> Audit:
    """The newest entries that fit, for ``who``; what he may not read is not looked for."""
    async with pool.acquire() as connection:
        rows = await audit_search.newest(connection, wanted, limit)
    more = rows[-1].seq if len(rows) == limit else None
    return Audit([_entry(row, who) for row in rows], more)


def _entry(row: Row, who: Principal) -> AuditEntry:
    """An entry as ``who`` sees it: from where others work is their agency's own affair."""
    said = {"seq": row.seq, **json.loads(row.body), "hash": row.hash.hex()}
    entry = msgspec.convert(said, AuditEntry)
    if entry.agency not in (None, who.agency):
        entry.source = entry.session = None
    return entry
