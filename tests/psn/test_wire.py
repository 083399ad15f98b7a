"""The codec: strict in what it takes, the same in both forms, and never surprised."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psn import wire
from psn.wire import JSON, MSGPACK, Codec, FrameRefused, Malformed, WireError
from psn.wire.bidi import CONTROLS

addresses = st.builds(
    "{}:{}".format,
    st.sampled_from(["person", "unit", "group", "agency"]),
    st.integers(1, 2_147_483_647),
)
_NOT_KEPT = "\0" + "".join(map(chr, CONTROLS))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=_NOT_KEPT), min_size=1)
short = texts.map(lambda text: text[:100])
numbers = st.integers(0, 4_294_967_295)
ids = st.integers(1, 2_147_483_647)
times = st.integers(0, 253_402_300_799_999)
lons = st.integers(-1_800_000_000, 1_800_000_000)
lats = st.integers(-900_000_000, 900_000_000)
maybe = st.none


def fix_strategy() -> st.SearchStrategy[wire.Fix]:
    return st.builds(
        wire.Fix,
        unit=st.integers(0, 2_147_483_647),
        time=times,
        lon=lons,
        lat=lats,
        speed=maybe() | st.integers(0, 100_000),
        heading=maybe() | st.integers(0, 35_999),
        accuracy=maybe() | st.integers(0, 10_000_000),
        altitude=maybe() | st.integers(-1_000_000, 5_000_000),
        battery=maybe() | st.integers(0, 100),
    )


seats = st.builds(
    wire.Seat,
    unit=ids,
    time=times,
    lon=lons,
    lat=lats,
    speed=maybe() | st.integers(0, 100_000),
    heading=maybe() | st.integers(0, 35_999),
    accuracy=maybe() | st.integers(0, 10_000_000),
)
sequences = st.integers(0, 9_007_199_254_740_991)
voice_groups = st.from_regex(r"(group|incident|call):[1-9][0-9]{0,8}", fullmatch=True)
topics = st.from_regex(r"[a-z_]{1,20}", fullmatch=True)
radio_ids = st.integers(1, 16_776_415)
radios = st.builds(wire.Radio, ids, radio_ids)
sites = texts.map(lambda text: text[:40])
calls = st.sampled_from(["normal", "peril", "emergency"])

CLIENT: dict[type, st.SearchStrategy[Any]] = {
    wire.Hello: st.builds(wire.Hello, v=st.integers(1, 1_000), client=short),
    wire.SignIn: st.builds(
        wire.SignIn,
        n=numbers,
        auth=st.builds(
            wire.PasswordAuth,
            short,
            short,
            maybe() | st.text(min_size=6, max_size=40),
            maybe() | short,
        )
        | st.builds(wire.DeviceAuth, ids, st.binary(min_size=64, max_size=64))
        | st.builds(wire.SessionAuth, short),
        seen=st.dictionaries(addresses, sequences, max_size=5),
    ),
    wire.Position: st.builds(wire.Position, p=fix_strategy()),
    wire.Positions: st.builds(
        wire.Positions, n=numbers, p=st.lists(fix_strategy(), min_size=1, max_size=5)
    ),
    wire.Announce: st.builds(
        wire.Announce,
        n=numbers,
        units=st.lists(
            st.builds(
                wire.AnnouncedUnit,
                short.map(lambda t: t[:80]),
                short.map(lambda t: t[:40]),
                st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
            ),
            min_size=1,
            max_size=3,
        ),
    ),
    wire.Watch: st.builds(
        wire.Watch,
        n=numbers,
        area=maybe() | st.builds(wire.Area, lons, lats, lons, lats),
        agencies=maybe() | st.lists(ids, max_size=5),
    ),
    wire.Unwatch: st.builds(wire.Unwatch, n=numbers),
    wire.Message: st.builds(
        wire.Message,
        id=st.uuids(),
        to=st.lists(addresses, min_size=1, max_size=5),
        text=texts,
        priority=st.sampled_from(["routine", "priority", "immediate", "emergency"]),
        expires=maybe() | times,
        about=maybe() | st.uuids(),
        unit=maybe() | ids,
    ),
    wire.Delivered: st.builds(
        wire.Delivered, n=numbers, box=addresses, seqs=st.lists(sequences, min_size=1, max_size=5)
    ),
    wire.RadioHeard: st.builds(
        wire.RadioHeard,
        n=numbers,
        heard=st.lists(
            st.builds(
                wire.Heard,
                ids,
                radio_ids,
                times,
                st.sampled_from(["call", "text", "position", "emergency", "status", "presence"]),
                sites,
                maybe() | lons,
                maybe() | lats,
                sites,
            ),
            min_size=1,
            max_size=5,
        ),
    ),
    wire.RadioPresence: st.builds(
        wire.RadioPresence,
        n=numbers,
        here=st.lists(radios, max_size=5),
        gone=st.lists(radios, max_size=5),
    ),
    wire.RadioReach: st.builds(
        wire.RadioReach,
        n=numbers,
        reach=st.dictionaries(
            voice_groups, st.sampled_from(get_args(wire.Reached)), min_size=1, max_size=3
        ),
    ),
    wire.RadioState: st.builds(
        wire.RadioState,
        n=numbers,
        sites=st.lists(
            st.builds(
                wire.RadioSite,
                network=ids,
                name=sites,
                link=topics,
                up=st.booleans(),
                since=times,
                quality=maybe() | st.integers(0, 100),
                errors=maybe() | st.integers(0, 1_000),
                rssi=maybe() | st.integers(-200, 50),
                lon=maybe() | lons,
                lat=maybe() | lats,
            ),
            max_size=3,
        ),
        calls=st.lists(
            st.builds(
                wire.RadioCall,
                network=ids,
                radio=maybe() | radio_ids,
                since=times,
                talkgroup=maybe() | radio_ids,
                to=maybe() | radio_ids,
                site=sites,
                call=calls,
                passed=st.booleans(),
            ),
            max_size=3,
        ),
        refused=st.dictionaries(
            st.from_regex(r"[a-z0-9_]{1,40}", fullmatch=True), sequences, max_size=3
        ),
        voiceless=st.lists(ids, max_size=3),
        missed=maybe() | st.builds(wire.RadioMissed, times, times, st.integers(0, 1_000_000)),
    ),
    wire.Seen: st.builds(wire.Seen, box=addresses, seq=sequences),
    wire.Read: st.builds(
        wire.Read, n=numbers, box=addresses, seqs=st.lists(sequences, min_size=1, max_size=5)
    ),
    wire.Active: st.builds(wire.Active),
    wire.Do: st.builds(
        wire.Do,
        id=st.uuids(),
        what=st.from_regex(r"[a-z_]{1,20}\.[a-z_]{1,30}", fullmatch=True),
        with_=st.just(msgspec.Raw(b"0")),  # a number in both forms
    ),
    wire.Follow: st.builds(wire.Follow, n=numbers, topic=topics),
    wire.Unfollow: st.builds(wire.Unfollow, n=numbers, topic=topics),
    wire.VoiceJoin: st.builds(wire.VoiceJoin, n=numbers, group=voice_groups),
    wire.VoiceLeave: st.builds(wire.VoiceLeave, n=numbers, group=voice_groups),
    wire.VoiceClose: st.builds(wire.VoiceClose, n=numbers, group=voice_groups),
    wire.VoicePatch: st.builds(
        wire.VoicePatch, n=numbers, groups=st.lists(voice_groups, min_size=2, max_size=2)
    ),
    wire.VoiceUnpatch: st.builds(wire.VoiceUnpatch, n=numbers, group=voice_groups),
    wire.VoiceCall: st.builds(
        wire.VoiceCall,
        n=numbers,
        to=st.lists(addresses, min_size=1, max_size=5),
        call=st.sampled_from(["normal", "peril", "emergency"]),
    ),
    wire.FloorAsk: st.builds(wire.FloorAsk, group=voice_groups, call=calls, radio=maybe() | radios),
    wire.FloorRelease: st.builds(wire.FloorRelease, group=voice_groups, radio=maybe() | radios),
    wire.Unlock: st.builds(
        wire.Unlock,
        n=numbers,
        proof=st.builds(wire.PasswordProof, short) | st.builds(wire.TokenProof, short),
    ),
    wire.Ping: st.builds(wire.Ping, n=numbers),
    wire.SignOut: st.builds(wire.SignOut, n=numbers),
}

bodies = st.builds(
    wire.MessageBody,
    id=st.uuids(),
    sender=addresses,
    sender_name=texts,
    to=st.lists(addresses, max_size=3),
    text=texts,
    priority=st.sampled_from(["routine", "emergency"]),
    time=times,
    expires=maybe() | times,
    about=maybe() | st.uuids(),
) | st.builds(
    wire.ReceiptBody,
    of=st.lists(st.uuids(), max_size=3),
    by=addresses,
    by_name=texts,
    state=st.sampled_from(["delivered", "read", "expired"]),
    time=times,
)

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    wire.Radio: radios,
    int: st.integers(-(2**53), 2**53),
    str: texts,
    bytes: st.binary(max_size=64),
    bool: st.booleans(),
    UUID: st.uuids(),
    type(None): st.none(),
    wire.MailBody: bodies,
    wire.Seat: seats,
    Any: st.dictionaries(texts, st.none() | st.booleans() | times | texts, max_size=3),
}


def anything_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type; the server's own frames are not bounded further."""
    if hint in PLAIN:
        return PLAIN[hint]
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    inner = [anything_of(part) for part in get_args(hint)]
    if get_origin(hint) is list:
        return st.lists(inner[0], max_size=3)
    if get_origin(hint) is dict:
        return st.dictionaries(*inner, max_size=3)
    if inner:
        return st.one_of(inner)
    return st.builds(hint, **{k: anything_of(part) for k, part in get_type_hints(hint).items()})


both = pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])


def test_every_client_frame_is_tried_here() -> None:
    assert set(CLIENT) == set(get_args(wire.ClientFrame))


@both
@given(st.data())
def test_client_frames_survive_the_journey(codec: Codec, data: st.DataObject) -> None:
    frame = data.draw(st.one_of(*CLIENT.values()))
    assert codec.decode_client(codec.encode(frame)) == frame


@both
@pytest.mark.parametrize("kind", get_args(wire.ServerFrame), ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_server_frames_survive_the_journey(
    codec: Codec, kind: type[Any], data: st.DataObject
) -> None:
    frame = data.draw(anything_of(kind))
    assert codec.decode_server(codec.encode(frame)) == frame


@both
@given(fix=fix_strategy())
def test_a_fix_survives_being_kept(codec: Codec, fix: wire.Fix) -> None:
    assert codec.decode_fix(codec.encode(fix)) == fix


@given(st.binary(max_size=60))
def test_a_kept_fix_that_was_damaged_is_refused(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert isinstance(MSGPACK.decode_fix(data), wire.Fix)


@given(st.lists(seats, max_size=40), st.booleans())
def test_a_picture_of_encoded_seats_is_the_picture_of_the_seats(
    given_seats: list[wire.Seat], snapshot: bool
) -> None:
    frame = wire.Picture(p=given_seats, snapshot=snapshot)
    for codec in (MSGPACK, JSON):
        joined = codec.picture([codec.encode(seat) for seat in given_seats], snapshot)
        assert codec.decode_server(joined) == frame
    assert msgpack.unpackb(
        MSGPACK.picture([MSGPACK.encode(seat) for seat in given_seats], snapshot)
    ) == msgpack.unpackb(MSGPACK.encode(frame)) | {"t": "picture"}


def test_a_large_picture_is_one_frame() -> None:
    seat = wire.Seat(1, 2, 3, 4, None, None, None)
    for count in (15, 16, 65_535, 65_536):
        frame = MSGPACK.decode_server(MSGPACK.picture([MSGPACK.encode(seat)] * count))
        assert isinstance(frame, wire.Picture)
        assert len(frame.p) == count


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_and_nothing_else(data: bytes) -> None:
    for codec in (MSGPACK, JSON):
        for decode in (codec.decode_client, codec.decode_server):
            with pytest.raises(WireError):
                decode(data)
        codec.request_of(data)


@given(st.data())
def test_a_frame_cut_short_is_malformed(data: st.DataObject) -> None:
    whole = MSGPACK.encode(data.draw(st.one_of(*CLIENT.values())))
    with pytest.raises(WireError):
        MSGPACK.decode_client(whole[: data.draw(st.integers(0, len(whole) - 1))])


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.sampled_from(sorted(CLIENT, key=str)), st.dictionaries(st.text(max_size=5), anything))
def test_wrong_fields_are_refused_or_read_and_never_crash(
    kind: Any, fields: dict[str, Any]
) -> None:
    tag = kind.__struct_config__.tag
    data = msgpack.packb({"t": tag, **fields})
    try:
        frame = MSGPACK.decode_client(data)
    except WireError as refused:
        assert len(refused.text) < 400
    else:
        assert type(frame) is kind


POSITION = {"t": "position", "p": [0, 1_000, -881_900_000, 174_900_000, 1_250, 9_000, 500, 0, 80]}


def changed(place: int, value: Any) -> dict[str, Any]:
    p: list[Any] = list(POSITION["p"])  # type: ignore[call-overload]
    p[place] = value
    return {"t": "position", "p": p}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, -1),
        (0, 2_147_483_648),
        (1, -62_135_596_800_000),
        (1, 253_402_300_800_000),
        (1, "now"),
        (2, 1_800_000_001),
        (2, -1_800_000_001),
        (2, -88.19),
        (2, float("nan")),
        (2, float("inf")),
        (2, None),
        (2, True),
        (3, 900_000_001),
        (3, -900_000_001),
        (3, "174900000"),
        (4, -1),
        (4, 100_001),
        (5, 36_000),
        (6, -1),
        (7, 5_000_001),
        (8, 101),
    ],
)
def test_numbers_out_of_range_or_kind_are_refused(place: int, value: Any) -> None:
    assert MSGPACK.decode_client(msgpack.packb(POSITION))
    with pytest.raises(FrameRefused) as refused:
        MSGPACK.decode_client(msgpack.packb(changed(place, value)))
    assert refused.value.code == "bad_field"


