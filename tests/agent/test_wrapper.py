"""The program between agent and command, on its own."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from novasphere_agent import wrapper

WITHOUT_POSIX_SPAWN = (
    "import os, runpy, sys; del os.posix_spawn; runpy.run_path(sys.argv[0], run_name='__main__')"
)


class LauncherProcess:
    """A launcher, and our end of its link."""

    def __init__(self, *how: str) -> None:
        self.link, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", *how, str(theirs.fileno())], pass_fds=(theirs.fileno(),)
        )
        theirs.close()

    def start(self, directory: Path) -> dict[str, Any]:
        self.link.sendall(json.dumps(str(directory)).encode() + b"\n")
        assert select.select([self.link], [], [], 10)[0], "no answer"
        return json.loads(self.link.recv(65536).splitlines()[-1])

    def close(self) -> int:
        self.link.close()
        return self._process.wait(10)


@pytest.fixture(params=["posix_spawn", "fork"])
def launcher(request: pytest.FixtureRequest) -> Iterator[LauncherProcess]:
    program = wrapper.__file__
    if request.param == "posix_spawn":
        how = (program,)
    else:
        how = ("-c", f"import sys; sys.argv[0] = {program!r}; {WITHOUT_POSIX_SPAWN}")
    process = LauncherProcess(*how)
    yield process
    assert process.close() == 0


def intend(directory: Path, text: str, program: str = "/bin/sh") -> Path:
    directory.mkdir()
    intent = {"command_text": text, "shell": program, "timeout_ms": 0, "grace_ms": 0, "boot_id": "this"}
    (directory / "intent.json").write_text(json.dumps(intent))
    return directory


def wait_for(path: Path) -> dict[str, Any]:
    for _ in range(1000):
        if path.exists():
            return json.loads(path.read_text())
        select.select([], [], [], 0.01)
    raise AssertionError(f"no {path}")


def test_it_leaves_how_the_command_ended(launcher: LauncherProcess, tmp_path: Path) -> None:
    directory = intend(tmp_path / "run", "echo x; exit 3")
    answer = launcher.start(directory)
    process = json.loads((directory / "process.json").read_text())
    assert answer["pid"] == process["pid"]
    outcome = wait_for(directory / "exit.json")
    assert (outcome["exit_code"], outcome["stdout_bytes"], outcome["ended_by"]) == (3, 2, None)


def test_commands_get_their_signals_back(launcher: LauncherProcess, tmp_path: Path) -> None:
    directory = intend(tmp_path / "run", "grep SigIgn /proc/self/status; grep SigBlk /proc/self/status")
    launcher.start(directory)
    wait_for(directory / "exit.json")
    masks = [int(line.split()[1], 16) for line in (directory / "stdout").read_text().splitlines()]
    # The C library keeps two real-time signals to itself.
    assert [mask & 0x7FFF_FFFF for mask in masks] == [0, 0]


def test_it_starts_nothing_that_was_given_up(launcher: LauncherProcess, tmp_path: Path) -> None:
    given_up = intend(tmp_path / "given up", "touch ../mark")
    (given_up / "claim").touch()
    launcher.link.sendall(json.dumps(str(given_up)).encode() + b"\n")
    next_one = intend(tmp_path / "next", "true")
    launcher.start(next_one)
    wait_for(next_one / "exit.json")
    assert wait_for(given_up / "process.json")["pid"]
    assert not (given_up / "mark").exists()
    assert not (given_up / "exit.json").exists()


def test_a_missing_shell_is_an_error_of_the_start(launcher: LauncherProcess, tmp_path: Path) -> None:
    directory = intend(tmp_path / "run", "true", program="/no/such/shell")
    assert launcher.start(directory)["error"] == "/no/such/shell: No such file or directory"
    assert wait_for(directory / "exit.json") == {
        "spawn_error": "/no/such/shell: No such file or directory"
    }


def test_a_directory_without_an_intent_is_an_error_of_the_start(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    assert "intent.json" in launcher.start(tmp_path / "nothing")["error"]
