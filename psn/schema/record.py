"""Messages, receipts, and the mailboxes they stand in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Identity,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base


class Log(Base):
    """The durable log: one row per message or bundle of receipts, append-only."""

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[UUID | None] = mapped_column(unique=True)
    """Made by the client, so that sending twice stores once; null for receipts."""
    kind: Mapped[str]
    author: Mapped[str]
    """Address: ``person:3``."""
    agency_id: Mapped[int | None]
    """The author's agency then; null for receipts."""
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The mail body of :mod:`psn.wire`, as JSON."""


class Mailbox(Base):
    """A recipient's stream of entries, numbered from 1."""

    __tablename__ = "mailbox"

    address: Mapped[str] = mapped_column(primary_key=True)
    """``person:3``, ``unit:7``, ``group:2``, ``agency:1``."""
    head: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The newest sequence; 0: empty."""
    floor: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    """The smallest sequence that is still kept."""


class MailboxEntry(Base):
    """Entry ``seq`` of a mailbox is this row of the log.

    No foreign key: it is added in the same statement as that row, and a trigger on ``log`` refuses
    to delete what a mailbox still holds.
    """

    __tablename__ = "mailbox_entry"

    address: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    log_id: Mapped[int] = mapped_column(BigInteger, index=True)


class Delivery(Base):
    """Through which sequence at least each reader's client has received a mailbox."""

    __tablename__ = "delivery"

    address: Mapped[str] = mapped_column(primary_key=True)
    reader: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    joined: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """What came up to here is not his concern: he had not joined yet."""


class Receipt(Base):
    """That a reader's client received (1, too late 3) or he read (2) one row of the log.

    ``reader`` is the mailbox's own address where its author may not know who read it there.

    No foreign key, as for :class:`MailboxEntry`; it goes with its row of the log by a trigger.
    """

    __tablename__ = "receipt"

    log_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reader: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class LogOrphan(Base):
    """A row of the log that no mailbox holds any more, and that is to be deleted."""

    __tablename__ = "log_orphan"

    log_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
