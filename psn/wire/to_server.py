"""Frames that a client sends."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Raw, Struct, field

from psn.wire.values import (
    MAX_BATCH,
    MAX_TEXT_CHARACTERS,
    MOST_SEEN,
    NO_NUL,
    Address,
    Area,
    CallKind,
    Code,
    Fix,
    Frame,
    Heard,
    Id,
    LatitudeE7,
    LongitudeE7,
    Milliseconds,
    Percent,
    Priority,
    Radio,
    RadioId,
    RadioWhy,
    Reached,
    RequestNumber,
    Secret,
    Sequence,
    ShortText,
    Signature,
    SiteName,
    VoiceAddress,
)

Topic = Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\Z")]
"""The name of a topic: ``board``."""


class Hello(Frame, tag="hello"):
    """First frame of a connection: the newest version spoken, who speaks, and what it can do."""

    v: Annotated[int, Meta(ge=1, le=1_000)]
    client: ShortText
    caps: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=32)] = field(
        default_factory=list
    )


class PasswordAuth(Struct, tag_field="kind", tag="password", frozen=True, omit_defaults=True):
    """A person signs in by name and password, and a code where he has a second factor."""

    name: ShortText
    password: Secret
    code: Code | None = None
    """Of his authenticator, or a recovery code."""
    known: Secret | None = None
    """What ``signed_in`` gave here before: this is a place that the account knows."""

    def __repr__(self) -> str:
        """Without what nobody else may read."""
        return f"PasswordAuth({self.name!r})"


class DeviceAuth(Struct, tag_field="kind", tag="device", frozen=True):
    """An enrolled device signs in, a tablet for its unit or a gateway: it signs the nonce."""

    device: Id
    signature: Signature


class SessionAuth(Struct, tag_field="kind", tag="session", frozen=True):
    """A client that was signed in comes back with the token it was given."""

    token: Secret


class SignIn(Frame, tag="sign_in"):
    """Sign in, or resume: ``seen`` names the last sequence seen in each mailbox."""

    n: RequestNumber
    auth: PasswordAuth | DeviceAuth | SessionAuth
    seen: Annotated[dict[Address, Sequence], Meta(max_length=MOST_SEEN)] = field(
        default_factory=dict
    )


class Position(Frame, tag="position", gc=False):
    """One live position. Not acknowledged: the next one replaces it."""

    p: Fix


class Positions(Frame, tag="positions"):
    """Positions kept through a dead spot, oldest first. ``ok`` follows when they are stored."""

    n: RequestNumber
    p: Annotated[list[Fix], Meta(min_length=1, max_length=MAX_BATCH)]


class Announce(Frame, tag="announce"):
    """A gateway names units of its own world (vessels, radios) and learns their unit ids."""

    n: RequestNumber
    units: Annotated[list[AnnouncedUnit], Meta(min_length=1, max_length=500)]


class AnnouncedUnit(Struct, frozen=True):
    """A unit as a gateway knows it: ``key`` is stable in the gateway's world (``mmsi:312…``)."""

    key: Annotated[str, Meta(min_length=1, max_length=80, pattern=NO_NUL)]
    callsign: Annotated[str, Meta(min_length=1, max_length=40, pattern=NO_NUL)]
    kind: Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\Z")]


class Watch(Frame, tag="watch"):
    """Ask for the picture: the roster, a snapshot, then changes. Replaces an earlier watch."""

    n: RequestNumber
    area: Area | None = None
    agencies: Annotated[list[Id], Meta(max_length=64)] | None = None


class Unwatch(Frame, tag="unwatch"):
    """No more picture for this session."""

    n: RequestNumber


class Message(Frame, tag="message"):
    """A text to one or more recipients. ``id`` is made by the client; sending twice is safe."""

    id: UUID
    to: Annotated[list[Address], Meta(min_length=1, max_length=50)]
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS, pattern=NO_NUL)]
    priority: Priority = "routine"
    expires: Milliseconds | None = None
    about: UUID | None = None
    unit: Id | None = None
    """From a radio gateway: the unit whose radio has sent it, which is then its sender."""


class Seen(Frame, tag="seen"):
    """Everything in mailbox ``box`` up to and including ``seq`` has reached this client."""

    box: Address
    seq: Sequence


