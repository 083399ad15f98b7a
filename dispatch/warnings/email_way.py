"""E-mail by a mail server (SMTP, ``aiosmtplib``), for the outbox.

A mail has its words, and the alert as CAP for programs. Its Message-ID is the same each time that
it is tried, so that a server or a person who gets it twice knows it (RFC 5322, 3.6.4).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from dispatch.alerting.channels import mark, shown
from dispatch.alerting.content import Channel
from dispatch.alerting.issuing import NEMO
from dispatch.outcomes import Away, Outcome, State, pause
from dispatch.warnings.ways import Delivery

ANSWER_SECONDS: Final = 30.0
_OURS: Final = frozenset({530, 534, 535, 538})
"""It does not know us (RFC 4954, 6): no word about a recipient."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes, and from whom."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    tls: bool = False
    """From the first octet; else by STARTTLS where the server offers it."""


def mail_server(url: str, sender: str) -> MailServer:
    """The server of ``smtp://user:password@host:port`` or ``smtps://…``."""
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    return MailServer(
        parts.hostname or "localhost",
        parts.port or (465 if tls else 587),
        sender,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
        tls,
    )


class EmailWay:
    """Hands mail to one server (:class:`dispatch.warnings.ways.Way`)."""

    channel = str(Channel.EMAIL)
    name = "smtp"
    window = 20
    rate = 100.0
    at_most_once = False

    def __init__(self, server: MailServer, answer_seconds: float = ANSWER_SECONDS) -> None:
        """``answer_seconds``: a server that has not answered by then hangs."""
        self._server = server
        self._answer_seconds = answer_seconds
        self._client: aiosmtplib.SMTP | None = None
        self._turn = asyncio.Lock()

    async def ready(self) -> None:
        """Be connected and known."""
        if self._client is not None and self._client.is_connected:
            return
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            timeout=self._answer_seconds,
            username=server.user,
            password=server.password,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as problem:
            raise Away(f"{server.host}:{server.port} does not let us in: {problem}") from problem
        self._client = client

    async def hand(self, delivery: Delivery) -> Outcome:
        """Hand over one mail, when it is its turn on the connection."""
        mail = message_of(delivery, self._server.sender)
        async with self._turn:
            client = self._client
            if client is None or not client.is_connected:
                return _again(delivery, "The connection ended before it was handed over.")
            try:
                await client.send_message(mail)
            except aiosmtplib.SMTPRecipientsRefused as problem:
                refusal = problem.recipients[0]
                judged = _judged(delivery, refusal.code, refusal.message)
                return replace(judged, recipient=refusal.code not in _OURS)
            except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPHeloError) as problem:
                # Not of this recipient: whoever mends it wants all of them told.
                return _again(delivery, f"The mail server refused us: {problem}"[:500])
            except aiosmtplib.SMTPResponseException as problem:
                if problem.code in _OURS:
                    return _again(delivery, f"The mail server refused us: {problem}"[:500])
                return _judged(delivery, problem.code, problem.message)
            except ValueError as problem:
                return _again(delivery, f"It is no mail: {problem}")
            except (aiosmtplib.SMTPException, OSError) as problem:
                # An answer that comes late would be taken for that to the next mail.
                client.close()
                return _again(delivery, f"The mail server did not take it: {problem}")
        return Outcome(State.HANDED, receipt=str(mail["Message-ID"]))

    async def close(self) -> None:
        """Say goodbye."""
        client, self._client = self._client, None
        if client is not None and client.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.quit()


def message_of(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail; raises nothing for an address that is none, which the server refuses."""
    content, alert, text = delivery.message.content, delivery.message.alert, delivery.text
    marked = mark(content.status, text.language)
    headline = " ".join((text.headline or text.event).split())
    mail = EmailMessage()
    mail["Subject"] = f"{marked}: {headline}" if marked else headline
    mail["From"] = sender
    mail["To"] = " ".join(delivery.address.split())
    mail["Date"] = format_datetime(alert.sent)
    mail["Message-ID"] = f"<{alert.identifier}.{delivery.id}@{NEMO.sender}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Importance"] = "high"
    mail.set_content(shown(content, text, Channel.EMAIL, NEMO.word) + f"\n\n{NEMO.name}\n")
    mail.add_attachment(
        delivery.message.document,
        maintype="application",
        subtype="cap+xml",
        filename=f"{alert.identifier}.xml",
    )
    return mail


def _judged(delivery: Delivery, code: int, text: str) -> Outcome:
    """A refusal: for good, or for now (RFC 5321, 4.2.1)."""
    why = f"The mail server refused it: {code} {text}"[:500]
    return Outcome(State.FAILED, problem=why) if code >= 500 else _again(delivery, why)


def _again(delivery: Delivery, why: str) -> Outcome:
    return Outcome(State.WAITING, problem=why, pause=pause(delivery.tries))
