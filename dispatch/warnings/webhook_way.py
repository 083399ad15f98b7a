"""Signed requests to sirens, broadcasters and cell broadcast, for the outbox.

The signature, what addresses may be called, and that redirects are not followed are those of
webhooks for security events (``psn.csirt.webhook_protocol``). A delivery has the same id each time
that it is tried; a receiver that knows it answers 2xx and does nothing.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

import aiohttp
import msgspec

from dispatch.alerting import cap
from dispatch.alerting.channels import shown
from dispatch.alerting.content import Channel
from dispatch.alerting.issuing import NEMO
from dispatch.outcomes import Outcome, State, pause
from dispatch.warnings.ways import Delivery
from psn.csirt import webhooks
from psn.csirt.outlets import Undelivered
from psn.keys import KeyProblem, Keys

WINDOW: Final = 50
MOST_SECONDS: Final = 15.0
"""A siren that comes back is told within so long."""


class WebhookWay:
    """Posts to whoever was named (:class:`dispatch.warnings.ways.Way`)."""

    window = WINDOW
    rate = 200.0
    at_most_once = False

    def __init__(self, channel: Channel, keys: Keys, tls: ssl.SSLContext | None = None) -> None:
        """``tls``: trusts others than this machine does."""
        self.channel = self.name = str(channel)
        self._keys = keys
        self._tls = tls
        self._http: aiohttp.ClientSession | None = None

    async def ready(self) -> None:
        """Each request has a connection of its own."""
        if self._http is None:
            self._http = webhooks.client(self._tls)

    async def hand(self, delivery: Delivery) -> Outcome:
        """Post one."""
        assert self._http is not None
        id = f"psn-warning-{delivery.id}"
        try:
            secret = self._keys.open(delivery.secret or b"", purpose(delivery.address))
        except KeyProblem as problem:
            return Outcome(State.FAILED, problem=problem.text, recipient=True)
        try:
            await webhooks.post(
                self._http, delivery.address, secret, id, payload(delivery, self.channel)
            )
        except Undelivered as problem:
            again = min(pause(delivery.tries), MOST_SECONDS)
            why = str(problem)[:500]
            return Outcome(State.WAITING, problem=why, pause=again, recipient=True)
        return Outcome(State.DELIVERED, receipt=id)

    async def close(self) -> None:
        """Let go of what is left."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()


def purpose(url: str) -> str:
    """For what a secret is sealed: should somebody change the address, it does not open."""
    return f"warning {url}"


def payload(delivery: Delivery, channel: str) -> bytes:
    """The body: what it is, words for each language, and the alert as CAP."""
    message = delivery.message
    alert, content = message.alert, message.content
    said: dict[str, Any] = {
        "identifier": alert.identifier,
        "kind": str(alert.message_type),
        "status": str(alert.status),
        "event": content.event,
        "texts": {
            each.language: shown(content, each, Channel(channel), NEMO.word)
            for each in content.texts
        },
        "references": [each.identifier for each in alert.references],
        "cap": message.document.decode(),
    }
    return msgspec.json.encode(
        {"type": "warning.sent", "timestamp": cap.moment(alert.sent), "data": said}
    )
