"""``psn retention``, ``psn hold`` and ``psn user export`` (docs/domain.md, DOM-RET)."""

from __future__ import annotations

import asyncio
import json
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from command_line import Psn, RunSql

from psn import keys
from psn.trail import audit

pytestmark = pytest.mark.usefixtures("agencies")


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> keys.Keys:
    monkeypatch.setenv("PSN_KEYS", str(tmp_path / "keys"))
    return keys.load(tmp_path / "keys")


def lines(told: str) -> dict[str, list[str]]:
    """A table by the first word of its lines."""
    return {line.split()[0]: line.split()[1:] for line in told.splitlines() if line.strip()}


def last_entry(run_sql: RunSql, action: str) -> dict[str, object]:
    body = run_sql(f"select body from audit where action = '{action}' order by seq desc limit 1")
    assert isinstance(body, str)
    said: dict[str, object] = json.loads(body)
    return said


# -- periods


def test_what_an_agency_has_not_said_the_settings_say(
    psn: Psn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-RET-1."""
    monkeypatch.setenv("PSN_KEEP_MESSAGE_DAYS", "400")
    told = lines(psn("retention", "show").output)
    assert told["agency"] == [
        *("track", "message", "attachment", "recording", "call", "incident", "lookout", "audit"),
    ]
    ours = ["(30)", "(400)", "(forever)", "(365)", "(730)", "(2557)", "(365)", "(forever)"]
    assert told["BPD"] == told["BCG"] == ours


def test_each_agency_says_its_own_for_each_kind(psn: Psn, run_sql: RunSql) -> None:
    """DOM-RET-1, DOM-RET-4: and the audit tells who has said what."""
    psn("retention", "set", "bpd", "track", "90")
    psn("retention", "set", "BPD", "message", "forever")
    psn("retention", "set", "BPD", "recording", "365")
    psn("retention", "set", "BPD", "attachment", "730")
    psn("retention", "set", "BPD", "incident", "forever")
    psn("retention", "set", "BPD", "call", "365")
    psn("retention", "set", "BPD", "audit", "3650")
    told = lines(psn("retention", "show").output)
    assert told["BPD"] == ["90", "forever", "730", "365", "365", "forever", "(365)", "3650"]
    assert told["BCG"] == [
        *("(30)", "(forever)", "(forever)", "(365)"),
        *("(730)", "(2557)", "(365)", "(forever)"),
    ]
    psn("retention", "set", "BPD", "track", "7")
    changed = last_entry(run_sql, "retention.changed")
    assert (changed["object"], changed["owner"]) == ("retention:1/track", 1)
    details = changed["details"]
    assert isinstance(details, dict)
    assert (details["old"], details["new"]) == ({"days": 90}, {"days": 7})
    psn("retention", "set", "BPD", "track", "default")
    assert lines(psn("retention", "show").output)["BPD"][0] == "(30)"
    assert last_entry(run_sql, "retention.removed")["owner"] == 1


@pytest.mark.parametrize("days", ["0", "-1", "-5", "36501", "1.5", "١", "soon", "", "1e3"])
def test_a_period_is_a_whole_number_of_days(psn: Psn, run_sql: RunSql, days: str) -> None:
    told = psn("retention", "set", "BPD", "track", days, fails=True).output
    assert "bad_period" in told and "from 1 to 36500" in told
    assert run_sql("select count(*) from retention") == 0


def test_an_agency_or_a_kind_that_there_is_not(psn: Psn) -> None:
    assert "not_found" in psn("retention", "set", "XYZ", "track", "3", fails=True).output
    assert psn("retention", "set", "BPD", "photo", "3", fails=True).exit_code == 2


# -- pruning


OLD_TRACKS = (
    "insert into track (unit_id, at, received_at, place)"
    " select u.id, now() - '50 days'::interval, now() - '50 days'::interval,"
    " st_setsrid(st_point(-88.2, 17.5), 4326) from unit u, generate_series(1, 4)"
)


def test_what_is_past_its_period_is_counted_and_then_deleted(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys
) -> None:
    """DOM-RET-1, DOM-RET-4, DOM-RET-5."""
    psn("unit", "add", "BPD/P-1", "--kind", "car")
    psn("unit", "add", "BCG/B-1", "--kind", "boat")
    psn("retention", "set", "BCG", "track", "60")
    run_sql(OLD_TRACKS)
    dry = psn("retention", "run", "--dry-run").output
    assert "would be deleted" in dry
    assert lines(dry)["track"][:2] == ["BPD", "4"]
    assert run_sql("select count(*) from track") == 8
    assert lines(psn("retention", "run").output)["track"][:2] == ["BPD", "4"]
    assert run_sql("select array_agg(distinct unit_id) from track") == [2]
    entry = last_entry(run_sql, "track.pruned")
    assert entry["owner"] == 1 and str(entry["actor"]).startswith("command line: ")
    assert psn("retention", "run").output == "none\n"
    assert "are good" in psn("audit", "verify").output


def test_pruning_needs_the_servers_keys_and_makes_none(
    psn: Psn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pruned is signed, so that verifying can tell it from what was stolen."""
    monkeypatch.setenv("PSN_KEYS", str(tmp_path / "nothing"))
    assert "no_keys" in psn("retention", "run", fails=True).output
    assert not (tmp_path / "nothing").exists()


async def begun(database: str, at: int) -> None:
    """Write the audit anew, as if its first two entries were from then."""
    conn = await asyncpg.connect(database)
    try:
        rows = await conn.fetch("select seq, body from audit order by seq")
        await conn.execute("set session_replication_role = replica")
        link = audit.BEGINNING
        for row in rows:
            entry = json.loads(row["body"])
            body = json.dumps(entry | {"at": at}) if row["seq"] <= 2 else row["body"]
            link = audit.chain(link, row["seq"], body)
            change = "update audit set body = $2, hash = $3 where seq = $1"
            await conn.execute(change, row["seq"], body, link)
    finally:
        await conn.close()


def test_a_pruned_audit_verifies_and_says_that_it_was_pruned(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys, tmp_path: Path, database: str
) -> None:
    """DOM-RET-6: also where it was exported to, and with a checkpoint from before."""
    long_ago = int((datetime.now(UTC) - timedelta(days=400)).timestamp() * 1_000)
    asyncio.run(begun(database, long_ago))
    kept = tmp_path / "kept"
    kept.write_text(psn("audit", "checkpoint").output)
    for agency in ("BPD", "BCG"):
        psn("retention", "set", agency, "audit", "365")
    told = psn("retention", "run").output
    assert lines(told)["audit"][0] == "2", told
    assert run_sql("select min(seq) from audit") == 3
    checked = psn("audit", "verify", "--checkpoints", str(kept)).output
    assert "3 entries are good" in checked and "Entries through 2 were pruned" in checked
    export = tmp_path / "export.jsonl"
    export.write_text(psn("audit", "export").output)
    verify = ("audit", "verify", "--file", str(export), "--public-key", own_keys.public.hex())
    assert "Entries through 2 were pruned" in psn(*verify).output
    more = export.read_text().splitlines(keepends=True)[1:]
    export.write_text("".join(more))
    assert "Entry 3 is missing" in psn(*verify, fails=True).output


# -- holds


def test_a_hold_keeps_what_is_past_its_period_until_it_ends(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys
) -> None:
    """DOM-RET-3."""
    psn("unit", "add", "BPD/P-1", "--kind", "car")
    run_sql(OLD_TRACKS)
    told = psn("hold", "add", "unit:BPD/P-1", "--reason", "inquest", "--author", "J. Usher").output
    assert told == "Hold 1 on unit:1 is in force.\n"
    psn("retention", "run")
    assert run_sql("select count(*) from track") == 4
    assert "1 hold ended" in psn("hold", "end", "1").output
    assert "0 holds ended" in psn("hold", "end", "1").output
    psn("retention", "run")
    assert run_sql("select count(*) from track") == 0
    ended = last_entry(run_sql, "hold.ended")
    assert (ended["object"], ended["owner"]) == ("hold:1", 1)


def test_holds_are_listed_with_their_reason(psn: Psn, run_sql: RunSql) -> None:
    """DOM-RET-3, DOM-RET-4."""
    psn("unit", "add", "BCG/B-1", "--kind", "boat")
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "Ana", "--role", "dispatcher")
    psn("incident", "open", "BCG", "Boat adrift")
    subjects = ("person:ana", "unit:BCG/B-1", "agency:bcg", "incident:1")
    psn("hold", "add", *subjects, "--reason", "claim 120/2026", "--until", "2099-01-01")
    listed = lines(psn("hold", "list").output)
    assert [listed[str(n)][:2] for n in (1, 2, 3, 4)] == [
        ["person:1", "BPD"],
        ["unit:1", "BCG"],
        ["agency:2", "BCG"],
        ["incident:1", "BCG"],
    ]
    assert "claim 120/2026" in psn("hold", "list").output
    psn("hold", "end", "1", "2", "3", "4")
    assert psn("hold", "list").output == "none\n"
    assert len(psn("hold", "list", "--all").output.splitlines()) == 5
    assert run_sql("select count(*) from audit where action = 'hold.ended'") == 4


