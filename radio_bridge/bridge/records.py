"""Call records: a line of JSON for every call that was passed on."""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from radio_bridge.bridge.talks import Over

log = logging.getLogger(__name__)
_KEPT: Final = 200
Record = dict[str, Any]


def record_of(over: Over, ended_utc: float, is_mute: bool) -> Record:
    """What there is to say of a call."""
    talk, call = over.talk, over.talk.call
    seconds = max(0.0, over.ended - talk.began)
    return {
        "began": _moment(ended_utc - seconds),
        "ended": _moment(ended_utc),
        "radio_network": talk.radio_network,
        "talker": call.identity.source,
        "name": talk.name,
        "group" if call.identity.group else "radio": call.identity.target,
        "emergency": call.service.emergency,
        "late": call.late,
        "from": _written(call.where),
        "heard_on": sorted(map(_written, talk.reached)),
        "voiceless": is_mute,
        "pieces": talk.pieces,
        "cause": over.cause.value,
    }


def _moment(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).isoformat(timespec="milliseconds")


def _written(where: tuple[str, int]) -> str:
    return f"{where[0]}:{where[1]}"


class Records:
    """The newest records, and the file that has them all, where one is wanted."""

    def __init__(self, file: Path | None) -> None:
        self.newest: deque[Record] = deque(maxlen=_KEPT)
        self._file = file
        self._open: IO[str] | None = None
        self._failed = False

    def write(self, record: Record) -> None:
        """One more. A disk that is full or gone is said once, and tried again."""
        self.newest.append(record)
        if self._file is None:
            return
        try:
            if self._open is None:
                # Who talked to whom is for its owner's eyes, where the file is new.
                new = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                self._open = os.fdopen(new, "a", encoding="utf-8", buffering=1)
            self._open.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._failed = False
        except OSError as error:
            self.close()
            if not self._failed:
                log.error("call records cannot be written to %s: %s", self._file, error)
            self._failed = True

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None
