"""People who warn, on a running server, and what they write."""

from __future__ import annotations

import time
from typing import Any

import asyncpg
from desk_peer import Worker
from stage import PASSWORD, Stage

from psn.identity import credentials

OFFICER, APPROVER, SECOND, STRANGER = "ona", "abe", "bea", "sam"
"""An officer and two approvers of one agency, and an approver of another."""
MINUTE, HOUR = 60_000, 3_600_000
CITY = {
    "name": "Belize City",
    "parts": [{"part": "circle", "at": [-882_000_000, 175_000_000], "radius": 20_000}],
}
PHRASE = "actual hurricane warning"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def hire(stage: Stage) -> None:
    password = credentials.hash_password(PASSWORD)
    connection = await asyncpg.connect(stage.dsn)
    try:
        for agency, name, role in (
            (1, OFFICER, "warning_officer"),
            (1, APPROVER, "warning_approver"),
            (1, SECOND, "warning_approver"),
            (2, STRANGER, "warning_approver"),
        ):
            await connection.execute(
                "insert into person (agency_id, name, full_name, roles, password_hash)"
                " values ($1, $2, initcap($2), $3, $4)",
                agency,
                name,
                [role],
                password,
            )
    finally:
        await connection.close()
    await stage.core.refresh_directory()


def draft(**changes: Any) -> dict[str, Any]:
    """What an officer writes of a warning that is real and can be sent."""
    said: dict[str, Any] = {
        "status": "Actual",
        "event": "hurricane_red_2",
        "categories": ["Met"],
        "urgency": "Expected",
        "severity": "Extreme",
        "certainty": "Likely",
        "responses": ["Shelter"],
        "texts": [
            words("en-BZ", "Hurricane warning", "for Belize City", "Go to a shelter now."),
            words("es-BZ", "Aviso de huracán", "para Belice", "Vaya a un refugio ahora."),
            words("bzj", "Harikayn waanin", "fi Bileez Siti", "Goh da wahn shelta now."),
        ],
        "area": CITY,
        "expires": now_ms() + 24 * HOUR,
    }
    return {key: value for key, value in (said | changes).items() if value is not None}


def words(language: str, event: str, place: str, instruction: str) -> dict[str, str]:
    headline = f"{event} {place}"
    return {
        "language": language,
        "event": event,
        "headline": headline,
        "description": f"{event}.",
        "instruction": instruction,
        "short": f"{headline}. {instruction}",
    }


def exercise(**changes: Any) -> dict[str, Any]:
    return draft(**{"status": "Exercise", "note": "Exercise Cay Sal"} | changes)


async def checked(officer: Worker, **changes: Any) -> dict[str, Any]:
    """A warning that was begun and checked; its ids and digest."""
    made: dict[str, Any] = await officer.do("warning.begin", content=draft(**changes))
    looked = await officer.do("warning.check", message=made["message"])
    assert looked["stage"] == "checked", looked
    return made


def approval(made: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"message": made["message"], "seen": made["digest"], "phrase": PHRASE} | more


async def sent(officer: Worker, approver: Worker, **changes: Any) -> dict[str, Any]:
    """A warning that went out; its ids."""
    made = await checked(officer, **changes)
    answer = await approver.do("warning.approve", **approval(made))
    assert answer["stage"] == "sent"
    return made


async def message_row(stage: Stage, number: int) -> Any:
    return await stage.core.pool.fetchrow("select * from warning_message where id = $1", number)
