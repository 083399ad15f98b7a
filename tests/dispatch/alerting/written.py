"""Alerts that tests make: one by hand, and any by Hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from hypothesis import strategies as st

from dispatch.alerting import cap

T = TypeVar("T")

BELIZE = timezone(timedelta(hours=-6))
SENT = datetime(2026, 6, 1, 12, 0, tzinfo=BELIZE)
RING = (
    cap.Point(17.4, -88.3),
    cap.Point(17.4, -88.1),
    cap.Point(17.6, -88.1),
    cap.Point(17.4, -88.3),
)
AREA = cap.Area("Belize City", polygons=(RING,), circles=(cap.Circle(cap.Point(17.5, -88.2), 5.0),))
INFO = cap.Info(
    categories=(cap.Category.MET,),
    event="Hurricane warning",
    urgency=cap.Urgency.EXPECTED,
    severity=cap.Severity.EXTREME,
    certainty=cap.Certainty.LIKELY,
    language="en-BZ",
    headline="Hurricane warning for Belize City",
    expires=SENT + timedelta(hours=24),
    areas=(AREA,),
)
ALERT = cap.Alert(
    identifier="bz.nemo.2026.1",
    sender="nemo.org.bz",
    sent=SENT,
    status=cap.Status.ACTUAL,
    message_type=cap.MessageType.ALERT,
    scope=cap.Scope.PUBLIC,
    infos=(INFO,),
)

DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>bz.nemo.2026.1</identifier>
  <sender>nemo.org.bz</sender>
  <sent>2026-06-01T12:00:00-06:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>es-BZ</language>
    <category>Met</category>
    <event>Aviso de huracán</event>
    <urgency>Expected</urgency>
    <severity>Extreme</severity>
    <certainty>Likely</certainty>
    <expires>2026-06-02T12:00:00-06:00</expires>
    <area>
      <areaDesc>Ciudad de Belice</areaDesc>
      <polygon>17.4,-88.3 17.4,-88.1 17.6,-88.1 17.4,-88.3</polygon>
    </area>
  </info>
</alert>
"""
"""A document that is right; tests put one thing in the place of another."""

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40)
"""Text that XML can carry; control characters are tested by themselves."""
said = texts.filter(lambda text: text.strip() != "")
names = st.from_regex(r"[A-Za-z0-9.:/_-]{1,30}", fullmatch=True)
words = st.from_regex(r"[A-Za-z0-9.:/@ñ_-]{1,12}( [A-Za-z0-9]{1,5})?", fullmatch=True)
moments = st.builds(
    lambda moment, offset: moment.replace(microsecond=0, tzinfo=timezone(offset)),
    st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)
points = st.builds(
    cap.Point, st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False)
)
polygons = st.lists(points, min_size=3, max_size=8, unique=True).map(lambda ring: (*ring, ring[0]))
circles = st.builds(cap.Circle, points, st.floats(0, 20_000))
named = st.builds(cap.Named, texts, texts)
heights = st.decimals(-2000, 90_000, places=2)


def several(each: st.SearchStrategy[T], most: int = 3) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(each, max_size=most).map(tuple)


@st.composite
def areas(draw: st.DrawFn) -> cap.Area:
    low = draw(st.none() | heights)
    high = None if low is None else draw(st.none() | heights.filter(lambda h: h >= low))
    return cap.Area(
        draw(said),
        draw(several(polygons)),
        draw(several(circles)),
        draw(several(named)),
        low,
        high,
    )


uris = st.sampled_from(
    [
        "https://nemo.org.bz/1?a=b#c",
        "map.png",
        "cid:1",
        "",
        "//x.bz:80",
        "https://ñu.bz/á b",
        "http://[::1]/",
    ]
)
resources = st.builds(
    cap.Resource,
    description=texts,
    mime_type=st.just("image/png"),
    size=st.none() | st.integers(0, 10**12),
    uri=st.none() | uris,
    content=st.none() | texts,
    digest=st.none() | st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
)
infos = st.builds(
    cap.Info,
    categories=st.lists(st.sampled_from(cap.Category), min_size=1, max_size=3).map(tuple),
    event=said,
    urgency=st.sampled_from(cap.Urgency),
    severity=st.sampled_from(cap.Severity),
    certainty=st.sampled_from(cap.Certainty),
    language=st.none() | st.sampled_from(["en-BZ", "es-BZ", "bzj", "i-klingon", "x-secret"]),
    responses=several(st.sampled_from(cap.Response)),
    audience=st.none() | texts,
    event_codes=several(named),
    effective=st.none() | moments,
    onset=st.none() | moments,
    expires=st.none() | moments,
    sender_name=st.none() | texts,
    headline=st.none() | texts,
    description=st.none() | texts,
    instruction=st.none() | texts,
    web=st.none() | st.just("https://nemo.org.bz/1"),
    contact=st.none() | texts,
    parameters=several(named),
    resources=several(resources, 2),
    areas=several(areas(), 2),
)


@st.composite
def alerts(draw: st.DrawFn) -> cap.Alert:
    """Any alert that keeps every rule."""
    kind = draw(st.sampled_from(cap.MessageType))
    scope = draw(st.sampled_from(cap.Scope))
    sent = draw(moments)
    about = kind is not cap.MessageType.ALERT
    earlier = st.builds(
        lambda sender, identifier, before: cap.Reference(
            sender, f"earlier-{identifier}", sent.astimezone(UTC) - before
        ),
        names,
        names,
        st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    )
    return cap.Alert(
        identifier=draw(names),
        sender=draw(names),
        sent=sent,
        status=draw(st.sampled_from(cap.Status)),
        message_type=kind,
        scope=scope,
        source=draw(st.none() | texts),
        restriction=draw(said if scope is cap.Scope.RESTRICTED else st.none()),
        addresses=tuple(draw(st.lists(words, min_size=scope is cap.Scope.PRIVATE, max_size=3))),
        codes=draw(several(texts)),
        note=draw(st.none() | texts),
        references=tuple(draw(st.lists(earlier, min_size=about, max_size=3))),
        incidents=draw(several(words)),
        infos=draw(several(infos)),
    )
