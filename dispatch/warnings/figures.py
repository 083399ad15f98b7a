"""Figures about the ways out, for operators (``/metrics``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from dispatch.sms.session import SmsCentre
from dispatch.warnings.outbox import Lane


def of(lanes: Sequence[Lane], centres: Sequence[SmsCentre]) -> Iterator[Metric]:
    """How each way out is, and each SMS centre."""
    handed = CounterMetricFamily(
        "psn_way_handed", "Deliveries of warnings handed over", labels=["channel", "way"]
    )
    refused = CounterMetricFamily(
        "psn_way_refused",
        "Tries that failed for what is wrong with their recipient",
        labels=["channel", "way"],
    )
    failing = GaugeMetricFamily(
        "psn_way_failing", "1 when a way out does not deliver", labels=["channel", "way"]
    )
    for lane in lanes:
        names = [lane.health.channel, lane.health.name]
        handed.add_metric(names, lane.health.handed)
        refused.add_metric(names, lane.health.refused)
        failing.add_metric(names, int(lane.health.failing_since is not None))
    yield from (handed, refused, failing)
    if not centres:
        return
    bound = GaugeMetricFamily(
        "psn_sms_centre_bound", "1 when there is a session with an SMS centre", labels=["centre"]
    )
    strangers = CounterMetricFamily(
        "psn_sms_receipts_unknown", "Delivery receipts that belonged to nothing", labels=["centre"]
    )
    for centre in centres:
        bound.add_metric([centre.name], int(centre.problem is None))
        strangers.add_metric([centre.name], centre.strangers)
    yield from (bound, strangers)
