"""Units, the devices that speak for them, groups and fences."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, flag, now, number


class Unit(Base):
    """What is sent somewhere: a car, a boat, a patrol, a vessel seen by a gateway."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("agency_id", "callsign"),)

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    callsign: Mapped[str]
    kind: Mapped[str]
    """``car``, ``boat``, ``foot``, …: lower-case letters and ``_``."""
    source_key: Mapped[str | None] = mapped_column(unique=True)
    """The gateway's own name for it: ``mmsi:312000001``."""
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = now()


class Device(Base):
    """An enrolled machine with a key pair of its own: a tablet for its unit, or a gateway."""

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("public_key is not null or revoked_at is not null", "device_key_check"),
        CheckConstraint("wipe_ordered_at is null or revoked_at is not null", "device_wipe_check"),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    label: Mapped[str]
    gateway: Mapped[bool] = flag()
    """May announce units of its agency and report for them."""
    gateway_all: Mapped[bool] = flag()
    """A gateway that may report for units of any agency."""
    public_key: Mapped[bytes | None]
    """SubjectPublicKeyInfo in DER (``psn.enrolment.device_key``); null: from before keys."""
    enrolled_at: Mapped[datetime] = now()
    revoked_at: Mapped[datetime | None]
    wipe_ordered_at: Mapped[datetime | None]
    """When it shows up, it is told to erase itself."""
    wiped_at: Mapped[datetime | None]
    """When it said that it had done so."""


class Enrolment(Base):
    """A code that was made for one device. Only the hash of the code is kept."""

    __tablename__ = "enrolment"
    __table_args__ = (
        CheckConstraint("(used_at is null) = (device_id is null)", "enrolment_used_check"),
    )

    id: Mapped[int] = number()
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the code (``psn.enrolment.enrolment_code``)."""
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    label: Mapped[str]
    gateway: Mapped[bool] = flag()
    gateway_all: Mapped[bool] = flag()
    author: Mapped[str]
    """Who made it, in words or as an address."""
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime]
    """Also the moment it was cancelled."""
    used_at: Mapped[datetime | None]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    """What came of it."""


class Talkgroup(Base):
    """A group on the wire. Without an agency it is joint."""

    __tablename__ = "talkgroup"
    __table_args__ = (
        UniqueConstraint(
            "agency_id",
            "name",
            name="talkgroup_agency_id_name_key",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str]
    created_at: Mapped[datetime] = now()


class GroupMember(Base):
    """One member of a group: a person, a unit, or everyone of an agency."""

    __tablename__ = "group_member"
    __table_args__ = (
        CheckConstraint("num_nonnulls(person_id, unit_id, agency_id) = 1", name="one_member_check"),
        UniqueConstraint("group_id", "person_id"),
        UniqueConstraint("group_id", "unit_id"),
        UniqueConstraint("group_id", "agency_id"),
    )

    id: Mapped[int] = number()
    group_id: Mapped[int] = mapped_column(ForeignKey("talkgroup.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))


class Fence(Base):
    """An area whose crossing is told. Without an agency it is joint."""

    __tablename__ = "fence"
    __table_args__ = (
        CheckConstraint(
            "geometrytype(area) in ('POLYGON', 'MULTIPOLYGON')"
            " and st_isvalid(area) and not st_isempty(area)",
            name="fence_area_check",
        ),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str]
    area: Mapped[WKBElement] = mapped_column(Geometry("GEOMETRY", 4326, spatial_index=False))
    retired_at: Mapped[datetime | None]
