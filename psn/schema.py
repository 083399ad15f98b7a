"""The tables: one typed model per table, and what each column means.

Times are ``timestamptz`` (UTC). Places are WGS 84 longitude and latitude in degrees (EPSG:4326).
The models describe what the migrations under ``migrations/`` build; a test compares the two.
Ordinary reads and writes go through these models; the hot paths (positions, the log) speak SQL
through asyncpg, next to what they serve.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool

DIRECTORY_CHANNEL = "psn_directory"
"""NOTIFY channel: who-is-who changed; the payload is the table."""
SESSIONS_CHANNEL = "psn_sessions"
"""NOTIFY channel: a session was ended; the payload is the table."""
FLOORS_CHANNEL = "psn_floors"
"""NOTIFY channel: mailboxes have new floors, since old messages were deleted."""
DIRECTORY_TABLES = (
    "agency",
    "person",
    "unit",
    "device",
    "talkgroup",
    "group_member",
    "agreement",
    "fence",
    "identity_provider",
    "linked_identity",
)
"""Tables whose every change is told on :data:`DIRECTORY_CHANNEL`."""
AUDITED_TABLES = (
    *DIRECTORY_TABLES,
    "enrolment",
    "unit_exception",
    "broken_glass",
    "incident",
    "incident_member",
    "session",
    "second_factor",
    "recovery_code",
    "webhook",
    "retention",
    "legal_hold",
)
"""Tables whose every change is in the audit, whoever makes it and however."""

FLAG_SHOWN = 0
FLAG_LATE = 1
FLAG_IMPLAUSIBLE = 2


def connect_engine(dsn: str) -> AsyncEngine:
    """An SQLAlchemy engine on asyncpg for a ``postgresql://`` address; nothing is opened yet.

    asyncpg itself reads the address, so that a socket directory in ``?host=`` means the same
    here as everywhere else. Connections are not pooled: this serves commands and migrations.
    """

    async def connect() -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(dsn, timeout=10)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


class Base(DeclarativeBase):
    """What every model shares: how Python types become columns."""

    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as a plain class attribute)
        str: Text,
        datetime: DateTime(timezone=True),
        bytes: LargeBinary,
        UUID: Uuid,
    }


def _id() -> Mapped[int]:
    return mapped_column(Identity(), primary_key=True)


def _flag(value: bool = False) -> Mapped[bool]:
    return mapped_column(server_default=text(str(value).lower()))


def _now() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


class Agency(Base):
    """An organisation on the network. An agency is data, not code."""

    __tablename__ = "agency"
    __table_args__ = (CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name="agency_colour_check"),)

    id: Mapped[int] = _id()
    code: Mapped[str] = mapped_column(unique=True)
    """Short and known to everyone: ``BPD``."""
    name: Mapped[str]
    colour: Mapped[str]
    """``#rrggbb``, lower case: its units on the map."""


class Person(Base):
    """Someone who signs in."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("name = lower(name) and name <> ''", name="person_name_check"),
    )

    id: Mapped[int] = _id()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str] = mapped_column(unique=True)
    """The name to sign in with, lower case."""
    full_name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    password_hash: Mapped[str | None]
    """Argon2id, encoded; null: no sign-in by password."""
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()


class Unit(Base):
    """What is sent somewhere: a car, a boat, a patrol, a vessel seen by a gateway."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("agency_id", "callsign"),)

    id: Mapped[int] = _id()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    callsign: Mapped[str]
    kind: Mapped[str]
    """``car``, ``boat``, ``foot``, …: lower-case letters and ``_``."""
    source_key: Mapped[str | None] = mapped_column(unique=True)
    """The gateway's own name for it: ``mmsi:312000001``."""
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()


class Device(Base):
    """An enrolled machine with a key pair of its own: a tablet for its unit, or a gateway."""

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("public_key is not null or revoked_at is not null", "device_key_check"),
        CheckConstraint("wipe_ordered_at is null or revoked_at is not null", "device_wipe_check"),
    )

    id: Mapped[int] = _id()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    label: Mapped[str]
    gateway: Mapped[bool] = _flag()
    """May announce units of its agency and report for them."""
    gateway_all: Mapped[bool] = _flag()
    """A gateway that may report for units of any agency."""
    public_key: Mapped[bytes | None]
    """SubjectPublicKeyInfo in DER (``psn.device_key``); null: from before devices had keys."""
    enrolled_at: Mapped[datetime] = _now()
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

    id: Mapped[int] = _id()
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    """SHA-256 of the code (``psn.enrolment_code``)."""
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    label: Mapped[str]
    gateway: Mapped[bool] = _flag()
    gateway_all: Mapped[bool] = _flag()
    author: Mapped[str]
    """Who made it, in words or as an address."""
    created_at: Mapped[datetime] = _now()
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

    id: Mapped[int] = _id()
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str]
    created_at: Mapped[datetime] = _now()


