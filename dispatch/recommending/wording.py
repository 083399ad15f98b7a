"""A recommendation in words, English and Spanish. Pure.

Sentences have one form in each language, made from the same facts; a test holds the two to the
same numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from dispatch.recommending.arrival import DETOUR, Arrival, How
from dispatch.recommending.candidates import Availability, Unfit
from dispatch.recommending.ranking import STALE_S, LeftOut, Offer, Ranked

LANGUAGES: Final = ("en", "es")
BLURRED_KM: Final = 1
"""What is said of a place of which only the square is shown."""

_WAY: Final[Mapping[str, Mapping[How, str]]] = {
    "en": {
        How.ROAD: "by road {far} in {time}",
        How.SEA: "by sea {far} in {time}",
        How.AIR: "by air {far} in {time}",
        How.FOOT: "on foot, straight line × {detour}: {far} in {time}",
        How.STRAIGHT: "straight line × {detour}, no road known: {far} in {time}",
    },
    "es": {
        How.ROAD: "por carretera {far} en {time}",
        How.SEA: "por mar {far} en {time}",
        How.AIR: "por aire {far} en {time}",
        How.FOOT: "a pie, línea recta × {detour}: {far} en {time}",
        How.STRAIGHT: "línea recta × {detour}, sin carretera conocida: {far} en {time}",
    },
}
_AROUND: Final = {
    "en": "by sea around land {far} in {time}",
    "es": "por mar rodeando tierra {far} en {time}",
}
_CANNOT: Final[Mapping[str, Mapping[How, str]]] = {
    "en": {
        How.OVER_WATER: "cannot come by land: the place is on the water",
        How.OTHER_ISLAND: "cannot come by land from another island",
        How.NO_ROAD_LEADS: "on roads from which none leads there",
        How.NO_WATER_THERE: "cannot come by boat: no open water is within a kilometre of the place",
        How.NO_WATER_LEADS: "not on water from which a way there is known",
    },
    "es": {
        How.OVER_WATER: "no llega por tierra: el lugar está en el agua",
        How.OTHER_ISLAND: "no llega por tierra desde otra isla",
        How.NO_ROAD_LEADS: "en carreteras de las que ninguna llega allí",
        How.NO_WATER_THERE: "no llega en lancha: no hay agua abierta a un kilómetro del lugar",
        How.NO_WATER_LEADS: "fuera de aguas desde las que se conozca un camino",
    },
}
_UNFIT: Final[Mapping[str, Mapping[Unfit, str]]] = {
    "en": {
        Unfit.AGENCY: "of another agency than asked for",
        Unfit.OUT: "out of service",
        Unfit.EMERGENCY: "in an emergency of its own",
        Unfit.BUSY: "on another incident",
    },
    "es": {
        Unfit.AGENCY: "de otra institución que la pedida",
        Unfit.OUT: "fuera de servicio",
        Unfit.EMERGENCY: "en una emergencia propia",
        Unfit.BUSY: "en otro incidente",
    },
}
_SAID: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "free": "free",
        "diverted": "diverted from another incident",
        "unknown": "status not shown",
        "last": "then {far} on foot",
        "has": "has {what}",
        "without": "without {what}",
        "fresh": "position {age} old",
        "stale": "position {age} old, counted as later",
        "blurred": "place known within ±{km} km",
        "tied": "as soon as the one above",
        "nearer": "{count} nearer: {parts}",
        "one": "one",
        "and": "and",
        "unplaced": "{count} more, whose place is not known or not shown",
    },
    "es": {
        "free": "libre",
        "diverted": "desviada de otro incidente",
        "unknown": "estado no mostrado",
        "last": "luego {far} a pie",
        "has": "tiene {what}",
        "without": "sin {what}",
        "fresh": "posición de hace {age}",
        "stale": "posición de hace {age}, contada como más tarde",
        "blurred": "lugar conocido a ±{km} km",
        "tied": "tan pronto como la anterior",
        "nearer": "{count} más cerca: {parts}",
        "one": "una",
        "and": "y",
        "unplaced": "{count} más, cuyo lugar no se conoce o no se muestra",
    },
}
_CAPABILITIES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"k9": "K9", "four_by_four": "4×4", "4x4": "4×4", "armed": "arms", "spanish": "Spanish"},
    "es": {
        "k9": "K9", "four_by_four": "4×4", "4x4": "4×4", "armed": "armas", "spanish": "español",
        "boat": "lancha", "medic": "paramédico", "diver": "buzo",
        "boat_licence": "licencia de lancha",
    },
}  # fmt: skip


def reason(offer: Offer, ranked: Ranked, language: str = "en") -> str:
    """Why a unit stands where it stands: ``free, by road 14 km in 11 min, has K9; position …``."""
    said, who = _SAID[language], offer.candidate
    unknown = who.state.availability is Availability.UNKNOWN
    word = "diverted" if offer.diverted else "unknown" if unknown else "free"
    parts = [said[word], way(offer.arrival, language)]
    if ranked.need.capabilities:
        what = _listed((_capability(c, language) for c in sorted(ranked.need.capabilities)), said)
        parts.append(said["has"].format(what=what))
    if offer.tied:
        parts.append(said["tied"])
    after = []
    if who.spot is not None:
        word = said["stale" if who.spot.age_s > STALE_S else "fresh"]
        after.append(word.format(age=minutes(who.spot.age_s)))
        if who.spot.blurred:
            after.append(said["blurred"].format(km=BLURRED_KM))
    return "; ".join([", ".join(parts), *after])


def way(arrival: Arrival, language: str = "en") -> str:
    """How somebody comes: ``by sea around land 23 nm in 55 min``."""
    sentence = _AROUND[language] if arrival.around else _WAY[language][arrival.how]
    told = sentence.format(
        far=_nautical(arrival.metres) if arrival.how is How.SEA else distance(arrival.metres),
        time=minutes(arrival.seconds),
        detour=DETOUR,
    )
    if arrival.last_m < 50:
        return told
    return f"{told}, " + _SAID[language]["last"].format(far=distance(arrival.last_m))


def nearer(ranked: Ranked, language: str = "en") -> str | None:
    """Why nearer ones were left out: ``2 nearer: one without K9, one on another incident``."""
    if not ranked.left_out:
        return None
    said = _SAID[language]
    counts = Counter(_why(each, ranked, language) for each in ranked.left_out)
    parts = (f"{said['one'] if count == 1 else count} {why}" for why, count in counts.items())
    return said["nearer"].format(count=len(ranked.left_out), parts=", ".join(parts))


def others(ranked: Ranked, language: str = "en") -> list[str]:
    """Who else fits and is not ranked, and why: a line for each reason."""
    lines = [f"{count} {_CANNOT[language][how]}" for how, count in sorted(ranked.cannot.items())]
    if ranked.unplaced:
        lines.append(_SAID[language]["unplaced"].format(count=ranked.unplaced))
    return lines


def distance(metres: float) -> str:
    """``350 m``, ``1.2 km``, ``14 km``."""
    if metres < 950:
        return f"{round(metres / 10) * 10} m"
    return f"{metres / 1000:.1f} km" if metres < 9_950 else f"{metres / 1000:,.0f} km"


def minutes(seconds: float) -> str:
    """``under 1 min`` as ``<1 min``; ``11 min``, ``1 h 5 min``, ``3 d``."""
    whole = round(seconds / 60)
    if whole < 1:
        return "<1 min"
    if whole < 60:
        return f"{whole} min"
    if whole < 48 * 60:
        return f"{whole // 60} h {whole % 60} min" if whole % 60 else f"{whole // 60} h"
    return f"{whole // 1440} d"


def _nautical(metres: float) -> str:
    miles = metres / 1852
    return f"{miles:.1f} nm" if miles < 9.95 else f"{miles:.0f} nm"


def _why(each: LeftOut, ranked: Ranked, language: str) -> str:
    if each.why is not Unfit.CAPABILITY:
        return _UNFIT[language][each.why]
    said = _SAID[language]
    lacks = sorted(ranked.need.capabilities - each.candidate.capabilities)
    return said["without"].format(what=_listed((_capability(c, language) for c in lacks), said))


def _capability(word: str, language: str) -> str:
    return _CAPABILITIES[language].get(word, word.replace("_", " "))


def _listed(words: Iterable[str], said: Mapping[str, str]) -> str:
    all_of_them = list(words)
    if len(all_of_them) < 2:
        return "".join(all_of_them)
    return f"{', '.join(all_of_them[:-1])} {said['and']} {all_of_them[-1]}"
