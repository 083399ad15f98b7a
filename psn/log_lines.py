"""How a server's own log is written: moments in UTC, and nothing that others typed begins a line.

What is logged may hold texts of strangers: a header, a name, an error of a database that quotes a
value. Control characters in them are written as escapes, and the lines of a traceback are indented,
so that a line that begins with a moment was written by this program, and steers no terminal.
"""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Final, TypeAlias

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_Raised: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class LogLines(logging.Formatter):
    """Writes a record as one line that begins with its moment (RFC 3339), tracebacks below it."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line itself."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: _Raised) -> str:
        """A traceback, indented."""
        return _below(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        """Where it was logged, indented."""
        return _below(super().formatStack(stack_info))


def escaped(text: str) -> str:
    r"""The text with everything that is not to be seen as an escape, such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _below(text: str) -> str:
    return "\n".join("    " + escaped(line) for line in text.split("\n"))
