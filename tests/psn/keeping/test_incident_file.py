"""An incident taken out as a whole (docs/domain.md, DOM-RET-13)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from ended import Connection, attached, call, incident
from hypothesis import given
from hypothesis import strategies as st
from stage import ANA, BCG, BEN, BOAT, BPD, CAR, seed

from psn.keeping import incident_file
from psn.keeping.incident_file import Contents, Sealed
from psn.problems import Problem


@pytest.fixture
async def conn(database: str) -> AsyncIterator[Connection]:
    await seed(database)
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


class Shelf:
    """Files of attachments by their ids."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.sounds: dict[UUID, bytes] = {}

    def put(self, id: UUID, data: bytes) -> None:
        self.files[str(id)] = data

    def open(self, id: str) -> io.BytesIO:
        if id not in self.files:
            raise FileNotFoundError(id)
        return io.BytesIO(self.files[id])


def taken(contents: Contents, shelf: Shelf) -> tuple[dict[str, bytes], Sealed]:
    """Every file of the archive, whose hashes are right."""
    out = io.BytesIO()
    sealed = incident_file.write(contents, shelf.open, shelf.sounds.__getitem__, out)
    data = out.getvalue()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (sealed.sha256, sealed.size)
    assert out.tell() == 0, "ready to be read"
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert sums == {name: hash for name, hash in hashes.items() if name != "SHA256SUMS"}
    return files, sealed


async def of(conn: Connection, id: int, viewer: int, shelf: Shelf | None = None) -> Any:
    files, _ = taken(await incident_file.read(conn, id, viewer, ANA), shelf or Shelf())
    return json.loads(files["incident.json"])


async def test_all_of_it_is_there_with_the_hash_of_each_file(conn: Connection) -> None:
    """DOM-RET-13."""
    one = await incident(conn, 5)
    other = await incident(conn, 5, title="another")
    await conn.execute("insert into incident_link values ($1, $2, 'same car', 'test')", one, other)
    order = await conn.fetchval("select order_id from assignment where incident_id = $1", one)
    await conn.execute(
        "insert into log (uid, kind, author, agency_id, at, body)"
        " values ($1, 'message', 'person:1', 1, now(), '{\"text\": \"go there\"}')",
        order,
    )
    shelf = Shelf()
    photo, lost = [await attached(conn, one, 5) for _ in range(2)]
    await conn.execute("update attachment set type = 'image/jpeg'")
    await attached(conn, other, 5)
    shelf.put(photo, b"a photo")
    talk, pruned = UUID(int=1), UUID(int=2)
    for id in (talk, pruned):
        await conn.execute(
            "insert into recording values ($1, 'incident:' || $2::int, 'x', $2, 'unit:1', 'P-1', 1,"
            " 'normal', '{}', now(), 4000, now())",
            *(id, one),
        )
    shelf.sounds |= {talk: b"a talk", pruned: b""}
    contents = await incident_file.read(conn, one, BPD, ANA)
    files, sealed = taken(contents, shelf)
    assert (sealed.attachments, sealed.missing) == (1, [str(lost)])
    name = f"attachments/{photo}.jpg"
    spoken = f"recordings/{talk}.ogg"
    assert set(files) == {"incident.json", "README.txt", "SHA256SUMS", name, spoken}
    assert (files[name], files[spoken]) == (b"a photo", b"a talk")
    assert sealed.recordings == 1
    said = json.loads(files["incident.json"])
    assert [(each["talker_name"], each["file"]) for each in said["recordings"]] == [
        ("P-1", spoken),
        ("P-1", None),
    ]
    assert said["incident"]["number"] == contents.number
    assert (said["incident"]["details"], said["incident"]["agency"]) == ("bleeding", "BPD")
    assert abs(said["incident"]["lat"] - 17.5005) < 1e-9
    assert [entry["seq"] for entry in said["log"]] == [1, 2, 3]
    assert said["log"][1]["details"] == {"text": "said by Juan Perez"}
    (sent,) = said["assignments"]
    assert (sent["unit"], sent["order_message"]) == ("P-1", {"text": "go there"})
    assert sent["on_scene_at"].endswith("+00:00")
    (caller,) = said["calls"]
    assert (caller["caller_name"], caller["caller_number"]) == ("Maria Caller", "501-600-1234")
    (link,) = said["links"]
    assert link["reason"] == "same car"
    by_id = {each["id"]: each for each in said["attachments"]}
    assert by_id[str(photo)]["sha256"] == hashlib.sha256(b"a photo").hexdigest()
    assert by_id[str(photo)]["sha256_as_sent"] == bytes(32).hex()
    assert by_id[str(lost)]["file"] is None
    assert "another" not in files["incident.json"].decode()
    readme = files["README.txt"].decode()
    assert contents.number in readme and str(lost) in readme and "Left out" not in readme


