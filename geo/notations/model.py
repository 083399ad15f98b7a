"""What a notation is read as, and the one error that reading raises."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class NotationError(ValueError):
    """A text that names no place by numbers.

    Attributes:
        code: stable, for programs: ``notation.unknown`` for a text that is in no notation, which
            may then be a name; ``notation.empty``, ``notation.too_long``, ``notation.range``,
            ``notation.contradiction``, ``notation.grid``, ``notation.datum``,
            ``notation.no_bearing`` or ``notation.no_town`` for one that is broken.
        text: one plain sentence, for people.
        todo: what to do about it.
    """

    def __init__(self, code: str, text: str, todo: str) -> None:
        super().__init__(f"{text} {todo}")
        self.code = code
        self.text = text
        self.todo = todo


class Position(NamedTuple):
    """A point on the earth as somebody wrote it.

    Attributes:
        lon: degrees, WGS 84.
        lat: degrees, WGS 84.
        precision_m: how far apart two places are, in metres, whose numbers differ by one in the
            last place that was written; the side of the square of a grid reference.
        notation: ``degrees``, ``geo``, ``link``, ``utm``, ``mgrs`` or ``plus_code``.
        said: the notation in words, with what was assumed: ``UTM, zone 16N assumed``.
        doubt: why the place is hardly meant, as one sentence; None: no doubt.
        meant: places in Belize that may be meant instead, likeliest first.
    """

    lon: float
    lat: float
    precision_m: float
    notation: str
    said: str
    doubt: str | None = None
    meant: tuple[Position, ...] = ()


class Offset(NamedTuple):
    """So far from a named place, in a direction.

    Attributes:
        metres: distance.
        bearing: degrees clockwise from true north.
        name: of the place that it is measured from, as written.
        precision_m: how far off this way of speaking may be, in metres.
        said: distance and direction in words, to stand before "of" and a name.
        perhaps: the name with the direction before it, where no "of" parts them: it may be one
            name, as in "2 nm South Water Caye". Empty where something parts them.
    """

    metres: float
    bearing: float
    name: str
    precision_m: float
    said: str
    perhaps: str = ""


class MileMarker(NamedTuple):
    """A place on a road.

    Attributes:
        road: its name, as written.
        mile: statute miles from the road's beginning.
        km: kilometres from there, where they were written.
    """

    road: str
    mile: float
    km: float | None = None

    @property
    def said(self) -> str:
        """As a name begins: ``Mile 20.5``; of kilometres ``Mile 20.5 (km 33)``."""
        if self.km is None:
            return f"Mile {self.mile:g}"
        return f"Mile {round(self.mile, 1):g} (km {self.km:g})"


class ShortCode(NamedTuple):
    """A plus code whose first four characters are left out, since a town says where it is.

    Attributes:
        code: such as ``FRX2+RX``.
        name: of the town, as written.
    """

    code: str
    name: str


Reading: TypeAlias = Position | Offset | MileMarker | ShortCode
