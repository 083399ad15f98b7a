"""Radio networks by command line, and what the server makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Psn, RunSql, loaded


@pytest.fixture
def network(psn: Psn, agencies: None, run_sql: RunSql) -> None:
    """One that the police runs, with a car of theirs, a boat of the coast guard's and a gateway."""
    psn("unit", "add", "BPD/P-1", "--kind", "patrol_car")
    psn("unit", "add", "BCG/B-1", "--kind", "boat")
    psn("group", "add", "Patrols", "--agency", "BPD")
    run_sql(
        "insert into device (agency_id, label, public_key, gateway)"
        " values (1, 'Bridge', '\\x00', true)"
    )
    assert psn("radio-network", "add", "National", "--agency", "bpd").output == (
        "Radio network National added, id 1.\n"
    )


def test_a_network_is_set_up_and_taken_down(psn: Psn, network: None, database: str) -> None:
    psn("radio-network", "agency", "National", "BCG")
    psn("radio-network", "gateway", "National", "Bridge")
    psn("radio-network", "talkgroup", "National", "91", "BPD/Patrols")
    psn("radio-network", "radio", "National", "4711", "BPD/P-1")
    told = psn("radio-network", "radio", "1", "4712", "BCG/B-1").output
    assert told == "Radio 4712 of 1 carries BCG/B-1.\n"
    directory = loaded(database)
    (made,) = directory.radio_networks.values()
    assert (made.agencies, made.gateways) == ({1, 2}, {1})
    assert {n: radio.unit for n, radio in directory.radios_by_number.items()} == {
        (1, 4711): 1, (1, 4712): 2,
    }  # fmt: skip
    listed = psn("radio-network", "list").output.splitlines()[1].split()
    assert listed == ["1", "National", "BPD", "BCG", "1", "1", "2", "0"]
    # Given to another, and again the same.
    for _ in range(2):
        psn("radio-network", "radio", "National", "4711", "BCG/B-1")
        psn("radio-network", "gateway", "National", "1")
    assert loaded(database).radios_by_number[1, 4711].unit == 2
    psn("radio-network", "agency", "National", "BCG", "--remove")
    assert loaded(database).radios == {}
    psn("radio-network", "talkgroup", "National", "91", "--part")
    psn("radio-network", "gateway", "National", "Bridge", "--remove")
    psn("radio-network", "radio", "National", "4711", "BPD/P-1")
    psn("radio-network", "radio", "National", "4711", "--take")
    directory = loaded(database)
    assert (directory.radios, directory.radio_talkgroups) == ({}, {})
    assert next(iter(directory.radio_networks.values())).gateways == frozenset()


def test_what_is_wrong_is_refused_and_changes_nothing(
    psn: Psn, network: None, database: str
) -> None:
    for words, sentence in (
        (("add", "National", "--agency", "BPD"), "National is there already"),
        (("add", " ", "--agency", "BPD"), "no name of a radio network"),
        (("agency", "National", "BPD"), "BPD runs National"),
        (("radio", "National", "4711", "BCG/B-1"), "BCG does not take part in National"),
        (("radio", "National", "4711"), "given to a unit, or taken"),
        (("radio", "National", "0", "BPD/P-1"), "0 is not in the range"),
        (("radio", "Elsewhere", "4711", "BPD/P-1"), "no radio network Elsewhere"),
        (("talkgroup", "National", "91", "Nobody"), "no group Nobody"),
        (("gateway", "National", "77"), "no gateway of the agency that runs it 77"),
    ):
        assert sentence in psn("radio-network", *words, fails=True).output
    directory = loaded(database)
    assert (directory.radios, directory.radio_talkgroups) == ({}, {})


def test_unknown_radios_are_listed(psn: Psn, network: None, run_sql: RunSql) -> None:
    assert psn("radio-network", "unknown", "National").output == "none\n"
    psn("radio-network", "radio", "National", "4711", "BPD/P-1")
    run_sql(
        "insert into radio_heard (network_id, number, first_at, last_at, times, what, site)"
        " values (1, 4711, now(), now(), 1, 'call', 'hill'),"
        " (1, 4799, now(), now(), 3, 'text', 'Baldy Beacon')"
    )
    (_, row) = psn("radio-network", "unknown", "National").output.splitlines()
    assert row.split()[:5] == ["4799", "text", "Baldy", "Beacon", "3"]


def test_a_secret_is_made_for_one_file(psn: Psn, tmp_path: Path) -> None:
    file = tmp_path / "702001"
    shown = psn("radio-network", "secret", str(file)).output
    assert file.read_text().strip() in shown and len(file.read_text()) > 30
    assert file.stat().st_mode & 0o777 == 0o600
    assert "is there already" in psn("radio-network", "secret", str(file), fails=True).output
