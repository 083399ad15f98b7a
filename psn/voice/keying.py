"""Radios that have keyed: parties of a group for whom a gateway talks.

A gateway is in a group as one party that only listens. For each radio that keys there is another
while it is keyed, with a wish of its own, heard as the unit that the radio carries or, when it
carries none, as the gateway, by the radio's number. A keyed radio cannot be stopped; what follows
from that says ``psn.voice.floor``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from psn import access, wire
from psn.access import Principal, Rules
from psn.sessions import Session
from psn.voice import floor as floors
from psn.voice import rights
from psn.voice.causes import denied
from psn.voice.floor import Call, Cause
from psn.voice.group import Group, Party
from psn.wire import Radio
from psn.wire.voice import GroupKind

MOST_KEYED: Final = 256
"""So many radios of one group may be keyed at one gateway: more than any network has channels."""


def carried(gateway: Principal, radio: Radio, rules: Rules) -> Principal | None:
    """The unit that a radio of a gateway carries; none: it carries none, or is another's."""
    found = rules.directory.radios_by_number.get((radio.network, radio.number))
    unit = None if found is None else rules.directory.units.get(found.unit)
    ours = radio.network in gateway.networks
    return access.of_unit(unit) if unit is not None and ours else None


def speaker(there: Group, session: Session, radio: Radio, rules: Rules) -> Principal | None:
    """As whom a radio is heard in a group; none: its gateway may not talk for it there."""
    directory, gateway = rules.directory, session.principal
    unit = carried(gateway, radio, rules)
    if there.of.kind is GroupKind.CALL:
        in_it = there.radios.get((session, radio))
        return unit if unit is not None and unit.address == in_it else None
    if radio.network not in gateway.networks or not rights.may_key(gateway, there.of):
        return None
    if unit is not None:
        return unit
    network = directory.radio_networks[radio.network]
    name = f"{network.name} {radio.number}"
    return Principal(gateway.address, name, network.agency, ("gateway",), device=gateway.device)


def ask(
    there: Group,
    session: Session,
    radio: Radio,
    call: Call,
    rules: Rules,
    numbers: Iterator[int],
    now: float,
) -> tuple[Party, Sequence[floors.Told]] | None:
    """A radio has keyed: its party, and what the floor says; none: it was denied, and told so."""
    who = speaker(there, session, radio, rules)
    party = there.keyed.get((session, radio))
    told: list[floors.Told] = []
    if party is not None and party.speaker != who:
        told += take_out(there, party, now)
        party = None
    full = sum(each is session for each, _ in there.keyed) >= MOST_KEYED
    if who is None or (party is None and full):
        cause = Cause.NOT_YOURS if who is None else Cause.QUEUE_FULL
        session.send(denied(there.of, cause, radio))
        return None
    if party is None:
        party = Party(session, next(numbers), who, radio)
        there.keyed[session, radio] = party
        there.floor.join(party.key, may_talk=True, now=now)
    return party, [*told, *there.floor.request(party.key, now, call, keyed=True)]


def take_out(there: Group, party: Party, now: float) -> Sequence[floors.Told]:
    """A radio has unkeyed, or is not its gateway's any more; what the floor says."""
    assert party.radio is not None
    there.keyed.pop((party.session, party.radio), None)
    return there.floor.leave(party.key, now)


def of_radio(there: Group, session: Session, radio: Radio) -> list[Party]:
    """A radio, if it is keyed there."""
    keyed = there.keyed.get((session, radio))
    return [] if keyed is None else [keyed]


def of_session(there: Group, session: Session) -> list[Party]:
    """The radios that are keyed at a gateway."""
    return [party for (each, _), party in there.keyed.items() if each is session]


def strangers(there: Group, rules: Rules) -> list[Party]:
    """Radios that are heard in the name of somebody whom they do not carry any more."""
    return [
        party
        for (session, radio), party in there.keyed.items()
        if speaker(there, session, radio, rules) != party.speaker
    ]


def speaking(there: Group, session: Session, frame: wire.Speech) -> Party | None:
    """For which of its radios a gateway says a frame: of those of that name, who has the floor."""
    named: Party | None = None
    for (each, _), party in there.keyed.items():
        if each is session and party.speaker.address == frame.talker:
            if party.key == there.floor.talker:
                return party
            named = named or party
    return named
