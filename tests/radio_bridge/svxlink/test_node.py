"""The states of a node: signing in, what comes in a wrong order, silence, and who talks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.svxlink import messages
from radio_bridge.svxlink.events import (
    Call,
    Connected,
    Denied,
    Disconnected,
    Granted,
    HangUp,
    Keyed,
    Lost,
    Named,
    Out,
    Revoked,
    Say,
    Send,
    Spoke,
    Unkeyed,
)
from radio_bridge.svxlink.messages import (
    Datagram,
    NodeJoined,
    NodeLeft,
    Over,
    Played,
    Speech,
    StillHere,
)
from radio_bridge.svxlink.node import (
    FIND_S,
    FIRST_PAUSE_S,
    HERE_S,
    LONGEST_PAUSE_S,
    PATIENCE_S,
    SILENT_DATAGRAMS_S,
    SILENT_S,
    TALK_SILENCE_S,
    Node,
    State,
)

ME, OTHER, SECRET, SALT, NUMBER = "BPD-1", "BDF-1", b"secret", bytes(range(20)), 7
OPUS = b"\x98speech"


def text(*words: str) -> bytes:
    return b"".join(len(word).to_bytes(2) + word.encode() for word in words)


def frame(kind: int, content: bytes = b"") -> bytes:
    return (2 + len(content)).to_bytes(4) + kind.to_bytes(2) + content


CHALLENGE = frame(10, b"\0\x14" + SALT)
SIGNED_IN = frame(12)
WELCOME = frame(100, bytes([0, 0, 0, NUMBER, 0, 2]) + text(ME, OTHER) + b"\0\1" + text("OPUS"))


def refusal(why: str) -> bytes:
    return frame(13, text(why))


def starts(name: str, talkgroup: int = 91) -> bytes:
    return frame(104, talkgroup.to_bytes(4) + text(name))


def stops(name: str, talkgroup: int = 91) -> bytes:
    return frame(105, talkgroup.to_bytes(4) + text(name))


def datagram(number: int, content: messages.Content = StillHere(), node: int = NUMBER) -> bytes:  # noqa: B008
    return messages.write_datagram(Datagram(node, number % 2**16, content))


def sent(out: list[Out]) -> list[Datagram]:
    return [messages.read_datagram(one.data) for one in out if isinstance(one, Send)]


def signed_in(talkgroup: int | None = 91) -> Node:
    """A node that is connected at second 0."""
    node = Node(ME, SECRET, talkgroup)
    node.open(0.0)
    node.line_opened(0.0)
    node.receive(CHALLENGE + SIGNED_IN + WELCOME, 0.0)
    assert node.receive_datagram(datagram(0), 0.0) == [Connected((OTHER,))]
    return node


def test_signing_in_step_by_step() -> None:
    node = Node(ME, SECRET, 91)
    assert node.open(0.0) == [Call()]
    assert node.line_opened(0.1) == [Say(messages.write_version((2, 0)))]
    assert node.receive(CHALLENGE, 0.2) == [Say(messages.write_proof(ME, SECRET, SALT))]
    assert node.receive(SIGNED_IN, 0.3) == []
    chosen, first = node.receive(WELCOME, 0.4)
    assert chosen == Say(messages.write_select(91))
    assert sent([first]) == [Datagram(NUMBER, 0, StillHere())]
    assert node.due == 0.4 + FIND_S
    assert sent(node.pass_time(0.4 + FIND_S)) == [Datagram(NUMBER, 1, StillHere())]
    assert node.receive_datagram(datagram(0), 1.5) == [Connected((OTHER,))]
    assert node.state == State.CONNECTED


def test_who_comes_and_goes_while_the_way_is_looked_for_is_counted() -> None:
    node = Node(ME, SECRET, 91)
    node.open(0.0)
    node.line_opened(0.0)
    node.receive(CHALLENGE + SIGNED_IN + WELCOME, 0.0)
    assert node.receive(frame(102, text("BCG-1")) + frame(103, text(OTHER)), 0.1) == []
    assert node.receive_datagram(datagram(0), 0.2) == [Connected(("BCG-1",))]


def test_without_a_talkgroup_it_speaks_the_older_protocol_and_chooses_none() -> None:
    node = Node(ME, SECRET, None)
    node.open(0.0)
    assert node.line_opened(0.0) == [Say(messages.write_version((1, 0)))]
    out = node.receive(CHALLENGE + SIGNED_IN + WELCOME, 0.0)
    assert [type(one) for one in out] == [Say, Send]


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        ([refusal("Unsupported protocol version 2.0")], Lost.OTHER_PROTOCOL),
        ([frame(6, bytes(4))], Lost.OTHER_PROTOCOL),
        ([CHALLENGE, refusal("Access denied")], Lost.REFUSED),
        ([CHALLENGE + SIGNED_IN + WELCOME[:-4] + b"GSM "], Lost.NO_OPUS),
        ([b"\xff" * 8], Lost.UNREADABLE),
        ([frame(10, b"\0\xff")], Lost.UNREADABLE),
    ],
)
def test_why_it_goes_no_further(says: list[bytes], cause: Lost) -> None:
    node = Node(ME, SECRET, 91)
    node.open(0.0)
    node.line_opened(0.0)
    out = [one for data in says for one in node.receive(data, 0.0)]
    assert out[-2] == HangUp()
    assert isinstance(out[-1], Disconnected) and out[-1].cause == cause
    assert node.state == State.WAITING
    assert node.receive(CHALLENGE, 0.1) == []
    assert node.line_lost(0.1) == []


@pytest.mark.parametrize("steps", range(4))
def test_a_reflector_that_says_nothing_is_given_up(steps: int) -> None:
    node = Node(ME, SECRET, 91)
    node.open(0.0)
    said = [CHALLENGE, SIGNED_IN, WELCOME]
    if steps:
        node.line_opened(0.0)
        node.receive(b"".join(said[: steps - 1]), 0.0)
    assert Disconnected(Lost.SILENT, was_connected=False) in node.pass_time(PATIENCE_S)


def test_a_line_without_datagrams_is_said_to_be_that() -> None:
    node = Node(ME, SECRET, 91)
    node.open(0.0)
    node.line_opened(0.0)
    node.receive(CHALLENGE + SIGNED_IN + WELCOME, 0.0)
    assert Disconnected(Lost.NO_DATAGRAMS, was_connected=False) in node.pass_time(PATIENCE_S)


def test_pauses_grow_and_begin_anew_after_a_connection() -> None:
    node, now, pauses = Node(ME, SECRET, 91), 0.0, []
    node.open(now)
    for _ in range(9):
        node.line_lost(now)
        assert node.due is not None
        pauses.append(node.due - now)
        now = node.due
        assert node.pass_time(now - 0.001) == []
        assert node.pass_time(now) == [Call()]
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S
    node.line_opened(now)
    node.receive(CHALLENGE + SIGNED_IN + WELCOME, now)
    node.receive_datagram(datagram(0), now)
    node.line_lost(now)
    assert node.due == now + FIRST_PAUSE_S


def test_it_says_that_it_is_there_and_notices_who_is_not() -> None:
    node = signed_in()
    out = node.pass_time(HERE_S)
    assert Say(messages.write_still_here()) in out
    assert [one.content for one in sent(out)] == [StillHere()]
    assert Disconnected(Lost.SILENT, was_connected=True) in node.pass_time(SILENT_S)


def test_datagrams_that_come_no_more_are_noticed_though_the_line_lives() -> None:
    node, now = signed_in(), 0.0
    out: list[Out] = []
    while not any(isinstance(one, Disconnected) for one in out):
        now += 5
        out = node.receive(frame(1), now) + node.pass_time(now)
    assert out[-1] == Disconnected(Lost.NO_DATAGRAMS, was_connected=True)
    assert now == SILENT_DATAGRAMS_S


def test_a_talk_of_another() -> None:
    node = signed_in()
    assert node.receive(starts(OTHER), 0.1) == []
    out = node.receive_datagram(datagram(1, Speech(OPUS)), 0.1)
    assert out == [Keyed(OTHER), Spoke(OPUS)]
    assert node.receive_datagram(datagram(4, Speech(OPUS)), 0.12) == [Spoke(OPUS, missed=2)]
    assert node.receive_datagram(datagram(3, Speech(OPUS)), 0.13) == []  # late
    ended = node.receive_datagram(datagram(5, Over()), 0.14)
    assert ended[0] == Unkeyed()
    assert [one.content for one in sent(ended)] == [Played()]
    assert node.receive(stops(OTHER), 0.15) == []
    assert node.talker is None


def test_speech_that_comes_before_its_talker_is_named_when_he_is() -> None:
    node = signed_in()
    assert node.receive_datagram(datagram(1, Speech(OPUS)), 0.1)[0] == Keyed("")
    assert node.receive(starts(OTHER), 0.11) == [Named(OTHER)]
    assert node.receive(starts(OTHER), 0.12) == []


def test_a_talk_whose_end_was_lost_ends_with_the_next_talker_or_with_silence() -> None:
    node = signed_in()
    node.receive(starts(OTHER), 0.1)
    node.receive_datagram(datagram(1, Speech(OPUS)), 0.1)
    assert node.receive(starts("BCG-1"), 0.2) == [Unkeyed(silent=True)]
    assert node.receive_datagram(datagram(9, Speech(OPUS)), 0.3)[0] == Keyed("BCG-1")
    assert node.due == 0.3 + TALK_SILENCE_S
    assert node.pass_time(0.3 + TALK_SILENCE_S) == [Unkeyed(silent=True)]


def test_our_own_talk_granted_denied_and_revoked() -> None:
    node = signed_in()
    assert node.end() == []
    assert sent(node.speak(OPUS)) == [Datagram(NUMBER, 1, Speech(OPUS))]
    assert node.receive(starts(ME), 0.1) == [Granted()]
    assert node.receive(stops(ME), 0.2) == [Revoked()]
    assert node.receive(starts(OTHER), 0.3) == [Denied(OTHER)]
    assert [one.content for one in sent(node.end())] == [Over()]
    assert node.end() == []
    assert node.speak(OPUS)[0] == Denied(OTHER)
    assert node.receive(stops(OTHER), 0.4) == []
    assert node.receive(starts(ME), 0.5) == [Granted()]
    node.end()
    assert node.receive(stops(ME), 0.6) == []


def test_talkers_of_other_talkgroups_are_not_ours() -> None:
    node = signed_in()
    assert node.receive(starts(OTHER, 92), 0.1) == []
    assert node.receive_datagram(datagram(1, Speech(OPUS)), 0.1)[0] == Keyed("")


def test_strangers_empty_speech_and_what_is_newer_are_counted() -> None:
    node = signed_in()
    assert node.receive_datagram(datagram(1, Speech(OPUS), node=8), 0.1) == []
    assert node.receive_datagram(bytes.fromhex("0065 0007 0001 0000"), 0.1) == []
    assert node.receive_datagram(b"\0", 0.1) == []
    assert node.receive(frame(109, bytes(4)) + SIGNED_IN, 0.1) == []
    assert node.receive(frame(102, text("BCG-1")) + frame(103, text(OTHER)), 0.1) == [
        NodeJoined("BCG-1"),
        NodeLeft(OTHER),
    ]
    assert node.dropped == {
        "svxlink.stranger": 1,
        "svxlink.speech": 1,
        "svxlink.length": 1,
        "svxlink.unknown": 1,
        "svxlink.untimely": 1,
    }


def test_a_clock_that_runs_backwards_is_not_followed() -> None:
    node = signed_in()
    node.pass_time(5.0)
    node.pass_time(1.0)
    node.receive_datagram(datagram(1, Speech(OPUS)), 1.0)
    assert node.due == 5.0 + TALK_SILENCE_S


def test_numbers_of_datagrams_go_round() -> None:
    node = signed_in()
    for number in range(1, 70_000):
        out = node.receive_datagram(datagram(number, Speech(OPUS)), number * 0.02)
        assert out[-1] == Spoke(OPUS)
    for number in range(1, 70_000):
        assert sent(node.speak(OPUS))[0].number == number % 2**16


def test_a_lost_line_ends_the_talk_that_was_heard_and_ours() -> None:
    node = signed_in()
    node.receive_datagram(datagram(1, Speech(OPUS)), 0.1)
    node.speak(OPUS)
    assert node.line_lost(0.2) == [
        HangUp(),
        Unkeyed(silent=True),
        Disconnected(Lost.CLOSED, was_connected=True),
    ]
    assert node.speak(OPUS) == node.end() == []


def test_closing_ends_what_we_say_and_stays_closed() -> None:
    node = signed_in()
    node.speak(OPUS)
    over, hang_up = node.close()
    assert sent([over])[0].content == Over()
    assert hang_up == HangUp()
    assert node.due is None
    assert node.pass_time(99.0) == node.close() == []


@pytest.mark.parametrize("name", ["", "n" * 39, "ñ" * 20])
def test_a_name_that_cannot_be_said_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Node(name, SECRET, None)


@pytest.mark.parametrize("talkgroup", [0, -1, 2**32])
def test_a_talkgroup_that_is_none_is_refused(talkgroup: int) -> None:
    with pytest.raises(ValueError, match="talkgroup"):
        Node(ME, SECRET, talkgroup)


lines = st.sampled_from(
    [
        CHALLENGE,
        SIGNED_IN,
        WELCOME,
        starts(ME),
        stops(ME),
        starts(OTHER),
        stops(OTHER),
        refusal("no"),
        frame(1),
        WELCOME[:9],
    ]
)
contents = st.sampled_from([StillHere(), Speech(OPUS), Over(), Played()])
steps = st.one_of(
    st.tuples(st.just("line"), lines | st.binary(max_size=30)),
    st.tuples(st.just("datagram"), st.builds(datagram, st.integers(0, 9), contents)),
    st.tuples(st.sampled_from(["opened", "lost", "speak", "end", "time"]), st.just(b"")),
)


@given(st.booleans(), st.lists(st.tuples(steps, st.floats(-1, 20)), max_size=60))
def test_whatever_comes_talks_and_connections_begin_and_end_in_turn(
    begun: bool, happened: list[tuple[tuple[str, bytes], float]]
) -> None:
    node, now = signed_in() if begun else Node(ME, SECRET, 91), 0.0
    if not begun:
        node.open(now)
    connected, keyed, on_line = begun, False, True
    for (what, data), step in happened:
        now += step  # a clock may run backwards
        match what:
            case "line":
                out = node.receive(data, now)
            case "datagram":
                out = node.receive_datagram(data, now)
            case "opened":
                out = node.line_opened(now)
            case "lost":
                out = node.line_lost(now)
            case "speak":
                out = node.speak(OPUS)
            case "end":
                out = node.end()
            case _:
                out = node.pass_time(now)
        for one in out:
            match one:
                case Call():
                    assert not on_line
                    on_line = True
                case HangUp():
                    assert on_line
                    on_line = False
                case Say() | Send():
                    assert on_line
                case Connected():
                    assert not connected
                    connected = True
                case Disconnected():
                    assert one.was_connected == connected and not on_line
                    connected = False
                case Keyed() | Unkeyed():
                    assert keyed != isinstance(one, Keyed)
                    keyed = isinstance(one, Keyed)
                case Spoke() | Named():
                    assert keyed
        assert not keyed or connected
        assert node.due is not None
