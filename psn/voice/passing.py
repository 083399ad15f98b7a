"""Why a frame of speech is not passed on: not one's name, not one's floor, not in order."""

from __future__ import annotations

from typing import Final

from psn.problems import Problem
from psn.sessions import Session
from psn.voice.group import Group, Party
from psn.wire import Speech, VoiceGroup
from psn.wire.voice import NUMBERS

LONGEST_GAP: Final = 250
"""Frames that may be missing within a talk: 5 s of them."""


def wrong(
    session: Session, there: Group | None, party: Party | None, frame: Speech, now: float
) -> Problem | None:
    """Why a frame of speech is not passed on; one that is passed on keeps the floor.

    ``party``: whose it would be, the session itself or a radio that is keyed at a gateway.
    """
    speaks_as = session.principal if party is None else party.speaker
    if frame.talker != speaks_as.address and not session.principal.networks:
        text = f"This session does not speak as {frame.talker}."
        return Problem("not_you", text, f"Speak as {speaks_as.address}.")
    if there is None or party is None or there.floor.talker != party.key:
        return _no_floor(frame.group)
    if party.last is not None and not 0 < (frame.number - party.last) % NUMBERS <= LONGEST_GAP:
        text = "Frames of speech came twice, backwards, or with too long a gap."
        return Problem("bad_sequence", text, "Number the frames of a talk 0, 1, 2 …")
    # What is not passed on does not keep the floor.
    if not there.floor.heard(party.key, now):
        return _no_floor(frame.group)
    party.last = frame.number
    return None


def _no_floor(group: VoiceGroup) -> Problem:
    text = f"You do not have the floor of {group.address}; nobody hears you."
    return Problem("no_floor", text, "Ask for the floor, and talk when it is granted.")
