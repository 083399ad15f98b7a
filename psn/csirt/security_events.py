"""Which entries of the audit a national CSIRT is told of, as what, and how urgently.

Pure, and one table: :data:`RULES`. Outlets (``psn.csirt.outlets``) hand on what :func:`event_of`
makes of an entry. Severities are those of RFC 5424 §6.2.1. Texts in an event may be what a stranger
typed; whoever writes it out in some form must escape them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Final

from psn.trail.audit import NOBODY


class Severity(IntEnum):
    """How urgent an event is (RFC 5424 table 2)."""

    ALERT = 1
    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One entry of the audit that is a security event."""

    seq: int
    """The number of the entry: each event has its own, and later ones have higher."""
    at: int
    """Milliseconds UTC."""
    kind: str
    """A stable word in capitals, at most 32 letters: the MSGID of syslog."""
    severity: Severity
    sentence: str
    """What happened; :attr:`text` says also who did it, to what and from where."""
    action: str
    actor: str
    actor_name: str | None = None
    agency: int | None = None
    """The actor's."""
    source: str | None = None
    session: str | None = None
    object: str | None = None
    owner: int | None = None
    """The agency whose object that is."""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of it in one sentence."""
        said = [self.sentence]
        if self.object is not None:
            said.append(f"({self.object})")
        if self.actor not in ("", NOBODY):
            said.append(f"by {self.actor}" + (f" ({self.actor_name})" if self.actor_name else ""))
        if self.source is not None:
            said.append(f"from {self.source}")
        return " ".join(said) + "."

    def concerns(self, agency: int) -> bool:
        """Whether that agency's people did it, or it was done to its objects."""
        return agency in (self.agency, self.owner)

    def seen_by(self, agency: int) -> SecurityEvent:
        """As that agency may know it: from where others work is their own affair (DOM-AUD-7)."""
        if self.agency in (None, agency):
            return self
        return replace(self, source=None, session=None)


@dataclass(frozen=True, slots=True)
class Rule:
    """What entries of one action are told as."""

    kind: str
    severity: Severity
    sentence: str
    """What happened; who did it, to what and from where is added."""
    when: Callable[[Mapping[str, Any]], bool] = lambda entry: True
    """Entries of which this is not true are no security events by this rule."""


def _must_wait(entry: Mapping[str, Any]) -> bool:
    return bool(entry["details"].get("wait"))


def _only_the_code(entry: Mapping[str, Any]) -> bool:
    """Whether who failed knew the password: it may have been stolen."""
    return bool(entry["details"].get("code_alone"))


def _secrets(entry: Mapping[str, Any]) -> bool:
    return bool(entry["details"].get("secrets"))


def _another_session(entry: Mapping[str, Any]) -> bool:
    """Whether a session was ended by another than itself; then somebody was thrown out."""
    return str(entry.get("object")) != f"session:{entry.get('session')}"


def _roles(entry: Mapping[str, Any]) -> bool:
    return "roles" in _part(entry, "new")


def _password(entry: Mapping[str, Any]) -> bool:
    secrets = entry["details"].get("secrets")
    return isinstance(secrets, list) and "password_hash" in secrets


def _virus(entry: Mapping[str, Any]) -> bool:
    return bool(entry["details"].get("code") == "virus")


def _alone(entry: Mapping[str, Any]) -> bool:
    return "alone" in _part(entry, "new") and _part(entry, "new")["alone"] is not None


def _part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = entry["details"].get(name)
    return part if isinstance(part, dict) else {}


