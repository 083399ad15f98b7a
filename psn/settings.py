"""Settings of the server: defaults, then a TOML file, then environment variables, checked.

Every setting is one field of :class:`Settings`. It is written ``port = 8080`` in the TOML file
that ``PSN_CONFIG`` names, and ``PSN_PORT=8080`` in the environment, which wins. A wrong value, and
a name in the file that is no setting, is refused with what was probably meant.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from psn import forwarded
from psn.problems import Problem

PREFIX: Final = "PSN_"
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*\Z")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class SettingsError(Problem):
    """A setting that cannot be used: ``bad_setting``, ``unknown_setting``, ``bad_config_file``."""


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _database(value: Any) -> str:
    wanted = "an address like postgresql://user@host:5432/psn"
    if not isinstance(value, str):
        raise ValueError(wanted)
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (reading it is what checks it)
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(wanted)
    return value


def _level(value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in LOG_LEVELS:
        raise ValueError("one of " + ", ".join(LOG_LEVELS))
    return value.lower()


def _yes(value: Any) -> bool:
    said = str(value).lower() if isinstance(value, str | bool) else ""
    if said not in ("true", "yes", "false", "no"):
        raise ValueError("true or false")
    return said in ("true", "yes")


def _optional_words(value: Any) -> str | None:
    return None if value == "" else _words(value)


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in words:
            raise ValueError("one of " + ", ".join(words))
        return value.lower()

    return read


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _origin(value: Any) -> str | None:
    """Scheme, host and port, as a browser says it (RFC 6454); passkeys are bound to the host."""
    wanted = "an address like https://psn.example.bz"
    if value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(wanted)
    try:
        parts = urlsplit(value.rstrip("/"))
        port = parts.port
    except ValueError:
        raise ValueError(wanted) from None
    host = parts.hostname
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise ValueError(wanted)
    if parts.path or parts.query or parts.fragment:
        raise ValueError(wanted + ", without a path")
    if _is_address(host):
        raise ValueError(wanted + ", with a name: passkeys cannot be bound to an address")
    if parts.scheme == "http" and host != "localhost":
        raise ValueError(wanted + ": passkeys need https, but on localhost")
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def _networks(value: Any) -> tuple[forwarded.Network, ...]:
    wanted = "addresses or networks such as 10.0.0.1, 10.1.0.0/16"
    if not isinstance(value, str):
        raise ValueError(wanted)
    try:
        return forwarded.networks(value)
    except ValueError:
        raise ValueError(wanted) from None


def _address_in(value: Any, wanted: str) -> SplitResult | None:
    """The parts of an address; none: nothing is set. Raises ``ValueError``: ``wanted``."""
    if value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(wanted)
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 (reading it is what checks it)
    except ValueError:
        raise ValueError(wanted) from None
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError(wanted)
    return parts


def _syslog(value: Any) -> str | None:
    """Where a receiver of syslog listens."""
    wanted = "an address like tls://siem.example.bz:6514 or tcp://127.0.0.1:514"
    parts = _address_in(value, wanted)
    if parts is None:
        return None
    if parts.scheme not in ("tcp", "tls") or parts.path or parts.username is not None:
        raise ValueError(wanted)
    return parts.geturl()


def _smtp(value: Any) -> str | None:
    """Where mail goes out."""
    wanted = "an address like smtp://user:password@mail.example.bz:587 or smtps://…"
    parts = _address_in(value, wanted)
    if parts is None:
        return None
    if parts.scheme not in ("smtp", "smtps") or parts.path.strip("/"):
        raise ValueError(wanted)
    return parts.geturl()


def _virus_scan(value: Any) -> str | None:
    """Who is asked whether a file is clean."""
    wanted = "clamd:/path/to/socket, clamd:host:port or command:PROGRAM"
    if value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(wanted)
    kind, _, where = value.partition(":")
    host, _, port = where.rpartition(":")
    if kind == "clamd" and (where.startswith("/") or (host and port.isdecimal())):
        return value
    if kind == "command" and where.strip():
        try:
            shlex.split(where)
        except ValueError:
            raise ValueError(wanted) from None
        return value
    raise ValueError(wanted)


def _hosts(value: Any) -> tuple[str, ...]:
    """Names of hosts, and ``*.`` before what names of hosts end with."""
    wanted = "names of hosts such as push.example.org, *.push.example.com"
    if not isinstance(value, str):
        raise ValueError(wanted)
    names = tuple(each.strip().lower() for each in value.split(",") if each.strip())
    if not all(_HOST.match(each) for each in names):
        raise ValueError(wanted)
    return names


def _days(value: Any) -> int | None:
    """Days to keep something; nothing or ``forever``: for ever."""
    if value in ("", "forever"):
        return None
    try:
        return _whole(1, 36_500)(value)
    except ValueError as problem:
        raise ValueError(f"{problem}, or forever") from None


def _setting(default: Any, read: Callable[[Any], Any]) -> Any:
    return field(default=default, metadata={"read": read})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is told. ``PSN_`` and the name in capitals is the environment variable."""

    database: str = _setting("postgresql:///psn", _database)
    """Where PostgreSQL is, ``postgresql://…``; a socket directory goes in ``?host=``."""
    host: str = _setting("127.0.0.1", _words)
    """Address to listen on."""
    port: int = _setting(8080, _whole(0, 65_535))
    """TCP port; 0: any that is free."""
    tls_certificate: str | None = _setting(None, _optional_words)
    """PEM file of the server's certificate and those that signed it; none: no TLS."""
    tls_key: str | None = _setting(None, _optional_words)
    """PEM file of the certificate's private key."""
    tls_client_authority: str | None = _setting(None, _optional_words)
    """PEM file of who signs certificates of clients; none: they are not asked for one."""
    tls_devices_need_certificate: bool = _setting(False, _yes)
    """Devices sign in only where they have shown a certificate of that authority."""
    keys: str = _setting("~/.local/state/psn/keys", _words)
    """Directory of the server's own keys; made, with its keys, when it is missing."""
    files: str = _setting("~/.local/state/psn/files", _words)
    """Directory of photos and voice notes; made when it is missing."""
    photo_megabytes: int = _setting(20, _whole(1, 90))
    """Of one photo, as it comes."""
    voice_megabytes: int = _setting(10, _whole(1, 90))
    """Of one voice note, as it comes."""
    voice_seconds: int = _setting(300, _whole(1, 900))
    """Of one voice note."""
    daily_megabytes: int = _setting(2_000, _whole(1, 1_000_000))
    """Of all that an agency's people and units attach in a day (UTC)."""
    virus_scan: str | None = _setting(None, _virus_scan)
    """Who looks for viruses: ``clamd:/path``, ``clamd:host:port``, ``command:PROGRAM``."""
    targets: str | None = _setting(None, _optional_words)
    """TOML file of what agencies want to reach (docs/operating.md, Numbers); none: the usual."""
    pmtiles: str | None = _setting(None, _optional_words)
    """The operator's own map: a PMTiles file or its URL."""
    keep_track_days: int = _setting(30, _whole(1, 36_500))
    """Days that tracks are kept."""
    keep_message_days: int | None = _setting(None, _days)
    """Days that messages are kept; none: for ever."""
    keep_attachment_days: int | None = _setting(None, _days)
    """Days that photos, voice notes and notes are kept; none: for ever."""
    keep_recording_days: int | None = _setting(365, _days)
    """Days that recordings of talk are kept; none: for ever."""
    keep_call_days: int | None = _setting(730, _days)
    """Days that calls are kept that came to nothing; none: for ever."""
    keep_incident_days: int | None = _setting(2_557, _days)
    """Days that ended incidents are kept, with all of theirs; none: for ever."""
    keep_lookout_days: int | None = _setting(365, _days)
    """Days that lookouts are kept after their end; none: for ever."""
    keep_audit_days: int | None = _setting(None, _days)
    """Days that entries of the audit are kept; none: for ever."""
    session_hours: int = _setting(12, _whole(1, 168))
    """Hours after which a person or device signs in anew."""
    audit_checkpoint_minutes: int = _setting(60, _whole(1, 1_440))
    """Minutes from one signed checkpoint of the audit to the next."""
    audit_checkpoints: str | None = _setting(None, _optional_words)
    """File to which each checkpoint is added, best on another machine; none: only the log."""
    idle_minutes: int = _setting(30, _whole(0, 1_440))
    """Minutes without a person's activity after which his session locks; 0: never."""
    second_factor: str = _setting("offered", _one_of("offered", "required"))
    """``required``: who has no second factor can do nothing but enrol one."""
    breached_passwords: str | None = _setting(None, _optional_words)
    """File of SHA-1 hashes of passwords that nobody may choose, ordered by hash."""
    emergency_driving_percent: int = _setting(120, _whole(50, 300))
    """Speed on roads with lights and siren, in percent of ordinary driving."""
    origin: str | None = _setting(None, _origin)
    """Address at which people open the pages, for passkeys; none: only on localhost."""
    trusted_proxies: tuple[forwarded.Network, ...] = _setting((), _networks)
    """Proxies in front of the server that are believed who asks, and how; others never are."""
    metrics_for: tuple[forwarded.Network, ...] = _setting(
        forwarded.networks("127.0.0.0/8, ::1"), _networks
    )
    """Who may read ``/metrics``; others are refused."""
    syslog: str | None = _setting(None, _syslog)
    """Where security events go as syslog: ``tls://host:port`` or ``tcp://host:port``."""
    syslog_authority: str | None = _setting(None, _optional_words)
    """PEM file of who signs that receiver's certificate; none: whom this machine trusts."""
    syslog_certificate: str | None = _setting(None, _optional_words)
    """PEM file of a certificate to show to that receiver."""
    syslog_key: str | None = _setting(None, _optional_words)
    """PEM file of that certificate's private key."""
    syslog_enterprise: int = _setting(32_473, _whole(1, 4_294_967_295))
    """Private enterprise number in the names of fields; 32473 is for examples (RFC 5612)."""
    smsc: str | None = _setting(None, _optional_words)
    """TOML file of the SMS centres by which people are warned; none: nobody is by SMS."""
    feeds: str | None = _setting(None, _optional_words)
    """TOML file of the feeds in which others list their alerts; none: none is listened to."""
    smtp: str | None = _setting(None, _smtp)
    """Mail server: ``smtp://user:password@host:587`` or ``smtps://…``; none: no e-mail."""
    smtp_sender: str | None = _setting(None, _optional_words)
    """From whom mail is: ``warnings@nemo.org.bz``."""
    warner: str = _setting("NEMO", _words)
    """Code of the agency that warns the public; what others write is sent by nobody."""
    push_hosts: tuple[str, ...] = _setting(
        _hosts(
            "fcm.googleapis.com, updates.push.services.mozilla.com, *.push.apple.com,"
            " *.notify.windows.com"
        ),
        _hosts,
    )
    """Push services of browsers that may be called to show warnings; empty: none."""
    log_level: str = _setting("info", _level)
    """``debug``, ``info``, ``warning`` or ``error``."""
    name: str = _setting("Public Safety Network of Belize", _words)
    """How this network calls itself on its pages."""

    @property
    def keys_directory(self) -> Path:
        """:attr:`keys` as a path, with ``~`` for the home of the server's user."""
        return Path(self.keys).expanduser()

    @property
    def files_directory(self) -> Path:
        """:attr:`files` as a path, with ``~`` for the home of the server's user."""
        return Path(self.files).expanduser()


