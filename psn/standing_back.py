"""A process that lets whoever else wants the processor have it first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

NICENESS: Final = 10
"""Where both want the processor, another has nine tenths of it."""


def stand_back() -> None:
    """Let this process, and its session if that was begun for it, stand back.

    Where Linux shares the processor out among sessions first (sched(7), autogroup), niceness counts
    inside of one only.
    """
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(NICENESS))
