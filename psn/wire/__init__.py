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

from psn.wire.codec import CODECS, JSON, MSGPACK, Codec, FrameRefused, Malformed, WireError
from psn.wire.to_client import (
    Ack,
    Announced,
    Called,
    CaughtUp,
    CloseCode,
    Closing,
    Done,
    EmergencyWaits,
    Ending,
    Error,
    FenceCrossings,
    Floor,
    FloorState,
    FloorYours,
    Gone,
    HistoryGone,
    Limits,
    Locked,
    Locking,
    Mail,
    MailBody,
    MessageBody,
    News,
    Ok,
    Patched,
    Picture,
    Pong,
    Presence,
    ReceiptBody,
    Roster,
    RosterAgency,
    RosterGroup,
    RosterPeople,
    RosterPerson,
    RosterUnit,
    RosterUnits,
    ServerFrame,
    SignedIn,
    Unlocked,
    VoiceGone,
    Welcome,
)
from psn.wire.to_server import (
    Active,
    Announce,
    AnnouncedUnit,
    ClientFrame,
    DeviceAuth,
    Do,
    FloorAsk,
    FloorRelease,
    Follow,
    Hello,
    Message,
    PasswordAuth,
    PasswordProof,
    Ping,
    Position,
    Positions,
    Read,
    Seen,
    SessionAuth,
    SignIn,
    SignOut,
    TokenProof,
    Unfollow,
    Unlock,
    Unwatch,
    VoiceCall,
    VoiceClose,
    VoiceJoin,
    VoiceLeave,
    VoicePatch,
    VoiceUnpatch,
    Watch,
)
from psn.wire.values import (
    MAX_BATCH,
    MAX_FRAME_BYTES,
    MAX_TEXT_CHARACTERS,
    SUBPROTOCOL_JSON,
    SUBPROTOCOL_MSGPACK,
    VERSION,
    AccuracyCm,
    Address,
    AltitudeCm,
    Area,
    CallKind,
    Centidegrees,
    CentimetresPerSecond,
    Code,
    FenceCrossing,
    Fix,
    Id,
    IdOrOwn,
    LatitudeE7,
    LongitudeE7,
    Milliseconds,
    Percent,
    Priority,
    ReceiptState,
    RequestNumber,
    Seat,
    Secret,
    Sequence,
    ShortText,
    Shown,
    VoiceAddress,
)
from psn.wire.voice import Speech, VoiceGroup