def test_calls_incidents_and_lookouts_are_named_by_number_or_id(psn: Psn, run_sql: RunSql) -> None:
    """DOM-RET-10."""
    psn("incident", "open", "BCG", "Boat adrift")
    run_sql("insert into call (agency_id, number, line, state)"
            " values (1, 'BPD-C26-00001', '911', 'waiting')")  # fmt: skip
    run_sql("insert into lookout (agency_id, number, subject, title, agencies, author, until)"
            " values (1, 'BPD-L26-00001', 'person', 'x', '{}', 'x', now())")  # fmt: skip
    number = run_sql("select number from incident_card")
    subjects = ("call:BPD-C26-00001", "call:1", "lookout:BPD-L26-00001", f"incident:{number}")
    told = psn("hold", "add", *subjects, "--reason", "inquest").output
    assert [line.split()[3] for line in told.splitlines()] == [
        *("call:1", "call:1", "lookout:1", "incident:1"),
    ]


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("call:7", "not_found"),
        ("call:BPD-C26-99999", "not_found"),
        ("lookout:BPD", "bad_subject"),
        ("person:nobody", "not_found"),
        ("unit:BPD/X-9", "not_found"),
        ("agency:XYZ", "not_found"),
        ("incident:7", "not_found"),
        ("incident:9999999999", "bad_subject"),
        ("incident:١", "bad_subject"),
        ("group:1", "bad_subject"),
        ("person", "not_found"),
        ("", "bad_subject"),
        ("unit:'; drop table unit; --", ""),
    ],
)
def test_a_hold_on_nothing_is_refused(psn: Psn, run_sql: RunSql, subject: str, code: str) -> None:
    told = psn("hold", "add", "agency:BPD", subject, "--reason", "x", fails=True).output
    assert code in told
    assert run_sql("select count(*) from legal_hold") == 0, "all of them, or none"


