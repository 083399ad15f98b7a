"""Where units were and are."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    text,
)
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base

FLAG_SHOWN = 0
FLAG_LATE = 1
FLAG_IMPLAUSIBLE = 2


class Track(Base):
    """Every position that was taken, in one partition per UTC day of ``received_at``.

    There is no key: a unit may report the same instant twice. The mapper needs one, so it is
    told which columns tell rows apart well enough for reading.
    """

    __tablename__ = "track"
    __table_args__ = (
        Index("track_unit_at", "unit_id", "at"),
        Index("track_place", "place", postgresql_using="gist"),
        {"postgresql_partition_by": "RANGE (received_at)"},
    )

    unit_id: Mapped[int]
    at: Mapped[datetime]
    """The unit's own time."""
    received_at: Mapped[datetime]
    """The server's time."""
    place: Mapped[WKBElement] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    speed: Mapped[float | None] = mapped_column(REAL)
    """Metres per second."""
    heading: Mapped[float | None] = mapped_column(REAL)
    """Degrees clockwise from true north."""
    accuracy: Mapped[float | None] = mapped_column(REAL)
    """Metres."""
    altitude: Mapped[float | None] = mapped_column(REAL)
    """Metres."""
    battery: Mapped[int | None] = mapped_column(SmallInteger)
    """Percent."""
    flag: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    """0 shown, 1 older than the newest, 2 implausible speed."""

    __mapper_args__ = {"primary_key": ["unit_id", "at", "received_at"]}  # noqa: RUF012


class LatestPosition(Base):
    """The newest position of each unit; columns as in :class:`Track`.

    No index on what changes, so that a row is overwritten in place.
    """

    __tablename__ = "latest_position"

    unit_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    place: Mapped[WKBElement] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    speed: Mapped[float | None] = mapped_column(REAL)
    heading: Mapped[float | None] = mapped_column(REAL)
    accuracy: Mapped[float | None] = mapped_column(REAL)
    altitude: Mapped[float | None] = mapped_column(REAL)
    battery: Mapped[int | None] = mapped_column(SmallInteger)


class FenceEvent(Base):
    """A unit entered (``inside``) or left a fence. No foreign keys: written on the hot path."""

    __tablename__ = "fence_event"
    __table_args__ = (
        Index("fence_event_fence_at", "fence_id", "at"),
        Index("fence_event_unit_at", "unit_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int]
    fence_id: Mapped[int]
    inside: Mapped[bool]
    at: Mapped[datetime]
    received_at: Mapped[datetime]