async def test_what_is_other_agencies_own_is_only_counted(conn: Connection) -> None:
    """DOM-RET-13, DOM-INC-7, DOM-CALL-4: for its own agency, and for one that took part."""
    one = await incident(conn, 5, units={CAR: BPD, BOAT: BCG}, partners=(BCG,))
    await call(conn, 5, BCG, of=one, taken_by=2)
    await conn.execute("update call set notes = 'theirs' where agency_id = 2")
    await conn.execute(
        "insert into incident_event (incident_id, seq, author, author_name, agency_id, kind,"
        " private, details) values ($1, 4, $2, 'Ben', 2, 'note', true, '{\"text\": \"secret\"}')",
        *(one, BEN),
    )
    ours, theirs = await of(conn, one, BPD), await of(conn, one, BCG)
    assert ours["left_out"] == {
        "calls": 1, "private_notes": 1, "invitations": 0, "words_of_orders": 1,
    }  # fmt: skip
    assert theirs["left_out"] == {
        "calls": 1, "private_notes": 1, "invitations": 0, "words_of_orders": 1,
    }  # fmt: skip
    assert [entry["seq"] for entry in ours["log"]] == [1, 2, 3]
    assert [entry["seq"] for entry in theirs["log"]] == [1, 3, 4]
    assert "theirs" not in json.dumps(ours) and "secret" not in json.dumps(ours)
    assert "Maria" in json.dumps(theirs) and "Juan Perez lies" not in json.dumps(theirs)
    for seen, own in ((ours, "P-1"), (theirs, "CG-1")):
        words = {each["unit"]: each["order_text"] is not None for each in seen["assignments"]}
        assert words == {"P-1": own == "P-1", "CG-1": own == "CG-1"}
    files, _ = taken(await incident_file.read(conn, one, BPD, ANA), Shelf())
    assert "Left out, since they are other agencies' own: 1 calls, 1 private notes" in (
        files["README.txt"].decode()
    )


async def test_what_others_attach_is_there_only_when_it_was_checked(conn: Connection) -> None:
    """DOM-FILE-8."""
    one = await incident(conn, 5)
    await attached(conn, one, 5, BCG, state="checking")
    own = await attached(conn, one, 5, BPD, state="refused")
    assert [each["id"] for each in (await of(conn, one, BPD))["attachments"]] == [str(own)]


async def test_an_incident_that_is_no_more(conn: Connection) -> None:
    with pytest.raises(Problem) as refused:
        await incident_file.read(conn, 99, BPD, ANA)
    assert refused.value.code == "not_found"


_TEXT = st.text(max_size=40)


@given(
    title=_TEXT,
    details=_TEXT,
    photos=st.dictionaries(st.uuids(), st.binary(max_size=200) | st.none(), max_size=4),
)
def test_whatever_was_typed_or_sent_reads_back(
    title: str, details: str, photos: dict[UUID, bytes | None]
) -> None:
    """DOM-RET-13: any words, any bytes, and any of the files lost."""
    shelf = Shelf()
    for id, data in photos.items():
        if data is not None:
            shelf.put(id, data)
    said: dict[str, Any] = {
        "made_at": datetime.now(UTC),
        "made_by": title,
        "as_seen_by": "BPD",
        "left_out": {"calls": 0},
        "incident": {"number": "BPD-26-00001", "title": title, "details": details},
        "attachments": [{"id": id, "state": "ready", "type": None} for id in photos],
        "recordings": [],
    }
    files, sealed = taken(Contents(said), shelf)
    read = json.loads(files["incident.json"])
    clean = [text.encode("utf-8", "replace").decode() for text in (title, details)]
    assert [read["incident"]["title"], read["incident"]["details"]] == clean
    assert set(sealed.missing) == {str(id) for id, data in photos.items() if data is None}
    for id, data in photos.items():
        if data is not None:
            assert files[f"attachments/{id}.bin"] == data
