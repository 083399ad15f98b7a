"""``radio.toml``: what it means, and what it is refused for, by path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio_bridge.bridge import settings
from radio_bridge.bridge.settings import Line, Master, Nodes, OpenBridge, Peer, SettingsError

WHOLE = """
site = "Belmopan"
metrics = "127.0.0.1:9180"
records = "calls.jsonl"

[network]
url = "https://psn.example.bz"
key = "radio.pem"
radio = 7020000

[vocoder]
address = "127.0.0.1:2460"
channels = 3

[radio_network.police]
called = "National"
texts = "etsi"
positions = 60
status = { 1 = "available", 2 = "busy" }

[link.belmopan]
kind = "master"
radio_network = "police"
listen = "0.0.0.0:62031"
allowed = ["10.8.0.0/16"]
refused_radios = [7, "100-199"]

[link.belmopan.repeater.702001]
secret = "long enough"
slot_1 = [91, 92]
slot_2 = [101]

[link.country]
kind = "peer"
radio_network = "police"
master = "10.8.0.1:62031"
number = 702900
secret = "long enough"
slot_1 = [91]

[link.neighbour]
kind = "openbridge"
radio_network = "police"
listen = "0.0.0.0:62035"
target = "10.8.0.2:62035"
number = 702
passphrase = "long enough"
talkgroups = [91]

[link.customs]
kind = "svxlink"
radio_network = "customs"
reflector = "10.8.0.3:5300"
password = "long enough"
radio = 16000001

[link.customs.node.PSN-9]
talkgroup = 9

[link.boats]
kind = "usrp"
radio_network = "coast"
listen = "127.0.0.1:34001"
target = "127.0.0.1:32001"
talkgroup = 1
radio = 16000002

[[patch]]
between = ["police:91", "customs:9"]
"""
HERE = Path("radio.toml")
NO_DESK = (
    "radio_network.police.desks: wanted is a table of radios' numbers and agencies, such as "
    '7000 = "agency:1".'
)


def found(content: str, file: Path = HERE) -> list[str]:
    with pytest.raises(SettingsError) as problem:
        settings.read(content, file)
    return problem.value.found


def test_every_kind_of_link() -> None:
    read = settings.read(WHOLE, HERE)
    kinds = [type(link) for link in read.links.values()]
    assert kinds == [Master, Peer, OpenBridge, Nodes, Line]
    assert read.patches == (frozenset({("police", 91), ("customs", 9)}),)
    master = read.links["belmopan"]
    assert isinstance(master, Master)
    assert master.repeaters[702001].slots == {1: frozenset({91, 92}), 2: frozenset({101})}
    assert [radio in master.radios for radio in (7, 8, 99, 100, 199, 200)] == [
        False, True, True, False, False, True,
    ]  # fmt: skip
    assert "long enough" not in repr(read)
    police, customs = read.radio_networks["police"], read.radio_networks["customs"]
    assert (police.called, police.statuses) == ("National", {1: "available", 2: "busy"})
    assert customs.called == "customs"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('kind = "peer"', 'kind = "pear"', "link.country.kind: wanted is one of master, peer, "
         "openbridge, svxlink, usrp."),
        ("slot_2 = [101]", "slot_2 = [91]",
         "link.belmopan.repeater.702001.slot_2: talkgroup 91 is on slot 1 already."),
        ("slot_2 = [101]", "slot2 = [101]",
         "link.belmopan.repeater.702001.slot2: there is no such setting; slot_2 is probably "
         "meant."),
        ("[link.belmopan.repeater.702001]", "[link.belmopan.repeater.0702001]",
         "link.belmopan.repeater.0702001: a repeater's name is its number, from 1 to 4294967295."),
        ('secret = "long enough"\nslot_1 = [91, 92]', 'secret = "short"',
         "link.belmopan.repeater.702001.secret: wanted is a text of at least 8 characters."),
        ('target = "10.8.0.2:62035"', "", "link.neighbour.target: this has to be given."),
        ('listen = "0.0.0.0:62035"', 'listen = "0.0.0.0:62031"',
         "link.neighbour.listen: belmopan listens there already."),
        ('"customs:9"', '"customs:10"', "patch.1.between: no link carries customs:10."),
        ('"customs:9"', '"customs"', 'patch.1.between: wanted is two talkgroups or more, such as '
         '["police:91", "defence:7"].'),
        ("[radio_network.police]", "[radio_network.polices]",
         "radio_network.polices: no link belongs to it."),
        ("2 = ", "2000 = ", "radio_network.police.status: wanted is a table of numbers from 0 to "
         '1023 and what they mean, such as 1 = "available".'),
        ("status = {", 'desks = { 0 = "agency:1" }\nstatus = {', NO_DESK),
        ("status = {", 'desks = { 7000 = "unit:1" }\nstatus = {', NO_DESK),
        ("status = {", "desks = [7000]\nstatus = {", NO_DESK),
        ("channels = 3", "channels = true",
         "vocoder.channels: wanted is a whole number from 1 to 64."),
        ('url = "https://psn.example.bz"', 'url = "psn"',
         "network.url: wanted is the server's address, such as https://psn.example.bz."),
        ("talkgroup = 9", "talkgroup = 0",
         "link.customs.node.PSN-9.talkgroup: wanted is a whole number from 1 to 16776415."),
    ],
)  # fmt: skip
def test_errors_have_a_path_and_a_sentence(before: str, after: str, said: str) -> None:
    assert before in WHOLE
    assert said in found(WHOLE.replace(before, after, 1))


def test_all_that_is_wrong_is_said_at_once() -> None:
    broken = WHOLE.replace("channels = 3", "channels = 0").replace("radio = 16000002", "")
    assert len(found(broken)) == 2


def test_a_talkgroup_is_in_one_patch() -> None:
    twice = WHOLE + '[[patch]]\nbetween = ["police:91", "coast:1"]\n'
    assert found(twice) == ["patch.2.between: police:91 is in another patch already."]


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    content = WHOLE.replace('passphrase = "long enough"', 'passphrase_file = "secret"')
    link = settings.read(content, tmp_path / "radio.toml").links["neighbour"]
    assert isinstance(link, OpenBridge)
    assert link.passphrase == b"from a file"
    missing = content.replace('"secret"', '"elsewhere"')
    (said,) = found(missing, tmp_path / "radio.toml")
    assert said.startswith("link.neighbour.passphrase_file: wanted is a file that can be read")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[link", b"link = 3", b"[[link]]", b"patch = 1"])
def test_a_file_of_anything_else(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "radio.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError):
        settings.load(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(tmp_path / "nowhere")


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)), st.text(max_size=5))
def test_whatever_is_typed_is_read_or_refused(begin: int, end: int, typed: str) -> None:
    try:
        settings.read(WHOLE[:begin] + typed + WHOLE[end:], HERE)
    except SettingsError as problem:
        assert problem.found


def test_the_example_of_the_handbook_is_good(tmp_path: Path) -> None:
    handbook = (Path(__file__).parents[3] / "docs/operating.md").read_text(encoding="utf-8")
    ((example,),) = [re.findall(r'```toml\n(site = ".*?)```', handbook, re.DOTALL)]
    for name in re.findall(r'_file = "/etc/psn/(\w+)"', example):
        (tmp_path / name).write_text("a long secret of its own\n")
    read = settings.read(example.replace("/etc/psn", str(tmp_path)), tmp_path / "radio.toml")
    assert {type(link) for link in read.links.values()} == {Master, Peer, OpenBridge, Nodes, Line}
    assert read.vocoder is not None
    assert read.network is not None
