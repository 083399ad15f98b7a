"""SMS by SMPP 3.4: one session with an SMS centre (``smpp34``), for the outbox.

An SMS may not come twice, so what is not known is not tried again. Known is what the centre
answers: taken, with its own number for it; refused for now (it is throttled, its queue is full);
refused for good. When the connection ends, or nothing is answered, before it has answered, the
centre may have it: uncertain (docs/decisions/0031).

Long texts are parted by their sender (3GPP TS 23.040, 9.2.3.24.1), each part a submission of its
own. Delivery receipts are read by their fields or, as most centres send them, from their text
(SMPP 3.4, 5.2.12 and appendix B).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import asyncpg
import smpp34

from dispatch.alerting import sms, standing
from dispatch.alerting.cap import Alert, MessageType
from dispatch.alerting.channels import shown
from dispatch.alerting.content import Channel
from dispatch.alerting.issuing import NEMO
from dispatch.warnings.ways import Away, Delivery, Outcome, State, pause
from psn import database

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 20.0
"""A centre that has not answered by then hangs: the session is given up."""
MOST_RECEIPTS: Final = 10_000
"""Receipts that are kept until it is known to which delivery they belong."""
NOTE_SECONDS: Final = 0.5
RECEIPT: Final = 0x04
_RECEIPT_MASK: Final = 0x3C
HAS_HEADER: Final = 0x40
"""``esm_class``: the text begins with a header (SMPP 3.4, 5.2.12)."""
_CODINGS: Final = {sms.Coding.GSM_7: 0, sms.Coding.UCS_2: 8}
"""``data_coding`` (SMPP 3.4, 5.2.19)."""
_ALPHANUMERIC: Final = (5, 0)
_INTERNATIONAL: Final = (1, 1)
"""Type of number and numbering plan (SMPP 3.4, 5.2.5, 5.2.6)."""
_LATER: Final = frozenset({0x08, 0x14, 0x58})
"""``command_status``: the centre is in trouble; its queue is full; it is throttled (SMPP 3.4,
5.1.3)."""
_UNBOUND: Final = 0x04
"""It does not take us for bound as a transmitter any more."""
_MOST_SECONDS: Final = 15.0
"""What a centre refuses for now is tried again within so long: it is the centre that is paced."""
_LONGEST_MINUTES: Final = 7 * 24 * 60
_RECEIPTED_ID: Final = 0x001E
_MESSAGE_STATE: Final = 0x0427
"""Tags of fields (SMPP 3.4, 5.3.2)."""
_ID: Final = re.compile(rb"\bid:(\S+)")
_STAT: Final = re.compile(rb"\bstat:([A-Z]+)", re.IGNORECASE)
_BY_FIELD: Final = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD",
                    7: "UNKNOWN", 8: "REJECTD"}  # fmt: skip
"""``message_state`` (SMPP 3.4, 5.2.28)."""
_STATES: Final = {
    "DELIVRD": State.DELIVERED,
    "ACCEPTD": State.DELIVERED,
    "EXPIRED": State.FAILED,
    "DELETED": State.FAILED,
    "UNDELIV": State.FAILED,
    "REJECTD": State.FAILED,
}
Receipt = tuple[str, State, str]
"""The centre's number of a message, what became of it, and in words why."""
TellReceipts = Callable[[str, list[Receipt]], Awaitable[list[Receipt]]]


@dataclass(frozen=True, slots=True)
class Centre:
    """An SMS centre, and what its operator has agreed to.

    Attributes:
        source: whom a message comes from, a word of up to eleven letters or a number.
        window: submissions that may be unanswered at once.
        rate: submissions a second.
        price: of one submission.
    """

    name: str
    host: str
    port: int
    system_id: str
    password: str
    source: str = "NEMO"
    tls: bool = False
    window: int = 10
    rate: float = 50.0
    price: Decimal | None = None


