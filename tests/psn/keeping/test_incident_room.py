"""Of two archives that are put together at a time, each finds the room that the other left."""

from __future__ import annotations

import io
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from psn.keeping import incident_file, stored_files
from psn.keeping.incident_file import Contents, NoRoom

TALK_MS = 4_000_000
"""16 MB of talk, at most."""


def contents() -> Contents:
    return Contents(
        {
            "attachments": [],
            "incident": {"number": "BPD-26-00001"},
            "as_seen_by": "BPD",
            "made_at": datetime(2026, 1, 1, tzinfo=UTC),
            "made_by": "person:1",
            "left_out": {},
            "recordings": [{"id": "4f", "milliseconds": TALK_MS}],
        }
    )


def test_two_at_a_time_are_not_promised_the_same_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = TALK_MS * incident_file.BYTES_MS
    spare = shutil.disk_usage(tmp_path).free - needed - needed // 2
    monkeypatch.setattr(stored_files, "RESERVE_BYTES", spare)
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(incident_file.scratch, contents(), tmp_path) for _ in range(2)]
    refused = [each.exception() for each in asked]
    assert sorted(type(each).__name__ for each in refused) == ["NoRoom", "NoneType"]
    (made,) = (each.result() for each in asked if each.exception() is None)
    with pytest.raises(NoRoom):
        incident_file.scratch(contents(), tmp_path)
    incident_file.let_go(made)
    incident_file.let_go(incident_file.scratch(contents(), tmp_path))


def test_what_was_reserved_and_not_needed_is_no_part_of_the_archive(tmp_path: Path) -> None:
    made = incident_file.scratch(contents(), tmp_path)
    sealed = incident_file.write(contents(), lambda _: io.BytesIO(), lambda _: b"spoken", made)
    whole = made.read()
    incident_file.let_go(made)
    assert len(whole) == sealed.size < 10_000
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.read("recordings/4f.ogg") == b"spoken"
        assert archive.testzip() is None
