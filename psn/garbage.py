"""Looking for garbage by the clock, not in the middle of a rush.

Everything here is freed as soon as nobody refers to it; an ended connection leaves no cycle
behind, and a test holds it to that. Python's own search for cycles starts after so many objects
were made, that is: when most is going on. With 10,000 units it held the loop for a second at a
time and took half of the processor (docs/measurements.md). So it is switched off while a server
runs. What is new is looked through when there are many more objects than at the last look, which
means that much has come or that something leaks; everything is, once in an hour.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Final

from psn.histogram import Histogram

LOOK_SECONDS: Final = 1.0
ALL_SECONDS: Final = 3_600.0
MORE_OBJECTS: Final = 200_000
"""So many more than at the last look are worth another: some 50 MB."""
_YOUNG: Final = 1
_ALL: Final = 2


async def collect_by_the_clock(seconds: Histogram) -> None:
    """Until cancelled; ``seconds`` is told how long each look held everything up."""
    was = gc.isenabled()
    gc.disable()
    try:
        since_all = 0.0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            since_all += LOOK_SECONDS
            everything = since_all >= ALL_SECONDS
            # Made less freed since the last look: Python counts on when it does not collect.
            if not everything and gc.get_count()[0] < MORE_OBJECTS:
                continue
            began = time.perf_counter()
            gc.collect(_ALL if everything else _YOUNG)
            seconds.observe(time.perf_counter() - began)
            if everything:
                since_all = 0.0
    finally:
        if was:
            gc.enable()
