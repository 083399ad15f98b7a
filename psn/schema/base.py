"""What every table is made of, and what is told when one changes."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import (
    DateTime,
    Identity,
    LargeBinary,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool

DIRECTORY_CHANNEL = "psn_directory"
"""NOTIFY channel: who-is-who changed; the payload is the table."""
SESSIONS_CHANNEL = "psn_sessions"
"""NOTIFY channel: a session was ended; the payload is the table."""
BOARD_CHANNEL = "psn_board"
"""NOTIFY channel: something of dispatch changed otherwise than by an action of the server."""
FLOORS_CHANNEL = "psn_floors"
"""NOTIFY channel: mailboxes have new floors, since old messages were deleted."""
DIRECTORY_TABLES = (
    "agency",
    "person",
    "unit",
    "device",
    "talkgroup",
    "group_member",
    "agreement",
    "fence",
    "identity_provider",
    "linked_identity",
    "radio_network",
    "radio_network_agency",
    "radio_gateway",
    "radio_talkgroup",
    "radio",
)
"""Tables whose every change is told on :data:`DIRECTORY_CHANNEL`."""
AUDITED_TABLES = (
    *DIRECTORY_TABLES,
    "enrolment",
    "unit_exception",
    "broken_glass",
    "incident",
    "incident_member",
    "session",
    "second_factor",
    "recovery_code",
    "webhook",
    "retention",
    "legal_hold",
    "incident_type",
    "station",
    "unit_profile",
    "fence_rule",
    "shift",
    "place",
    "place_note",
    "warning_message",
    "warning_policy",
    "warning_recipient",
)
"""Tables whose every change is in the audit, whoever makes it and however."""
DOORS: Final = {
    "incident": ("incident_goes", "incident_not_emptied"),
    "incident_event": ("incident_event_goes", "incident_event_stays", "incident_event_not_emptied"),
    "assignment": ("assignment_goes", "assignment_times", "assignment_not_emptied"),
    "call": ("call_goes", "call_of_incident_goes", "call_not_emptied"),
    "lookout": ("lookout_goes", "lookout_not_emptied"),
    "recording": ("recording_goes", "recording_grows", "recording_not_emptied"),
    "recording_part": (
        "recording_part_goes",
        "recording_part_in_time",
        "recording_part_stays",
        "recording_part_not_emptied",
    ),
    "warning_message": ("warning_message_stays", "warning_message_not_emptied"),
    "unit_status_log": ("unit_status_log_stays", "unit_status_log_not_emptied"),
}
"""Triggers that keep work from being changed or deleted by hand, by the tables that they are on."""


def connect_engine(dsn: str) -> AsyncEngine:
    """An SQLAlchemy engine on asyncpg for a ``postgresql://`` address; nothing is opened yet.

    asyncpg itself reads the address, so that a socket directory in ``?host=`` means the same
    here as everywhere else. Connections are not pooled: this serves commands and migrations.
    """

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(dsn, timeout=10)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


class Base(DeclarativeBase):
    """What every model shares: how Python types become columns."""

    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as a plain class attribute)
        str: Text,
        datetime: DateTime(timezone=True),
        bytes: LargeBinary,
        UUID: Uuid,
    }


def number() -> Mapped[int]:
    """A number that the database gives."""
    return mapped_column(Identity(), primary_key=True)


def flag(value: bool = False) -> Mapped[bool]:
    """Yes or no; no, unless said otherwise."""
    return mapped_column(server_default=text(str(value).lower()))


def now() -> Mapped[datetime]:
    """The moment the row comes in, unless said otherwise."""
    return mapped_column(server_default=func.now())


ENDS = "ends_at is null or ends_at >= starts_at"
REASON = "reason <> '' and author <> ''"


class Termed:
    """What every rule of sharing has: why, who decided it, from when, until when."""

    reason: Mapped[str]
    author: Mapped[str]
    """Who decided it, in words or as an address."""
    starts_at: Mapped[datetime] = now()
    ends_at: Mapped[datetime | None]
