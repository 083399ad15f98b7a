"""Who may do what with radio networks. Pure, a part of ``psn.access``.

The rules in words stand in docs/access.md; what a role may do in ``psn.roles``.
"""

from __future__ import annotations

from psn import access
from psn.access import Principal, Rules
from psn.directory import Group, Precision, RadioNetwork, Unit
from psn.roles import Reach


def may_see(who: Principal, network: RadioNetwork) -> bool:
    """Whether ``who`` sees how a radio network is: people of agencies that take part."""
    return access.reach(who, "radio", "see") > Reach.NONE and who.agency in network.agencies


def may_see_whose(who: Principal, unit: Unit, rules: Rules) -> bool:
    """Whether ``who``, who may see the network, sees that a radio carries the unit: its own agency,
    and those who are shown exactly where it is.
    """
    return who.agency == unit.agency or access.precision(who, unit, rules) is Precision.EXACT


def may_run(who: Principal, network: RadioNetwork) -> bool:
    """Whether ``who`` says who takes part in a radio network, and which gateways serve it."""
    return access.may(who, "radio", "manage", network.agency)


def may_give(who: Principal, network: RadioNetwork, now: Unit | None, unit: Unit) -> bool:
    """Whether ``who`` may say that a radio, until now of ``now``, carries a unit.

    A unit's own agency alone says that, and nobody takes the radio of another agency's unit.
    """
    return (
        access.may(who, "radio", "manage", unit.agency)
        and unit.agency in network.agencies
        and (now is None or now.agency == unit.agency)
    )


def may_take(who: Principal, network: RadioNetwork, now: Unit) -> bool:
    """Whether ``who`` may say that a radio carries no unit: its unit's agency or the network's."""
    return access.may(who, "radio", "manage", now.agency) or may_run(who, network)


def may_join(who: Principal, network: RadioNetwork, group: Group) -> bool:
    """Whether ``who`` may join a talkgroup with a group, or part them.

    The group's own agency, if it takes part in the network; a joint one who runs the network, if
    the agency is a member of it.
    """
    if group.agency is None:
        return may_run(who, network) and who.agency in group.agencies
    return access.may(who, "radio", "manage", group.agency) and group.agency in network.agencies
