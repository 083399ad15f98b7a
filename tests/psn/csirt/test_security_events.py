"""Which entries of the audit are security events (docs/domain.md, DOM-SEC-1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import watched
from psn.csirt.security_events import EMPTIED, RULES, SecurityEvent, Severity, actions, event_of
from psn.trail.audit import Actor, Entry

WHO = Actor("person:3", "Ana", 1, "192.0.2.7", "0badcafe")


def event(action: str, what: str | None = None, **details: Any) -> SecurityEvent | None:
    return event_of(9, Entry(WHO, action, what, 2, details, at=1_234).json())


@pytest.mark.parametrize(
    ("action", "details", "kind", "severity"),
    [
        ("sign_in.failed", {"why": "wrong_credentials"}, "SIGN_IN_FAILED", Severity.NOTICE),
        ("sign_in.failed", {"why": "wrong_credentials", "wait": 4}, "LOCK_OUT", Severity.WARNING),
        ("proof.failed", {"why": "wrong_credentials"}, "PROOF_FAILED", Severity.NOTICE),
        ("proof.failed", {"why": "wrong_credentials", "wait": 1}, "LOCK_OUT", Severity.WARNING),
        ("sign_in.failed", {"code_alone": True}, "SECOND_FACTOR_FAILED", Severity.WARNING),
        ("sign_in.failed", {"code_alone": True, "wait": 2}, "LOCK_OUT", Severity.WARNING),
        ("second_factor.added", {}, "CREDENTIALS_CHANGED", Severity.NOTICE),
        ("second_factor.removed", {}, "CREDENTIALS_CHANGED", Severity.NOTICE),
        (
            "second_factor.changed",
            {"secrets": ["public_key"]},
            "CREDENTIALS_CHANGED",
            Severity.WARNING,
        ),
        ("recovery_code.used", {}, "RECOVERY_CODE_USED", Severity.WARNING),
        ("enrolment.failed", {}, "ENROLMENT_FAILED", Severity.NOTICE),
        ("glass.added", {}, "BREAK_GLASS", Severity.WARNING),
        ("glass.reviewed", {}, "POLICY_CHANGED", Severity.NOTICE),
        ("person.disabled", {}, "PERSON_DISABLED", Severity.NOTICE),
        ("person.changed", {"new": {"roles": ["auditor"]}}, "ROLES_CHANGED", Severity.NOTICE),
        ("person.changed", {"secrets": ["password_hash"]}, "CREDENTIALS_CHANGED", Severity.NOTICE),
        ("device.revoked", {}, "DEVICE_REVOKED", Severity.NOTICE),
        ("device.wipe_ordered", {}, "DEVICE_WIPE", Severity.WARNING),
        ("session.ended", {}, "SESSION_REVOKED", Severity.NOTICE),
        ("session.added", {}, "SESSION_FORGED", Severity.CRITICAL),
        ("agreement.added", {}, "POLICY_CHANGED", Severity.NOTICE),
        ("exception.ended", {}, "POLICY_CHANGED", Severity.NOTICE),
        ("group_member.removed", {}, "POLICY_CHANGED", Severity.NOTICE),
        ("attachment.refused", {"code": "virus"}, "MALWARE_FOUND", Severity.WARNING),
        ("connection.cut", {"cuts": 3}, "FRAME_FLOOD", Severity.WARNING),
        ("audit.unguarded", {}, "AUDIT_UNGUARDED", Severity.ALERT),
        ("audit.verify_failed", {}, "AUDIT_TAMPERED", Severity.ALERT),
        ("person.emptied", {}, "TABLE_EMPTIED", Severity.CRITICAL),
    ],
)
def test_what_is_told_as_what(
    action: str, details: dict[str, Any], kind: str, severity: Severity
) -> None:
    """DOM-SEC-1."""
    found = event(action, "object:1", **details)
    assert found is not None
    assert (found.kind, found.severity, found.action) == (kind, severity, action)
    assert (found.seq, found.at, found.source, found.owner) == (9, 1_234, "192.0.2.7", 2)
    assert action in actions()


@pytest.mark.parametrize(
    ("action", "what", "details"),
    [
        ("session.started", "session:1", {}),
        ("session.ended", "session:0badcafe", {}),  # he signed out himself
        ("track.read", "unit:7", {}),
        ("person.changed", "person:3", {"new": {"full_name": "Ana C."}}),
        ("second_factor.changed", "second_factor:1", {"new": {"label": "my phone"}}),
        ("recovery_code.added", None, {}),
        ("unit.added", "unit:7", {}),
        ("fence.changed", "fence:1", {}),
        ("attachment.refused", "attachment:1", {"code": "unreadable"}),
        ("made.up", None, {}),
        ("agreement.eaten", "agreement:1", {}),
    ],
)
def test_daily_work_is_not_told(action: str, what: str | None, details: dict[str, Any]) -> None:
    assert event(action, what, **details) is None


def test_the_sentence_names_who_what_and_from_where() -> None:
    found = event("device.revoked", "device:5")
    assert found is not None
    assert found.text == "A device was revoked (device:5) by person:3 (Ana) from 192.0.2.7."


def test_an_agency_learns_of_its_own_and_not_from_where_others_work() -> None:
    """DOM-SEC-3, DOM-AUD-7."""
    found = event("device.revoked", "device:5")
    assert found is not None
    assert (found.concerns(1), found.concerns(2), found.concerns(3)) == (True, True, False)
    assert found.seen_by(1) == found
    assert (found.seen_by(2).source, found.seen_by(2).session) == (None, None)
    assert found.seen_by(2).text == "A device was revoked (device:5) by person:3 (Ana)."


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_an_entry_that_cannot_be_read_is_an_alarm(body: str) -> None:
    found = event_of(3, body)
    assert found is not None and found.kind == "AUDIT_TAMPERED"


@given(st.sampled_from(actions()), st.dictionaries(st.text(), st.text() | st.none()))
def test_no_details_break_the_table(action: str, details: dict[str, Any]) -> None:
    found = event(action, "session:1", **{"new": details, "wait": details})
    assert found is None or len(found.kind) <= 32


def test_every_watched_table_that_is_emptied_is_told() -> None:
    words = {"talkgroup": "group", "unit_exception": "exception", "broken_glass": "glass"}
    words |= {"legal_hold": "hold", "identity_provider": "provider", "linked_identity": "identity"}
    assert {words.get(table, table) for table in watched.AUDITED_TABLES} <= set(EMPTIED)


def test_kinds_fit_the_message_id_of_syslog() -> None:
    for rules in RULES.values():
        for rule in rules:
            assert rule.kind.replace("_", "").isupper() and len(rule.kind) <= 32
