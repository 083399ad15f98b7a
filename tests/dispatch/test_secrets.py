"""No secret is in the log or in the audit, whatever people and devices do to get in."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pyotp
import pytest
from authenticator import Authenticator
from office import Office
from stage import PASSWORD, Complaints, Peer, Stage, until

from psn import wire
from psn.enrolment import device_key, enrolment_code, join
from psn.log_lines import LogLines

FACTORS = "/api/me/second-factors"
WRONG = "a password that is not his"
NEW = "another boat with three words"


class Written(logging.Handler):
    """Everything that this process would write to its log, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(LogLines())

    def emit(self, record: logging.LogRecord) -> None:
        # What the clients in this process say of their own frames is not the server's.
        if not record.name.startswith("websockets"):
            self.lines.append(self.format(record) + repr(record.args))


class Browser:
    """A page at ``localhost`` that is signed in, or not."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, secrets: list[str]) -> None:
        host, port = stage.address
        self.base, self.host = f"http://{host}:{port}", f"localhost:{port}"
        self.http = http
        self.secrets = secrets
        self.token = ""

    async def post(self, path: str, body: object = None, status: int = 200) -> dict[str, object]:
        said = {"Host": self.host}
        if self.token:
            said["Authorization"] = f"Bearer {self.token}"
        async with self.http.post(self.base + path, json=body, headers=said) as answer:
            told: dict[str, object] = await answer.json()
            assert answer.status == status, told
            return told

    async def enrol_totp(self) -> tuple[pyotp.TOTP, list[str]]:
        begun = await self.post(f"{FACTORS}/totp")
        totp = pyotp.parse_uri(str(begun["address"]))
        assert isinstance(totp, pyotp.TOTP)
        first = totp.at(time.time() - 30)
        made = await self.post(f"{FACTORS}/totp/confirm", {"code": first, "label": "My phone"})
        codes = made["recovery_codes"]
        assert isinstance(codes, list)
        self.secrets += [totp.secret, str(begun["qr"]), first, *codes]
        return totp, codes

    async def use_passkey(self, key: Authenticator, first: object, status: int = 200) -> None:
        options = (await self.post("/api/sign-in/passkey/options", first))["publicKey"]
        assert isinstance(options, dict)
        lies = {} if status == 200 else {"signature": b"forged"}
        use = key.use(options, **lies)
        told = await self.post("/api/sign-in/passkey", {"credential": use}, status)
        self.secrets += [str(options["challenge"]), use["response"]["signature"]]
        self.secrets += [str(told[name]) for name in ("token", "known") if name in told]


@pytest.mark.slow
async def test_whatever_one_does_to_get_in_nothing_of_it_is_written_down(
    stage: Stage, tmp_path: Path, complaints: Complaints
) -> None:
    """DOM-AUD-6, DOM-DEV-1: with everything logged there is."""
    written, root = Written(), logging.getLogger()
    before = root.level
    root.addHandler(written)
    root.setLevel(logging.DEBUG)
    secrets = [PASSWORD, WRONG, NEW]
    try:
        async with aiohttp.ClientSession() as http:
            page = Browser(stage, http, secrets)
            await _people(stage, page, secrets)
            await _devices(Office(stage, http), tmp_path, secrets)
            await _rubbish(stage, page)
        await until(lambda: not stage.core.auditor._queue, "what was noted is in the audit")
    finally:
        root.setLevel(before)
        root.removeHandler(written)
    rows = await stage.core.pool.fetch("SELECT seq, body FROM audit ORDER BY seq")
    audit = [f"{row['seq']} {row['body']}" for row in rows]
    kept = await stage.core.pool.fetch(
        "SELECT password_hash AS kept FROM person WHERE password_hash IS NOT NULL"
        " UNION ALL SELECT encode(token_hash, 'hex') FROM session"
        " UNION ALL SELECT encode(hash, 'hex') FROM recovery_code"
        " UNION ALL SELECT encode(secret, 'hex') FROM second_factor WHERE secret IS NOT NULL"
        " UNION ALL SELECT encode(code_hash, 'hex') FROM enrolment"
    )
    secrets += [row["kept"] for row in kept]
    actions = " ".join(audit)
    for action in ("session.started", "sign_in.failed", "proof.failed", "second_factor.added"):
        assert action in actions, action
    assert len(secrets) > 40 and min(map(len, secrets)) >= 6
    for place, lines in (("log", written.lines), ("audit", audit)):
        assert lines, place
        assert [(place, line) for line in lines for secret in secrets if _in(secret, line)] == []


def _in(secret: str, line: str) -> bool:
    """As it is, or as it stands in an address, in base 64, or without what is only to be read."""
    forms = {secret, quote(secret, safe=""), secret.replace("-", "")}
    forms.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    return any(form in line for form in forms if len(form) > 8 or not form.isdigit()) or (
        # Six digits alone may stand in any number: only as a word of its own.
        secret.isdigit() and f" {secret} " in line.replace('"', " ").replace("'", " ")
    )


async def _people(stage: Stage, page: Browser, secrets: list[str]) -> None:
    async with await Peer.enter(stage.url, "ana") as ana:
        page.token = ana.me.token
        secrets += [ana.me.token, ana.me.known or ""]
        totp, codes = await page.enrol_totp()
        options = (await page.post(f"{FACTORS}/passkey/options"))["publicKey"]
        assert isinstance(options, dict)
        key = Authenticator(f"http://{page.host}")
        body = {"credential": key.make(options), "label": "Key"}
        await page.post(f"{FACTORS}/passkey", body)
        stranger = Browser(stage, page.http, secrets)
        await stranger.use_passkey(key, {})
        await stranger.use_passkey(key, {"name": "ana", "password": PASSWORD})
        await stranger.use_passkey(key, {}, status=403)
        await stranger.post(
            "/api/sign-in/passkey/options", {"name": "ana", "password": WRONG}, status=403
        )
        await page.post("/api/me/proof", {"password": WRONG}, status=403)
        await page.post("/api/me/proof", {"token": codes[2]}, status=403)
        await page.post("/api/me/password", {"old": WRONG, "new": NEW}, status=403)
        await page.post(
            "/api/me/password", {"old": PASSWORD, "new": "short " + NEW[:3]}, status=400
        )
        fresh = await page.post("/api/me/recovery-codes")
        new_codes = fresh["recovery_codes"]
        assert isinstance(new_codes, list)
        secrets += new_codes
        await page.post("/api/me/password", {"old": PASSWORD, "new": NEW})
        await ana.send(wire.SignOut(n=90))
        await ana.closed()
    code = totp.now()
    for auth, good in (
        (wire.PasswordAuth("ana", WRONG), False),
        (wire.PasswordAuth("nobody", WRONG), False),
        (wire.PasswordAuth("ana", NEW), False),  # a second factor is asked for
        (wire.PasswordAuth("ana", NEW, code=codes[1]), False),  # replaced by new ones
        (wire.PasswordAuth("ana", NEW, code=code), True),
        (wire.PasswordAuth("ana", NEW, code=new_codes[0]), True),
    ):
        async with await Peer.join(stage.url, wire.SUBPROTOCOL_JSON) as peer:
            await peer.send(wire.SignIn(n=1, auth=auth))
            if not good:
                await peer.expect(wire.Error)
                continue
            me = await peer.expect(wire.SignedIn)
            secrets += [me.token, me.known or ""]
    secrets.append(code)


async def _devices(office: Office, tmp_path: Path, secrets: list[str]) -> None:
    code, file = await office.code(), tmp_path / "tablet.pem"
    enrolled = await asyncio.to_thread(join.join, office.url, code, file)
    assert (await office.spend(code, device_key.new()))[0] == 400
    async with await Peer.join(office.stage.url) as peer:
        signature = enrolled.sign_in(peer.nonce)
        me = await peer.sign_in(wire.DeviceAuth(enrolled.device, signature))
    secrets += [code, enrolment_code.shown(code), me.token, base64.b64encode(signature).decode()]
    secrets += enrolled.key.pem.splitlines()[1:-1]


async def _rubbish(stage: Stage, page: Browser) -> None:
    """Secrets in places where they do not belong, or cannot be read."""
    async with await Peer.join(stage.url, wire.SUBPROTOCOL_JSON) as peer:
        await peer.send_raw('{"t":"sign_in","n":"' + PASSWORD + '","auth":{}}')
        await peer.expect(wire.Error)
        await peer.send_raw(
            '{"t":"sign_in","n":1,"auth":{"kind":"password","name":1,"password":"' + NEW
        )
        await peer.expect(wire.Error)
    await page.post("/api/me/proof", {"password": [NEW]}, status=401)
    page.token = ""
    await page.post("/api/enrol", {"code": [NEW], "public_key": PASSWORD}, status=400)
    await page.post("/api/sign-in/passkey", {"credential": NEW}, status=400)
    said = {"Host": page.host, "Authorization": f"Basic {NEW}"}
    async with page.http.get(f"{page.base}/api/rights", headers=said) as answer:
        assert answer.status == 401
