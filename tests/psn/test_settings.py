"""Settings from the environment and a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn import settings
from psn.settings import Settings, SettingsError


def refusal(environment: dict[str, str], file: dict[str, Any] | None = None) -> SettingsError:
    with pytest.raises(SettingsError) as refused:
        settings.read(environment, file)
    return refused.value


def test_nothing_said_gives_the_defaults() -> None:
    assert settings.load({}) == Settings()
    assert Settings().port == 8080
    assert Settings().host == "127.0.0.1"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "psn.toml"
    file.write_text('port = 9000\nname = "Test net"\nsession_hours = 8\n')
    got = settings.load({"PSN_CONFIG": str(file), "PSN_PORT": "9001"})
    assert (got.port, got.name, got.session_hours) == (9001, "Test net", 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "http"),
        ("PORT", ""),
        ("PORT", "٣x"),
        ("HOST", " "),
        ("DATABASE", "mysql://localhost/psn"),
        ("DATABASE", "psn"),
        ("KEEP_TRACK_DAYS", "0"),
        ("SESSION_HOURS", "200"),
        ("AUDIT_CHECKPOINT_MINUTES", "0"),
        ("LOG_LEVEL", "loud"),
        ("PHOTO_MEGABYTES", "0"),
        ("PHOTO_MEGABYTES", "100"),
        ("VIRUS_SCAN", "clamav"),
        ("VIRUS_SCAN", "clamd:"),
        ("VIRUS_SCAN", "clamd:localhost"),
        ("VIRUS_SCAN", "command: "),
        ("VIRUS_SCAN", "command:scan 'it"),
        ("IDLE_MINUTES", "-1"),
        ("IDLE_MINUTES", "1441"),
        ("SECOND_FACTOR", "yes"),
        ("SECOND_FACTOR", ""),
        ("BREACHED_PASSWORDS", " "),
        ("ORIGIN", "psn.example.bz"),
        ("ORIGIN", "http://psn.example.bz"),
        ("ORIGIN", "https://192.0.2.7"),
        ("ORIGIN", "https://[2001:db8::1]"),
        ("ORIGIN", "https://psn.example.bz/console"),
        ("ORIGIN", "https://psn.example.bz:port"),
        ("ORIGIN", "https://user@psn.example.bz"),
        ("ORIGIN", "ftp://psn.example.bz"),
        ("ORIGIN", "https://"),
    ],
)
def test_a_bad_value_is_named_with_what_is_right(name: str, value: str) -> None:
    refused = refusal({f"PSN_{name}": value})
    assert refused.code == "bad_setting"
    assert f"PSN_{name}" in refused.text
    assert refused.todo.startswith("Make it ")


@pytest.mark.parametrize("value", [True, 1.5, "x", [80], None])
def test_a_wrong_type_in_the_file_is_refused(value: Any) -> None:
    assert refusal({}, {"port": value}).code == "bad_setting"


def test_a_misspelt_key_in_the_file_is_refused_with_the_nearest() -> None:
    refused = refusal({}, {"keep_track_day": 3})
    assert refused.code == "unknown_setting"
    assert refused.todo == "Did you mean keep_track_days?"


def test_a_key_like_nothing_is_refused_with_all_there_are() -> None:
    assert "log_level" in refusal({}, {"zzz": 3}).todo


def test_a_misspelt_variable_is_suspicious_and_others_are_not_ours_to_refuse() -> None:
    environment = {"PSN_PROT": "1", "PSN_RECORDINGS": "/data", "PSN_PORT": "1", "PATH": "/bin"}
    assert settings.suspicious(environment) == [("PSN_PROT", "Did you mean PSN_PORT?")]
    assert settings.read(environment).port == 1


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    for content in (b"port = ", b"\xff\xfe", None):
        file = tmp_path / "psn.toml"
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SettingsError) as refused:
            settings.load({"PSN_CONFIG": str(file)})
        assert refused.value.code == "bad_config_file"
        assert str(file) in refused.value.text


@given(st.dictionaries(st.sampled_from(settings.names()), st.text(max_size=30)))
def test_any_text_gives_settings_or_a_refusal(said: dict[str, str]) -> None:
    try:
        got = settings.read({f"PSN_{name.upper()}": value for name, value in said.items()})
    except SettingsError as refused:
        assert refused.code == "bad_setting"
    else:
        assert 0 <= got.port <= 65535


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("https://PSN.example.bz/", "https://psn.example.bz"),
        ("https://psn.example.bz:8443", "https://psn.example.bz:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("", None),
    ],
)
def test_an_origin_is_read_as_browsers_say_it(said: str, read: str | None) -> None:
    assert settings.read({"PSN_ORIGIN": said}).origin == read
