"""The Common Alerting Protocol: bytes to values and back, and every rule of it, with no I/O.

OASIS CAP 1.2 is read, written and signed; 1.1 is read. :func:`read` takes any bytes and never
raises: what it could understand comes back as an :class:`Alert`, with everything that is wrong
with it as a :class:`Finding`, each with the path of its element. :func:`check` asks the same of an
alert that is still a value.

Values are as the standard has them, latitude first; times carry their offset. ``docs/warnings.md``
has every code.
"""

from dispatch.alerting.cap.building import build, check, moment
from dispatch.alerting.cap.documents import MAX_BYTES
from dispatch.alerting.cap.findings import CapRefused, Finding, Findings, Weight
from dispatch.alerting.cap.lexical import LEAST_POINTS
from dispatch.alerting.cap.reading import Reading, parse, read
from dispatch.alerting.cap.signing import (
    Seal,
    Verdict,
    Verified,
    certificate_in,
    sign,
    verify,
)
from dispatch.alerting.cap.values import (
    Alert,
    Area,
    Category,
    Certainty,
    Circle,
    Info,
    MessageType,
    Named,
    Point,
    Polygon,
    Reference,
    Resource,
    Response,
    Scope,
    Severity,
    Status,
    Urgency,
    Version,
)

__all__ = [
    "LEAST_POINTS",
    "MAX_BYTES",
    "Alert",
    "Area",
    "CapRefused",
    "Category",
    "Certainty",
    "Circle",
    "Finding",
    "Findings",
    "Info",
    "MessageType",
    "Named",
    "Point",
    "Polygon",
    "Reading",
    "Reference",
    "Resource",
    "Response",
    "Scope",
    "Seal",
    "Severity",
    "Status",
    "Urgency",
    "Verdict",
    "Verified",
    "Version",
    "Weight",
    "build",
    "certificate_in",
    "check",
    "moment",
    "parse",
    "read",
    "sign",
    "verify",
]