class SmsWay:
    """Submits to one centre (:class:`dispatch.warnings.ways.Way`)."""

    channel = str(Channel.SMS)
    at_most_once = True

    def __init__(
        self, centre: Centre, tell: TellReceipts, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """``tell`` notes receipts, and gives back those that it does not know yet."""
        self.tell = [tell]
        """Each is told what those before it do not know."""
        self.name = f"smsc:{centre.name}"
        self.window, self.rate = centre.window, centre.rate
        self._centre = centre
        self._answer_seconds = answer_seconds
        self._client: smpp34.Client | None = None
        self._session: smpp34.Smsc | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._binding = asyncio.Lock()
        self._receipts: list[Receipt] = []
        """That are to be noted; some come before it was written to which delivery they belong."""

    async def ready(self) -> None:
        """Be bound as a transceiver."""
        async with self._binding:
            if self._session is None:
                await self.close()
                await self._bind()

    async def _bind(self) -> None:
        centre = self._centre
        self._client = smpp34.Client(
            centre.host,
            centre.port,
            centre.system_id,
            centre.password,
            bind_type="TRX",
            tls=centre.tls,
            window_size=centre.window,
            connect_timeout_ms=round(CONNECT_SECONDS * 1_000),
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS + 2):
                session = await self._client.connect()
        except (smpp34.SmppError, OSError, TimeoutError) as problem:
            raise Away(f"{centre.host}:{centre.port} does not let us in: {problem}") from problem
        self._session = session
        self._hearing = asyncio.create_task(self._hear(session), name=self.name)
        self._noting = asyncio.create_task(self._note_by_the_clock(), name=f"{self.name} receipts")

    async def hand(self, delivery: Delivery) -> Outcome:
        """Submit one part."""
        message = delivery.message
        text = shown(message.content, delivery.text, Channel.SMS, NEMO.word)
        parted = sms.measure(text)
        valid = validity(message.alert, datetime.now(UTC))
        return await self.submit(
            delivery.address, parted, delivery.part, message.id, delivery.tries, valid
        )

    async def submit(
        self,
        address: str,
        parted: sms.ShortMessages,
        part: int,
        message: int,
        tries: int,
        valid: str = "",
    ) -> Outcome:
        """Submit one part (from 1) to a telephone (E.164); raises nothing.

        ``message``: a number of the text that its parts go by; ``valid``: how long the centre may
        try (SMPP 3.4, 7.1.1), none: as long as it does.
        """
        session = self._session
        if session is None:
            return Outcome(State.WAITING, problem="The connection ended before it was submitted.")
        try:
            answer = await self._submit(session, address, parted, part, message, valid)
        except TimeoutError:
            self._lost(session)
            return Outcome(
                State.UNCERTAIN, problem=f"The centre did not answer in {self._answer_seconds:g} s."
            )
        except (smpp34.SmppError, OSError) as problem:
            self._lost(session)
            return Outcome(
                State.UNCERTAIN, problem=f"The connection ended before it answered: {problem}"
            )
        return self._outcome(answer, tries)

    async def _submit(
        self,
        session: smpp34.Smsc,
        address: str,
        parted: sms.ShortMessages,
        part: int,
        message: int,
        valid: str,
    ) -> smpp34.SubmitSmResp:
        octets = sms.encode(parted.parts[part - 1], parted.coding)
        parts = len(parted.parts)
        if parts > 1:
            # Which parts belong together: the same for all parts of this message.
            octets = bytes((5, 0, 3, message & 0xFF, parts, part)) + octets
        named = not self._centre.source.lstrip("+").isdecimal()
        ton, npi = _ALPHANUMERIC if named else _INTERNATIONAL
        to_ton, to_npi = _INTERNATIONAL
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await session.submit_sm(
                    address.lstrip("+"),
                    octets,
                    source_addr=self._centre.source.lstrip("+"),
                    source_addr_ton=ton,
                    source_addr_npi=npi,
                    dest_addr_ton=to_ton,
                    dest_addr_npi=to_npi,
                    esm_class=HAS_HEADER if parts > 1 else 0,
                    validity_period=valid,
                    data_coding=_CODINGS[parted.coding],
                    registered_delivery=1,
                )
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # The library ends what waits so when its session does.
            raise smpp34.SmppError("the session ended") from None

    def _outcome(self, answer: smpp34.SubmitSmResp, tries: int) -> Outcome:
        if answer.is_success:
            if not answer.message_id:
                return Outcome(State.UNCERTAIN, problem="The centre took it and gave it no number.")
            return Outcome(State.HANDED, answer.message_id, price=self._centre.price)
        why = f"The centre refused it (status 0x{answer.command_status:08x})."
        if answer.command_status == _UNBOUND:
            self._session = None
            return Outcome(State.WAITING, problem=why, pause=pause(tries))
        if answer.command_status in _LATER:
            again = min(pause(tries), _MOST_SECONDS)
            return Outcome(State.WAITING, problem=why, pause=again, slow=True)
        return Outcome(State.FAILED, problem=why)

    def _lost(self, session: smpp34.Smsc) -> None:
        """The session is of no use any more; the next batch makes another one."""
        if self._session is session:
            self._session = None

    async def _hear(self, session: smpp34.Smsc) -> None:
        """Read receipts until the session ends."""
        while not isinstance(event := await session.next(), smpp34.Disconnected):
            receipt = receipt_of(event)
            if receipt is not None:
                self._receipts = [*self._receipts[-MOST_RECEIPTS:], receipt]
        self._lost(session)

    async def _note_by_the_clock(self) -> None:
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            if self._receipts:
                await self._note()

    async def _note(self) -> None:
        """Note receipts; what belongs to nothing that is known (yet) is kept, as far as is sane."""
        receipts, self._receipts = self._receipts, []
        try:
            left = receipts
            for tell in self.tell:
                left = await tell(self.name, left)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.info("receipts of %s wait for the database: %s", self.name, problem)
        self._receipts = [*left, *self._receipts][-MOST_RECEIPTS:]

    async def close(self) -> None:
        """End the session."""
        client, self._client, self._session = self._client, None, None
        tasks = [each for each in (self._hearing, self._noting) if each is not None]
        self._hearing = self._noting = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._receipts:
            await self._note()
        if client is not None:
            with contextlib.suppress(smpp34.SmppError, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.stop()


def validity(alert: Alert, now: datetime) -> str:
    """How long the centre may try, as SMPP 3.4 (7.1.1.2) writes it from when it takes it.

    A telephone that was off must not learn of a warning after that is over. What is said of a
    Cancel, and what says no end, is for the centre: nothing.
    """
    if alert.message_type is MessageType.CANCEL:
        return ""
    minutes = math.ceil((standing.life(alert) - now).total_seconds() / 60)
    minutes = max(1, min(minutes, _LONGEST_MINUTES))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}00000R"


def receipt_of(event: smpp34.DeliverSmEvent) -> Receipt | None:
    """What a receipt says; None for what is none, or says nothing final."""
    if event.esm_class & _RECEIPT_MASK != RECEIPT:
        return None
    fields = {each.tag: each for each in event.tlvs}
    number = fields.get(_RECEIPTED_ID)
    name = None if number is None else number.value.rstrip(b"\0").decode("latin-1")
    if name is None:
        found = _ID.search(event.short_message)
        name = None if found is None else found[1].decode("latin-1")
    state = fields.get(_MESSAGE_STATE)
    word = None if state is None else _BY_FIELD.get(state.as_int() or 0)
    if word is None:
        said = _STAT.search(event.short_message)
        word = None if said is None else said[1].decode("ascii").upper()
    became = _STATES.get(word or "")
    if not name or became is None:
        return None
    return name, became, "" if became is State.DELIVERED else f"The centre says {word}."
