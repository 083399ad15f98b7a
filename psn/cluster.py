"""A private PostgreSQL cluster with PostGIS, for the demonstration, the tests and the bench.

The cluster belongs to one process: it lives in a directory of its own, listens on nothing but a
Unix socket that only its owner can reach, and dies with the process that started it, also when
that is killed. A PostgreSQL that already runs on the machine is neither used nor disturbed.

Everything here blocks (for some hundred milliseconds) and may be called from any thread.
Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final
from urllib.parse import quote

from psn.postgres import ClusterError, database_owner, find_postgres

__all__ = ["Cluster", "ClusterError", "find_postgres"]

SUPERUSER: Final = "psn"
# Only names the socket file: no TCP port is opened.
PORT: Final = 5432
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
# A predecessor that was told to stop a moment ago (its parent died) gets this long to finish.
PREDECESSOR_SECONDS: Final = 15.0
_LOG_LIMIT: Final = 10_000_000

_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Compiling a query costs more than any query here takes.
    "jit": "off",
}
_NOT_DURABLE: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "min_wal_size": "32MB",
    "max_wal_size": "128MB",
}


class Cluster:
    """One private cluster in ``directory``, for one process at a time.

    ``durable=False`` (tests only) skips forcing writes to the disk: a killed server loses
    nothing, a machine without power loses the cluster.

    When root starts it, the server runs as the user ``postgres``. Should that user be unable to
    enter ``directory`` (a checkout under a home directory closed to others), the data is kept
    in /var/lib/psn instead; :attr:`data` tells.
    """

    def __init__(self, directory: Path | str, *, durable: bool = True) -> None:
        self.directory = Path(directory).resolve()
        self._durable = durable
        self._owner = database_owner()
        self._programs: Path | None = None
        self._data: Path | None = None
        self._sockets: Path | None = None
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None

    def __enter__(self) -> Cluster:
        """Create the cluster when it does not exist yet, and start it."""
        self.create()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the cluster."""
        self.stop()

    @property
    def data(self) -> Path:
        """Where the data is. Raises ClusterError ``cluster_place`` when no place will do."""
        if self._data is None:
            self._data = self._choose_place() / "data"
        return self._data

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.directory / "postgres.log"

    @property
    def programs(self) -> Path:
        """The programs that fit the data: its own version when it exists, else the newest."""
        if self._programs is None:
            stamp = self.data / "PG_VERSION"
            self._programs = find_postgres(
                stamp.read_text().strip() if stamp.exists() else None,
            )
        return self._programs

    @property
    def is_running(self) -> bool:
        """Whether the server that this object started is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the server that this object started, or None."""
        return self._process.pid if self._process is not None and self.is_running else None

    def dsn(self, database: str = "psn") -> str:
        """Address of ``database`` for asyncpg, as long as the cluster runs.

        Raises ClusterError ``cluster_stopped``.
        """
        if self._sockets is None:
            raise ClusterError(
                "cluster_stopped", "The private cluster is not running.", "Start it first."
            )
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={self._sockets}&port={PORT}"

    def create(self) -> None:
        """Make an empty cluster (0.5 s) unless there is one already.

        Only local connections are let in, and those without a password: the socket stands in a
        directory that nobody else can enter. Raises ClusterError.
        """
        with self._locked():
            if (self.data / "PG_VERSION").exists():
                return
            # Made beside and renamed, so that an interrupted start leaves nothing half done.
            fresh = self.data.with_name("data.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True, mode=0o700)
            self._give(fresh)
            command = [str(self.programs / "initdb"), "-D", str(fresh), "-U", SUPERUSER]
            command += ["-E", "UTF8", "--locale=C.UTF-8"]
            command += ["--auth-local=trust", "--auth-host=reject"]
            if not self._durable:
                command.append("--no-sync")
            done = self._outcome(self._as_owner(command))
            if done.returncode != 0:
                raise ClusterError(
                    "cluster_failed",
                    f"A new database cluster could not be made in {fresh}: {_last(done.stderr)}",
                    "Check free space and permissions there, then try again.",
                )
            fresh.rename(self.data)

    def start(self) -> None:
        """Start the server and wait until it answers (0.1 s; longer after a crash).

        Raises ClusterError ``cluster_busy`` when another process uses the same directory.
        """
        if self.is_running:
            return
        self._take_lock()
        try:
            self._clear_predecessor()
            self._start_once()
        except BaseException:
            self._tidy()
            raise

    def stop(self) -> None:
        """Stop the server: clients are disconnected, what is committed is written. Idempotent."""
        for sign, patience in (
            (signal.SIGINT, STOP_SECONDS),  # fast shutdown
            (signal.SIGQUIT, 10.0),  # immediate: the next start recovers
            (signal.SIGKILL, 10.0),
        ):
            self._signal(sign)
            if self._keeper is None:
                break
            self._keeper.join(patience)
            if not self._keeper.is_alive():
                break
        self._tidy()

    def kill9(self) -> None:
        """Kill the server the hard way, as adversity tests do; :meth:`start` recovers it.

        The socket directory stays, so the addresses handed out before are valid again after it.
        """
        self._signal(signal.SIGKILL)
        if self._keeper is not None:
            self._keeper.join(STOP_SECONDS)
        self._process = None

    def has_database(self, name: str) -> bool:
        """Whether the running cluster has a database of this name."""
        literal = name.replace("'", "''")
        return self.sql(f"select 1 from pg_database where datname = '{literal}'") == "1"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database with PostGIS in it, or a copy of ``template``, and return its address.

        Raises ClusterError ``cluster_sql``, among others when the name is taken.
        """
        if template is None:
            self.sql(f"create database {_quoted(name)}")
            self.sql("create extension postgis", database=name)
        else:
            # Small ones are copied twice as fast as files than through the log.
            copied = f"template {_quoted(template)} strategy file_copy"
            self.sql(f"create database {_quoted(name)} {copied}")
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, disconnecting whoever uses it."""
        self.sql(f"drop database if exists {_quoted(name)} with (force)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement of our own as superuser; its result as text.

        For the set-up of databases, not for the service: it starts ``psql`` every time.
        Raises ClusterError ``cluster_sql`` with the server's own words.
        """
        command = [str(self.programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        done = self._outcome([*command, "-d", self.dsn(database), "-c", statement])
        if done.returncode != 0:
            raise ClusterError(
                "cluster_sql",
                f"The database refused {statement!r}: {done.stderr.strip()}",
                f"The server's log is {self.log}.",
            )
        return done.stdout.strip()

    # How it is done

    def _choose_place(self) -> Path:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ClusterError(
                "cluster_place",
                f"The directory {self.directory} cannot be made: {error.strerror or error}.",
                "Choose one where this user may write.",
            ) from error
        if self._owner is None or self._may_enter(self.directory):
            return self.directory
        mark = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        place = Path("/var/lib/psn") / f"{self.directory.name}-{mark}"
        place.mkdir(parents=True, exist_ok=True)
        if self._may_enter(place):
            return place
        raise ClusterError(
            "cluster_place",
            f"The user {self._owner.pw_name} can enter neither {self.directory} nor {place}.",
            "Put the checkout where other users may enter, for example under /srv.",
        )

    def _may_enter(self, place: Path) -> bool:
        check = self._as_owner(["test", "-x", str(place)])
        return self._outcome(check).returncode == 0

    def _as_owner(self, command: Sequence[str]) -> list[str]:
        """``command`` so that it runs as the right user and is told when we die.

        ``setpriv`` sets the parent-death signal after the change of user, which clears it.
        """
        prefix = ["setpriv", "--pdeathsig", "INT"]
        if self._owner is not None:
            prefix += [f"--reuid={self._owner.pw_uid}", f"--regid={self._owner.pw_gid}"]
            prefix.append("--init-groups")
        return [*prefix, "--", *command]

    def _outcome(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        # A session of its own: Ctrl-C is for us, and must not look like a failure of the command.
        return subprocess.run(
            command, env=self._environment(), cwd="/", stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, start_new_session=True,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        held = self._lock is not None
        self._take_lock()
        try:
            yield
        finally:
            if not held:
                self._drop_lock()

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        lock = (self.data.parent / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise self._busy() from None
        self._lock = lock

    def _drop_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _busy(self) -> ClusterError:
        return ClusterError(
            "cluster_busy",
            f"The database in {self.data.parent} is already in use by another run.",
            "Stop that one first, or give this one a directory of its own.",
        )

    def _clear_predecessor(self) -> None:
        """Wait for a server that is just shutting down; forget one that was killed.

        The notice of a killed server may go only when its last child is gone: PostgreSQL needs
        it to see that memory is still shared. It cannot stay either: the process id in it may
        belong to a stranger by now, and then PostgreSQL would refuse to start.
        """
        self._forget_old_sockets()
        deadline = time.monotonic() + PREDECESSOR_SECONDS
        while self._has_processes():
            if time.monotonic() > deadline:
                raise self._busy()
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _has_processes(self) -> bool:
        """Whether any process works in the data directory, as all of a server's do."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if (entry / "cwd").readlink() == self.data:
                        return True
        return False

    def _forget_old_sockets(self) -> None:
        mark = self.data.parent / "sockets"
        if self._sockets is not None or not mark.exists():
            return
        old = Path(mark.read_text().strip())
        if old.name.startswith("psn-") and old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        mark.unlink()

    def _start_once(self) -> None:
        position = self._prepare_log()
        self._spawn()
        if not self._wait_ready():
            words = _tail_from(self.log, position)
            raise ClusterError(
                "cluster_failed",
                f"The private database server did not start: {_last(words)}",
                f"Its log is {self.log}.",
            )

    def _prepare_log(self) -> int:
        """Keep the log bounded; the position where the words of this start will begin."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        return self.log.stat().st_size if self.log.exists() else 0

    def _spawn(self) -> None:
        if self._sockets is None:
            # A socket's path may have 107 bytes, so it does not live below the data.
            self._sockets = Path(tempfile.mkdtemp(prefix="psn-", dir=_short_temporary()))
            (self.data.parent / "sockets").write_text(f"{self._sockets}\n")
            self._give(self._sockets)
        settings = {**_SETTINGS, "unix_socket_directories": str(self._sockets)}
        if not self._durable:
            settings |= _NOT_DURABLE
        command = [str(self.programs / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        started = threading.Event()
        self._process = None
        # The death signal comes when the *thread* that started the server ends, so that must be
        # one which lives as long as the server. It also collects the exit status.
        self._keeper = threading.Thread(
            target=self._keep, args=(self._as_owner(command), started), daemon=True,
            name="private cluster",
        )  # fmt: skip
        self._keeper.start()
        started.wait()

    def _keep(self, command: list[str], started: threading.Event) -> None:
        try:
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    command, env=self._environment(), cwd="/", stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log,
                    # Ctrl-C is for us to handle: the service writes before the database stops.
                    start_new_session=True,
                )  # fmt: skip
            self._process = process
        finally:
            started.set()
        process.wait()

    def _wait_ready(self) -> bool:
        """Whether the server came up, as pg_ctl finds out: line 8 of its notice says "ready"."""
        notice = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while self._keeper is not None and self._keeper.is_alive():
            if time.monotonic() > deadline:
                self._signal(signal.SIGKILL)
                self._keeper.join()
                break
            with contextlib.suppress(OSError, IndexError):
                lines = notice.read_text().splitlines()
                if lines[0] == str(self.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.01)
        self._process = None
        return False

    def _signal(self, sign: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(sign)

    def _tidy(self) -> None:
        self._signal(signal.SIGKILL)
        if self._keeper is not None:
            self._keeper.join(STOP_SECONDS)
        self._process = None
        self._keeper = None
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            with contextlib.suppress(OSError):
                (self.data.parent / "sockets").unlink()
            self._sockets = None
        self._drop_lock()


def _short_temporary() -> str:
    return "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else tempfile.gettempdir()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _last(words: str) -> str:
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|ERROR|error:", line)]
    return (telling or lines or ["it said nothing"])[-1]


def _tail_from(path: Path, position: int) -> str:
    with path.open("rb") as log:
        log.seek(position)
        return log.read().decode(errors="replace")
