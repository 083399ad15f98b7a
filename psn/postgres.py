"""Where the machine keeps a PostgreSQL server that has PostGIS, and as whom it may run.

Standard library only: ``run`` asks before anything is installed.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from psn.problems import Problem


class ClusterError(Problem):
    """The private cluster cannot be had: ``postgres_missing``, ``cluster_busy`` and the like."""


def _candidates() -> list[tuple[Path, Path]]:
    """Places to look: (directory of programs, directory of shared files), the best first."""
    chosen = os.environ.get("PSN_POSTGRES_BIN")
    if chosen:
        return [(Path(chosen), _share_of(Path(chosen)))]
    found = []
    debian = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if p.parent.name.isdigit()]
    for programs in sorted(debian, key=lambda p: int(p.parent.name), reverse=True):
        found.append((programs, Path("/usr/share/postgresql") / programs.parent.name))
    pg_config = shutil.which("pg_config")
    if pg_config:
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        programs = Path(asked.stdout.strip() or "/nonexistent")
        if programs not in [place for place, _ in found]:
            found.append((programs, _share_of(programs)))
    return found


def _share_of(programs: Path) -> Path:
    try:
        asked = subprocess.run(
            [programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=False
        )
    except OSError:
        return Path("/nonexistent")
    return Path(asked.stdout.strip() or "/nonexistent")


def _version(programs: Path) -> str:
    """Major version of the server in ``programs``, such as ``"15"``."""
    asked = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    match = re.search(r"(\d+)[.\d]*", asked.stdout)
    return match.group(1) if match else ""


def find_postgres(version: str | None = None) -> Path:
    """Directory holding ``postgres``, ``initdb`` and ``psql`` of a server that has PostGIS.

    Looks in ``PSN_POSTGRES_BIN`` alone when that is set; otherwise in Debian's directories, the
    newest version first, then where ``pg_config`` on the path points. ``version`` restricts the
    search to one major version.

    Raises ClusterError ``postgres_missing`` or ``postgis_missing``.
    """
    bare: list[str] = []
    for programs, share in _candidates():
        if not all((programs / name).is_file() for name in ("postgres", "initdb", "psql")):
            continue
        found = _version(programs)
        if version is not None and found != version:
            continue
        if (share / "extension" / "postgis.control").is_file():
            return programs
        bare.append(found)
    if bare:
        raise ClusterError(
            "postgis_missing",
            f"PostgreSQL {bare[0]} is installed, but its PostGIS extension is not.",
            f"Install it: sudo apt-get install postgresql-{bare[0]}-postgis-3",
        )
    wanted = "PostgreSQL" if version is None else f"PostgreSQL {version}"
    package = "postgresql-postgis" if version is None else f"postgresql-{version}-postgis-3"
    raise ClusterError(
        "postgres_missing",
        f"{wanted} with PostGIS is not installed.",
        f"Install it: sudo apt-get install {package}",
    )


def database_owner() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root, which PostgreSQL refuses; None: ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise ClusterError(
            "postgres_missing",
            "PostgreSQL does not run as root and there is no user 'postgres' to run it as.",
            "Install the PostgreSQL package of the distribution, or run as an ordinary user.",
        ) from None
