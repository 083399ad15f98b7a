"""The audit, who is told of it, and how long what is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import ENDS, REASON, Base, now, number


def _from_body(name: str, cast: str = "") -> Computed:
    return Computed(f"((body)::jsonb ->> '{name}'::text){cast}", persisted=True)


class Audit(Base):
    """An entry of the audit's chain (:mod:`psn.trail.audit`); most columns say ``body`` again.

    Rows come in by the function ``audit_append`` alone, and a trigger refuses to change them.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_at", "at"),
        *(
            Index(f"audit_{column}", column, "seq")
            for column in ("actor", "agency", "action", "object", "owner", "session")
        ),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3 … without a gap."""
    body: Mapped[str]
    """The entry as JSON text, exactly as it was hashed."""
    hash: Mapped[bytes]
    """SHA-256 of the hash before, ``seq`` and ``body``."""
    at: Mapped[datetime] = mapped_column(
        Computed(
            "to_timestamp((((body)::jsonb ->> 'at'::text))::double precision"
            " / (1000)::double precision)",
            persisted=True,
        )
    )
    actor: Mapped[str] = mapped_column(_from_body("actor"))
    agency: Mapped[int | None] = mapped_column(_from_body("agency", "::integer"))
    action: Mapped[str] = mapped_column(_from_body("action"))
    object: Mapped[str | None] = mapped_column(_from_body("object"))
    owner: Mapped[int | None] = mapped_column(_from_body("owner", "::integer"))
    session: Mapped[str | None] = mapped_column(_from_body("session"))


class AuditCheckpoint(Base):
    """The server has signed that entry ``seq`` had this hash then (Ed25519, RFC 8032)."""

    __tablename__ = "audit_checkpoint"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(primary_key=True)
    """Whole seconds."""
    key: Mapped[bytes]
    """The public key: 32 bytes."""
    signature: Mapped[bytes]


class AuditPending(Base):
    """Entries of a transaction under way; its commit moves them into the chain. Unlogged."""

    __tablename__ = "audit_pending"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entries: Mapped[list[Any]] = mapped_column(ARRAY(JSONB))


class Outlet(Base):
    """How far one receiver of security events has got in the audit (``psn.csirt.outlets``)."""

    __tablename__ = "outlet"

    name: Mapped[str] = mapped_column(primary_key=True)
    """``syslog``, ``webhook:3``."""
    seq: Mapped[int] = mapped_column(BigInteger)
    """Through this entry the receiver has everything."""
    succeeded_at: Mapped[datetime] = now()
    """When it was last written that it had."""
    failing_since: Mapped[datetime | None]
    problem: Mapped[str | None]
    """Why it does not deliver now."""


class Webhook(Base):
    """An address to which security events are posted, signed (``psn.csirt.webhooks``)."""

    __tablename__ = "webhook"
    __table_args__ = (CheckConstraint("url <> ''", name="webhook_url_check"),)

    id: Mapped[int] = number()
    url: Mapped[str]
    secret: Mapped[bytes]
    """Sealed with the server's key for this address (``psn.keys``)."""
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    """It is told of what concerns this agency; null: of everything."""
    created_by: Mapped[str]
    created_at: Mapped[datetime] = now()
    disabled_at: Mapped[datetime | None]


class Retention(Base):
    """How long an agency wants something kept, other than the settings say."""

    __tablename__ = "retention"
    __table_args__ = (
        CheckConstraint(
            "kind in ('track', 'message', 'attachment', 'recording', 'call', 'incident', 'lookout',"
            " 'audit')",
            name="retention_kind_check",
        ),
        CheckConstraint("days > 0", name="retention_days_check"),
    )

    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """A word of :class:`psn.keeping.retention.Kind`."""
    days: Mapped[int | None]
    """Null: for ever."""


class LegalHold(Base):
    """What concerns a subject is not deleted while this is in force."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint(
            "subject ~ '^(unit|person|agency|incident|call|lookout):[1-9][0-9]*$'",
            name="legal_hold_subject_check",
        ),
        CheckConstraint(ENDS, name="legal_hold_ends_check"),
        CheckConstraint(REASON, name="legal_hold_reason_check"),
    )

    id: Mapped[int] = number()
    subject: Mapped[str]
    """``unit:7``, ``person:3``, ``agency:2``, ``incident:4``, ``call:5``, ``lookout:6``."""
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    """Whose subject it is."""
    reason: Mapped[str]
    author: Mapped[str]
    starts_at: Mapped[datetime] = now()
    ends_at: Mapped[datetime | None]
