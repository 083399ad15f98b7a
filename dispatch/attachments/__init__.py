"""Photos, voice notes and notes that people attach: taken piece by piece, cleaned, kept, shown.

What happens to one, read from top to bottom:

1. ``upload`` (pure) reads what a client says of it; ``receiving`` takes its bytes to disk.
2. When all are there and have the hash that was said, its state is *checking*. ``checking`` asks
   the virus scanner (``scanning``), and lets a process of its own (``decoding``) make a new file
   of what can be seen, heard or read in it. ``kinds`` (pure) says what bytes are.
3. It is *ready*, or *refused* with a sentence. ``reading`` shows it to who may see it.

``files`` knows where bytes lie. The rules are in docs/domain.md (DOM-FILE), the reasons in
docs/decisions/0020.
"""

from __future__ import annotations

from typing import Final

from dispatch.attachments import reading, receiving
from dispatch.attachments.service import keeping

ROUTES: Final = (*receiving.ROUTES, *reading.ROUTES)

__all__ = ["ROUTES", "keeping"]
