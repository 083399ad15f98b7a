"""Warnings as items of topics."""

from __future__ import annotations

from msgspec import Struct


class Words(Struct, frozen=True):
    """The words in one language; what is not Actual says so first."""

    language: str
    event: str
    headline: str
    description: str
    instruction: str


class Circle(Struct, frozen=True):
    """A circle: degrees x 10^7, and metres."""

    lon: int
    lat: int
    radius: int


class WarningItem(Struct, tag_field="is", tag="warning", frozen=True, kw_only=True):
    """An alert that is in force, or has just ended; ``id`` is that of its message.

    Times are milliseconds UTC, polygons lists of longitude and latitude, degrees x 10^7.
    """

    id: int
    warning: int
    agency: int
    identifier: str
    """Of CAP."""
    kind: str
    """``Alert`` or ``Update``."""
    status: str
    """``Actual``, ``Exercise``, ``Test``."""
    state: str
    """``in_force``, ``cancelled``, ``expired``."""
    event: str
    urgency: str
    severity: str
    certainty: str
    sender: str
    note: str
    texts: list[Words]
    """Of one that was cancelled, what its Cancel says."""
    area: str
    polygons: list[list[tuple[int, int]]]
    circles: list[Circle]
    sent: int
    onset: int | None
    ends: int
    """When it is over by itself."""
    ended: int | None
    """Since when it is over."""
    why: str
    """Why it was cancelled, in its sender's words."""
    loud: bool
    """It is heard though the device is muted, until it is confirmed (``warning.confirm``)."""


class DeskItem(Struct, tag_field="is", tag="warning_message", frozen=True, kw_only=True):
    """A message as those who warn see it, from draft to sent; times in milliseconds UTC."""

    id: int
    warning: int
    agency: int
    kind: str
    status: str
    stage: str
    called: str
    """What it is about, in its own words."""
    digest: str
    authors: list[int]
    approved_by: int | None
    alone: str | None
    """Why one person approved his own words."""
    held: str | None
    """Why the clock did not send it."""
    send_at: int | None
    sent: int | None
    changed: int
    shown: int
    """Sessions to which it was handed."""
    confirmed_sessions: int
    confirmed_units: int
    confirmed_people: int
