"""Syslog messages (RFC 5424), read back by a parser that shares nothing with the formatter."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from syslog_daemon import parse, unframe

from psn.csirt.security_events import SecurityEvent, Severity
from psn.csirt.syslog_format import LONGEST, Sender, framed, harmless, message, timestamp

US = Sender("psn.example.bz", 4242, 32_473)
HOSTILE = 'x"] \\ [a b="c\\"] \n<34>1 2026-01-01T00:00:00Z evil su - ID - \x00\x1b[2J\u202e\ud800'
EVENT = SecurityEvent(
    7,
    1_794_000_000_123,
    "SIGN_IN_FAILED",
    Severity.NOTICE,
    "A sign-in failed",
    "sign_in.failed",
    "nobody",
    source="192.0.2.7",
    details={"name": "ana", "why": "wrong_credentials"},
)

texts = st.text() | st.sampled_from([HOSTILE, '"' * 9_000, "\\" * 5_000, "é" * 9_000, "😀" * 5_000])
values = st.none() | texts
events = st.builds(
    SecurityEvent,
    st.integers(0, 2**63 - 1),
    st.integers(0, 253_402_300_799_999),
    st.sampled_from(["SIGN_IN_FAILED", "AUDIT_TAMPERED"]),
    st.sampled_from(Severity),
    texts,
    texts,
    texts,
    values,
    st.none() | st.integers(0, 2**31 - 1),
    values,
    values,
    values,
    st.none() | st.integers(0, 2**31 - 1),
    st.dictionaries(texts, texts | st.integers() | st.lists(texts, max_size=3), max_size=4),
)


def test_a_message_says_what_the_event_says() -> None:
    read = parse(message(EVENT, US))
    assert read.priority == 10 * 8 + 5
    assert (read.time, read.host, read.app) == ("2026-11-06T21:20:00.123Z", "psn.example.bz", "psn")
    assert (read.process, read.id, read.text) == (
        "4242",
        "SIGN_IN_FAILED",
        "A sign-in failed from 192.0.2.7.",
    )
    details = read.data["psn@32473"].pop("details")
    assert json.loads(details) == EVENT.details
    assert read.data == {
        "psn@32473": {
            "seq": "7",
            "action": "sign_in.failed",
            "actor": "nobody",
            "source": "192.0.2.7",
        }
    }


@given(events)
@example(replace(EVENT, sentence=HOSTILE, actor_name=HOSTILE, details={HOSTILE: HOSTILE}))
def test_any_event_is_one_message_that_reads_back(event: SecurityEvent) -> None:
    content = message(event, US)
    assert len(content) <= LONGEST
    read = parse(content)
    fields = read.data["psn@32473"]
    assert fields["seq"] == str(event.seq)
    for name, value in (("action", event.action), ("actorName", event.actor_name)):
        kept, wanted = fields.get(name), None if value is None else harmless(value)
        assert kept == wanted or (kept is not None and wanted is not None and kept.endswith("…")), (
            name
        )
    assert all(
        unicodedata.category(char) not in ("Cc", "Zl", "Zp")
        for said in (read.text, *fields.values())
        for char in said
    )


@given(events)
def test_what_is_cut_keeps_its_beginning(event: SecurityEvent) -> None:
    fields = parse(message(event, US)).data["psn@32473"]
    actor = fields["actor"]
    assert harmless(event.actor).startswith(actor.removesuffix("…"))
    if actor != harmless(event.actor):
        assert len(actor.encode()) > 200


def test_long_details_are_cut_and_nothing_else() -> None:
    event = replace(EVENT, details={"text": "é" * 10_000}, actor_name="Ana")
    content = message(event, US)
    fields = parse(content).data["psn@32473"]
    assert LONGEST - 4 <= len(content) <= LONGEST
    assert fields["details"].endswith("é…")
    assert (fields["actorName"], fields["source"]) == ("Ana", "192.0.2.7")


@given(st.lists(events, max_size=4))
def test_a_stream_of_any_events_comes_apart_where_it_was_joined(many: list[SecurityEvent]) -> None:
    contents = [message(event, US) for event in many]
    assert unframe(b"".join(map(framed, contents))) == contents


@pytest.mark.parametrize(
    ("host", "written"),
    [("hóst.example", "host.example"), ("", "-"), ("a b\n", "ab"), ("x" * 400, "x" * 255)],
)
def test_a_host_is_visible_ascii(host: str, written: str) -> None:
    assert parse(message(EVENT, Sender(host, 1, 32_473))).host == written


@pytest.mark.parametrize("at", [-(10**17), 10**18, 2**80])
def test_a_time_of_no_calendar_is_not_written(at: int) -> None:
    assert timestamp(at) == "-"


def test_before_1970_is_a_time_too() -> None:
    assert timestamp(-1) == "1969-12-31T23:59:59.999Z"
