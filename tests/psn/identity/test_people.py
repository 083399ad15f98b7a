"""How people prove who they are (docs/domain.md, DOM-PER): password, code, recovery, places."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stage import ANA, PASSWORD, Bystanders, Peer, Stage, credentials_of, seed, until

from psn import connection, directory_watch, wire
from psn.csirt import security_events
from psn.directory import Directory
from psn.identity import credentials, factors, lockout, people
from psn.identity.people import People, SignInRefused
from psn.identity.second_factors import FactorRefused
from psn.keys import Keys
from psn.trail.audit import Actor

HOME, AWAY = "198.51.100.7", "203.0.113.9"
KEYS = Keys(Ed25519PrivateKey.generate(), bytes(32))
BY = Actor("test")
WRONG = "a wrong password of length"


@pytest_asyncio.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await seed(database)
    made = await asyncpg.create_pool(database, min_size=1, max_size=6)
    try:
        yield made
    finally:
        await made.close()


@pytest_asyncio.fixture
async def who(pool: asyncpg.Pool) -> Directory:
    await pool.execute(
        "insert into person (agency_id, name, full_name, password_hash, disabled_at)"
        " select 1, 'dan', 'Dan', password_hash, now() from person where name = 'ana'"
    )
    await pool.execute("insert into person (agency_id, name, full_name) values (1, 'eva', 'Eva')")
    return await directory_watch.load(pool)


@pytest.fixture
def here(pool: asyncpg.Pool) -> People:
    """With a clock that stands, so that no machine is too slow for it."""
    return People(pool, KEYS, clock=lambda: 1_000.0)


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """One entry for each Argon2 verification: whether there was a hash to compare with."""
    made: list[bool] = []
    real = credentials._HASHER

    class Counting:
        def verify(self, kept: str, password: bytes) -> bool:
            made.append(kept != credentials._nobody())
            return real.verify(kept, password)

    monkeypatch.setattr(credentials, "_HASHER", Counting())
    credentials._nobody.cache_clear()
    monkeypatch.setattr(credentials, "_nobody", lambda: _NOBODY)
    yield made


_NOBODY = credentials.hash_password("a password that nobody has")


async def enrol_totp(here: People, person: int) -> tuple[pyotp.TOTP, list[str]]:
    """An authenticator, and recovery codes."""
    secret = here.factors.begin_totp(person)
    totp = pyotp.TOTP(factors.base32(secret))
    # With the code of the step before, so that the one of now is still to be used.
    code = totp.at(time.time() - 30)
    codes = await here.factors.confirm_totp(person, code, "phone", time.time(), BY)
    assert codes is not None
    return totp, codes


def by(name: str, password: str = PASSWORD, **more: str) -> wire.PasswordAuth:
    return wire.PasswordAuth(name, password, **more)


async def refused(here: People, who: Directory, auth: wire.PasswordAuth, source: str = HOME
                  ) -> SignInRefused:  # fmt: skip
    with pytest.raises(SignInRefused) as told:
        await here.by_password(auth, who, source)
    return told.value


# -- second factors


async def test_a_right_password_alone_is_told_which_factors_there_are(
    here: People, who: Directory
) -> None:
    """DOM-PER-2."""
    await enrol_totp(here, 1)
    told = await refused(here, who, by("ana"))
    assert (told.code, told.kinds) == ("second_factor_needed", ["totp", "recovery_code"])
    told = await refused(here, who, by("ana", WRONG))
    assert (told.code, told.kinds) == ("wrong_credentials", None)


async def test_a_code_lets_in_once(here: People, who: Directory) -> None:
    """DOM-PER-3: whoever looked over the shoulder has nothing."""
    totp, _ = await enrol_totp(here, 1)
    code = totp.now()
    proved = await here.by_password(by("ana", code=code), who, HOME)
    assert (proved.person.name, proved.has_factor) == ("ana", True)
    assert (await refused(here, who, by("ana", code=code))).code == "wrong_credentials"


async def test_one_code_in_two_hands_at_once_lets_one_in(here: People, who: Directory) -> None:
    """DOM-PER-3."""
    totp, codes = await enrol_totp(here, 1)
    for code in (totp.now(), codes[0]):
        got = await asyncio.gather(
            *(here.by_password(by("ana", code=code), who, HOME) for _ in range(4)),
            return_exceptions=True,
        )
        assert sum(not isinstance(each, BaseException) for each in got) == 1


async def test_the_code_that_enrolled_an_authenticator_is_used_up(
    here: People, who: Directory
) -> None:
    secret = here.factors.begin_totp(1)
    code = pyotp.TOTP(factors.base32(secret)).now()
    await here.factors.confirm_totp(1, code, "phone", time.time(), BY)
    assert (await refused(here, who, by("ana", code=code))).code == "wrong_credentials"


@pytest.mark.parametrize("late", [-600, 600])
async def test_a_phone_ten_minutes_off_is_refused(here: People, who: Directory, late: int) -> None:
    totp, _ = await enrol_totp(here, 1)
    code = totp.at(time.time() + late)
    assert (await refused(here, who, by("ana", code=code))).code == "wrong_credentials"


async def test_recovery_codes_are_each_good_once_and_new_ones_replace_them(
    here: People, who: Directory
) -> None:
    """DOM-PER-4."""
    _, codes = await enrol_totp(here, 1)
    await here.by_password(by("ana", code=codes[0].upper()), who, HOME)
    assert (await refused(here, who, by("ana", code=codes[0]))).code == "wrong_credentials"
    assert await here.factors.recovery_left(1) == 9
    new = await here.factors.new_codes(1, BY)
    assert (await refused(here, who, by("ana", code=codes[1]))).code == "wrong_credentials"
    await here.by_password(by("ana", code=new[1]), who, HOME)


async def test_another_persons_codes_are_no_good(here: People, who: Directory) -> None:
    await enrol_totp(here, 1)
    totp, codes = await enrol_totp(here, 2)
    for code in (totp.now(), codes[0]):
        assert (await refused(here, who, by("ana", code=code))).code == "wrong_credentials"
    await here.by_password(by("ben", code=codes[0]), who, HOME)


async def test_secrets_of_factors_are_sealed_for_their_person(
    here: People, who: Directory, pool: asyncpg.Pool
) -> None:
    """A row that is copied to another person by hand lets nobody in."""
    totp, codes = await enrol_totp(here, 1)
    row = await pool.fetchrow("select * from second_factor")
    assert row is not None
    assert totp.byte_secret() not in row["secret"]
    hashes = await pool.fetch("select hash from recovery_code")
    assert not any(code.replace("-", "").encode() in each[0] for code in codes for each in hashes)
    await pool.execute("update second_factor set person_id = 2, last_step = null")
    told = await refused(here, who, by("ben", code=totp.now()))
    assert told.code == "unavailable"


async def test_the_last_factor_takes_the_recovery_codes_with_it(
    here: People, who: Directory, pool: asyncpg.Pool
) -> None:
    await enrol_totp(here, 1)
    (factor,) = await here.factors.of(1)
    with pytest.raises(FactorRefused) as told:
        await here.factors.remove(1, factor.id, BY, may_be_last=False)
    assert told.value.code == "last_factor"
    assert not await here.factors.remove(2, factor.id, BY, may_be_last=True)
    assert await here.factors.remove(1, factor.id, BY, may_be_last=True)
    assert await pool.fetchval("select count(*) from recovery_code") == 0
    assert not (await here.by_password(by("ana"), who, HOME)).has_factor


async def test_an_enrolment_that_took_too_long_or_was_never_begun(here: People) -> None:
    here.factors.begin_totp(1, now=-1_000.0)
    for person in (1, 2):
        with pytest.raises(FactorRefused) as told:
            await here.factors.confirm_totp(person, "123456", "phone", time.time(), BY)
        assert told.value.code == "enrolment_over"
    here.factors.begin_totp(1)
    with pytest.raises(FactorRefused) as told:
        await here.factors.confirm_totp(1, "not it", "phone", time.time(), BY)
    assert told.value.code == "wrong_code"


async def test_ten_factors_are_enough(here: People) -> None:
    for n in range(10):
        secret = here.factors.begin_totp(1)
        code = pyotp.TOTP(factors.base32(secret)).now()
        codes = await here.factors.confirm_totp(1, code, f"phone {n}", time.time(), BY)
        assert (codes is not None) == (n == 0), "recovery codes come with the first"
    secret = here.factors.begin_totp(1)
    with pytest.raises(FactorRefused) as told:
        await here.factors.confirm_totp(
            1, pyotp.TOTP(factors.base32(secret)).now(), "one more", time.time(), BY
        )
    assert told.value.code == "too_many_factors"


# -- who exists is not told


async def test_a_failure_tells_nothing_and_costs_the_same_for_everyone(
    here: People, who: Directory, verifications: list[bool]
) -> None:
    """DOM-PER-1: unknown, disabled, without password, with and without factor; wrong password.

    The same answer, and the same work: one Argon2 verification with the same parameters. (To
    measure the time instead would tell more of the machine than of the program.)
    """
    await enrol_totp(here, 2)
    names = ("nobody", "dan", "eva", "ana", "ben", "", "ana\0", "x" * 120)
    for code in ({}, {"code": "123456"}, {"code": "abcd-efgh-jkmn"}):
        said = set()
        for name in names:
            verifications.clear()
            told = await refused(here, who, by(name, WRONG, **code), f"10.0.0.{len(said)}")
            said.add(
                (told.code, told.text, told.todo, told.retry, told.kinds and tuple(told.kinds))
            )
            assert len(verifications) == 1, name
        assert len(said) == 1
    # The right password of one who may not sign in is as wrong as any.
    assert (await refused(here, who, by("dan"))).code == "wrong_credentials"


async def test_lock_out_tells_nothing_and_comes_alike(
    here: People, who: Directory, verifications: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-PER-1, DOM-PER-5."""
    monkeypatch.setattr(lockout, "ADDRESS", lockout.Limit(10_000, 60.0))
    clock = 1_000.0
    here._clock = lambda: clock
    await enrol_totp(here, 2)
    stories = []
    for name in ("nobody", "dan", "eva", "ana", "ben"):
        story = []
        for _ in range(9):
            verifications.clear()
            told = await refused(here, who, by(name, WRONG), AWAY)
            story.append((told.code, told.text, told.retry, len(verifications)))
        stories.append(story)
    assert all(story == stories[0] for story in stories)
    codes = [code for code, _, _, _ in stories[0]]
    assert codes == ["wrong_credentials"] * 5 + ["too_many_tries"] * 4
    assert stories[0][5][2:] == (1_000, 0), "it says when, and does no work"
    # The right password is not looked at either: else guessing would go on.
    assert (await refused(here, who, by("ana"), AWAY)).code == "too_many_tries"
    clock = 1_001.0
    await here.by_password(by("ana"), who, AWAY)


