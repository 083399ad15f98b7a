"""Warnings to the public: chains of messages, from their first word to their end.

The network itself reads none of this; what may change into what, and what always holds, stands in
docs/warnings.md, and checks and triggers in migration 0025.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, now, number

_SENT = text("stage = 'sent'")


class Warning(Base):
    """What people in an area are told about one event, from its first word to its end."""

    __tablename__ = "warning"

    id: Mapped[int] = number()
    begun_at: Mapped[datetime] = now()


class WarningMessage(Base):
    """One message of a warning; what was sent is never changed (DOM-WRN-7)."""

    __tablename__ = "warning_message"
    __table_args__ = (
        CheckConstraint("kind in ('Alert', 'Update', 'Cancel')", name="warning_message_kind_check"),
        Index("warning_message_warning", "warning_id"),
        Index("warning_message_waiting", "send_at", postgresql_where=text("stage = 'approved'")),
        Index("warning_message_sent", "sent_at", postgresql_where=_SENT),
        Index(
            "warning_message_second", "warning_id", "sent_at", unique=True, postgresql_where=_SENT
        ),
    )

    id: Mapped[int] = number()
    warning_id: Mapped[int] = mapped_column(ForeignKey("warning.id"))
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    kind: Mapped[str]
    """``Alert``, ``Update``, ``Cancel``."""
    after_id: Mapped[int | None] = mapped_column(ForeignKey("warning_message.id"))
    """The newest message of the warning that was sent when this was begun."""
    stage: Mapped[str] = mapped_column(server_default=text("'draft'"))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """:class:`dispatch.alerting.content.Content`."""
    drawn: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The parts that its area was made of, for who goes on drawing."""
    digest: Mapped[str]
    """SHA-256 of the content."""
    authors: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """Ids of everybody who has written in it."""
    checked: Mapped[str | None]
    """Digest of the content that was checked last."""
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]
    approved_digest: Mapped[str | None]
    alone: Mapped[str | None]
    """Why one person approved his own words."""
    send_at: Mapped[datetime | None]
    """When it is to be sent, as its content says."""
    held: Mapped[str | None]
    """Why the clock did not send it, and took the approval back."""
    begun_at: Mapped[datetime] = now()
    changed_at: Mapped[datetime] = now()
    sent_at: Mapped[datetime | None]
    """Whole seconds."""
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Null: the clock."""
    document: Mapped[str | None]
    """The alert as it went out (CAP 1.2)."""


class WarningPolicy(Base):
    """What an agency wants of its warnings; without a row, what docs/warnings.md says."""

    __tablename__ = "warning_policy"

    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    two_people: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Statuses whose messages somebody else has to approve."""


class WarningLetter(Base):
    """A message to an approver that is on its way to the record (DOM-WRN-4)."""

    __tablename__ = "warning_letter"
    __table_args__ = (
        Index("warning_letter_waiting", "at", postgresql_where=text("sent_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    address: Mapped[str]
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime] = now()
    sent_at: Mapped[datetime | None]


class WarningShown(Base):
    """To whose connection a message was handed, as screens show it, and who confirmed it."""

    __tablename__ = "warning_shown"

    message_id: Mapped[int] = mapped_column(ForeignKey("warning_message.id"), primary_key=True)
    session: Mapped[str] = mapped_column(primary_key=True)
    """As the audit names it."""
    address: Mapped[str]
    """``person:3``, ``unit:7``."""
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    district: Mapped[str | None]
    """Where a unit was then (ISO 3166-2)."""
    shown_at: Mapped[datetime] = now()
    confirmed_at: Mapped[datetime | None]
