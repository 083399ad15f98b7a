"""What each role may do, as one table. Pure data; ``psn.access`` is who asks it.

A right is an action on a kind of object within a reach: the agency's own objects, those that are
shared with it too, or everyone's. What does not stand here is not allowed to anyone. A person may
have several roles and has the widest reach of any. The same table stands in docs/access.md for
people to read, and a test compares the two.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final


class Reach(enum.IntEnum):
    """How far a right goes."""

    NONE = 0
    OWN = 1
    """Objects of the own agency, and joint ones that it takes part in."""
    SHARED = 2
    """Also what other agencies share with it: by agreement, incident, exception, break-glass."""
    ALL = 3


ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "unit": ("see", "manage", "conceal"),
    "track": ("see",),
    "message": ("read", "write"),
    "attachment": ("see", "add"),
    "incident": ("see", "open", "work", "close", "export"),
    "call": ("see", "take"),
    "group": ("see", "talk", "monitor", "patch", "manage"),
    "place": ("see", "manage"),
    "layer": ("see", "draw"),
    "warning": ("see", "draft", "approve", "send", "cancel"),
    "recording": ("listen",),
    "radio": ("see", "manage"),
    "person": ("see", "manage"),
    "device": ("see", "manage"),
    "agreement": ("see", "agree"),
    "glass": ("break", "review"),
    "session": ("see", "end"),
    "audit": ("see", "export"),
    "retention": ("see", "set"),
    "numbers": ("see",),
}
"""Every kind of object, and what can be done to it.

``conceal`` makes exceptions for a unit (undercover); ``agree`` lets other agencies in; ``glass`` is
break-glass: seeing another agency's open units at once, for a reason, loudly. Who may ``monitor``
hears groups to which he does not belong; who may ``patch`` joins two in which he talks.
"""

_WORDS: Final = {"own": Reach.OWN, "shared": Reach.SHARED, "all": Reach.ALL}


def _rights(**of: str) -> dict[tuple[str, str], Reach]:
    """``unit="see:shared manage:own"`` as the table keeps it."""
    rights = {}
    for kind, line in of.items():
        for right in line.split():
            action, _, reach = right.partition(":")
            if action not in ACTIONS[kind]:
                raise ValueError(f"{kind} knows no {action}")
            rights[kind, action] = _WORDS[reach]
    return rights


_CREW: Final = _rights(
    unit="see:shared",
    message="read:own write:shared",
    attachment="see:own add:own",
    incident="see:shared work:shared",
    group="see:own talk:own",
    place="see:own",
    layer="see:own",
    warning="see:all",
)
_DISPATCHER: Final = _CREW | _rights(
    track="see:shared",
    incident="see:shared open:own work:shared close:own",
    call="see:own take:own",
    radio="see:own",
    group="see:own talk:own monitor:own patch:own",
    layer="see:own draw:own",
    person="see:own",
    agreement="see:own",
    glass="break:all",
)
RIGHTS: Final[Mapping[str, Mapping[tuple[str, str], Reach]]] = {
    "field": _CREW,
    "dispatcher": _DISPATCHER,
    "supervisor": _DISPATCHER
    | _rights(
        unit="see:shared manage:own conceal:own",
        incident="see:shared open:own work:shared close:own export:own",
        group="see:own talk:own monitor:own patch:own manage:own",
        place="see:own manage:own",
        recording="listen:own",
        device="see:own",
        glass="break:all review:own",
        session="see:own",
        numbers="see:own",
    ),
    "commander": _DISPATCHER
    | _rights(
        incident="see:shared open:own work:shared close:shared export:own",
        layer="see:own draw:all",
        recording="listen:own",
        glass="break:all review:own",
        numbers="see:own",
    ),
    "warning_officer": _CREW
    | _rights(layer="see:own draw:own", warning="see:all draft:own send:own"),
    "warning_approver": _CREW
    | _rights(warning="see:all draft:own approve:own send:own cancel:own"),
    "administrator": _rights(
        unit="manage:own conceal:own",
        message="read:own write:shared",
        group="see:own manage:own",
        place="see:own manage:own",
        warning="see:all",
        radio="see:own manage:own",
        person="see:own manage:own",
        device="see:own manage:own",
        agreement="see:own agree:own",
        glass="review:own",
        session="see:own end:own",
        audit="see:own",
        retention="see:own set:own",
        numbers="see:own",
    ),
    "auditor": _rights(
        message="read:own write:shared",
        warning="see:all",
        recording="listen:own",
        radio="see:own",
        person="see:own",
        device="see:own",
        agreement="see:own",
        glass="review:own",
        session="see:own",
        audit="see:own export:own",
        retention="see:own",
        numbers="see:own",
    ),
    "gateway": {},
}
"""By role. A gateway reports what others are, and may do nothing of its own."""

FLOOR_PRIORITY: Final[Mapping[str, int]] = {
    "commander": 3,
    "supervisor": 2,
    "dispatcher": 1,
}
"""Who of those that wait for the floor of a voice group is first; all others: 0."""
PEOPLES: Final = tuple(role for role in RIGHTS if role != "gateway")
"""Roles that a person can be given."""


def reach(roles: Iterable[str], kind: str, action: str) -> Reach:
    """How far the roles may do ``action`` to a kind of object; a role that is unknown gives none.

    Raises ``KeyError`` or ``ValueError`` for an object or action that does not exist.
    """
    if action not in ACTIONS[kind]:
        raise ValueError(f"{kind} knows no {action}")
    return max(
        (RIGHTS.get(role, {}).get((kind, action), Reach.NONE) for role in roles),
        default=Reach.NONE,
    )
