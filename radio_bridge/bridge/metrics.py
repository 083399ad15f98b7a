"""Figures of a bridge for operators, in Prometheus's text format, at a port of their own."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from radio_bridge.bridge.bridge import Bridge


class BridgeCollector:
    """Reads a bridge's counters when scraped."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def collect(self) -> Iterator[Metric]:
        """Every figure, each with what it means."""
        bridge, figures = self._bridge, self._bridge.figures
        counters = {
            "bursts_heard": (figures.bursts_in, "Bursts of DMR that links took"),
            "pieces_said": (figures.bursts_out, "Pieces of speech brought out on channels"),
            "calls": (figures.calls, "Calls that were passed on and are over"),
        }
        gauges = {
            "talks": (len(bridge.exchange.talks), "Calls that are passed on now"),
            "vocoder": (int(bridge.has_vocoder), "1 when a vocoder is ready"),
        }
        for name, (value, text) in counters.items():
            yield CounterMetricFamily(f"psn_radio_{name}", text, value)
        for name, (value, text) in gauges.items():
            yield GaugeMetricFamily(f"psn_radio_{name}", text, value)
        links = GaugeMetricFamily("psn_radio_link_up", "1 when a link is there", None, ["link"])
        for state in bridge.states():
            links.add_metric([state.name], int(state.is_up))
        yield links
        dropped = CounterMetricFamily(
            "psn_radio_dropped", "What was not taken or not passed on, by code", None, ["code"]
        )
        for code, count in sorted(bridge.refusals().items()):
            dropped.add_metric([code], count)
        yield dropped
        answers = CounterMetricFamily(
            "psn_radio_answers", "What radios were answered or asked, by what", None, ["what"]
        )
        for what, count in sorted(figures.answers.items()):
            answers.add_metric([what], count)
        yield answers


def serve(bridge: Bridge, host: str, port: int) -> tuple[WSGIServer, Thread]:
    """Answer at that address, in a thread of its own; raises ``OSError``."""
    registry = CollectorRegistry()
    registry.register(BridgeCollector(bridge))
    return start_http_server(port, host, registry)