_POLICY: Final = {
    "agreement": "What agencies share",
    "exception": "How a unit is shown",
    "glass": "Sight in an emergency",
    "incident_member": "Who takes part in an incident",
    "group": "A group",
    "group_member": "Who is in a group",
    "retention": "How long data is kept",
    "hold": "What must not be deleted",
    "webhook": "Where security events are sent",
    "provider": "An agency's own sign-in",
    "warning_policy": "Who has to approve warnings",
}
"""Tables of the audit whose every change is one of policy."""

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "sign_in.failed": (
        Rule("LOCK_OUT", Severity.WARNING, "Sign-ins failed so often that they wait", _must_wait),
        Rule(
            "SECOND_FACTOR_FAILED",
            Severity.WARNING,
            "The password was right, the second factor was not",
            _only_the_code,
        ),
        Rule("SIGN_IN_FAILED", Severity.NOTICE, "A sign-in failed"),
    ),
    "proof.failed": (
        Rule("LOCK_OUT", Severity.WARNING, "Proofs failed so often that they wait", _must_wait),
        Rule("PROOF_FAILED", Severity.NOTICE, "Somebody at a session failed to prove who he is"),
    ),
    "enrolment.failed": (Rule("ENROLMENT_FAILED", Severity.NOTICE, "A wrong code was tried"),),
    "glass.added": (Rule("BREAK_GLASS", Severity.WARNING, "Sight was taken in an emergency"),),
    "person.disabled": (Rule("PERSON_DISABLED", Severity.NOTICE, "A person was disabled"),),
    "person.enabled": (Rule("PERSON_ENABLED", Severity.NOTICE, "A person was enabled again"),),
    "person.added": (Rule("ROLES_CHANGED", Severity.NOTICE, "A person was added"),),
    "person.removed": (Rule("PERSON_REMOVED", Severity.WARNING, "A person was removed"),),
    "person.changed": (
        Rule("ROLES_CHANGED", Severity.NOTICE, "A person's roles were changed", _roles),
        Rule("CREDENTIALS_CHANGED", Severity.NOTICE, "A password was changed", _password),
    ),
    "second_factor.added": (
        Rule("CREDENTIALS_CHANGED", Severity.NOTICE, "A second factor was added"),
    ),
    "second_factor.removed": (
        Rule("CREDENTIALS_CHANGED", Severity.NOTICE, "A second factor was removed"),
    ),
    "second_factor.changed": (
        Rule("CREDENTIALS_CHANGED", Severity.WARNING, "A second factor was replaced", _secrets),
    ),
    "identity.added": (
        Rule("CREDENTIALS_CHANGED", Severity.NOTICE, "A person was linked with his provider"),
    ),
    "identity.removed": (
        Rule("CREDENTIALS_CHANGED", Severity.NOTICE, "A person was unlinked from his provider"),
    ),
    "identity.changed": (
        Rule("CREDENTIALS_CHANGED", Severity.WARNING, "A person was linked otherwise, by hand"),
    ),
    "provider.retired": (
        Rule("POLICY_CHANGED", Severity.NOTICE, "An agency's own sign-in was removed"),
    ),
    "provider.reinstated": (
        Rule("POLICY_CHANGED", Severity.WARNING, "An agency's own sign-in was put back, by hand"),
    ),
    "recovery_code.used": (
        Rule("RECOVERY_CODE_USED", Severity.WARNING, "A recovery code was used"),
    ),
    "device.revoked": (Rule("DEVICE_REVOKED", Severity.NOTICE, "A device was revoked"),),
    "device.restored": (Rule("DEVICE_RESTORED", Severity.WARNING, "A device was restored"),),
    "device.wipe_ordered": (Rule("DEVICE_WIPE", Severity.WARNING, "A device is to be erased"),),
    "device.wiped": (Rule("DEVICE_WIPED", Severity.NOTICE, "A device has erased itself"),),
    "session.ended": (
        Rule(
            "SESSION_REVOKED", Severity.NOTICE, "A session was ended by another", _another_session
        ),
    ),
    "session.added": (
        Rule("SESSION_FORGED", Severity.CRITICAL, "A session was put in that nobody signed in for"),
    ),
    "webhook.disabled": (
        Rule("POLICY_CHANGED", Severity.ERROR, "A receiver of security events was given up"),
    ),
    "attachment.refused": (
        Rule("MALWARE_FOUND", Severity.WARNING, "A virus was found in an attachment", _virus),
    ),
    "connection.cut": (
        Rule("FRAME_FLOOD", Severity.WARNING, "Connections were cut: malformed frames or a flood"),
    ),
    "person.exported": (Rule("DATA_EXPORTED", Severity.NOTICE, "A person's data was exported"),),
    "incident.exported": (Rule("DATA_EXPORTED", Severity.NOTICE, "An incident was exported"),),
    "audit.exported": (Rule("DATA_EXPORTED", Severity.NOTICE, "The audit was exported"),),
    "warning_message.changed": (
        Rule("APPROVED_ALONE", Severity.WARNING, "One person approved his own warning", _alone),
    ),
    "audit.lost": (Rule("AUDIT_LOST", Severity.ERROR, "Entries of the audit found no room"),),
    "audit.unguarded": (
        Rule(
            "AUDIT_UNGUARDED",
            Severity.ALERT,
            "Guards of audit or ended work are off or gone",
        ),
    ),
    "audit.guarded": (Rule("AUDIT_GUARDED", Severity.NOTICE, "Guards of the audit are back"),),
    "audit.verify_failed": (
        Rule("AUDIT_TAMPERED", Severity.ALERT, "The audit or the record is not as it was written"),
    ),
    "audit.pruned": (
        Rule("DATA_PRUNED", Severity.NOTICE, "The oldest entries of the audit were deleted"),
    ),
}
"""Rules by action, the first that fits; beside them stand those for :data:`_POLICY`."""

