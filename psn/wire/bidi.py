"""Text of people turns nothing around it: bidirectional controls are taken out of it. Pure.

The controls of Unicode's bidirectional algorithm (UAX 9) that embed, override or isolate hold until
they are ended; whoever leaves one open turns the words that stand after his own on every screen,
and an override shows a plate backwards. What people write in Arabic or Hebrew needs none of them:
its letters carry their direction, and pages isolate text from its surroundings. They are taken
out, and not refused: telephones put them around numbers that are pasted, where nobody sees them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar, cast, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from psn.wire.values import SECRET

CONTROLS: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Embeddings, overrides and isolates, and what ends them."""
_OUT: Final = dict.fromkeys(CONTROLS)
Kind = TypeVar("Kind")


def without_controls(value: Kind) -> Kind:
    """A text, or what has texts in it, as it enters the record; secrets stay as they are.

    Raises ``msgspec.ValidationError`` when nothing is left where something must be said.
    """
    found = _without(value)
    if found is not value and isinstance(found, Struct):
        msgspec.convert(msgspec.to_builtins(found), type(found))
    return found


def _without(value: Kind) -> Kind:
    """The very same value when it has no controls."""
    found: Any = value
    if isinstance(value, str):
        found = value if value.isascii() else value.translate(_OUT)
        found = value if found == value else found
    elif isinstance(value, list):
        each = [_without(one) for one in value]
        found = each if _differs(each, value) else value
    elif isinstance(value, dict):
        there = {key: _without(one) for key, one in value.items()}
        found = there if _differs(list(there.values()), list(value.values())) else value
    elif isinstance(value, Struct):
        changed = {name: _without(getattr(value, name)) for name in _told(type(value))}
        changed = {name: one for name, one in changed.items() if one is not getattr(value, name)}
        found = msgspec.structs.replace(value, **changed) if changed else value
    return cast("Kind", found)


def _differs(new: list[Any], old: list[Any]) -> bool:
    return any(one is not other for one, other in zip(new, old, strict=True))


@cache
def _told(kind: type[Struct]) -> tuple[str, ...]:
    """The fields of a struct that are no secrets."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.__struct_fields__ if not _is_secret(hints[name]))


def _is_secret(hint: Any) -> bool:
    marks = (mark for part in (hint, *get_args(hint)) for mark in getattr(part, "__metadata__", ()))
    return any(isinstance(mark, Meta) and mark.extra == SECRET for mark in marks)
