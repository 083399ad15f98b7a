"""Values of the air interface as Hypothesis draws them: calls, blocks, headers, bursts."""

from __future__ import annotations

from hypothesis import strategies as st

from radio_bridge.dmr.burst import DataBurst, DataType, Embedded, Piece, SlotType, Sync, VoiceBurst
from radio_bridge.dmr.control_block import (
    Activation,
    AlarmTaken,
    CallAlert,
    ControlBlock,
    EmergencyAlarm,
    OtherBlock,
    Preamble,
    RadioCheck,
    Refusal,
    UnitVoiceAnswer,
    UnitVoiceRequest,
)
from radio_bridge.dmr.data_header import (
    DataHeader,
    PacketHeader,
    Proprietary,
    RawOrStatus,
    Response,
    ShortData,
    UnifiedHeader,
)
from radio_bridge.dmr.link_control import Service, VoiceCall

ids = st.integers(0, 2**24 - 1)
flags = st.booleans()


def bits(width: int) -> st.SearchStrategy[int]:
    """Numbers of so many bits."""
    return st.integers(0, 2**width - 1)


services = st.builds(Service, flags, flags, flags, flags, bits(2), bits(2))
voice_calls = st.builds(VoiceCall, ids, ids, flags, services, st.sampled_from([0, 0x10, 0x68]))

control_blocks: st.SearchStrategy[ControlBlock] = st.one_of(
    st.builds(Preamble, ids, ids, flags, flags, bits(8)),
    st.builds(UnitVoiceRequest, ids, ids, services),
    st.builds(UnitVoiceAnswer, ids, ids, bits(8), services),
    st.builds(Refusal, ids, ids, bits(6), bits(8), flags),
    st.builds(Activation, ids, ids),
    st.builds(AlarmTaken, ids, ids),
    st.builds(CallAlert, ids, ids, flags),
    st.builds(RadioCheck, ids, ids, flags),
    st.builds(EmergencyAlarm, ids, ids),
    st.builds(OtherBlock, bits(6), st.just(0x68), st.binary(min_size=8, max_size=8), flags, flags),
)

packet_headers = st.builds(
    PacketHeader,
    source=ids,
    target=ids,
    group=flags,
    confirmed=st.just(True),
    access=bits(4),
    blocks=bits(7),
    padding=bits(5),
    response_wanted=flags,
    full=flags,
    fragment=bits(4),
    resynchronise=flags,
    number=bits(3),
) | st.builds(
    PacketHeader,
    source=ids,
    target=ids,
    group=flags,
    confirmed=st.just(False),
    access=bits(4),
    blocks=bits(7),
    padding=bits(5),
    response_wanted=flags,
    full=flags,
    fragment=bits(4),
)

data_headers: st.SearchStrategy[DataHeader] = st.one_of(
    packet_headers,
    st.builds(Response, ids, ids, bits(4), bits(7), bits(5), bits(3)),
    st.builds(ShortData, ids, ids, flags, bits(4), bits(6), bits(6), bits(8), flags, flags, flags),
    st.builds(RawOrStatus, ids, ids, flags, bits(4), bits(6), bits(3), bits(3), bits(10), flags),
    st.builds(
        UnifiedHeader, ids, ids, flags, bits(4), bits(4), bits(5), bits(2), bits(6),
        flags, flags, flags, flags, flags,
    ),
    st.builds(Proprietary, bits(4), bits(8), st.binary(min_size=8, max_size=8)),
)  # fmt: skip

embeddeds = st.builds(Embedded, bits(4), st.sampled_from(Piece), bits(32), flags)
voice_bursts = st.builds(
    VoiceBurst, bits(216), embeddeds | st.sampled_from([s for s in Sync if s.is_voice])
)
data_bursts = st.builds(
    DataBurst,
    st.builds(SlotType, bits(4), st.sampled_from(DataType)),
    bits(196),
    st.sampled_from([s for s in Sync if s.is_data]),
)
