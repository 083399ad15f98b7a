"""Places that people name, and what crews should know when they go there."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import ARRAY, CheckConstraint, Computed, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import ENDS, Base, now, number


class Place(Base):
    """A place with a name. Without an agency it is everybody's."""

    __tablename__ = "place"
    __table_args__ = (
        CheckConstraint("name <> ''", name="place_name_check"),
        CheckConstraint(
            "kind in ('settlement', 'landmark', 'caye', 'pier', 'junction', 'bridge', 'mark',"
            " 'mile_marker')",
            name="place_kind_check",
        ),
        CheckConstraint(
            "num_nonnulls(road, mile) = case kind when 'mile_marker' then 2 else 0 end",
            name="place_mile_check",
        ),
        Index(
            "place_source", "agency_id", "source", "source_key",
            unique=True, postgresql_nulls_not_distinct=True,
            postgresql_where=text("source_key is not null"),
        ),
        Index("place_search", "search", postgresql_using="gin",
              postgresql_ops={"search": "gin_trgm_ops"}),
        Index("place_point", "point", postgresql_using="gist"),
        Index("place_road", "road", "mile", postgresql_where=text("road is not null")),
    )  # fmt: skip

    id: Mapped[int] = number()
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str]
    kind: Mapped[str]
    """One of :data:`geo.gazetteer.KINDS`."""
    other_names: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    district: Mapped[str | None]
    """ISO 3166-2 code."""
    population: Mapped[int] = mapped_column(server_default=text("0"))
    road: Mapped[str | None]
    """Of a mile marker."""
    mile: Mapped[float | None]
    """Of a mile marker: statute miles from the road's beginning."""
    source: Mapped[str]
    """Where it comes from: ``GeoNames``, the name of an import, or who made it."""
    source_key: Mapped[str | None]
    """What tells it from others of its source; loading again changes the row that has it."""
    created_at: Mapped[datetime] = now()
    retired_at: Mapped[datetime | None]
    search: Mapped[str] = mapped_column(
        Computed("place_search_text(name, other_names)", persisted=True)
    )
    """What is searched: all its names, small and without accents, a blank before each word."""


class PlaceNote(Base):
    """What an agency wants its own people to know around a point, for a time."""

    __tablename__ = "place_note"
    __table_args__ = (
        CheckConstraint("kind in ('hazard', 'premise', 'access')", name="place_note_kind_check"),
        CheckConstraint("text <> '' and author <> ''", name="place_note_text_check"),
        CheckConstraint("radius_m between 1 and 50000", name="place_note_radius_check"),
        CheckConstraint(ENDS, name="place_note_ends_check"),
        Index("place_note_point", "point", postgresql_using="gist"),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"), index=True)
    """The place that it is about; when that moves, so does the note."""
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    radius_m: Mapped[int]
    kind: Mapped[str]
    text: Mapped[str]
    author: Mapped[str]
    """Who wrote it, in words or as an address."""
    starts_at: Mapped[datetime] = now()
    ends_at: Mapped[datetime | None]
