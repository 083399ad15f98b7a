"""Files of OpenStreetMap: cut where roads meet, and every bad one told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osm import PLACES, pbf, xml

from dispatch.roads import osm_file
from psn.problems import Problem


def written(tmp_path: Path, content: str | bytes, name: str = "small.osm") -> Path:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_roads_are_cut_where_they_meet_and_nowhere_else(tmp_path: Path) -> None:
    read = osm_file.read(written(tmp_path, xml()))
    ends = [(edge.source, edge.target) for edge in read.edges]
    assert ends == [(1, 3), (3, 4), (3, 5), (5, 1)]
    assert read.nodes == {n: pytest.approx(PLACES[n]) for n in (1, 3, 4, 5)}
    first = read.edges[0]
    assert (first.name, first.ref, first.kind) == ("Hummingbird Highway", "H2", "primary")
    assert first.metres == pytest.approx(10_620, rel=0.01)
    assert first.line.coords[1] == pytest.approx(PLACES[2])
    assert first.forward_s == first.backward_s == pytest.approx(first.metres / (75 / 3.6))
    assert (read.edges[2].forward_s is None, read.edges[2].backward_s is None) == (False, True)


def test_both_formats_say_the_same_whatever_the_file_is_called(tmp_path: Path) -> None:
    as_xml = written(tmp_path, xml())
    as_pbf = pbf(as_xml)
    assert osm_file.read(as_pbf) == osm_file.read(as_xml)
    renamed = tmp_path / "roads.bin"
    as_pbf.rename(renamed)
    assert osm_file.read(renamed) == osm_file.read(as_xml)


def test_a_circle_and_a_road_that_meets_itself_are_cut(tmp_path: Path) -> None:
    ways = [((1, 2, 3, 1), {"highway": "service"}), ((4, 5, 6, 5), {"highway": "service"})]
    ends = [(e.source, e.target) for e in osm_file.read(written(tmp_path, xml(ways=ways))).edges]
    assert ends == [(1, 1), (4, 5), (5, 5)]


def test_points_that_the_extract_does_not_have_are_left_out(tmp_path: Path) -> None:
    ways = [((99, 1, 98, 2, 97), {"highway": "service"}), ((96, 95), {"highway": "service"})]
    read = osm_file.read(written(tmp_path, xml(ways=ways)))
    assert [(edge.source, edge.target) for edge in read.edges] == [(1, 2)]


def test_names_are_cleaned(tmp_path: Path) -> None:
    ways = [((1, 2), {"highway": "service", "name": "a\u202eb" + "x" * 300, "ref": "  "})]
    (edge,) = osm_file.read(written(tmp_path, xml(ways=ways))).edges
    assert edge.name is not None and edge.name.startswith("abx")
    assert (len(edge.name), edge.ref) == (osm_file.MOST_NAME, None)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_osm"),
        (b"PK\x03\x04 a zip", "not_osm"),
        (b'<?xml version="1.0"?><gpx></gpx>', "not_osm"),
        (b"\x00\x00\x00\x0d\x0a\x09OSMHeader", "broken_osm"),
        (xml()[:-40], "broken_osm"),
        (xml().replace('lat="17.2000000"', 'lat="north"'), "broken_osm"),
        (xml().replace("</way>", "", 1), "broken_osm"),
        (xml().replace("highway", "waterway"), "no_roads"),
        (xml(places={}), "no_roads"),
        (xml(ways=[]), "no_roads"),
    ],
    ids=range(10),
)
def test_what_cannot_be_used_is_told(tmp_path: Path, content: str | bytes, code: str) -> None:
    with pytest.raises(Problem) as told:
        osm_file.read(written(tmp_path, content))
    assert told.value.code == code
    assert "small.osm" in told.value.text


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem) as told:
        osm_file.read(tmp_path / "not there")
    assert told.value.code == "unreadable_file"


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_file_with_wrong_bytes_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    good = written(tmp_path, xml())
    content = bytearray((pbf(good) if data.draw(st.booleans()) else good).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        read = osm_file.read(written(tmp_path, bytes(content[:cut]), "wrong"))
    except Problem as told:
        assert told.code in {"not_osm", "broken_osm", "no_roads"}
    else:
        assert all(edge.source in read.nodes for edge in read.edges)
