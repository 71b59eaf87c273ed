"""What the agent has promised: a directory for each attempt.

Everything here blocks, on the disk: it is called from worker threads. The files are explained in
`wrapper`, which takes part in them.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path

from novasphere_agent import durable

INTENT = "intent.json"
PROCESS = "process.json"
CLAIM = "claim"
CANCEL = "cancel.json"
TIMED_OUT = "timed_out"
STOPPED = "stopped"
EXIT = "exit.json"
# What comes of reading a file that is damaged, or not of this version of the agent.
_UNREADABLE = (TypeError, ValueError)

log = logging.getLogger(__name__)


class ExitUnreadable(Exception):
    """The attempt ended, but its exit file does not say how."""


@dataclasses.dataclass(frozen=True)
class Intent:
    """An attempt that the agent agreed to start."""

    run_id: str
    attempt: int
    fencing_token: int
    command_text: str
    shell: str
    timeout_ms: int
    grace_ms: int
    max_output_bytes: int
    boot_id: str
    kind: str = "shell"
    # For what is no line for the shell: the program's file, and its arguments, its own name first.
    program: str = ""
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    payload: str = ""
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)
    discards_output: bool = False
    # How long it may go on without a server; 0: for ever.
    stop_after_ms: int = 0
    # Why nothing was started, where an agent before this version refused: those wrote refusals down.
    rejection: str = ""


@dataclasses.dataclass(frozen=True)
class Process:
    """The wrapper of an attempt, so described that no other process can be taken for it."""

    pid: int
    start: str
    boot_id: str
    started_us: int


@dataclasses.dataclass(frozen=True)
class Exit:
    """How an attempt ended, as its wrapper saw it."""

    exit_code: int | None = None
    signal: int | None = None
    started_us: int = 0
    finished_us: int = 0
    duration_ms: int = 0
    # When it ended, by the monotonic clock of its boot; 0 where that is not known.
    ended_ms: int = 0
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    # "cancel", "timeout", "stop", or nothing where it ended by itself.
    ended_by: str | None = None
    # Why nothing could be started.
    spawn_error: str = ""
    # What it used, by the names of ResourceUsage.
    usage: Mapping[str, int] = dataclasses.field(default_factory=dict)
    # Limits that this system does not have.
    unlimited: Sequence[str] = ()


class Journal:
    """Keeps the attempts of one agent."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "attempts"
        self._lease = data_dir / "lease"
        self._passed_over: set[Path] = set()
        self._root.mkdir(mode=0o700, exist_ok=True)
        durable.sync_directory(data_dir)

    def directory(self, run_id: str, attempt: int) -> Path:
        return self._root / f"{urllib.parse.quote(run_id, safe='')}.{attempt}"

    def record(self, intents: Sequence[Intent]) -> None:
        """Makes intents durable. Costs one look at the common directory, however many they are."""
        for intent in intents:
            directory = self.directory(intent.run_id, intent.attempt)
            directory.mkdir(mode=0o700)
            durable.replace(directory / INTENT, json.dumps(dataclasses.asdict(intent)).encode())
        durable.sync_directory(self._root)

    def probe(self) -> None:
        """Writes something, to see whether that works."""
        durable.replace(self._root.parent / "probe", b"")

    def scan(self) -> list[Intent]:
        """Returns every intent, oldest first; clears away what never became one."""
        found: list[tuple[int, Intent]] = []
        for directory in self._root.iterdir():
            path = directory / INTENT
            try:
                found.append((path.stat().st_mtime_ns, Intent(**json.loads(path.read_bytes()))))
            except FileNotFoundError:
                shutil.rmtree(directory, ignore_errors=True)
            except (NotADirectoryError, *_UNREADABLE) as error:
                # Not deleted: it may be somebody's, or of an agent that is newer than this one.
                self._passed_over.add(directory)
                log.error("%s is passed over, as it is no readable attempt: %s", directory, error)  # noqa: TRY400
        return [intent for _, intent in sorted(found, key=lambda item: item[0])]

    def is_passed_over(self, run_id: str, attempt: int) -> bool:
        """Returns whether the attempt's place is taken by something that could not be read."""
        return bool(self._passed_over) and self.directory(run_id, attempt) in self._passed_over

    def claim(self, directory: Path) -> bool:
        """Takes the attempt from its wrapper; False where that was there first."""
        try:
            os.close(os.open(directory / CLAIM, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def process(self, directory: Path) -> Process | None:
        try:
            return Process(**json.loads((directory / PROCESS).read_bytes()))
        except (FileNotFoundError, *_UNREADABLE):  # it is not fsynced: a power cut may leave it empty
            return None

    def exit(self, directory: Path) -> Exit | None:
        try:
            return Exit(**json.loads((directory / EXIT).read_bytes()))
        except FileNotFoundError:
            return None
        except _UNREADABLE as error:
            raise ExitUnreadable(f"{EXIT}: {error}") from error

    def record_refusal(self, directory: Path, reason: str) -> None:
        """Makes durable that nothing was started, where the wrapper could not do so itself."""
        if not (directory / EXIT).exists():
            durable.replace(directory / EXIT, json.dumps({"spawn_error": reason}).encode())

    def request_cancel(self, directory: Path, grace_ms: int) -> None:
        """Makes durable that the attempt is to be killed, before anything is."""
        if not (directory / CANCEL).exists():
            durable.replace(directory / CANCEL, json.dumps({"grace_ms": grace_ms}).encode())

    def is_cancelled(self, directory: Path) -> bool:
        return (directory / CANCEL).exists()

    def is_timed_out(self, directory: Path) -> bool:
        return (directory / TIMED_OUT).exists()

    def is_stopped(self, directory: Path) -> bool:
        return (directory / STOPPED).exists()

    def renew_lease(self, heard_at: float) -> None:
        """Notes when the server was last heard, by the monotonic clock, for those who must not go on without."""
        new = self._lease.with_name(self._lease.name + ".new")
        new.write_text(repr(heard_at))  # not durable: after a power cut nothing is left to be stopped
        new.replace(self._lease)

    def delete(self, directory: Path) -> None:
        # The intent first: a half-deleted attempt must not look like one that nobody finished.
        (directory / INTENT).unlink(missing_ok=True)
        shutil.rmtree(directory, ignore_errors=True)
