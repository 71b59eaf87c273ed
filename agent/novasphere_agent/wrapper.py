"""What stands between the agent and a command: a launcher, and a wrapper for each attempt.

This file is run as a program of its own (`python -I -S wrapper.py DESCRIPTOR`). The agent starts one
launcher; it stays single-threaded and small, so that it can fork at any time and fast. For each attempt
it forks a wrapper, which outlives agent and launcher both, runs the command, keeps its time limit, kills
its process tree when asked to, and leaves a durable `exit.json`. It imports nothing of the package.

The files of an attempt's directory that it takes part in:

  intent.json   what to run (written by the agent, durably, before it asks the launcher)
  process.json  which process the wrapper is
  claim         made by whoever comes first: the wrapper, just before it starts the command, or an agent
                that gives the attempt up. The other one lets go. So a command is started once or never.
  stdout stderr what the command printed
  work/         where the command starts
  cancel.json   the agent wants it killed; SIGUSR1 tells the wrapper to look
  timed_out     the wrapper is killing it because its time is up
  exit.json     how it ended
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36
# Linux takes no argument of 128 KiB or more; longer lines are run from a file.
_LONGEST_ARGUMENT = 120_000
_POLL_SECONDS = 0.02
_SLOW_POLL_SECONDS = 1.0

try:
    import ctypes

    _libc = ctypes.CDLL(None, use_errno=True)
except (ImportError, OSError):
    _libc = None  # type: ignore[assignment]  # builds without ctypes, as on some phones


def serve(link: int) -> None:
    """Starts an attempt for every directory that the agent names, until the agent is gone."""
    os.set_inheritable(link, False)
    # The agent's end of the link decides when to stop, not a Ctrl-C meant for the agent.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The system reaps the wrappers; each of them undoes this for itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Forked wrappers share these pages as long as nobody touches them.
    gc.disable()
    gc.freeze()
    pending = b""
    while True:
        data = os.read(link, 65536)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            directory = json.loads(line)
            try:
                pid = os.fork()
            except OSError as error:
                _tell(link, {"directory": directory, "error": f"fork: {error.strerror}"})
                continue
            if pid == 0:
                _run_and_exit(directory, link)


def _run_and_exit(directory: str, link: int) -> None:
    try:
        Wrapper(directory, link).run()
    except Exception as error:  # noqa: BLE001 - the launcher's loop must not go on in the child
        _tell(link, {"directory": directory, "error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _tell(link: int, message: dict[str, object]) -> None:
    try:
        os.write(link, json.dumps(message).encode() + b"\n")
    except OSError:
        return  # the agent is gone; its successor reads the files


class Wrapper:
    """Runs one attempt from its directory."""

    def __init__(self, directory: str, link: int) -> None:
        self._directory = directory
        self._link = link
        self._child = 0
        self._status: int | None = None  # the command's wait status, once it ended
        self._wake = -1

    def run(self) -> None:
        os.setsid()
        os.chdir(self._directory)
        self._listen_to_signals()
        _become_subreaper()
        with open("intent.json", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would double the size
            intent = json.load(file)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)

        # Not fsynced: after a power cut no process is left that it could name.
        process = {"pid": os.getpid(), "start": start_of("self"), "boot_id": intent["boot_id"]}
        _write("process.json", process)
        try:
            os.close(os.open("claim", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return

        spools = [_open_spool("stdout"), _open_spool("stderr")]
        started_us = time.time_ns() // 1000
        began = time.monotonic()
        problem = self._spawn(intent, null, spools)
        if problem:
            _tell(self._link, {"directory": self._directory, "error": problem})
            _leave_exit({"spawn_error": problem}, [])
            return
        _tell(self._link, {"directory": self._directory, "pid": os.getpid(), "started_us": started_us})
        os.close(self._link)

        ended_by = self._wait(began, intent["timeout_ms"] / 1000, intent["grace_ms"] / 1000)
        ended = time.monotonic()
        status = self._status or 0  # known by now; the type does not say so
        is_signaled = os.WIFSIGNALED(status)
        _leave_exit(
            {
                "exit_code": None if is_signaled else os.WEXITSTATUS(status),
                "signal": os.WTERMSIG(status) if is_signaled else None,
                "started_us": started_us,
                "finished_us": time.time_ns() // 1000,
                "duration_ms": round((ended - began) * 1000),
                "stdout_bytes": os.fstat(spools[0]).st_size,
                "stderr_bytes": os.fstat(spools[1]).st_size,
                "ended_by": ended_by,
            },
            spools,
        )

    def _listen_to_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        self._wake, waker = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)

    def _spawn(self, intent: dict[str, str], null: int, spools: list[int]) -> str:
        """Starts the command; returns why that failed, or nothing."""
        os.mkdir("work", 0o700)  # noqa: PTH102 - see above
        text = intent["command_text"]
        shell = intent["shell"]
        arguments = [shell, "-c", text]
        if len(text.encode()) > _LONGEST_ARGUMENT:
            script = os.path.abspath("script")  # noqa: PTH100 - see above
            with open(script, "w", encoding="utf-8", opener=_private) as file:
                file.write(text)
            arguments = [shell, script]
        reader, writer = os.pipe()  # closed by a successful exec
        self._child = os.fork()
        if self._child == 0:
            try:
                signal.set_wakeup_fd(-1)
                for number in signal.valid_signals():
                    if signal.getsignal(number) not in (signal.SIG_DFL, None):
                        signal.signal(number, signal.SIG_DFL)
                os.setpgid(0, 0)
                for descriptor, target in ((null, 0), (spools[0], 1), (spools[1], 2)):
                    os.dup2(descriptor, target)
                os.chdir("work")
                os.execv(shell, arguments)  # noqa: S606 - running it is the point
            except Exception as error:  # noqa: BLE001 - this process must end here, whatever happened
                os.write(writer, f"{shell}: {getattr(error, 'strerror', None) or error}".encode()[:512])
            finally:
                os._exit(127)
        os.close(writer)
        problem = os.read(reader, 512).decode(errors="replace")
        os.close(reader)
        return problem

    def _wait(self, began: float, timeout: float, grace: float) -> str | None:
        """Waits for the command's end, or brings it about; returns why, unless it ended by itself."""
        while True:
            self._reap()
            if self._status is not None:
                return None
            if os.path.exists("cancel.json"):  # noqa: PTH110 - see above
                with open("cancel.json", encoding="utf-8") as file:  # noqa: PTH123
                    grace = json.load(file)["grace_ms"] / 1000
                self._kill_tree(grace)
                return "cancel"
            left = began + timeout - time.monotonic() if timeout else None
            if left is not None and left <= 0:
                # Before the first signal: whoever finds this attempt dead must know why.
                os.close(os.open("timed_out", os.O_WRONLY | os.O_CREAT, 0o600))
                self._kill_tree(grace)
                return "timeout"
            self._sleep(left)

    def _kill_tree(self, grace: float) -> None:
        """Ends everything below this process: SIGTERM, and SIGKILL once the grace is over."""
        kill_all(lambda: descendants_of(os.getpid(), self._child), grace, self._reap, self._sleep)
        if self._status is None:  # a zombie by now, and nobody's descendant
            _, self._status = os.waitpid(self._child, 0)

    def _reap(self) -> None:
        # As the subreaper it gets every orphan below it, and none may stay a zombie.
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._child:
                self._status = status

    def _sleep(self, seconds: float | None) -> None:
        select.select([self._wake], [], [], seconds)
        try:
            os.read(self._wake, 512)
        except BlockingIOError:
            return  # the time was up