class GroupMember(Base):
    """One member of a group: a person, a unit, or everyone of an agency."""

    __tablename__ = "group_member"
    __table_args__ = (
        CheckConstraint("num_nonnulls(person_id, unit_id, agency_id) = 1", name="one_member_check"),
        UniqueConstraint("group_id", "person_id"),
        UniqueConstraint("group_id", "unit_id"),
        UniqueConstraint("group_id", "agency_id"),
    )

    id: Mapped[int] = _id()
    group_id: Mapped[int] = mapped_column(ForeignKey("talkgroup.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))


_PRECISIONS = "units in ('nothing', 'presence', 'blurred', 'exact')"
_ENDS = "ends_at is null or ends_at >= starts_at"
_REASON = "reason <> '' and author <> ''"


class Termed:
    """What every rule of sharing has: why, who decided it, from when, until when."""

    reason: Mapped[str]
    author: Mapped[str]
    """Who decided it, in words or as an address."""
    starts_at: Mapped[datetime] = _now()
    ends_at: Mapped[datetime | None]


class Agreement(Termed, Base):
    """The owner shows the viewer its open units, or lets it write to it; with a reason."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("owner_agency <> viewer_agency", name="agreement_two_agencies_check"),
        CheckConstraint(_PRECISIONS, name="agreement_units_check"),
        CheckConstraint(_ENDS, name="agreement_ends_check"),
        CheckConstraint(_REASON, name="agreement_reason_check"),
    )

    id: Mapped[int] = _id()
    owner_agency: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    viewer_agency: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    units: Mapped[str] = mapped_column(server_default=text("'nothing'"))
    """How precisely its open units are shown: a word of :class:`psn.directory.Precision`."""
    messages: Mapped[bool] = _flag()


class UnitException(Termed, Base):
    """One unit is shown so to one agency, whatever else is agreed; without a viewer: at most so."""

    __tablename__ = "unit_exception"
    __table_args__ = (
        CheckConstraint(_PRECISIONS, name="unit_exception_units_check"),
        CheckConstraint(_ENDS, name="unit_exception_ends_check"),
        CheckConstraint(_REASON, name="unit_exception_reason_check"),
    )

    id: Mapped[int] = _id()
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

    id: Mapped[int] = _id()
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    owner_agency: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    """Whose units he sees."""
    reason: Mapped[str]
    starts_at: Mapped[datetime] = _now()
    ends_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    review: Mapped[str | None]
    """What the owner's reviewer found."""


class Incident(Base):
    """Something that happens, and is worked on by the agencies that take part."""

    __tablename__ = "incident"

    id: Mapped[int] = _id()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    title: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime] = _now()
    closed_at: Mapped[datetime | None]


class IncidentMember(Termed, Base):
    """An agency takes part in an incident, or a unit is assigned to it."""

    __tablename__ = "incident_member"
    __table_args__ = (
        CheckConstraint("num_nonnulls(agency_id, unit_id) = 1", name="incident_member_one_check"),
        CheckConstraint(_ENDS, name="incident_member_ends_check"),
        CheckConstraint(_REASON, name="incident_member_reason_check"),
    )

    id: Mapped[int] = _id()
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("incident.id", ondelete="CASCADE"), index=True
    )
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))


class Session(Base):
    """A signed-in person or device. Only the hash of its token is kept."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("num_nonnulls(person_id, device_id) = 1", name="session_one_owner_check"),
    )

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    """SHA-256 of the token."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    created_at: Mapped[datetime] = _now()
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """Set when it was ended before its time."""
    active_at: Mapped[datetime] = _now()
    """When its person last did something, to the minute."""
    source: Mapped[str | None]
    """The address from which it was begun."""
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("identity_provider.id"), index=True)
    """The identity provider that said who its person is; null: no provider did."""
    multi_factor: Mapped[bool] = _flag()
    """That provider also vouched for a second factor, and is trusted with it."""


