"""What a bridge is told: ``radio.toml``, read into values, checked whole before anything is used.

A talkgroup is a number of a radio network, written ``police:91``. Every link belongs to one radio
network and says which of its talkgroups it carries, and on which slot. What two links of a radio
network carry both is joined; talkgroups of different numbers or radio networks are joined by a
patch.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from psn.problems import Problem
from radio_bridge.bridge import radio_networks, tables
from radio_bridge.bridge.radio_networks import RadioNetwork
from radio_bridge.bridge.tables import Address, Errors, Network, Table

SHORTEST_SECRET: Final = 8
"""Characters; a proof that is overheard can be tried against guesses."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_SLOTS: Final = (1, 2)
Talkgroup = tuple[str, int]
"""The radio network's name, and the number."""
Slots = dict[int, frozenset[int]]
"""Which talkgroups are on a slot."""


class SettingsError(Problem):
    """``bad_radio_settings``: the file cannot be used; nothing of it is."""

    def __init__(self, file: Path, found: list[str]) -> None:
        listed = "".join(f"\n  {one}" for one in found)
        text = f"{file} cannot be used:{listed}\n"
        super().__init__("bad_radio_settings", text, "Correct it; docs/operating.md has them all.")
        self.found = found


@dataclass(frozen=True, slots=True)
class Radios:
    """Whose transmissions are taken: of these, none of those. Nothing said: of all."""

    allowed: tuple[range, ...] = ()
    refused: tuple[range, ...] = ()

    def __contains__(self, radio: int) -> bool:
        if any(radio in some for some in self.refused):
            return False
        return not self.allowed or any(radio in some for some in self.allowed)


@dataclass(frozen=True, slots=True)
class Repeater:
    """A repeater that may sign in."""

    number: int
    secret: bytes = field(repr=False)
    slots: Slots


@dataclass(frozen=True, slots=True)
class Master:
    """Where repeaters sign in."""

    name: str
    radio_network: str
    listen: Address
    colour_code: int
    allowed: tuple[Network, ...]
    radios: Radios
    repeaters: dict[int, Repeater]


@dataclass(frozen=True, slots=True)
class Peer:
    """We sign in at a master as a repeater."""

    name: str
    radio_network: str
    master: Address
    number: int
    secret: bytes = field(repr=False)
    colour_code: int
    radios: Radios
    slots: Slots
    callsign: str
    location: str
    options: bytes


@dataclass(frozen=True, slots=True)
class OpenBridge:
    """Another master beside us."""

    name: str
    radio_network: str
    listen: Address
    target: Address
    number: int
    passphrase: bytes = field(repr=False)
    radios: Radios
    talkgroups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes at an SvxLink reflector."""

    name: str
    radio_network: str
    reflector: Address
    password: bytes = field(repr=False)
    radio: int
    """The number under which radios are shown who talks there."""
    conference: bool
    """The reflector has no talkgroups; all its nodes are in one."""
    nodes: dict[str, int]
    """Each node's talkgroup."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of USRP."""

    name: str
    radio_network: str
    listen: Address
    target: Address
    talkgroup: int
    radio: int
    """The number under which radios are shown who talks there, where the line does not say."""


Link = Master | Peer | OpenBridge | Nodes | Line


@dataclass(frozen=True, slots=True)
class OurNetwork:
    """How the bridge signs in at this network, as a gateway."""

    url: str
    key: Path
    store: Path | None
    """Where what could not be sent is kept; none: in memory."""
    radio: int
    """The number under which radios are shown a tablet whose unit carries no radio."""


@dataclass(frozen=True, slots=True)
class Vocoder:
    """An AMBE server."""

    address: Address
    channels: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it."""

    site: str
    metrics: Address | None = None
    records: Path | None = None
    """The file that a line for each call is written to."""
    network: OurNetwork | None = None
    vocoder: Vocoder | None = None
    radio_networks: dict[str, RadioNetwork] = field(default_factory=dict)
    """By the name that links say."""
    links: dict[str, Link] = field(default_factory=dict)
    patches: tuple[frozenset[Talkgroup], ...] = ()


def load(file: Path) -> Settings:
    """Read the file; raises :class:`SettingsError` with everything that is wrong with it."""
    try:
        content = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(file, [f"It cannot be read: {error.strerror or error}."]) from None
    except UnicodeDecodeError:
        raise SettingsError(file, ["It is no text in UTF-8."]) from None
    return read(content, file)


def secrets_of(file: Path) -> list[Path]:
    """The files of secrets that it names, there or not; none where it cannot be read."""
    try:
        found: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return []
    place, named, tables_left = file.absolute().parent, list[Path](), [found]
    while tables_left:
        for name, value in tables_left.pop().items():
            if isinstance(value, dict):
                tables_left.append(value)
            elif name.endswith("_file") and isinstance(value, str):
                named.append(place / Path(value).expanduser())
    return named


def read(content: str, file: Path) -> Settings:
    """The same, of a file's content; files that it names are looked for beside it."""
    try:
        found = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(file, [f"It is no TOML: {error}."]) from None
    errors = Errors()
    settings = _read(Table(found, "", errors), file.absolute().parent)
    if settings is not None:
        _check(settings, errors)
    if errors.found or settings is None:
        raise SettingsError(file, errors.found)
    return settings


