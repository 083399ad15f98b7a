"""What is kept in the repository: no key, no token, no password of anything that is in use."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

KINDS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}"),
    "JSON Web Token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "token of a forge or a cloud": re.compile(
        r"\b(?:gh[pousr]_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16})"
    ),
    "Argon2 hash": re.compile(r"\$argon2id?\$v=\d+\$m=\d+,t=\d+,p=\d+\$[\w+/]{8,}\$[\w+/]{16,}"),
    "password in an address": re.compile(r"\b\w+://[^\s/:@'\"`{$]+:(?P<said>[^\s/@'\"`{$]+)@"),
    "password in a setting": re.compile(
        r"^\s*(?:export )?\w*(?:PASSWORD|SECRET|TOKEN|API_KEY)\s*[=:]\s*"
        r"[\"']?(?P<said>[^\s\"'#$<{(]{6,})",
        re.MULTILINE,
    ),
}
"""What looks like a secret. In files of code a setting is a constant's name, so only files of
settings are held to the last one."""
SETTINGS = {"", ".toml", ".yml", ".yaml", ".env", ".ini", ".cfg", ".conf", ".service", ".npmrc"}
NO_SECRETS = {
    "user:password@host",  # the form of PSN_DATABASE, in documents
    "password",
    "secret",
    "pw",
    "hushhush",
    "x",
}
"""Words that stand for a password in an example."""


def kept() -> list[Path]:
    """Every file that is, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def found(text: str, settings: bool) -> Iterator[tuple[str, str]]:
    """Kind and text of everything that looks like a secret."""
    for kind, pattern in KINDS.items():
        if kind == "password in a setting" and not settings:
            continue
        for match in pattern.finditer(text):
            said = match.groupdict().get("said", "")
            if said.lower() not in NO_SECRETS:
                yield kind, match[0][:60]


def test_no_secret_is_in_the_repository() -> None:
    looked_at, secrets = 0, []
    for path in kept():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a font, geodata
        looked_at += 1
        secrets += [(str(path.relative_to(ROOT)), *what) for what in found(text, is_settings(path))]
    assert looked_at > 300
    assert secrets == []


def is_settings(path: Path) -> bool:
    return path.suffix in SETTINGS or path.name.startswith(".env")


def test_no_file_of_keys_or_settings_of_a_place_is_in_the_repository() -> None:
    ends = (".pem", ".key", ".p12", ".pfx", ".jks", ".sqlite", ".dump", ".pgpass")
    assert [p for p in kept() if p.name.endswith(ends) or p.name.startswith(".env")] == []


HIDDEN = "k7mp3xwdh9tqr2vn" * 3
EXAMPLES = {
    "private key": f"-----BEGIN {'EC '}PRIVATE KEY-----\n{HIDDEN}\n",
    "JSON Web Token": f"Bearer eyJ{HIDDEN}.eyJ{HIDDEN}.{HIDDEN}",
    "token of a forge or a cloud": f"ghp_{HIDDEN}",
    "Argon2 hash": f"$argon2id$v=19$m=19456,t=2,p=1${HIDDEN}${HIDDEN}",
    "password in an address": f"postgresql://psn:{HIDDEN}@db.example/psn",
    "password in a setting": f"DATABASE_PASSWORD={HIDDEN}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_would_be_found(kind: str) -> None:
    assert kind in {what for what, _ in found(EXAMPLES[kind], settings=True)}
    assert list(found("postgresql://user:password@host/name\nPASSWORD=$FROM_ELSEWHERE", True)) == []
