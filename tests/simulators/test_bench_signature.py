"""The load signs by what docs/wire.md says; the server's own room checks it."""

from __future__ import annotations

from psn.enrolment import device_key
from simulators.bench.signature import signed, signs


def test_what_the_load_signs_is_what_the_server_checks() -> None:
    key, nonce = device_key.new(), bytes(range(32))
    auth = {"kind": "device", "device": 9, "key": key.pem}
    assert signs(auth)
    sent = signed(auth, nonce)
    assert set(sent) == {"kind", "device", "signature"}
    content = device_key.sign_in_content(9, nonce)
    assert device_key.verifies(key.public, sent["signature"], content)


def test_who_does_not_sign_sends_what_he_has() -> None:
    for auth in ({"kind": "session", "token": "x"}, {"kind": "password", "name": "ana"}):
        assert not signs(auth)
        assert signed(auth, b"") is auth
