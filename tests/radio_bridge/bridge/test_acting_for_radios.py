"""What the bridge tells this network of radios, with the test in the server's place.

DOM-RAD-16.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from patience import until
from stage import GATEWAY, KEY

from psn import wire
from psn.client import ClientRefused, Offline
from psn.client.radio import RadioLine
from psn.enrolment import device_key
from radio_bridge.bridge import bridge, letters, network, outgoing, settings, sightings
from radio_bridge.bridge.bridge import Bridge
from radio_bridge.bridge.data import Told
from radio_bridge.bridge.network import OurNetwork
from radio_bridge.bridge.outgoing import Way
from radio_bridge.bridge.signing_in import SigningIn
from radio_bridge.bridge.wiring import Wiring
from radio_bridge.data_channel import DataChannel
from radio_bridge.dmr import burst, control_block
from radio_bridge.dmr.control_block import AlarmTaken, Preamble, RadioCheck
from radio_bridge.homebrew import stream
from radio_bridge.inside import Emergency, Presence, Text, TextArrived
from simulators.radios.radio import alarm_bursts
from simulators.radios.repeater import talk

HILL = "sites/702001", 1
POLICE_RADIO, NOBODYS = 4711, 4799
CAR = 1
OURS = 7_020_000
CONTENT = """
[network]
url = "ws://127.0.0.1:1/ws"
key = "gateway.pem"
radio = 7020000
store = "offline.db"

[radio_network.police]
called = "National"
positions = 60