def test_the_poles_and_180_degrees_are_places() -> None:
    for lon, lat in ((1_800_000_000, 900_000_000), (-1_800_000_000, -900_000_000)):
        frame = MSGPACK.decode_client(msgpack.packb(changed(2, lon) | {"t": "position"}))
        assert isinstance(frame, wire.Position)
        assert MSGPACK.decode_client(msgpack.packb(changed(3, lat)))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_json_has_no_such_numbers(word: str) -> None:
    text = json.dumps(POSITION).replace("-881900000", word)
    with pytest.raises(WireError):
        JSON.decode_client(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"to": []},
        {"to": ["unit:7"] * 51},
        {"to": ["unit:0"]},
        {"to": ["unit:7\n"]},
        {"to": ["ship:7"]},
        {"to": "unit:7"},
        {"text": ""},
        {"text": "x" * (wire.MAX_TEXT_CHARACTERS + 1)},
        {"text": "a\0b"},
        {"id": "not-a-uuid"},
        {"priority": "urgent"},
        {"expires": -1},
    ],
)
def test_messages_that_are_refused(fields: dict[str, Any]) -> None:
    good = {"t": "message", "id": str(UUID(int=1)), "to": ["unit:7"], "text": "x"}
    assert MSGPACK.decode_client(msgpack.packb(good))
    with pytest.raises(FrameRefused):
        MSGPACK.decode_client(msgpack.packb(good | fields))