def _read(whole: Table, beside: Path) -> Settings | None:
    def path(value: Any) -> Path:
        return beside / Path(tables.words(value)).expanduser()

    site = whole.take("site", tables.words, "here")
    metrics = whole.take("metrics", tables.address, None)
    records = whole.take("records", path, None)
    network = vocoder = None
    if (table := whole.table("network")) is not None:
        network = OurNetwork(
            table.take("url", _url),
            table.take("key", path),
            table.take("store", path, None),
            table.take("radio", tables.number),
        )
        table.done()
    if (table := whole.table("vocoder")) is not None:
        channels = tables.whole(1, 64)
        vocoder = Vocoder(
            table.take("address", tables.address), table.take("channels", channels, 1)
        )
        table.done()
    networks = {
        n: radio_networks.read(table, n) for n, table in whole.tables("radio_network").items()
    }
    links = {name: _link(name, table, beside) for name, table in whole.tables("link").items()}
    patches = [_patch(table) for table in whole.each("patch")]
    whole.done()
    if whole.errors.found:
        return None
    there = {name: link for name, link in links.items() if link is not None}
    for link in there.values():
        networks.setdefault(link.radio_network, RadioNetwork(link.radio_network))
    return Settings(site, metrics, records, network, vocoder, networks, there, tuple(patches))


