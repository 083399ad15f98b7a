"""What somebody may do in a voice group, and hear again of it. Pure, a part of ``psn.access``.

The rules in words stand there, with all others; what a role may do in ``psn.roles``.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from psn import access, roles
from psn.access import Principal, Rules
from psn.directory import Directory, Group
from psn.roles import Reach
from psn.wire import VoiceGroup
from psn.wire.voice import GroupKind

ANNOUNCED: Final = 1 + max(roles.FLOOR_PRIORITY.values())
"""Priority of an announcement that waits for the floor."""


class Voice(enum.IntEnum):
    """What somebody may do in a voice group."""

    NOTHING = 0
    LISTEN = 1
    TALK = 2


def voice(who: Principal, group: VoiceGroup, rules: Rules, now: datetime) -> Voice:
    """What ``who`` may do in the voice group of a group or an open incident; ``now``: UTC, aware.

    Of one that does not exist: nothing. Calls are not here: who is in one is no rule. A radio
    gateway only listens: it talks for radios, each of which may (:func:`may_key`).
    """
    if may_key(who, group):
        return Voice.LISTEN
    if who.announces:
        return Voice.TALK if may_announce(who.agency, group, rules.directory) else Voice.NOTHING
    if not who.reads:
        return Voice.NOTHING
    if group.kind is GroupKind.TALKGROUP:
        talkgroup = rules.directory.groups.get(group.id)
        if talkgroup is not None:
            return _voice_in(who, talkgroup, rules.directory)
    if group.kind is GroupKind.INCIDENT:
        for incident in rules.directory.incidents:
            if incident.id == group.id:
                taking_part = incident.taking_part(now)
                if access.may_work_on_incident(who, incident.agency, taking_part):
                    return Voice.TALK
                if access.may_see_incident(who, incident.agency, taking_part):
                    return Voice.LISTEN
    return Voice.NOTHING


def may_key(gateway: Principal, group: VoiceGroup) -> bool:
    """Whether radios of a gateway's networks are heard in a group: a talkgroup is joined with it.

    Who keys in the talkgroup is heard there by every radio; to join it with a group was to let
    him be heard there, whether he belongs to the group or not.
    """
    return group.kind is GroupKind.TALKGROUP and group.id in gateway.relays


def may_announce(agency: int, group: VoiceGroup, directory: Directory) -> bool:
    """Whether an agency may have something announced in a group, by voice or as a text: in its own
    groups, and in joint ones in which it has a part.
    """
    found = directory.groups.get(group.id) if group.kind is GroupKind.TALKGROUP else None
    return found is not None and _takes_part(agency, found, directory)


def may_patch(
    who: Principal, one: VoiceGroup, two: VoiceGroup, rules: Rules, now: datetime
) -> bool:
    """Whether ``who`` may give two groups one floor: a person with the right who talks in both."""
    return (
        one != two
        and access.reach(who, "group", "patch") > Reach.NONE
        and all(voice(who, each, rules, now) is Voice.TALK for each in (one, two))
    )


def _voice_in(who: Principal, group: Group, directory: Directory) -> Voice:
    if access.belongs(who, group):
        if access.reach(who, "group", "talk") > Reach.NONE:
            return Voice.TALK
        return Voice.LISTEN if access.reach(who, "group", "see") > Reach.NONE else Voice.NOTHING
    monitors = _takes_part(who.agency, group, directory) and access.may(
        who, "group", "monitor", None
    )
    return Voice.LISTEN if monitors else Voice.NOTHING


def _takes_part(agency: int, group: Group, directory: Directory) -> bool:
    """Whether a group is an agency's, or a joint one in which it has a part."""
    if group.agency is not None:
        return group.agency == agency
    return (
        agency in group.agencies
        or any(directory.people[each].agency == agency for each in group.people)
        or any(directory.units[each].agency == agency for each in group.units)
    )


def owner(group: VoiceGroup, directory: Directory) -> int | None:
    """Whose a talkgroup or an open incident is; none: a joint one's, or a call's."""
    if group.kind is GroupKind.INCIDENT:
        here = (each.agency for each in directory.incidents if each.id == group.id)
        return next(here, None)
    found = directory.groups.get(group.id)
    return found.agency if found and group.kind is GroupKind.TALKGROUP else None


def carried(who: Principal, group: VoiceGroup, rules: Rules, now: datetime) -> bool:
    """Whether a patch lets ``who``, who talks in the other, be heard in a group: not a unit that an
    exception hides from an agency of which somebody may hear that. It did not choose to be heard
    there.
    """
    unit = None if who.unit is None else rules.directory.units.get(who.unit)
    if unit is None:
        return True
    return not any(
        rules.sharing.hides(unit, agency) for agency in _hearing(group, rules.directory, now)
    )


def _hearing(group: VoiceGroup, directory: Directory, now: datetime) -> Iterator[int]:
    """Agencies of which somebody may hear a talkgroup's or an open incident's voice group."""
    if group.kind is GroupKind.INCIDENT:
        for incident in directory.incidents:
            if incident.id == group.id:
                yield incident.agency
                yield from incident.taking_part(now)
    talkgroup = directory.groups.get(group.id)
    if group.kind is GroupKind.TALKGROUP and talkgroup is not None:
        if talkgroup.agency is not None:
            yield talkgroup.agency
        yield from talkgroup.agencies
        yield from (directory.people[each].agency for each in talkgroup.people)
        yield from (directory.units[each].agency for each in talkgroup.units)


def may_hear_again(
    who: Principal,
    group: VoiceGroup,
    incident: tuple[int, Collection[int]] | None,
    rules: Rules,
    now: datetime,
) -> bool:
    """Whether ``who`` may hear all that was said in a group.

    ``incident`` is, of an incident's group, whose it is and who takes part there, open or closed.
    Who may hear a talkgroup now may hear what was said there before he joined it, as he may read
    what was written to it. What was said in calls is :func:`may_hear_talk`'s.
    """
    if not who.reads:
        return False
    if group.kind is GroupKind.INCIDENT:
        return incident is not None and access.may_see_incident(who, *incident)
    return voice(who, group, rules, now) > Voice.NOTHING


def may_hear_talk(who: Principal, talker: str, agency: int, parties: Collection[str]) -> bool:
    """Whether ``who`` may hear one talk, wherever it was: his own, of a call in which he was, or of
    his agency's people when he may listen to recordings. ``agency``: the talker's then.
    """
    if not who.reads:
        return False
    return (
        (who.address == talker and who.agency == agency)
        or who.address in parties
        or access.may(who, "recording", "listen", agency)
    )


def floor_priority(who: Principal) -> int:
    """How far in front ``who`` waits for the floor of a voice group; the higher, the further.

    What an agency has announced is for everybody there, and waits behind no equal call.
    """
    if who.announces:
        return ANNOUNCED
    return max((roles.FLOOR_PRIORITY.get(role, 0) for role in who.roles), default=0)