class Read(Frame, tag="read"):
    """A person has read these entries of a mailbox. ``ok`` follows when that is committed."""

    n: RequestNumber
    box: Address
    seqs: Annotated[list[Sequence], Meta(min_length=1, max_length=500)]


class Delivered(Frame, tag="delivered"):
    """A radio gateway: the radio of a mailbox's unit has got these entries. ``ok`` follows.

    ``seen`` of a radio gateway says only how far it has come itself; nobody is told by that.
    """

    n: RequestNumber
    box: Address
    seqs: Annotated[list[Sequence], Meta(min_length=1, max_length=500)]


class RadioHeard(Frame, tag="radio_heard"):
    """A radio gateway: these radios were heard, whether anybody knows them or not. ``ok``."""

    n: RequestNumber
    heard: Annotated[list[Heard], Meta(min_length=1, max_length=500)]


class RadioPresence(Frame, tag="radio_presence"):
    """A radio gateway: these radios are there, these are not. ``ok``.

    Their units are connected while they are there and this session is.
    """

    n: RequestNumber
    here: Annotated[list[Radio], Meta(max_length=2_000)] = field(default_factory=list)
    gone: Annotated[list[Radio], Meta(max_length=2_000)] = field(default_factory=list)


class RadioSite(Struct, frozen=True, omit_defaults=True):
    """A site, or a link to another network, as a gateway has it now."""

    network: Id
    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=NO_NUL)]
    link: Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\Z")]
    """By what it is reached: ``repeater``, ``master``, ``openbridge``, ``svxlink``, ``usrp``."""
    up: bool
    since: Milliseconds
    """From when on it has been so."""
    quality: Percent | None = None
    """Of what should have come in the last minute of calls, so much came."""
    errors: Annotated[int, Meta(ge=0, le=1_000)] | None = None
    """Bits of a thousand that were wrong."""
    rssi: Annotated[int, Meta(ge=-200, le=50)] | None = None
    """How strong the newest call was received, dBm."""
    lon: LongitudeE7 | None = None
    lat: LatitudeE7 | None = None


class RadioCall(Struct, frozen=True, omit_defaults=True):
    """A call on the radio network that goes on."""

    network: Id
    radio: RadioId | None
    """None: somebody of this network talks there; or, where it is read, who it is is not shown."""
    since: Milliseconds
    talkgroup: RadioId | None = None
    to: RadioId | None = None
    """The radio that is called, in a private call."""
    site: SiteName = ""
    call: CallKind = "normal"
    passed: bool = True
    """Whether it is passed on; else somebody else has the talkgroup."""


class RadioMissed(Struct, frozen=True):
    """What a gateway could not pass on while it had no link to this network."""

    since: Milliseconds
    until: Milliseconds
    calls: Annotated[int, Meta(ge=0, le=1_000_000)]


class RadioState(Frame, tag="radio_state"):
    """A radio gateway: how it is now, whole; when it changes, at most once a second. ``ok``."""

    n: RequestNumber
    sites: Annotated[list[RadioSite], Meta(max_length=100)] = field(default_factory=list)
    calls: Annotated[list[RadioCall], Meta(max_length=200)] = field(default_factory=list)
    refused: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}\Z")],
            Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)],
        ],
        Meta(max_length=100),
    ] = field(default_factory=dict)
    """How often what was refused, by code, since the gateway started."""
    voiceless: Annotated[list[Id], Meta(max_length=20)] = field(default_factory=list)
    """Networks between which and this one no speech goes, for want of a vocoder."""
    missed: RadioMissed | None = None
    """Of the last time without a link."""


class RadioReach(Frame, tag="radio_reach"):
    """A radio gateway: how what is said in these groups reaches radios now. ``ok``.

    Those of which it says nothing are as it said before, and ``heard`` when it joins them.
    """

    n: RequestNumber
    reach: Annotated[dict[VoiceAddress, Reached], Meta(min_length=1, max_length=1_000)]


class Do(Frame, tag="do"):
    """Do something of the work on this network: ``incident.open``, ``unit.status`` …

    ``id`` is made by the client: the same one sent again is done once, and answered each time
    alike. ``done`` follows when it is on disk, or ``error``. It is done in the order asked.
    """

    id: UUID
    what: Annotated[str, Meta(pattern=r"^[a-z_]{1,20}\.[a-z_]{1,30}\Z")]
    with_: Raw = field(name="with")
    """What it is done with: see docs/domain.md."""


