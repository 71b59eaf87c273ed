"""What stands between the agent and a command: a launcher, and a wrapper for each attempt.

This file is a program of its own, imported by a Python that has no packages (`-I -S`). The agent starts one
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
  cancel.json   the agent wants it killed; SIGUSR1 tells the wrapper to look (SIGUSR2 says so without a
                file, on a full disk)
  timed_out     the wrapper is killing it because its time is up
  stopped       the wrapper is killing it because the agent has been without a server for too long
  exit.json     how it ended

And one beside all of them: `lease`, in which the agent notes when it last heard its server, by the monotonic
clock. Who is to be stopped without a server is stopped by its wrapper, whether the agent lives or not.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time

try:
    import resource
except ImportError:  # some phones
    resource = None  # type: ignore[assignment]

TYPE_CHECKING = False  # typing itself would double the size
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_CHILD_SUBREAPER = 36
# Linux takes no argument of 128 KiB or more; longer lines are run from a file.
_LONGEST_ARGUMENT = 120_000
# The most that a command can make a pipe hold without being root.
_PIPE_BYTES = 1 << 20
# The limits of an attempt, by the names that the agent has for them.
_RLIMITS = {
    "memory_bytes": "RLIMIT_AS",
    "cpu_seconds": "RLIMIT_CPU",
    "file_size_bytes": "RLIMIT_FSIZE",
    "open_files": "RLIMIT_NOFILE",
    "processes": "RLIMIT_NPROC",
}
_GREATEST = (1 << 63) - 1
_POLL_SECONDS = 0.02
_SLOW_POLL_SECONDS = 1.0


def _signals(*names: str) -> tuple[signal.Signals, ...]:
    """Returns those of the signals that this system has."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


