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
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
STRANGER_SECONDS: Final = 60.0
"""So long it is waited for whose a receipt is; then it is of somebody else, or of a try whose
answer was lost, and there is nothing to note."""
NOTE_SECONDS: Final = 0.5
REBIND_SECONDS: Final = 10.0
"""A centre that is away is tried so often, at least."""
STEADY_SECONDS: Final = 60.0
"""A session that lasted so long is begun anew at once; one that did not, after a pause."""
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
_NO_SUCH_NUMBER: Final = frozenset({0x0B, 0x48, 0x49})
"""Its address, type of number, or numbering plan is none (SMPP 3.4, 5.1.3)."""
_UNBOUND: Final = 0x04
"""It does not take us for bound as a transmitter any more."""
_MOST_SECONDS: Final = 15.0
"""What a centre refuses for now is tried again within so long: it is the centre that is paced."""
TellReceipts = Callable[[str, list[Receipt]], Awaitable[list[Receipt]]]
"""Notes what a centre, by its name, says later; gives back what it does not know (yet)."""


Watcher = Callable[[str | None], None]
"""Told why a centre is away, or None: it is bound."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One part of a text to one telephone.

    Attributes:
        address: the telephone (E.164).
        parted: the text.
        part: which part of it, from 1.
        message: a number of the text that its parts go by.
        tries: how often it was tried, this time too.
        valid: how long the centre may try (SMPP 3.4, 7.1.1); none: as long as it does.
    """

    address: str
    parted: short_messages.ShortMessages
    part: int
    message: int
    tries: int
    valid: str = ""

    @property
    def octets(self) -> bytes:
        """The part, behind the header that says which it is if there are several."""
        octets = short_messages.encode(self.parted.parts[self.part - 1], self.parted.coding)
        if not self.is_long:
            return octets
        # Which parts belong together: the same for all parts of this message.
        return bytes((5, 0, 3, self.message & 0xFF, len(self.parted.parts), self.part)) + octets

    @property
    def is_long(self) -> bool:
        """Whether there are several parts."""
        return len(self.parted.parts) > 1


@dataclass(slots=True)
class _Waiting:
    """A receipt that is to be noted; ``asked``: when nobody knew it first (monotonic seconds)."""

    receipt: Receipt
    asked: float | None = None


