"""What is said to radios is what is read of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.bridge import outgoing
from radio_bridge.bridge.outgoing import MOST_TEXT, Way
from radio_bridge.data_channel import DataChannel
from radio_bridge.homebrew.packets import BurstPacket
from radio_bridge.inside import Happening, Text


def heard(packets: list[BurstPacket]) -> tuple[list[Happening], Counter[str]]:
    counted: Counter[str] = Counter()
    channel = DataChannel(counted)
    told = [one for at, packet in enumerate(packets) for one in channel.hear(packet, at * 0.06)]
    return told + channel.pass_time(1_000.0), counted


words = st.text(st.characters(min_codepoint=33, max_codepoint=0xD7FF), min_size=1, max_size=300)


@pytest.mark.parametrize("form", ["etsi", "motorola", "hytera"])
@given(words, st.booleans())
def test_texts(form: str, said: str, group: bool) -> None:
    packets = outgoing.text_packets(Way(702, 7001, group, 2, 9), form, said, 5)
    assert {(p.slot, p.stream, p.group) for p in packets[-1:]} == {(2, 9, group)}
    ((text,), counted) = heard(packets)
    assert isinstance(text, Text)
    assert (text.source, text.target, text.group) == (702, 7001, group)
    assert text.text == said[:MOST_TEXT]
    assert not counted


@given(st.integers(5, 40), st.data())
def test_the_longest_text_with_missing_blocks_says_nothing_and_is_counted(
    count: int, data: st.DataObject
) -> None:
    said = "\N{LATIN SMALL LETTER N WITH TILDE}" * 400
    packets = outgoing.text_packets(Way(702, 7001, False, 2, 9), "motorola", said, 5)
    blocks = [at for at, packet in enumerate(packets) if packet.kind == 7]
    assert len(blocks) > 40
    lost = data.draw(st.sets(st.sampled_from(blocks), min_size=1, max_size=count))
    told, counted = heard([packet for at, packet in enumerate(packets) if at not in lost])
    assert told == []
    assert counted["data.incomplete"] == 1


def test_a_question_for_a_place_is_no_text() -> None:
    told, counted = heard(outgoing.position_packets(Way(702, 7001, False, 1, 9), 60))
    assert told == []
    assert not counted