def test_batches_are_bounded() -> None:
    one = list(POSITION["p"])
    frame = {"t": "positions", "n": 1, "p": [one] * wire.MAX_BATCH}
    assert MSGPACK.decode_client(msgpack.packb(frame))
    for size in (0, wire.MAX_BATCH + 1):
        with pytest.raises(FrameRefused):
            MSGPACK.decode_client(msgpack.packb(frame | {"p": [one] * size}))


@both
def test_unknown_fields_are_passed_over(codec: Codec) -> None:
    plain = {"t": "ping", "n": 7, "colour": {"of": ["the", "future"]}}
    data = msgpack.packb(plain) if codec.binary else json.dumps(plain)
    assert codec.decode_client(data) == wire.Ping(n=7)


def test_unknown_tags_and_frames_of_the_other_side_are_refused() -> None:
    for frame in ({"t": "teleport"}, {"n": 1}, {"t": 5}, {"t": "welcome", "v": 1}):
        with pytest.raises(FrameRefused):
            MSGPACK.decode_client(msgpack.packb(frame))


@pytest.mark.parametrize("deep", [b"\x91" * 60_000, b"\x81\xa1a" * 20_000])
def test_nesting_does_not_exhaust_the_stack(deep: bytes) -> None:
    with pytest.raises(WireError):
        MSGPACK.decode_client(deep)
    assert MSGPACK.request_of(deep) == (None, None)


def test_json_nesting_does_not_exhaust_the_stack() -> None:
    with pytest.raises(WireError):
        JSON.decode_client('{"t":"ping","x":' + "[" * 60_000)


def test_the_answer_to_a_refused_frame_can_name_the_request() -> None:
    uid = UUID(int=5)
    assert MSGPACK.request_of(msgpack.packb({"t": "watch", "n": 9, "area": 1})) == (9, None)
    assert MSGPACK.request_of(msgpack.packb({"t": "message", "id": str(uid)})) == (None, uid)
    assert MSGPACK.request_of(msgpack.packb({"n": -1, "id": "x"})) == (None, None)
    assert MSGPACK.request_of(b"\xc1") == (None, None)


def test_garbage_is_malformed_and_a_wrong_frame_is_refused() -> None:
    with pytest.raises(Malformed):
        MSGPACK.decode_client(b"\xc1")
    with pytest.raises(FrameRefused):
        MSGPACK.decode_client(msgpack.packb({"t": "ping"}))


def test_there_is_no_other_subprotocol() -> None:
    with pytest.raises(ValueError, match=r"psn\.v9"):
        Codec("psn.v9")