[link.sites]
kind = "master"
radio_network = "police"
listen = "127.0.0.1:0"
repeater.702001 = { secret = "what nobody guesses", slot_1 = [9], slot_2 = [10] }
"""
PLAN: list[dict[str, Any]] = [
    {"is": "radio_network", "id": 1, "name": "National"},
    {"is": "radio", "id": 1, "network": 1, "number": POLICE_RADIO, "unit": CAR, "callsign": "P-1"},
]
_streams = itertools.count(1)


class Gateway:
    """A bridge without sockets; what it tells, and what it is answered."""

    def __init__(
        self, place: Path, before: OurNetwork | None = None, plan: list[dict[str, Any]] = PLAN
    ) -> None:
        device_key.write(place / "gateway.pem", KEY, GATEWAY)
        content = CONTENT.replace("offline.db", str(place / "offline.db"))
        self.bridge = Bridge(settings.read(content, place / "radio.toml"))
        of = self.bridge.settings.network
        assert of is not None
        self.side = OurNetwork(self.bridge, of, before=before)
        self.bridge.our_side = self.side
        self.told: list[Any] = []
        self.answer: Callable[[], Awaitable[None]] = _ok
        numbers = itertools.count(1)
        line = RadioLine(self._ask, self._send, lambda: next(numbers), self._follow)
        self.side.client.radio = line
        line.news(wire.News("radio", whole=True, set=plan))
        self.line = line

    async def _ask(self, frame: object) -> None:
        self.told.append(frame)
        await self.answer()

    async def _send(self, frame: object) -> None:
        raise ConnectionError

    async def _follow(self, topic: str) -> None:
        pass

    def hear(self, *packets: Any) -> None:
        for packet in packets:
            self.bridge.burst((HILL[0], packet.slot), packet)

    def heard(self) -> list[tuple[int, str]]:
        """The radios that it told of, and what was heard."""
        frames = [one for one in self.told if isinstance(one, wire.RadioHeard)]
        return [(each.number, each.what) for frame in frames for each in frame.heard]


async def _ok() -> None:
    pass


@pytest.fixture
async def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


async def test_an_emergency_call_is_an_emergency(gateway: Gateway) -> None:
    gateway.hear(*talk(NOBODYS, 9, 1, next(_streams), range(12), emergency=True))
    await until(lambda: (NOBODYS, "emergency") in gateway.heard())
    assert gateway.heard() == [(NOBODYS, "emergency")]
    gateway.told.clear()
    gateway.hear(*talk(POLICE_RADIO, 9, 1, next(_streams), range(3)))
    await gateway.side._tell_radios()
    assert gateway.heard() == [(POLICE_RADIO, "call")]


@pytest.mark.parametrize(
    "fault", [ConnectionError(), TimeoutError(), ClientRefused("unavailable", "Not now.", "Wait.")]
)
async def test_a_red_button_that_was_not_answered_is_pressed_until_it_is(
    gateway: Gateway, fault: Exception
) -> None:
    """Also when the same radio talks meanwhile, and whatever the answer is that does not come."""

    async def fails() -> None:
        gateway.hear(*talk(NOBODYS, 9, 1, next(_streams), range(3)))
        raise fault

    gateway.answer = fails
    gateway.hear(*alarm_bursts(NOBODYS, 9, 1, next(_streams)))
    await until(lambda: gateway.heard() != [])
    gateway.told.clear()
    gateway.answer = _ok
    await gateway.side._tell_radios()
    assert (NOBODYS, "emergency") in gateway.heard()
    gateway.told.clear()
    await gateway.side._tell_radios()
    assert gateway.heard() == []


async def test_who_signed_off_is_told_of_until_it_is_answered(gateway: Gateway) -> None:
    radio = wire.Radio(1, POLICE_RADIO)
    gateway.side.told(Told("police", HILL, Presence(POLICE_RADIO, here=False)), HILL[0])

    async def fails() -> None:
        raise TimeoutError

    gateway.answer = fails
    with pytest.raises(TimeoutError):
        await gateway.side._tell_radios()
    gateway.told.clear()
    gateway.answer = _ok
    await gateway.side._tell_radios()
    assert [one.gone for one in gateway.told] == [[radio]]


def pressed(place: Path) -> list[Any]:
    """The units whose red buttons are kept."""
    kept = Offline(place / "offline.db").asked()
    return [msgspec.msgpack.decode(one.with_)["unit"] for one in kept]


async def test_a_unit_s_red_button_outlives_the_bridge(gateway: Gateway, tmp_path: Path) -> None:
    gateway.hear(*alarm_bursts(POLICE_RADIO, 9, 1, next(_streams)))
    await until(lambda: pressed(tmp_path) == [CAR])
    assert Gateway(tmp_path).side.client._asked_for.take() is not None


@pytest.mark.parametrize("store", ['store = "offline.db"\n', ""])
async def test_what_was_pressed_is_told_by_who_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    """New settings of the network; and the buttons were pressed before it was ever there."""
    monkeypatch.setattr(f"{__name__}.CONTENT", CONTENT.replace('store = "offline.db"\n', store))
    gateway = Gateway(tmp_path, plan=[])
    gateway.hear(*alarm_bursts(NOBODYS, 9, 1, next(_streams)))
    gateway.hear(*alarm_bursts(POLICE_RADIO, 9, 1, next(_streams)))
    after = Gateway(tmp_path, gateway.side, plan=[])
    await after.line.serve(after.side._planned)
    after.line.news(wire.News("radio", whole=True, set=PLAN))
    await until(lambda: (NOBODYS, "emergency") in after.heard())
    assert [one.what for one in after.side.client.offline.asked()] == ["emergency.press"]
    last = Gateway(tmp_path, after.side)
    assert [one.what for one in last.side.client.offline.asked()] == ["emergency.press"]


async def test_who_signs_in_next_takes_over_what_is_not_told_yet(tmp_path: Path) -> None:
    """Also when the settings have changed in between; nobody answers at that address."""
    gateway = Gateway(tmp_path)
    of = gateway.bridge.settings.network
    assert of is not None
    gateway.hear(*alarm_bursts(POLICE_RADIO, 9, 1, next(_streams)))
    await until(lambda: pressed(tmp_path) == [CAR])
    signing = SigningIn(gateway.bridge, of, gateway.side)
    running = asyncio.create_task(signing.run())
    await until(lambda: signing.side is not None)
    side = signing.last
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert side is not None and side is not gateway.side and signing.last is side
    assert [one.what for one in side.client.offline.asked()] == ["emergency.press"]


async def test_an_emergency_call_that_nobody_hears_is_an_emergency(gateway: Gateway) -> None:
    """DOM-RAD-16: its talkgroup is not carried there."""
    gateway.hear(*talk(NOBODYS, 555, 1, next(_streams), range(3), emergency=True))
    assert gateway.bridge.refusals()["calls.barred"] == 1
    await until(lambda: (NOBODYS, "emergency") in gateway.heard())


class Channel:
    """In place of a channel: what is sent, and whether that works."""

    def __init__(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[Any] = []
        self.asked: list[Any] = []
        self.works = False
        self._read = DataChannel(Counter())
        monkeypatch.setattr(gateway.bridge, "send_data", self._send)

    def _send(self, where: Any, packets: Any) -> asyncio.Task[bool]:
        self.asked.append(packets)
        for at, packet in enumerate(packets):
            self.sent += self._read.hear(packet, at * 0.06) if self.works else []
        return asyncio.create_task(asyncio.sleep(0, self.works))

    @property
    def words(self) -> list[str]:
        return [one.text for one in self.sent if isinstance(one, Text)]


def a_mail(seq: int, expires: int | None = None) -> wire.Mail:
    body = wire.MessageBody(
        id=UUID(int=seq), sender="person:1", to=[], text=f"{seq}", priority="routine",
        time=time.time_ns() // 1_000_000, sender_name="", expires=expires,
    )  # fmt: skip
    return wire.Mail(f"unit:{CAR}", seq, body)


async def heard_again(gateway: Gateway) -> None:
    gateway.hear(*talk(POLICE_RADIO, 9, 1, next(_streams), range(3)))
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a radio's word, nor takes a radio's next talk for the same."""
    monkeypatch.setattr(letters, "AGAIN_S", -1.0)


