"""The standard's own schema beside this reader: what it refuses is refused here, with a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from written import ALERT, DOCUMENT, INFO, alerts

from dispatch.alerting import cap

FIXTURE = HealthCheck.function_scoped_fixture


@pytest.fixture(scope="module")
def schema(recordings: Path) -> etree.XMLSchema:
    path = recordings / "cap" / "cap12.xsd"
    if not path.exists():
        pytest.skip(f"no schema {path}; set PSN_RECORDINGS to the folder of recordings")
    return etree.XMLSchema(etree.parse(path))


def accepts(schema: etree.XMLSchema, data: bytes) -> bool:
    try:
        return schema.validate(etree.fromstring(data))
    except etree.XMLSyntaxError:
        return False


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, FIXTURE])
@given(alerts())
def test_what_is_written_keeps_the_schema(schema: etree.XMLSchema, alert: cap.Alert) -> None:
    assert schema.validate(etree.fromstring(cap.build(alert))), schema.error_log


values = st.sampled_from(
    ["", " ", "x", "Met", "Likely", "en-BZ", "toolongalanguage", "12", "-5", "24:00:00",
     "2026-06-01T12:00:00-06:00", "2026-06-01T12:00:00Z", "2026-06-01T12:00:00",
     "2026-06-01T24:00:00-06:00", "2026-13-01T12:00:00-06:00", "2026-06-01T12:00:00-15:00",
     "-2026-06-01T12:00:00-06:00", "2026-06-01T12:00:00,06:00", "0000-06-01T12:00:00-06:00"]
)  # fmt: skip


letters = st.text(st.sampled_from(list('ab1:/?#%[]@.- ñ"<&;=')), max_size=12)
starts = st.sampled_from(["", "http://", "https://nemo.org.bz/", "a:", "1:", "//", "mailto:"])


@settings(max_examples=500, suppress_health_check=[FIXTURE])
@given(starts, letters)
def test_an_address_that_the_schema_refuses_is_refused(
    schema: etree.XMLSchema, start: str, letters: str
) -> None:
    alert = replace(ALERT, infos=(replace(INFO, web=f"{start}{letters}"),))
    written = cap.build(alert)
    assert bool(cap.read(written).errors) or accepts(schema, written), schema.error_log


@settings(max_examples=500, suppress_health_check=[FIXTURE])
@given(st.data())
def test_what_the_schema_refuses_is_refused(schema: etree.XMLSchema, data: st.DataObject) -> None:
    """Lines left out, doubled, moved, and filled with something else."""
    document = DOCUMENT.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(2, len(document) - 2))
        line = document.pop(at)
        what = data.draw(st.sampled_from(["drop", "double", "move", "fill"]))
        if what == "double":
            document[at:at] = [line, line]
        elif what == "move":
            document.insert(data.draw(st.integers(2, len(document) - 1)), line)
        elif what == "fill":
            name = line.strip().strip("<").split(">")[0].split("<")[0]
            document.insert(at, f"<{name}>{data.draw(values)}</{name}>")
    written = "\n".join(document).encode()
    reading = cap.read(written)
    if not accepts(schema, written):
        assert reading.errors, schema.error_log
    if reading.valid:
        assert accepts(schema, written), schema.error_log
