"""What frames are made of: numbers with their units and ranges, texts, addresses, positions."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

VERSION: Final = 1
SUBPROTOCOL_MSGPACK: Final = "psn.v1.msgpack"
SUBPROTOCOL_JSON: Final = "psn.v1.json"

MAX_FRAME_BYTES: Final = 65_536
MAX_TEXT_CHARACTERS: Final = 8_000
MAX_BATCH: Final = 1_000
MOST_SEEN: Final = 1_000
"""Mailboxes that ``sign_in`` names at most."""

Milliseconds = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""UTC, milliseconds since 1970; the upper bound is the end of the year 9999."""
LongitudeE7 = Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]
LatitudeE7 = Annotated[int, Meta(ge=-900_000_000, le=900_000_000)]
CentimetresPerSecond = Annotated[int, Meta(ge=0, le=100_000)]
Centidegrees = Annotated[int, Meta(ge=0, le=35_999)]
AccuracyCm = Annotated[int, Meta(ge=0, le=10_000_000)]
AltitudeCm = Annotated[int, Meta(ge=-1_000_000, le=5_000_000)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Id = Annotated[int, Meta(ge=1, le=2_147_483_647)]
IdOrOwn = Annotated[int, Meta(ge=0, le=2_147_483_647)]
MOST_REQUESTS: Final = 4_294_967_295
RequestNumber = Annotated[int, Meta(ge=0, le=MOST_REQUESTS)]
Sequence = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
ShortText = Annotated[str, Meta(min_length=1, max_length=120)]
SECRET: Final = {"secret": True}
"""Marks a text that is compared and never shown (``Meta.extra``); none of it is taken out."""
Secret = Annotated[str, Meta(min_length=1, max_length=512, extra=SECRET)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
"""ECDSA on P-256 with SHA-256: r and s, 32 bytes each, big endian (``device_key``)."""
Code = Annotated[str, Meta(min_length=6, max_length=40)]
"""An authenticator's code, or a recovery code."""
Address = Annotated[
    str,
    Meta(pattern=r"^(person|unit|group|agency):[1-9][0-9]{0,9}\Z", max_length=20),
]
"""Who a message is to or from, and the name of that recipient's mailbox: ``unit:7``.

(``\\Z``, because ``$`` would also match before a line end.)"""
VoiceAddress = Annotated[
    str, Meta(pattern=r"^(group|incident|call):[1-9][0-9]{0,8}\Z", max_length=20)
]
"""A voice group: ``group:3``, ``incident:12``, ``call:1``."""
CallKind = Literal["normal", "peril", "emergency"]
"""In what kind of call somebody talks; imminent peril goes before normal, emergency before both."""
Reached = Literal["heard", "partly", "busy", "voiceless", "lost"]
"""How what is said in a voice group reaches the radios of its talkgroup: ``partly``, at some sites
alone, while the channel of others is taken; ``busy``, as soon as a channel is free; ``voiceless``,
not, for want of a vocoder; ``lost``, not, for want of a link."""
RadioWhy = Literal["over", "declined", "silent", "away", "unable", "busy", "voiceless"]
"""Why a radio is not in a call (any more): it is over; its user declined; the radio did not answer;
it was heard on no site that is there now; it is where there are no private calls; it is in another
call; there is no vocoder."""
NO_NUL: Final = r"^[^\x00]*\Z"
"""The one character that PostgreSQL cannot keep in a text."""
Priority = Literal["routine", "priority", "immediate", "emergency"]
Shown = Literal["exact", "blurred", "presence"]
"""How precisely another agency's unit is shown. ``blurred``: seats are the middle of a square of a
kilometre, at most one a minute; ``presence``: only whether it is connected."""
RadioId = Annotated[int, Meta(ge=1, le=16_776_415)]
"""A number of a radio, or of a talkgroup, in its network (ETSI TS 102 361-1, annex A: of DMR)."""
SiteName = Annotated[str, Meta(max_length=40, pattern=NO_NUL)]
HeardWhat = Literal["call", "text", "position", "emergency", "status", "presence"]
ReceiptState = Literal["delivered", "read", "expired"]
"""``expired``: it reached the reader only after its time was over."""


class Fix(Struct, array_like=True, frozen=True, gc=False):
    """One position as a unit reports it: an array, in this order; the tail may be left out."""

    unit: IdOrOwn
    """0: the unit this session speaks for; another unit only from a gateway that may."""
    time: Milliseconds
    lon: LongitudeE7
    lat: LatitudeE7
    speed: CentimetresPerSecond | None = None
    heading: Centidegrees | None = None
    accuracy: AccuracyCm | None = None
    altitude: AltitudeCm | None = None
    battery: Percent | None = None


class Seat(Struct, array_like=True, frozen=True, gc=False):
    """One unit's newest position as the picture shows it: an array, in this order."""

    unit: int
    time: int
    lon: int
    lat: int
    speed: int | None
    heading: int | None
    accuracy: int | None


class Radio(Struct, array_like=True, frozen=True, gc=False):
    """A radio by the number that its network gave it (docs/radio.md): an array, in this order."""

    network: Id
    number: RadioId


class Heard(Struct, array_like=True, frozen=True, gc=False):
    """A radio was heard by a gateway: an array, in this order; the tail may be left out."""

    network: Id
    number: RadioId
    time: Milliseconds
    what: HeardWhat
    site: SiteName = ""
    """Where, by the name of the site; empty: not known."""
    lon: LongitudeE7 | None = None
    """Where it says that it is; of a radio that carries no unit this is all that is kept of it."""
    lat: LatitudeE7 | None = None
    twice: SiteName = ""
    """It was in another transmission at this site at the same time: two radios have the number."""


class FenceCrossing(Struct, array_like=True, frozen=True, gc=False):
    """A unit entered (``inside`` true) or left a geofence."""

    unit: int
    fence: int
    inside: bool
    time: int


class Area(Struct, array_like=True, frozen=True):
    """A box of longitude and latitude; west may be greater than east across 180°."""

    west: LongitudeE7
    south: LatitudeE7
    east: LongitudeE7
    north: LatitudeE7


class Frame(Struct, tag_field="t", kw_only=True, omit_defaults=True):
    """What every frame shares: the tag."""
