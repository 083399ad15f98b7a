"""What every table is made of, and what is told when one changes."""

from __future__ import annotations

from datetime import datetime
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
