"""What the database tells of by itself, and what its triggers watch over: by name.

The tables are described in ``psn.schema``; a server needs these names, and none of the models.
"""

from __future__ import annotations

from typing import Final

DIRECTORY_CHANNEL: Final = "psn_directory"
"""NOTIFY channel: who-is-who changed; the payload is the table."""
SESSIONS_CHANNEL: Final = "psn_sessions"
"""NOTIFY channel: a session was ended; the payload is the table."""
BOARD_CHANNEL: Final = "psn_board"
"""NOTIFY channel: something of dispatch changed otherwise than by an action of the server."""
FLOORS_CHANNEL: Final = "psn_floors"
"""NOTIFY channel: mailboxes have new floors, since old messages were deleted."""
DIRECTORY_TABLES: Final = (
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
    "radio_network",
    "radio_network_agency",
    "radio_gateway",
    "radio_talkgroup",
    "radio",
)
"""Tables whose every change is told on :data:`DIRECTORY_CHANNEL`."""
AUDITED_TABLES: Final = (
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
    "incident_type",
    "station",
    "unit_profile",
    "fence_rule",
    "shift",
    "place",
    "place_note",
    "warning_message",
    "warning_policy",
    "warning_recipient",
)
"""Tables whose every change is in the audit, whoever makes it and however."""
DOORS: Final = {
    "incident": ("incident_goes", "incident_not_emptied"),
    "incident_event": ("incident_event_goes", "incident_event_stays", "incident_event_not_emptied"),
    "assignment": ("assignment_goes", "assignment_times", "assignment_not_emptied"),
    "call": ("call_goes", "call_of_incident_goes", "call_not_emptied"),
    "lookout": ("lookout_goes", "lookout_not_emptied"),
    "recording": ("recording_goes", "recording_grows", "recording_not_emptied"),
    "recording_part": (
        "recording_part_goes",
        "recording_part_in_time",
        "recording_part_stays",
        "recording_part_not_emptied",
    ),
    "warning_message": ("warning_message_stays", "warning_message_not_emptied"),
    "unit_status_log": ("unit_status_log_stays", "unit_status_log_not_emptied"),
}
"""Triggers that keep work from being changed or deleted by hand, by the tables that they are on."""
