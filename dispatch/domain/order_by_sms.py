"""An order as a short message: what a crew without data must know, and no more. Pure."""

from __future__ import annotations

from typing import Final

from dispatch.sms import short_messages
from geo.coordinates import E7

MOST_PARTS: Final = 4
"""Short messages that an order may take: more come late, and not together."""
CONFIRM: Final = "Confirm by radio or telephone."
CUT: Final = "... (more by radio)"


def text_of(order: str, point: tuple[int, int] | None) -> str:
    """What is sent for an order; its head first, cut where it gets too long.

    ``point``: longitude and latitude (degrees x 10^7, WGS 84) of where it leads. They are written
    latitude first, as telephones understand them.
    """
    where = [] if point is None else [f"{point[1] / E7:.5f},{point[0] / E7:.5f}"]
    tail = "\n".join(["", *where, CONFIRM])
    words = short_messages.plainer(order)
    if _fits(words + tail):
        return words + tail
    # The longest that fits.
    least, most = 0, len(words)
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if _fits(words[:middle] + CUT + tail) else (least, middle - 1)
    return words[:least].rstrip() + CUT + tail


def _fits(text: str) -> bool:
    return len(short_messages.measure(text).parts) <= MOST_PARTS
