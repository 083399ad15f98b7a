"""The audit: what was done, by whom, from where, on what; and whether any of it was changed since.

Pure: entries and checkpoints come in, findings go out. ``psn.trail.auditor`` writes,
``psn.trail.audit_search`` reads.

Theory
------
Entries are numbered 1, 2, 3 …, and each is bound to the one before (a hash chain; Schneier and
Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999)::

    hash(n) = SHA-256( hash(n - 1) || n as 8 bytes, big endian || body(n) in UTF-8 )

with 32 zero bytes for ``hash(0)``. The body is the JSON text exactly as it is kept: it is never
formatted again, so no two programs need to agree on how JSON is written. Whoever changes, removes,
inserts or renumbers an entry has to write every later hash anew. He who may write the table can do
that, and can cut off its end. So from time to time the server signs the newest number and hash (a
:class:`Checkpoint`) with a key that is not in the database; kept elsewhere, its one line proves
what the audit was up to there. What came after the newest checkpoint is as safe as the table.

The chain is grown by one function of the database, ``audit_append`` (migration 0006), under a lock
that lasts until its transaction ends: that is what makes numbers gapless and the chain one, among
server, command line and psql alike. So it is called last in a transaction. Triggers note changes
of :data:`psn.watched.AUDITED_TABLES` and call it when the transaction commits.

What an entry says is :class:`Entry`. Its texts may be what a stranger typed: they are cut, and what
PostgreSQL's JSON cannot hold is replaced; whoever shows them must escape them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BEGINNING: Final = bytes(32)
"""What the first entry is bound to."""
LONGEST_NAME: Final = 63
"""Characters kept of a name that somebody tried to sign in with."""
LONGEST_TEXT: Final = 1_000
"""Characters kept of any other text."""
SUSPECTS: Final = 200
"""So many entries are tried for where they stood before; every bad one is named all the same."""


# -- what an entry says


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and from where."""

    address: str
    """``person:3``, ``unit:7``, ``device:9``; ``command line: USER``, ``database: ROLE``."""
    name: str | None = None
    """What others call him."""
    agency: int | None = None
    """His agency's id."""
    source: str | None = None
    """The network address that the request came from."""
    session: str | None = None
    """The first 8 hex digits of the hash of his session's token."""


NOBODY: Final = "nobody"
"""The address of an actor who did not prove who he is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry before it is written; its number, and its time if it has none, are given then."""

    actor: Actor
    action: str
    """A stable dotted word: ``track.read``."""
    object: str | None = None
    """What it was done to: ``unit:7``."""
    owner: int | None = None
    """The agency whose object that is."""
    details: Mapping[str, Any] = field(default_factory=dict)
    at: int | None = None
    """When, in milliseconds UTC; none: when it is written."""

    def json(self) -> str:
        """The entry for ``audit_append``."""
        actor = self.actor
        said = {
            "at": self.at,
            "actor": actor.address,
            "actor_name": actor.name,
            "agency": actor.agency,
            "source": actor.source,
            "session": actor.session,
            "action": self.action,
            "object": self.object,
            "owner": self.owner,
            "details": self.details,
        }
        known = {key: _storable(value) for key, value in said.items() if value is not None}
        return json.dumps(known, ensure_ascii=False, allow_nan=False)


def session_name(token_hash: bytes) -> str:
    """What a session is called in the audit."""
    return token_hash.hex()[:8]


def _storable(value: Any) -> Any:
    """The value without what PostgreSQL's JSON cannot hold, and without endless texts."""
    if isinstance(value, str):
        text = value[:LONGEST_TEXT].replace("\0", "\ufffd")
        return text.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_storable(str(key)): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(inner) for inner in value]
    return value


