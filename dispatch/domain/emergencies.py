"""The red button: raised, owned by somebody, and over only when both sides have said so.

Transitions: *raised → owned → over*. It is over when the unit has said that it is safe and a
dispatcher has too, in either order. Another press of the button takes both words back, and raises
it anew: nobody owns it then, unless he has only just taken it. When the unit cannot say that it is
safe, a supervisor ends it alone, for a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatch.domain.refusals import not_now


@dataclass(frozen=True, slots=True)
class Emergency:
    """What has been said about one emergency."""

    owner: int | None = None
    """The person who takes care of it."""
    unit_safe: bool = False
    desk_safe: bool = False
    over: bool = False


def press(emergency: Emergency, just_taken: bool) -> Emergency:
    """The button again: whatever was said before, it is not over, and somebody must take it anew.

    ``just_taken``: its owner took it so short a time ago that he knows.
    """
    _need_live(emergency)
    owner = emergency.owner if just_taken else None
    return replace(emergency, owner=owner, unit_safe=False, desk_safe=False)


def own(emergency: Emergency, person: int, of_its_agency: bool = True) -> Emergency:
    """Somebody takes care of it; after him another of the unit's own agency may."""
    _need_live(emergency)
    if not of_its_agency and emergency.owner not in (None, person):
        raise not_now(
            "Somebody takes care of this emergency; only the unit's own agency takes it over.",
            "Tell who has it what you can do.",
        )
    return replace(emergency, owner=person)


def unit_says_safe(emergency: Emergency) -> Emergency:
    """The unit's own word."""
    _need_live(emergency)
    return _settled(replace(emergency, unit_safe=True))


def desk_says_safe(emergency: Emergency, alone: bool) -> Emergency:
    """A dispatcher's word; ``alone``: a supervisor's, who ends it without the unit's."""
    _need_live(emergency)
    if emergency.owner is None:
        raise not_now("Nobody takes care of this emergency yet.", "Take it, and then end it.")
    said = replace(emergency, desk_safe=True)
    return replace(said, over=True) if alone else _settled(said)


def _settled(emergency: Emergency) -> Emergency:
    return replace(emergency, over=emergency.unit_safe and emergency.desk_safe)


def _need_live(emergency: Emergency) -> None:
    if emergency.over:
        raise not_now("This emergency is over.", "Press the button again if there is a new one.")