class IdentityProvider(Base):
    """An agency's own OpenID Connect provider; one that is retired signs nobody in."""

    __tablename__ = "identity_provider"
    __table_args__ = (
        CheckConstraint("name <> ''", name="identity_provider_name_check"),
        CheckConstraint(
            "(client_secret is null) = (retired_at is not null)",
            name="identity_provider_secret_check",
        ),
        Index(
            "identity_provider_one_an_agency",
            "agency_id",
            unique=True,
            postgresql_where=text("retired_at is null"),
        ),
    )

    id: Mapped[int] = _id()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str]
    """What the sign-in page calls it."""
    issuer: Mapped[str]
    """Its issuer identifier, an address (OpenID Connect Discovery 1.0)."""
    client_id: Mapped[str]
    """What it calls this network."""
    client_secret: Mapped[bytes | None]
    """Sealed with the server's key for this issuer and client (``psn.keys``)."""
    scopes: Mapped[str] = mapped_column(server_default=text("'openid'"))
    claim: Mapped[str] = mapped_column(server_default=text("'sub'"))
    """The claim of its ID tokens that tells people apart."""
    trusted_amr: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """Methods (claim ``amr``, RFC 8176) that stand for a second factor."""
    trusted_acr: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """Context classes (claim ``acr``) that stand for a second factor."""
    created_at: Mapped[datetime] = _now()
    retired_at: Mapped[datetime | None]


class LinkedIdentity(Base):
    """Who a person is at his agency's provider. Somebody linked the two; nothing else does."""

    __tablename__ = "linked_identity"
    __table_args__ = (
        CheckConstraint("length(subject) between 1 and 255", name="linked_identity_subject_check"),
        UniqueConstraint("provider_id", "subject"),
        UniqueConstraint("provider_id", "person_id"),
    )

    id: Mapped[int] = _id()
    provider_id: Mapped[int] = mapped_column(ForeignKey("identity_provider.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    subject: Mapped[str]
    """What the provider's claim says of him."""
    created_at: Mapped[datetime] = _now()


class SecondFactor(Base):
    """What a person proves to have beside his password: an authenticator, or a passkey."""

    __tablename__ = "second_factor"
    __table_args__ = (
        CheckConstraint(
            "kind = 'totp' and secret is not null"
            " and credential_id is null and public_key is null"
            " or kind = 'passkey' and secret is null"
            " and credential_id is not null and public_key is not null",
            name="second_factor_kind_check",
        ),
    )

    id: Mapped[int] = _id()
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    label: Mapped[str]
    secret: Mapped[bytes | None]
    """Of TOTP, sealed with the server's key for this person (``psn.keys``)."""
    credential_id: Mapped[bytes | None] = mapped_column(unique=True)
    public_key: Mapped[bytes | None]
    """Of a passkey, as COSE (RFC 9052)."""
    sign_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """What the passkey's own counter said last."""
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    """The newest TOTP step that was used; none before it, and not this one, counts again."""
    created_at: Mapped[datetime] = _now()
    last_used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of a person's codes for a lost second factor."""

    __tablename__ = "recovery_code"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    """Salt and Argon2id hash; all of one set share the salt."""
    used_at: Mapped[datetime | None]


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

    id: Mapped[int] = _id()
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str]
    area: Mapped[WKBElement] = mapped_column(Geometry("GEOMETRY", 4326, spatial_index=False))
    retired_at: Mapped[datetime | None]


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


class Log(Base):
    """The durable log: one row per message or bundle of receipts, append-only."""

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[UUID | None] = mapped_column(unique=True)
    """Made by the client, so that sending twice stores once; null for receipts."""
    kind: Mapped[str]
    author: Mapped[str]
    """Address: ``person:3``."""
    agency_id: Mapped[int | None]
    """The author's agency then; null for receipts."""
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The mail body of :mod:`psn.wire`, as JSON."""


class Mailbox(Base):
    """A recipient's stream of entries, numbered from 1."""

    __tablename__ = "mailbox"

    address: Mapped[str] = mapped_column(primary_key=True)
    """``person:3``, ``unit:7``, ``group:2``, ``agency:1``."""
    head: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """The newest sequence; 0: empty."""
    floor: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    """The smallest sequence that is still kept."""


class MailboxEntry(Base):
    """Entry ``seq`` of a mailbox is this row of the log.

    No foreign key: it is added in the same statement as that row, and a trigger on ``log`` refuses
    to delete what a mailbox still holds.
    """

    __tablename__ = "mailbox_entry"

    address: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    log_id: Mapped[int] = mapped_column(BigInteger, index=True)


class Delivery(Base):
    """Through which sequence at least each reader's client has received a mailbox."""

    __tablename__ = "delivery"

    address: Mapped[str] = mapped_column(primary_key=True)
    reader: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    joined: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """What came up to here is not his concern: he had not joined yet."""


class Receipt(Base):
    """That a reader's client received (1, too late 3) or he read (2) one row of the log.

    ``reader`` is the mailbox's own address where its author may not know who read it there.

    No foreign key, as for :class:`MailboxEntry`; it goes with its row of the log by a trigger.
    """

    __tablename__ = "receipt"

    log_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reader: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]


