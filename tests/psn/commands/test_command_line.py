"""What holds for the command line as a whole: its help, Ctrl-C, and a demonstration run twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner

from psn.__main__ import main
from psn.cluster import Cluster
from psn.commands import people

PSN = (sys.executable, "-P", "-m", "psn")


def groups(name: str, command: click.Command) -> Iterator[tuple[str, click.Group]]:
    """A command's groups: itself, if it is one, and those below."""
    if isinstance(command, click.Group):
        yield name, command
        for word in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), word)
            assert below is not None
            yield from groups(f"{name} {word}".strip(), below)


@pytest.mark.parametrize("name", [name for name, _ in groups("", main)])
def test_lists_of_commands_say_whole_sentences(name: str) -> None:
    told = CliRunner().invoke(main, [*name.split(), "--help"], prog_name="psn").output
    listed = told.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert listed
    assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


def test_ctrl_c_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(login: bool) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(people, "_password", interrupted)
    done = CliRunner().invoke(main, ["user", "password", "ana"], prog_name="psn")
    assert (done.exit_code, done.output) == (130, "Stopped before it was done.\n")


def test_ctrl_c_while_modules_are_loaded_leaves_no_trace() -> None:
    # It waits for the end of its standard input, so it cannot be over before the signal.
    command = [PSN[0], "-v", *PSN[1:], "user", "password", "ana", "--password-stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        assert any(line.startswith("import 'click._compat'") for line in child.stderr)
        child.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" not in child.stderr.read()
        assert child.wait() in (-signal.SIGINT, 130)


def test_a_second_demonstration_in_a_directory_says_only_why_not(cluster: Cluster) -> None:
    done = subprocess.run(
        [*PSN, "demo", "--port", "0", "--units", "0", "--directory", str(cluster.directory)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "[cluster_busy]" in done.stderr
