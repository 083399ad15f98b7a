"""How long what is kept, and what is under a legal hold: the rules, read from the database.

Each agency has a period for tracks, messages, attachments, recordings, calls, incidents, lookouts
and audit; where it has said nothing, the settings' holds. Nothing is deleted before a whole day
(UTC) is past its period. What concerns the subject of a legal hold is not deleted while the hold is
in force, whatever the period (docs/domain.md, DOM-RET). ``psn.keeping.pruning`` deletes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from psn import database
from psn.settings import Settings

EVER: Final = None
"""The period of what is kept for ever."""
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""Before anything was kept."""
LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""After anything that will be."""


class Kind(StrEnum):
    """What has a period of its own."""

    TRACK = "track"
    MESSAGE = "message"
    ATTACHMENT = "attachment"
    RECORDING = "recording"
    """Of talk, as long as the agency of who talked says."""
    CALL = "call"
    """One that came to nothing; what became or joined an incident is kept with that."""
    INCIDENT = "incident"
    """One that is closed: its calls, log, assignments, links, and what is attached to it."""
    LOOKOUT = "lookout"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that everything is kept; :data:`EVER`: for ever."""

    otherwise: Mapping[Kind, int | None]
    """Where an agency has said nothing."""
    own: Mapping[tuple[int, Kind], int | None]
    """What agencies have said."""

    def days(self, agency: int | None, kind: Kind) -> int | None:
        """How long an agency's things are kept; without an agency: those of none."""
        if agency is None:
            return self.otherwise[kind]
        return self.own.get((agency, kind), self.otherwise[kind])

    def longest(self, kind: Kind) -> int | None:
        """The longest period of all."""
        every = [self.otherwise[kind], *(d for (_, k), d in self.own.items() if k is kind)]
        return EVER if EVER in every else max(days for days in every if days is not None)

    def cutoff(self, agency: int | None, kind: Kind, now: datetime) -> datetime:
        """Before this moment, the beginning of a UTC day, everything is past its period."""
        return cutoff(self.days(agency, kind), now)


def cutoff(days: int | None, now: datetime) -> datetime:
    """The beginning of the day that is so many days before ``now``; for ever: long ago."""
    if days is None:
        return EARLIEST
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return today - timedelta(days=days)


def defaults(settings: Settings) -> dict[Kind, int | None]:
    """The periods of the settings."""
    return {
        Kind.TRACK: settings.keep_track_days,
        Kind.MESSAGE: settings.keep_message_days,
        Kind.ATTACHMENT: settings.keep_attachment_days,
        Kind.RECORDING: settings.keep_recording_days,
        Kind.CALL: settings.keep_call_days,
        Kind.INCIDENT: settings.keep_incident_days,
        Kind.LOOKOUT: settings.keep_lookout_days,
        Kind.AUDIT: settings.keep_audit_days,
    }


async def periods(connection: database.Connection, otherwise: Mapping[Kind, int | None]) -> Periods:
    """The periods of now."""
    rows = await connection.fetch("SELECT agency_id, kind, days FROM retention")
    own = {(row["agency_id"], Kind(row["kind"])): row["days"] for row in rows}
    return Periods(otherwise, own)


# -- legal holds


