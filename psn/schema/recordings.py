"""What was said in voice groups (``psn.voice.recorder``)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base


class Recording(Base):
    """One talk: from when somebody has the floor until he has it no longer."""

    __tablename__ = "recording"
    __table_args__ = (
        CheckConstraint(
            "group_address ~ '^(group|incident|call):[1-9][0-9]*$'", name="recording_group_check"
        ),
        CheckConstraint(
            "talker ~ '^(person|unit|device|agency):[1-9][0-9]*$'", name="recording_talker_check"
        ),
        CheckConstraint("call in ('normal', 'peril', 'emergency')", name="recording_call_check"),
        Index("recording_group", "group_address", "begun_at"),
        Index(
            "recording_incident", "incident_id", postgresql_where=text("incident_id is not null")
        ),
        Index("recording_agency", "agency_id", "begun_at"),
        Index("recording_talker", "talker"),
        Index("recording_going_on", "begun_at", postgresql_where=text("ended_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    group_address: Mapped[str]
    """``group:3``, ``incident:12`` or ``call:1``. Numbers of calls begin anew with each start of a
    server; who was in one is in :attr:`parties`."""
    group_name: Mapped[str]
    """As it was called then."""
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"))
    """Of an incident's group."""
    talker: Mapped[str]
    """Address: ``person:3``, ``unit:7``."""
    talker_name: Mapped[str]
    """As he was called then."""
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    """The talker's agency then; its period says how long this is kept."""
    call: Mapped[str]
    parties: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    """Of a call: the addresses of who was in it while this was said. Of other groups: empty."""
    begun_at: Mapped[datetime]
    """When he got the floor."""
    milliseconds: Mapped[int] = mapped_column(server_default="0")
    """How long the sound is that is kept by now."""
    ended_at: Mapped[datetime | None]
    """Null: he is still talking, or the server is gone."""


class RecordingPart(Base):
    """Some pages of its sound: all parts in order are an Ogg file of Opus (RFC 7845)."""

    __tablename__ = "recording_part"

    recording_id: Mapped[UUID] = mapped_column(
        ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    pages: Mapped[bytes]
