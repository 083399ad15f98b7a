"""``psn webhook`` and what ``psn doctor`` says of syslog."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Psn, RunSql
from hook import Hook, key_of, receiving

from psn import keys


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> keys.Keys:
    monkeypatch.setenv("PSN_KEYS", str(tmp_path / "keys"))
    return keys.load(tmp_path / "keys")


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A receiver that runs while commands, which have loops of their own, run here."""
    ready, over, found = threading.Event(), threading.Event(), list[Hook]()

    async def serve() -> None:
        async with receiving() as running:
            found.append(running)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        over.set()
        thread.join(20)


def test_a_receiver_is_added_tried_listed_and_removed(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys, hook: Hook
) -> None:
    psn("agency", "add", "BPD", "Belize Police Department")
    told = psn("webhook", "add", hook.url, "--agency", "bpd").output
    shown = re.search(r"whsec_\S+", told)
    assert shown is not None
    hook.secret = key_of(shown[0])
    assert "has taken it" in psn("webhook", "test", "1").output
    assert hook.batches[0][0]["kind"] == "TEST" and hook.forged == 0
    listed = psn("webhook", "list").output
    assert hook.url in listed and "BPD" in listed and "whsec" not in listed
    hook.status = 500
    assert "answered 500" in psn("webhook", "test", "1", fails=True).output
    run_sql("update webhook set disabled_at = now()")
    assert "disabled" in psn("webhook", "list").output
    psn("webhook", "enable", "1")
    assert "disabled" not in psn("webhook", "list").output
    psn("webhook", "remove", "1")
    assert "none" in psn("webhook", "list").output
    assert run_sql("select count(*) from outlet") == 0
    secret = str(run_sql("select string_agg(body, '') from audit"))
    assert "whsec" not in secret and "webhook.removed" in secret


def test_the_secret_is_sealed_in_the_database(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys
) -> None:
    told = psn("webhook", "add", "https://csirt.example.bz/psn").output
    secret = key_of(told.split()[-1])
    kept = run_sql("select secret from webhook")
    assert isinstance(kept, bytes) and secret not in kept
    assert own_keys.open(kept, "webhook https://csirt.example.bz/psn") == secret


def test_it_begins_with_what_happens_next(psn: Psn, run_sql: RunSql, own_keys: keys.Keys) -> None:
    psn("agency", "add", "BPD", "Belize Police Department")
    psn("webhook", "add", "https://csirt.example.bz/psn")
    assert run_sql("select seq from outlet") == run_sql("select max(seq) from audit")


@pytest.mark.parametrize(
    "url", ["http://csirt.example.bz/", "https://169.254.169.254/", "nonsense"]
)
def test_an_address_that_is_not_called_is_refused(
    psn: Psn, run_sql: RunSql, own_keys: keys.Keys, url: str
) -> None:
    """DOM-SEC-6."""
    assert "[bad_webhook]" in psn("webhook", "add", url, fails=True).output
    assert run_sql("select count(*) from webhook") == 0


def test_without_keys_none_is_made(
    psn: Psn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_KEYS", str(tmp_path / "nothing"))
    told = psn("webhook", "add", "https://csirt.example.bz/psn", fails=True).output
    assert "[no_keys]" in told and not (tmp_path / "nothing").exists()


def test_what_is_not_there_is_told(psn: Psn, own_keys: keys.Keys) -> None:
    for command in ("test", "enable", "remove"):
        assert "[not_found]" in psn("webhook", command, "7", fails=True).output


def test_the_doctor_looks_at_syslog(
    psn: Psn, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> str:
        output = psn("doctor", fails=True).output  # this cluster's durability is off
        return "\n".join(output.splitlines())

    assert "ok    syslog: not wanted" in told()
    port = hook.url.split(":")[2].split("/")[0]
    monkeypatch.setenv("PSN_SYSLOG", f"tcp://localhost:{port}")
    assert "warn  syslog: " in told()
    monkeypatch.setenv("PSN_SYSLOG", f"tls://localhost:{port}")
    assert "fail  syslog: localhost" in told()
    monkeypatch.setenv("PSN_SYSLOG_AUTHORITY", str(tmp_path / "nothing.pem"))
    assert "The certificates for syslog cannot be used" in told()
