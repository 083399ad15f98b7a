"""``psn bench …``: what can be measured, and how the figures are shown."""

from __future__ import annotations

import click

from simulators.bench.commands import (
    compare,
    console,
    dispatch,
    ear,
    growth,
    ingest,
    positions,
    radio,
    recommend,
    record,
    rush,
    voice,
    warning,
)


@click.group()
def bench() -> None:
    """Measure the network: how soon, how much, and whether anything is lost."""


for _command in (
    positions.picture, positions.mixed, positions.slow, positions.geofence, positions.surge,
    rush.rush,
    ingest.ingest,
    record.messages, record.crash, record.reconnect, record.storm, record.idle, compare.compare,
    console.console, growth.growth, dispatch.dispatch, recommend.recommend,
    voice.voice, ear.ear, radio.radio, radio.random_calls, warning.warning,
):  # fmt: skip
    bench.add_command(_command)
