"""Where something is: places found by whatever was typed, and what to know about them.

``ranking`` is the policy, without input or output; ``gazetteer`` asks the database; ``search`` and
``here`` answer what is typed and what is pointed at; ``landmarks`` and ``notes`` are what an agency
keeps of its own. Every right is asked of ``psn.access``, and what is another agency's is answered
as what does not exist.
"""

from __future__ import annotations

from typing import Final

from dispatch.locating import here, landmarks, notes, search

ROUTES: Final = (*search.ROUTES, *here.ROUTES, *landmarks.ROUTES, *notes.ROUTES)
