"""Where the bytes of attachments lie: files named by id, written so that a crash leaves no half.

``ID.part`` is what is being sent, and stays until it is judged. ``ID.made`` and ``ID.small`` are
what the decoder writes; on disk and renamed they are ``ID`` and ``ID.preview``, which are shown.
All of it blocks, and belongs into a thread.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from dispatch.attachments.kinds import HEAD_BYTES, TAIL_BYTES
from psn.keeping import stored_files
from psn.problems import Problem

PART, MADE, SMALL, PREVIEW, CONTENT = ".part", ".made", ".small", ".preview", ""
_NAME: Final = re.compile(r"[0-9a-f]{2}[0-9a-f-]{34}(\.[a-z]+)?\Z")
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class DiskFull(Problem):
    """``disk_full``: there is no room for more files."""

    def __init__(self) -> None:
        super().__init__(
            "disk_full",
            "The server has no room for files now.",
            "Keep it, and send it again later; what has arrived is kept.",
            retry=60_000,
        )


class Files:
    """The directory of a network's files. Every method raises ``OSError``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def directory(self) -> Path:
        """Where they lie."""
        return self._directory

    def prepare(self) -> None:
        """Make the directory, for its owner alone, when it is missing."""
        stored_files.prepare(self._directory)

    def path(self, id: UUID, ending: str = CONTENT) -> Path:
        """The file of an attachment."""
        return self.stored(f"{id}{ending}")

    def stored(self, name: str) -> Path:
        """The file of a name: an attachment's id, and perhaps an ending."""
        return stored_files.path(self._directory, name)

    def check_room(self, more: int) -> None:
        """Raises :class:`DiskFull` where so many bytes more would fill the disk."""
        self.prepare()
        if not stored_files.has_room(self._directory, more):
            raise DiskFull

    def arrived(self, id: UUID) -> int:
        """How many bytes of what is being sent are here."""
        try:
            return self.path(id, PART).stat().st_size
        except FileNotFoundError:
            return 0

    def write(self, id: UUID, at: int, data: bytes) -> None:
        """Add to what is being sent; ``at`` is where it ends by now."""
        path = self.path(id, PART)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, _WRITE, 0o600)
        try:
            view = memoryview(data)
            while view:
                done = os.pwrite(file, view, at)
                view, at = view[done:], at + done
        finally:
            os.close(file)

    def on_disk(self, id: UUID) -> None:
        """Return when what was written, and its name, are on disk."""
        path = self.path(id, PART)
        _synced(path)
        for directory in (path.parent, self._directory):
            _synced(directory)

    def start_over(self, id: UUID) -> None:
        """Forget what was sent so far."""
        os.truncate(self.path(id, PART), 0)

    def sha256(self, id: UUID, ending: str) -> bytes:
        """The hash of a file."""
        with self.path(id, ending).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    def ends(self, id: UUID) -> tuple[bytes, bytes]:
        """The beginning and the end of what was sent."""
        with self.path(id, PART).open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(-min(TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return head, file.read(TAIL_BYTES)

    def new(self, id: UUID, ending: str) -> BinaryIO:
        """An empty file to write to."""
        return os.fdopen(os.open(self.path(id, ending), _WRITE | os.O_TRUNC, 0o600), "wb")

    def keep(self, id: UUID, preview: bool) -> int:
        """What the decoder wrote is from now on what is shown; its size in bytes."""
        made = self.path(id, MADE)
        size = made.stat().st_size
        for written, shown in ((SMALL, PREVIEW),) * preview + ((MADE, CONTENT),):
            _synced(self.path(id, written))
            self.path(id, written).rename(self.path(id, shown))
        if not preview:
            self.path(id, SMALL).unlink(missing_ok=True)
        _synced(made.parent)
        return size

    def remove(self, names: Iterable[str]) -> None:
        """Remove files that are there; a name that is none of ours is passed over."""
        for name in names:
            if _NAME.match(name):
                self.stored(name).unlink(missing_ok=True)


def _synced(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
