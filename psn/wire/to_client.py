"""Frames that the server sends, and the codes it closes with."""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

from msgspec import Struct, field

from psn.wire.values import (
    MAX_BATCH,
    MAX_FRAME_BYTES,
    MAX_TEXT_CHARACTERS,
    CallKind,
    FenceCrossing,
    Frame,
    Radio,
    Reached,
    Seat,
    Shown,
)


class Limits(Struct, frozen=True):
    """What the server takes: bytes a frame, characters a text, positions a batch."""

    frame: int = MAX_FRAME_BYTES
    text: int = MAX_TEXT_CHARACTERS
    batch: int = MAX_BATCH


class Welcome(Frame, tag="welcome"):
    """Answer to hello: the version both will speak, the server's time, what a device signs."""

    v: int
    server: str
    time: int
    nonce: bytes
    """32 random bytes, new in each welcome and good for one sign-in of a device."""
    caps: list[str] = field(default_factory=list)
    limits: Limits = Limits()


class SignedIn(Frame, tag="signed_in"):
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
    locked: bool = False
    """Nobody was active for too long: nothing comes, and nothing is taken, before ``unlock``."""
    limited: bool = False
    """Nothing is possible before a password is chosen or a second factor enrolled, over HTTP."""
    known: str | None = None
    """For a person who signed in by password: to be kept here, and sent with the next one."""


class Ok(Frame, tag="ok"):
    """Request ``n`` is done."""

    n: int


class Announced(Frame, tag="announced"):
    """The unit id of each announced key."""

    n: int
    units: dict[str, int]


class Ack(Frame, tag="ack"):
    """Message ``id`` is committed to disk, at ``time`` by the server's clock."""

    id: UUID
    time: int


class Done(Frame, tag="done"):
    """What ``do`` asked for is committed to disk, at ``time`` by the server's clock."""

    id: UUID
    time: int
    result: Any = None
    """What the action answers: see docs/domain.md."""


class Error(Frame, tag="error"):
    """What was refused: a stable code, one plain sentence, what to do next."""

    code: str
    text: str
    todo: str
    n: int | None = None
    id: UUID | None = None
    retry: int | None = None
    """Milliseconds after which the same request is worth trying again."""
    kinds: list[str] | None = None
    """With ``second_factor_needed``: which ones there are."""
    units: list[int] | None = None
    """With ``unit_in_emergency``: which units."""


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
    shown: Shown = "exact"


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


class Roster(Frame, tag="roster"):
    """Who is who, as far as this session may see. A client forgets its old picture here."""

    agencies: list[RosterAgency]
    groups: list[RosterGroup]
    people: list[RosterPerson]
    units: list[RosterUnit]


class RosterUnits(Frame, tag="roster_units"):
    """Units that are new in the roster, or changed; and those that are in it no more."""

    units: list[RosterUnit] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    """Retired or no longer shared: forget their names, places and trails."""


class RosterPeople(Frame, tag="roster_people"):
    """Agencies, groups and people anew, whole; units stay as they are."""

    agencies: list[RosterAgency]
    groups: list[RosterGroup]
    people: list[RosterPerson]


class News(Frame, tag="news"):
    """What is new in a topic that this session follows: items that came or changed, each whole.

    An item is a map with ``is`` (its kind) and what docs/domain.md says of that kind. ``gone``
    names, by address (``incident:5``), what is to be forgotten: over, or no longer shared.
    """

    topic: str
    set: list[Any] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    whole: bool = False
    """Everything that was known of the topic is forgotten first."""


class Picture(Frame, tag="picture"):
    """Newest positions. ``snapshot`` marks those sent on a new watch rather than on a change."""

    p: list[Seat]
    snapshot: bool = False


class Gone(Frame, tag="gone"):
    """Units to take off the map: they left the area, or are no longer shared."""

    units: list[int]


class Presence(Frame, tag="presence"):
    """Who came (true) or went (false), by address."""

    who: dict[str, bool]


class FenceCrossings(Frame, tag="fence"):
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


class Mail(Frame, tag="mail"):
    """One entry of a mailbox. ``seq`` grows by one within the mailbox."""

    box: str
    seq: int
    body: MailBody


class CaughtUp(Frame, tag="caught_up"):
    """Everything that was waiting in the mailboxes at sign-in has been sent."""


