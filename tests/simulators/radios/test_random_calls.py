"""Random calls through the bridge's own exchange: nobody hears what is not for him.

DOM-RAD-1 to -7, -21 to -24. The listeners are tried too: with an exchange that is wrong.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from click.testing import CliRunner

from radio_bridge.bridge.exchange import Exchange
from radio_bridge.bridge.talks import Out, Talk
from radio_bridge.calls.conversations import Where
from radio_bridge.inside import Sound
from simulators.bench.commands import bench
from simulators.radios.random_calls import Plan, RandomCalls

SHORT = Plan(seconds=60.0, sites=6, talkgroups=6, radios=60)


@pytest.mark.parametrize("seed", range(1, 5))
def test_everybody_hears_what_is_for_him_and_nothing_else(seed: int) -> None:
    hour = RandomCalls(Plan(60.0, 6, 6, 60, 0.3, seed)).run()
    assert (hour.wrong, hour.left) == (Counter(), 0)
    assert hour.calls > 120
    assert hour.passed > 80
    assert hour.heard > 5_000


class Everywhere(Exchange):
    """Brings talks to channels of other talkgroups too."""

    def _channels(self, talk: Talk) -> list[Where]:
        carriers = self._wiring.carriers.values()
        return [one for wheres in carriers for one in wheres if one != talk.call.where]


class Never(Exchange):
    """Does not let go of what one channel has."""

    def _end_leg(self, talk: Talk, leg: Where) -> list[Out]:
        talk.legs.discard(leg)
        return []


class Deaf(Exchange):
    """Leaves out the channel that comes first."""

    def is_free(
        self, where: Where, target: tuple[int, bool], now: float, urgent: bool = False
    ) -> bool:
        first = min(one for wheres in self._wiring.carriers.values() for one in wheres)
        return where != first and super().is_free(where, target, now, urgent)


class Mute(Exchange):
    """Passes nobody on who is no radio."""

    def key(self, *who: Any, **more: Any) -> list[Out]:
        return []

    def speak(self, where: Where, sound: Sound, now: float) -> list[Out]:
        return []


@pytest.mark.parametrize(
    ("make", "wrong"),
    [(Everywhere, "crosstalk"), (Never, "doubled"), (Deaf, "deaf"), (Mute, "stuck")],
)
def test_listeners_notice_what_is_wrong(make: type[Exchange], wrong: str) -> None:
    assert RandomCalls(SHORT, make).run().wrong[wrong]


def test_an_hour_by_command() -> None:
    done = CliRunner().invoke(bench, ["random-calls", "--seconds", "10", "--json"])
    assert done.exit_code == 0, done.output
    assert '"crosstalk": 0' in done.output