class Follow(Frame, tag="follow"):
    """Keep this session up to date on a topic: ``news`` with all of it, then of each change."""

    n: RequestNumber
    topic: Topic


class Unfollow(Frame, tag="unfollow"):
    """No more of a topic."""

    n: RequestNumber
    topic: Topic


class VoiceJoin(Frame, tag="voice_join"):
    """Hear a voice group from now on. ``ok``, then ``floor``: whether somebody talks in it."""

    n: RequestNumber
    group: VoiceAddress
    radio: Radio | None = None
    """From a radio gateway: the radio that takes a call, for the unit that it carries."""


class VoiceLeave(Frame, tag="voice_leave"):
    """Hear a voice group no more; the floor, or the place in its queue, is given up."""

    n: RequestNumber
    group: VoiceAddress
    radio: Radio | None = None
    """From a radio gateway: the radio that is in a call no more, or does not take it."""
    why: RadioWhy = "over"
    """... and why."""


class VoiceCall(Frame, tag="voice_call"):
    """Call people and units: ``called`` answers, and rings there; who calls is in it at once.

    A unit that is not connected itself is called by the radio that it carries. For a radio a
    gateway may call ``agency:1`` alone: whoever takes calls there, of whom the first has it.
    """

    n: RequestNumber
    to: Annotated[list[Address], Meta(min_length=1, max_length=20)]
    call: CallKind = "normal"
    by_radio: bool = False
    """Ring at radios that units carry also where these are connected themselves."""
    radio: Radio | None = None
    """From a radio gateway: the radio that calls."""


class VoiceClose(Frame, tag="voice_close"):
    """End a call that one has begun, for all who are in it. ``ok``, and ``voice_gone`` to them."""

    n: RequestNumber
    group: VoiceAddress


class VoicePatch(Frame, tag="voice_patch"):
    """Give two groups that were joined one floor, until ``voice_unpatch``. ``ok``, ``patched``."""

    n: RequestNumber
    groups: Annotated[list[VoiceAddress], Meta(min_length=2, max_length=2)]


class VoiceUnpatch(Frame, tag="voice_unpatch"):
    """End the patch that a group is in, if it is in one. ``ok``, and ``patched`` to its parties."""

    n: RequestNumber
    group: VoiceAddress


class FloorAsk(Frame, tag="floor_ask"):
    """Ask to talk in a group that was joined (TS 24.380, Floor Request); see ``floor_yours``."""

    group: VoiceAddress
    call: CallKind = "normal"
    radio: Radio | None = None
    """From a radio gateway: the radio that has keyed, for which it asks."""


class FloorRelease(Frame, tag="floor_release"):
    """What was to be said is said, or is not waited for any more. Not answered."""

    group: VoiceAddress
    radio: Radio | None = None
    """From a radio gateway: the radio that has unkeyed."""


class Active(Frame, tag="active"):
    """A person has used keys or pointer: the session does not lock yet. At most one a minute."""


class PasswordProof(Struct, tag_field="kind", tag="password", frozen=True):
    """Whose session it is proves it by his password."""

    password: Secret

    def __repr__(self) -> str:
        """Without what nobody else may read."""
        return "PasswordProof()"


class TokenProof(Struct, tag_field="kind", tag="token", frozen=True):
    """... by the token of a session begun just now, with a passkey; it is used up by this."""

    token: Secret


class Unlock(Frame, tag="unlock"):
    """Go on with a session that has locked. ``ok``, then what was missed."""

    n: RequestNumber
    proof: PasswordProof | TokenProof


class Ping(Frame, tag="ping"):
    """Ask for the server's time."""

    n: RequestNumber


class SignOut(Frame, tag="sign_out"):
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
    | Delivered
    | RadioHeard
    | RadioPresence
    | RadioState
    | RadioReach
    | Do
    | Follow
    | Unfollow
    | VoiceJoin
    | VoiceLeave
    | VoiceCall
    | VoiceClose
    | VoicePatch
    | VoiceUnpatch
    | FloorAsk
    | FloorRelease
    | Active
    | Unlock
    | Ping
    | SignOut
)
