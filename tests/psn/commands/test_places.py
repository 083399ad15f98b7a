"""The gazetteer by command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Psn, RunSql

TABLE = """name,kind,position,road,mile
,mile_marker,"17.28, -88.55",George Price Highway,32
,mile_marker,"17.28, -88.57",George Price Highway,33
Haulover Bridge,bridge,"17.5310, -88.2460",,
"""


def test_the_country_is_loaded_once_however_often(psn: Psn, run_sql: RunSql) -> None:
    assert psn("place", "load").output == "156 places added, 0 changed.\n"
    entries = run_sql("select count(*) from audit")
    assert psn("place", "load").output == "Everything was there already.\n"
    assert run_sql("select count(*) from audit") == entries
    run_sql("update place set name = 'Xaibe Town' where name = 'Xaibe'")
    run_sql("update place set retired_at = now() where name = 'Shipyard'")
    assert psn("place", "load").output == "0 places added, 1 changed.\n"
    assert run_sql("select retired_at is not null from place where name = 'Shipyard'")
    by = "select distinct actor from audit where action = 'place.added'"
    assert str(run_sql(by)).startswith("command line: ")


def test_a_table_is_imported_and_again(
    psn: Psn, agencies: None, run_sql: RunSql, tmp_path: Path
) -> None:
    file = tmp_path / "marks.csv"
    file.write_text(TABLE)
    told = psn("place", "import", str(file), "--agency", "bpd", "--source", "Works").output
    assert told == "3 places added, 0 changed.\n"
    file.write_text(TABLE.replace("-88.57", "-88.58"))
    told = psn("place", "import", str(file), "--agency", "BPD", "--source", "Works").output
    assert told == "0 places added, 1 changed.\n"
    assert run_sql("select st_x(point) from place where mile = 33") == -88.58
    # Another agency's, and everybody's, are rows of their own.
    assert "3 places added" in psn("place", "import", str(file), "--agency", "BCG").output
    assert "3 places added" in psn("place", "import", str(file)).output
    listed = psn("place", "list", "--agency", "BPD").output
    assert "Mile 32 George Price Highway" in listed and "Works" in listed and "BZ-CY" in listed
    assert "none" in psn("place", "list", "--kind", "caye").output


def test_notes_go_with_a_place_that_an_import_moves(
    psn: Psn, agencies: None, run_sql: RunSql, tmp_path: Path
) -> None:
    """DOM-PLACE-6."""
    file = tmp_path / "marks.csv"
    file.write_text(TABLE)
    psn("place", "import", str(file))
    run_sql(
        "insert into place_note (agency_id, place_id, point, radius_m, kind, text, author)"
        " select 1, id, point, 100, 'hazard', 'Low', 'test' from place where kind = 'bridge'"
    )
    file.write_text(TABLE.replace("17.5310", "17.5320"))
    psn("place", "import", str(file))
    assert run_sql("select st_y(point) from place_note") == 17.532


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("bridge", "brigde", "Line 4: The kind 'brigde' is unknown"),
        ("-88.57", "88.57", "Line 3: 17.28000°N 88.57000°E is"),
        (",33", ",32", "Line 3: It is the same place as line 2"),
        ("Haulover Bridge", "\x1b[31mHaulover", "Line 4: A name has more than 80 characters"),
    ],
)
def test_a_bad_row_keeps_all_out_and_is_named(
    psn: Psn, run_sql: RunSql, tmp_path: Path, before: str, after: str, said: str
) -> None:
    file = tmp_path / "marks.csv"
    file.write_text(TABLE.replace(before, after))
    refused = psn("place", "import", str(file), fails=True).output
    assert said in refused and "Nothing was loaded." in refused and "bad_table" in refused
    assert "\x1b" not in refused
    assert run_sql("select count(*) from place") == 0


def test_binary_and_unknown_agencies_are_refused(psn: Psn, tmp_path: Path) -> None:
    file = tmp_path / "marks.csv"
    file.write_bytes(b"PK\x03\x04\xff\xff")
    assert "no UTF-8" in psn("place", "import", str(file), fails=True).output
    file.write_text(TABLE)
    assert "not_found" in psn("place", "import", str(file), "--agency", "X", fails=True).output


def test_one_place_is_added_listed_and_retired(psn: Psn, agencies: None, run_sql: RunSql) -> None:
    told = psn("place", "add", "Town pier", "--at", "17°54'56\"N 87°57'48\"W", "--kind", "pier",
               "--agency", "BCG", "--other", "Muelle")  # fmt: skip
    assert told.output == "Place Town pier added, id 1.\n"
    psn("place", "add", "Mile 8", "--at", "17.2 N 88.6 W", "--kind", "mile_marker",
        "--road", "Northern Highway", "--mile", "8")  # fmt: skip
    assert run_sql("select road from place where mile = 8") == "Philip Goldson Highway"
    listed = psn("place", "list").output
    assert "Town pier" in listed and "BCG" in listed and "everybody" in listed
    assert psn("place", "retire", "1").output == "Place 1 is out of use.\n"
    assert "Town pier" not in psn("place", "list").output
    assert "out of use" in psn("place", "list", "--all").output
    assert "not_found" in psn("place", "retire", "9", fails=True).output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["Pier", "--at", "17.5 88.2"], "far_away"),
        (["Pier", "--at", "0, 0"], "far_away"),
        (["Pier", "--at", "2 km north of Xaibe"], "bad_position"),
        (["Pier", "--at", "nowhere"], "notation.unknown"),
        ([" ", "--at", "17.5 -88.2"], "bad_name"),
        (["Pier", "--at", "17.5 -88.2", "--mile", "3"], "bad_marker"),
        (["Pier", "--at", "17.5 -88.2", "--kind", "mile_marker", "--mile", "3"], "bad_marker"),
    ],
)
def test_what_is_no_place_is_refused(psn: Psn, arguments: list[str], code: str) -> None:
    assert f"[{code}]" in psn("place", "add", *arguments, fails=True).output
    if code == "far_away":
        psn("place", "add", *arguments, "--anywhere")