# -- places


async def test_strangers_failures_do_not_keep_out_where_one_was_before(
    here: People, who: Directory
) -> None:
    """DOM-PER-5: by the address, or by the token wherever it is."""
    await here.by_password(by("ana"), who, HOME)
    known = here.known("ana")
    for n in range(12):
        await refused(here, who, by("ana", WRONG), f"203.0.113.{n}")
    assert (await refused(here, who, by("ana"), AWAY)).code == "too_many_tries"
    await here.by_password(by("ana"), who, HOME)
    await here.by_password(by("ana", known=known), who, AWAY)


@pytest.mark.parametrize("known", ["", "AAAA", "é" * 40, "A" * 512, "not base64!"])
async def test_a_known_token_that_was_not_made_here_is_none(
    here: People, who: Directory, known: str
) -> None:
    for n in range(8):
        await refused(here, who, by("ana", WRONG), f"203.0.113.{n}")
    for token in (known, here.known("ben"), here.known("ana")[:-4] + "AAAA"):
        told = await refused(here, who, by("ana", known=token), AWAY)
        assert told.code == "too_many_tries"


async def test_a_wrong_code_counts_as_a_failure_and_a_missing_one_does_not(
    here: People, who: Directory
) -> None:
    """DOM-PER-5: who has found the password out does not get to guess codes at will."""
    await enrol_totp(here, 1)
    for _ in range(10):
        assert (await refused(here, who, by("ana"), AWAY)).code == "second_factor_needed"
    codes = [(await refused(here, who, by("ana", code=f"{n:06}"), AWAY)).code for n in range(7)]
    assert codes == ["wrong_credentials"] * 5 + ["too_many_tries"] * 2


