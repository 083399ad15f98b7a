"""Radio networks, what of them belongs to what here, and whose radio was heard when."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, now, number

_A_NUMBER = "number between 1 and 16776415"
"""ETSI TS 102 361-1, annex A: what a radio or a talkgroup of DMR may have."""


class RadioNetwork(Base):
    """What one agency runs under one numbering; its administrator decides who takes part."""

    __tablename__ = "radio_network"
    __table_args__ = (CheckConstraint("name <> ''", "radio_network_name_check"),)

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = now()
    retired_at: Mapped[datetime | None]


class RadioNetworkAgency(Base):
    """Another agency whose units carry radios of the network, and whose groups it may be joined
    with.
    """

    __tablename__ = "radio_network_agency"
    __table_args__ = (UniqueConstraint("network_id", "agency_id"),)

    id: Mapped[int] = number()
    network_id: Mapped[int] = mapped_column(ForeignKey("radio_network.id"))
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))


class RadioGateway(Base):
    """A gateway that serves a network: an enrolled device of the agency that runs it."""

    __tablename__ = "radio_gateway"
    __table_args__ = (UniqueConstraint("network_id", "device_id"),)

    id: Mapped[int] = number()
    network_id: Mapped[int] = mapped_column(ForeignKey("radio_network.id"))
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))


class RadioTalkgroup(Base):
    """A talkgroup of a radio network that is joined with a group on the wire."""

    __tablename__ = "radio_talkgroup"
    __table_args__ = (
        UniqueConstraint("network_id", "number"),
        CheckConstraint(_A_NUMBER, "radio_talkgroup_number_check"),
    )

    id: Mapped[int] = number()
    network_id: Mapped[int] = mapped_column(ForeignKey("radio_network.id"))
    number: Mapped[int]
    group_id: Mapped[int] = mapped_column(
        ForeignKey("talkgroup.id", ondelete="CASCADE"), index=True
    )


class Radio(Base):
    """A radio that carries a unit; the unit's agency has said so. Others have no row."""

    __tablename__ = "radio"
    __table_args__ = (
        UniqueConstraint("network_id", "number"),
        CheckConstraint(_A_NUMBER, "radio_number_check"),
    )

    id: Mapped[int] = number()
    network_id: Mapped[int] = mapped_column(ForeignKey("radio_network.id"))
    number: Mapped[int]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)


class RadioHeard(Base):
    """When and where a radio was heard, whether it carries a unit or not."""

    __tablename__ = "radio_heard"
    __table_args__ = (
        CheckConstraint(_A_NUMBER, "radio_heard_number_check"),
        Index("radio_heard_last", "last_at"),
    )

    network_id: Mapped[int] = mapped_column(ForeignKey("radio_network.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    what: Mapped[str]
    """What was heard of it last: ``call``, ``text``, …"""
    site: Mapped[str] = mapped_column(server_default="")
    point: Mapped[WKBElement | None] = mapped_column(Geometry("POINT", 4326, spatial_index=False))
    """Where it said last that it is."""
    emergency_at: Mapped[datetime | None]
    """When its red button was pressed last."""
    twice_at: Mapped[datetime | None]
    """When two radios of this number were heard at once, and where the other was."""
    twice_site: Mapped[str] = mapped_column(server_default="")
