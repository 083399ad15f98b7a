"""Early warning beside the network: what is in force in memory, the clock, and the ways out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Final

import asyncpg
from aiohttp import web

from dispatch.alerting.content import Channel
from dispatch.board.board import Board
from dispatch.sms.session import SmsCentre
from dispatch.warnings import figures, group_address, outbox, sources, synthesis
from dispatch.warnings.clock import WarningClock
from dispatch.warnings.drafts import Drafts
from dispatch.warnings.email_way import EmailWay, mail_server
from dispatch.warnings.listening import Listening
from dispatch.warnings.outbox import Outbox
from dispatch.warnings.public_pages import PublicPages
from dispatch.warnings.push_way import PushWay
from dispatch.warnings.radio_text_way import RadioTextWay
from dispatch.warnings.screens import Screens
from dispatch.warnings.sms_way import SmsWay
from dispatch.warnings.spoken_way import SpokenWay
from dispatch.warnings.told import Sent, Told
from dispatch.warnings.ways import Way
from dispatch.warnings.webhook_way import WebhookWay
from psn.core import Core
from psn.settings import Settings


class WarningRoom:
    """All that goes on for warnings in one server."""

    def __init__(
        self,
        core: Core,
        pool: asyncpg.Pool,
        board: Board,
        pages: PublicPages,
        settings: Settings,
        centres: Sequence[SmsCentre],
    ) -> None:
        """Raises :class:`psn.problems.Problem` for a file of feeds that is wrong."""
        self.centres = centres
        self.told = Told(pool)
        self.drafts = Drafts(core, pool)
        self._screens = Screens(core, pool, board, self.drafts.confirmed)
        self._clock = WarningClock(core, pool, self.renew)
        for centre in centres:
            centre.tell.append(partial(outbox.note_receipts, pool))
        ways = [*(SmsWay(each) for each in centres), *other_ways(core, pool, settings)]

        def groups(sent: Sent) -> set[str]:
            inside = self._screens.inside(sent)
            return group_address.of_units(core.voice, core.directory, sent.agency, inside)

        self.outbox = Outbox(pool, lambda: self.told.now, ways, self._screens.outside, groups)
        for centre, lane in zip(centres, self.outbox.lanes, strict=False):
            centre.watchers.append(lane.reaches)
        for lane in self.outbox.lanes:
            if isinstance(lane.way, SpokenWay):
                lane.health.problem = synthesis.lacking()  # before anything is to be spoken
        core.figures.append(lambda: figures.of(self.outbox.lanes, centres))
        again = None if settings.feeds is None else partial(sources.read, settings.feeds)
        self.listening = Listening(pool, () if again is None else again(), again=again)
        self.told.shows += [self._screens.show, pages.show, self.outbox.show]

    async def load(self) -> None:
        """Read everything; raises what asyncpg raises."""
        await self.outbox.load()
        await self.told.load()
        await self.drafts.renew()

    async def renew(self) -> None:
        """Show what an action or the clock has changed; it is shown when this returns."""
        self._clock.wake()
        await self.told.renew()
        await self.drafts.renew()

    def doubt(self) -> None:
        """Something may have changed unseen."""
        self.told.doubt()
        self.drafts.confirmed()

    def works(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What goes on without an end, by name."""
        yield "warnings", self.told.run
        yield "warnings on screens", self._screens.run
        yield "warnings at the desk", self.drafts.run
        yield "warnings by the clock", self._clock.run
        yield "warnings to be told", self.outbox.run
        for lane in self.outbox.lanes:
            yield f"warnings by {lane.way.name}", lane.run
        yield from self.listening.works()


def other_ways(core: Core, pool: asyncpg.Pool, settings: Settings) -> list[Way]:
    """The ways out but SMS: of this network, by request, and those that the settings name."""
    found: list[Way] = [
        *(WebhookWay(channel, core.keys) for channel in (Channel.WEBHOOK, Channel.CELL)),
        SpokenWay(core),
        RadioTextWay(core),
        PushWay(core, pool, settings),
    ]
    if settings.smtp is not None and settings.smtp_sender is not None:
        found.append(EmailWay(mail_server(settings.smtp, settings.smtp_sender)))
    return found


ROOM: Final[web.AppKey[WarningRoom]] = web.AppKey("warning_room", WarningRoom)
