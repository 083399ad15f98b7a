"""What bytes are, whatever their name says (docs/domain.md, DOM-FILE-6)."""

from __future__ import annotations

import pytest
from attached import HEIC, photo, voice, zip_bomb
from hypothesis import given
from hypothesis import strategies as st

from dispatch.attachments import kinds


def code(kind: str, data: bytes) -> str | None:
    found = kinds.refusal(kind, data[: kinds.HEAD_BYTES], data[-kinds.TAIL_BYTES :])
    return None if found is None else found.code


TAKEN = [
    ("photo", photo()),
    ("photo", photo("PNG")),
    ("photo", photo("WEBP")),
    ("photo", HEIC),
    ("voice", voice(0.1, "webm")),
    ("voice", voice(0.1, "ogg")),
    ("document", b"A note.\r\nWith two lines\tand a tab."),
    ("document", "Ñandú, €, 漢字 \N{SPEEDBOAT}".encode() * 300),
]


@pytest.mark.parametrize(("kind", "data"), TAKEN)
def test_what_is_taken(kind: str, data: bytes) -> None:
    assert code(kind, data) is None
    for other in {"photo", "voice", "document"} - {kind}:
        assert code(other, data) == "wrong_type"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zip_bomb(), "a ZIP archive"),
        (b"\x1f\x8b\x08" + bytes(100), "a compressed file"),
        (b"MZ\x90\x00" + bytes(100), "a program"),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "a program"),
        (b"#!/bin/sh\nrm -rf /\n", "a program"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<svg onload='x'></svg>", "an SVG drawing"),
        (b"\xef\xbb\xbf  <!DOCTYPE html><script>alert(1)</script>", "a web page"),
        (b"<?php system($_GET['x']); ?>", "a program"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"GIF89a" + bytes(30), "a GIF"),
    ],
)
def test_what_is_never_taken_is_told_in_words(data: bytes, words: str) -> None:
    for kind in kinds.TAKEN:
        found = kinds.refusal(kind, data[: kinds.HEAD_BYTES], data[-kinds.TAIL_BYTES :])
        assert found is not None
        assert (found.code, words in found.text) == ("wrong_type", True)


@pytest.mark.parametrize(
    "data",
    [
        photo() + zip_bomb(),
        photo(comment=b"<script>alert(1)</script>"),
        photo()[:20] + b"%PDF-1.7" + photo()[20:],
        voice(0.1, "ogg") + zip_bomb()[-200:],
    ],
)
def test_what_is_two_things_at_once_is_refused(data: bytes) -> None:
    kind = "voice" if data.startswith(b"OggS") else "photo"
    assert code(kind, data) == "two_in_one"


@given(st.sampled_from(sorted(kinds.TAKEN)), st.binary(), st.binary())
def test_any_bytes_get_a_judgement_in_words(kind: str, head: bytes, tail: bytes) -> None:
    found = kinds.refusal(kind, head, tail)
    if found is None:
        assert kinds.media_type(head) in kinds.TAKEN[kind]
    else:
        assert found.text.endswith(".") and found.code.isidentifier()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), st.integers(0, 99))
def test_a_text_is_a_text_wherever_its_beginning_is_cut(text: str, cut: int) -> None:
    data = ("a" + text).encode()
    assert kinds.media_type(data[: cut + 1]) in ("text/plain", None)
    if kinds.foreign(data) is None:
        assert kinds.media_type(data) == "text/plain"
