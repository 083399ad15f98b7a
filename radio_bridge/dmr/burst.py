"""What is on the air for 30 ms: 264 bits, of which 48 in the middle say what the others are.

Clause 4.2.2 (structure), 6.1 and 6.2 (voice and data bursts), 9.1.1 to 9.1.3.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from radio_bridge.dmr.cyclic import GOLAY_20_8, QR_16_7
from radio_bridge.unreadable import Unreadable, exactly

LENGTH: Final = 33
_HALF: Final = 98
_VOICE_HALF: Final = 108


class Sync(enum.IntEnum):
    """The patterns in the middle of a burst: table 9.2."""

    BS_VOICE = 0x755FD7DF75F7
    BS_DATA = 0xDFF57D75DF5D
    MS_VOICE = 0x7F7D5DD57DFD
    MS_DATA = 0xD5D7F77FD757
    MS_REVERSE_CHANNEL = 0x77D55F7DFD77
    SLOT_1_VOICE = 0x5D577F7757FF
    SLOT_1_DATA = 0xF7FDD5DDFD55
    SLOT_2_VOICE = 0x7DFFD5F55D5F
    SLOT_2_DATA = 0xD7557F5FF7F5

    @property
    def is_voice(self) -> bool:
        """Whether speech is around it, as in the first burst of a superframe."""
        return self in _VOICE_SYNCS

    @property
    def is_data(self) -> bool:
        """Whether data or control is around it."""
        return self in _DATA_SYNCS


_VOICE_SYNCS: Final = {Sync.BS_VOICE, Sync.MS_VOICE, Sync.SLOT_1_VOICE, Sync.SLOT_2_VOICE}
_DATA_SYNCS: Final = {Sync.BS_DATA, Sync.MS_DATA, Sync.SLOT_1_DATA, Sync.SLOT_2_DATA}
_SYNCS: Final = {int(sync): sync for sync in Sync}
SYNC_MENDS: Final = 4
"""Two patterns differ in at least ten bits, so that so few wrong ones leave no doubt."""


class DataType(enum.IntEnum):
    """What a data burst carries: clause 9.3.6."""

    PI_HEADER = 0
    VOICE_HEADER = 1
    TERMINATOR = 2
    CONTROL_BLOCK = 3
    MBC_HEADER = 4
    MBC_CONTINUATION = 5
    DATA_HEADER = 6
    RATE_1_2 = 7
    RATE_3_4 = 8
    IDLE = 9
    RATE_1 = 10
    UNIFIED_SINGLE_BLOCK = 11


class Piece(enum.IntEnum):
    """Which piece of link control is embedded (LCSS): clause 9.3.3."""

    ALONE = 0
    FIRST = 1
    LAST = 2
    CONTINUED = 3


@dataclass(frozen=True, slots=True)
class SlotType:
    """What a data burst carries, and the colour code of its site: clause 9.1.3."""

    colour_code: int
    data_type: DataType


@dataclass(frozen=True, slots=True)
class Embedded:
    """The middle of a voice burst that is not the first: clause 9.1.2."""

    colour_code: int
    piece: Piece
    content: int
    """32 bits, of link control when the piece is one."""
    power_control: bool = False


@dataclass(frozen=True, slots=True)
class VoiceBurst:
    """Three frames of a vocoder, 20 ms each, with forward error correction of its own."""

    frames: int
    """216 bits."""
    middle: Sync | Embedded


@dataclass(frozen=True, slots=True)
class DataBurst:
    """196 bits, coded as the slot type says."""

    slot_type: SlotType
    info: int
    sync: Sync = Sync.BS_DATA


Burst = VoiceBurst | DataBurst


def sync_of(burst: bytes) -> Sync | None:
    """The pattern in the middle, or none where something is embedded."""
    middle = int.from_bytes(exactly(burst, LENGTH, "A burst")) >> _VOICE_HALF & 0xFFFFFFFFFFFF
    exact = _SYNCS.get(middle)
    if exact is not None:
        return exact
    for value, sync in _SYNCS.items():
        if (value ^ middle).bit_count() <= SYNC_MENDS:
            return sync
    return None


def read(burst: bytes) -> Burst:
    """What a burst is by its sync pattern; one without is voice; raises :class:`Unreadable`."""
    sync = sync_of(burst)
    return read_data(burst) if sync and sync.is_data else read_voice(burst)


def read_data(burst: bytes) -> DataBurst:
    """A burst that is known to be of data, be its pattern readable or not."""
    sync = sync_of(burst) or Sync.BS_DATA
    bits = int.from_bytes(burst)
    slot_type = (bits >> 156 & 0x3FF) << 10 | bits >> 98 & 0x3FF
    value = GOLAY_20_8.decode(slot_type)
    try:
        data_type = DataType(value & 0xF)
    except ValueError:
        raise Unreadable("dmr.reserved", f"Data type {value & 0xF} is reserved.") from None
    info = bits >> 166 << _HALF | bits & ((1 << _HALF) - 1)
    return DataBurst(SlotType(value >> 4, data_type), info, sync)


def read_voice(burst: bytes) -> VoiceBurst:
    """A burst that is known to be of voice."""
    sync = sync_of(burst)
    frames = voice_bits(burst)
    if sync is not None:
        return VoiceBurst(frames, sync)
    middle = int.from_bytes(burst) >> _VOICE_HALF & 0xFFFFFFFFFFFF
    value = QR_16_7.decode(middle >> 40 << 8 | middle & 0xFF)
    embedded = Embedded(
        colour_code=value >> 3,
        piece=Piece(value & 3),
        content=middle >> 8 & 0xFFFFFFFF,
        power_control=bool(value & 4),
    )
    return VoiceBurst(frames, embedded)


def voice_bits(burst: bytes) -> int:
    """The 216 bits of speech, whatever is in the middle."""
    bits = int.from_bytes(exactly(burst, LENGTH, "A burst"))
    return bits >> 156 << _VOICE_HALF | bits & ((1 << _VOICE_HALF) - 1)


def write(burst: Burst) -> bytes:
    """The 33 bytes of a burst."""
    if isinstance(burst, DataBurst):
        kind = burst.slot_type
        slot_type = GOLAY_20_8.encode(kind.colour_code << 4 | kind.data_type)
        middle = slot_type >> 10 << 58 | burst.sync << 10 | slot_type & 0x3FF
        bits = burst.info >> _HALF << 166 | middle << _HALF | burst.info & ((1 << _HALF) - 1)
    else:
        middle = _middle(burst.middle)
        low = burst.frames & ((1 << _VOICE_HALF) - 1)
        bits = burst.frames >> _VOICE_HALF << 156 | middle << _VOICE_HALF | low
    return bits.to_bytes(LENGTH)


def _middle(middle: Sync | Embedded) -> int:
    if isinstance(middle, Sync):
        return int(middle)
    value = middle.colour_code << 3 | middle.power_control << 2 | middle.piece
    word = QR_16_7.encode(value)
    return word >> 8 << 40 | middle.content << 8 | word & 0xFF