def _url(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(https?|wss?)://[^\s/]+(/\S*)?", value):
        raise ValueError("the server's address, such as https://psn.example.bz")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a name: lower-case letters, digits, - and _, at most 31, a letter first")
    return value


def _link(name: str, table: Table, beside: Path) -> Link | None:
    if not _NAME.fullmatch(name):
        table.errors.add(table.path, "a link's name has lower-case letters, digits, - and _")
    kind = table.take("kind", tables.one_of("master", "peer", "openbridge", "svxlink", "usrp"))
    network = table.take("radio_network", _name)
    made: Link
    match kind:
        case "master":
            made = _master(name, network, table, beside)
        case "peer":
            made = _peer(name, network, table, beside)
        case "openbridge":
            made = OpenBridge(
                name,
                network,
                table.take("listen", tables.address),
                table.take("target", tables.address),
                table.take("number", tables.whole(1, 2**32 - 1)),
                _secret(table, "passphrase", beside),
                _radios(table),
                table.take("talkgroups", tables.numbers),
            )
        case "svxlink":
            made = _nodes(name, network, table, beside)
        case "usrp":
            made = Line(
                name,
                network,
                table.take("listen", tables.address),
                table.take("target", tables.address),
                table.take("talkgroup", tables.number),
                table.take("radio", tables.number),
            )
        case _:
            return None
    table.done()
    return made


def _secret(table: Table, name: str, beside: Path) -> bytes:
    """Given itself, or as ``…_file``: a file that has it and nothing else."""

    def given(value: Any) -> bytes:
        if not isinstance(value, str) or len(value) < SHORTEST_SECRET:
            raise ValueError(f"a text of at least {SHORTEST_SECRET} characters")
        return value.encode()

    def kept(value: Any) -> bytes:
        file = beside / Path(tables.words(value)).expanduser()
        try:
            return given(file.read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"a file that can be read ({error})") from None

    if f"{name}_file" in table:
        found: bytes = table.take(f"{name}_file", kept)
        if name in table:
            table.errors.add(table.at(name), f"either this or {name}_file is given, not both")
            table.take(name, given)
        return found
    return table.take(name, given)  # type: ignore[no-any-return]


def _radios(table: Table) -> Radios:
    return Radios(
        table.take("radios", tables.ranges, ()), table.take("refused_radios", tables.ranges, ())
    )


def _slots(table: Table) -> Slots:
    slots = {slot: table.take(f"slot_{slot}", tables.numbers, frozenset()) for slot in _SLOTS}
    for both in slots[1] & slots[2]:
        table.errors.add(table.at("slot_2"), f"talkgroup {both} is on slot 1 already")
    return slots


def _master(name: str, network: str, table: Table, beside: Path) -> Master:
    repeaters: dict[int, Repeater] = {}
    listen = table.take("listen", tables.address)
    colour_code = table.take("colour_code", tables.whole(0, 15), 1)
    allowed = table.take("allowed", tables.networks, ())
    radios = _radios(table)
    for key, inner in table.tables("repeater").items():
        number = int(key) if key.isascii() and key.isdecimal() else 0
        if not 0 < number < 2**32 or str(number) != key:
            inner.errors.add(inner.path, "a repeater's name is its number, from 1 to 4294967295")
        repeaters[number] = Repeater(number, _secret(inner, "secret", beside), _slots(inner))
        inner.done()
    return Master(name, network, listen, colour_code, allowed, radios, repeaters)


def _peer(name: str, network: str, table: Table, beside: Path) -> Peer:
    return Peer(
        name,
        network,
        table.take("master", tables.address),
        table.take("number", tables.whole(1, 2**32 - 1)),
        _secret(table, "secret", beside),
        table.take("colour_code", tables.whole(0, 15), 1),
        _radios(table),
        _slots(table),
        table.take("callsign", tables.words, ""),
        table.take("location", tables.words, ""),
        table.take("options", tables.words, "").encode(),
    )


def _nodes(name: str, network: str, table: Table, beside: Path) -> Nodes:
    nodes: dict[str, int] = {}
    reflector = table.take("reflector", tables.address)
    password = _secret(table, "password", beside)
    radio = table.take("radio", tables.number)
    conference = table.take("conference", tables.yes, False)
    for key, inner in table.tables("node").items():
        if not 0 < len(key.encode()) <= 38 or not key.isprintable():
            inner.errors.add(inner.path, "a node's name has 1 to 38 bytes")
        nodes[key] = inner.take("talkgroup", tables.number)
        inner.done()
    if conference and len(nodes) > 1:
        table.errors.add(table.at("node"), "at a reflector without talkgroups one node is enough")
    for talkgroup in {one for one in nodes.values() if list(nodes.values()).count(one) > 1}:
        table.errors.add(table.at("node"), f"two nodes are in talkgroup {talkgroup}")
    return Nodes(name, network, reflector, password, radio, conference, nodes)


def _patch(table: Table) -> frozenset[Talkgroup]:
    def between(value: Any) -> frozenset[Talkgroup]:
        wanted = 'two talkgroups or more, such as ["police:91", "defence:7"]'
        if not isinstance(value, list) or len(set(map(str, value))) != len(value) or len(value) < 2:
            raise ValueError(wanted)
        try:
            return frozenset(talkgroup(one) for one in value)
        except ValueError:
            raise ValueError(wanted) from None

    found: frozenset[Talkgroup] = table.take("between", between, frozenset())
    table.done()
    return found


def talkgroup(value: Any) -> Talkgroup:
    """A talkgroup as it is written: ``police:91``."""
    network, _, number = str(value).partition(":")
    if not number.isascii() or not number.isdecimal():
        raise ValueError("a talkgroup is written police:91")
    return _name(network), tables.number(int(number))


def carried(link: Link) -> frozenset[int]:
    """The talkgroups that a link carries."""
    match link:
        case Master(repeaters=repeaters):
            slots = [repeater.slots for repeater in repeaters.values()]
            return frozenset(itertools.chain(*(group for one in slots for group in one.values())))
        case Peer(slots=one):
            return one[1] | one[2]
        case OpenBridge(talkgroups=talkgroups):
            return talkgroups
        case Nodes(nodes=nodes):
            return frozenset(nodes.values())
        case Line(talkgroup=number):
            return frozenset({number})


def _check(settings: Settings, errors: Errors) -> None:
    """What no table can know alone."""
    there = {(link.radio_network, one) for link in settings.links.values() for one in carried(link)}
    listens: dict[Address, str] = {}
    shown: dict[tuple[str, int], str] = {}
    for name in settings.radio_networks:
        if name not in {link.radio_network for link in settings.links.values()}:
            errors.add(f"radio_network.{name}", "no link belongs to it")
    for name, link in settings.links.items():
        if isinstance(link, Master | OpenBridge | Line) and link.listen[1]:
            other = listens.setdefault(link.listen, name)
            if other != name:
                errors.add(f"link.{name}.listen", f"{other} listens there already")
        if isinstance(link, Nodes | Line):
            other = shown.setdefault((link.radio_network, link.radio), name)
            if other != name:
                errors.add(f"link.{name}.radio", f"{other} is shown under this number already")
    seen: set[Talkgroup] = set()
    for number, patch in enumerate(settings.patches, 1):
        for one in sorted(patch):
            written = f"{one[0]}:{one[1]}"
            if one not in there:
                errors.add(f"patch.{number}.between", f"no link carries {written}")
            if one in seen:
                errors.add(f"patch.{number}.between", f"{written} is in another patch already")
        seen |= patch
