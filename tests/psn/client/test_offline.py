"""What a client must not forget."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from psn import wire
from psn.client import offline
from psn.client.offline import Offline


def message(n: int) -> wire.Message:
    return wire.Message(id=UUID(int=n), to=["unit:7"], text=f"message {n}")


def fix(n: int) -> wire.Fix:
    return wire.Fix(0, n, -881_900_000, 174_900_000, battery=80)


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "client.db"
    first = Offline(path)
    for n in (3, 1, 2, 3):
        first.keep_message(message(n))
    for n in range(5):
        first.keep_fix(fix(n))
    first.keep_cursors([("unit:7", 4), ("agency:1", 9), ("unit:7", 5)])
    assert not first.was_shown(UUID(int=9))
    first.keep_shown(UUID(int=9))
    first.token = "secret"
    first.close()
    second = Offline(path)
    assert [m.id.int for m in second.messages()] == [3, 1, 2]
    assert [one for _, one in second.oldest_fixes(10)] == [fix(n) for n in range(5)]
    assert second.fixes == 5
    assert second.cursors() == {"unit:7": 5, "agency:1": 9}
    assert second.was_shown(UUID(int=9))
    assert second.token == "secret"
    second.token = None
    assert second.token is None
    second.close()


def test_what_is_done_is_dropped() -> None:
    store = Offline()
    store.keep_message(message(1))
    store.keep_message(message(2))
    store.drop_message(UUID(int=1))
    store.drop_message(UUID(int=77))
    assert store.messages() == [message(2)]
    for n in range(10):
        store.keep_fix(fix(n))
    kept = store.oldest_fixes(4)
    store.drop_fixes(kept[-1][0])
    assert store.fixes == 6
    assert store.oldest_fixes(1)[0][1] == fix(4)
    store.close()


def test_positions_are_bounded_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "KEEP_FIXES", 3)
    store = Offline()
    for n in range(7):
        store.keep_fix(fix(n))
    assert [one.time for _, one in store.oldest_fixes(9)] == [4, 5, 6]
    assert store.fixes == 3
    store.close()


def test_ids_that_were_shown_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "_SHOWN_KEPT", 10)
    store = Offline()
    for n in range(1, 1_001):
        store.keep_shown(UUID(int=n))
        store.keep_shown(UUID(int=n))
    assert store.was_shown(UUID(int=1_000))
    assert not store.was_shown(UUID(int=1))  # long forgotten
    store.close()


def test_what_fails_half_way_is_taken_back_and_the_next_is_kept() -> None:
    store = Offline()
    with pytest.raises(sqlite3.Error):
        store.keep_cursors([("agency:1", 1), ("agency:2", None)])  # type: ignore[list-item]
    assert store.cursors() == {}
    store.keep_cursors([("agency:1", 2)])
    assert store.cursors() == {"agency:1": 2}
    store.close()


def test_what_is_wiped_is_gone_from_the_file_too(tmp_path: Path) -> None:
    """DOM-DEV-6."""
    store = Offline(tmp_path / "device.db")
    text = "what nobody may find"
    for _ in range(300):
        store.keep_message(wire.Message(id=uuid4(), to=["unit:7"], text=text))
        store.keep_fix(wire.Fix(0, 1, 2, 3))
        store.keep_shown(uuid4())
    store.keep_cursors([("unit:77", 5)])
    store.keep_asked(wire.Do(id=uuid4(), what="unit.status", with_=msgspec.Raw(b"\xa5hidden")))
    body = wire.MessageBody(uuid4(), "person:1", "", [], "for a radio", "routine", 1)
    store.keep_for_radio(wire.Radio(1, 4711), wire.Mail("unit:7", 1, body))
    store.keep_for_channel("police 9", wire.Mail("group:7", 1, body))
    store.token = "a token of the session"
    store.drop_message(store.messages()[0].id)
    store.wipe()
    assert (store.messages(), store.cursors(), store.fixes, store.token) == ([], {}, 0, None)
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert (store.asked(), store.for_radios(), store.for_channels()) == ([], [], [])
    for trace in (text, "unit:77", "hidden", "for a radio", "a token of the session"):
        assert trace.encode() not in left
    store.keep_fix(wire.Fix(0, 1, 2, 3))
    assert store.fixes == 1
    store.close()


def test_its_owner_alone_reads_what_is_kept(tmp_path: Path) -> None:
    kept = Offline(tmp_path / "kept.sqlite")
    kept.keep_message(message(1))
    kept.token = "t"
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
    kept.close()
