"""The program between agent and command, on its own."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from link_stand_in import sessions
from novasphere_agent import wrapper
from novasphere_agent.launcher import PROGRAM


class LauncherProcess:
    """A launcher, and our end of its link."""

    def __init__(self, program: str, *before: str) -> None:
        self.link, theirs = socket.socketpair()
        folder = Path(wrapper.__file__).parent
        self._process = subprocess.Popen(
            [*before, sys.executable, "-I", "-S", "-c", program, str(folder), str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()

    def start(self, directory: Path) -> dict[str, Any]:
        self.link.sendall(json.dumps(str(directory)).encode() + b"\n")
        assert select.select([self.link], [], [], 60)[0], "no answer"
        return json.loads(self.link.recv(65536).splitlines()[-1])

    def close(self) -> int:
        self.link.close()
        return self._process.wait(60)


@pytest.fixture(params=["posix_spawn", "fork"])
def launcher(request: pytest.FixtureRequest) -> Iterator[LauncherProcess]:
    without = "" if request.param == "posix_spawn" else "import os; del os.posix_spawn; "
    process = LauncherProcess(without + PROGRAM)
    yield process
    assert process.close() == 0


@pytest.fixture
def ordinary_launcher() -> Iterator[LauncherProcess]:
    """A launcher of a user whose processes the system counts."""
    before: list[str] = []
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not here, and the system does not count root's processes")
        reads_all = ["--inh-caps=-all,+dac_override", "--ambient-caps=+dac_override"]
        before = ["setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", *reads_all]
    process = LauncherProcess(PROGRAM, *before)
    yield process
    assert process.close() == 0


def intend(
    directory: Path, text: str, program: str = "/bin/sh", timeout_ms: int = 0, **more: Any
) -> Path:
    directory.mkdir()
    intent = {
        "command_text": text,
        "shell": program,
        "timeout_ms": timeout_ms,
        "grace_ms": 0,
        "boot_id": "this",
        **more,
    }
    (directory / "intent.json").write_text(json.dumps(intent))
    return directory


def until(claim: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (answer := claim()):
        assert time.monotonic() < deadline, "not in time"
        select.select([], [], [], 0.01)
    return answer


def wait_for(path: Path) -> dict[str, Any]:
    until(path.exists)
    return json.loads(path.read_text())


def test_it_leaves_how_the_command_ended(launcher: LauncherProcess, tmp_path: Path) -> None:
    directory = intend(tmp_path / "run", "echo x; exit 3")
    answer = launcher.start(directory)
    process = json.loads((directory / "process.json").read_text())
    assert answer["pid"] == process["pid"]
    outcome = wait_for(directory / "exit.json")
    assert (outcome["exit_code"], outcome["stdout_bytes"], outcome["ended_by"]) == (3, 2, None)


def test_a_text_that_begins_with_a_dash_is_no_option_of_the_shell(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    directory = intend(tmp_path / "run", "-e; echo x")
    launcher.start(directory)
    assert wait_for(directory / "exit.json")["exit_code"] == 0
    assert (directory / "stdout").read_text() == "x\n"
    assert "-e" in (directory / "stderr").read_text()


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


def test_a_command_that_opens_its_output_anew_loses_none_of_it(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    directory = intend(
        tmp_path / "run",
        "echo one > /dev/stderr; echo two > /dev/stderr; echo x; echo y | tee /dev/stderr; "
        "echo z > /dev/stdout",
    )
    launcher.start(directory)
    outcome = wait_for(directory / "exit.json")
    assert (directory / "stdout").read_text() == "x\ny\nz\n"
    assert (directory / "stderr").read_text() == "one\ntwo\ny\n"
    assert (outcome["stdout_bytes"], outcome["stderr_bytes"]) == (6, 10)


def test_what_a_command_left_in_the_pipe_is_kept(launcher: LauncherProcess, tmp_path: Path) -> None:
    size = 1 << 20
    code = f"""if True:
        import fcntl, os
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, {size})
        while not os.path.exists("go"):
            pass
        os.write(1, b"x" * {size})
        open("over", "w").close()"""
    directory = intend(tmp_path / "run", f"exec {sys.executable} -c '{code}'")
    process = launcher.start(directory)
    os.kill(process["pid"], signal.SIGSTOP)  # busy elsewhere
    (directory / "work/go").touch()
    until((directory / "work/over").exists)
    os.kill(process["pid"], signal.SIGCONT)
    assert wait_for(directory / "exit.json")["stdout_bytes"] == size
    assert (directory / "stdout").read_bytes() == b"x" * size


def test_what_goes_on_printing_in_the_background_holds_up_nothing_and_ends(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    directory = intend(tmp_path / "run", "yes & echo up >&2; exit 3")
    process = launcher.start(directory)
    try:
        assert wait_for(directory / "exit.json")["exit_code"] == 3
        until(lambda: not sessions().get(process["pid"]))
    finally:
        for pid in sessions().get(process["pid"], ()):
            os.kill(pid, signal.SIGKILL)


def test_a_full_disk_holds_output_up_and_costs_none_of_it(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    size, room = 1_000_000, 10_000
    directory = intend(
        tmp_path / "run", f"until [ -e go ]; do sleep 0.01; done; head -c {size} /dev/zero; echo end >&2"
    )
    process = launcher.start(directory)
    limits = resource.prlimit(process["pid"], resource.RLIMIT_FSIZE)
    resource.prlimit(process["pid"], resource.RLIMIT_FSIZE, (room, limits[1]))  # as good as a full disk
    (directory / "work/go").touch()
    until(lambda: (directory / "stdout").stat().st_size == room)
    assert (directory / "stderr").read_text() == ""
    resource.prlimit(process["pid"], resource.RLIMIT_FSIZE, limits)
    outcome = wait_for(directory / "exit.json")
    assert (outcome["exit_code"], outcome["stdout_bytes"], outcome["stderr_bytes"]) == (0, size, 4)
    assert (directory / "stdout").read_bytes() == bytes(size)
    assert (directory / "stderr").read_text() == "end\n"


def test_a_full_disk_does_not_hold_up_the_time_limit(launcher: LauncherProcess, tmp_path: Path) -> None:
    size, room = 1_000_000, 10_000
    directory = intend(
        tmp_path / "run",
        f"until [ -e go ]; do sleep 0.01; done; head -c {size} /dev/zero",
        timeout_ms=8000,
    )
    process = launcher.start(directory)
    limits = resource.prlimit(process["pid"], resource.RLIMIT_FSIZE)
    resource.prlimit(process["pid"], resource.RLIMIT_FSIZE, (room, limits[1]))
    (directory / "work/go").touch()
    until(lambda: (directory / "stdout").stat().st_size == room)
    until((directory / "timed_out").exists)
    until(lambda: len(sessions().get(process["pid"], ())) == 1)  # nobody but the wrapper
    resource.prlimit(process["pid"], resource.RLIMIT_FSIZE, limits)
    assert wait_for(directory / "exit.json")["ended_by"] == "timeout"


def test_a_fork_bomb_stays_inside_its_limit(ordinary_launcher: LauncherProcess, tmp_path: Path) -> None:
    # Its first process goes on without another fork, which would fail and end everything.
    bomb = "mkfifo gate; bomb() { bomb | bomb & }; bomb; read -r word < gate"
    directory = intend(tmp_path / "run", bomb, limits={"processes": 30})
    process = ordinary_launcher.start(directory)
    session = process["pid"]
    try:
        until(lambda: b"fork" in (directory / "stderr").read_bytes())
        assert 1 < max(len(sessions().get(session, ())) for _ in range(20)) <= 32
    finally:
        (directory / "cancel.json").write_text('{"grace_ms": 0}')
        os.kill(session, signal.SIGUSR1)
    outcome = wait_for(directory / "exit.json")
    assert (outcome["ended_by"], outcome["unlimited"]) == ("cancel", [])
    until(lambda: not sessions().get(session))


def test_a_program_that_its_limit_leaves_no_room_for_does_nothing(
    launcher: LauncherProcess, tmp_path: Path
) -> None:
    directory = intend(tmp_path / "run", "touch mark", limits={"memory_bytes": 1})
    launcher.start(directory)
    assert wait_for(directory / "exit.json")["signal"] in {signal.SIGKILL, signal.SIGSEGV}
    assert not (directory / "work" / "mark").exists()