def kill_all(find, grace, reap, sleep) -> None:  # type: ignore[no-untyped-def]  # typing needs an import
    """Signals the processes that `find` returns until it returns none.

    Each gets SIGTERM once, and SIGCONT, as a stopped process would not notice; after the grace SIGKILL.
    """
    deadline = time.monotonic() + grace
    warned: set[tuple[int, str]] = set()
    killed: set[tuple[int, str]] = set()
    pause = _POLL_SECONDS
    while True:
        reap()
        alive = find()
        if not alive:
            return
        now = time.monotonic()
        is_over = now >= deadline
        known = killed if is_over else warned
        fresh = [process for process in alive if process not in known]
        known.update(fresh)
        for pid, _ in alive if is_over else fresh:
            _send(pid, signal.SIGKILL if is_over else signal.SIGTERM)
            _send(pid, signal.SIGCONT)
        if fresh:
            pause = _POLL_SECONDS
            continue  # they may have had children in the meantime
        # What SIGKILL does not end waits for hardware, or belongs to somebody else: no hurry.
        pause = min(pause * 1.5, _SLOW_POLL_SECONDS)
        sleep(pause if is_over else min(pause, max(deadline - now, 0.0)))


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def descendants_of(root: int, group: int) -> list[tuple[int, str]]:
    """Returns the live processes below `root` as (pid, start).

    Where there is no /proc: the process group `group`, if anything is left of it, as (-group, "").
    """
    table = processes()
    if not table:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return []
        except PermissionError:
            pass  # alive, but somebody else's
        return [(-group, "")]
    children: dict[int, list[int]] = {}
    for pid, (_, parent, _, _) in table.items():
        children.setdefault(parent, []).append(pid)
    found = []
    left = list(children.get(root, ()))
    while left:
        pid = left.pop()
        state, _, _, start = table[pid]
        left.extend(children.get(pid, ()))
        if state not in "ZX":
            found.append((pid, start))
    return found


def processes() -> dict[int, tuple[str, int, int, str]]:
    """Returns state, parent, session and start of every process, by pid; nothing where /proc is not."""
    table = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208 - see above
    except OSError:
        return {}
    for name in names:
        if name.isdigit():
            fields = stat_of(name)
            if fields:
                table[int(name)] = (fields[0], int(fields[1]), int(fields[3]), fields[19])
    return table


def start_of(pid: int | str) -> str:
    """Returns when a process started, in ticks since boot; nothing where it is gone or /proc is not."""
    fields = stat_of(pid)
    return fields[19] if fields else ""


def stat_of(pid: int | str) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - see above
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    # The name before it is in parentheses and may itself hold parentheses and spaces.
    return text[text.rindex(")") + 2 :].split()


def _become_subreaper() -> None:
    # Processes that leave their parent stay below the wrapper, where the tree kill finds them.
    if _libc is not None and sys.platform == "linux":
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _open_spool(name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _write(name: str, content: dict[str, object], *, is_durable: bool = False) -> None:
    new = name + ".new"
    with open(new, "w", encoding="utf-8", opener=_private) as file:
        json.dump(content, file)
        file.flush()
        if is_durable:
            os.fsync(file.fileno())
    os.rename(new, name)  # noqa: PTH104 - see above
    if is_durable:
        directory = os.open(".", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


def _leave_exit(content: dict[str, object], spools: list[int]) -> None:
    while True:
        try:
            # The exit code must not outlive the output that belongs to it.
            for spool in spools:
                if os.fstat(spool).st_size:
                    os.fsync(spool)
            _write("exit.json", content, is_durable=True)
        except OSError:
            time.sleep(_SLOW_POLL_SECONDS)  # a full disk: nobody but this process knows how it ended
        else:
            return


if __name__ == "__main__":
    serve(int(sys.argv[1]))
