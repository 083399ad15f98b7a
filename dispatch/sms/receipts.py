"""Delivery receipts: by their fields or, as most centres send them, by their text. Pure.

SMPP 3.4, 5.2.12 and appendix B.
"""

from __future__ import annotations

import re
from typing import Final

import smpp34

from dispatch.outcomes import State

RECEIPT: Final = 0x04
_RECEIPT_MASK: Final = 0x3C
_RECEIPTED_ID: Final = 0x001E
_MESSAGE_STATE: Final = 0x0427
"""Tags of fields (SMPP 3.4, 5.3.2)."""
_ID: Final = re.compile(rb"\bid:(\S+)")
_STAT: Final = re.compile(rb"\bstat:([A-Z]+)", re.IGNORECASE)
_BY_FIELD: Final = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD",
                    7: "UNKNOWN", 8: "REJECTD"}  # fmt: skip
"""``message_state`` (SMPP 3.4, 5.2.28)."""
_STATES: Final = {
    "DELIVRD": State.DELIVERED,
    "ACCEPTD": State.DELIVERED,
    "EXPIRED": State.FAILED,
    "DELETED": State.FAILED,
    "UNDELIV": State.FAILED,
    "REJECTD": State.FAILED,
}
Receipt = tuple[str, State, str]
"""The centre's number of a message, what became of it, and in words why."""


def receipt_of(event: smpp34.DeliverSmEvent) -> Receipt | None:
    """What a receipt says; None for what is none, or says nothing final."""
    if event.esm_class & _RECEIPT_MASK != RECEIPT:
        return None
    fields = {each.tag: each for each in event.tlvs}
    number = fields.get(_RECEIPTED_ID)
    name = None if number is None else number.value.rstrip(b"\0").decode("latin-1")
    if name is None:
        found = _ID.search(event.short_message)
        name = None if found is None else found[1].decode("latin-1")
    state = fields.get(_MESSAGE_STATE)
    word = None if state is None else _BY_FIELD.get(state.as_int() or 0)
    if word is None:
        said = _STAT.search(event.short_message)
        word = None if said is None else said[1].decode("ascii").upper()
    became = _STATES.get(word or "")
    if not name or became is None:
        return None
    return name, became, "" if became is State.DELIVERED else f"The centre says {word}."
