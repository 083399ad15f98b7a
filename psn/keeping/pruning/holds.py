"""What a legal hold keeps of dispatch, as conditions of SQL, and the values that they ask for.

Three things keep an incident, and each is said apart: it *is named* by a hold (or linked with one
that is: ``psn.keeping.retention.held`` finds both), whoever is under hold *had a part in* it, or it
*is linked* with one that he had a part in. A link holds one step, and no further.

A query that uses them has :func:`arguments` as its first ones, $1 to $7; :data:`OWN` alone needs
the first two.
"""

from __future__ import annotations

from typing import Final

from psn.keeping.retention import Held

AGENCIES: Final = "$1::int[]"
ADDRESSES: Final = "$2::text[]"
_WINDOWS: Final = "unnest($3::text[], $4::timestamptz[], $5::timestamptz[])"
_MAILBOXES: Final = "unnest($6::text[], $7::timestamptz[])"


def _had_a_part(i: str) -> str:
    """An agency, unit or person under hold had a part in the incident of that alias."""
    return f"""
    ({i}.agency_id = ANY ({AGENCIES}) OR {i}.opened_by = ANY ({ADDRESSES})
     OR EXISTS (SELECT FROM incident_card k WHERE k.incident_id = {i}.id
                   AND 'person:' || k.owner_id = ANY ({ADDRESSES}))
     OR EXISTS (SELECT FROM incident_member m WHERE m.incident_id = {i}.id
                   AND (m.agency_id = ANY ({AGENCIES}) OR 'unit:' || m.unit_id = ANY ({ADDRESSES})
                        OR m.author = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM assignment s WHERE s.incident_id = {i}.id
                   AND (s.agency_id = ANY ({AGENCIES}) OR 'unit:' || s.unit_id = ANY ({ADDRESSES})
                        OR s.ordered_by = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM incident_event e WHERE e.incident_id = {i}.id
                   AND (e.agency_id = ANY ({AGENCIES}) OR e.author = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM invitation v WHERE v.incident_id = {i}.id
                   AND (v.agency_id = ANY ({AGENCIES}) OR v.author = ANY ({ADDRESSES})
                        OR v.answered_by = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM reminder r WHERE r.incident_id = {i}.id
                   AND (r.agency_id = ANY ({AGENCIES}) OR r.author = ANY ({ADDRESSES})
                        OR 'person:' || r.person_id = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM welfare_check w WHERE w.incident_id = {i}.id
                   AND (w.agency_id = ANY ({AGENCIES}) OR w.author = ANY ({ADDRESSES})
                        OR 'unit:' || w.unit_id = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM recording t WHERE t.incident_id = {i}.id
                   AND (t.agency_id = ANY ({AGENCIES}) OR t.talker = ANY ({ADDRESSES})))
     OR EXISTS (SELECT FROM call c WHERE c.incident_id = {i}.id
                   AND (c.agency_id = ANY ({AGENCIES})
                        OR 'person:' || c.taken_by = ANY ({ADDRESSES}))))
"""


_IS_NAMED: Final = f"'incident:' || i.id = ANY ({ADDRESSES})"
_IS_LINKED: Final = f"""
    EXISTS (SELECT FROM incident_link l
              JOIN incident other
                ON other.id = CASE l.incident_id WHEN i.id THEN l.other_id ELSE l.incident_id END
             WHERE i.id IN (l.incident_id, l.other_id) AND {_had_a_part("other")})
"""
INCIDENT: Final = f"({_IS_NAMED} OR {_had_a_part('i')} OR {_IS_LINKED})"
# By itself, apart from what holds the incident that it is about.
ATTACHMENT: Final = f"""
    (a.agency_id = ANY ({AGENCIES})
     OR a.author = ANY ({ADDRESSES}) OR coalesce(a.about, '') = ANY ({ADDRESSES})
     OR EXISTS (SELECT FROM {_WINDOWS} AS h (author, since, until)
                 WHERE h.author = a.author AND a.made_at >= h.since AND a.made_at < h.until)
     OR EXISTS (SELECT FROM log l JOIN mailbox_entry e ON e.log_id = l.id
                  JOIN {_MAILBOXES} AS b (address, since)
                    ON b.address = e.address AND l.at >= b.since
                 WHERE 'message:' || l.uid = a.about))
"""
# By itself, apart from what holds the incident in whose group it was said. (A hold on call:N is on
# a call for help, and not on one between people.)
RECORDING: Final = f"""
    (r.agency_id = ANY ({AGENCIES}) OR r.talker = ANY ({ADDRESSES})
     OR r.parties && {ADDRESSES}
     OR EXISTS (SELECT FROM {_WINDOWS} AS h (talker, since, until)
                 WHERE h.talker = r.talker AND r.begun_at >= h.since AND r.begun_at < h.until))
"""
CALL: Final = f"""
    (c.agency_id = ANY ({AGENCIES}) OR 'call:' || c.id = ANY ({ADDRESSES})
     OR 'person:' || c.taken_by = ANY ({ADDRESSES}))
"""
LOOKOUT: Final = f"""
    (o.agency_id = ANY ({AGENCIES}) OR o.agencies && {AGENCIES}
     OR 'lookout:' || o.id = ANY ({ADDRESSES}) OR o.author = ANY ({ADDRESSES}))
"""
OWN: Final = 2
"""How many of the arguments calls and lookouts ask for."""


def arguments(held: Held) -> tuple[list[object], ...]:
    """The values for $1 to $7."""
    boxes = held.mailboxes or {}
    return (
        [*held.agencies],
        [*held.addresses],
        [f"unit:{each.unit}" for each in held.units],
        [each.since for each in held.units],
        [each.until for each in held.units],
        [*boxes],
        [*boxes.values()],
    )
