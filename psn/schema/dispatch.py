"""Dispatch: calls, incidents as they are worked on, assignments, emergencies, and what is raised.

The network itself reads none of this (``psn.schema.sharing`` has who takes part in an incident,
which opens sight); the tables are here because a database has one schema. What may change into
what, and what always holds, stands in docs/domain.md; checks stand in migration 0012.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, now, number


def _texts() -> Mapped[list[str]]:
    return mapped_column(ARRAY(Text), server_default=text("'{}'"))


def _said() -> Mapped[str]:
    return mapped_column(server_default=text("''"))


def _list() -> Mapped[list[Any]]:
    return mapped_column(JSONB, server_default=text("'[]'"))


def _point() -> Mapped[WKBElement | None]:
    return mapped_column(Geometry("POINT", 4326, spatial_index=False))


def _agency() -> Mapped[int]:
    return mapped_column(ForeignKey("agency.id"))


class Counter(Base):
    """The last number given to an agency's incidents, calls, lookouts of one year."""

    __tablename__ = "counter"

    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    last: Mapped[int]


class IncidentType(Base):
    """A kind of incident, as one agency handles it."""

    __tablename__ = "incident_type"
    __table_args__ = (UniqueConstraint("agency_id", "code"),)

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    code: Mapped[str]
    name: Mapped[str]
    name_es: Mapped[str] = _said()
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("3"))
    """1 (life in danger now) to 5 (when there is time)."""
    checklist: Mapped[list[str]] = _texts()
    plan: Mapped[list[Any]] = _list()
    """Which units it needs: :class:`dispatch.domain.plans.Need`, as JSON."""
    scene_minutes: Mapped[int | None]
    """On scene for longer than this, a unit is overdue."""
    contact_minutes: Mapped[int | None]
    """No word from an assigned unit for so long raises an alarm."""
    retired_at: Mapped[datetime | None]


class Station(Base):
    """Where units of an agency have their place."""

    __tablename__ = "station"
    __table_args__ = (UniqueConstraint("agency_id", "name"),)

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    name: Mapped[str]
    point: Mapped[WKBElement] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    retired_at: Mapped[datetime | None]


class UnitProfile(Base):
    """What a unit can do (``boat``, ``k9``, ``medic``, ``armed``, ``spanish``), and its station."""

    __tablename__ = "unit_profile"

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    capabilities: Mapped[list[str]] = _texts()
    station_id: Mapped[int | None] = mapped_column(ForeignKey("station.id"))
    telephone: Mapped[str | None]
    """That it carries (E.164)."""


class Shift(Base):
    """Who crews a unit from when until when."""

    __tablename__ = "shift"
    __table_args__ = (Index("shift_unit", "unit_id", "starts_at"),)

    id: Mapped[int] = number()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    crew: Mapped[list[Any]] = _list()
    """``[{"name": …, "role": …, "person": id or null}]``."""
    author: Mapped[str]


class IncidentCard(Base):
    """An incident as it is worked on. Each incident has one, by a trigger."""

    __tablename__ = "incident_card"

    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[str] = mapped_column(unique=True)
    """``BPD-26-00012``: agency, year, number in it."""
    type_id: Mapped[int | None] = mapped_column(ForeignKey("incident_type.id"))
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("3"))
    place: Mapped[str] = _said()
    point: Mapped[WKBElement | None] = _point()
    details: Mapped[str] = _said()
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """The dispatcher who answers for it."""
    checklist: Mapped[list[Any]] = _list()
    """``[{"text": …, "done_at": ms or null, "by": name}]``."""
    outcome: Mapped[str | None]
    log_head: Mapped[int] = mapped_column(server_default=text("0"))
    """The newest sequence of its log; the row is locked while an event gets its number."""


class IncidentEvent(Base):
    """One entry of an incident's log: append-only, 1, 2, 3 … without a gap."""

    __tablename__ = "incident_event"

    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = now()
    author: Mapped[str]
    """Address, or the command line's user."""
    author_name: Mapped[str]
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    """The author's."""
    kind: Mapped[str]
    private: Mapped[bool] = mapped_column(server_default=text("false"))
    """For the author's agency only."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class IncidentLink(Base):
    """Two incidents have to do with each other; the one with the lower number first."""

    __tablename__ = "incident_link"

    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    other_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )
    reason: Mapped[str]
    author: Mapped[str]
    at: Mapped[datetime] = now()


class Invitation(Base):
    """One agency asks another to take part in an incident."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index(
            "invitation_open",
            "incident_id",
            "agency_id",
            unique=True,
            postgresql_where=text("answer is null"),
        ),
    )

    id: Mapped[int] = number()
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), index=True
    )
    agency_id: Mapped[int] = _agency()
    """Who is asked."""
    from_agency: Mapped[int] = _agency()
    text: Mapped[str]
    author: Mapped[str]
    at: Mapped[datetime] = now()
    answer: Mapped[str | None]
    """``accepted``, ``declined``, ``offered`` (something else), ``withdrawn``."""
    answer_text: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]