@dataclass(frozen=True, slots=True)
class HeldUnit:
    """The track of a unit from one moment to another is under hold."""

    unit: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What the legal holds of a moment keep."""

    units: tuple[HeldUnit, ...] = ()
    mailboxes: Mapping[str, datetime] | None = None
    """By address: what was stored since then stays."""
    addresses: frozenset[str] = frozenset()
    """What these did, what is about them, and entries of the audit by or about them stay; an
    incident under hold, or linked with one, stands here as well."""
    agencies: frozenset[int] = frozenset()
    """What these agencies took part in, and entries of the audit that concern them, stay."""

    def mailbox(self, address: str) -> datetime:
        """What a mailbox got since then is under hold."""
        return (self.mailboxes or {}).get(address, LATEST)

    def entry(self, actor: str | None, what: str | None, agencies: Iterable[int | None]) -> bool:
        """Whether an entry of the audit is under hold."""
        return (
            actor in self.addresses
            or what in self.addresses
            or any(agency in self.agencies for agency in agencies)
        )


async def held(connection: database.Connection, now: datetime) -> Held:
    """What is under hold at a moment."""
    subjects = [row[0] for row in await connection.fetch(_SUBJECTS, now)]
    by_kind: dict[str, list[int]] = defaultdict(list)
    for subject in subjects:
        kind, _, number = subject.partition(":")
        by_kind[kind].append(int(number))
    found = await connection.fetch(_INCIDENTS, by_kind["incident"], by_kind["call"])
    incidents = [row[0] for row in found]
    units = await connection.fetch(
        _UNITS, by_kind["unit"], by_kind["agency"], incidents, EARLIEST, LATEST
    )
    boxes = await connection.fetch(
        _MAILBOXES,
        [subject for subject in subjects if subject.startswith(("unit:", "person:"))],
        by_kind["agency"],
        incidents,
        EARLIEST,
    )
    more = await connection.fetch(_OBJECTS, by_kind["unit"], incidents)
    return Held(
        tuple(HeldUnit(*row) for row in units),
        {row["address"]: row["since"] for row in boxes},
        frozenset(subjects) | {row[0] for row in more},
        frozenset(by_kind["agency"]),
    )


_SUBJECTS: Final = """
    SELECT DISTINCT subject FROM legal_hold
     WHERE starts_at <= $1 AND (ends_at IS NULL OR ends_at > $1)
"""
# A call holds what became of it.
_INCIDENTS: Final = """
    SELECT unnest($1::int[]) UNION
    SELECT incident_id FROM call WHERE id = ANY ($2::int[]) AND incident_id IS NOT NULL
"""
# An incident holds what its units did while it was worked on.
_UNITS: Final = """
    SELECT u.id, $4::timestamptz, $5::timestamptz FROM unit u
     WHERE u.id = ANY ($1::int[]) OR u.agency_id = ANY ($2::int[])
     UNION ALL
    SELECT m.unit_id, i.opened_at, coalesce(i.closed_at, $5)
      FROM incident_member m JOIN incident i ON i.id = m.incident_id
     WHERE m.unit_id IS NOT NULL AND i.id = ANY ($3::int[])
"""
_MAILBOXES: Final = """
    SELECT address, min(since) AS since
      FROM (SELECT unnest($1::text[]) AS address, $4::timestamptz AS since
             UNION ALL
            SELECT 'agency:' || a, $4 FROM unnest($2::int[]) AS a
             UNION ALL
            SELECT 'person:' || id, $4 FROM person WHERE agency_id = ANY ($2)
             UNION ALL
            SELECT 'unit:' || id, $4 FROM unit WHERE agency_id = ANY ($2)
             UNION ALL
            SELECT 'group:' || g.id, $4 FROM talkgroup g
             WHERE g.agency_id = ANY ($2)
                OR EXISTS (SELECT FROM group_member m
                            WHERE m.group_id = g.id AND m.agency_id = ANY ($2))
             UNION ALL
            SELECT coalesce('unit:' || m.unit_id, 'agency:' || m.agency_id), i.opened_at
              FROM incident_member m JOIN incident i ON i.id = m.incident_id
             WHERE i.id = ANY ($3::int[])) AS held
     GROUP BY address
"""
# What the audit calls things that belong to the subject.
_OBJECTS: Final = """
    SELECT 'device:' || id FROM device WHERE unit_id = ANY ($1::int[])
     UNION ALL
    SELECT 'incident_member:' || id FROM incident_member WHERE incident_id = ANY ($2::int[])
     UNION ALL
    SELECT 'incident:' || unnest($2::int[])
     UNION ALL
    SELECT 'incident:' || unnest(ARRAY[incident_id, other_id]) FROM incident_link
     WHERE incident_id = ANY ($2) OR other_id = ANY ($2)
"""
