"""What parties are told: why they may not talk, or hear a group no longer, and of patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psn import wire
from psn.voice.calls import Over
from psn.voice.floor import QUEUE, Cause
from psn.voice.patches import Patch
from psn.wire import Radio, VoiceGroup

CAUSES: Final[Mapping[Cause, tuple[str, str, str]]] = {
    Cause.LISTEN_ONLY: (
        "listen_only",
        "You may only listen in this group.",
        "Talk in a group of which you are a member.",
    ),
    Cause.NOT_MEMBER: (
        "not_joined",
        "You have not joined this group.",
        "Join it, and ask again.",
    ),
    Cause.QUEUE_FULL: (
        "queue_full",
        f"{QUEUE} others wait already.",
        "Ask again in a moment, or send a message.",
    ),
    Cause.PREEMPTED: (
        "preempted",
        "A more urgent call has taken the floor.",
        "Listen, and ask again when it is over.",
    ),
    Cause.TOO_LONG: (
        "too_long",
        "You have talked as long as one may.",
        "Let others talk, and ask again.",
    ),
    Cause.SILENT: (
        "silent",
        "Nothing came from your microphone.",
        "Look at the microphone and the connection, and ask again.",
    ),
    Cause.PATCHED: (
        "patched",
        "This group was joined with another, in which somebody talks.",
        "Listen, and ask again when it is over.",
    ),
    Cause.NOT_YOURS: (
        "not_your_radio",
        "This session does not talk here for that radio, or it carries another unit now.",
        "Ask again, and let its frames name whom the answer says.",
    ),
}


WAITS_FOR_RADIO: Final = (
    "radio_talks",
    "A radio talks there, which cannot be interrupted.",
    "Wait: you have the floor when it has ended.",
)
"""Told to who waits for the floor, and why as long as that."""

ENDS: Final[Mapping[Over, tuple[str, str]]] = {
    Over.NOT_ANSWERED: ("Nobody has answered.", "Call again, or send a message."),
    Over.DECLINED: ("The call was declined.", "Send a message."),
    Over.ENDED: ("The call is over.", "Call again, if something is left to be said."),
    Over.CLOSED: (
        "Who called has ended the call for all.",
        "Call, if something is left to be said.",
    ),
    Over.RADIO_SILENT: ("The radio did not answer.", "Call again, or send a message."),
    Over.RADIO_BUSY: ("The radio is in another call.", "Call again later, or send a message."),
    Over.RADIO_AWAY: (
        "The radio is heard on no site now.",
        "Send a message: it waits until the radio is heard.",
    ),
    Over.RADIO_UNABLE: (
        "There are no private calls where the radio is.",
        "Talk in its group, or send a message.",
    ),
    Over.VOICELESS: (
        "The radio cannot be called: the radio bridge has no vocoder.",
        "Send a message.",
    ),
    Over.ELSEWHERE: ("The call was taken at another place.", "Talk there."),
}


def gone(group: VoiceGroup) -> wire.VoiceGone:
    """Told to who may hear a group no longer."""
    text = "This voice group is over, or not shared with you any more."
    todo = "Choose another one."
    return wire.VoiceGone(group=group.address, code="not_your_group", text=text, todo=todo)


def patched(group: VoiceGroup, patch: Patch | None, name: str) -> wire.Patched:
    """Told to parties of a group: with which it has one floor, and what people call that."""
    if patch is None:
        return wire.Patched(group=group.address)
    return wire.Patched(
        group=group.address,
        other=patch.other(group).address,
        other_name=name,
        by=patch.by.address,
        by_name=patch.by.name,
    )


def call_over(group: VoiceGroup, why: Over, radio: Radio | None = None) -> wire.VoiceGone:
    """Told to who is in a call, or is called, when that is over; ``radio``: for that alone."""
    text, todo = ENDS[why]
    return wire.VoiceGone(group=group.address, code=why, text=text, todo=todo, radio=radio)


def denied(group: VoiceGroup, cause: Cause, radio: Radio | None = None) -> wire.FloorYours:
    """Told to who asks for the floor of a group that does not know him, or for a radio."""
    return _refused(group, "denied", cause, radio)


def revoked(group: VoiceGroup, cause: Cause, radio: Radio | None) -> wire.FloorYours:
    """Told to a gateway that no longer talks for a radio."""
    return _refused(group, "revoked", cause, radio)


def _refused(
    group: VoiceGroup, state: wire.FloorState, cause: Cause, radio: Radio | None
) -> wire.FloorYours:
    code, text, todo = CAUSES[cause]
    return wire.FloorYours(
        group=group.address, state=state, code=code, text=text, todo=todo, radio=radio
    )
