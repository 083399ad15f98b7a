"""Contents of warnings that tests make."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dispatch.alerting import areas, cap
from dispatch.alerting.areas import Around, Position
from dispatch.alerting.content import ENGLISH, KRIOL, SPANISH, Content, Text

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
CITY = areas.area("Belize City", [Around(Position(-88.2, 17.5), 20)])
TEXTS = (
    Text(
        ENGLISH,
        "Hurricane warning",
        "Hurricane warning for Belize City",
        "A hurricane is likely to reach the coast tonight.",
        "Go to a shelter now.",
        "Hurricane warning for Belize City. Go to a shelter now.",
    ),
    Text(
        SPANISH,
        "Aviso de huracán",
        "Aviso de huracán para la Ciudad de Belice",
        "Es probable que un huracán llegue a la costa esta noche.",
        "Vaya a un refugio ahora.",
        "Aviso de huracán para la Ciudad de Belice. Vaya a un refugio ahora.",
    ),
    Text(
        KRIOL,
        "Harikayn waanin",
        "Harikayn waanin fi Bileez Siti",
        "Wahn harikayn laikli fi reech di koas tunait.",
        "Goh da wahn shelta now.",
        "Harikayn waanin fi Bileez Siti. Goh da wahn shelta now.",
    ),
)
CONTENT = Content(
    status=cap.Status.ACTUAL,
    event="hurricane_red_2",
    categories=(cap.Category.MET,),
    urgency=cap.Urgency.EXPECTED,
    severity=cap.Severity.EXTREME,
    certainty=cap.Certainty.LIKELY,
    responses=(cap.Response.SHELTER,),
    texts=TEXTS,
    area=CITY,
    expires=NOW + timedelta(hours=24),
)
EXERCISE = replace(CONTENT, status=cap.Status.EXERCISE, note="Exercise Cay Sal 2026")


def with_text(content: Content, language: str, **changes: str) -> Content:
    texts = (
        replace(each, **changes) if each.language == language else each for each in content.texts
    )
    return replace(content, texts=tuple(texts))