class HistoryGone(Frame, tag="history_gone"):
    """Entries of ``box`` below ``floor`` are past their retention: reload from ``floor``."""

    box: str
    floor: int


FloorState = Literal["granted", "queued", "denied", "revoked", "warned"]


class Floor(Frame, tag="floor"):
    """Who talks in a voice group, or that nobody does (TS 24.380, Floor Taken and Floor Idle)."""

    group: str
    talker: str | None = None
    """``person:3``, ``unit:7``, or a gateway, ``device:9``, for a radio that carries no unit; none:
    nobody."""
    talker_name: str = ""
    agency: int | None = None
    """Of who talks."""
    call: CallKind = "normal"
    over: bool = False
    """The conversation is over: nobody has talked for a while."""


class FloorYours(Frame, tag="floor_yours"):
    """How it stands with one's own wish to talk: the answer to ``floor_ask``, and what follows.

    ``granted`` until a time of the server's clock (milliseconds UTC), ``queued`` as number
    ``position`` from 1, ``warned`` that the time ends then; ``denied`` and ``revoked`` say why.
    """

    group: str
    state: FloorState
    until: int | None = None
    position: int | None = None
    code: str = ""
    text: str = ""
    todo: str = ""
    radio: Radio | None = None
    """To a gateway: of which radio this is told. Granted to one has no ``until``."""
    talker: str = ""
    """With it: whom its frames of speech name, the unit that it carries or the gateway."""


class Called(Frame, tag="called"):
    """A call has begun: the answer to ``voice_call`` with its ``n``; without, one is called.

    Who is called hears it with ``voice_join``, and declines it with ``voice_leave``.
    """

    group: str
    by: str
    by_name: str
    agency: int
    to: list[str]
    call: CallKind = "normal"
    n: int | None = None
    radio: Radio | None = None
    """To a radio gateway: the radio that is called."""


class Patched(Frame, tag="patched"):
    """A group that was joined has one floor with another; without ``other``: not any more."""

    group: str
    other: str | None = None
    other_name: str = ""
    by: str = ""
    by_name: str = ""


class Reach(Frame, tag="reach"):
    """How what is said in a voice group reaches the radios of its talkgroup; why, unless it does.

    Before this is told of a group, ``heard``: as of all that are joined with no talkgroup.
    """

    group: str
    reach: Reached
    text: str = ""
    todo: str = ""


class VoiceGone(Frame, tag="voice_gone"):
    """This session is in a voice group no longer: it is over, or not shared any more."""

    group: str
    code: str
    text: str
    todo: str
    radio: Radio | None = None
    """To a radio gateway: of this radio alone, which is called or was in the call."""


class Locking(Frame, tag="locking"):
    """Nobody was active for long: in so many seconds the session locks."""

    seconds: int


class Locked(Frame, tag="locked"):
    """The session is locked: nothing comes, and nothing is taken, before ``unlock``."""


class Unlocked(Frame, tag="unlocked"):
    """The session goes on: mail and picture follow."""


class EmergencyWaits(Frame, tag="emergency_waits"):
    """An emergency has come for a session that is locked."""


class Ending(Frame, tag="ending"):
    """In so many seconds the session ends, and its person signs in again."""

    seconds: int


class Pong(Frame, tag="pong"):
    """The server's time, as late as possible before sending."""

    n: int
    time: int


class Closing(Frame, tag="closing"):
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
    | Done
    | Error
    | Roster
    | RosterUnits
    | RosterPeople
    | News
    | Picture
    | Gone
    | Presence
    | FenceCrossings
    | Mail
    | CaughtUp
    | HistoryGone
    | Floor
    | FloorYours
    | Called
    | Patched
    | Reach
    | VoiceGone
    | Locking
    | Locked
    | Unlocked
    | EmergencyWaits
    | Ending
    | Pong
    | Closing
)


class CloseCode:
    """WebSocket close codes of this protocol (RFC 6455 §7.4.2: 4000–4999 are private)."""

    MALFORMED: Final = 4400
    NOT_SIGNED_IN: Final = 4401
    SESSION_ENDED: Final = 4403
    VERSION: Final = 4406
    TOO_SLOW: Final = 4408
    WIPE: Final = 4410
    """A device is to erase itself; a device that closes with it says that it has."""
    FLOOD: Final = 4429
    GOING_DOWN: Final = 1012
    """Service restart (RFC 6455 registry): come back, with jitter."""
