"""Photos, voice notes and notes that people attach (``dispatch.attachments``)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, now


class Attachment(Base):
    """What somebody attached, and how far it has got; the bytes are in a file of its id."""

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint("kind in ('photo', 'voice', 'document')", name="attachment_kind_check"),
        CheckConstraint("size > 0", name="attachment_size_check"),
        CheckConstraint("length(sha256) = 32", name="attachment_sha256_check"),
        CheckConstraint(
            "about ~ '^(message:[0-9a-f-]{36}|incident:[1-9][0-9]*)$'",
            name="attachment_about_check",
        ),
        CheckConstraint(
            "state in ('receiving', 'checking', 'ready', 'refused')", name="attachment_state_check"
        ),
        Index("attachment_agency", "agency_id", "made_at"),
        Index("attachment_about", "about"),
        Index(
            "attachment_under_way",
            "state",
            "made_at",
            postgresql_where=text("state in ('receiving', 'checking')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Made by the client, so that beginning twice is beginning once."""
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    """The author's agency then."""
    author: Mapped[str]
    """Address: ``person:3``, ``unit:7``."""
    kind: Mapped[str]
    said_type: Mapped[str]
    """The media type as the client said it; nothing depends on it."""
    type: Mapped[str | None]
    """The media type of the file that was made of it; null before."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes that the client sends."""
    sha256: Mapped[bytes]
    """Their hash."""
    about: Mapped[str | None]
    """``message:UUID`` or ``incident:N``."""
    state: Mapped[str] = mapped_column(server_default="receiving")
    code: Mapped[str | None]
    """Why it was refused, as a stable word."""
    reason: Mapped[str | None]
    """... and in a sentence."""
    made_at: Mapped[datetime] = now()
    stored_size: Mapped[int | None] = mapped_column(BigInteger)
    """Bytes of the file that was made of it."""
    width: Mapped[int | None]
    """In pixels, as a photo is seen upright."""
    height: Mapped[int | None]
    seconds: Mapped[float | None]
    """How long a voice note is."""


class FileOrphan(Base):
    """The name of a file that is to be removed, if it is there."""

    __tablename__ = "file_orphan"

    name: Mapped[str] = mapped_column(primary_key=True)
