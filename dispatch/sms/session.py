"""SMS by SMPP 3.4: one session with an SMS centre (``smpp34``).

An SMS may not come twice, so what is not known is not tried again. Known is what the centre
answers: taken, with its own number for it; refused for now (it is throttled, its queue is full);
refused for good. When the connection ends, or nothing is answered, before it has answered, the
centre may have it: uncertain (docs/decisions/0031).

Long texts are parted by their sender (3GPP TS 23.040, 9.2.3.24.1), each part a submission of its
own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import smpp34

from dispatch.outcomes import Away, Outcome, State, pause
from dispatch.sms import short_messages
from dispatch.sms.centres import Centre
from dispatch.sms.receipts import Receipt, receipt_of
from psn import database

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 20.0
"""A centre that has not answered by then hangs: the session is given up."""
MOST_RECEIPTS: Final = 10_000
"""Receipts that are kept until it is known to which delivery they belong."""
NOTE_SECONDS: Final = 0.5
HAS_HEADER: Final = 0x40
"""``esm_class``: the text begins with a header (SMPP 3.4, 5.2.12)."""
_CODINGS: Final = {short_messages.Coding.GSM_7: 0, short_messages.Coding.UCS_2: 8}
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
TellReceipts = Callable[[str, list[Receipt]], Awaitable[list[Receipt]]]
"""Notes what a centre, by its name, says later; gives back what it does not know (yet)."""


class SmsCentre:
    """The session with one centre, for all who submit to it."""

    def __init__(self, centre: Centre) -> None:
        self.tell: list[TellReceipts] = []
        """Each is told what those before it do not know."""
        self.name = f"smsc:{centre.name}"
        self.window, self.rate = centre.window, centre.rate
        self._centre = centre
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

    async def submit(
        self,
        address: str,
        parted: short_messages.ShortMessages,
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
                State.UNCERTAIN, problem=f"The centre did not answer in {ANSWER_SECONDS:g} s."
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
        parted: short_messages.ShortMessages,
        part: int,
        message: int,
        valid: str,
    ) -> smpp34.SubmitSmResp:
        octets = short_messages.encode(parted.parts[part - 1], parted.coding)
        parts = len(parted.parts)
        if parts > 1:
            # Which parts belong together: the same for all parts of this message.
            octets = bytes((5, 0, 3, message & 0xFF, parts, part)) + octets
        named = not self._centre.source.lstrip("+").isdecimal()
        ton, npi = _ALPHANUMERIC if named else _INTERNATIONAL
        to_ton, to_npi = _INTERNATIONAL
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
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
