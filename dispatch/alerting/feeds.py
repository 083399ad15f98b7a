"""Feeds in which others list their alerts: Atom and RSS, read to addresses of CAP documents. Pure.

Theory of operation
-------------------
A feed is a list of places at which alerts lie, and nothing of it is believed but that: what an
alert says, and when it was sent, is read from the alert. Atom (RFC 4287), RSS 2.0 and 1.0 are
read; an address at which a single alert lies is a feed of one.

A feed is what a stranger serves. It is made harmless as every document is
(``dispatch.alerting.cap.documents``): a size, no DOCTYPE, nothing outside of it is read. It leads
nowhere but to hosts that whoever set it up has named, and to nothing that leads on: further pages
are not followed, and what an entry names is an alert or is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from lxml import etree

from dispatch.alerting.cap import documents
from dispatch.alerting.cap.values import Version
from psn.problems import Problem

ATOM: Final = "http://www.w3.org/2005/Atom"
CAP_MEDIA: Final = frozenset(
    {"application/cap+xml", "application/common-alerting-protocol+xml", "text/cap+xml"}
)
"""Media types under which alerts are linked; the first is registered (OASIS CAP 1.2)."""
_MAYBE: Final = frozenset({"", "application/xml", "text/xml"})
"""Media types of links that may lead to an alert."""
MOST_ENTRIES: Final = 500
"""Entries that are looked at, from the top; feeds are newest first."""
MOST_ADDRESS: Final = 2_000


class FeedRefused(Problem):
    """A feed, or an alert in one, that is not used; its code begins with ``feed.``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An alert that a feed lists.

    Attributes:
        url: where it lies.
        version: changes when the alert there is another: what the feed says of its change.
    """

    url: str
    version: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed lists.

    Attributes:
        entries: each address once, in the order of the feed.
        single: the document is no list, but an alert itself.
        elsewhere: hosts to which it leads, and which nobody has named.
        unread: entries that name no address of an alert, or are beyond :data:`MOST_ENTRIES`.
    """

    entries: tuple[Entry, ...] = ()
    single: bool = False
    elsewhere: tuple[str, ...] = ()
    unread: int = 0


def read(data: bytes, base: str, hosts: Collection[str]) -> Feed:
    """What a feed lists.

    Args:
        data: any bytes.
        base: where they were read; addresses in them are relative to it.
        hosts: to which entries may lead, beside that of ``base``.

    Raises :class:`dispatch.alerting.cap.CapRefused` for what is no harmless XML, and
    :class:`FeedRefused` ``feed.other`` for what is no feed.
    """
    root = documents.tree(data)
    name = etree.QName(root)
    if name.localname == "alert" and name.namespace in tuple(Version):
        return Feed(single=True)
    if name.namespace == ATOM and name.localname == "feed":
        found = [_atom(each) for each in root.iter(f"{{{ATOM}}}entry")]
    elif name.localname in ("rss", "RDF"):
        found = [_rss(each) for each in root.iter() if _called(each, "item")]
    else:
        raise FeedRefused(
            "feed.other",
            f"It is no feed: its first element is {name.localname[:40]!r}.",
            "Name the address of an Atom or RSS feed, or of a CAP alert.",
        )
    return _listed(found, base, frozenset(hosts) | {urlsplit(base).hostname or ""})


def _listed(found: list[Entry | None], base: str, hosts: frozenset[str]) -> Feed:
    entries: dict[str, Entry] = {}
    elsewhere: dict[str, None] = {}
    unread = max(0, len(found) - MOST_ENTRIES)
    for entry in found[:MOST_ENTRIES]:
        url = "" if entry is None else _whole(entry.url, base)
        if entry is None or not url:
            unread += 1
            continue
        host = urlsplit(url).hostname or ""
        if host in hosts:
            entries.setdefault(url, Entry(url, entry.version))
        else:
            elsewhere[host[:100]] = None
    return Feed(tuple(entries.values()), False, tuple(elsewhere), unread)


def _whole(url: str, base: str) -> str:
    """The whole address; none for what is no address of a document."""
    try:
        found = urljoin(base, url)
        parts = urlsplit(found)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or len(found) > MOST_ADDRESS:
        return ""
    return parts._replace(fragment="").geturl()


def _atom(entry: etree._Element) -> Entry | None:
    links = [
        (each.get("rel", "alternate"), each.get("type", "").partition(";")[0].strip().lower(), href)
        for each in entry.iterfind(f"{{{ATOM}}}link")
        if (href := each.get("href", "").strip())
    ]
    url = next((href for _, media, href in links if media in CAP_MEDIA), None) or next(
        (href for rel, media, href in links if rel == "alternate" and media in _MAYBE), None
    )
    said = " ".join(_texts(entry, f"{{{ATOM}}}updated", f"{{{ATOM}}}id"))
    return None if url is None else Entry(url, said)


def _rss(item: etree._Element) -> Entry | None:
    enclosed = [
        each.get("url", "").strip()
        for each in item
        if _called(each, "enclosure") and each.get("type", "").lower() in CAP_MEDIA
    ]
    links = [(each.text or "").strip() for each in item if _called(each, "link")]
    url = next((each for each in (*enclosed, *links) if each), None)
    said = " ".join((each.text or "").strip() for each in item if _called(each, "pubDate", "guid"))
    return None if url is None else Entry(url, said[:MOST_ADDRESS])


def _called(element: etree._Element, *names: str) -> bool:
    """Whether it has such a name; of RSS no namespace counts."""
    return isinstance(element.tag, str) and etree.QName(element).localname in names


def _texts(entry: etree._Element, *tags: str) -> Iterator[str]:
    for tag in tags:
        yield (entry.findtext(tag) or "").strip()[:MOST_ADDRESS]
