"""``psn provider`` and ``psn user link``: what is kept, refused and said."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import identity_provider
import pytest
from command_line import Psn, RunSql, loaded

from psn import keys
from psn.identity import openid

ISSUER = "https://id.police.example/realms/bpd"
CLIENT = ("--issuer", ISSUER, "--client-id", "psn", "--secret-stdin")
ADD = ("provider", "add", "bpd", "--name", "Belize Police", *CLIENT)


@pytest.fixture
def ana(psn: Psn, agencies: None) -> None:
    """Somebody of the police, and somebody of the coast guard; neither has a password."""
    for name, agency in (("bpd.ana", "BPD"), ("bcg.ben", "BCG")):
        who = ("--agency", agency, "--full-name", name, "--role", "dispatcher", "--no-password")
        said = psn("user", "add", name, *who)
        assert "Password" not in said.output


def test_a_provider_is_kept_with_its_secret_sealed(
    psn: Psn, run_sql: RunSql, agencies: None, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PSN_ORIGIN", "https://psn.example.bz")
    added = psn(*ADD, "--claim", "oid", "--trust-amr", "mfa", typed="s3cret with spaces\n")
    assert "https://psn.example.bz/sign-in/bpd" in added.output and "s3cret" not in added.output
    kept = loaded(database).providers[1]
    assert (kept.agency, kept.issuer, kept.claim, kept.trusted_amr) == (1, ISSUER, "oid", ("mfa",))
    assert b"s3cret" not in kept.client_secret and "s3cret" not in repr(kept)
    own = keys.load(Path(os.environ["PSN_KEYS"]))
    purpose = openid.secret_purpose(ISSUER, "psn")
    assert own.open(kept.client_secret, purpose) == b"s3cret with spaces"
    with pytest.raises(keys.KeyProblem):  # somebody put another issuer into the database
        own.open(kept.client_secret, openid.secret_purpose("https://evil.example", "psn"))
    audit = str(run_sql("select string_agg(body, '') from audit where action = 'provider.added'"))
    assert ISSUER in audit and "client_secret" in audit
    assert kept.client_secret.hex() not in audit

    assert "amr mfa" in psn("provider", "list").output
    psn(
        "provider", "change", "BPD", "--no-trust", "--name", "Police", "--secret-stdin", typed="x\n"
    )
    kept = loaded(database).providers[1]
    assert (kept.name, kept.trusted_amr) == ("Police", ())
    assert own.open(kept.client_secret, purpose) == b"x"


@pytest.mark.parametrize(
    ("more", "typed", "code"),
    [
        (("--issuer", "http://id.police.example"), "x\n", "bad_issuer"),
        (("--issuer", "id.police.example"), "x\n", "bad_issuer"),
        (("--issuer", ISSUER + "?tenant=1"), "x\n", "bad_issuer"),
        (("--claim", "email"), "x\n", "bad_claim"),
        (("--claim", "preferred_username"), "x\n", "bad_claim"),
        (("--scope", "profile"), "x\n", "bad_scope"),
        (("--client-id", ""), "x\n", "bad_name"),
        (("--trust-amr", "\u00f1"), "x\n", "bad_name"),
        (("--name", " "), "x\n", "bad_name"),
        ((), "\n", "no_secret"),
    ],
)
def test_what_could_not_be_trusted_is_not_added(
    psn: Psn, run_sql: RunSql, agencies: None, more: tuple[str, ...], typed: str, code: str
) -> None:
    assert f"[{code}]" in psn(*ADD, *more, typed=typed, fails=True).output
    assert run_sql("select count(*) from identity_provider") == 0


def test_an_agency_has_one_provider_and_another_after_it(
    psn: Psn, run_sql: RunSql, ana: None, database: str
) -> None:
    psn(*ADD, typed="x\n")
    assert "[already_there]" in psn(*ADD, typed="x\n", fails=True).output
    psn("user", "link", "bpd.ana", "agent-7")
    run_sql(
        "insert into session (token_hash, person_id, ends_at, provider_id)"
        " values ('\\x00', 1, now() + interval '1 hour', 1)"
    )
    removed = psn("provider", "remove", "bpd").output
    assert "1 person unlinked, 1 session ended" in removed
    assert run_sql("select client_secret is null from identity_provider") is True
    assert loaded(database).providers == {}
    assert "[not_found]" in psn("provider", "remove", "bpd", fails=True).output
    psn(*ADD, typed="x\n")
    assert list(loaded(database).providers) == [2]
    assert loaded(database).identities == {}


def test_people_are_linked_by_their_own_agency_only_and_once(
    psn: Psn, run_sql: RunSql, ana: None, database: str
) -> None:
    assert "[not_found]" in psn("user", "link", "bpd.ana", "agent-7", fails=True).output
    psn(*ADD, typed="x\n")
    psn("user", "link", "bpd.ana", "agent-7")
    assert loaded(database).identities == {(1, "agent-7"): 1}
    assert "agent-7" in psn("provider", "people", "BPD").output
    for name, subject, code in (
        ("bcg.ben", "agent-8", "not_found"),  # his agency has none
        ("bpd.ana", "agent-8", "already_there"),
        ("bpd.nobody", "agent-8", "not_found"),
        ("bpd.ana", "", "bad_subject"),
        ("bpd.ana", "x" * 256, "bad_subject"),
    ):
        assert f"[{code}]" in psn("user", "link", name, subject, fails=True).output
    run_sql(
        "insert into session (token_hash, person_id, ends_at, provider_id)"
        " values ('\\x00', 1, now() + interval '1 hour', 1)"
    )
    assert "1 session ended" in psn("user", "unlink", "bpd.ana").output
    assert loaded(database).identities == {}
    assert "[not_found]" in psn("user", "unlink", "bpd.ana", fails=True).output
    actions = run_sql(
        "select string_agg(action, ' ' order by seq) from audit where action like 'identity.%'"
    )
    assert actions == "identity.added identity.removed"


def test_a_check_asks_the_provider_and_says_what_speaks_against_it(
    psn: Psn, agencies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    async def with_a_real_one() -> None:
        async with identity_provider.running("http://localhost:1/sign-in/bpd") as real:
            add = [real.issuer if each == ISSUER else each for each in ADD]
            await asyncio.to_thread(psn, *add, typed="x\n")
            result = await asyncio.to_thread(psn, "provider", "check", "BPD")
            said.append(result.output)

    asyncio.run(with_a_real_one())
    assert "keys           2 at http://127.0.0.1:" in said[0]
    assert "PSN_ORIGIN is not set" in said[0] and "PKCE" not in said[0]
    assert "[provider_away]" in psn("provider", "check", "BPD", fails=True).output
