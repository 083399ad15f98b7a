"""The script that installs, builds and starts: what it decides and what it says."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("run", "psn/__init__.py", "psn/postgres.py", "psn/problems.py")
LOCKS = (
    "requirements.lock",
    "requirements-server.lock",
    "requirements-tools.lock",
    "requirements-rivals.lock",
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, keeping what it makes in a directory of this test."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    monkeypatch.setattr(module, "STATE", tmp_path / "state")
    monkeypatch.setattr(module, "WEB", tmp_path / "web")
    return module


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A copy of what the script reads, owned by an ordinary user (nobody, when root tests)."""
    place = Path(tempfile.mkdtemp(prefix="psn-test-"))
    for name in (*NEEDED, *LOCKS):
        (place / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    if os.geteuid() == 0:
        shutil.chown(place, "nobody")
    yield place
    shutil.rmtree(place, ignore_errors=True)


def system_python() -> str:
    """A Python that every user may start."""
    found = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if not found:
        pytest.skip("there is no python3 of the system")
    return found


def as_ordinary_user(command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        command = ["setpriv", *ids, "--", *command]
    return subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **env},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_postgres_an_ordinary_user_is_told_in_one_sentence(checkout: Path) -> None:
    done = as_ordinary_user(
        [system_python(), "-B", str(checkout / "run"), "demo"], PSN_POSTGRES_BIN="/nonexistent"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert "PostgreSQL with PostGIS is not installed" in sentence
    assert "sudo apt-get install postgresql-postgis" in sentence
    assert "docker compose up" in sentence
    assert sentence.endswith("[package_missing]")


def test_a_checkout_that_may_not_be_written_is_explained(checkout: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a checkout that belongs to somebody else")
    shutil.chown(checkout, "root")
    checkout.chmod(0o755)
    done = as_ordinary_user([system_python(), "-B", str(checkout / "run"), "setup"])
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "make sure that this user may write to" in sentence


def test_help_needs_nothing_and_unknown_commands_are_named(checkout: Path) -> None:
    script = [system_python(), "-B", str(checkout / "run")]
    assert "./run demo" in as_ordinary_user([*script, "--help"]).stdout
    refused = as_ordinary_user([*script, "dmeo"])
    assert refused.returncode == 1
    assert (
        refused.stderr == "run: There is no command 'dmeo'; see ./run --help. [no_such_command]\n"
    )


def test_the_mark_changes_with_every_part_and_its_place(script: ModuleType) -> None:
    assert script.digest("a", "b") == script.digest(b"a", "b")
    marks = {script.digest(*parts) for parts in (("ab",), ("a", "b"), ("b", "a"), ("ab", ""), ())}
    assert len(marks) == 5


def test_a_stamp_counts_only_for_what_it_was_made_of(script: ModuleType, tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    assert not script.is_stamped(stamp, "one")
    stamp.write_text("one")
    assert script.is_stamped(stamp, "one")
    assert not script.is_stamped(stamp, "two")


def test_sources_of_the_pages_are_what_a_person_wrote(script: ModuleType) -> None:
    web = script.WEB
    for name in ("src/a.ts", "index.html", "node_modules/x/index.js", "dist/index.html"):
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(name)
    wanted = [web / "index.html", web / "src" / "a.ts"]
    assert script.web_sources() == wanted  # unpacked from an archive: no git
    (web / ".gitignore").write_text("node_modules/\ndist/\n")
    subprocess.run(["git", "init", "-q", web], check=True)
    subprocess.run(["git", "-C", web, "add", "index.html"], check=True)
    assert script.web_sources() == [web / ".gitignore", *wanted]
    (web / "index.html").unlink()
    assert script.web_sources() == [web / ".gitignore", web / "src" / "a.ts"]


def test_pages_are_built_again_only_after_a_change(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, built = script.WEB, []
    for name in ("package.json", "package-lock.json", "src.ts"):
        web.mkdir(exist_ok=True)
        (web / name).write_text("{}")

    def step(title: str, name: str, *commands: list[str], **how: object) -> None:
        built.append(name)
        (web / ("dist" if name == "web" else "node_modules")).mkdir(exist_ok=True)

    monkeypatch.setattr(script, "step", step)
    monkeypatch.setattr(script, "web_environment", dict)
    script.STATE.mkdir()
    script.ensure_web()
    assert built == ["npm", "web"]
    script.ensure_web()
    assert built == ["npm", "web"]
    (web / "src.ts").write_text("changed")
    script.ensure_web()
    assert built == ["npm", "web", "web"]
    shutil.rmtree(web / "dist")
    script.ensure_web()
    assert built == ["npm", "web", "web", "web"]
    (web / "package-lock.json").write_text('{"changed": true}')
    script.ensure_web()
    assert built[4:] == ["npm", "web"]


def test_a_failed_step_shows_the_end_of_its_output(
    script: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = "; ".join(f"echo line {number}" for number in range(40))
    with pytest.raises(script.Problem) as failed:
        script.step("Trying", "try", ["sh", "-c", f"{lines}; exit 3"], ["touch", "never"])
    shown = capfd.readouterr().err
    assert "line 39" in shown
    assert "line 20" not in shown
    assert failed.value.code == "step_failed"
    log = script.STATE / "logs" / "try.log"
    assert str(log) in str(failed.value)
    assert "line 0\n" in log.read_text()
    assert not (ROOT / "never").exists()


INTERRUPTED = """
import importlib.util, os, sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
sys.dont_write_bytecode = True
loader = SourceFileLoader("run_script", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_script", loader))
loader.exec_module(module)
module.STATE = Path(sys.argv[2])
shell = "sleep 600 & echo $! > $0; echo $$ >> $0; mv $0 $0.ready; wait"
module.setup = lambda: module.step("Long", "long", ["sh", "-c", shell, sys.argv[2] + "/pids"])
sys.exit(module.run(["setup"]))
"""


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminated"]
)
def test_interrupting_a_step_ends_its_children_quietly(
    tmp_path: Path, sign: signal.Signals, status: int
) -> None:
    working = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(ROOT / "run"), str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    with working:
        ready = tmp_path / "pids.ready"
        for _ in range(3000):
            if ready.exists():
                break
            time.sleep(0.01)
        pids = ready.read_text().split()
        working.send_signal(sign)
        working.send_signal(sign)
        _, said = working.communicate(timeout=60)
    assert working.returncode == status
    assert "Traceback" not in said
    assert [pid for pid in pids if _lives(pid)] == []


def _lives(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return state.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("name", LOCKS)
def test_locks_name_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    packages = [part for part in text.split("\n") if "==" in part and not part.startswith(" ")]
    assert packages
    assert all(line.endswith("\\") for line in packages)  # its hashes follow
    assert text.count("--hash=sha256:") >= len(packages)


def test_every_lock_of_packages_is_asked_about(script: ModuleType) -> None:
    asked = " ".join(word for _, command in script.audits("uv") for word in command)
    for lock in LOCKS[:2]:
        assert f"-r {lock}" in asked
    locks = [p for p in ROOT.glob("*/**/package-lock.json") if "node_modules" not in p.parts]
    assert {lock.parent.name for lock in locks} == {"web", "geodata", "provider"}
    for place in (script.WEB, script.WEB / "geodata", script.PROVIDER):
        assert f"--prefix {place} audit" in asked
