"""Fences by command line, and GeoJSON that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Psn, loaded
from hypothesis import given
from hypothesis import strategies as st

from geo.fences import FenceError
from psn.commands.fences import read_geojson
from psn.problems import Problem

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[-88.2, 17.4], [-88.1, 17.4], [-88.1, 17.5], [-88.2, 17.5], [-88.2, 17.4]]],
}
BOWTIE = {
    "type": "Polygon",
    "coordinates": [[[-88.2, 17.4], [-88.1, 17.5], [-88.1, 17.4], [-88.2, 17.5], [-88.2, 17.4]]],
}


def feature(geometry: object, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_polygons_of_a_file_become_fences(psn: Psn, database: str, tmp_path: Path) -> None:
    psn("agency", "add", "BPD", "Police")
    file = tmp_path / "a.geojson"
    many = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]}
    file.write_bytes(collection(feature(SQUARE, name="Port"), feature(many, name="Zone")))
    added = psn("fence", "add", "--geojson", str(file), "--agency", "BPD")
    assert added.output == "Fence Port added, id 1.\nFence Zone added, id 2.\n"
    fences = loaded(database).fences
    assert (fences[1].agency, fences[2].area().geom_type) == (1, "MultiPolygon")
    listed = psn("fence", "list").output
    assert "Port" in listed and "km²" in listed
    psn("fence", "retire", "1")
    assert set(loaded(database).fences) == {2}
    assert "not_found" in psn("fence", "retire", "9", fails=True).output


def test_one_bad_polygon_keeps_all_out(psn: Psn, database: str, tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    file.write_bytes(collection(feature(SQUARE, name="Port"), feature(BOWTIE, name="Bow tie")))
    refused = psn("fence", "add", "--geojson", str(file), fails=True)
    assert "Bow tie" in refused.output and "fence.invalid" in refused.output
    assert loaded(database).fences == {}


def test_one_name_is_one_fence_of_an_agency(psn: Psn, database: str, tmp_path: Path) -> None:
    psn("agency", "add", "BPD", "Police")
    file = tmp_path / "a.geojson"
    file.write_bytes(collection(feature(SQUARE, name="Port"), feature(SQUARE, name="Port")))
    assert "named_twice" in psn("fence", "add", "--geojson", str(file), fails=True).output
    file.write_bytes(collection(feature(SQUARE, name="Port")))
    psn("fence", "add", "--geojson", str(file))
    refused = psn("fence", "add", "--geojson", str(file), fails=True).output
    assert "The fence Port is there already." in refused and "already_there" in refused
    assert "psn fence retire 1." in refused
    psn("fence", "add", "--geojson", str(file), "--agency", "BPD")
    psn("fence", "retire", "1")
    psn("fence", "add", "--geojson", str(file))
    assert set(loaded(database).fences) == {2, 3}


def test_latitude_first_is_noticed(psn: Psn, database: str, tmp_path: Path) -> None:
    file = tmp_path / "a.geojson"
    swapped = [[[lat, lon] for lon, lat in ring] for ring in SQUARE["coordinates"]]
    file.write_bytes(collection(feature({"type": "Polygon", "coordinates": swapped}, name="Port")))
    refused = psn("fence", "add", "--geojson", str(file), fails=True).output
    assert "look swapped" in refused and "far_away" in refused
    psn("fence", "add", "--geojson", str(file), "--anywhere")
    assert set(loaded(database).fences) == {1}


def test_a_bare_polygon_takes_its_name_from_the_option() -> None:
    bare = json.dumps(SQUARE).encode()
    assert read_geojson(bare, "Zone 3")[0].name == "Zone 3"
    with pytest.raises(Problem) as refused:
        read_geojson(bare)
    assert refused.value.code == "fence_without_name"


def test_the_option_wins_for_a_single_feature_only() -> None:
    one = collection(feature(SQUARE, name="Port"))
    two = collection(feature(SQUARE, name="Port"), feature(SQUARE))
    assert [area.name for area in read_geojson(one, "X")] == ["X"]
    assert [area.name for area in read_geojson(two, "X")] == ["Port", "X"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"type": "Point", "coordinates": [1, 2]}',
        b'{"type": "FeatureCollection"}',
        b'{"type": "FeatureCollection", "features": []}',
        b'{"type": "FeatureCollection", "features": [1]}',
        collection(feature(None, name="x")),
        collection(feature({"type": "Point", "coordinates": [1, 2]}, name="x")),
        collection(feature({"type": "Polygon"}, name="x")),
        collection(feature({"type": "Polygon", "coordinates": 5}, name="x")),
        collection(feature({"type": "Polygon", "coordinates": [[["a", "b"]]]}, name="x")),
        collection(feature({"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}, name="x")),
    ],
)
def test_what_is_no_polygon_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises((Problem, FenceError)) as refused:
        read_geojson(content)
    assert refused.value.todo


@pytest.mark.parametrize("point", [[-188.2, 17.4], [17.4, -98.2], [float("nan"), 17.0]])
def test_a_polygon_off_the_earth_is_refused(point: list[float]) -> None:
    shape = {"type": "Polygon", "coordinates": [[[-88, 17], [-87, 17], point, [-88, 17]]]}
    with pytest.raises((Problem, FenceError)):
        read_geojson(json.dumps(feature(shape, name="x")).encode())


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "coordinates", "name"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_json, _json, _json)
def test_any_json_gives_fences_or_a_refusal(
    geometry: object, coordinates: object, properties: object
) -> None:
    shape = {"type": "Polygon", "coordinates": coordinates}
    for each in (geometry, shape):
        whole = {"type": "Feature", "geometry": each, "properties": properties}
        try:
            read_geojson(json.dumps(whole).encode(), "x")
        except (Problem, FenceError) as refused:
            assert refused.code
