"""The wire: every frame that crosses the door, typed, with no I/O.

One connection carries one stream of WebSocket messages. Each message is one frame: a map with a
tag ``t``. Under the subprotocol ``psn.v1.msgpack`` a frame is a binary message in MessagePack;
under ``psn.v1.json`` it is a text message in JSON with the very same fields. ``docs/wire.md`` is
the same contract for people who write a client in another language.

Numbers that travel in every position are integers, so that no client can send a NaN and a fix
stays small: longitude and latitude in degrees x 10^7 (1.1 cm), lengths in centimetres, speed in
centimetres per second, heading in hundredths of a degree clockwise from true north, time in
milliseconds since 1970-01-01T00:00:00 UTC.

Decoding is strict: a wrong type, a number out of range, or a text that is too long raises
:class:`FrameRefused`; bytes that are no frame at all raise :class:`Malformed`. Fields that are not
known are passed over, so that a newer peer can speak to an older one.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

VERSION: Final = 1
SUBPROTOCOL_MSGPACK: Final = "psn.v1.msgpack"
SUBPROTOCOL_JSON: Final = "psn.v1.json"

MAX_FRAME_BYTES: Final = 65_536
MAX_TEXT_CHARACTERS: Final = 8_000
MAX_BATCH: Final = 1_000

# ---------------------------------------------------------------- values

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
_MOST_REQUESTS: Final = 4_294_967_295
RequestNumber = Annotated[int, Meta(ge=0, le=_MOST_REQUESTS)]
Sequence = Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
ShortText = Annotated[str, Meta(min_length=1, max_length=120)]
Secret = Annotated[str, Meta(min_length=1, max_length=512)]
Address = Annotated[
    str,
    Meta(pattern=r"^(person|unit|group|agency):[1-9][0-9]{0,9}\Z", max_length=20),
]
"""Who a message is to or from, and the name of that recipient's mailbox: ``unit:7``.

(``\\Z``, because ``$`` would also match before a line end.)"""
_NO_NUL: Final = r"^[^\x00]*\Z"
"""The one character that PostgreSQL cannot keep in a text."""
Priority = Literal["routine", "priority", "immediate", "emergency"]
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


class FenceCrossing(Struct, array_like=True, frozen=True, gc=False):
    """A unit entered (``inside`` true) or left a geofence."""

    unit: int
    fence: int
    inside: bool
    time: int


# ---------------------------------------------------------------- client to server


class _Frame(Struct, tag_field="t", kw_only=True, omit_defaults=True):
    """What every frame shares: the tag."""


class Hello(_Frame, tag="hello"):
    """First frame of a connection: the newest version spoken, who speaks, and what it can do."""

    v: Annotated[int, Meta(ge=1, le=1_000)]
    client: ShortText
    caps: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=32)] = []


class PasswordAuth(Struct, tag_field="kind", tag="password", frozen=True):
    """A person signs in by name and password."""

    name: ShortText
    password: Secret


class DeviceAuth(Struct, tag_field="kind", tag="device", frozen=True):
    """An enrolled device signs in: a tablet for its unit, or a gateway."""

    device: Id
    secret: Secret


class SessionAuth(Struct, tag_field="kind", tag="session", frozen=True):
    """A client that was signed in comes back with the token it was given."""

    token: Secret


class SignIn(_Frame, tag="sign_in"):
    """Sign in, or resume: ``seen`` names the last sequence seen in each mailbox."""

    n: RequestNumber
    auth: PasswordAuth | DeviceAuth | SessionAuth
    seen: Annotated[dict[Address, Sequence], Meta(max_length=1_000)] = {}


class Position(_Frame, tag="position", gc=False):
    """One live position. Not acknowledged: the next one replaces it."""

    p: Fix


class Positions(_Frame, tag="positions"):
    """Positions kept through a dead spot, oldest first. ``ok`` follows when they are stored."""

    n: RequestNumber
    p: Annotated[list[Fix], Meta(min_length=1, max_length=MAX_BATCH)]


class Announce(_Frame, tag="announce"):
    """A gateway names units of its own world (vessels, radios) and learns their unit ids."""

    n: RequestNumber
    units: Annotated[list[AnnouncedUnit], Meta(min_length=1, max_length=500)]


class AnnouncedUnit(Struct, frozen=True):
    """A unit as a gateway knows it: ``key`` is stable in the gateway's world (``mmsi:312…``)."""

    key: Annotated[str, Meta(min_length=1, max_length=80, pattern=_NO_NUL)]
    callsign: Annotated[str, Meta(min_length=1, max_length=40, pattern=_NO_NUL)]
    kind: Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\Z")]


