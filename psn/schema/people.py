"""Agencies, their people, and how these prove who they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from psn.schema.base import Base, flag, now, number


class Agency(Base):
    """An organisation on the network. An agency is data, not code."""

    __tablename__ = "agency"
    __table_args__ = (CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name="agency_colour_check"),)

    id: Mapped[int] = number()
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

    id: Mapped[int] = number()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str] = mapped_column(unique=True)
    """The name to sign in with, lower case."""
    full_name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    password_hash: Mapped[str | None]
    """Argon2id, encoded; null: no sign-in by password."""
    password_until: Mapped[datetime | None]
    """Somebody else made it: good until then, and only to choose another; null: his own."""
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = now()


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
    created_at: Mapped[datetime] = now()
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """Set when it was ended before its time."""
    active_at: Mapped[datetime] = now()
    """When its person last did something, to the minute."""
    source: Mapped[str | None]
    """The address from which it was begun."""
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("identity_provider.id"), index=True)
    """The identity provider that said who its person is; null: no provider did."""
    multi_factor: Mapped[bool] = flag()
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

    id: Mapped[int] = number()
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
    created_at: Mapped[datetime] = now()
    retired_at: Mapped[datetime | None]


class LinkedIdentity(Base):
    """Who a person is at his agency's provider. Somebody linked the two; nothing else does."""

    __tablename__ = "linked_identity"
    __table_args__ = (
        CheckConstraint("length(subject) between 1 and 255", name="linked_identity_subject_check"),
        UniqueConstraint("provider_id", "subject"),
        UniqueConstraint("provider_id", "person_id"),
    )

    id: Mapped[int] = number()
    provider_id: Mapped[int] = mapped_column(ForeignKey("identity_provider.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    subject: Mapped[str]
    """What the provider's claim says of him."""
    created_at: Mapped[datetime] = now()


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

    id: Mapped[int] = number()
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
    created_at: Mapped[datetime] = now()
    last_used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of a person's codes for a lost second factor."""

    __tablename__ = "recovery_code"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    """Salt and Argon2id hash; all of one set share the salt."""
    used_at: Mapped[datetime | None]