# -- the chain


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it is kept."""

    seq: int
    body: str
    hash: bytes

    def follows(self, link: bytes, seq: int | None = None) -> bool:
        """Whether it is entry ``seq`` (its own number) behind an entry with the hash ``link``."""
        return chain(link, self.seq if seq is None else seq, self.body) == self.hash


def chain(link: bytes, seq: int, body: str) -> bytes:
    """The hash of entry ``seq`` whose predecessor has the hash ``link``."""
    number = seq.to_bytes(8, "big", signed=True)
    return hashlib.sha256(link + number + body.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A server's signed word that entry ``seq`` had this hash ``at`` (UTC, whole seconds)."""

    seq: int
    hash: bytes
    at: datetime
    key: bytes
    """The public key: 32 bytes (Ed25519, RFC 8032)."""
    signature: bytes

    @property
    def signed(self) -> str:
        """The text under the signature."""
        return checkpoint_text(self.seq, self.hash, self.at)

    @property
    def line(self) -> str:
        """The whole as one line, to be kept elsewhere."""
        return f"{self.signed} {self.key.hex()} {self.signature.hex()}"

    @property
    def is_genuine(self) -> bool:
        """Whether the owner of ``key`` signed it."""
        try:
            key = Ed25519PublicKey.from_public_bytes(self.key)
            key.verify(self.signature, self.signed.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


def checkpoint_text(seq: int, link: bytes, at: datetime) -> str:
    """What is signed: ``psn-audit-checkpoint 1 SEQ HASH TIME``."""
    return f"psn-audit-checkpoint 1 {seq} {link.hex()} {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


_LINE: Final = re.compile(
    r"psn-audit-checkpoint 1 ([0-9]{1,18}) ([0-9a-f]{64})"
    r" ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z ([0-9a-f]{64}) ([0-9a-f]{128})",
    re.ASCII,
)


def read_checkpoints(text: str) -> list[Checkpoint]:
    """The checkpoints in a text: a file of them, or a whole log with other lines between."""
    found = []
    for seq, link, at, key, signature in _LINE.findall(text):
        try:
            moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
        except ValueError:  # the 31st of February
            continue
        found.append(
            Checkpoint(
                int(seq), bytes.fromhex(link), moment, bytes.fromhex(key), bytes.fromhex(signature)
            )
        )
    return found


# -- what the server signs in entries of its own


def pruned_text(first: int, last: int, link: bytes) -> str:
    """What is signed when entries ``first`` to ``last``, whose hash is ``link``, are deleted."""
    return f"psn-audit-pruned 1 {first} {last} {link.hex()}"


def is_signed(details: Mapping[str, Any], text: str, keys: frozenset[bytes]) -> bool:
    """Whether an entry's details hold a good signature of ``text``, by one of ``keys`` if any."""
    try:
        key = bytes.fromhex(details["key"])
        Ed25519PublicKey.from_public_bytes(key).verify(
            bytes.fromhex(details["signature"]), text.encode()
        )
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return not keys or key in keys


@dataclass(frozen=True, slots=True)
class Pruned:
    """The server's signed word that it deleted entries ``first`` to ``last`` of the audit."""

    seq: int
    """The entry that says so."""
    first: int
    last: int
    hash: bytes
    """Of entry ``last``."""


def read_pruned(row: Row, keys: frozenset[bytes]) -> Pruned | None:
    """What an entry says was pruned; none when it does not, or nobody who may has signed it."""
    # Inside a text the quotation marks would be escaped: so a stranger cannot write this.
    if '"action": "audit.pruned"' not in row.body:
        return None
    try:
        said = json.loads(row.body)
        if said["action"] != "audit.pruned":
            return None
        details = said["details"]
        first, last = int(details["first"]), int(details["last"])
        link = bytes.fromhex(details["hash"])
    except (ValueError, KeyError, TypeError):
        return None
    if not is_signed(details, pruned_text(first, last, link), keys):
        return None
    return Pruned(row.seq, first, last, link)


# -- what is wrong


@dataclass(frozen=True, slots=True)
class Finding:
    """Something is not as it was written, in plain words."""

    seq: int
    """The entry, or the first of those, that it is about."""
    kind: str
    """``changed``, ``missing``, ``moved``, ``twice``, ``disordered``, ``cut_off``, ``rewritten``,
    ``forged_checkpoint``, ``foreign_checkpoint``, ``unreadable``, ``unguarded``."""
    text: str


def verify(
    rows: Iterable[Row], checkpoints: Iterable[Checkpoint] = (), keys: Iterable[bytes] = ()
) -> list[Finding]:
    """What is wrong with the rows, which should be a whole audit in its order.

    ``keys`` are the public keys that may sign checkpoints; none: any may.
    """
    given = list(rows)
    findings = list(disorder(row.seq for row in given))
    verifier = Verifier(checkpoints, keys)
    for row in sorted(given, key=lambda row: row.seq):
        findings += verifier.take(row)
    return findings + verifier.finish()


def disorder(numbers: Iterable[int]) -> Iterator[Finding]:
    """Entries that stand behind one with a higher number."""
    for before, seq in pairwise(numbers):
        if seq < before:
            text = f"Entry {seq} stands behind entry {before}: the order was changed."
            yield Finding(seq, "disordered", text)


@dataclass(frozen=True, slots=True)
class _Place:
    """A number, and the hash that an entry there has to follow."""

    seq: int
    link: bytes


class Verifier:
    """Checks a chain of any length, a row at a time, in the order of their numbers.

    Where the chain is broken it goes on from what stands there, so that the entries behind are
    judged by their own: one change is one finding.
    """

    def __init__(self, checkpoints: Iterable[Checkpoint] = (), keys: Iterable[bytes] = ()) -> None:
        self.last = 0
        """The highest number so far."""
        self.rows = 0
        self.bad = 0
        """Rows that were named."""
        self.newest: str | None = None
        """The body of the newest entry that is good."""
        self.proved: list[Checkpoint] = []
        """Checkpoints that hold."""
        self._link: bytes | None = BEGINNING
        self._instead: bytes | None = None
        """The hash the last row should have had, if it has another."""
        self._gaps: list[tuple[int, int]] = []
        self._places: list[_Place] = []
        self._suspects: list[Row] = []
        self._findings: list[Finding] = []
        self._signed: dict[int, list[Checkpoint]] = {}
        self._first: Row | None = None
        """The row that the audit begins with now."""
        self._pruned: list[Pruned] = []
        self._keys = keys = frozenset(keys)
        for checkpoint in sorted(checkpoints, key=lambda c: (c.seq, c.at)):
            self._judge(checkpoint, keys)

    def _judge(self, checkpoint: Checkpoint, keys: frozenset[bytes]) -> None:
        seq = checkpoint.seq
        if not checkpoint.is_genuine:
            text = f"The checkpoint of entry {seq} has a wrong signature: it was changed or forged."
            self._findings.append(Finding(seq, "forged_checkpoint", text))
        elif keys and checkpoint.key not in keys:
            text = (
                f"The checkpoint of entry {seq} is signed with the key {checkpoint.key.hex()},"
                " which is none of those that may."
            )
            self._findings.append(Finding(seq, "foreign_checkpoint", text))
        elif checkpoint not in self._signed.setdefault(seq, []):
            self._signed[seq].append(checkpoint)

    def take(self, row: Row) -> list[Finding]:
        """The next row, and what is wrong with it."""
        self.rows += 1
        if row.seq <= self.last:
            self.bad += 1
            if row.seq < 1:
                text = f"Entries are counted from 1, and there is one with the number {row.seq}."
                return [Finding(row.seq, "moved", text)]
            return [Finding(row.seq, "twice", f"There are two of entry {row.seq}.")]
        if self._first is None:
            self._first = row
        pruned = read_pruned(row, self._keys)
        if pruned is not None:
            self._pruned.append(pruned)
        findings = []
        if row.seq > self.last + 1:
            self._skip(row)
        if self._link is not None and not row.follows(self._link):
            findings = self._broken(row, self._link)
        else:
            if self._link is None:
                self._suspect(row)
            self._instead = None
            self.newest = row.body
        self.last, self._link = row.seq, row.hash
        self._compare(row)
        return findings

    def _skip(self, row: Row) -> None:
        """Numbers are missing before this row: a checkpoint may still tell what it follows."""
        if self._link is not None:
            self._places.append(_Place(self.last + 1, self._link))
        self._gaps.append((self.last + 1, row.seq - 1))
        signed = self._signed.get(row.seq - 1)
        self._link = signed[-1].hash if signed else None
        self._instead = None

    def _broken(self, row: Row, link: bytes) -> list[Finding]:
        if self._instead is not None and row.follows(self._instead):
            # It is the hash of the row before that was changed, and that one has been named.
            self._instead = None
            self.newest = row.body
            return []
        self.bad += 1
        self._places.append(_Place(row.seq, link))
        self._suspect(row)
        self._instead = chain(link, row.seq, row.body)
        before = f"entry {row.seq - 1}" if row.seq > 1 else "the beginning"
        text = f"Entry {row.seq} was changed: it does not follow {before} with this content."
        if row.seq > 1:
            text += f" Or {before} was changed together with its hash."
        return [Finding(row.seq, "changed", text)]

    def _suspect(self, row: Row) -> None:
        if len(self._suspects) < SUSPECTS:
            self._suspects.append(row)

    def _compare(self, row: Row) -> None:
        for checkpoint in self._signed.get(row.seq, ()):
            if checkpoint.hash == row.hash:
                self.proved.append(checkpoint)
                continue
            since = self.proved[-1].seq + 1 if self.proved else 1
            text = (
                f"Entry {row.seq} is not the one that was signed at {checkpoint.at:%Y-%m-%d %H:%M}"
                f" UTC: the audit was written anew somewhere from entry {since} to {row.seq}."
            )
            self._findings.append(Finding(row.seq, "rewritten", text))

    def finish(self) -> list[Finding]:
        """After the last row: what the whole tells."""
        self._compare_pruned()
        return [*self._missing(), *self._moved(), *self._cut_off(), *self._findings]

    def _compare_pruned(self) -> None:
        """A checkpoint of an entry that was pruned holds it to what the pruning says it was."""
        for pruned in self._pruned:
            for checkpoint in self._signed.get(pruned.last, ()):
                if checkpoint.hash != pruned.hash:
                    text = (
                        f"Entry {pruned.last}, which was pruned, was not the one that was signed"
                        f" at {checkpoint.at:%Y-%m-%d %H:%M} UTC: the audit had been written anew."
                    )
                    self._findings.append(Finding(pruned.last, "rewritten", text))

    @property
    def pruned(self) -> Pruned | None:
        """The pruning after which the audit begins where it does, if that was one."""
        row = self._first
        if row is None:
            return None
        return next(
            (p for p in self._pruned if p.last == row.seq - 1 and row.follows(p.hash)), None
        )

    def _unexplained(self) -> Iterator[tuple[int, int]]:
        """Gaps that no pruning has made. What was pruned before is not missing behind, either."""
        pruned = self.pruned
        known = max((p.last for p in self._pruned), default=0)
        for first, last in self._gaps:
            if pruned is not None and last == pruned.last:
                continue
            yield (known + 1 if first == 1 and known < last else first), last

    def _missing(self) -> Iterator[Finding]:
        for first, last in self._unexplained():
            which = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
            text = f"{which} missing"
            if last not in self._signed:
                text += f"; whether entry {last + 1} was changed cannot be told without"
            yield Finding(first, "missing", text + ".")

    def _moved(self) -> Iterator[Finding]:
        places = self._places[:SUSPECTS]
        if self._link is not None:
            places.append(_Place(self.last + 1, self._link))
        for row in self._suspects:
            for place in places:
                if place.seq != row.seq and row.follows(place.link, place.seq):
                    text = f"What stands at {row.seq} is entry {place.seq}: it was renumbered."
                    yield Finding(row.seq, "moved", text)

    def _cut_off(self) -> Iterator[Finding]:
        beyond = [checkpoints for seq, checkpoints in self._signed.items() if seq > self.last]
        if beyond:
            newest = max((c for some in beyond for c in some), key=lambda c: (c.seq, c.at))
            end = f"entry {self.last} is the last one here" if self.last else "there is none here"
            text = (
                f"The end was cut off: entry {newest.seq} was signed at"
                f" {newest.at:%Y-%m-%d %H:%M} UTC, and {end}."
            )
            yield Finding(self.last + 1, "cut_off", text)