async def test_a_hundred_guesses_in_the_same_moment_are_not_all_looked_at(
    here: People, who: Directory, verifications: list[bool]
) -> None:
    """DOM-PER-5: who waits in line is asked again when his turn comes."""
    told = await asyncio.gather(
        *(refused(here, who, by("ana", f"{WRONG} {n}"), AWAY) for n in range(100))
    )
    assert len(verifications) == 5
    assert [each.code for each in told].count("too_many_tries") == 95


async def test_a_flood_of_strangers_leaves_a_turn_for_who_is_known(
    here: People, who: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOM-PER-6."""
    await here.by_password(by("ana"), who, HOME)
    # Hashes that never end: whatever strangers are let to do, one is at work at most.
    held, at_work = asyncio.Event(), 0
    real = People._right

    async def right(person: object, password: str) -> object:
        nonlocal at_work
        if password == WRONG:
            at_work += 1
            await held.wait()
            return None
        return await real(person, password)  # type: ignore[arg-type]

    monkeypatch.setattr(People, "_right", staticmethod(right))
    waiting = people.STRANGERS_WAITING
    flood = [
        asyncio.create_task(
            refused(here, who, by(f"guess {n}", WRONG), f"10.0.{n // 250}.{n % 250}")
        )
        for n in range(waiting + 50)
    ]
    await until(lambda: sum(task.done() for task in flood) == 49, "those too many are sent away")
    assert at_work == 1
    assert {task.result().code for task in flood if task.done()} == {"too_many_tries"}
    for _ in range(3):
        await here.by_password(by("ana"), who, HOME)
    held.set()
    assert {each.code for each in await asyncio.gather(*flood)} == {
        "wrong_credentials",
        "too_many_tries",
    }


async def test_without_a_database_it_says_so_and_counts_nothing(
    who: Directory,
) -> None:
    """DOM-SES-4."""

    class Away:
        def acquire(self, timeout: float) -> None:
            raise ConnectionRefusedError

    here = People(Away(), KEYS)  # type: ignore[arg-type]
    for _ in range(10):
        assert (await refused(here, who, by("ana"))).code == "unavailable"
    assert len(here.lockout) == 0


# -- what stands in the audit of it


async def entries(stage: Stage, *actions: str) -> list[dict[str, object]]:
    """The bodies of entries with these actions, once they are there."""
    await until(lambda: stage.core.auditor.is_idle, "all is written")
    rows = await stage.core.pool.fetch(
        "select body from audit where action = any($1) order by seq", actions
    )
    return [json.loads(row[0]) for row in rows]


WORDS = ("added", "changed", "removed", "used")


async def events(stage: Stage, *actions: str) -> list[str]:
    """The kinds of the security events that these entries of the audit are."""
    await entries(stage)
    rows = await stage.core.pool.fetch(
        "select seq, body from audit where action = any($1) order by seq", actions
    )
    told = [security_events.event_of(row["seq"], row["body"]) for row in rows]
    return [event.kind for event in told if event is not None]


async def test_failures_are_in_the_audit_and_a_flood_does_not_fill_it(stage: Stage) -> None:
    stage.core.signin.people._clock = lambda: 1_000.0
    signin, directory = stage.core.signin, stage.core.directory
    for _ in range(20):
        with pytest.raises(SignInRefused):
            await signin.check(by("ana", WRONG), directory, AWAY)
    got = await entries(stage, "sign_in.failed")
    assert len(got) == 5, "what was not looked at is not noted"
    assert {(e["actor"], e["source"], e["object"], e["owner"]) for e in got} == {
        ("nobody", AWAY, "person:1", 1)
    }
    assert [e["details"].get("wait") for e in got] == [None] * 4 + [1]  # type: ignore[attr-defined]


async def test_factors_and_codes_are_in_the_audit_without_their_secrets(stage: Stage) -> None:
    here = stage.core.signin.people
    totp, codes = await enrol_totp(here, 1)
    await stage.core.signin.check(by("ana", code=codes[0]), stage.core.directory, HOME)
    got = await entries(stage, "second_factor.added", "recovery_code.used", "second_factor.changed")
    assert [(e["action"], e["actor"], e["owner"]) for e in got] == [
        ("second_factor.added", "test", 1),
        ("recovery_code.used", ANA, 1),
    ]
    rows = await stage.core.pool.fetch("select body from audit")
    kept = await stage.core.pool.fetchval("select secret from second_factor")
    for secret in (totp.secret, codes[0], codes[0].replace("-", ""), kept.hex()):
        assert not [row[0] for row in rows if secret in row[0]]


async def test_that_only_the_code_was_wrong_is_told_the_csirt_and_not_the_one_who_tries(
    stage: Stage,
) -> None:
    """DOM-SEC-1: the password may have been stolen."""
    stage.core.signin.people._clock = lambda: 1_000.0
    await enrol_totp(stage.core.signin.people, 1)
    signin, directory = stage.core.signin, stage.core.directory
    said = set()
    for auth in (by("ana", WRONG, code="000000"), by("ana", code="000000")):
        with pytest.raises(SignInRefused) as told:
            await signin.check(auth, directory, AWAY)
        said.add(str(told.value))
    assert len(said) == 1
    assert await events(stage, "sign_in.failed") == ["SIGN_IN_FAILED", "SECOND_FACTOR_FAILED"]


async def test_what_becomes_of_factors_and_recovery_codes_is_told_the_csirt(stage: Stage) -> None:
    """DOM-SEC-1."""
    here = stage.core.signin.people
    _, codes = await enrol_totp(here, 1)
    await stage.core.signin.check(by("ana", code=codes[0]), stage.core.directory, HOME)
    (factor,) = await here.factors.of(1)
    await here.factors.rename(1, factor.id, "old phone", BY)
    await here.factors.remove(1, factor.id, BY, may_be_last=True)
    told = await events(
        stage, *(f"{of}.{word}" for of in ("second_factor", "recovery_code") for word in WORDS)
    )
    assert told == ["CREDENTIALS_CHANGED", "RECOVERY_CODE_USED", "CREDENTIALS_CHANGED"]


async def test_who_guesses_at_a_session_is_told_the_csirt(stage: Stage) -> None:
    """DOM-SEC-1."""
    stage.core.signin.people._clock = lambda: 1_000.0
    signin, directory = stage.core.signin, stage.core.directory
    _, _, ticket = await signin.check(by("ana"), directory, HOME)
    for _ in range(20):
        with pytest.raises(SignInRefused):
            await signin.prove(ticket, wire.PasswordProof(WRONG), directory, HOME)
    told = await events(stage, "proof.failed")
    assert told == ["PROOF_FAILED"] * 7 + ["LOCK_OUT"]


# -- over the wire


async def test_a_sign_in_by_code_over_the_wire(stage: Stage) -> None:
    totp, _ = await enrol_totp(stage.core.signin.people, 1)
    async with await Peer.join(stage.url, wire.SUBPROTOCOL_JSON) as peer:
        await peer.send(wire.SignIn(n=4, auth=credentials_of("ana")))
        told = await peer.refusal("second_factor_needed")
        assert (told.n, told.kinds) == (4, ["totp", "recovery_code"])
        me = await peer.sign_in(by("ana", code=totp.now()))
        assert me.known is not None and not me.limited and not me.locked
    async with await Peer.join(stage.url) as again:
        back = await again.sign_in(wire.SessionAuth(me.token))
        assert back.known is None


async def test_frames_of_failures_are_the_same_to_the_byte(stage: Stage) -> None:
    """DOM-PER-1."""
    await stage.core.pool.execute("update person set disabled_at = now() where name = 'cyd'")
    await until(lambda: stage.core.directory.people[3].disabled, "cyd is disabled")
    await enrol_totp(stage.core.signin.people, 2)
    said = set()
    for name in ("nobody", "ana", "ben", "cyd"):
        async with await Peer.join(stage.url) as peer:
            await peer.send(wire.SignIn(n=1, auth=by(name, WRONG)))
            said.add(wire.MSGPACK.encode(await peer.expect(wire.Error)))
    assert len(said) == 1


async def test_the_remote_address_is_what_counts(stage: Stage) -> None:
    """Two addresses of this machine: one is slowed down, the other is not."""
    stage.core.signin.people._clock = lambda: 1_000.0
    guess = wire.SignIn(n=1, auth=by("ana", WRONG))
    codes = []
    for _ in range(7):
        async with await Peer.join(stage.url, local_addr=("127.0.0.2", 0)) as peer:
            await peer.send(guess)
            codes.append((await peer.expect(wire.Error)).code)
    assert codes == ["wrong_credentials"] * 5 + ["too_many_tries"] * 2
    sources = stage.core.signin.people.lockout
    assert sources.wait("someone", "127.0.0.2", 1_000.0) == 0
    async with await Peer.enter(stage.url, "ben", local_addr=("127.0.0.3", 0)):
        row = await stage.core.pool.fetchval("select source from session")
        assert row == "127.0.0.3"


async def test_a_flood_of_sign_ins_beside_live_positions(
    stage: Stage, bystanders: Bystanders
) -> None:
    """DOM-SES-3, DOM-PER-6: guesses without end; all else goes on, who is known gets in."""
    over = asyncio.Event()

    async def guess(n: int) -> None:
        tries = 0
        while not over.is_set():
            peer = await Peer.join(stage.url, local_addr=(f"127.0.1.{n}", 0))
            for _ in range(connection.SIGN_IN_TRIES):
                await peer.send(wire.SignIn(n=tries, auth=by(f"guess {n} {tries}", WRONG)))
                await peer.expect(wire.Error)
                tries += 1
            await peer.closed()
            await peer.leave()

    flood = [asyncio.create_task(guess(n)) for n in range(1, 21)]
    try:
        async with bystanders.undisturbed():
            for _ in range(5):
                async with await Peer.enter(stage.url, "ana") as ana:
                    await ana.answers()
        assert not any(task.done() for task in flood)
    finally:
        over.set()
        await asyncio.gather(*flood)


async def test_nothing_secret_is_ever_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Passwords, codes, secrets of authenticators, tokens: with everything logged there is."""
    caplog.set_level(logging.DEBUG)
    # What the other end of these sockets, in this process, says of its frames is not ours.
    logging.getLogger("websockets").setLevel(logging.INFO)
    asyncio.get_running_loop().set_debug(True)
    logging.getLogger("psn").debug("everything is heard")
    here = stage.core.signin.people
    totp, codes = await enrol_totp(here, 1)
    code = totp.now()
    secrets = [PASSWORD, WRONG, code, codes[0], codes[1], totp.secret]
    async with await Peer.join(stage.url, wire.SUBPROTOCOL_JSON) as peer:
        for auth in (by("ana", WRONG), by("ana"), by("ana", code="abcd-efgh-jkmn")):
            await peer.send(wire.SignIn(n=1, auth=auth))
            await peer.expect(wire.Error)
        await peer.send_raw('{"t":"sign_in","n":"' + PASSWORD + '","auth":{}}')
        await peer.expect(wire.Error)
        me = await peer.sign_in(by("ana", code=code))
        secrets += [me.token, me.known or ""]
        await peer.send(wire.Unlock(n=5, proof=wire.PasswordProof(WRONG)))
        await peer.refusal("wrong_credentials")
        await peer.send(wire.Unlock(n=6, proof=wire.TokenProof(codes[1])))
        await peer.refusal("wrong_credentials")
        await peer.send(wire.SignOut(n=7))
        await peer.closed()
    said = "\n".join(record.getMessage() + str(record.args) for record in caplog.records)
    assert "everything is heard" in said
    assert not [secret for secret in secrets if secret and secret in said]
    assert PASSWORD not in repr(by("ana", code=code)) and code not in repr(by("ana", code=code))