def test_a_hold_needs_a_reason_and_an_end_that_is_to_come(psn: Psn) -> None:
    assert "no_reason" in psn("hold", "add", "agency:BPD", fails=True).output
    over = ("hold", "add", "agency:BPD", "--reason", "x", "--until", "2001-01-01")
    assert "already_over" in psn(*over, fails=True).output
    assert "not_found" in psn("hold", "end", "5", fails=True).output


# -- a person's data


@pytest.fixture
def ana(psn: Psn) -> None:
    psn("user", "add", "ana", "--agency", "BPD", "--full-name", "Ana", "--role", "dispatcher")


def test_a_persons_data_goes_into_a_file_of_ones_own(
    psn: Psn, run_sql: RunSql, tmp_path: Path, ana: None
) -> None:
    """DOM-RET-8: and who took it is on record before it is there."""
    file = tmp_path / "ana.zip"
    told = psn("user", "export", "ana", "--output", str(file)).output
    assert f"{file} written: 0 messages, 0 sessions, " in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        account = json.loads(archive.read("account.jsonl"))
        audit = [json.loads(line) for line in archive.read("audit.jsonl").splitlines()]
    assert (account["name"], account["agency"], account["roles"]) == ("ana", "BPD", ["dispatcher"])
    assert "password_hash" not in account
    assert [entry["action"] for entry in audit] == ["person.added", "person.exported"]
    entry = last_entry(run_sql, "person.exported")
    assert (entry["object"], entry["owner"]) == ("person:1", 1)


def test_nothing_is_overwritten_or_left_half_written(
    psn: Psn, run_sql: RunSql, tmp_path: Path, ana: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ana.zip"
    file.write_text("mine")
    assert "already_there" in psn("user", "export", "ana", "--output", str(file), fails=True).output
    assert file.read_text() == "mine"
    nowhere = str(tmp_path / "no" / "ana.zip")
    assert "cannot_write" in psn("user", "export", "ana", "--output", nowhere, fails=True).output
    other = tmp_path / "ben.zip"
    assert "not_found" in psn("user", "export", "ben", "--output", str(other), fails=True).output
    run_sql("alter table audit rename to elsewhere")
    with pytest.raises(Exception, match="audit"):
        psn("user", "export", "ana", "--output", str(other), fails=True)
    assert not other.exists()


def test_no_hold_is_in_force_on_what_was_pruned_while_it_waited(psn: Psn, run_sql: RunSql) -> None:
    """DOM-RET-3."""
    run_sql(
        "insert into call (agency_id, number, line, state)"
        " values (1, next_number(1, 'call'), '911', 'waiting')"
    )
    for statement in TAKEN_MEANWHILE:
        run_sql(statement)
    told = psn("hold", "add", "call:1", "--reason", "inquest", fails=True).output
    assert "There is no call 1" in told
    assert run_sql("select count(*) from legal_hold") == 0


TAKEN_MEANWHILE = (
    """
    create function took() returns trigger language plpgsql as $$
    begin
        perform set_config('session_replication_role', 'replica', true);
        delete from call;
        perform set_config('session_replication_role', 'origin', true);
        return new;
    end $$
    """,
    "create trigger took before insert on legal_hold for each row execute function took()",
)