class Area(Struct, array_like=True, frozen=True):
    """A box of longitude and latitude; west may be greater than east across 180°."""

    west: LongitudeE7
    south: LatitudeE7
    east: LongitudeE7
    north: LatitudeE7


class Watch(_Frame, tag="watch"):
    """Ask for the picture: the roster, a snapshot, then changes. Replaces an earlier watch."""

    n: RequestNumber
    area: Area | None = None
    agencies: Annotated[list[Id], Meta(max_length=64)] | None = None


class Unwatch(_Frame, tag="unwatch"):
    """No more picture for this session."""

    n: RequestNumber


class Message(_Frame, tag="message"):
    """A text to one or more recipients. ``id`` is made by the client; sending twice is safe."""

    id: UUID
    to: Annotated[list[Address], Meta(min_length=1, max_length=50)]
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS, pattern=_NO_NUL)]
    priority: Priority = "routine"
    expires: Milliseconds | None = None
    about: UUID | None = None


class Seen(_Frame, tag="seen"):
    """Everything in mailbox ``box`` up to and including ``seq`` has reached this client."""

    box: Address
    seq: Sequence


class Read(_Frame, tag="read"):
    """A person has read these entries of a mailbox. ``ok`` follows when that is committed."""

    n: RequestNumber
    box: Address
    seqs: Annotated[list[Sequence], Meta(min_length=1, max_length=500)]


class Ping(_Frame, tag="ping"):
    """Ask for the server's time."""

    n: RequestNumber


class SignOut(_Frame, tag="sign_out"):
    """End the session: its token is worth nothing afterwards."""

    n: RequestNumber


ClientFrame = (
    Hello
    | SignIn
    | Position
    | Positions
    | Announce
    | Watch
    | Unwatch
    | Message
    | Seen
    | Read
    | Ping
    | SignOut
)

# ---------------------------------------------------------------- server to client


class Limits(Struct, frozen=True):
    """What the server takes: bytes a frame, characters a text, positions a batch."""

    frame: int = MAX_FRAME_BYTES
    text: int = MAX_TEXT_CHARACTERS
    batch: int = MAX_BATCH


class Welcome(_Frame, tag="welcome"):
    """Answer to hello: the version both will speak, and the server's time."""

    v: int
    server: str
    time: int
    caps: list[str] = []
    limits: Limits = Limits()


class SignedIn(_Frame, tag="signed_in"):
    """Who the session is. ``boxes`` gives the newest sequence of each mailbox it reads."""

    n: int
    token: str
    me: str
    name: str
    agency: int
    roles: list[str]
    boxes: dict[str, int]
    time: int
    ends: int
    unit: int | None = None


class Ok(_Frame, tag="ok"):
    """Request ``n`` is done."""

    n: int


class Announced(_Frame, tag="announced"):
    """The unit id of each announced key."""

    n: int
    units: dict[str, int]


class Ack(_Frame, tag="ack"):
    """Message ``id`` is committed to disk, at ``time`` by the server's clock."""

    id: UUID
    time: int


class Error(_Frame, tag="error"):
    """What was refused: a stable code, one plain sentence, what to do next."""

    code: str
    text: str
    todo: str
    n: int | None = None
    id: UUID | None = None
    retry: int | None = None
    """Milliseconds after which the same request is worth trying again."""


class RosterAgency(Struct, frozen=True, omit_defaults=True):
    """An agency on the network."""

    id: int
    code: str
    name: str
    colour: str


