"""Feeds of others: what they list, and everything that a feed may be instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written import DOCUMENT

from dispatch.alerting import cap, feeds
from dispatch.alerting.feeds import Entry, Feed, FeedRefused

BASE = "https://met.example/feed/alerts.atom"
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Alerts</title>
<entry><id>1</id><updated>2026-06-01T12:00:00Z</updated>
  <link href="about.html" type="text/html"/>
  <link rel="alternate" href="../cap/1.xml" type="application/cap+xml"/></entry>
<entry><id>2</id><updated>x</updated><link href="https://met.example/cap/2.xml#top"/></entry>
{more}</feed>"""
RSS = """<rss version="2.0"><channel><title>t</title>
<item><title>one</title><link> https://met.example/cap/1.xml </link><guid>g1</guid></item>
<item><link>https://met.example/page</link><pubDate>Mon</pubDate>
  <enclosure url="/cap/2.xml" type="application/cap+xml" length="3"/></item>
<item><title>none</title></item></channel></rss>"""


def read(text: str, *hosts: str) -> Feed:
    return feeds.read(text.encode(), BASE, hosts)


def test_atom_and_rss_lead_to_the_alerts() -> None:
    """DOM-WRN-60."""
    found = read(ATOM.format(more=""))
    assert found.entries == (
        Entry("https://met.example/cap/1.xml", "2026-06-01T12:00:00Z 1"),
        Entry("https://met.example/cap/2.xml", "x 2"),
    )
    assert (found.single, found.elsewhere, found.unread) == (False, (), 0)
    rss = read(RSS)
    assert rss.entries == (
        Entry("https://met.example/cap/1.xml", "g1"),
        Entry("https://met.example/cap/2.xml", "Mon"),
    )
    assert rss.unread == 1
    rdf = '<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><item><link>/a</link></item></RDF>'
    assert [each.url for each in read(rdf).entries] == ["https://met.example/a"]


def test_an_alert_is_a_feed_of_one() -> None:
    assert read(DOCUMENT) == Feed(single=True)


def test_a_feed_leads_only_where_somebody_has_said() -> None:
    """DOM-WRN-60."""
    more = "".join(
        f'<entry><id>{at}</id><link href="{url}"/></entry>'
        for at, url in enumerate(
            (
                "https://cdn.example/1",
                "http://169.254.169.254/secret",
                "https://cdn.example/2",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "http://[bad/",
                "https://met.example:99999999/",
                "https://met.example/" + "x" * 3_000,
            )
        )
    )
    found = read(ATOM.format(more=more))
    assert len(found.entries) == 2
    assert found.elsewhere == ("cdn.example", "169.254.169.254") and found.unread == 5
    assert len(read(ATOM.format(more=more), "cdn.example").entries) == 4


def test_a_long_feed_is_read_from_its_top_and_an_address_once() -> None:
    more = "".join(f'<entry><link href="/{at % 900}"/></entry>' for at in range(2_000))
    found = read(ATOM.format(more=more))
    assert len(found.entries) == feeds.MOST_ENTRIES and found.unread == 2_002 - feeds.MOST_ENTRIES
    twice = '<entry><id>a</id><link href="/1"/></entry><entry><id>b</id><link href="/1"/></entry>'
    assert [each.version for each in read(ATOM.format(more=twice)).entries[2:]] == [" a"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "cap.empty"),
        ("<!doctype html><html><body>Not found</body></html>", "cap.web_page"),
        ("<html><body>Not found</body></html>", "feed.other"),
        ("<feed><entry><link href='/1'/></entry></feed>", "feed.other"),
        ("{}", "cap.not_xml"),
        ("<rss><channel><item>", "cap.not_xml"),
        ('<!DOCTYPE rss [<!ENTITY a "aaaa">]><rss>&a;</rss>', "cap.doctype"),
        ("<rss>" + "<item/>" * 60_000 + "</rss>", "cap.too_many"),
        ("<rss>" + "<a>" * 5_000 + "</a>" * 5_000 + "</rss>", "cap.not_xml"),
        ("<rss>" + " " * 6_000_000 + "</rss>", "cap.too_large"),
    ],
)
def test_what_is_no_feed_is_refused_in_a_sentence(text: str, code: str) -> None:
    """DOM-WRN-24, DOM-WRN-60."""
    with pytest.raises((FeedRefused, cap.CapRefused)) as caught:
        read(text)
    assert caught.value.code == code and caught.value.text.endswith(".") and caught.value.todo


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        feeds.read(data, BASE, ())
        feeds.read(b"<rss><item><link>" + data + b"</link></item></rss>", BASE, ())
    except (FeedRefused, cap.CapRefused):
        pass
