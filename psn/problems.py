"""What went wrong, for a person: a stable code, one plain sentence, and what to do next."""

from __future__ import annotations


class Problem(Exception):
    """The root of errors that are told to whoever runs the program, without a traceback.

    ``code`` is stable and may be matched on, ``text`` is one plain sentence, ``todo`` is the next
    step to take. ``retry``: the same may pass after so many milliseconds; none: it will not.
    """

    def __init__(self, code: str, text: str, todo: str, retry: int | None = None) -> None:
        super().__init__(f"{text} {todo}")
        self.code = code
        self.text = text
        self.todo = todo
        self.retry = retry
