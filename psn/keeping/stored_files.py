"""Where the bytes of attachments lie below the directory of files."""

from __future__ import annotations

from pathlib import Path


def path(directory: Path, name: str) -> Path:
    """The file of a name, which is an attachment's id and perhaps an ending."""
    return directory / name[:2] / name