async def test_a_text_waits_for_its_channel_and_for_the_word_that_it_has_arrived(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    gateway.side._letters.planned()
    channel = Channel(gateway, monkeypatch)
    gateway.side._letters.take(a_mail(1))
    await heard_again(gateway)
    assert channel.words == []
    # The bridge starts anew; the radio is heard, and the channel is free.
    gateway = Gateway(tmp_path)
    gateway.side._letters.planned()
    channel = Channel(gateway, monkeypatch)
    channel.works = True
    await heard_again(gateway)
    assert channel.words == ["1"]
    (said,) = channel.sent
    arrived = TextArrived(POLICE_RADIO, OURS, said.number)
    gateway.side.told(Told("police", HILL, arrived), HILL[0])
    await until(lambda: any(isinstance(one, wire.Delivered) for one in gateway.told))
    await heard_again(gateway)
    assert channel.words == ["1"]
    assert Gateway(tmp_path).side.client.offline.for_radios() == []


async def test_a_text_for_a_talkgroup_is_tried_again_where_its_channel_was_taken(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "GROUP_AGAIN_S", 0.0)
    joined = {"is": "radio_talkgroup", "id": 1, "network": 1, "number": 9, "group": "group:1"}
    gateway.line.news(wire.News("radio", whole=True, set=[*PLAN, joined | {"name": "Patrols"}]))
    gateway.side._letters.planned()
    channel = Channel(gateway, monkeypatch)
    mail = a_mail(1)
    taken = channel._send

    def then_free(where: Any, packets: Any) -> asyncio.Task[bool]:
        sending = taken(where, packets)
        channel.works = True
        return sending

    monkeypatch.setattr(gateway.bridge, "send_data", then_free)
    gateway.side._letters.take(msgspec.structs.replace(mail, box="group:1"))
    await until(lambda: channel.words == ["1"])
    assert len(channel.asked) == 2
    monkeypatch.setattr(gateway.bridge, "send_data", taken)
    channel.works, channel.asked = False, []
    gateway.side._letters.take(msgspec.structs.replace(mail, box="group:1"))
    await until(lambda: gateway.bridge.refusals()["bridge.text_given_up"] == 1)
    assert len(channel.asked) == letters.MOST_TIMES


async def test_a_text_for_a_talkgroup_outlives_the_bridge_and_is_not_sent_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = {"is": "radio_talkgroup", "id": 1, "network": 1, "number": 9, "group": "group:1"}
    plan = [*PLAN, joined | {"name": "Patrols"}]
    before = Gateway(tmp_path, plan=plan)
    before.side._letters.planned()
    channel = Channel(before, monkeypatch)
    before.side._letters.take(msgspec.structs.replace(a_mail(1), box="group:1"))
    await until(lambda: len(before.side._letters._again) == 1)
    before.side._letters.close()
    for words in (["1"], []):
        after = Gateway(tmp_path, plan=plan)
        channel = Channel(after, monkeypatch)
        channel.works = True
        after.side._letters.planned()
        await until(lambda store=after.side.client.offline: store.for_channels() == [])
        assert channel.words == words
    # Nobody expects it any more, or its talkgroup is not there now: it is said, not lost.
    for what in ("late", "elsewhere"):
        before.side._letters.take(msgspec.structs.replace(a_mail(2), box="group:1"))
        after = Gateway(tmp_path, plan=plan)
        if what == "late":
            later = after.side.client.now_ms() + letters.GROUP_OLD_MS + 60_000
            monkeypatch.setattr(after.side.client, "now_ms", lambda later=later: later)
        else:
            after.bridge.exchange.rewire(Wiring(), 1.0)
        after.side._letters.planned()
        assert after.bridge.refusals()["bridge.text_given_up"] == 1
        assert after.side.client.offline.for_channels() == []


async def test_a_text_that_no_radio_says_it_has_is_sent_some_times(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    gateway.side._letters.planned()
    channel = Channel(gateway, monkeypatch)
    channel.works = True
    gateway.side._letters.take(a_mail(1))
    for _ in range(5):
        await heard_again(gateway)
    assert channel.words == ["1"] * letters.MOST_TIMES


async def test_texts_that_are_too_old_or_too_many_are_given_up_and_counted(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.side._letters.planned()
    soon = gateway.side.client.now_ms() + 60_000
    for seq in range(1, 23):
        gateway.side._letters.take(a_mail(seq, soon))
    assert gateway.bridge.refusals()["bridge.text_given_up"] == 2
    assert len(gateway.side.client.offline.for_radios()) == 20
    monkeypatch.setattr(gateway.side.client, "now_ms", lambda: soon + 1)
    channel = Channel(gateway, monkeypatch)
    channel.works = True
    await heard_again(gateway)
    assert channel.words == []
    assert gateway.bridge.refusals()["bridge.text_given_up"] == 22


async def test_data_for_a_link_that_is_not_there_is_not_taken_for_sent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "DATA_WAITS_S", 0.0)
    way = Way(OURS, POLICE_RADIO, False, 1, 5)
    packets = outgoing.text_packets(way, "motorola", "10-8", 3)
    assert not await gateway.bridge.send_data(HILL, packets)
    assert gateway.bridge.refusals()["bridge.data_unsent"] == 1


async def asked_where(gateway: Gateway, channel: Channel) -> int:
    """How often a radio was asked, when it is heard once more."""
    before = len(channel.asked)
    await heard_again(gateway)
    return len(channel.asked) - before


async def test_a_radio_is_asked_anew_where_it_is_when_it_was_off_or_was_not_reached(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(gateway, monkeypatch)
    assert await asked_where(gateway, channel) == 1
    assert await asked_where(gateway, channel) == 1  # it was not reached
    channel.works = True
    assert await asked_where(gateway, channel) == 1
    assert await asked_where(gateway, channel) == 0
    gateway.side.told(Told("police", HILL, Presence(POLICE_RADIO, here=False)), HILL[0])
    assert await asked_where(gateway, channel) == 1
    gateway.side.told(Told("police", HILL, Presence(POLICE_RADIO, here=True)), HILL[0])
    assert len(channel.asked) == 5


async def test_a_text_that_a_radio_sends_again_is_one_message(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(words: str, number: int | None) -> None:
        said = Text(POLICE_RADIO, POLICE_RADIO, False, words, number)
        gateway.side.told(Told("police", HILL, said), HILL[0])

    for number in (3, 3, 4, None, None):
        say("10-8", number)
    say("10-7", None)
    sent = gateway.side.client.offline.messages()
    assert [one.text for one in sent] == ["10-8", "10-8", "10-8", "10-7"]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + network.SAME_TEXT_S + 1)
    say("10-8", 3)
    assert len(gateway.side.client.offline.messages()) == 5


async def test_data_of_ours_has_the_colour_code_of_its_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_code = CONTENT.replace('kind = "master"', 'kind = "master"\ncolour_code = 5')
    monkeypatch.setattr(f"{__name__}.CONTENT", with_code)
    gateway = Gateway(tmp_path)
    gateway.side._letters.planned()
    channel = Channel(gateway, monkeypatch)
    gateway.side._letters.take(a_mail(1))
    await heard_again(gateway)
    sent = [packet for packets in channel.asked for packet in packets]
    codes = {burst.read_data(packet.burst).slot_type.colour_code for packet in sent}
    assert (len(channel.asked), codes) == (2, {5}), "a text, and where it is"


async def test_of_radios_that_nobody_can_be_told_of_so_many_are_kept(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sightings, "MOST_RADIOS", 3)
    for number in (1, 2, 3, 1, 4):
        for what in (Presence(number, here=True), Emergency(number, 9)):
            gateway.side.told(Told("police", HILL, what), HILL[0])
    gateway.told.clear()
    await gateway.side._tell_radios()
    assert {number for number, _ in gateway.heard()} == {1, 3, 4}
    (there,) = [one for one in gateway.told if isinstance(one, wire.RadioPresence)]
    assert {radio.number for radio in there.here} == {1, 3, 4}
    assert gateway.bridge.refusals()["bridge.radios_forgotten"]


def answered(channel: Channel) -> list[Any]:
    """The control blocks that radios were sent, and what their datagrams to a radio say."""
    found: list[Any] = []
    for packets in channel.asked:
        for packet in packets:
            heard = burst.read_data(packet.burst)
            if heard.slot_type.data_type is burst.DataType.CONTROL_BLOCK:
                block = control_block.from_info(heard.info)
                found += [] if isinstance(block, Preamble) or block in found else [block]
    return found


async def test_who_pressed_the_red_button_is_told_when_this_network_has_it(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(gateway, monkeypatch)
    channel.works = True

    async def fails() -> None:
        raise ConnectionError

    gateway.answer = fails
    gateway.hear(*alarm_bursts(NOBODYS, 9, 1, next(_streams)))
    gateway.hear(*alarm_bursts(POLICE_RADIO, 9, 1, next(_streams)))
    await until(lambda: gateway.heard() != [])
    assert answered(channel) == []
    gateway.answer = _ok
    await gateway.side._tell_radios()
    assert answered(channel) == [AlarmTaken(OURS, NOBODYS)], "the unit's is not pressed yet"
    (pressed,) = gateway.side.client.offline.asked()
    gateway.side.client._settle_asked(pressed.id, None)
    await until(lambda: AlarmTaken(OURS, POLICE_RADIO) in answered(channel))
    await until(lambda: gateway.bridge.figures.answers["alarm"] == 2)


async def test_a_registration_and_a_check_that_are_for_us_are_answered(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(gateway, monkeypatch)
    channel.works = True
    for target in (OURS, 7_777):
        registered = Presence(NOBODYS, here=True, answers=target)
        gateway.bridge.exchange.note("police", NOBODYS, HILL)
        gateway.side.told(Told("police", HILL, registered), HILL[0])
        gateway.hear(*stream.control(RadioCheck(NOBODYS, target), 1, next(_streams), 1))
    await until(lambda: gateway.bridge.figures.answers.total() == 2)
    assert gateway.bridge.figures.answers == {"registration": 1, "check": 1}
    assert answered(channel) == [RadioCheck(OURS, NOBODYS, is_answer=True)]


async def test_who_is_silent_for_long_is_asked_whether_he_is_there(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(gateway, monkeypatch)
    channel.works = True
    gateway.hear(*talk(NOBODYS, 9, 1, next(_streams), range(3)))
    began = time.monotonic()
    for passed, gone in ((sightings.GONE_S - 100, []), (sightings.GONE_S + 1, [NOBODYS])):
        clock = SimpleNamespace(monotonic=lambda passed=passed: began + passed)
        monkeypatch.setattr(sightings, "time", clock)
        gateway.told.clear()
        await gateway.side._tell_radios()
        await gateway.side._tell_radios()
        await until(lambda: gateway.bridge.figures.answers["query"] > 0)
        assert gateway.bridge.figures.answers == {"query": 1}
        told = [one for one in gateway.told if isinstance(one, wire.RadioPresence)]
        assert [radio.number for frame in told for radio in frame.gone] == gone
