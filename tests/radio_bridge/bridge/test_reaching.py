"""Who talks in a group is told which radios hear him: DOM-RAD-27."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from airwaves import GROUP
from coded_site import CAYE, PCM, a_repeater, a_site, streams
from parties import Party
from patience import until
from stage import Stage

from psn import wire
from radio_bridge import narrowband
from radio_bridge.bridge import network
from radio_bridge.bridge.dmr_links import MasterLink
from simulators.radios.repeater import talk


async def test_who_talks_knows_that_one_site_does_not_hear_him(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "TELLS_EVERY_S", 0.1)
    async with a_site(stage, tmp_path) as site:
        link = site.bridge.links.all["sites"]
        assert isinstance(link, MasterLink)
        async with a_repeater(CAYE, link) as caye:
            ana = await Party.enter(stage, "ana", GROUP)
            await until(
                lambda: len(list(link.states())) == 3 and all(s.is_up for s in link.states())
            )
            talking = asyncio.create_task(caye.send(talk(4799, 10, 1, next(streams), range(60))))
            await until(lambda: bool(site.bridge.exchange.talks))
            await ana.granted()
            going_on = asyncio.create_task(_say(ana))
            told = await ana.peer.expect(wire.Reach, lambda each: each.reach != "lost")
            if told.reach == "heard":  # when the gateway had come
                told = await ana.peer.expect(wire.Reach)
            assert told.reach == "partly"
            await talking
            assert (await ana.peer.expect(wire.Reach)).reach == "heard"
            going_on.cancel()
            await ana.release()
            await ana.peer.leave()


async def _say(party: Party) -> None:
    """Talk, until cancelled."""
    coder, number = narrowband.Encoder(), 0
    while True:
        opus = coder.encode(PCM)
        frame = wire.Speech(wire.VoiceGroup.of(GROUP), party.peer.me.me, number, 20, False, opus)
        await party.peer.socket.send(frame.encode())
        number += 1
        await asyncio.sleep(0.02)
