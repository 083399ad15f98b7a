"""Which channels carry which talkgroup, as it follows from the settings. Pure.

A channel is named by its link, and the slot, or the talkgroup where a link has no slots. A repeater
that signs in here is a link of its own: ``belmopan/702001``; so is a node: ``customs/PSN-9``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from radio_bridge.bridge.settings import (
    Line,
    Link,
    Master,
    Nodes,
    OpenBridge,
    Peer,
    Radios,
    Settings,
    Slots,
    Talkgroup,
)
from radio_bridge.calls.conversations import Where


@dataclass(frozen=True, slots=True)
class Wiring:
    """Who is joined with whom."""

    networks: dict[str, str] = field(default_factory=dict)
    """The radio network of each link."""
    radios: dict[str, Radios] = field(default_factory=dict)
    """Whose transmissions a link takes."""
    carriers: dict[Talkgroup, tuple[Where, ...]] = field(default_factory=dict)
    """The channels that carry a talkgroup."""
    patched: dict[Talkgroup, tuple[Talkgroup, ...]] = field(default_factory=dict)
    """What a talkgroup is patched to."""
    colour_codes: dict[str, int] = field(default_factory=dict)
    """By which radios know a link's channels; 0 where a link has none."""


def of(settings: Settings) -> Wiring:
    """The wiring of these settings."""
    wiring = Wiring()
    carriers: dict[Talkgroup, list[Where]] = {}
    for link in settings.links.values():
        for name, numbers in _channels(link):
            wiring.networks[name] = link.radio_network
            if not isinstance(link, Nodes | Line):
                wiring.radios[name] = link.radios
            if isinstance(link, Master | Peer):
                wiring.colour_codes[name] = link.colour_code
            for place, talkgroup in numbers:
                carriers.setdefault((link.radio_network, talkgroup), []).append((name, place))
    wiring.carriers.update({one: tuple(wheres) for one, wheres in carriers.items()})
    for patch in settings.patches:
        for one in patch:
            wiring.patched[one] = tuple(sorted(patch - {one}))
    return wiring


def _channels(link: Link) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """The links that a link is, each with slots, or talkgroups, and what is in them."""
    match link:
        case Master(repeaters=repeaters):
            for repeater in repeaters.values():
                yield f"{link.name}/{repeater.number}", _slotted(repeater.slots)
        case Peer(slots=slots):
            yield link.name, _slotted(slots)
        case OpenBridge(talkgroups=talkgroups):
            yield link.name, [(one, one) for one in sorted(talkgroups)]
        case Nodes(nodes=nodes):
            for node, talkgroup in nodes.items():
                yield f"{link.name}/{node}", [(talkgroup, talkgroup)]
        case Line(talkgroup=talkgroup):
            yield link.name, [(talkgroup, talkgroup)]


def _slotted(slots: Slots) -> list[tuple[int, int]]:
    return [(slot, one) for slot, talkgroups in slots.items() for one in sorted(talkgroups)]
