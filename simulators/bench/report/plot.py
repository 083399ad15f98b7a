"""One plot as SVG: lines over seconds or numbers, on a linear or a logarithmic scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

Values = Sequence[float | None]

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 14, 30
COLOURS: Final = ("#1f5fa8", "#c2410c", "#2f7d32", "#7b3fa0", "#8a6d00", "#5b6470")
MOST_NAMED: Final = 12
"""Numbers along the lower edge, at most."""
LABEL_PX: Final = 15
"""Labels at the ends of lines are at least so far apart."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From a value to a height, and where the lines of the grid are."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[float], logarithmic: bool) -> Scale:
        """One on which all values have their place."""
        top = max(values, default=1.0) or 1.0
        if logarithmic:
            least = min((value for value in values if value > 0), default=1.0)
            low = 10.0 ** math.floor(math.log10(least))
            return cls(low, max(10.0 ** math.ceil(math.log10(top)), low * 10), True)
        step = 10.0 ** math.floor(math.log10(top))
        high = next(step * part for part in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * part >= top)
        return cls(0.0, high, False)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        if self.logarithmic:
            span = math.log10(self.high / self.low)
            part = math.log10(max(value, self.low) / self.low) / span
        else:
            part = (value - self.low) / (self.high - self.low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - part)

    def ticks(self) -> list[float]:
        """Values to name on the axis."""
        if not self.logarithmic:
            return [self.high * part / 4 for part in range(5)]
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        return [10.0**power for power in range(first, last + 1)]


def number(value: float) -> str:
    """Short, for an axis or a label: 1.2 M, 850 k, 12, 0.25."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def plot(
    title: str,
    lines: Sequence[tuple[str, Values]],
    *,
    logarithmic: bool = False,
    marks: Sequence[tuple[float, str]] = (),
    at: Sequence[float] | None = None,
    across: str = "s",
) -> str:
    """An SVG element; a value is none where nothing is known.

    There is a value a second, or one for each number in ``at``, of what ``across`` names.
    ``marks`` name moments.
    """
    known = [value for _, values in lines for value in values if value is not None]
    scale = Scale.of(known, logarithmic)
    longest = max((len(values) for _, values in lines), default=1)
    places = [n + 0.5 for n in range(longest)] if at is None else list(at)
    end = max(1.0, float(longest) if at is None else max(at) * 1.04)
    wide = (WIDTH - LEFT - RIGHT) / end

    def x(place: float) -> float:
        return LEFT + wide * place

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(scale, end, x, across),
    ]
    for moment, text in marks:
        parts.append(
            f'<line class="mark" x1="{x(moment):.1f}" x2="{x(moment):.1f}" y1="{TOP}"'
            f' y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="mark" x="{x(moment) + 4:.1f}" y="{TOP + 10}">{escape(text)}</text>'
        )
    ends: list[tuple[float, str, str]] = []
    for (name, values), colour in zip(lines, COLOURS, strict=False):
        points = [
            (x(place), scale.y(v))
            for place, v in zip(places, values, strict=False)
            if v is not None
        ]  # fmt: skip
        if not points:
            continue
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" stroke="{colour}"/>')
        for px, py in points if at is not None or len(points) == 1 else ():
            parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>')
        last = next(value for value in reversed(values) if value is not None)
        ends.append((points[-1][1], f"{name} {number(last)}", colour))
    parts += _labels(ends, x(end) + 8)
    return "".join(parts) + "</svg>"


def _grid(scale: Scale, end: float, x: Callable[[float], float], across: str) -> list[str]:
    parts = []
    for tick in scale.ticks():
        y = scale.y(tick)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{x(end):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="axis" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{number(tick)}</text>"
        )
    step = next(step for step in _steps() if end / step <= MOST_NAMED)
    for place in range(0, int(end) + 1, step):
        parts.append(
            f'<text class="axis" x="{x(place):.1f}" y="{HEIGHT - 10}" text-anchor="middle">'
            f"{place}</text>"
        )
    parts.append(f'<text class="axis" x="{x(end) + 8:.1f}" y="{HEIGHT - 10}">{across}</text>')
    return parts


def _steps() -> Iterator[int]:
    """1, 2, 5, 10, 20, 30 and 60 seconds, then 100, 200, 500 …"""
    yield from (1, 2, 5, 10, 20, 30, 60)
    for power in itertools.count(2):
        yield from (10**power, 2 * 10**power, 5 * 10**power)


def _labels(ends: list[tuple[float, str, str]], x: float) -> list[str]:
    """Names at the ends of the lines, moved apart where they would overlap."""
    parts, free = [], -math.inf
    for y, text, colour in sorted(ends):
        free = max(y, free + LABEL_PX)
        parts.append(f'<text x="{x:.1f}" y="{free + 4:.1f}" fill="{colour}">{escape(text)}</text>')
    return parts