class Call(Base):
    """What somebody reports."""

    __tablename__ = "call"
    __table_args__ = (Index("call_received", "agency_id", "received_at"),)

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    number: Mapped[str] = mapped_column(unique=True)
    line: Mapped[str]
    """How it came: ``911``, ``90``, ``agency``, ``radio``, ``walk_in``, ``web``, ``program``."""
    state: Mapped[str]
    """A word of :class:`dispatch.domain.calls.State`."""
    caller_name: Mapped[str] = _said()
    caller_number: Mapped[str] = _said()
    place: Mapped[str] = _said()
    point: Mapped[WKBElement | None] = _point()
    type_id: Mapped[int | None] = mapped_column(ForeignKey("incident_type.id"))
    notes: Mapped[str] = _said()
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    received_at: Mapped[datetime] = now()
    taken_at: Mapped[datetime | None]
    """When somebody took it first."""
    ended_at: Mapped[datetime | None]
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    outcome: Mapped[str | None]


class Assignment(Base):
    """A unit is sent to an incident. A time that was noted stays."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("assignment_live", "unit_id", postgresql_where=text("ended_at is null"), unique=True),
        Index("assignment_ordered", "agency_id", "ordered_at"),
        Index(
            "assignment_unsent",
            "ordered_at",
            postgresql_where=text("sent_at is null and ended_at is null"),
        ),
    )

    id: Mapped[int] = number()
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    agency_id: Mapped[int] = _agency()
    """The unit's."""
    order_id: Mapped[UUID] = mapped_column(Uuid, unique=True, server_default=func.gen_random_uuid())
    """The id of the order in the unit's mailbox."""
    order_text: Mapped[str] = _said()
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime] = now()
    sent_at: Mapped[datetime | None]
    """The order is in the unit's mailbox, on disk."""
    refused_at: Mapped[datetime | None]
    """The record has refused the order for good; null again when it is sent anew."""
    refusal: Mapped[str | None]
    """The code with which it did, as in :data:`dispatch.desk.orders.NEVER`."""
    delivered_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    en_route_at: Mapped[datetime | None]
    on_scene_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """``cleared``, ``recalled``, ``declined``, ``diverted``."""
    contact_at: Mapped[datetime] = now()
    """When the unit last said something of it."""
    place: Mapped[str] = _said()
    """Where it goes, when that is not where the incident is."""
    point: Mapped[WKBElement | None] = _point()


class OrderSms(Base):
    """An order that was sent to the unit's telephone too, because a dispatcher asked for it."""

    __tablename__ = "order_sms"
    __table_args__ = (
        Index("order_sms_waiting", "next_at", postgresql_where=text("state = 'waiting'")),
        Index("order_sms_known", "by", postgresql_where=text("numbers <> '{}'")),
    )

    id: Mapped[int] = number()
    assignment_id: Mapped[int] = mapped_column(
        ForeignKey("assignment.id", ondelete="CASCADE"), index=True
    )
    telephone: Mapped[str]
    text: Mapped[str]
    author: Mapped[str]
    asked_at: Mapped[datetime] = now()
    state: Mapped[str] = mapped_column(server_default="waiting")
    """As of a warning's delivery: ``waiting``, ``handing``, ``handed``, ``delivered``, ``failed``,
    ``uncertain``, ``dropped``."""
    at: Mapped[datetime] = now()
    """Since when."""
    problem: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime] = now()
    by: Mapped[str | None]
    """The SMS centre that took it, or its first parts."""
    numbers: Mapped[list[str]] = _texts()
    """What the centre calls its parts, as far as it took them."""
    awaited: Mapped[list[str]] = _texts()
    """Those of which it has not said yet what became of them."""


class UnitLetter(Base):
    """What a unit is to be told besides its order: a message in its mailbox, once."""

    __tablename__ = "unit_letter"
    __table_args__ = (Index("unit_letter_unsent", "at", postgresql_where=text("sent_at is null")),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=func.gen_random_uuid())
    """Of the message."""
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    agency_id: Mapped[int] = _agency()
    text: Mapped[str]
    author: Mapped[str]
    at: Mapped[datetime] = now()
    sent_at: Mapped[datetime | None]


class UnitStatus(Base):
    """What a unit is doing: one status at a time."""

    __tablename__ = "unit_status"

    unit_id: Mapped[int] = mapped_column(
        ForeignKey("unit.id"), primary_key=True, autoincrement=False
    )
    status: Mapped[str]
    """A word of :class:`dispatch.domain.statuses.Status`."""
    since: Mapped[datetime]
    author: Mapped[str]
    source: Mapped[str]
    """``tablet``, ``console``, ``radio``, ``order``."""
    note: Mapped[str] = _said()


