"""Why something of dispatch is not done: stable codes, plain sentences, what to do next."""

from __future__ import annotations

from psn.problems import Problem


class DispatchRefused(Problem):
    """Something that was understood, and may not be done now."""

    def __init__(self, code: str, text: str, todo: str, *, units: list[int] | None = None) -> None:
        """``units``: the ids of those that it is about, where the same may be asked knowing it."""
        super().__init__(code, text, todo)
        self.units = units


def not_there(what: str) -> DispatchRefused:
    """The answer for what is not there and, alike, for what may not be seen."""
    return DispatchRefused(
        "not_found", f"There is no such {what} that you may see.", "Look at the board, and choose."
    )


def not_allowed(what: str) -> DispatchRefused:
    """The answer to who may not do such a thing."""
    return DispatchRefused(
        "not_allowed", f"You may not {what}.", "Ask somebody whose role allows it."
    )


def not_now(text: str, todo: str) -> DispatchRefused:
    """The answer to what is impossible in the state that things are in."""
    return DispatchRefused("not_now", text, todo)


def changed_meanwhile(field: str, now: object) -> DispatchRefused:
    """The answer to a change of what somebody else has changed meanwhile."""
    return DispatchRefused(
        "changed_meanwhile",
        f"The {field} was changed meanwhile; it is now: {now}.",
        "Look at the new value, and change it again if yours is better.",
    )


def bad_value(text: str, todo: str) -> DispatchRefused:
    """The answer to a value that cannot be meant."""
    return DispatchRefused("bad_value", text, todo)


def in_emergency(callsigns: list[str], units: list[int]) -> DispatchRefused:
    """The answer to who sends units whose own emergency is not over (DOM-ASG-12)."""
    return DispatchRefused(
        "unit_in_emergency",
        f"{', '.join(callsigns)}: the red button was pressed, and that emergency is not over.",
        "See to it first, choose another unit, or send it knowing that.",
        units=units,
    )


def far_away(why: str) -> DispatchRefused:
    """The answer to a point that is hardly meant, and was not said to be."""
    todo = "Correct longitude and latitude, or say that it is meant (anywhere)."
    return DispatchRefused("far_away", why, todo)
