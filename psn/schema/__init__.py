"""The tables: one typed model per table, and what each column means.

Times are ``timestamptz`` (UTC). Places are WGS 84 longitude and latitude in degrees (EPSG:4326).
The models describe what the migrations under ``migrations/`` build; a test compares the two.
Ordinary reads and writes go through these models; the hot paths (positions, the log) speak SQL
through asyncpg, next to what they serve.
"""

from psn.schema.base import (
    AUDITED_TABLES,
    DIRECTORY_CHANNEL,
    DIRECTORY_TABLES,
    FLOORS_CHANNEL,
    SESSIONS_CHANNEL,
    Base,
    Termed,
    connect_engine,
)
from psn.schema.people import (
    Agency,
    IdentityProvider,
    LinkedIdentity,
    Person,
    RecoveryCode,
    SecondFactor,
    Session,
)
from psn.schema.positions import (
    FLAG_IMPLAUSIBLE,
    FLAG_LATE,
    FLAG_SHOWN,
    FenceEvent,
    LatestPosition,
    Track,
)
from psn.schema.record import Delivery, Log, LogOrphan, Mailbox, MailboxEntry, Receipt
from psn.schema.sharing import Agreement, BrokenGlass, Incident, IncidentMember, UnitException
from psn.schema.trail import (
    Audit,
    AuditCheckpoint,
    AuditPending,
    LegalHold,
    Outlet,
    Retention,
    Webhook,
)
from psn.schema.units import Device, Enrolment, Fence, GroupMember, Talkgroup, Unit

__all__ = [
    "AUDITED_TABLES",
    "DIRECTORY_CHANNEL",
    "DIRECTORY_TABLES",
    "FLAG_IMPLAUSIBLE",
    "FLAG_LATE",
    "FLAG_SHOWN",
    "FLOORS_CHANNEL",
    "SESSIONS_CHANNEL",
    "Agency",
    "Agreement",
    "Audit",
    "AuditCheckpoint",
    "AuditPending",
    "Base",
    "BrokenGlass",
    "Delivery",
    "Device",
    "Enrolment",
    "Fence",
    "FenceEvent",
    "GroupMember",
    "IdentityProvider",
    "Incident",
    "IncidentMember",
    "LatestPosition",
    "LegalHold",
    "LinkedIdentity",
    "Log",
    "LogOrphan",
    "Mailbox",
    "MailboxEntry",
    "Outlet",
    "Person",
    "Receipt",
    "RecoveryCode",
    "Retention",
    "SecondFactor",
    "Session",
    "Talkgroup",
    "Termed",
    "Track",
    "Unit",
    "UnitException",
    "Webhook",
    "connect_engine",
]
