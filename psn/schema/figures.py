"""What is counted of incidents that were pruned: times, priority, kind, square kilometre.

No name, no number, no unit and no word of it (docs/decisions/0023). ``psn.keeping.pruning``
writes these rows as it deletes an incident; ``dispatch.numbers`` counts them with the others.
"""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, number


class IncidentFigure(Base):
    """An incident that was."""

    __tablename__ = "incident_figure"
    __table_args__ = (Index("incident_figure_opened", "agency_id", "opened_at"),)

    id: Mapped[int] = number()
    """Its own, and not the incident's."""
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    opened_at: Mapped[datetime]
    asked_at: Mapped[datetime]
    """When the call that became it was received; without one, when it was opened."""
    sent_at: Mapped[datetime | None]
    """When the first unit was sent, whoever sent it."""
    closed_at: Mapped[datetime]
    priority: Mapped[int] = mapped_column(SmallInteger)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("incident_type.id"))
    point: Mapped[WKBElement | None] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    """The middle of the square kilometre in which it was."""
    shared: Mapped[bool]
    """More than one agency took part."""


class AssignmentFigure(Base):
    """The times of a unit that was sent to it."""

    __tablename__ = "assignment_figure"
    __table_args__ = (Index("assignment_figure_ordered", "agency_id", "ordered_at"),)

    id: Mapped[int] = number()
    figure_id: Mapped[int] = mapped_column(ForeignKey("incident_figure.id"))
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    """The unit's."""
    ordered_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    en_route_at: Mapped[datetime | None]
    on_scene_at: Mapped[datetime | None]
    ended_at: Mapped[datetime]
