"""Figures for operators, in Prometheus's text format.

The hot paths count with plain integers; they are read here only when someone asks.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest

from psn.histogram import Histogram

if TYPE_CHECKING:
    from psn.core import Core
    from psn.csirt.outlets import Outlet


class CoreCollector:
    """Reads the core's counters when scraped."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def collect(self) -> Iterator[Metric]:
        """Every figure, each with what it means."""
        core = self._core
        counters = {
            "positions": (core.positions, "Positions taken"),
            "positions_refused": (core.refused_positions, "Positions refused"),
            "positions_stored": (core.tracks.stored, "Positions committed to the tracks"),
            "positions_dropped": (core.tracks.dropped, "Positions lost: database away too long"),
            "seats_delivered": (core.hub.delivered, "Newest positions handed to sockets"),
            "seats_conflated": (core.hub.conflated, "Newest positions skipped for slow sessions"),
            "speech_relayed": (core.voice.relay.relayed, "Frames of speech handed to sockets"),
            "speech_late": (core.voice.relay.late, "Frames of speech dropped: a socket was behind"),
            "speech_refused": (core.voice.refused, "Frames of speech that were not passed on"),
            "radios_heard": (core.radios.reports, "Times that gateways have heard radios"),
            "talks_recorded": (core.recorder.kept, "Talks of which a recording was begun"),
            "talk_lost": (core.recorder.lost, "Seconds of talk lost: database away too long"),
            "record_entries": (core.record.committed, "Mailbox entries committed"),
            "audit_entries": (core.auditor.written, "Entries of the audit that the server wrote"),
            "audit_refused": (core.auditor.refused, "Requests refused: they could not be recorded"),
            "audit_lost": (core.auditor.lost, "Failed sign-ins and the like that were not kept"),
            "sessions_stuck": (core.stuck, "Sessions ended because they took nothing"),
        }
        gauges = {
            "sessions": (len(core.sessions.all), "Signed-in sessions"),
            "sessions_lagging": (len(core.hub.lagging), "Sessions whose socket does not drain"),
            "views": (core.hub.views, "Different views of the picture"),
            "voice_groups": (len(core.voice.groups), "Voice groups in which somebody is"),
            "units_on_the_map": (len(core.picture.newest), "Units with a position"),
            "positions_waiting": (core.tracks.waiting, "Positions not on disk yet"),
            "record_waiting": (core.record.waiting, "Entries not committed yet"),
            "talk_waiting_bytes": (core.recorder.waiting, "Recorded talk not on disk yet"),
            "record_healthy": (int(core.record.healthy), "1 when the record can be written"),
            "tracks_healthy": (int(core.tracks.healthy), "1 when positions can be stored"),
            "outbox_bytes_most": (
                max((session.outbox.waiting for session in core.sessions.all), default=0),
                "Bytes that wait in the fullest session's socket",
            ),
        }
        histograms = {
            "fanout_seconds": (core.hub.seconds, "From a change until all sockets were handed it"),
            "position_store_seconds": (core.tracks.seconds, "From a position until it is on disk"),
            "position_batch": (core.tracks.batches, "Positions stored together"),
            "commit_batch": (core.record.batches, "Messages and marks committed together"),
            "sign_in_seconds": (
                core.signin.seconds,
                "A sign-in, with the password check",
            ),
            "garbage_seconds": (core.garbage_seconds, "How long looking for garbage held it up"),
            "loop_lag_seconds": (core.lag_seconds, "How late the event loop is"),
        }
        for name, (value, text) in counters.items():
            yield CounterMetricFamily(f"psn_{name}", text, value)
        for name, (value, text) in gauges.items():
            yield GaugeMetricFamily(f"psn_{name}", text, value)
        for name, (histogram, text) in histograms.items():
            yield HistogramMetricFamily(f"psn_{name}", text, _buckets(histogram), histogram.total)
        commits = HistogramMetricFamily(
            "psn_commit_seconds",
            "From a message, an emergency or a mark (arrived, read) until it is on disk",
            labels=["kind"],
        )
        for kind, histogram in core.record.seconds.items():
            commits.add_metric([kind], _buckets(histogram), histogram.total)
        yield commits
        outlets = core.outlets()
        if outlets:
            yield from _outlets(outlets)
        for figures in core.figures:
            yield from figures()


def _outlets(outlets: Iterable[Outlet]) -> Iterator[Metric]:
    """How far each receiver of security events has got."""
    behind = GaugeMetricFamily(
        "psn_outlet_behind", "Entries of the audit that an outlet has not read", labels=["outlet"]
    )
    since = GaugeMetricFamily(
        "psn_outlet_seconds_since_success",
        "Since an outlet had last delivered what there was",
        labels=["outlet"],
    )
    delivered = CounterMetricFamily(
        "psn_outlet_events", "Security events handed to a receiver", labels=["outlet"]
    )
    now = time.time()
    for outlet in outlets:
        behind.add_metric([outlet.name], outlet.state.behind)
        since.add_metric([outlet.name], max(now - outlet.state.succeeded, 0.0))
        delivered.add_metric([outlet.name], outlet.state.delivered)
    yield from (behind, since, delivered)


def _buckets(histogram: Histogram) -> list[tuple[str, int]]:
    return [(_bound(bound), count) for bound, count in histogram.cumulative()]


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:g}"


def exposition(core: Core) -> bytes:
    """The page ``/metrics``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(CoreCollector(core))
    return generate_latest(registry)
