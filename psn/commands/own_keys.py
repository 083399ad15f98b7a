"""This server's own keys, for commands that sign or seal; none of them ever makes any."""

from __future__ import annotations

from psn import keys
from psn.problems import Problem
from psn.settings import Settings


def own_keys(said: Settings) -> keys.Keys | None:
    """This server's keys; none where there are none: reading must not make any."""
    directory = said.keys_directory
    return keys.load(directory) if (directory / keys.SIGN_FILE).exists() else None


def needed_keys(said: Settings) -> keys.Keys:
    """This server's keys; raises :class:`Problem` ``no_keys``."""
    own = own_keys(said)
    if own is None:
        raise Problem(
            "no_keys",
            f"There are no keys in {said.keys_directory}.",
            "Run this as the server's user, with its PSN_KEYS; they are made when it starts.",
        )
    return own
