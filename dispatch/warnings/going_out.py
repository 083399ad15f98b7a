"""The moment at which a message goes out: once, with all that follows from it, in one transaction.

Whoever asks (an approver, the officer, the clock) has locked the warning (:func:`rows.locked`), so
the second one finds it sent. What is sent is kept as the document that receivers get; everything
else (screens, pages, what goes to telephones) is made of that. It is signed as it goes out, so that
whoever passes it on cannot change it unnoticed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dispatch.alerting import cap, issuing, life
from dispatch.alerting.issuing import Issuer
from dispatch.alerting.life import Message
from dispatch.warnings import rows
from dispatch.warnings.rows import Chain
from psn import database
from psn.keys import Certified


async def send(
    connection: database.Connection,
    chain: Chain,
    message: Message,
    by: int | None,
    now: datetime,
    issuer: Issuer,
    certified: Certified,
) -> Message:
    """Send it; ``by``: who, or None for the clock.

    Raises what :func:`life.send` raises, and :class:`cap.CapRefused`.
    """
    others = tuple(each for each in chain.messages if each.id != message.id)
    sent = life.send(message, others, by, now, chain.policy)
    # What is shown is what receivers are told, to the second.
    assert sent.sent is not None
    seal = cap.Seal(certified.key, certified.certificate)
    document = cap.sign(issuing.alert(sent, others, issuer, sent.sent), seal)
    # Everybody reads it from here on: what could not be read would be told to nobody.
    cap.parse(document)
    await rows.keep_sent(connection, sent, document)
    return sent


def approved(chain: Chain, message: Message) -> Chain:
    """The chain with a message as it stands now."""
    return replace(
        chain,
        messages=tuple(message if each.id == message.id else each for each in chain.messages),
    )
