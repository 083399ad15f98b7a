"""The chain (docs/domain.md, DOM-AUD): any change of it is found, and named in words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from psn.trail.audit import (
    BEGINNING,
    LONGEST_TEXT,
    SUSPECTS,
    Actor,
    Checkpoint,
    Entry,
    Finding,
    Row,
    Verifier,
    chain,
    checkpoint_text,
    pruned_text,
    read_checkpoints,
    read_pruned,
    verify,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
THEN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def chained(bodies: list[str]) -> list[Row]:
    rows: list[Row] = []
    link = BEGINNING
    for seq, body in enumerate(bodies, 1):
        link = chain(link, seq, body)
        rows.append(Row(seq, body, link))
    return rows


def rewritten(rows: list[Row], start: int) -> list[Row]:
    """The rows with every hash from an index on made to fit, as one does who covers his tracks."""
    link = rows[start - 1].hash if start else BEGINNING
    done = rows[:start]
    for row in rows[start:]:
        link = chain(link, row.seq, row.body)
        done.append(replace(row, hash=link))
    return done


def signed(row: Row, at: datetime = THEN, key: Ed25519PrivateKey = KEY) -> Checkpoint:
    signature = key.sign(checkpoint_text(row.seq, row.hash, at).encode())
    return Checkpoint(row.seq, row.hash, at, key.public_key().public_bytes_raw(), signature)


def named(findings: list[Finding]) -> set[int]:
    """Every number that the findings say in words: single entries and what ranges enclose."""
    numbers: set[int] = set()
    for finding in findings:
        for first, last in re.findall(r"(-?\d+)(?: to (\d+))?", finding.text):
            numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def kinds(findings: list[Finding]) -> set[str]:
    return {finding.kind for finding in findings}


bodies = st.lists(st.text(max_size=20), min_size=1, max_size=12)


@st.composite
def chains(draw: st.DrawFn, least: int = 1) -> tuple[list[Row], int]:
    """A chain and an index into it."""
    rows = chained(draw(st.lists(st.text(max_size=20), min_size=least, max_size=12)))
    return rows, draw(st.integers(0, len(rows) - 1))


def test_the_hash_is_what_the_theory_says() -> None:
    """Computed once by hand, with sha256sum."""
    assert chain(BEGINNING, 1, '{"at": 0}').hex() == (
        "5a3123775a7b8baab4d7ffa852efbae8f2c7a28f07ab346a1154749ec83f5487"
    )


@given(bodies)
def test_a_chain_that_nobody_touched_is_good(texts: list[str]) -> None:
    rows = chained(texts)
    verifier = Verifier([signed(rows[-1])], [PUBLIC])
    assert [f for row in rows for f in verifier.take(row)] + verifier.finish() == []
    assert (verifier.rows, verifier.bad, verifier.newest) == (len(rows), 0, texts[-1])
    assert [checkpoint.seq for checkpoint in verifier.proved] == [len(rows)]


@given(chains(), st.text(max_size=20))
def test_a_changed_body_is_named_and_it_alone(case: tuple[list[Row], int], body: str) -> None:
    rows, place = case
    if body == rows[place].body:
        return
    rows[place] = replace(rows[place], body=body)
    (finding,) = verify(rows)
    assert (finding.seq, finding.kind) == (place + 1, "changed")
    assert place + 1 in named([finding])


@given(chains(), st.binary(min_size=32, max_size=32))
def test_a_changed_hash_is_named_and_it_alone(case: tuple[list[Row], int], link: bytes) -> None:
    rows, place = case
    if link == rows[place].hash:
        return
    rows[place] = replace(rows[place], hash=link)
    (finding,) = verify(rows)
    assert (finding.seq, finding.kind) == (place + 1, "changed")


@given(chains(least=2), st.text(max_size=20))
def test_a_body_changed_with_its_own_hash_is_named_at_the_next(
    case: tuple[list[Row], int], body: str
) -> None:
    rows, place = case
    if body == rows[place].body or place == len(rows) - 1:
        return
    link = chain(rows[place - 1].hash if place else BEGINNING, place + 1, body)
    rows[place] = Row(place + 1, body, link)
    (finding,) = verify(rows)
    assert {place + 1, place + 2} <= named([finding])


@given(chains(least=2))
def test_a_removed_entry_is_named(case: tuple[list[Row], int]) -> None:
    rows, place = case
    if place == len(rows) - 1:  # the end: only a checkpoint tells, see below
        return
    del rows[place]
    (finding,) = verify(rows)
    assert (finding.seq, finding.kind) == (place + 1, "missing")


@given(chains(least=2), st.integers(1, 11))
def test_two_entries_that_changed_places_are_named(case: tuple[list[Row], int], step: int) -> None:
    rows, one = case
    other = (one + step) % len(rows)
    if rows[one].body == rows[other].body or one == other:
        return
    # With their numbers: only the order of the list is another.
    moved = list(rows)
    moved[one], moved[other] = rows[other], rows[one]
    assert "disordered" in kinds(verify(moved))
    # Each under the other's number.
    swapped = list(rows)
    swapped[one] = replace(rows[other], seq=one + 1)
    swapped[other] = replace(rows[one], seq=other + 1)
    found = verify(swapped)
    assert {one + 1, other + 1} <= named(found)
    first, second = min(one, other) + 1, max(one, other) + 1
    assert any(f.kind == "moved" and f.seq == second and first in named([f]) for f in found)


@given(chains(), st.integers(-3, 40))
def test_a_renumbered_entry_is_named(case: tuple[list[Row], int], number: int) -> None:
    rows, place = case
    old = place + 1
    if number == old:
        return
    rows[place] = replace(rows[place], seq=number)
    found = verify(rows)
    assert number in named(found) or "twice" in kinds(found)
    if old < len(rows):
        assert old in named(found)
    if number > len(rows):
        assert any(f.kind == "moved" and f.seq == number and old in named([f]) for f in found)


@given(chains(), st.text(max_size=20))
def test_an_entry_slipped_in_between_is_named(case: tuple[list[Row], int], body: str) -> None:
    rows, place = case
    link = rows[place - 1].hash if place else BEGINNING
    forged = Row(place + 1, body, chain(link, place + 1, body))
    behind = [replace(row, seq=row.seq + 1) for row in rows[place:]]
    found = verify([*rows[:place], forged, *behind])
    assert found[0].seq == place + 2


@given(chains(), st.text(max_size=20))
def test_a_chain_written_anew_is_found_by_a_checkpoint(
    case: tuple[list[Row], int], body: str
) -> None:
    rows, place = case
    if body == rows[place].body:
        return
    kept = [signed(row) for row in rows]
    forged = list(rows)
    forged[place] = replace(rows[place], body=body)
    forged = rewritten(forged, place)
    assert verify(forged) == []  # by itself it is a good chain
    found = verify(forged, kept, [PUBLIC])
    assert [finding.seq for finding in found] == list(range(place + 1, len(rows) + 1))
    assert kinds(found) == {"rewritten"}
    assert f"from entry {place + 1} to {place + 1}." in found[0].text


@given(chains())
def test_an_end_cut_off_is_found_by_a_checkpoint(case: tuple[list[Row], int]) -> None:
    rows, place = case
    (finding,) = verify(rows[:place], [signed(rows[-1])], [PUBLIC])
    assert (finding.seq, finding.kind) == (place + 1, "cut_off")
    assert f"entry {len(rows)} was signed" in finding.text


@given(chains(least=3))
def test_a_checkpoint_vouches_for_what_follows_a_gap(case: tuple[list[Row], int]) -> None:
    rows, place = case
    if not 0 < place < len(rows) - 1:
        return
    checkpoint = signed(rows[place - 1])
    (gap,) = verify(rows[place:], [checkpoint], [PUBLIC])
    assert (gap.seq, gap.kind) == (1, "missing")
    assert "cannot be told" not in gap.text
    changed = [replace(rows[place], body=rows[place].body + "x"), *rows[place + 1 :]]
    assert place + 1 in {f.seq for f in verify(changed, [checkpoint], [PUBLIC])}


@given(chains(), st.integers(0, 511), st.booleans())
def test_a_checkpoint_that_was_changed_is_named(
    case: tuple[list[Row], int], bit: int, of_hash: bool
) -> None:
    rows, place = case
    good = signed(rows[place])

    def flipped(value: bytes) -> bytes:
        at = bit % (8 * len(value))
        return (int.from_bytes(value, "big") ^ (1 << at)).to_bytes(len(value), "big")

    bad = (
        replace(good, hash=flipped(good.hash))
        if of_hash
        else replace(good, signature=flipped(good.signature))
    )
    for forged in (bad, replace(good, at=good.at + timedelta(seconds=1)), replace(good, key=b"x")):
        (finding,) = verify(rows, [forged])
        assert (finding.seq, finding.kind) == (place + 1, "forged_checkpoint")


def test_a_checkpoint_of_a_stranger_is_named() -> None:
    rows = chained(["a", "b"])
    stranger = signed(rows[1], key=Ed25519PrivateKey.from_private_bytes(b"s" * 32))
    (finding,) = verify(rows, [stranger], [PUBLIC])
    assert (finding.seq, finding.kind) == (2, "foreign_checkpoint")
    assert verify(rows, [stranger]) == []
    assert verify(rows, [stranger], [PUBLIC, stranger.key]) == []


# -- an audit whose beginning was pruned


def pruned(
    texts: list[str],
    through: int,
    key: Ed25519PrivateKey = KEY,
    link: bytes | None = None,
    action: str = "audit.pruned",
) -> list[Row]:
    """What is left when all up to an entry went, and an entry at the end says so."""
    rows = chained(texts)
    gone = rows[through - 1].hash if link is None else link
    details = {
        "first": 1,
        "last": through,
        "hash": gone.hex(),
        "key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(pruned_text(1, through, gone).encode()).hex(),
    }
    said = Entry(Actor("server"), action, details=details, at=1).json()
    return chained([*texts, said])[through:]


@st.composite
def cut(draw: st.DrawFn, left: int = 1) -> tuple[list[str], int]:
    """Bodies of entries, and how many of them went; so many stay at least."""
    texts = draw(st.lists(st.text(max_size=20), min_size=1 + left, max_size=12))
    return texts, draw(st.integers(1, len(texts) - left))


@given(cut())
def test_what_is_left_of_a_pruned_audit_is_good(case: tuple[list[str], int]) -> None:
    """DOM-RET-6."""
    texts, through = case
    rows = pruned(texts, through)
    kept = [signed(chained(texts)[through - 1]), signed(rows[-1])]
    verifier = Verifier(kept, [PUBLIC])
    assert [f for row in rows for f in verifier.take(row)] + verifier.finish() == []
    assert verifier.pruned is not None
    assert (verifier.pruned.first, verifier.pruned.last) == (1, through)
    assert verify(rows) == [], "nor does it need a checkpoint"


@given(cut(left=2), st.text(max_size=20))
def test_a_change_behind_a_pruning_is_named_and_it_alone(
    case: tuple[list[str], int], body: str
) -> None:
    """DOM-RET-6, DOM-AUD-2."""
    texts, through = case
    rows = pruned(texts, through)
    assume(body != rows[1].body)
    rows[1] = replace(rows[1], body=body)
    assert [(f.kind, f.seq) for f in verify(rows, [], [PUBLIC])] == [("changed", through + 2)]


@given(cut())
def test_a_first_entry_that_does_not_follow_what_was_pruned_is_found(
    case: tuple[list[str], int],
) -> None:
    """DOM-RET-6: what stands there now was changed after the rest was deleted."""
    texts, through = case
    rows = pruned(texts, through)
    rows[0] = replace(rows[0], body=rows[0].body + "!")
    assert f"Entries 1 to {through} are" in _text(rows) or "Entry 1 is missing" in _text(rows)


@given(cut(left=2))
def test_more_missing_than_was_pruned_is_named(case: tuple[list[str], int]) -> None:
    """DOM-RET-6."""
    texts, through = case
    (finding,) = verify(pruned(texts, through)[1:], [], [PUBLIC])
    assert (finding.kind, finding.seq) == ("missing", through + 1)
    assert finding.text.startswith(f"Entry {through + 1} is missing")


@given(cut())
def test_a_pruning_that_nobody_who_may_has_signed_explains_nothing(
    case: tuple[list[str], int],
) -> None:
    """DOM-RET-6."""
    texts, through = case
    thief = Ed25519PrivateKey.generate()
    for rows in (
        pruned(texts, through, key=thief),
        pruned(texts, through, action="sign_in.failed"),
        pruned(texts, through, link=bytes(32)),
        pruned(texts, through)[:-1],
    ):
        found = verify(rows, [], [PUBLIC])
        assert ("missing", 1) in {(finding.kind, finding.seq) for finding in found}


@given(cut())
def test_a_pruning_of_what_had_been_written_anew_is_found_by_an_old_checkpoint(
    case: tuple[list[str], int],
) -> None:
    """DOM-RET-6: pruning does not wash clean."""
    texts, through = case
    before = signed(chained(["what really was", *texts[1:]])[through - 1])
    assume(texts[0] != "what really was")
    assert "rewritten" in kinds(verify(pruned(texts, through), [before], [PUBLIC]))


@given(
    st.text() | st.dictionaries(st.text(), st.none() | st.text() | st.integers()).map(json.dumps)
)
def test_no_entry_breaks_the_search_for_prunings(body: str) -> None:
    for text in (body, '{"action": "audit.pruned"}' + body, '["action": "audit.pruned"]'):
        assert read_pruned(Row(1, text, b""), frozenset()) is None


def _text(rows: list[Row]) -> str:
    return " ".join(finding.text for finding in verify(rows, [], [PUBLIC]))


def test_checkpoints_are_read_from_a_whole_log() -> None:
    rows = chained(["a", "b"])
    made = [signed(row, THEN + timedelta(hours=row.seq)) for row in rows]
    log = (
        "2026-11-01 13:00:00,123 INFO psn.trail.auditor: " + made[0].line + "\n"
        "something else psn-audit-checkpoint 1 7 nonsense\n"
        "psn-audit-checkpoint 1 3 " + "0" * 64 + " 2026-02-31T00:00:00Z "
        + "0" * 64 + " " + "0" * 128 + "\n"
        + made[1].line
    )  # fmt: skip
    assert read_checkpoints(log) == made
    assert all(checkpoint.is_genuine for checkpoint in read_checkpoints(log))


@given(st.text())
def test_any_text_may_be_searched_for_checkpoints(text: str) -> None:
    assert read_checkpoints(text) == []


def test_every_bad_entry_of_many_is_named() -> None:
    rows = chained([f"entry {n}" for n in range(3 * SUSPECTS)])
    for place in range(0, len(rows), 2):
        rows[place] = replace(rows[place], body="forged")
    assert {finding.seq for finding in verify(rows)} == set(range(1, len(rows) + 1, 2))


@given(
    st.text(),
    st.none() | st.text(),
    st.dictionaries(
        st.text(max_size=5), st.text() | st.integers() | st.lists(st.text()), max_size=3
    ),
)
def test_an_entry_is_json_that_postgresql_takes(
    action: str, name: str | None, details: dict[str, object]
) -> None:
    """Whatever a stranger types: no NUL, no half of a character, no endless text."""
    text = Entry(Actor("person:1", name), action, details=details).json()
    text.encode()
    said = json.loads(text)
    assert "\\u0000" not in text and "\0" not in text
    assert len(said["action"]) <= LONGEST_TEXT
    assert ("actor_name" in said) == (name is not None)


def test_an_entry_holds_no_number_that_is_none() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Entry(Actor("x"), "y", details={"n": float("nan")}).json()
