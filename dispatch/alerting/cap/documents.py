"""Bytes of an XML document made harmless: its characters, then a tree, or one finding.

Theory of operation
-------------------
A document is decoded here, by its mark or by what it declares, and never by the parser; so what
the parser sees is UTF-8, and the prolog can be looked at before. A CAP document needs no DOCTYPE,
and everything that is dangerous in XML begins in one (entities that grow, that read files, that
ask addresses). So whatever has one is refused before the parser starts; without one there is
nothing to resolve. Size, depth and the number of elements are bounded.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from lxml import etree

from dispatch.alerting.cap.findings import CapRefused, Finding

MAX_BYTES: Final = 5_000_000
"""Larger documents are refused unread. The largest real ones, with a picture inside, have about
half of that."""
MAX_ELEMENTS: Final = 50_000
"""More elements than any real alert has by a factor of ten."""

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; UTF-32 before UTF-16, whose mark it begins with."""
_DECLARED: Final = re.compile(
    rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']"""
)
_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
"""Encodings in which alerts are written; UTF-16 is known by its mark."""
_WEB_PAGE: Final = re.compile(r"<!DOCTYPE\s+html\b", re.IGNORECASE)
_LOOK: Final = 1_000
"""So far in the declaration is looked for."""


def tree(data: bytes) -> etree._Element:
    """The root of a document.

    Raises :class:`CapRefused` with one finding when it cannot be had safely.
    """
    return _parsed(_text(data))


def refused(code: str, text: str, todo: str) -> CapRefused:
    """The refusal of a document as a whole."""
    return CapRefused([Finding("/", code, text, todo)])


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise refused(
            "cap.too_large",
            f"The document has {len(data):,} bytes; {MAX_BYTES:,} are the most.",
            "Leave large resources out, and name an address for them.",
        )
    if not data.strip(b"\x00\t\n\r "):
        raise refused("cap.empty", "The document is empty.", "Send the alert itself.")
    encoding, start = _encoding(data)
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        raise refused(
            "cap.encoding",
            f"Byte {start + error.start + 1} is no character of {encoding}, in which the document "
            "says that it is written.",
            "Declare the encoding in which it is really written; UTF-8 is best.",
        ) from None
    # Some servers put an empty line before the declaration, which XML does not allow; dropping it
    # changes nothing that is said, or signed.
    return text.lstrip("\t\n\r ")


def _encoding(data: bytes) -> tuple[str, int]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if not encoding:
                raise _unknown_encoding("UTF-32")
            return encoding, len(mark)
    if data.startswith((b"<\x00", b"\x00<")):
        return ("utf-16-le" if data[0] else "utf-16-be"), 0
    declared = _DECLARED.match(data[:_LOOK])
    if declared is None:
        return "utf-8", 0
    name = declared[1].decode().lower()
    if name not in _ENCODINGS:
        raise _unknown_encoding(declared[1].decode())
    return _ENCODINGS[name], 0


def _unknown_encoding(name: str) -> CapRefused:
    return refused(
        "cap.encoding",
        f"Documents in {name} are not read.",
        "Write it in UTF-8.",
    )


def _parsed(text: str) -> etree._Element:
    doctype = _doctype(text)
    if _WEB_PAGE.match(doctype):
        raise refused(
            "cap.web_page",
            "It is a web page, and no alert.",
            "Ask for the address of the alert itself.",
        )
    if doctype:
        raise refused(
            "cap.doctype",
            "The document has a DOCTYPE, which an alert does not need and which can harm.",
            "Remove the DOCTYPE and every entity that it declares.",
        )
    # By the characters that were decoded above, whatever the declaration says.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise _not_xml(str(error)) from None
    if root.getroottree().docinfo.doctype:
        raise refused("cap.doctype", "The document has a DOCTYPE.", "Remove it.")
    for count, _ in enumerate(root.iter(), 1):
        if count > MAX_ELEMENTS:
            raise refused(
                "cap.too_many",
                f"The document has more than {MAX_ELEMENTS:,} elements.",
                "Send an alert with fewer areas or codes.",
            )
    return root


def _doctype(text: str) -> str:
    """The beginning of a DOCTYPE before the root; comments and instructions are passed over."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("<?", at):
            end, at = text.find("?>", at), text.find("?>", at) + 2
        elif text.startswith("<!--", at):
            end, at = text.find("-->", at + 4), text.find("-->", at + 4) + 3
        else:
            found = text[at : at + _LOOK]
            return found if found[:9].upper() == "<!DOCTYPE" else ""
        if end < 0:
            return ""


def _not_xml(why: str) -> CapRefused:
    if why.lower().startswith(("html", "start tag expected")):
        why = "it does not begin with an element"
    return refused(
        "cap.not_xml",
        f"The document is no well-formed XML: {why[:200]}.",
        "Send the alert as its author made it, and not a page about it.",
    )
