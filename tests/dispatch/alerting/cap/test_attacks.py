"""Documents that are sent to harm, and documents that are none: refused in a sentence, quickly."""

from __future__ import annotations

import codecs
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written import DOCUMENT

from dispatch.alerting import cap
from dispatch.alerting.cap.documents import MAX_BYTES, MAX_ELEMENTS

SECONDS = 5.0
"""Of the processor: far more than is needed, and far less than an attack would want."""


def refused(data: bytes) -> str:
    started = time.process_time()
    reading = cap.read(data)
    assert time.process_time() - started < SECONDS
    assert reading.alert is None and not reading.valid
    assert len(reading.findings) == 1
    assert reading.findings[0].path == "/"
    return reading.findings[0].code


def with_doctype(doctype: str, event: str = "x") -> bytes:
    head, rest = DOCUMENT.split("?>", 1)
    return f"{head}?>{doctype}{rest.replace('Aviso de huracán', event)}".encode()


LAUGHS = "".join(
    f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10)
)  # fmt: skip


@pytest.mark.parametrize(
    ("doctype", "event"),
    [
        (f'<!DOCTYPE alert [<!ENTITY l0 "lol">{LAUGHS}]>', "&l9;"),
        ('<!DOCTYPE alert [<!ENTITY big "' + "A" * 100_000 + '">]>', "&big;" * 1_000),
        ('<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        ('<!DOCTYPE alert [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>', "&x;"),
        ('<!DOCTYPE alert [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>', "x"),
        ('<!DOCTYPE alert SYSTEM "http://127.0.0.1:1/evil.dtd">', "x"),
        ('<!DOCTYPE alert PUBLIC "-//X//Y//EN" "evil.dtd">', "x"),
        ("<!-- > --><?a b?>\n<!DOCTYPE alert>", "x"),
        ("<!DOCTYPE alert [<!ATTLIST info id ID #IMPLIED>]>", "x"),
    ],
)
def test_entities_are_refused_before_they_are_looked_at(doctype: str, event: str) -> None:
    """DOM-WRN-24."""
    assert refused(with_doctype(doctype, event)) == "cap.doctype"
    assert refused(with_doctype(doctype, event).decode().encode("utf-16")) == "cap.doctype"


def test_a_file_of_this_machine_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hushhush")
    declared = f'<!DOCTYPE alert [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    assert "hushhush" not in repr(cap.read(with_doctype(declared, "&x;")))
    included = DOCUMENT.replace(
        "<info>",
        f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'
        "<info>",
    )
    assert "hushhush" not in repr(cap.read(included.encode()))


def test_an_entity_that_nobody_declared_is_no_xml() -> None:
    assert refused(DOCUMENT.replace("Aviso", "&aviso;").encode()) == "cap.not_xml"


def test_fifty_megabytes_are_not_read() -> None:
    """DOM-WRN-24."""
    assert refused(b"<alert>" + b"x" * 50_000_000) == "cap.too_large"
    assert refused(b" " * (MAX_BYTES + 1)) == "cap.too_large"


@pytest.mark.parametrize(
    "data",
    [
        DOCUMENT.replace("<info>", "<code/>" * MAX_ELEMENTS + "<info>").encode(),
        DOCUMENT.replace("<info>", "<!---->" * MAX_ELEMENTS + "<info>").encode(),
    ],
)
def test_more_elements_than_any_alert_has_are_refused(data: bytes) -> None:
    assert refused(data) == "cap.too_many"


@pytest.mark.parametrize(
    "inside",
    ["<a>" * 100_000, "<a>" * 300 + "</a>" * 300, "<a " + 'x="1" ' * 2 + "/>", "x" * 11_000_000],
)
def test_depth_and_length_are_bounded(inside: str) -> None:
    """DOM-WRN-24."""
    assert refused(f"<alert>{inside}</alert>".encode()) in ("cap.not_xml", "cap.too_large")


def test_one_that_is_as_large_as_may_be_is_read_in_time() -> None:
    ring = " ".join(f"17.{at % 10000:04d},-88.{at % 9999:04d}" for at in range(250_000))
    data = DOCUMENT.replace("17.4,-88.3 17.4", f"17.4,-88.3 {ring} 17.4").encode()
    assert MAX_BYTES * 0.8 < len(data) < MAX_BYTES
    started = time.process_time()
    assert cap.read(data).valid
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("name", ["references", "incidents", "addresses"])
@pytest.mark.parametrize("junk", ['""" a ', "x,y,2026-06-01T12:00:00-06:00 ", "a,b ", "- "])
def test_a_list_without_end_is_read_in_time(name: str, junk: str) -> None:
    data = DOCUMENT.replace("<info>", f"<{name}>{junk * 150_000}</{name}><info>").encode()
    started = time.process_time()
    assert cap.read(data).version is not None
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "cap.empty"),
        (b" \r\n\t", "cap.empty"),
        (b"\x00" * 100, "cap.empty"),
        (b"hello", "cap.not_xml"),
        (b'{"alert": {}}', "cap.not_xml"),
        (b"<!doctype html><html><body>Sign in</body></html>", "cap.web_page"),
        (b"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'x'><html/>", "cap.web_page"),
        (b"<html><body>502</body></html>", "cap.not_cap"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "cap.not_cap"),
        (b"<alert/>", "cap.version"),
        (b"<alert", "cap.not_xml"),
        (b"<?xml version='1.0'", "cap.not_xml"),
        (b"<!-- ", "cap.not_xml"),
        (b"<?xml version='1.0' encoding='EBCDIC-CP-US'?><alert/>", "cap.encoding"),
        (b"<?xml version='1.0' encoding='utf-7'?>+ADw-alert/+AD4-", "cap.encoding"),
        (codecs.BOM_UTF32_LE + "<alert/>".encode("utf-32-le"), "cap.encoding"),
        (DOCUMENT.encode("iso-8859-1"), "cap.encoding"),
        (DOCUMENT.replace("Aviso", "\x01").encode(), "cap.not_xml"),
        (DOCUMENT.replace("Aviso", "&#0;").encode(), "cap.not_xml"),
        (DOCUMENT.replace("Aviso", "\ufffe").encode(), "cap.not_xml"),
        (DOCUMENT.encode()[:-20], "cap.not_xml"),
        ((DOCUMENT + DOCUMENT).encode(), "cap.not_xml"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "cap.encoding"),
    ],
)
def test_what_is_no_alert_is_refused_with_a_reason(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize(
    ("encoding", "mark", "declared"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", codecs.BOM_UTF8, "UTF-8"),
        ("utf-8", codecs.BOM_UTF8, "ISO-8859-1"),
        ("iso-8859-1", b"", "ISO-8859-1"),
        ("cp1252", b"", "windows-1252"),
        ("iso-8859-15", b"", "iso-8859-15"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("utf-16-be", b"", "UTF-16"),
    ],
)
def test_every_encoding_that_alerts_come_in_is_read(
    encoding: str, mark: bytes, declared: str
) -> None:
    data = mark + DOCUMENT.replace("UTF-8", declared).encode(encoding)
    assert cap.parse(data).infos[0].event == "Aviso de huracán"


@pytest.mark.parametrize("before", ["\n", "  \r\n", "\ufeff\n"])
def test_an_empty_line_before_the_declaration_is_passed_over(before: str) -> None:
    assert cap.read(f"{before}{DOCUMENT}".encode()).valid


def test_without_a_declaration_it_is_utf_8() -> None:
    data = DOCUMENT[DOCUMENT.index("<alert") :].encode()
    assert cap.parse(data).infos[0].event == "Aviso de huracán"


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    """DOM-WRN-23."""
    reading = cap.read(data)
    assert reading.alert is None
    assert reading.errors


pieces = st.sampled_from(
    ["", "<", ">", "&", "]]>", "<!--", "<?xml", "\x00", "\ud800", "</info>", "<info>", "-", "Z",
     " ", "9" * 400, "𝟙", "<area>", "xmlns=''", "&#65;", "‮", "urn:oasis"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(DOCUMENT)), st.integers(0, 40), pieces), max_size=4))
def test_a_right_document_that_is_damaged_anywhere_never_does_harm(
    damage: list[tuple[int, int, str]],
) -> None:
    text = DOCUMENT
    for at, length, piece in damage:
        text = text[:at] + piece + text[at + length :]
    reading = cap.read(text.encode("utf-8", "surrogatepass"))
    assert (reading.alert is not None) or reading.errors
    if reading.alert is not None:
        written = cap.build(reading.alert)  # what is understood can be kept and compared
        assert not reading.valid or cap.parse(written) == reading.alert


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 255)), min_size=1, max_size=3))
def test_bytes_that_change_on_the_way_never_do_harm(changes: list[tuple[int, int]]) -> None:
    data = bytearray(DOCUMENT.encode())
    for at, byte in changes:
        data[at % len(data)] = byte
    reading = cap.read(bytes(data))
    assert (reading.alert is not None) or reading.errors
