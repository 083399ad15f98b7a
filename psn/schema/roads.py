"""The road network, as it was imported last (``psn geo import``). Facts of the map, no secret.

An import replaces all rows of :class:`RoadNode` and :class:`RoadEdge` in one transaction and adds
one of :class:`RoadImport`, whose number tells servers that they hold an older network.
"""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, now, number


class RoadNode(Base):
    """Where roads meet or end."""

    __tablename__ = "road_node"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Its number in OpenStreetMap."""
    place: Mapped[WKBElement] = mapped_column(Geometry("POINT", 4326, spatial_index=False))


class RoadEdge(Base):
    """A piece of road from one node to the next; no other road meets it in between."""

    __tablename__ = "road_edge"
    __table_args__ = (Index("road_edge_course", "course", postgresql_using="gist"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[int] = mapped_column(BigInteger)
    target: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    """OpenStreetMap's ``highway``."""
    name: Mapped[str | None]
    ref: Mapped[str | None]
    metres: Mapped[float]
    forward_s: Mapped[float | None]
    """Seconds from source to target at ordinary speed; null: not allowed."""
    backward_s: Mapped[float | None]
    """Seconds from target to source; likewise."""
    course: Mapped[WKBElement] = mapped_column(Geometry("LINESTRING", 4326, spatial_index=False))


class RoadImport(Base):
    """That a network was imported. The newest is the one that is there."""

    __tablename__ = "road_import"

    id: Mapped[int] = number()
    at: Mapped[datetime] = now()
    file: Mapped[str]
    """Its name, without the directory."""
    sha256: Mapped[str]
    """Of the file, in hex."""
    author: Mapped[str]
    nodes: Mapped[int]
    edges: Mapped[int]
    metres: Mapped[float]
