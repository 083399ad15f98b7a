"""What the public reads: a feed, each alert as a file, and a page in three languages. Pure.

All of it is made anew, whole, when something is sent or over, and then served or written out as it
lies there: reading it touches neither database nor lock. The page works without script, and needs
nothing but itself. The same files serve from another host (``psn warnings export``); there pages
say as of when they are, and a few lines of script say loudly that they are not renewed any more.

The feed is Atom (RFC 4287), newest first: what is in force, and what was sent in the last day, so
that a reader who was away learns of a Cancel too. Each entry leads to the alert as CAP.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from dispatch.alerting import channels
from dispatch.alerting.areas import named_in
from dispatch.alerting.cap import MessageType, Status
from dispatch.alerting.content import BELIZE, ENGLISH, KRIOL, SPANISH, Channel, Text
from dispatch.alerting.issuing import Issuer
from dispatch.alerting.standing import State
from dispatch.alerting.templates import until
from dispatch.warnings.told import Now, Sent, Stands

PAGES: Final[Mapping[str, str]] = {
    ENGLISH: "index.html",
    SPANISH: "es.html",
    KRIOL: "bzj.html",
}
FEED: Final = "alerts.atom"
FOLDER: Final = "alerts"
CERTIFICATE: Final = "alerts/certificate.pem"
"""Of pages and alerts; the feed lies beside it."""
LISTED: Final = timedelta(days=1)
"""So long what was sent stays in the feed, be it in force or not."""
BEFORE: Final = datetime(2026, 1, 1, tzinfo=BELIZE)
"""When a feed without an entry says that it was changed."""
ATOM: Final = "http://www.w3.org/2005/Atom"
CAP_MEDIA: Final = "application/cap+xml"

_ORDER: Final = {"Extreme": 0, "Severe": 1, "Moderate": 2, "Minor": 3, "Unknown": 4}
_SAID: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "lang": "en",
        "name": "English",
        "title": "Warnings in force",
        "none": "No warning is in force.",
        "until": "Until",
        "sent": "Sent",
        "area": "Area",
        "over": "Cancelled",
        "Exercise": "Exercise",
        "Test": "Test",
        "todo": "What to do",
        "more": "More",
        "file": "This alert for machines (CAP)",
        "as_of": "As of",
        "newer": "For newer warnings",
        "cut": "THIS PAGE MAY BE OLD. It knows nothing of what was sent after {at}; there may be"
        " newer warnings.",
        "unknown": "The warnings in force are not known here at the moment. There may be some.",
        "old": "THIS PAGE IS OLD. It was made {minutes} minutes ago and is not renewed any more;"
        " there may be newer warnings.",
    },
    SPANISH: {
        "lang": "es",
        "name": "Español",
        "title": "Avisos vigentes",
        "none": "No hay ningún aviso vigente.",
        "until": "Hasta",
        "sent": "Enviado",
        "area": "Zona",
        "over": "Cancelado",
        "Exercise": "Simulacro",
        "Test": "Prueba",
        "todo": "Qué hacer",
        "more": "Más",
        "file": "Este aviso para máquinas (CAP)",
        "as_of": "Estado a las",
        "newer": "Para avisos más nuevos",
        "cut": "ESTA PÁGINA PUEDE SER VIEJA. No sabe nada de lo enviado después de las {at}; puede"
        " haber avisos más nuevos.",
        "unknown": "Aquí no se sabe en este momento qué avisos están vigentes. Puede haber alguno.",
        "old": "ESTA PÁGINA ES VIEJA. Se hizo hace {minutes} minutos y ya no se renueva; puede"
        " haber avisos más nuevos.",
    },
    KRIOL: {
        "lang": "bzj",
        "name": "Kriol",
        "title": "Waanin weh deh eena foas",
        "none": "No waanin deh eena foas.",
        "until": "Til",
        "sent": "Sen owt",
        "area": "Payrt",
        "over": "Kansl",
        "Exercise": "Praktis",
        "Test": "Tes",
        "todo": "Weh fi du",
        "more": "Moa",
        "file": "Dis waanin fi mosheen (CAP)",
        "as_of": "Az a",
        "newer": "Fi nyoowa waanin",
        "cut": "DIS PAYJ MAITA OAL. Ih noh noa notn weh sen owt afta {at}; nyoowa waanin kuda deh.",
        "unknown": "Rait now wi noh noa ya weh waanin deh eena foas. Som kuda deh.",
        "old": "DIS PAYJ OAL. Ih mek {minutes} minit agoa an ih noh di chaynj agen; nyoowa"
        " waanin kuda deh.",
    },
}
"""Words in Kriol are ours, as those of the templates."""
_STYLE: Final = (
    "body{font:18px/1.5 system-ui,sans-serif;max-width:42em;margin:0 auto;padding:1em;"
    "color:#1a1a1a;background:#fff}nav a{margin-right:1em}nav a[aria-current]{color:inherit;"
    "font-weight:700;text-decoration:none}article{border:1px solid #777;"
    "border-left:.6em solid #777;padding:.2em 1em;margin:1em 0}article.actual{border-left-color:"
    "#b00020}.mark{font-weight:700;background:#fff3bf;padding:.2em .5em}h1{font-size:1.5em}"
    ".old{font-size:1.3em;font-weight:700;color:#fff;background:#b00020;padding:.6em}"
    "h2{font-size:1.25em;margin:.4em 0}dt{font-weight:700}dd{margin:0 0 .4em}.over{color:#555}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#111}a{color:#9cf}"
    ".mark{color:#111}.over{color:#bbb}}"
)
_LOOKS: Final = (
    "(function(){var a=document.getElementById('made'),o=document.getElementById('old');"
    "function look(){var m=Math.floor((Date.now()-a.dataset.made)/60000);if(m>=a.dataset.old){"
    "o.textContent=o.dataset.said.replace('{minutes}',m);o.hidden=false}}"
    "look();setInterval(look,15000)})()"
)
"""Says loudly that a page on another host is not renewed any more, where there is script."""
OLD: Final = timedelta(minutes=5)
"""Files on another host are written every few seconds: who reads them later reads something old."""
POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors *; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
"""Nothing but its own style; it may be shown within the pages of others."""


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is served; ``etag`` is of its bytes (RFC 9110, 8.8.3)."""

    body: bytes
    media: str
    etag: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Files which nobody may renew any more, such as those for another host.

    Attributes:
        origin: where newer ones are.
        cut_off: whoever serves them knows nothing of what was sent after that; None: he does not
            know either whether they are old, and the page has to tell by itself.
    """

    origin: str | None
    cut_off: datetime | None = None


def files(
    now: Now,
    issuer: Issuer,
    certificate: x509.Certificate | None,
    elsewhere: Elsewhere | None = None,
) -> Mapping[str, File]:
    """All of them by path: ``alerts.atom``, ``alerts/index.html``, ``alerts/ID.xml``.

    ``certificate``: with which alerts are signed now, as ``alerts/certificate.pem``; ``elsewhere``:
    pages say as of when they are.
    """
    made = {FEED: file(feed(now, issuer), "application/atom+xml")}
    for language, name in PAGES.items():
        made[f"{FOLDER}/{name}"] = file(page(now, issuer, language, elsewhere), "text/html")
    for each in now.messages:
        if each.by(Channel.FEED) or each.by(Channel.PAGE):
            made[f"{FOLDER}/{each.id}.xml"] = file(each.document, CAP_MEDIA)
    if certificate is not None:
        made[CERTIFICATE] = file(
            certificate.public_bytes(serialization.Encoding.PEM), "application/x-pem-file"
        )
    return made


def file(body: bytes, media: str) -> File:
    """Bytes with their name for caches."""
    return File(body, media, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


# -- the feed


def feed(now: Now, issuer: Issuer) -> bytes:
    """The feed; it is the same until something is sent or over."""
    root = etree.Element(_tag("feed"), nsmap={None: ATOM})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    listed = tuple(_listed(now))
    _add(root, "id", f"tag:{issuer.sender},2026:alerts")
    _add(root, "title", f"Warnings of {issuer.name}")
    # RFC 4287, 4.2.15: a feed has to say when it last changed.
    changed = max((_changed(each, now) for each in listed), default=BEFORE)
    _add(root, "updated", _time(changed))
    author = etree.SubElement(root, _tag("author"))
    _add(author, "name", issuer.name)
    etree.SubElement(root, _tag("link"), rel="self", href=FEED, type="application/atom+xml")
    etree.SubElement(root, _tag("link"), rel="alternate", href=f"{FOLDER}/", type="text/html")
    for each in listed:
        root.append(_entry(each, now, issuer))
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _listed(now: Now) -> Iterator[Sent]:
    """What the feed has, newest first."""
    holds = {each.sent.id for each in now.in_force()}
    for each in now.messages:
        if each.by(Channel.FEED) and (each.id in holds or each.alert.sent > now.at - LISTED):
            yield each


def _changed(sent: Sent, now: Now) -> datetime:
    stands = next((each for each in now.stands if each.sent.id == sent.id), None)
    if stands is None or stands.ended is None:
        return sent.alert.sent
    return max(sent.alert.sent, stands.ended)


def _entry(sent: Sent, now: Now, issuer: Issuer) -> etree._Element:
    alert = sent.alert
    info = alert.infos[0]
    entry = etree.Element(_tag("entry"))
    _add(entry, "id", f"tag:{issuer.sender},2026:{alert.identifier}")
    kind = "" if alert.message_type is MessageType.ALERT else f"{alert.message_type}: "
    _add(entry, "title", kind + (info.headline or info.event))
    _add(entry, "updated", _time(_changed(sent, now)))
    _add(entry, "published", _time(alert.sent))
    etree.SubElement(
        entry, _tag("link"), rel="alternate", href=f"{FOLDER}/{sent.id}.xml", type=CAP_MEDIA
    )
    stands = next((each for each in now.stands if each.sent.id == sent.id), None)
    for scheme, term in (
        ("status", str(alert.status)),
        ("msgType", str(alert.message_type)),
        ("severity", str(info.severity)),
        *(() if stands is None else (("state", str(stands.state)),)),
    ):
        etree.SubElement(
            entry, _tag("category"), term=term, scheme=f"tag:{issuer.sender},2026:{scheme}"
        )
    _add(entry, "summary", info.instruction or info.description or info.event)
    return entry


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, _tag(name)).text = text


def _tag(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _time(at: datetime) -> str:
    return at.astimezone(BELIZE).replace(microsecond=0).isoformat()


# -- the page


def page(now: Now, issuer: Issuer, language: str, elsewhere: Elsewhere | None = None) -> bytes:
    """The page in a language: what is in force, the worst first; then what was called off."""
    said = _SAID[language]
    holds = [each for each in now.in_force() if each.sent.by(Channel.PAGE)]
    holds.sort(key=_rank)
    over = [
        each
        for each in now.stands
        if each.state is State.CANCELLED
        and each.sent.by(Channel.PAGE)
        and each.ended is not None
        and each.ended > now.at - LISTED
    ]
    body = "".join(_article(each, language) for each in holds) or f"<p>{escape(said['none'])}</p>"
    body += "".join(_called_off(each, language) for each in _last(over))
    made = "" if elsewhere is None else _as_of(now, issuer, language, elsewhere)
    title = f"{said['title']} – {issuer.name}"
    links = "".join(
        f'<a href="{"./" if name == "index.html" else name}" lang="{_SAID[each]["lang"]}"'
        f"{' aria-current=page' if each == language else ''}>{escape(_SAID[each]['name'])}</a>"
        for each, name in PAGES.items()
    )
    return (
        f'<!doctype html><html lang="{said["lang"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="refresh" content="60">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f'<link rel="alternate" type="application/atom+xml" href="../{FEED}">'
        f"</head><body><nav>{links}</nav><main><h1>{escape(said['title'])}</h1>{made}{body}</main>"
        f"<footer><p>{escape(issuer.name)}. {escape(issuer.contact)}</p></footer></body></html>"
    ).encode()


def _as_of(now: Now, issuer: Issuer, language: str, elsewhere: Elsewhere) -> str:
    """When it was made, and where newer ones are: also without script, and cut off."""
    said = _SAID[language]
    where = escape(issuer.contact)
    if elsewhere.origin is not None:
        at = escape(f"{elsewhere.origin.rstrip('/')}/{FOLDER}/")
        where = f'<a href="{at}">{at}</a>; {where}'
    if elsewhere.cut_off is not None:
        cut = said["cut"].replace("{at}", until(elsewhere.cut_off, language))
        newer = escape(said["newer"])
        return f'<p class="old" role="alert">{escape(cut)}</p><p>{newer}: {where}</p>'
    made, old = round(now.at.timestamp() * 1_000), int(OLD.total_seconds() / 60)
    return (
        f'<p class="old" id="old" role="alert" hidden data-said="{escape(said["old"])}"></p>'
        f'<p id="made" data-made="{made}" data-old="{old}">{escape(said["as_of"])} '
        f'<time datetime="{_time(now.at)}">{until(now.at, language)}</time>. '
        f"{escape(said['newer'])}: {where}</p><script>{_LOOKS}</script>"
    )


def unknown(issuer: Issuer) -> bytes:
    """The page of who has not learned yet what is in force: it must not say that nothing is."""
    body = "".join(
        f'<p class="old" lang="{said["lang"]}">{escape(said["unknown"])}'
        f"<br>{escape(said['newer'])}: {escape(issuer.contact)}</p>"
        for said in _SAID.values()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="refresh" content="10">'
        f"<title>{escape(issuer.name)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    ).encode()


def _last(over: Iterable[Stands]) -> Iterable[Stands]:
    """Newest first; a Cancel calls off all that was said before, and people read the last of it."""
    found: dict[str, Stands] = {}
    for each in sorted(over, key=lambda each: each.sent.alert.sent, reverse=True):
        found.setdefault((each.by or each.sent).alert.identifier, each)
    return found.values()


def _rank(each: Stands) -> tuple[bool, int, float]:
    """What is Actual first, then the worst, then the newest."""
    alert = each.sent.alert
    severity = _ORDER[str(alert.infos[0].severity)]
    return alert.status is not Status.ACTUAL, severity, -alert.sent.timestamp()


def _article(each: Stands, language: str) -> str:
    said, content = _SAID[language], each.sent.content
    text = _text(each.sent, language)
    mark = channels.mark(content.status, text.language)
    marked = f'<p class="mark">{escape(mark)}</p>' if mark else ""
    area = "" if content.area is None else named_in(content.area.name, text.language)
    facts = [
        (said["area"], area),
        (said["until"], until(each.ends, language)),
        (said["sent"], until(each.sent.alert.sent, language)),
    ]
    # Only these two reach anybody beside what is Actual (DOM-WRN-5).
    if content.note and content.status in (Status.EXERCISE, Status.TEST):
        facts.append((said[str(content.status)], content.note))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(what)}</dd>" for name, what in facts)
    more = (
        f'<p><a href="{escape(content.web)}">{escape(said["more"])}</a></p>'
        if content.web.startswith(("https://", "http://"))
        else ""
    )
    paragraphs = "".join(
        f"<p>{escape(part)}</p>" for part in text.description.split("\n") if part.strip()
    )
    kind = "actual" if content.status is Status.ACTUAL else "other"
    return (
        f'<article class="{kind}" id="m{each.sent.id}" lang="{escape(text.language)}">{marked}'
        f"<h2>{escape(text.headline or text.event)}</h2>{paragraphs}"
        f"<p><strong>{escape(said['todo'])}:</strong> {escape(text.instruction)}</p>"
        f"<dl>{listed}</dl>{more}{marked}"
        f'<p><a href="{each.sent.id}.xml">{escape(said["file"])}</a></p></article>'
    )


def _called_off(each: Stands, language: str) -> str:
    text = _text(each.sent, language)
    assert each.ended is not None
    mark = channels.mark(each.sent.content.status, text.language)
    headline = f"{mark}: {text.headline or text.event}" if mark else text.headline or text.event
    why = "" if each.by is None else each.by.content.note
    says = ""
    if each.by is not None:
        own = _text(each.by, language)
        parts = (own.description, own.instruction)
        says = "".join(f"<p>{escape(part)}</p>" for part in parts if part.strip())
    return (
        f'<article class="over"><h2>{escape(_SAID[language]["over"])}: {escape(headline)}</h2>'
        f"<p>{escape(until(each.ended, language))}. {escape(why)}</p>{says}</article>"
    )


def _text(sent: Sent, language: str) -> Text:
    """The words in a language; in English, or whatever there is, when it has none."""
    found = sent.content.text(language) or sent.content.text(ENGLISH)
    return found or sent.content.texts[0]
