"""What the demonstration's agencies have for their work: kinds of incidents, stations, abilities.

The plans, checklists and stations are made up for the demonstration; places are approximate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import asyncpg

Plan = tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...]
"""Needs: how many, of which kinds, with which capabilities."""

_CAR: Final[Plan] = ((1, ("car",), ()),)
_TWO_CARS: Final[Plan] = ((2, ("car",), ()),)
_BOAT: Final[Plan] = ((1, ("boat",), ()),)
_TWO_BOATS: Final[Plan] = ((2, ("boat",), ()),)
_ARMED: Final[Plan] = ((2, ("car",), ("armed",)),)
_MEDIC: Final[Plan] = ((1, ("boat",), ("medic",)),)
_FOOT: Final[Plan] = ((1, ("foot",), ()),)
_AIR: Final[Plan] = ((1, ("aircraft",), ()),)
_TRUCK: Final[Plan] = ((1, ("truck",), ()),)
_ANY: Final[Plan] = ((1, (), ()),)

TYPES: Final = (
    # agency, code, name, name in Spanish, priority, plan, minutes on scene, without a word
    ("BPD", "robbery", "Armed robbery", "Robo a mano armada", 1, _ARMED, 60, 10),
    ("BPD", "hit_and_run", "Hit and run", "Atropello con fuga", 2, _TWO_CARS, 60, 15),
    ("BPD", "assault", "Assault", "Agresión", 2, _CAR, 45, 15),
    ("BPD", "missing_person", "Missing person", "Persona desaparecida", 2, _CAR, 120, 30),
    ("BPD", "burglary", "Burglary", "Robo en vivienda", 3, _CAR, 60, 30),
    ("BPD", "traffic", "Traffic accident", "Accidente de tránsito", 3, _CAR, 60, 30),
    ("BPD", "noise", "Disturbance", "Alteración del orden", 4, _ANY, 30, 30),
    ("BDF", "patrol_contact", "Contact on patrol", "Contacto en patrulla", 1, (), None, 15),
    ("BDF", "search", "Search in the bush", "Búsqueda en el monte", 2, _FOOT, None, 60),
    ("BDF", "air_support", "Support from the air", "Apoyo aéreo", 2, _AIR, None, 30),
    ("BCG", "overboard", "Person overboard", "Persona al agua", 1, _TWO_BOATS, None, 10),
    ("BCG", "adrift", "Vessel adrift", "Embarcación a la deriva", 2, _BOAT, None, 30),
    ("BCG", "medical", "Medical evacuation", "Evacuación médica", 1, _MEDIC, None, 15),
    ("BCG", "fishing", "Illegal fishing", "Pesca ilegal", 4, _BOAT, None, 60),
    ("CED", "road_block", "Road block", "Retén", 3, _CAR, 240, 60),
    ("CED", "contraband", "Contraband", "Contrabando", 3, _CAR, 120, 60),
    ("INS", "irregular", "Irregular entry", "Ingreso irregular", 4, _CAR, 120, 60),
    ("NEMO", "flood", "Flood", "Inundación", 2, _TRUCK, None, 60),
    ("NEMO", "shelter", "Shelter opens", "Apertura de albergue", 3, (), None, None),
    ("NEMO", "damage", "Damage assessment", "Evaluación de daños", 4, _ANY, 240, 120),
)  # fmt: skip

CHECKLISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "hit_and_run": (
        "Injured persons cared for, ambulance asked for",
        "Vehicle, plate and direction told to all units",
        "Road block asked for",
        "Witnesses named",
    ),
    "robbery": ("Weapons and number of persons told to units", "Cordon", "Scene kept"),
    "missing_person": ("Last seen, clothing, photograph", "Lookout issued", "Family has a contact"),
    "overboard": ("Position, drift and time noted", "Vessels nearby asked to look out", "Medic"),
    "adrift": ("Persons on board, injuries", "Position repeated back", "Weather and sea", "Tow"),
    "medical": ("Condition of the patient", "Where ambulance and boat meet", "Hospital told"),
    "flood": ("People in danger", "Road closed", "Shelter told"),
}

STATIONS: Final = (
    ("BPD", "Belize City", -88.186, 17.496),
    ("BPD", "Orange Walk", -88.557, 18.081),
    ("BPD", "San Ignacio", -89.071, 17.157),
    ("BPD", "Belmopan", -88.767, 17.251),
    ("BPD", "Dangriga", -88.222, 16.968),
    ("BPD", "Punta Gorda", -88.809, 16.098),
    ("BDF", "Price Barracks", -88.300, 17.536),
    ("BCG", "Headquarters", -88.223, 17.529),
    ("BCG", "San Pedro", -87.966, 17.916),
    ("BCG", "Placencia", -88.366, 16.516),
    ("CED", "Benque Viejo", -89.147, 17.069),
    ("CED", "Santa Elena", -88.398, 18.486),
    ("INS", "Benque Viejo", -89.146, 17.069),
    ("NEMO", "Belmopan", -88.769, 17.249),
)

_ABILITIES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "car": (("armed", "spanish"), ("armed",), ("k9", "armed"), ("spanish",)),
    "truck": (("4x4",), ("4x4", "winch"), ("4x4", "medic")),
    "boat": (("medic", "towing"), ("towing",), ("divers", "towing")),
    "foot": (("spanish",), ("armed",), ("kriol", "first_aid")),
    "aircraft": (("search_light", "medic"),),
    "motorcycle": (("spanish",),),
}
"""By kind of unit, in turn."""


def abilities(kind: str, number: int) -> list[str]:
    """What the ``number``-th unit of a kind can do."""
    choices = _ABILITIES.get(kind, ((),))
    return sorted(choices[number % len(choices)])


async def seed_work(conn: asyncpg.Connection[Any]) -> None:
    """Put it into a seeded database; what is there already stays as it is."""
    async with conn.transaction():
        await conn.executemany(
            "insert into incident_type (agency_id, code, name, name_es, priority, plan, checklist,"
            " scene_minutes, contact_minutes) select id, $2, $3, $4, $5, $6, $7, $8, $9"
            " from agency where code = $1 on conflict do nothing",
            [
                (*row[:5], _plan(row[5]), list(CHECKLISTS.get(row[1], ())), *row[6:])
                for row in TYPES
            ],
        )
        await conn.executemany(
            "insert into station (agency_id, name, point) select id, $2,"
            " st_setsrid(st_makepoint($3, $4), 4326) from agency where code = $1"
            " on conflict do nothing",
            STATIONS,
        )
        units = await conn.fetch(
            "select u.id, u.kind,"
            " row_number() over (partition by u.agency_id, u.kind order by u.id) as number"
            " from unit u left join unit_profile p on p.unit_id = u.id"
            " where p.unit_id is null and u.source_key is null"
        )
        await conn.executemany(
            "insert into unit_profile (unit_id, capabilities) values ($1, $2)",
            [(row["id"], abilities(row["kind"], row["number"])) for row in units],
        )


def _plan(plan: Plan) -> str:
    return json.dumps(
        [
            {"count": count, "kinds": list(kinds), "capabilities": list(capabilities)}
            for count, kinds, capabilities in plan
        ]
    )
