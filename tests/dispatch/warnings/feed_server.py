"""A server of feeds and alerts, good and bad, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dispatch.alerting import cap
from dispatch.alerting.cap import Alert, Seal

NEAR = (cap.Point(18.0, -88.5), cap.Point(18.0, -88.0), cap.Point(18.5, -88.0))
"""North of Corozal."""


@dataclass
class Feeds:
    """What is served, and what was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    """By path: a handler of its own."""
    asked: list[str] = field(default_factory=list)
    unchanged: int = 0
    """How often it answered 304."""

    def lists(self, *alerts: Alert, seal: Seal | None = None) -> None:
        """The feed lists these, newest first, and each lies where it says."""
        for each in alerts:
            body = cap.build(each) if seal is None else cap.sign(each, seal)
            self.files[f"/{each.identifier}.xml"] = body
        self.leads(*(f"{each.identifier}.xml" for each in alerts))

    def leads(self, *addresses: str) -> None:
        """The feed leads to these addresses."""
        entries = "".join(f'<entry><id>{a}</id><link href="{a}"/></entry>' for a in addresses)
        self.files["/feed"] = (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{entries}</feed>'.encode()
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path in self.answers:
            made: web.StreamResponse = await self.answers[request.path](request)
            return made
        body = self.files.get(request.path)
        if body is None:
            return web.Response(status=404)
        etag = f'"{hash(body)}"'
        if request.headers.get("If-None-Match") == etag:
            self.unchanged += 1
            return web.Response(status=304)
        return web.Response(body=body, headers={"ETag": etag})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Feeds]:
    """A server for as long as the test lasts."""
    feeds = Feeds("")
    runner = web.ServerRunner(web.Server(feeds.answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    feeds.url = f"http://127.0.0.1:{port}/feed"
    try:
        yield feeds
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)


def alert(name: str, *, hours: float = 6, minutes: float = -5, **changes: Any) -> Alert:
    """An alert of a neighbour that is in force."""
    now = datetime.now(UTC).replace(microsecond=0)
    info = cap.Info(
        categories=(cap.Category.MET,),
        event="Tormenta tropical",
        urgency=cap.Urgency.EXPECTED,
        severity=cap.Severity.SEVERE,
        certainty=cap.Certainty.LIKELY,
        language="es-MX",
        sender_name="Servicio de un vecino",
        headline="Tormenta tropical al norte",
        description="Vientos fuertes.",
        instruction="Busque refugio.",
        expires=now + timedelta(hours=hours),
        areas=(cap.Area("Costa sur", polygons=((*NEAR, NEAR[0]),)),),
    )
    said: dict[str, Any] = {
        "identifier": name,
        "sender": "met.example",
        "sent": now + timedelta(minutes=minutes),
        "status": cap.Status.ACTUAL,
        "message_type": cap.MessageType.ALERT,
        "scope": cap.Scope.PUBLIC,
        "infos": (info,),
    }
    return Alert(**(said | changes))


def new_seal() -> Seal:
    """A key, and the certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Met Service of a neighbour")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return Seal(key, certificate)
