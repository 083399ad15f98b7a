"""Voice groups as recipients of warnings: which an agency may warn, and in whose name."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from psn import access
from psn.access import Principal
from psn.directory import Directory
from psn.problems import Problem
from psn.voice import rights
from psn.voice.exchange import Exchange
from psn.wire import VoiceGroup

NEVER: Final = frozenset({"id_taken", "not_storable", "expired"})
"""Codes with which the record refuses a message for good."""


def of_units(exchange: Exchange, directory: Directory, agency: int, units: Set[int]) -> set[str]:
    """Addresses of the groups in which units are now, and in which an agency may announce."""
    return {
        group.address
        for group, there in exchange.groups.items()
        if any(session.principal.unit in units for session in there.parties)
        and rights.may_announce(agency, group, directory)
    }


def announcer(directory: Directory, agency: int, address: str) -> Principal:
    """The agency that has something announced in a group; raises :class:`Problem`
    ``not_its_group`` when it may not, or when there is no such group.
    """
    group = VoiceGroup.of(address)
    if not rights.may_announce(agency, group, directory):
        raise Problem(
            "not_its_group",
            f"There is no group {address} of this agency, nor a joint one in which it has a part.",
            "Name another group, or make the agency a member of a joint one.",
        )
    return access.of_agency(directory.agencies[agency])
