"""The words of a Cancel, where its officer has none of his own yet. Pure.

Whoever hears a Cancel on a telephone must not take it for the warning that it calls off. Words in
Kriol are ours, as those of the templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from dispatch.alerting.cap import Response, Urgency
from dispatch.alerting.content import ENGLISH, KRIOL, SPANISH, Content, Text


class _Said(NamedTuple):
    over: str
    instruction: str


_SAID: Final[Mapping[str, _Said]] = {
    ENGLISH: _Said("Cancelled", "What it asked you to do is no longer needed."),
    SPANISH: _Said("Cancelado", "Lo que pedía hacer ya no es necesario."),
    KRIOL: _Said("Kansl", "Yu noh need fi du weh ih aks yu fi du agen."),
}


def called_off(content: Content) -> Content:
    """What says that a warning is over, of what it said last.

    To machines, too: a siren that goes by ``responseType`` must not ask people to evacuate again
    (CAP 1.2, 3.2.2: *AllClear*, *Past*).
    """
    return replace(
        content,
        send_at=None,
        onset=None,
        urgency=Urgency.PAST,
        responses=(Response.ALL_CLEAR,),
        texts=tuple(_over(each) for each in content.texts),
    )


def _over(text: Text) -> Text:
    said = _SAID.get(text.language, _SAID[ENGLISH])
    headline = f"{said.over}: {text.headline or text.event}"
    return Text(
        language=text.language,
        event=text.event,
        headline=headline,
        description="",
        instruction=said.instruction,
        # A headline may end as a sentence does: "… at 3 a.m."
        short=f"{headline.rstrip('. ')}. {said.instruction}",
    )
