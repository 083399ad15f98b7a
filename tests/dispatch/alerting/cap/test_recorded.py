"""Alerts of national services, as they were published: each gets the right answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch.alerting import cap
from dispatch.alerting.cap import Version

RIGHT = {
    "canada.cap": (Version.V1_2, set()),
    "canada_errors.cap": (Version.V1_2, {"cap.references_missing"}),
    "earthquake.cap": (Version.V1_1, set()),
    "earthquake-iso8859-1.cap": (Version.V1_2, set()),
    "invalid.cap": (Version.V1_2, {"cap.missing"}),
    "no_optional_fields.cap": (Version.V1_1, set()),
    "weather.cap": (Version.V1_1, set()),
}
"""Of each the version, and the codes of its errors."""


@pytest.fixture(scope="module")
def folder(recordings: Path) -> Path:
    folder = recordings / "cap"
    if not folder.is_dir():
        pytest.skip(f"no recorded alerts in {folder}; set PSN_RECORDINGS to the folder above them")
    return folder


@pytest.mark.parametrize("name", RIGHT)
def test_it_gets_the_right_answer(folder: Path, name: str) -> None:
    path = folder / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    reading = cap.read(path.read_bytes())
    version, codes = RIGHT[name]
    assert reading.version is version
    assert {each.code for each in reading.errors} == codes
    assert reading.valid is not bool(codes)


def test_every_recording_is_read_or_refused_in_sentences(folder: Path) -> None:
    looked_at = 0
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".cap", ".xml"):
            continue
        looked_at += 1
        reading = cap.read(path.read_bytes())
        assert reading.version is not None, path.name
        for each in reading.findings:
            assert each.path.startswith("/alert"), path.name
            assert each.text.endswith(".") and each.todo.endswith(".")
    assert looked_at


def test_what_is_read_can_be_sent_on(folder: Path) -> None:
    """Written anew as CAP 1.2, it says the same."""
    for path in sorted(folder.glob("*.cap")):
        alert = cap.read(path.read_bytes()).alert
        if alert is not None:
            assert cap.read(cap.build(alert)).alert == alert, path.name


def test_accents_come_through_another_encoding(folder: Path) -> None:
    path = folder / "earthquake-iso8859-1.cap"
    if not path.exists():
        pytest.skip("no recording in ISO-8859-1")
    assert "Usulután" in (cap.parse(path.read_bytes()).infos[0].headline or "")
