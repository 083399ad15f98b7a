"""Response plans: which units an incident of a type needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

Word = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,20}\Z")]


class Need(Struct, frozen=True, omit_defaults=True):
    """So many units of one of these kinds (none named: of any) with all of these capabilities."""

    count: Annotated[int, Meta(ge=1, le=20)] = 1
    kinds: Annotated[list[Word], Meta(max_length=20)] = []
    capabilities: Annotated[list[Word], Meta(max_length=20)] = []


def fits(need: Need, kind: str, capabilities: Iterable[str]) -> bool:
    """Whether a unit of that kind, which can do that, is what is needed."""
    return (not need.kinds or kind in need.kinds) and set(need.capabilities) <= set(capabilities)
