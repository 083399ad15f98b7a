"""What a client is refused."""

from __future__ import annotations

from psn.problems import Problem


class ClientRefused(Problem):
    """What the server refused: its code, its sentence, what to do."""