class UnitStatusLog(Base):
    """Every status a unit had, append-only."""

    __tablename__ = "unit_status_log"
    __table_args__ = (Index("unit_status_log_unit", "unit_id", "said_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    status: Mapped[str]
    said_at: Mapped[datetime]
    """By the clock of who said it, corrected by the server's."""
    at: Mapped[datetime] = now()
    author: Mapped[str]
    source: Mapped[str]
    note: Mapped[str] = _said()
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    """It came after a later one, so it never was the present one."""


class Emergency(Base):
    """Somebody of a unit has pressed the red button."""

    __tablename__ = "emergency"
    __table_args__ = (
        Index("emergency_live", "unit_id", postgresql_where=text("ended_at is null"), unique=True),
    )

    id: Mapped[int] = number()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    source: Mapped[str]
    """``tablet``, ``console``, ``radio``, ``man_down``."""
    raised_by: Mapped[str]
    raised_at: Mapped[datetime] = now()
    said_at: Mapped[datetime]
    pressed_at: Mapped[datetime] = now()
    """When it was pressed last, as said."""
    presses: Mapped[int] = mapped_column(server_default=text("1"))
    point: Mapped[WKBElement | None] = _point()
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    owned_at: Mapped[datetime | None]
    unit_safe_at: Mapped[datetime | None]
    """The unit said that it is safe; taken back by another press."""
    desk_safe_at: Mapped[datetime | None]
    desk_safe_by: Mapped[str | None]
    desk_outcome: Mapped[str | None]
    """How it ended, in the words of who said so there."""
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class Alarm(Base):
    """What raised itself and wants attention; one of a kind about one thing at a time."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index(
            "alarm_live",
            "agency_id",
            "kind",
            "about",
            postgresql_where=text("ended_at is null"),
            unique=True,
        ),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    kind: Mapped[str]
    """A word of :class:`dispatch.domain.alarms.Kind`."""
    about: Mapped[str] = mapped_column(index=True)
    """``call:4``, ``incident:5``, ``assignment:6``, ``unit:7``, ``reminder:8``."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    raised_at: Mapped[datetime] = now()
    level: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    """1: the dispatcher, 2: the supervisor too."""
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    taken_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Lookout(Base):
    """Whom or what everyone is to look out for (BOLO)."""

    __tablename__ = "lookout"

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    number: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[str]
    """``person``, ``vehicle``, ``vessel``, ``other``."""
    title: Mapped[str]
    text: Mapped[str] = _said()
    plate: Mapped[str] = _said()
    point: Mapped[WKBElement | None] = _point()
    agencies: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """Who is told besides the author's agency."""
    author: Mapped[str]
    issued_at: Mapped[datetime] = now()
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class WelfareCheck(Base):
    """A unit is to say every so often that it is well."""

    __tablename__ = "welfare_check"
    __table_args__ = (
        Index(
            "welfare_check_live", "unit_id", postgresql_where=text("ended_at is null"), unique=True
        ),
    )

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    every_seconds: Mapped[int]
    due_at: Mapped[datetime]
    author: Mapped[str]
    started_at: Mapped[datetime] = now()
    ended_at: Mapped[datetime | None]


class Reminder(Base):
    """What somebody, or everyone of a desk, is to be reminded of at a time."""

    __tablename__ = "reminder"

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id"), index=True)
    text: Mapped[str]
    due_at: Mapped[datetime]
    author: Mapped[str]
    made_at: Mapped[datetime] = now()
    done_at: Mapped[datetime | None]


class FenceRule(Base):
    """An alarm for what a unit does at a fence."""

    __tablename__ = "fence_rule"

    id: Mapped[int] = number()
    agency_id: Mapped[int] = _agency()
    fence_id: Mapped[int] = mapped_column(ForeignKey("fence.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    """Which unit; none: every one that the agency sees."""
    unit_kind: Mapped[str | None]
    what: Mapped[str]
    """``in``, ``out``, ``dwell``, ``speed``."""
    threshold: Mapped[int | None]
    """Of ``dwell`` seconds, of ``speed`` centimetres a second."""
    author: Mapped[str]
    made_at: Mapped[datetime] = now()
    ended_at: Mapped[datetime | None]


class ActionDone(Base):
    """What a client asked for under an id, and what it was answered: done once, however often."""

    __tablename__ = "action_done"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    author: Mapped[str]
    what: Mapped[str]
    digest: Mapped[bytes]
    """SHA-256 of what it was asked with."""
    result: Mapped[Any | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
