"""Administration over HTTP: people, devices, units, groups, radio, sharing, sessions and keeping.

Every right is asked of ``psn.access``. Everything is limited to the caller's agency: what belongs
to another one is answered as what does not exist. Who may not do such a thing at all is told so
(``not_allowed``). Every change is one transaction that says whose it is (``dispatch.acting``), and
holds for live sessions when it is answered.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from dispatch.administration import (
    agreements,
    devices,
    glass,
    groups,
    keeping,
    people,
    radio,
    sessions,
    sharing,
    units,
)
from dispatch.asking import Asked, Route
from psn import access, roles


class AgencyRow(Struct):
    """An agency; agencies are known to everyone. ``colour`` is ``#rrggbb``."""

    id: int
    code: str
    name: str
    colour: str


class Rights(Struct):
    """Who asks, and by kind of object and action how far he may: ``own``, ``shared``, ``all``."""

    address: str
    name: str
    agency: int
    agencies: list[AgencyRow]
    rights: dict[str, dict[str, str]]


async def rights(asked: Asked) -> Rights:
    """What the caller may do, so that a page offers him nothing else."""
    who = asked.who
    reaches = {
        kind: {
            action: how_far.name.lower()
            for action in actions
            if (how_far := access.reach(who, kind, action))
        }
        for kind, actions in roles.ACTIONS.items()
    }
    return Rights(
        who.address,
        who.name,
        who.agency,
        [
            AgencyRow(each.id, each.code, each.name, each.colour)
            for each in asked.core.directory.agencies.values()
        ],
        {kind: allowed for kind, allowed in reaches.items() if allowed},
    )


ROUTES: Final = (
    Route("/api/rights", rights, Rights),
    *people.ROUTES,
    *devices.ROUTES,
    *units.ROUTES,
    *groups.ROUTES,
    *radio.ROUTES,
    *agreements.ROUTES,
    *sharing.ROUTES,
    *glass.ROUTES,
    *sessions.ROUTES,
    *keeping.ROUTES,
)
