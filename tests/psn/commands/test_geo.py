"""Roads by command line."""

from __future__ import annotations

import json
from pathlib import Path

from command_line import Psn, RunSql

OSM = """<osm version="0.6"><node id="1" lat="{0}" lon="-88.5"/><node id="2" lat="{0}" lon="-88.4"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/><tag k="ref" v="H2"/></way>
</osm>
"""


def test_roads_are_imported_and_shown(psn: Psn, tmp_path: Path, run_sql: RunSql) -> None:
    assert "No roads were imported" in psn("geo", "status").output
    file = tmp_path / "small.osm"
    file.write_text(OSM.format(17.2))
    assert "1 pieces of road, 11 km, with 2 ends." in psn("geo", "import", str(file)).output
    said = psn("geo", "status").output
    assert "of small.osm, imported" in said and "SHA-256" in said
    assert run_sql("select count(*) from audit where body like '%roads.imported%'") == 1


def test_a_bad_file_leaves_the_old_roads(psn: Psn, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.osm", tmp_path / "bad.osm.pbf"
    good.write_text(OSM.format(17.2))
    psn("geo", "import", str(good))
    for content in (b"", b"no map", b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18", b"<osm></osm>"):
        bad.write_bytes(content)
        refused = psn("geo", "import", str(bad), fails=True)
        assert "bad.osm.pbf" in refused.output and "Traceback" not in refused.output
    assert "of good.osm" in psn("geo", "status").output


def test_roads_elsewhere_are_doubted(psn: Psn, tmp_path: Path) -> None:
    file = tmp_path / "vienna.osm"
    file.write_text(OSM.format(48.2))
    assert "far_away" in psn("geo", "import", str(file), fails=True).output
    psn("geo", "import", str(file), "--anywhere")


def test_a_way_is_shown_or_said_not_to_be(psn: Psn, tmp_path: Path, run_sql: RunSql) -> None:
    file = tmp_path / "small.osm"
    file.write_text(OSM.format(17.2))
    psn("geo", "import", str(file))
    places = ("--from", "17.2,-88.49", "--to", "17.2,-88.41")
    if run_sql("select count(*) from pg_extension where extname = 'pgrouting'"):
        assert "8.5 km  H2" in psn("geo", "way", *places).output
        drawn = json.loads(psn("geo", "way", *places, "--geojson").output)
        assert drawn["geometry"]["type"] == "LineString"
    else:
        assert "no_pgrouting" in psn("geo", "way", *places, fails=True).output
    assert "is no place" in psn("geo", "way", "--from", "x", "--to", "17,-88", fails=True).output