def _from_body(name: str, cast: str = "") -> Computed:
    return Computed(f"((body)::jsonb ->> '{name}'::text){cast}", persisted=True)


class Audit(Base):
    """One entry of the audit's chain (:mod:`psn.audit`); all but three columns say ``body`` again.

    Rows come in by the function ``audit_append`` alone, and a trigger refuses to change them.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_at", "at"),
        *(
            Index(f"audit_{column}", column, "seq")
            for column in ("actor", "agency", "action", "object", "owner", "session")
        ),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3 … without a gap."""
    body: Mapped[str]
    """The entry as JSON text, exactly as it was hashed."""
    hash: Mapped[bytes]
    """SHA-256 of the hash before, ``seq`` and ``body``."""
    at: Mapped[datetime] = mapped_column(
        Computed(
            "to_timestamp((((body)::jsonb ->> 'at'::text))::double precision"
            " / (1000)::double precision)",
            persisted=True,
        )
    )
    actor: Mapped[str] = mapped_column(_from_body("actor"))
    agency: Mapped[int | None] = mapped_column(_from_body("agency", "::integer"))
    action: Mapped[str] = mapped_column(_from_body("action"))
    object: Mapped[str | None] = mapped_column(_from_body("object"))
    owner: Mapped[int | None] = mapped_column(_from_body("owner", "::integer"))
    session: Mapped[str | None] = mapped_column(_from_body("session"))


class AuditCheckpoint(Base):
    """The server has signed that entry ``seq`` had this hash then (Ed25519, RFC 8032)."""

    __tablename__ = "audit_checkpoint"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(primary_key=True)
    """Whole seconds."""
    key: Mapped[bytes]
    """The public key: 32 bytes."""
    signature: Mapped[bytes]


class AuditPending(Base):
    """Entries of a transaction under way; its commit moves them into the chain. Unlogged."""

    __tablename__ = "audit_pending"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entries: Mapped[list[Any]] = mapped_column(ARRAY(JSONB))


class Outlet(Base):
    """How far one receiver of security events has got in the audit (``psn.outlets``)."""

    __tablename__ = "outlet"

    name: Mapped[str] = mapped_column(primary_key=True)
    """``syslog``, ``webhook:3``."""
    seq: Mapped[int] = mapped_column(BigInteger)
    """Through this entry the receiver has everything."""
    succeeded_at: Mapped[datetime] = _now()
    """When it was last written that it had."""
    failing_since: Mapped[datetime | None]
    problem: Mapped[str | None]
    """Why it does not deliver now."""


class Webhook(Base):
    """An address to which security events are posted, signed (``psn.webhooks``)."""

    __tablename__ = "webhook"
    __table_args__ = (CheckConstraint("url <> ''", name="webhook_url_check"),)

    id: Mapped[int] = _id()
    url: Mapped[str]
    secret: Mapped[bytes]
    """Sealed with the server's key for this address (``psn.keys``)."""
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    """It is told of what concerns this agency; null: of everything."""
    created_by: Mapped[str]
    created_at: Mapped[datetime] = _now()
    disabled_at: Mapped[datetime | None]


class Retention(Base):
    """How long an agency wants something kept, other than the settings say."""

    __tablename__ = "retention"
    __table_args__ = (
        CheckConstraint(
            "kind in ('track', 'message', 'recording', 'audit')", name="retention_kind_check"
        ),
        CheckConstraint("days > 0", name="retention_days_check"),
    )

    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """A word of :class:`psn.retention.Kind`."""
    days: Mapped[int | None]
    """Null: for ever."""


class LegalHold(Base):
    """What concerns a subject is not deleted while this is in force."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint(
            "subject ~ '^(unit|person|agency|incident):[1-9][0-9]*$'",
            name="legal_hold_subject_check",
        ),
        CheckConstraint(_ENDS, name="legal_hold_ends_check"),
        CheckConstraint(_REASON, name="legal_hold_reason_check"),
    )

    id: Mapped[int] = _id()
    subject: Mapped[str]
    """``unit:7``, ``person:3``, ``agency:2``, ``incident:4``."""
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    """Whose subject it is."""
    reason: Mapped[str]
    author: Mapped[str]
    starts_at: Mapped[datetime] = _now()
    ends_at: Mapped[datetime | None]


class LogOrphan(Base):
    """A row of the log that no mailbox holds any more, and that is to be deleted."""

    __tablename__ = "log_orphan"

    log_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
