"""What agencies show one another, and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import ENDS, REASON, Base, Termed, flag, now, number

_PRECISIONS = "units in ('nothing', 'presence', 'blurred', 'exact')"


class Agreement(Termed, Base):
    """The owner shows the viewer its open units, or lets it write to it; with a reason."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("owner_agency <> viewer_agency", name="agreement_two_agencies_check"),
        CheckConstraint(_PRECISIONS, name="agreement_units_check"),
        CheckConstraint(ENDS, name="agreement_ends_check"),
        CheckConstraint(REASON, name="agreement_reason_check"),
    )

    id: Mapped[int] = number()
    owner_agency: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    viewer_agency: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    units: Mapped[str] = mapped_column(server_default=text("'nothing'"))
    """How precisely its open units are shown: a word of :class:`psn.directory.Precision`."""
    messages: Mapped[bool] = flag()


class UnitException(Termed, Base):
    """One unit is shown so to one agency, whatever else is agreed; without a viewer: at most so."""

    __tablename__ = "unit_exception"
    __table_args__ = (
        CheckConstraint(_PRECISIONS, name="unit_exception_units_check"),
        CheckConstraint(ENDS, name="unit_exception_ends_check"),
        CheckConstraint(REASON, name="unit_exception_reason_check"),
    )

    id: Mapped[int] = number()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    viewer_agency: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    units: Mapped[str]


class BrokenGlass(Base):
    """A person saw another agency's open units on his own word, in an emergency; for review."""

    __tablename__ = "broken_glass"
    __table_args__ = (
        CheckConstraint("ends_at >= starts_at", name="broken_glass_ends_check"),
        CheckConstraint("reason <> ''", name="broken_glass_reason_check"),
        CheckConstraint(
            "num_nonnulls(reviewed_at, reviewed_by, review) in (0, 3)",
            name="broken_glass_review_check",
        ),
    )

    id: Mapped[int] = number()
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    owner_agency: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    """Whose units he sees."""
    reason: Mapped[str]
    starts_at: Mapped[datetime] = now()
    ends_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    review: Mapped[str | None]
    """What the owner's reviewer found."""


class Incident(Base):
    """Something that happens, and is worked on by the agencies that take part."""

    __tablename__ = "incident"
    __table_args__ = (Index("incident_opened", "agency_id", "opened_at"),)

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    title: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime] = now()
    closed_at: Mapped[datetime | None]


class IncidentMember(Termed, Base):
    """An agency takes part in an incident, or a unit is assigned to it."""

    __tablename__ = "incident_member"
    __table_args__ = (
        CheckConstraint("num_nonnulls(agency_id, unit_id) = 1", name="incident_member_one_check"),
        CheckConstraint(ENDS, name="incident_member_ends_check"),
        CheckConstraint(REASON, name="incident_member_reason_check"),
    )

    id: Mapped[int] = number()
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), index=True
    )
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
