"""Every action that there is, by name."""

from __future__ import annotations

from typing import Final

from dispatch.desk import (
    assignments,
    by_sms,
    calls,
    care,
    emergencies,
    incidents,
    partners,
    raising,
    types,
    units,
)
from dispatch.desk.work import Action
from dispatch.warnings import actions as warnings
from dispatch.warnings import reissuing

ACTIONS: Final[dict[str, Action]] = {
    action.name: action
    for action in (
        *calls.ACTIONS,
        *incidents.ACTIONS,
        *partners.ACTIONS,
        *assignments.ACTIONS,
        *by_sms.ACTIONS,
        *units.ACTIONS,
        *emergencies.ACTIONS,
        *care.ACTIONS,
        *raising.ACTIONS,
        *types.ACTIONS,
        *warnings.ACTIONS,
        *reissuing.ACTIONS,
    )
}
