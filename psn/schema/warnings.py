"""Warnings to the public: chains of messages, from their first word to their end.

The network itself reads none of this; what may change into what, and what always holds, stands in
docs/warnings.md, and checks and triggers in migration 0025.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
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


class WarningRecipient(Base):
    """Somebody, or something, that is warned by SMS, e-mail or a signed request."""

    __tablename__ = "warning_recipient"
    __table_args__ = (
        Index(
            "warning_recipient_once",
            "agency_id",
            "channel",
            "address",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    channel: Mapped[str]
    """``sms``, ``email``, ``webhook``, ``cell``, ``spoken``, ``radio_text``, ``push``."""
    address: Mapped[str]
    """``+5016001234``, ``name@example.bz``, ``https://…``, ``group:2``; of a browser whose it is,
    and a digest: ``person:3 0f1e2d…``."""
    language: Mapped[str] = mapped_column(server_default=text("'en-BZ'"))
    district: Mapped[str | None]
    """It is warned of what touches this district (ISO 3166-2); null: of everything."""
    secret: Mapped[bytes | None]
    """Of a receiver of requests, and of a browser what it gave, sealed (``psn.keys``)."""
    added_by: Mapped[str]
    added_at: Mapped[datetime] = now()
    ended_at: Mapped[datetime | None]


class WarningDelivery(Base):
    """A message on its way to one recipient; of a long SMS, one part of it."""

    __tablename__ = "warning_delivery"
    __table_args__ = (
        UniqueConstraint("message_id", "channel", "address", "part"),
        Index(
            "warning_delivery_waiting",
            "channel",
            "next_at",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("warning_delivery_handing", "channel", postgresql_where=text("state = 'handing'")),
        Index(
            "warning_delivery_receipt",
            "by",
            "receipt",
            postgresql_where=text("receipt is not null"),
        ),
        Index(
            "warning_delivery_addressed",
            "message_id",
            postgresql_where=text("address not like 'recipient:%'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("warning_message.id"))
    channel: Mapped[str]
    address: Mapped[str]
    part: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    parts: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    language: Mapped[str]
    district: Mapped[str | None]
    recipient_id: Mapped[int] = mapped_column(ForeignKey("warning_recipient.id"))
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    """``waiting``, ``handing`` (begun: written before it is tried), ``handed``, ``delivered``,
    ``failed``, ``uncertain`` (nobody knows), ``dropped`` (the message was over before)."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = now()
    """Not before."""
    began_at: Mapped[datetime | None]
    handed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When the receipt came."""
    by: Mapped[str | None]
    """Who took it: the name of the SMS centre, the mail server."""
    receipt: Mapped[str | None]
    """As that calls it."""
    price: Mapped[Decimal | None] = mapped_column(Numeric(10, 4))
    """What it costs, in the currency of the operator."""
    problem: Mapped[str | None]


class WarningSpread(Base):
    """It was written down who is told of a message."""

    __tablename__ = "warning_spread"

    message_id: Mapped[int] = mapped_column(ForeignKey("warning_message.id"), primary_key=True)
    at: Mapped[datetime] = now()


class AlertFeed(Base):
    """How a feed of others is, which the settings name (``PSN_FEEDS``)."""

    __tablename__ = "alert_feed"

    name: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    etag: Mapped[str | None]
    modified: Mapped[str | None]
    """With these it is asked whether it has changed; null: it is read anew."""
    tried_at: Mapped[datetime]
    succeeded_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    """In a row."""
    problem: Mapped[str | None]
    """What is wrong with it, or with alerts in it."""


class HeardAlert(Base):
    """A message that was heard on a feed of others; kept for a month."""

    __tablename__ = "heard_alert"
    __table_args__ = (
        UniqueConstraint("feed", "sender", "identifier", "sent_at", name="heard_alert_once"),
        Index("heard_alert_at", "heard_at"),
    )

    id: Mapped[int] = number()
    feed: Mapped[str]
    """Its name in the settings."""
    sender: Mapped[str]
    identifier: Mapped[str]
    sent_at: Mapped[datetime]
    verdict: Mapped[str]
    """Of its signature: ``dispatch.alerting.cap.Verdict``."""
    signer: Mapped[str]
    url: Mapped[str]
    alert: Mapped[Any] = mapped_column(JSONB)
    """What it says, as it was understood; of a good signature, what was signed."""
    heard_at: Mapped[datetime]
    warning_id: Mapped[int | None] = mapped_column(ForeignKey("warning.id"))
    """The warning that was begun from it."""
