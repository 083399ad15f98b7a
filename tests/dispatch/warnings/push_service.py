"""A push service on this machine, over TLS, that holds the browsers' keys and reads what comes."""

from __future__ import annotations

import contextlib
import json
import ssl
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import http_ece
import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Browser:
    """One subscription: the browser's side of it."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"sixteen octets.."

    @property
    def asked(self) -> dict[str, str]:
        """What its page says to the server."""
        form = Encoding.X962, PublicFormat.UncompressedPoint
        point = self.private.public_key().public_bytes(*form)
        return {
            "endpoint": self.endpoint,
            "p256dh": base64url(point),
            "auth": base64url(self.auth),
        }

    def read(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self.private, auth_secret=self.auth, version="aes128gcm"
        )
        said: dict[str, Any] = json.loads(plain)
        return said


@dataclass
class PushService:
    """What it took, by the last part of the address, and how it answers."""

    url: str
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)

    def browser(self, name: str, *answers: int) -> Browser:
        self.answers[name] = list(answers)
        return Browser(f"{self.url}/send/{name}")

    async def _take(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        answers = self.answers[name]
        status = answers.pop(0) if answers else 201
        self.taken.append((name, dict(request.headers), await request.read()))
        return web.Response(status=status, headers={"Location": "https://127.0.0.1:1/elsewhere"})

    def of(self, name: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for each, headers, body in self.taken if each == name]


def claims(headers: dict[str, str], key: str) -> dict[str, Any]:
    """What a request's token says, if this server's key has signed it (RFC 8292)."""
    scheme, _, rest = headers["Authorization"].partition(" ")
    parts = dict(each.strip().split("=", 1) for each in rest.split(","))
    assert scheme == "vapid" and parts["k"] == key
    x, y = key_parts(key)
    public = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    said: dict[str, Any] = jwt.decode(parts["t"], public).claims
    return said


def key_parts(key: str) -> tuple[str, str]:
    from base64 import urlsafe_b64decode

    point = urlsafe_b64decode(key + "=" * (-len(key) % 4))
    assert point[0] == 4 and len(point) == 65
    return base64url(point[1:33]), base64url(point[33:])


@contextlib.asynccontextmanager
async def running(place: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[PushService]:
    """A service at localhost, whose authority this process believes while it runs."""
    authority = trustme.CA()
    file = place / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    patch.setenv("SSL_CERT_FILE", str(file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    service = PushService("")
    application = web.Application()
    application.router.add_post("/send/{name}", service._take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0, ssl_context=tls)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    service.url = f"https://localhost:{port}"
    try:
        yield service
    finally:
        await runner.cleanup()
