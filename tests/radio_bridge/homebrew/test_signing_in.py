"""A master and repeaters, without sockets or clocks: whoever may sign in does, nobody else.

DOM-RAD-8 (who a repeater is), -9 (a proof counts once), -10 (allowances).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio_bridge.homebrew import configuration, master, packets, peer
from radio_bridge.homebrew.configuration import Configuration
from radio_bridge.homebrew.master import Gone, Master
from radio_bridge.homebrew.packets import BurstPacket, Frame
from radio_bridge.homebrew.peer import Lost, Peer, State

ONE, TWO, STRANGER = 702_001, 702_002, 702_999
HILL, CAYE, ELSEWHERE = ("10.0.0.1", 62_031), ("10.0.0.2", 62_031), ("203.0.113.9", 4_000)
SECRETS = {ONE: b"a long secret of the hill", TWO: b"another of the caye"}
BURST = BurstPacket(0, 7001, 91, ONE, 1, True, Frame.VOICE_SYNC, 0, 99, bytes(33))
SAYS = configuration.write(Configuration(callsign="V31BPD"))


def a_master() -> Master:
    return Master(SECRETS, b"k" * 32)


def sends(out: Iterable[master.Out]) -> list[bytes]:
    return [one.data for one in out if isinstance(one, master.Send)]


def events(out: Iterable[master.Out]) -> list[master.Out]:
    return [one for one in out if not isinstance(one, master.Send)]


def salt_for(at: Master, repeater: int, address: master.Address, now: float) -> bytes:
    (answer,) = sends(at.receive(packets.write_login(repeater), address, now))
    return answer[6:]


def signed_in(
    at: Master, repeater: int, address: master.Address, now: float = 0.0
) -> list[master.Out]:
    salt = salt_for(at, repeater, address, now)
    out = at.receive(packets.write_proof(repeater, salt, SECRETS[repeater]), address, now)
    assert packets.write_accepted(repeater) in sends(out)
    return out + at.receive(packets.write_description(repeater, SAYS), address, now)


def test_a_repeater_signs_in_and_is_heard() -> None:
    at = a_master()
    out = signed_in(at, ONE, HILL)
    assert events(out) == [master.Connected(ONE, HILL, configuration.read(SAYS))]
    assert at.connected == [ONE]
    assert at.is_from(ONE, HILL)
    assert sends(at.receive(packets.write_ping(ONE), HILL, 1)) == [packets.write_pong(ONE)]
    assert sends(at.receive(packets.write_options(ONE, b"x"), HILL, 1)) == [
        packets.write_accepted(ONE)
    ]
    assert at.receive(packets.write_burst(BURST), HILL, 1) == [
        master.Heard(replace(BURST, bit_errors=0, signal=0))
    ]
    assert at.receive(packets.write_closing(ONE), HILL, 2) == [master.Left(ONE, Gone.CLOSED)]
    assert at.connected == []


def test_bursts_go_out_in_each_repeaters_name() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    signed_in(at, TWO, CAYE)
    (sent,) = at.send(BURST, TWO)
    assert isinstance(sent, master.Send)
    assert sent.address == CAYE
    assert packets.read_burst(sent.data).repeater == TWO
    assert at.send(BURST, STRANGER) == []


@pytest.mark.parametrize("repeater", [ONE, STRANGER])
def test_a_wrong_secret_and_an_unknown_repeater_look_the_same(repeater: int) -> None:
    at = a_master()
    salt = salt_for(at, repeater, ELSEWHERE, 0)
    assert len(salt) == 4
    out = at.receive(packets.write_proof(repeater, salt, b"wrong"), ELSEWHERE, 0)
    assert out == [master.Send(ELSEWHERE, packets.write_refused(repeater))]
    assert at.dropped["homebrew.wrong_secret"] == 1
    assert at.connected == []


def test_who_fails_to_sign_in_does_not_send_away_who_is_there() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    salt = salt_for(at, ONE, ELSEWHERE, 1)
    at.receive(packets.write_proof(ONE, salt, b"wrong"), ELSEWHERE, 1)
    assert at.is_from(ONE, HILL)
    assert len(at.receive(packets.write_burst(BURST), HILL, 1)) == 1


def test_a_login_that_is_said_again_is_refused() -> None:
    at = a_master()
    salt = salt_for(at, ONE, HILL, 0)
    proof = packets.write_proof(ONE, salt, SECRETS[ONE])
    assert packets.write_accepted(ONE) in sends(at.receive(proof, HILL, 0))
    for address in (HILL, ELSEWHERE):
        assert sends(at.receive(proof, address, 0)) == [packets.write_refused(ONE)]


def test_a_proof_is_good_where_it_was_asked_for_and_for_a_while() -> None:
    at = a_master()
    salt = salt_for(at, ONE, HILL, 0)
    proof = packets.write_proof(ONE, salt, SECRETS[ONE])
    assert sends(at.receive(proof, ELSEWHERE, 1)) == [packets.write_refused(ONE)]
    assert sends(at.receive(proof, HILL, 31)) == [packets.write_refused(ONE)]
    salt = salt_for(at, ONE, HILL, 40)
    proof = packets.write_proof(ONE, salt, SECRETS[ONE])
    assert sends(at.receive(proof, HILL, 54)) == [packets.write_accepted(ONE)]


def test_a_login_whose_answer_was_lost_gets_the_same_salt_again() -> None:
    at = a_master()
    assert salt_for(at, ONE, HILL, 1) == salt_for(at, ONE, HILL, 2)
    assert salt_for(at, ONE, HILL, 1) != salt_for(at, ONE, CAYE, 1)
    assert salt_for(at, ONE, HILL, 1) != salt_for(at, TWO, HILL, 1)


def test_strangers_who_ask_cost_no_memory() -> None:
    at = a_master()
    for number in range(1_000):
        at.receive(packets.write_login(number), (f"198.51.100.{number % 256}", number), 0)
    assert at.due is None
    assert at.connected == []


def test_a_repeater_moves_when_it_proves_its_secret_from_elsewhere() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    out = signed_in(at, ONE, CAYE, 5)
    assert events(out)[0] == master.Left(ONE, Gone.MOVED)
    assert at.is_from(ONE, CAYE)
    assert at.receive(packets.write_burst(BURST), HILL, 6) == []
    assert at.dropped["homebrew.spoofed"] == 1


@pytest.mark.parametrize(
    "data", [packets.write_ping(ONE), packets.write_description(ONE, SAYS)], ids=["ping", "RPTC"]
)
def test_who_is_not_signed_in_from_there_is_told_to(data: bytes) -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    assert sends(at.receive(data, ELSEWHERE, 1)) == [packets.write_refused(ONE)]
    assert at.is_from(ONE, HILL)


@pytest.mark.parametrize("data", [packets.write_burst(BURST), packets.write_closing(ONE)])
def test_a_spoofed_burst_or_farewell_is_dropped(data: bytes) -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    assert at.receive(data, ELSEWHERE, 1) == []
    assert at.dropped["homebrew.spoofed"] == 1
    assert at.is_from(ONE, HILL)


def test_bursts_before_the_description_are_dropped() -> None:
    at = a_master()
    salt = salt_for(at, ONE, HILL, 0)
    at.receive(packets.write_proof(ONE, salt, SECRETS[ONE]), HILL, 0)
    assert at.receive(packets.write_burst(BURST), HILL, 0) == []
    assert at.dropped["homebrew.too_early"] == 1
    assert at.send(BURST, ONE) == []


def test_who_is_silent_for_half_a_minute_is_gone() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    at.receive(packets.write_ping(ONE), HILL, 20)
    assert at.due == 50
    assert at.pass_time(49.9) == []
    assert at.pass_time(50) == [master.Left(ONE, Gone.SILENT)]
    assert at.due is None


def test_a_clock_that_jumps_back_stands_still() -> None:
    at = a_master()
    signed_in(at, ONE, HILL, 1_000)
    assert len(at.receive(packets.write_burst(BURST), HILL, 3)) == 1
    assert at.pass_time(5) == []
    assert at.connected == [ONE]


def test_a_flood_is_cut_to_the_allowance_and_told_once() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    signed_in(at, TWO, CAYE)
    heard, told = 0, 0
    for number in range(5_000):
        now = number / 5_000
        for one in at.receive(packets.write_burst(BURST), HILL, now):
            heard += isinstance(one, master.Heard)
            told += isinstance(one, master.Flooding)
    assert 250 <= heard <= 305
    assert told == 1
    assert at.dropped["homebrew.flood"] == 5_000 - heard
    other = replace(BURST, repeater=TWO)
    assert len(at.receive(packets.write_burst(other), CAYE, 1)) == 1
    # Calm again, it is heard again, though it never was silent.
    assert at.pass_time(5) == []
    assert len(at.receive(packets.write_burst(BURST), HILL, 5)) == 1


def test_two_full_slots_and_their_pings_are_no_flood() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    for number in range(60 * 34):
        assert at.receive(packets.write_burst(BURST), HILL, number / 34)
    assert at.dropped["homebrew.flood"] == 0


def test_who_loses_his_secret_is_sent_away_and_nobody_else() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    signed_in(at, TWO, CAYE)
    out = at.change_secrets({ONE: b"a new one", TWO: SECRETS[TWO], STRANGER: b"now known"})
    assert out == [
        master.Send(HILL, packets.write_master_closing(ONE)),
        master.Left(ONE, Gone.BARRED),
    ]
    assert at.connected == [TWO]
    salt = salt_for(at, STRANGER, ELSEWHERE, 1)
    proof = packets.write_proof(STRANGER, salt, b"now known")
    assert sends(at.receive(proof, ELSEWHERE, 1)) == [packets.write_accepted(STRANGER)]


def test_a_master_that_goes_says_so_to_all() -> None:
    at = a_master()
    signed_in(at, ONE, HILL)
    signed_in(at, TWO, CAYE)
    assert sends(at.close()) == [
        packets.write_master_closing(ONE),
        packets.write_master_closing(TWO),
    ]
    assert at.connected == []


def said(out: Iterable[peer.Out]) -> list[bytes]:
    return [one.data for one in out if isinstance(one, peer.Send)]


def told(out: Iterable[peer.Out]) -> list[peer.Out]:
    return [one for one in out if not isinstance(one, peer.Send)]


def a_peer(options: bytes = b"") -> Peer:
    return Peer(ONE, SECRETS[ONE], Configuration(callsign="V31BPD"), options)


def talk(us: Peer, at: Master, out: list[peer.Out], now: float) -> list[peer.Out]:
    """Carry datagrams between both until neither says anything."""
    found = told(out)
    waiting = said(out)
    while waiting:
        for answer in sends(at.receive(waiting.pop(0), HILL, now)):
            out = us.receive(answer, now)
            waiting += said(out)
            found += told(out)
    return found


@pytest.mark.parametrize("options", [b"", b"TS2=91"])
def test_a_peer_and_a_master_find_each_other(options: bytes) -> None:
    us, at = a_peer(options), a_master()
    assert talk(us, at, us.open(0), 0) == [peer.Connected()]
    assert us.state == State.CONNECTED
    assert at.connected == [ONE]
    (sent,) = said(us.send(replace(BURST, repeater=5)))
    assert events(at.receive(sent, HILL, 1)) == [
        master.Heard(replace(BURST, bit_errors=0, signal=0))
    ]
    (back,) = sends(at.send(BURST, ONE))
    assert us.receive(back, 1) == [peer.Heard(replace(BURST, bit_errors=0, signal=0))]


def test_a_peer_pings_and_stays() -> None:
    us, at = a_peer(), a_master()
    talk(us, at, us.open(0), 0)
    for second in range(1, 300):
        assert talk(us, at, us.pass_time(second), second) == []
        assert at.pass_time(second) == []
    assert us.state == State.CONNECTED


def test_a_master_that_falls_silent_is_lost_and_tried_again() -> None:
    us, at = a_peer(), a_master()
    talk(us, at, us.open(0), 0)
    out = [one for second in range(1, 21) for one in told(us.pass_time(second))]
    assert out == [peer.Disconnected(Lost.SILENT, was_connected=True)]
    assert us.due == pytest.approx(21)
    assert talk(us, at, us.pass_time(22), 22) == [peer.Connected()]


def test_every_step_is_said_again_and_then_begun_anew() -> None:
    us = a_peer()
    assert said(us.open(0)) == [packets.write_login(ONE)]
    repeated = [data for second in range(1, 10) for data in said(us.pass_time(second))]
    assert repeated == [packets.write_login(ONE)] * 3
    assert told(us.pass_time(12)) == [peer.Disconnected(Lost.SILENT, was_connected=False)]
    assert said(us.pass_time(13)) == [packets.write_login(ONE)]


def test_pauses_grow_while_a_master_refuses() -> None:
    us, now, pauses = a_peer(), 0.0, []
    us.open(now)
    for _ in range(9):
        assert us.receive(packets.write_refused(ONE), now) == [
            peer.Disconnected(Lost.REFUSED, was_connected=False)
        ]
        assert us.due is not None
        pauses.append(us.due - now)
        now = us.due
        us.pass_time(now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (packets.write_refused(ONE), Lost.REFUSED),
        (packets.write_master_closing(ONE), Lost.CLOSED),
        (b"MSTNAK", Lost.REFUSED),
    ],
)
def test_a_master_sends_a_peer_away(data: bytes, cause: Lost) -> None:
    us, at = a_peer(), a_master()
    talk(us, at, us.open(0), 0)
    assert us.receive(data, 1) == [peer.Disconnected(cause, was_connected=True)]
    assert us.send(BURST) == []


def test_an_answer_that_comes_twice_is_taken_once() -> None:
    us = a_peer()
    us.open(0)
    assert us.receive(packets.write_salt(b"salt"), 0) == [
        peer.Send(packets.write_proof(ONE, b"salt", SECRETS[ONE]))
    ]
    assert us.receive(packets.write_salt(b"salt"), 0) == []
    us.receive(packets.write_accepted(ONE), 0)
    assert us.receive(packets.write_accepted(ONE), 0) == [peer.Connected()]
    assert us.receive(packets.write_accepted(ONE), 0) == []


def test_a_peer_that_goes_says_so() -> None:
    us = a_peer()
    assert us.close() == []
    us.open(0)
    assert us.close() == [peer.Send(packets.write_closing(ONE))]
    assert us.due is None
    assert us.receive(packets.write_salt(b"salt"), 1) == []


datagrams = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([ONE, TWO, STRANGER]).map(packets.write_login),
    st.sampled_from([ONE, TWO, STRANGER]).map(packets.write_ping),
    st.sampled_from([ONE, TWO, STRANGER]).map(packets.write_closing),
    st.builds(
        packets.write_proof,
        st.sampled_from([ONE, STRANGER]),
        st.binary(min_size=4, max_size=4),
        st.just(SECRETS[TWO]),
    ),
    st.binary(max_size=300).map(lambda fields: packets.write_description(ONE, fields)),
    st.just(packets.write_burst(BURST)),
)


@given(st.lists(st.tuples(datagrams, st.sampled_from([HILL, ELSEWHERE]), st.floats(0, 40))))
@settings(max_examples=200)
def test_nobody_gets_in_without_the_secret(
    sent: list[tuple[bytes, master.Address, float]],
) -> None:
    at, now = a_master(), 0.0
    signed_in(at, TWO, CAYE)
    for data, address, later in sent:
        now += later / 10
        out = at.receive(data, address, now) + at.pass_time(now)
        assert not any(isinstance(one, master.Connected | master.Heard) for one in out)
        # Nobody is told more than he said.
        for one in out:
            if isinstance(one, master.Send):
                assert one.address == address
                assert len(one.data) <= len(data) + 2


@given(st.lists(st.tuples(st.binary(max_size=60) | st.sampled_from([
    packets.write_salt(b"salt"), packets.write_accepted(ONE), packets.write_refused(ONE),
    packets.write_pong(ONE), packets.write_master_closing(ONE), packets.write_burst(BURST),
]), st.floats(0, 100))))  # fmt: skip
def test_a_peer_takes_anything_and_always_has_something_due(
    heard: list[tuple[bytes, float]],
) -> None:
    us, now = a_peer(), 0.0
    us.open(now)
    for data, later in heard:
        now += later
        us.receive(data, now)
        us.pass_time(now)
        assert us.due is not None