class RosterUnit(Struct, frozen=True, omit_defaults=True):
    """A unit this session may see."""

    id: int
    agency: int
    callsign: str
    kind: str
    online: bool = False


class RosterPerson(Struct, frozen=True, omit_defaults=True):
    """A person this session may write to."""

    id: int
    agency: int
    name: str
    roles: list[str]
    online: bool = False


class RosterGroup(Struct, frozen=True, omit_defaults=True):
    """A group this session belongs to; ``agency`` is missing for a joint group."""

    id: int
    name: str
    agency: int | None = None


class Roster(_Frame, tag="roster"):
    """Who is who, as far as this session may see. A client forgets its old picture here."""

    agencies: list[RosterAgency]
    groups: list[RosterGroup]
    people: list[RosterPerson]
    units: list[RosterUnit]


class RosterUnits(_Frame, tag="roster_units"):
    """Units that are new in the roster, or changed."""

    units: list[RosterUnit]


class Picture(_Frame, tag="picture"):
    """Newest positions. ``snapshot`` marks those sent on a new watch rather than on a change."""

    p: list[Seat]
    snapshot: bool = False


class Gone(_Frame, tag="gone"):
    """Units to take off the map: they left the area, or are no longer shared."""

    units: list[int]


class Presence(_Frame, tag="presence"):
    """Who came (true) or went (false), by address."""

    who: dict[str, bool]


class FenceCrossings(_Frame, tag="fence"):
    """Units that entered or left a geofence."""

    x: list[FenceCrossing]


class MessageBody(Struct, tag_field="kind", tag="message", frozen=True, omit_defaults=True):
    """A message as it lies in a mailbox. In the sender's own mailbox it is his copy."""

    id: UUID
    sender: str
    sender_name: str
    to: list[str]
    text: str
    priority: str
    time: int
    expires: int | None = None
    about: UUID | None = None


class ReceiptBody(Struct, tag_field="kind", tag="receipt", frozen=True, omit_defaults=True):
    """Messages of the mailbox's owner that reached (or were read by) ``by``."""

    of: list[UUID]
    by: str
    by_name: str
    state: str
    time: int


MailBody = MessageBody | ReceiptBody


class Mail(_Frame, tag="mail"):
    """One entry of a mailbox. ``seq`` grows by one within the mailbox."""

    box: str
    seq: int
    body: MailBody


class CaughtUp(_Frame, tag="caught_up"):
    """Everything that was waiting in the mailboxes at sign-in has been sent."""


class HistoryGone(_Frame, tag="history_gone"):
    """Entries of ``box`` below ``floor`` are past their retention: reload from ``floor``."""

    box: str
    floor: int


class Pong(_Frame, tag="pong"):
    """The server's time, as late as possible before sending."""

    n: int
    time: int


class Closing(_Frame, tag="closing"):
    """Last frame before the server closes: why, and what to do."""

    code: str
    text: str
    todo: str


ServerFrame = (
    Welcome
    | SignedIn
    | Ok
    | Announced
    | Ack
    | Error
    | Roster
    | RosterUnits
    | Picture
    | Gone
    | Presence
    | FenceCrossings
    | Mail
    | CaughtUp
    | HistoryGone
    | Pong
    | Closing
)

# ---------------------------------------------------------------- close codes


class CloseCode:
    """WebSocket close codes of this protocol (RFC 6455 §7.4.2: 4000–4999 are private)."""

    MALFORMED: Final = 4400
    NOT_SIGNED_IN: Final = 4401
    SESSION_ENDED: Final = 4403
    VERSION: Final = 4406
    TOO_SLOW: Final = 4408
    FLOOD: Final = 4429
    GOING_DOWN: Final = 1012
    """Service restart (RFC 6455 registry): come back, with jitter."""


# ---------------------------------------------------------------- codec


