"""What a client must not forget: what it sends, positions of a dead spot, what it has seen.

One SQLite file per client, or memory for a client that may forget when it ends. A message is on
disk before :meth:`Offline.keep_message` returns (``synchronous=FULL``), since from then on the
person who wrote it believes it will be sent.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from psn import wire

KEEP_FIXES = 200_000
"""Positions kept through a dead spot; two days at one a second. Beyond that the oldest go."""

_TABLES = """
CREATE TABLE IF NOT EXISTS outgoing (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, frame BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS asked (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, frame BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS for_radio (
    place INTEGER PRIMARY KEY, network INTEGER NOT NULL, number INTEGER NOT NULL,
    box TEXT NOT NULL, seq INTEGER NOT NULL, mail BLOB NOT NULL,
    UNIQUE (network, number, box, seq));
CREATE TABLE IF NOT EXISTS for_channel (
    place INTEGER PRIMARY KEY, channel TEXT NOT NULL, box TEXT NOT NULL, seq INTEGER NOT NULL,
    mail BLOB NOT NULL, UNIQUE (channel, box, seq));
CREATE TABLE IF NOT EXISTS fix (place INTEGER PRIMARY KEY, fix BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cursor (box TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS shown (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS session (one INTEGER PRIMARY KEY CHECK (one = 1), token TEXT NOT NULL);
"""
_SHOWN_KEPT = 10_000


def _read(kept: bytes) -> wire.ClientFrame | None:
    """A kept frame; none: of an earlier version, and no server would take it."""
    try:
        return wire.MSGPACK.decode_client(kept)
    except wire.WireError:
        return None


def _read_mail(kept: bytes) -> wire.Mail | None:
    """A kept entry of a mailbox; none: of a later version."""
    try:
        mail = wire.MSGPACK.decode_server(kept)
    except wire.WireError:
        return None
    return mail if isinstance(mail, wire.Mail) else None


class Offline:
    """The memory of one client. Not for use from several threads at once."""

    def __init__(self, path: Path | str | None = None) -> None:
        """Open or make the file; without a path everything is forgotten at the end.

        Its owner alone reads the file: a session and what people wrote to each other are in it.
        """
        if path is not None:
            # What SQLite puts beside it has the same rights.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            os.chmod(path, 0o600)
        self._db = sqlite3.connect(path if path is not None else ":memory:", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_TABLES)
        self.fixes = self._db.execute("SELECT count(*) FROM fix").fetchone()[0]
        """How many positions wait."""

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def wipe(self) -> None:
        """Keep nothing of what there was, in the file neither."""
        self._db.execute("PRAGMA secure_delete = ON")
        for table in (
            "outgoing",
            "asked",
            "for_radio",
            "for_channel",
            "fix",
            "cursor",
            "shown",
            "session",
        ):
            self._db.execute(f"DELETE FROM {table}")
        self._db.execute("VACUUM")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.fixes = 0

    # -- messages on their way out

    def keep_message(self, frame: wire.Message) -> None:
        """Keep a message until it is acknowledged; one that is kept already stays as it is."""
        self._db.execute(
            "INSERT INTO outgoing (id, frame) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (str(frame.id), wire.MSGPACK.encode(frame)),
        )

    def messages(self) -> list[wire.Message]:
        """All kept messages, in the order they were written."""
        rows = self._db.execute("SELECT frame FROM outgoing ORDER BY place")
        return [frame for row in rows if isinstance(frame := _read(row[0]), wire.Message)]

    def drop_message(self, message: UUID) -> None:
        """A message was acknowledged, or refused for good."""
        self._db.execute("DELETE FROM outgoing WHERE id = ?", (str(message),))

    # -- what is to be done whatever happens

    def keep_asked(self, frame: wire.Do) -> None:
        """Keep an action, its body in MessagePack, until it is answered."""
        self._db.execute(
            "INSERT INTO asked (id, frame) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (str(frame.id), wire.MSGPACK.encode(frame)),
        )

    def asked(self) -> list[wire.Do]:
        """All kept actions, in the order they were asked."""
        rows = self._db.execute("SELECT frame FROM asked ORDER BY place")
        return [frame for row in rows if isinstance(frame := _read(row[0]), wire.Do)]

    def drop_asked(self, action: UUID) -> None:
        """An action was done, or refused."""
        self._db.execute("DELETE FROM asked WHERE id = ?", (str(action),))

    # -- what a radio gateway brings to radios

    def keep_for_radio(self, radio: wire.Radio, mail: wire.Mail) -> None:
        """Keep a text until its radio has it."""
        self._db.execute(
            "INSERT INTO for_radio (network, number, box, seq, mail) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (radio.network, radio.number, mail.box, mail.seq, wire.MSGPACK.encode(mail)),
        )

    def for_radios(self) -> list[tuple[wire.Radio, wire.Mail]]:
        """All kept texts for radios, in the order they came."""
        rows = self._db.execute("SELECT network, number, mail FROM for_radio ORDER BY place")
        found = ((wire.Radio(network, number), _read_mail(kept)) for network, number, kept in rows)
        return [(radio, mail) for radio, mail in found if mail is not None]

    def drop_for_radio(self, radio: wire.Radio, mail: wire.Mail) -> None:
        """Its radio has it, or will not."""
        self._db.execute(
            "DELETE FROM for_radio WHERE (network, number, box, seq) = (?, ?, ?, ?)",
            (radio.network, radio.number, mail.box, mail.seq),
        )

    def keep_for_channel(self, channel: str, mail: wire.Mail) -> None:
        """Keep a text until it is sent on a channel, which has a name of the gateway's own."""
        self._db.execute(
            "INSERT INTO for_channel (channel, box, seq, mail) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (channel, mail.box, mail.seq, wire.MSGPACK.encode(mail)),
        )

    def for_channels(self) -> list[tuple[str, wire.Mail]]:
        """All kept texts for channels, in the order they came."""
        rows = self._db.execute("SELECT channel, mail FROM for_channel ORDER BY place")
        found = ((channel, _read_mail(kept)) for channel, kept in rows)
        return [(channel, mail) for channel, mail in found if mail is not None]

    def drop_for_channel(self, channel: str, mail: wire.Mail) -> None:
        """It is sent there, or will not be."""
        self._db.execute(
            "DELETE FROM for_channel WHERE (channel, box, seq) = (?, ?, ?)",
            (channel, mail.box, mail.seq),
        )

    # -- positions of a dead spot

    def keep_fix(self, fix: wire.Fix) -> None:
        """Keep a position until there is a network again."""
        self._db.execute("INSERT INTO fix (fix) VALUES (?)", (wire.MSGPACK.encode(fix),))
        self.fixes += 1
        if self.fixes > KEEP_FIXES:
            self._db.execute("DELETE FROM fix WHERE place = (SELECT min(place) FROM fix)")
            self.fixes -= 1

    def oldest_fixes(self, count: int) -> list[tuple[int, wire.Fix]]:
        """The oldest kept positions with their places in the queue."""
        rows = self._db.execute("SELECT place, fix FROM fix ORDER BY place LIMIT ?", (count,))
        return [(place, wire.MSGPACK.decode_fix(fix)) for place, fix in rows]

    def drop_fixes(self, through: int) -> None:
        """Positions up to a place in the queue are stored."""
        self.fixes -= self._db.execute("DELETE FROM fix WHERE place <= ?", (through,)).rowcount

    # -- what was seen

    def cursors(self) -> dict[str, int]:
        """The newest sequence seen in each mailbox."""
        return dict(self._db.execute("SELECT box, seq FROM cursor"))

    def keep_cursors(self, cursors: Iterable[tuple[str, int]]) -> None:
        """What was seen by now."""
        with self._db:  # commits, or takes back
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO cursor VALUES (?, ?)"
                " ON CONFLICT (box) DO UPDATE SET seq = excluded.seq",
                cursors,
            )

    def was_shown(self, message: UUID) -> bool:
        """Whether a message was shown before."""
        row = self._db.execute("SELECT 1 FROM shown WHERE id = ?", (str(message),)).fetchone()
        return row is not None

    def keep_shown(self, message: UUID) -> None:
        """A message was shown."""
        added = self._db.execute(
            "INSERT INTO shown (id) VALUES (?) ON CONFLICT DO NOTHING", (str(message),)
        )
        if added.rowcount and (added.lastrowid or 0) % 1_000 == 0:
            self._db.execute(
                "DELETE FROM shown WHERE place <= (SELECT max(place) FROM shown) - ?",
                (_SHOWN_KEPT,),
            )

    # -- the session

    @property
    def token(self) -> str | None:
        """The session's token, to come back with."""
        row = self._db.execute("SELECT token FROM session").fetchone()
        return None if row is None else str(row[0])

    @token.setter
    def token(self, token: str | None) -> None:
        if token is None:
            self._db.execute("DELETE FROM session")
        else:
            self._db.execute("INSERT OR REPLACE INTO session VALUES (1, ?)", (token,))