# What would end a wrapper that is to outlive everything, and what it waits for.
_IGNORED = _signals("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
_WAKING = _signals("SIGCHLD", "SIGUSR1", "SIGUSR2")
# What a command gets back, with what Python ignores.
_ORDINARY = (*_IGNORED, *_WAKING, *_signals("SIGPIPE", "SIGXFSZ"))


def serve(link: int) -> None:
    """Starts an attempt for every directory that the agent names, until the agent is gone."""
    os.set_inheritable(link, False)
    # The agent's end of the link decides when to stop, not a Ctrl-C meant for the agent.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The system reaps the wrappers; each of them undoes this for itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    become_subreaper = _subreaper()
    # Forked wrappers share these pages as long as nobody touches them.
    gc.disable()
    gc.freeze()
    null = os.open(os.devnull, os.O_RDWR)
    spare = _fork_spare(link, null, become_subreaper)
    pending = b""
    while True:
        data = os.read(link, 65536)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            if not _hand_over(spare, line) and not _hand_over(
                _fork_spare(link, null, become_subreaper), line
            ):
                _tell(link, {"directory": json.loads(line), "error": "no more processes can be started"})
            spare = _fork_spare(link, null, become_subreaper)


def _fork_spare(link: int, null: int, become_subreaper: Callable[[], None]) -> int:
    """Forks the next wrapper ahead of time, as that takes longer than all the rest.

    Returns the pipe on which it waits for its directory, or 0 where the system has no more processes.
    """
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return 0
    if pid == 0:
        os.close(writer)
        become_subreaper()
        _wait_and_run(reader, link, null)
    os.close(reader)
    return writer


def _hand_over(spare: int, line: bytes) -> bool:
    if not spare:
        return False
    try:
        os.write(spare, line)
    except BrokenPipeError:
        return False  # somebody killed it
    finally:
        os.close(spare)
    return True


def _wait_and_run(reader: int, link: int, null: int) -> None:
    directory = ""
    try:
        wrapper = Wrapper(link, null)
        line = b""
        while data := os.read(reader, 65536):
            line += data
        if line:  # else the launcher ended
            directory = json.loads(line)
            wrapper.run(directory)
    except Exception as error:  # noqa: BLE001 - the launcher's loop must not go on in the child
        _tell(link, {"directory": directory, "error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _tell(link: int, message: dict[str, object]) -> None:
    try:
        os.write(link, json.dumps(message).encode() + b"\n")
    except OSError:
        return  # the agent is gone; its successor reads the files


class Tap:
    """Carries a stream of the command to its spool.

    The command itself gets a pipe: a spool in its hands would be emptied by `echo x > /dev/stderr`.
    """

    def __init__(self, path: str) -> None:
        self.spool = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.is_open = True
        self.unwritten = b""  # what a full disk did not take yet

    def fileno(self) -> int:
        return self.reader

    def move(self) -> bool:
        """Takes what the pipe holds, once the spool has what came before; False on a full disk."""
        if not self.unwritten and self.is_open:
            try:
                self.unwritten = os.read(self.reader, _PIPE_BYTES)
            except BlockingIOError:
                return True
            if not self.unwritten:
                os.close(self.reader)
                self.is_open = False
        if self.unwritten:
            try:
                self.unwritten = self.unwritten[os.write(self.spool, self.unwritten) :]
            except OSError:
                return False
        return not self.unwritten


class Wrapper:
    """Runs one attempt."""

    def __init__(self, link: int, null: int) -> None:
        self._link = link
        self._null = null
        self._directory = ""
        self._child = 0
        self._status: int | None = None  # the command's wait status, once it ended
        self._taps: list[Tap] = []
        self._is_cancelled = False
        os.setsid()
        self._wake = _listen_to_signals()
        signal.signal(signal.SIGUSR2, self._be_cancelled)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)

    def run(self, directory: str) -> None:
        self._directory = directory
        intent = json.loads(_read(self._path("intent.json")))
        started_us = time.time_ns() // 1000
        process = {
            "pid": os.getpid(),
            "start": start_of("self"),
            "boot_id": intent["boot_id"],
            "started_us": started_us,
        }
        # Not fsynced: after a power cut no process is left that it could name.
        _write(self._path("process.json"), process)
        try:
            os.close(os.open(self._path("claim"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return

        if not intent.get("discards_output"):
            self._taps = [Tap(self._path(name)) for name in ("stdout", "stderr")]
        streams = [tap.writer for tap in self._taps] or [self._null, self._null]
        os.mkdir(self._path("work"), 0o700)  # noqa: PTH102 - see above
        os.chdir(self._path("work"))
        program = intent.get("program") or intent["shell"]
        arguments = intent.get("arguments") or self._arguments(program, intent["command_text"])
        environment = {**os.environ, **intent.get("environment", {})}
        limits, unlimited = _limits(intent.get("limits", {}))
        began = time.monotonic()
        try:
            self._child = _spawn(program, arguments, environment, [self._null, *streams], limits)
        except (OSError, ValueError) as error:
            problem = f"{program}: {getattr(error, 'strerror', None) or error}"
            # In this order: the agent may delete the directory as soon as it is told.
            self._leave_exit({"spawn_error": problem}, [])
            _tell(self._link, {"directory": self._directory, "error": problem})
            return
        _tell(self._link, {"directory": directory, **process})
        os.close(self._link)
        for tap in self._taps:
            os.close(tap.writer)

        stop_after = intent.get("stop_after_ms", 0) / 1000
        ended_by = self._wait(began, intent["timeout_ms"] / 1000, intent["grace_ms"] / 1000, stop_after)
        ended = time.monotonic()
        for tap in self._taps:
            # Twice: what a full disk held up, then all that the pipe holds. No more often, or a process
            # that goes on printing in the background would put off the end.
            while not (tap.move() and tap.move()):
                time.sleep(_SLOW_POLL_SECONDS)
        spools = [tap.spool for tap in self._taps]
        status = self._status or 0  # known by now; the type does not say so
        is_signaled = os.WIFSIGNALED(status)
        self._leave_exit(
            {
                "exit_code": None if is_signaled else os.WEXITSTATUS(status),
                "signal": os.WTERMSIG(status) if is_signaled else None,
                "started_us": started_us,
                "finished_us": time.time_ns() // 1000,
                "duration_ms": round((ended - began) * 1000),
                "ended_ms": round(ended * 1000),
                "stdout_bytes": os.fstat(spools[0]).st_size if spools else 0,
                "stderr_bytes": os.fstat(spools[1]).st_size if spools else 0,
                "ended_by": ended_by,
                "usage": _usage(),
                "unlimited": unlimited,
            },
            spools,
        )

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"

    def _arguments(self, shell: str, text: str) -> list[str]:
        if len(text.encode()) <= _LONGEST_ARGUMENT:
            # Without the dashes a text that begins with one is read as options.
            return [shell, "-c", "--", text]
        script = self._path("script")
        with open(script, "w", encoding="utf-8", opener=_private) as file:
            file.write(text)
        return [shell, script]

    def _wait(self, began: float, timeout: float, grace: float, stop_after: float) -> str | None:
        """Waits for the command's end, or brings it about; returns why, unless it ended by itself."""
        while True:
            self._reap()
            if self._status is not None:
                return None
            is_noted = os.path.exists(self._path("cancel.json"))  # noqa: PTH110 - see above
            if is_noted:
                grace = json.loads(_read(self._path("cancel.json")))["grace_ms"] / 1000
            if is_noted or self._is_cancelled:
                self._kill_tree(grace)
                return "cancel"
            left = began + timeout - time.monotonic() if timeout else None
            if left is not None and left <= 0:
                self._note("timed_out")
                self._kill_tree(grace)
                return "timeout"
            if stop_after:
                until_stop = max(began, self._server_heard_at()) + stop_after - time.monotonic()
                if until_stop <= 0:
                    self._note("stopped")
                    self._kill_tree(grace)
                    return "stop"
                left = until_stop if left is None else min(left, until_stop)
            self._sleep(left)

    def _server_heard_at(self) -> float:
        """Returns when the agent last heard its server; 0 where that is not known."""
        try:
            heard_at = float(_read(f"{self._directory}/../../lease"))
        except (OSError, ValueError):
            return 0.0
        return heard_at if heard_at <= time.monotonic() else 0.0  # of before the machine restarted

    def _note(self, name: str) -> None:
        # Before the first signal: whoever finds this attempt dead must know why.
        try:  # noqa: SIM105 - contextlib would be one more import
            os.close(os.open(self._path(name), os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError:
            pass  # a full disk: the kill matters more than the note

    def _be_cancelled(self, *_: object) -> None:
        self._is_cancelled = True

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
        """Waits for a signal, so long at most, and moves output in the meantime."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            stuck = [tap for tap in self._taps if tap.unwritten]
            if stuck:  # a full disk holds up the command, not its time limit
                left = _SLOW_POLL_SECONDS if left is None else min(left, _SLOW_POLL_SECONDS)
            watched: list[int | Tap] = [self._wake]
            watched += [tap for tap in self._taps if tap.is_open and not tap.unwritten]
            ready, _, _ = select.select(watched, [], [], left)
            for tap in self._taps:
                if tap in stuck or tap in ready:
                    tap.move()
            if self._wake in ready:
                os.read(self._wake, 512)
                return
            if deadline is not None and time.monotonic() >= deadline:
                return

    def _leave_exit(self, content: dict[str, object], spools: list[int]) -> None:
        while True:
            try:
                # The exit code must not outlive the output that belongs to it.
                for spool in spools:
                    if os.fstat(spool).st_size:
                        os.fsync(spool)
                _write(self._path("exit.json"), content, is_durable=True)
            except FileNotFoundError:
                return  # the directory is gone: nobody wants to know
            except OSError:
                time.sleep(_SLOW_POLL_SECONDS)  # a full disk: nobody but this process knows how it ended
            else:
                return


def kill_all(
    find: Callable[[], list[tuple[int, str]]],
    grace: float,
    reap: Callable[[], None],
    sleep: Callable[[float], None],
) -> None:
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
        text = _read(f"/proc/{pid}/stat").decode(errors="replace")
    except OSError:
        return []
    # The name before it is in parentheses and may itself hold parentheses and spaces.
    return text[text.rindex(")") + 2 :].split()


def _subreaper() -> Callable[[], None]:
    """Returns what keeps orphans below the wrapper, where the tree kill finds them."""
    if sys.platform == "linux":
        try:
            import ctypes  # not above: the agent itself has no use for it

            prctl = ctypes.CDLL(None).prctl
        except (ImportError, OSError):  # builds without it, as on some phones
            return lambda: None
        return lambda: prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return lambda: None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _listen_to_signals() -> int:
    """Survives what is meant for others, and returns a pipe that wakes the wrapper for its own."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in _WAKING:
        signal.signal(number, lambda *_: None)
    return wake


def _usage() -> dict[str, int]:
    """Returns what the processes below this one used that have ended and were waited for."""
    if resource is None:
        return {}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "cpu_time_us": round((used.ru_utime + used.ru_stime) * 1_000_000),
        "memory_peak_bytes": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    if sys.platform == "linux":  # others count operations
        found["disk_read_bytes"] = used.ru_inblock * 512
        found["disk_write_bytes"] = used.ru_oublock * 512
    return found


def _limits(asked: dict[str, int]) -> tuple[list[tuple[int, int, int]], list[str]]:
    """Returns limits as (number, soft, hard), and the names of those that this system does not have."""
    limits = []
    unlimited = []
    for name, limit in asked.items():
        number = getattr(resource, _RLIMITS[name], None)
        allowance = limit
        if name == "processes":
            taken = _threads_of_user()
            # The system does not count root's.
            number = number if taken and os.getuid() else None
            allowance += taken
        elif name == "memory_bytes" and sys.platform == "darwin":
            number = None  # it is there, and nothing heeds it
        if number is None:
            unlimited.append(name)
            continue
        # After the signal that says so, a second to clean up.
        hard = allowance + 1 if name == "cpu_seconds" else allowance
        _, most = resource.getrlimit(number)
        most = _GREATEST if most == resource.RLIM_INFINITY else most
        limits.append((number, min(allowance, most), min(hard, most)))
    return limits, unlimited


def _threads_of_user() -> int:
    """Returns how many threads this process's user has; 0 where /proc is not."""
    count = 0
    for pid in processes():
        try:
            status = _read(f"/proc/{pid}/status").decode(errors="replace")
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if int(fields["Uid"].split()[0]) == os.getuid():
            count += int(fields["Threads"])
    return count


def _spawn(
    program: str,
    arguments: list[str],
    environment: dict[str, str],
    streams: list[int],
    limits: list[tuple[int, int, int]],
) -> int:
    """Starts a program in a process group of its own; returns its pid, or raises why not."""
    if hasattr(os, "posix_spawn") and not limits:
        # Spares the copy of this process's page tables, half the time of a short command.
        return os.posix_spawn(
            program,
            arguments,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, stream, target) for target, stream in enumerate(streams)
            ],
            setpgroup=0,
            setsigdef=_ORDINARY,
        )
    return _fork_and_exec(program, arguments, environment, streams, limits)  # some phones have no other


def _fork_and_exec(
    program: str,
    arguments: list[str],
    environment: dict[str, str],
    streams: list[int],
    limits: list[tuple[int, int, int]],
) -> int:
    reader, writer = os.pipe()  # closed by a successful exec
    child = os.fork()
    if child == 0:
        try:
            signal.set_wakeup_fd(-1)
            for number in _ORDINARY:
                signal.signal(number, signal.SIG_DFL)
            os.setpgid(0, 0)
            for target, stream in enumerate(streams):
                os.dup2(stream, target)
            for limit, soft, hard in limits:
                resource.setrlimit(limit, (soft, hard))
            os.execve(program, arguments, environment)  # noqa: S606 - running it is the point
        except Exception as error:  # noqa: BLE001 - this process must end here, whatever happened
            os.write(writer, (getattr(error, "strerror", None) or str(error)).encode()[:512])
        finally:
            os._exit(127)
    os.close(writer)
    problem = os.read(reader, 512).decode(errors="replace")
    os.close(reader)
    if problem:
        os.waitpid(child, 0)
        raise OSError(problem)
    return child


def _read(path: str) -> bytes:
    # Not open(): its layers cost a fresh process more than the reading.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = b""
        while part := os.read(descriptor, 1 << 20):
            data += part
        return data
    finally:
        os.close(descriptor)


def _write(path: str, content: dict[str, object], *, is_durable: bool = False) -> None:
    new = path + ".new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, json.dumps(content).encode())
        if is_durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(new, path)  # noqa: PTH104 - see above
    if is_durable:
        directory = os.open(os.path.dirname(path), os.O_RDONLY)  # noqa: PTH120 - see above
        os.fsync(directory)
        os.close(directory)