_EMPTIED: Final = Rule("TABLE_EMPTIED", Severity.CRITICAL, "All of a watched table was deleted")
WORDS: Final = (
    "added",
    "changed",
    "removed",
    "ended",
    "enabled",
    "closed",
    "reopened",
    "reviewed",
    "unreviewed",
)
"""What becomes of rows of policy."""
EMPTIED: Final = (
    "agency",
    "person",
    "unit",
    "device",
    "enrolment",
    "fence",
    "place",
    "place_note",
    "incident_type",
    "station",
    "unit_profile",
    "shift",
    "fence_rule",
    "session",
    "incident",
    "second_factor",
    "recovery_code",
    "identity",
    "radio_network",
    "radio_network_agency",
    "radio_gateway",
    "radio_talkgroup",
    "radio",
    "warning_message",
    "warning_recipient",
    *_POLICY,
)


def actions() -> list[str]:
    """Every action that may be a security event."""
    policy = [f"{table}.{word}" for table in _POLICY for word in WORDS]
    return sorted({*RULES, *policy, *(f"{table}.emptied" for table in EMPTIED)})


def event_of(seq: int, body: str) -> SecurityEvent | None:
    """The security event that an entry of the audit is; none: it is not one.

    ``body`` is the entry's JSON. Of one that cannot be read an event is made all the same.
    """
    try:
        entry = _read(json.loads(body))
    except (ValueError, TypeError, KeyError, RecursionError):
        text = f"Entry {seq} of the audit cannot be read"
        return SecurityEvent(seq, 0, "AUDIT_TAMPERED", Severity.ALERT, text, "", "")
    rule = next((rule for rule in _rules(entry["action"]) if rule.when(entry)), None)
    if rule is None:
        return None
    return SecurityEvent(
        seq, kind=rule.kind, severity=rule.severity, sentence=rule.sentence, **entry
    )


def _rules(action: str) -> tuple[Rule, ...]:
    found = RULES.get(action)
    if found is not None:
        return found
    table, _, word = action.partition(".")
    if word == "emptied" and table in EMPTIED:
        return (_EMPTIED,)
    if table in _POLICY and word in WORDS:
        sentence = f"{_POLICY[table]}: {word}"
        return (Rule("POLICY_CHANGED", Severity.NOTICE, sentence),)
    return ()


def _read(said: Any) -> dict[str, Any]:
    """What an entry says, each part of the type that an event has; raises when it cannot be."""
    if not isinstance(said, dict):
        raise TypeError("an entry is an object")
    details = said.get("details")
    return {
        "at": int(said["at"]),
        "action": str(said["action"]),
        "actor": str(said["actor"]),
        "details": details if isinstance(details, dict) else {},
        **{name: _optional(str, said.get(name)) for name in _TEXTS},
        **{name: _optional(int, said.get(name)) for name in ("agency", "owner")},
    }


_TEXTS: Final = ("actor_name", "source", "session", "object")


def _optional(kind: type[Any], value: Any) -> Any:
    return None if value is None else kind(value)
