"""Where the bytes of attachments lie below the directory of files, and whether it has room."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Final

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
"""How the disk says that there is no room."""
RESERVE_BYTES: Final = 512 << 20
"""So much of the disk is left to others."""


def path(directory: Path, name: str) -> Path:
    """The file of a name, which is an attachment's id and perhaps an ending."""
    return directory / name[:2] / name


def prepare(directory: Path) -> None:
    """Make the directory, for its owner alone, when it is missing. Raises ``OSError``."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def has_room(directory: Path, more: int) -> bool:
    """Whether so many bytes more leave the others their part. Raises ``OSError``."""
    return shutil.disk_usage(directory).free >= more + RESERVE_BYTES