def names() -> tuple[str, ...]:
    """Every setting, as written in the TOML file."""
    return tuple(each.name for each in fields(Settings))


def read(environment: Mapping[str, str], file: Mapping[str, Any] | None = None) -> Settings:
    """Settings from these values alone; raises :class:`SettingsError`. Pure."""
    known = names()
    for name in file or {}:
        if name not in known:
            raise SettingsError(
                "unknown_setting",
                f"{name} in the settings file is no setting.",
                nearest(name, known),
            )
    values: dict[str, Any] = {}
    for each in fields(Settings):
        variable = PREFIX + each.name.upper()
        if variable in environment:
            written, said = variable, environment[variable]
        elif file is not None and each.name in file:
            written, said = each.name, file[each.name]
        else:
            continue
        try:
            values[each.name] = each.metadata["read"](said)
        except ValueError as problem:
            raise SettingsError(
                "bad_setting", f"{written} is {said!r}.", f"Make it {problem}."
            ) from None
    settings = Settings(**values)
    for text, todo in _contradictions(settings):
        raise SettingsError("bad_setting", text, todo)
    return settings


def _contradictions(said: Settings) -> Iterator[tuple[str, str]]:
    """Settings that do not go together, each with what to do."""
    if (said.tls_certificate is None) != (said.tls_key is None):
        yield (
            "Only one of tls_certificate and tls_key is set.",
            "Set both, or neither and let a proxy do TLS.",
        )
    if said.tls_client_authority is not None and said.tls_certificate is None:
        yield (
            "tls_client_authority is set and tls_certificate is not.",
            "Let this server do TLS itself: only then it sees certificates of clients.",
        )
    if said.tls_devices_need_certificate and said.tls_client_authority is None:
        yield (
            "tls_devices_need_certificate is set and tls_client_authority is not.",
            "Name the PEM file of the authority that signs the devices' certificates.",
        )
    if (said.syslog_certificate is None) != (said.syslog_key is None):
        yield "Only one of syslog_certificate and syslog_key is set.", "Set both, or neither."
    if (said.smtp is None) != (said.smtp_sender is None):
        yield "Only one of smtp and smtp_sender is set.", "Set both, or neither."
    over_tls = said.syslog is not None and said.syslog.startswith("tls:")
    if not over_tls and (said.syslog_authority or said.syslog_certificate):
        yield (
            "Certificates for syslog are set, and syslog does not go over TLS.",
            "Make PSN_SYSLOG tls://host:port, or leave them out.",
        )


def load(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment and the TOML file that it names, if it names one."""
    path = environment.get("PSN_CONFIG")
    if not path:
        return read(environment)
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            "bad_config_file",
            f"The settings file {path} cannot be read: {error.strerror or error}.",
            "Point PSN_CONFIG at a file that can be read, or unset it.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            "bad_config_file", f"The settings file {path} is not TOML: {error}.", "Correct it."
        ) from error
    return read(environment, content)


def suspicious(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that look like a misspelt setting, each with what to do about it.

    Other programs may use the prefix too, so this is a warning and never a refusal.
    """
    variables = [PREFIX + name.upper() for name in names()]
    return [
        (name, nearest(name, variables))
        for name in sorted(environment)
        if name.startswith(PREFIX)
        and name not in variables
        and difflib.get_close_matches(name, variables, 1, 0.8)
    ]


def nearest(name: str, known: Sequence[str]) -> str:
    """What was probably meant by a name that is not known."""
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else "Settings are: " + ", ".join(known) + "."