class SmsCentre:
    """The session with one centre, for all who submit to it."""

    def __init__(self, centre: Centre) -> None:
        self.tell: list[TellReceipts] = []
        """Each is told what those before it do not know."""
        self.watchers: list[Watcher] = []
        self.name = f"smsc:{centre.name}"
        self.window, self.rate, self.price = centre.window, centre.rate, centre.price
        self.problem: str | None = "It was not tried yet."
        """Why there is no session; None: there is one."""
        self.busy = 0
        """Submissions that have no answer, or no room, yet."""
        self.strangers = 0
        """Receipts that belonged to nothing."""
        self._centre = centre
        self._client: smpp34.Client | None = None
        self._session: smpp34.Smsc | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._binding = asyncio.Lock()
        self._room = asyncio.Semaphore(centre.window)
        self._answers = False
        """In this session it has answered a submission."""
        self._first = asyncio.Lock()
        """Until it has, it gets one at a time: one that hangs, or ends each session at once, leaves
        one uncertain and not a whole window."""
        self._ended = asyncio.Event()
        self._failures = 0
        self._bound_at = self._again_at = 0.0
        """When it was bound last, and may be tried again (monotonic seconds)."""
        self._receipts: list[_Waiting] = []
        """Some come before it was written to which delivery they belong."""

    async def run(self) -> None:
        """Stay bound, also while there is nothing to submit, and note receipts.

        A receipt comes hours later, when a telephone is switched on; and that a centre is dead
        must be known before it is needed. The library asks every half minute whether the other
        side is there (``enquire_link``), and ends the session when it says nothing for as long.
        """
        async with asyncio.TaskGroup() as works:
            works.create_task(self._stay_bound(), name=self.name)
            works.create_task(self._note_by_the_clock(), name=f"{self.name} receipts")

    async def _stay_bound(self) -> None:
        while True:
            with contextlib.suppress(Away):
                await self.ready()
                await self._ended.wait()
            await asyncio.sleep(max(self._again_at - time.monotonic(), 0.0))

    async def ready(self) -> None:
        """Be bound as a transceiver; raises :class:`Away`, also while it is not to be tried yet."""
        async with self._binding:
            if self._session is not None:
                return
            if self._again_at > time.monotonic():
                raise Away(self.problem or "")
            await self._let_go()
            try:
                self._session = session = await self._bind()
            except Away as away:
                self._away(str(away))
                raise
            except Exception as fault:
                self._away(f"an error of this program: {fault!r}")
                raise
            self._ended.clear()
            self._answers = False
            self._bound_at, self.problem = time.monotonic(), None
            self._hearing = asyncio.create_task(self._hear(session), name=self.name)
            log.info("%s: bound", self.name)
        for watcher in self.watchers:
            watcher(None)

    async def _bind(self) -> smpp34.Smsc:
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
                return await self._client.connect()
        except (smpp34.SmppError, OSError, TimeoutError) as problem:
            where = f"{centre.host}:{centre.port}"
            raise Away(f"{where} does not let us in: {_why_not(problem)}") from problem

    def _away(self, why: str) -> None:
        """There is no session, and there will not be one before the next try is due."""
        now = time.monotonic()
        lasted = self._bound_at and now - self._bound_at > STEADY_SECONDS
        self._failures = 0 if lasted else self._failures + 1
        self._bound_at = 0.0
        wait = min(pause(self._failures), REBIND_SECONDS) if self._failures else 0.0
        self._again_at = now + wait
        if self.problem is None:
            log.warning("%s is away: %s", self.name, why)
        self.problem = why
        for watcher in self.watchers:
            watcher(why)

    async def submit(self, submission: Submission) -> Outcome:
        """Submit one part; raises nothing."""
        self.busy += 1
        try:
            # What waits for room was not submitted, and nobody is in doubt about it.
            async with self._room:
                async with self._first:
                    if not self._answers:
                        return await self._answered(submission)
                return await self._answered(submission)
        finally:
            self.busy -= 1

    async def _answered(self, submission: Submission) -> Outcome:
        session = self._session
        if session is None:
            return Outcome(
                State.WAITING,
                problem="The connection ended before it was submitted.",
                pause=pause(submission.tries),
            )
        try:
            answer = await self._submit(session, submission)
        except TimeoutError:
            why = f"The centre did not answer in {ANSWER_SECONDS:g} s."
            self._lost(session, why)
            return Outcome(State.UNCERTAIN, problem=why)
        except (smpp34.SmppError, OSError) as problem:
            why = f"The connection ended before it answered: {problem}"
            self._lost(session, why)
            return Outcome(State.UNCERTAIN, problem=why)
        self._answers = self._answers or self._session is session
        return self._outcome(session, answer, submission.tries)

    async def _submit(
        self,
        session: smpp34.Smsc,
        submission: Submission,
    ) -> smpp34.SubmitSmResp:
        named = not self._centre.source.lstrip("+").isdecimal()
        ton, npi = _ALPHANUMERIC if named else _INTERNATIONAL
        to_ton, to_npi = _INTERNATIONAL
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await session.submit_sm(
                    submission.address.lstrip("+"),
                    submission.octets,
                    source_addr=self._centre.source.lstrip("+"),
                    source_addr_ton=ton,
                    source_addr_npi=npi,
                    dest_addr_ton=to_ton,
                    dest_addr_npi=to_npi,
                    esm_class=HAS_HEADER if submission.is_long else 0,
                    validity_period=submission.valid,
                    data_coding=_CODINGS[submission.parted.coding],
                    registered_delivery=1,
                )
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # The library ends what waits so when its session does.
            raise smpp34.SmppError("the session ended") from None

    def _outcome(self, session: smpp34.Smsc, answer: smpp34.SubmitSmResp, tries: int) -> Outcome:
        if answer.is_success:
            if not answer.message_id:
                return Outcome(State.UNCERTAIN, problem="The centre took it and gave it no number.")
            return Outcome(State.HANDED, answer.message_id, price=self._centre.price)
        why = f"The centre refused it (status 0x{answer.command_status:08x})."
        if answer.command_status == _UNBOUND:
            self._lost(session, why)
            return Outcome(State.WAITING, problem=why, pause=pause(tries))
        if answer.command_status in _LATER:
            again = min(pause(tries), _MOST_SECONDS)
            return Outcome(State.WAITING, problem=why, pause=again, slow=True)
        return Outcome(
            State.FAILED, problem=why, recipient=answer.command_status in _NO_SUCH_NUMBER
        )

    def _lost(self, session: smpp34.Smsc, why: str) -> None:
        """The session is of no use any more; there will be another one."""
        if self._session is session:
            self._session = None
            self._away(why)
            self._ended.set()

    async def _hear(self, session: smpp34.Smsc) -> None:
        """Read receipts until the session ends."""
        while not isinstance(event := await session.next(), smpp34.Disconnected):
            receipt = receipt_of(event)
            if receipt is not None:
                self._receipts.append(_Waiting(receipt))
                del self._receipts[:-MOST_RECEIPTS]
        self._lost(session, "The centre ended the session, or does not answer any more.")

    async def _note_by_the_clock(self) -> None:
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            if self._receipts:
                await self._note()

    async def _note(self) -> None:
        """Note receipts; what nobody knows (yet) is asked for again for a while."""
        waiting, self._receipts = self._receipts, []
        left = [each.receipt for each in waiting]
        try:
            for tell in self.tell:
                left = await tell(self.name, left)
        except (*database.PASSING, asyncpg.PostgresError) as problem:
            log.info("receipts of %s wait for the database: %s", self.name, problem)
            asked = None
        else:
            asked = time.monotonic()
        unknown = {number for number, _, _ in left}
        kept = []
        for each in waiting:
            if each.receipt[0] not in unknown:
                continue
            each.asked = each.asked or asked
            if each.asked is None or asked is None or asked - each.asked < STRANGER_SECONDS:
                kept.append(each)
            else:
                self.strangers += 1
        self._receipts = [*kept, *self._receipts][-MOST_RECEIPTS:]

    async def close(self) -> None:
        """End the session, and note what it said."""
        self._session = None
        await self._let_go()
        if self._receipts:
            await self._note()

    async def _let_go(self) -> None:
        """Of what is left of the session before."""
        client, self._client = self._client, None
        hearing, self._hearing = self._hearing, None
        if hearing is not None:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        if client is not None:
            with contextlib.suppress(smpp34.SmppError, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.stop()


def _why_not(problem: Exception) -> str:
    """Why there is no session: a centre that refuses us looks to the library as one that is mute.

    It waits for another answer than the refusal, whose status it does not tell.
    """
    if isinstance(problem, TimeoutError) or "bind timed out" in str(problem):
        return (
            f"it has not said yes within {CONNECT_SECONDS:g} s. It may be mute, or refuse the "
            "system_id, the password, or one session more; ask its operator."
        )
    return str(problem)
