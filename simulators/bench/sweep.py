"""Removes a benchmark's directory when the process that made it is gone, however it went.

Started as a program of its own with the directory as its argument; standard input is a pipe whose
other end only that process holds, so it ends when that does. Standard library only.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path


def sweep(place: Path, patience: float = 30.0) -> None:
    """Remove ``place`` and the socket directory that its cluster made; retries for a while."""
    deadline = time.monotonic() + patience
    mark = place / "sockets"
    try:
        sockets = Path(mark.read_text().strip())
    except OSError:
        sockets = None
    while place.exists() and time.monotonic() < deadline:
        # The database may be ending just now, and still write.
        time.sleep(0.2)
        shutil.rmtree(place, ignore_errors=True)
    if sockets is not None and sockets.name.startswith("psn-"):
        shutil.rmtree(sockets, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    sweep(Path(sys.argv[1]))
