"""Figures for operators: they can be scraped, and they count what happened."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families
from stage import BEN, CAR, Bystanders, Peer, Stage, message, now_ms, seed, until

from dispatch.sms.centres import Centre
from dispatch.sms.session import SmsCentre
from dispatch.warnings import figures as ways
from psn import metrics, wire
from psn.csirt.outlets import Outlet
from psn.csirt.syslog_outlet import SyslogReceiver, Target, sender
from psn.forwarded import is_within
from psn.settings import Settings, read

ROOT = Path(__file__).parents[2]


def figures(page: bytes) -> dict[str, float]:
    """What a scraper reads from the page: every sample but buckets, by name and kind."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if "le" not in sample.labels
    }


async def test_the_page_is_what_a_scraper_reads(stage: Stage) -> None:
    host, port = stage.address
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://{host}:{port}/metrics") as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        page = await answer.read()
    families = list(text_string_to_metric_families(page.decode()))
    assert families
    for family in families:
        assert family.name.startswith("psn_")
        assert family.documentation
        if family.type == "histogram":
            assert family.samples[-1].name == f"{family.name}_sum"
            for kind in {sample.labels.get("kind") for sample in family.samples}:
                counts = [
                    s.value
                    for s in family.samples
                    if s.name == f"{family.name}_bucket" and s.labels.get("kind") == kind
                ]
                assert counts == sorted(counts)
            continue
        assert family.type in ("counter", "gauge")
        name = family.name + ("_total" if family.type == "counter" else "")
        assert {sample.name for sample in family.samples} == {name}
        told_apart = {tuple(sample.labels.values()) for sample in family.samples}
        assert len(told_apart) == len(family.samples)


async def test_figures_are_told_to_named_addresses_alone(database: str) -> None:
    await seed(database)
    told = read({"PSN_METRICS_FOR": "192.0.2.0/24", "PSN_TRUSTED_PROXIES": "127.0.0.1"})
    stage = Stage(database, metrics_for=told.metrics_for, trusted_proxies=told.trusted_proxies)
    await stage.start()
    try:
        host, port = stage.address
        async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
            for asker, status in ((None, 403), ("192.0.2.9", 200), ("198.51.100.7", 403)):
                headers = {} if asker is None else {"X-Forwarded-For": asker}
                async with http.get("/metrics", headers=headers) as answer:
                    assert answer.status == status, asker
                    assert ("psn_sessions" in await answer.text()) is (status == 200)
    finally:
        await stage.stop()


def test_by_default_figures_are_for_this_machine() -> None:
    readers = Settings().metrics_for
    assert is_within("127.0.0.1", readers) and is_within("::1", readers)
    assert is_within("::ffff:127.0.0.1", readers)
    assert not is_within("10.0.0.7", readers) and not is_within("", readers)


async def test_what_happens_is_counted(stage: Stage) -> None:
    before = figures(metrics.exposition(stage.core))
    assert before["psn_record_healthy"] == before["psn_tracks_healthy"] == 1
    assert before["psn_sessions"] == before["psn_views"] == before["psn_units_on_the_map"] == 0
    async with (
        await Peer.enter(stage.url, CAR) as car,
        await Peer.enter(stage.url, "ben") as ben,
    ):
        await ben.send(wire.Watch(n=9))
        await ben.expect(wire.Picture)
        at = now_ms()
        for n in range(3):
            await car.send(wire.Position(p=wire.Fix(0, at + n, -881_900_000, 174_900_000)))
        await car.send(wire.Position(p=wire.Fix(3, at, -881_900_000, 174_900_000)))
        await car.refusal("not_your_unit")
        await car.send(wire.Position(p=wire.Fix(0, 0, -881_900_000, 174_900_000)))
        await car.refusal("too_old")
        await car.send(message(BEN, "two entries: mine and his"))
        await car.expect(wire.Ack)
        await car.send(message(BEN, "help", priority="emergency"))
        await car.expect(wire.Ack)
        await until(lambda: stage.core.tracks.stored == 3, "the positions are stored")
        await until(lambda: stage.core.record.waiting == 0, "the marks are made")
        await ben.expect(wire.Picture, lambda picture: picture.p[-1].time == at + 2)
        now = figures(metrics.exposition(stage.core))
    assert {
        name: now[f"psn_{name}"] - before[f"psn_{name}"]
        for name in (
            "positions_total",
            "positions_refused_total",
            "positions_stored_total",
            "positions_dropped_total",
            "seats_delivered_total",
            "commit_seconds_count message",
            "commit_seconds_count emergency",
            "commit_seconds_count mark",
            "position_batch_sum",
            "record_entries_total",
            "sessions",
            "sessions_lagging",
            "views",
            "units_on_the_map",
            "positions_waiting",
            "record_waiting",
        )
    } == {
        "positions_total": 3,
        "positions_refused_total": 2,
        "positions_stored_total": 3,
        "positions_dropped_total": 0,
        "seats_delivered_total": 3,
        "commit_seconds_count message": 1,
        "commit_seconds_count emergency": 1,
        "commit_seconds_count mark": 4,  # two have joined an agency and a group each
        "position_batch_sum": 3,
        "record_entries_total": 4,
        "sessions": 2,
        "sessions_lagging": 0,
        "views": 1,
        "units_on_the_map": 1,
        "positions_waiting": 0,
        "record_waiting": 0,
    }


async def test_alerts_speak_of_figures_that_exist(stage: Stage) -> None:
    target = Target("127.0.0.1", 9)
    outlet = Outlet(stage.core.pool, "syslog", SyslogReceiver(target, sender(Settings())))
    stage.core.outlets = lambda: [outlet]
    centre = SmsCentre(Centre("c", "127.0.0.1", 9, "nemo", "secret"))
    stage.core.figures = [lambda: ways.of([], [centre])]
    page = metrics.exposition(stage.core)
    there = {s.name for f in text_string_to_metric_families(page.decode()) for s in f.samples}
    groups = yaml.safe_load((ROOT / "docs" / "prometheus-alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    for rule in rules:
        named = set(re.findall(r"psn_[a-z_]+", rule["expr"]))
        assert named <= there, rule["alert"]
        assert named or rule["expr"].startswith("up{")
        assert rule["labels"]["severity"] in ("page", "look")
        assert all(rule["annotations"][note].endswith(".") for note in ("summary", "todo"))
        for figure in re.findall(r"psn_[a-z_]+", rule["annotations"]["todo"]):
            assert any(name.startswith(figure) for name in there), figure


async def test_scraping_disturbs_nobody(stage: Stage, bystanders: Bystanders) -> None:
    host, port = stage.address
    async with bystanders.undisturbed(), aiohttp.ClientSession() as http:
        for _ in range(20):
            async with http.get(f"http://{host}:{port}/metrics") as answer:
                assert answer.status == 200


async def test_alive_and_ready(stage: Stage) -> None:
    host, port = stage.address
    async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
        for path, said in (("/healthz", "alive\n"), ("/readyz", "ready\n")):
            async with http.get(path) as answer:
                assert (answer.status, await answer.text()) == (200, said)
        stage.core.record.healthy = False
        async with http.get("/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "The record cannot be written.\n")
        stage.core.record.healthy = True