class WireError(Exception):
    """Bad input on the wire. ``code`` is stable, ``text`` is for a person."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Malformed(WireError):
    """The bytes are no frame at all."""


class FrameRefused(WireError):
    """A frame with a wrong field, tag, type, range or size."""


class _Lenient(Struct):
    """What can be read of a refused frame, so that the answer can name the request."""

    n: int | UnsetType = UNSET
    id: UUID | UnsetType = UNSET


class Codec:
    """Bytes to frames and back, for one subprotocol.

    ``binary`` tells whether frames travel as binary WebSocket messages.
    """

    binary: bool

    def __init__(self, subprotocol: str) -> None:
        """Make the codec of ``psn.v1.msgpack`` or ``psn.v1.json``; else ``ValueError``."""
        module = {SUBPROTOCOL_MSGPACK: msgspec.msgpack, SUBPROTOCOL_JSON: msgspec.json}.get(
            subprotocol
        )
        if module is None:
            raise ValueError(f"unknown subprotocol {subprotocol!r}")
        self.binary = subprotocol == SUBPROTOCOL_MSGPACK
        self._encode = module.Encoder().encode
        self._client = module.Decoder(ClientFrame).decode
        self._server = module.Decoder(ServerFrame).decode
        self._fix = module.Decoder(Fix).decode
        self._lenient = module.Decoder(_Lenient).decode

    def encode(self, frame: ClientFrame | ServerFrame | Seat | Fix) -> bytes:
        """Bytes of one frame, of one seat for :meth:`picture`, or of one fix to keep."""
        encoded: bytes = self._encode(frame)
        return encoded

    def picture(self, seats: list[bytes], snapshot: bool = False) -> bytes:
        """The picture frame of seats that are encoded already, so that each is encoded once.

        Equal to ``encode(Picture(p=..., snapshot=...))`` of the same seats.
        """
        if self.binary:
            count = len(seats)
            head = (
                b"\x83\xa1t\xa7picture\xa8snapshot\xc3\xa1p"
                if snapshot
                else b"\x82\xa1t\xa7picture\xa1p"
            )
            size = bytes((0x90 | count,)) if count < 16 else b"\xdd" + count.to_bytes(4, "big")
            return head + size + b"".join(seats)
        tail = b'],"snapshot":true}' if snapshot else b"]}"
        return b'{"t":"picture","p":[' + b",".join(seats) + tail

    def decode_client(self, data: bytes | str) -> ClientFrame:
        """Read a frame that a client sent; raises :class:`Malformed`, :class:`FrameRefused`."""
        try:
            frame: ClientFrame = self._client(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return frame

    def decode_server(self, data: bytes | str) -> ServerFrame:
        """Read a frame that the server sent; raises as :meth:`decode_client` does."""
        try:
            frame: ServerFrame = self._server(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return frame

    def decode_fix(self, data: bytes) -> Fix:
        """Read one fix that stands alone, as a client keeps it; raises as above."""
        try:
            fix: Fix = self._fix(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise _refusal(problem) from None
        return fix

    def request_of(self, data: bytes | str) -> tuple[int | None, UUID | None]:
        """The request number and message id of a refused frame, as far as they can be read."""
        try:
            got = self._lenient(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None, None
        return (
            None if got.n is UNSET or not 0 <= got.n <= _MOST_REQUESTS else got.n,
            None if got.id is UNSET else got.id,
        )


_MOST_SAID: Final = 200


def _refusal(problem: Exception) -> WireError:
    """Ours, from what the decoding library raised."""
    if isinstance(problem, msgspec.ValidationError):
        # The library quotes a wrong value in full.
        said = str(problem)
        if len(said) > _MOST_SAID:
            said = f"{said[: _MOST_SAID // 2]} … {said[-_MOST_SAID // 2 :]}"
        return FrameRefused("bad_field", f"The frame was refused: {said}.")
    return Malformed("malformed", "These bytes are not a frame of this protocol.")


MSGPACK = Codec(SUBPROTOCOL_MSGPACK)
JSON = Codec(SUBPROTOCOL_JSON)
CODECS: Final = {SUBPROTOCOL_MSGPACK: MSGPACK, SUBPROTOCOL_JSON: JSON}
