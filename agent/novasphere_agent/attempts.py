"""The attempts of this agent, from the promise to start one until the server has all of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import ParamSpec, TypeVar

from novasphere_agent import failpoints, outcomes, processes, runtimes
from novasphere_agent.answers import Answers, Key
from novasphere_agent.builtin_types import Start
from novasphere_agent.journal import Exit, ExitUnreadable, Intent, Journal, Process
from novasphere_agent.launcher import Launcher, LauncherLost, SpawnFailed
from novasphere_agent.messages import (
    AttemptPhase,
    AttemptReport,
    AttemptState,
    AttemptVerdict,
    Dispatch,
    ResourceUsage,
    Stream,
    Verdict,
)
from novasphere_agent.runtimes import Refused, Runtimes
from novasphere_agent.spools import Spools
from novasphere_agent.tasks import Tasks

# What a command gets between SIGTERM and SIGKILL when its time is up; a cancel brings its own.
GRACE_MS = 5000

_FASTEST_LOOK_SECONDS = 0.02
_SLOWEST_LOOK_SECONDS = 0.2
_RETRY_SECONDS = 1.0
# A command that is over sooner is reported once, not twice.
_QUICK_SECONDS = 0.01
# Deleted attempts that are kept in mind, so that a late copy of their dispatch is known.
_MOST_DELETED = 4096

_ENDED_BY = {
    "cancel": AttemptPhase.CANCELLED,
    "timeout": AttemptPhase.TIMED_OUT,
    "stop": AttemptPhase.STOPPED,
}

_P = ParamSpec("_P")
_R = TypeVar("_R")

log = logging.getLogger(__name__)


class Attempt:
    """One attempt that the server has not fully acknowledged."""

    def __init__(self, intent: Intent, directory: Path) -> None:
        self.intent = intent
        self.directory = directory
        self.spools = Spools(directory, intent.max_output_bytes)
        self.process: Process | None = None
        self.started_us = 0
        self.report: AttemptReport | None = None  # the final one, once it ended
        self.ended_ms = 0  # by this boot's monotonic clock; 0: not known
        self.is_start_due = False
        self.is_start_reported = False
        self.is_forgotten = False

    @property
    def key(self) -> Key:
        return self.intent.run_id, self.intent.attempt

    @property
    def phase(self) -> AttemptPhase:
        return AttemptPhase.RUNNING if self.report is None else self.report.phase

    def __str__(self) -> str:
        return f"{self.intent.run_id}.{self.intent.attempt}"

    def start_report(self) -> AttemptReport:
        return self._report(AttemptPhase.RUNNING, started_us=self.started_us)

    def end(self, outcome: Exit, phase: AttemptPhase, message: str) -> None:
        """Fixes how the attempt ended."""
        self.report = self._report(
            phase,
            started_us=outcome.started_us or self.started_us,
            finished_us=outcome.finished_us,
            duration_ms=outcome.duration_ms,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            message=message,
        )
        if outcome.usage:
            self.report.usage = ResourceUsage(**outcome.usage)

    def final_report(self) -> AttemptReport:
        """Returns the report with the sizes of what is kept, which may be less than was printed."""
        assert self.report is not None  # noqa: S101 - asked for once it ended
        self.report.stdout_bytes = self.spools.total(Stream.STDOUT)
        self.report.stderr_bytes = self.spools.total(Stream.STDERR)
        self.report.output_dropped = self.spools.is_dropping
        if self.ended_ms:
            self.report.age_ms = max(0, round(time.monotonic() * 1000) - self.ended_ms)
        return self.report

    def _report(
        self,
        phase: AttemptPhase,
        *,
        started_us: int = 0,
        finished_us: int = 0,
        duration_ms: int = 0,
        exit_code: int | None = None,
        signal: int | None = None,
        message: str = "",
    ) -> AttemptReport:
        return AttemptReport(
            run_id=self.intent.run_id,
            attempt=self.intent.attempt,
            fencing_token=self.intent.fencing_token,
            phase=phase,
            exit_code=exit_code,
            signal=signal,
            started_us=started_us,
            finished_us=finished_us,
            duration_ms=duration_ms,
            message=message,
        )


class Attempts:
    """Starts, follows and ends attempts. `on_news` is called when there is something to send."""

    def __init__(
        self,
        journal: Journal,
        launcher: Launcher,
        runtimes: Runtimes,
        *,
        capacity: int,
        boot_id: str,
        workers: Executor,
        tasks: Tasks,
    ) -> None:
        self._journal = journal
        self._launcher = launcher
        self._runtimes = runtimes
        self._capacity = capacity
        self._boot_id = boot_id
        self._workers = workers
        self._tasks = tasks
        self._attempts: dict[Key, Attempt] = {}
        self._deleted: OrderedDict[Key, None] = OrderedDict()
        self._look_pause = _FASTEST_LOOK_SECONDS
        self._is_running_one = asyncio.Event()
        self._is_one_gone = asyncio.Event()
        self._accepting = asyncio.Lock()
        self._launching: set[Key] = set()  # accepted, and not yet known to have been started
        self._is_one_launched = asyncio.Event()
        self.on_news: Callable[[], None] = lambda: None
        # Attempts that may have something to send on this connection.
        self.speaking: dict[Key, Attempt] = {}
        # Those that were over at once.
        self.answers = Answers()
        # Why this node cannot take work, in words; empty while it can.
        self.fault = ""

    @property
    def free_slots(self) -> int:
        if self.answers.is_full:
            return 0
        return max(self._capacity - sum(1 for _ in self._running()), 0)

    @property
    def free_answers(self) -> int:
        return self.answers.room

    @property
    def is_all_acknowledged(self) -> bool:
        """The server has every report and all output that there is by now."""
        return (
            not self.answers
            and all(
                attempt.report is None and not attempt.spools.has_unsent and not attempt.spools.unacked
                for attempt in self.speaking.values()
            )
            and all(attempt.report is None for attempt in self._attempts.values())
        )

    async def states(self) -> list[AttemptState]:
        """Returns what Hello tells of the attempts; each is silent from here on, until its verdict."""
        async with self._accepting:  # what is left out of Hello never reached this node
            self.speaking.clear()
            journalled = [
                AttemptState(
                    run_id=attempt.intent.run_id,
                    attempt=attempt.intent.attempt,
                    fencing_token=attempt.intent.fencing_token,
                    phase=attempt.phase,
                )
                for attempt in self._attempts.values()
            ]
            return journalled + self.answers.states()

    async def recover(self) -> None:
        """Takes over what an agent before this one left: running, ended or in doubt."""
        for intent in await self._work(self._journal.scan):
            attempt = Attempt(intent, self._journal.directory(intent.run_id, intent.attempt))
            self._attempts[attempt.key] = attempt
            await self._settle(attempt)

    async def follow_output(self) -> None:
        """Looks at the spools of running attempts, often while they grow, seldom while they do not."""
        while True:
            await self._is_running_one.wait()
            running = list(self._running())
            if not running:
                self._is_running_one.clear()
                continue
            has_grown = [attempt.spools.observe() for attempt in running]
            if any(has_grown):
                self._look_pause = _FASTEST_LOOK_SECONDS
                self.on_news()
            else:
                self._look_pause = min(self._look_pause * 1.3, _SLOWEST_LOOK_SECONDS)
            await asyncio.sleep(self._look_pause)

    async def accept(self, dispatches: Sequence[Dispatch]) -> None:
        """Returns when it is durable that these attempts are to be started; known ones are ignored.

        Goes on when its caller is cancelled: the link may break while a thread writes the intents, and
        what is on disk must be known here by the time the server sends it again.
        """
        await asyncio.shield(self._tasks.start(self._accept(dispatches), name="accept"))
        if self.answers:
            # Not sooner: what is said next is to acknowledge the dispatches too.
            self.on_news()

    async def _accept(self, dispatches: Sequence[Dispatch]) -> None:
        async with self._accepting:
            fresh: dict[Key, Intent] = {}
            for dispatch in dispatches:
                key = dispatch.run_id, dispatch.attempt
                if key in self._attempts or key in self._deleted or key in self.answers:
                    log.info("attempt %s.%d is known already", *key)
                    continue
                if self._journal.is_passed_over(*key):
                    # It may have run. An agent that can read it will tell.
                    log.warning("attempt %s.%d is not started: its files cannot be read", *key)
                    continue
                if self.answers.is_full and dispatch.kind in runtimes.ANSWERED:
                    self.answers.put_off(dispatch)
                elif (start := self._answer(dispatch)) is not None:
                    fresh[key] = self._intend(dispatch, start)
            if not fresh:
                return
            try:
                await self._work(self._journal.record, list(fresh.values()))
                self.fault = ""
            except OSError as error:
                self.fault = f"the journal cannot be written: {error}"
                log.error("%s", self.fault)  # noqa: TRY400 - the disk is at fault, the stack says nothing
            else:
                failpoints.reach("after_intent")
            for key, intent in fresh.items():
                attempt = Attempt(intent, self._journal.directory(*key))
                self._attempts[key] = self.speaking[key] = attempt
                if self.fault:
                    self._end(attempt, Exit(), AttemptPhase.REJECTED, f"SPAWN_FAILED: {self.fault}")
                else:
                    self._launching.add(key)
                    self._tasks.start(self._launch(attempt), name=f"attempt {attempt}")

    def _answer(self, dispatch: Dispatch) -> Start | None:
        """Answers what is over at once; returns what is to be started for what is not."""
        try:
            plan = self._runtimes.plan(dispatch)
        except Refused as refusal:
            self.answers.refuse(dispatch, str(refusal))
            return None
        if isinstance(plan, Start):
            return plan
        self.answers.give(dispatch, plan)
        return None

    async def probe_journal(self) -> None:
        """Sees whether a fault of the journal is over."""
        with contextlib.suppress(OSError):
            await self._work(self._journal.probe)
            self.fault = ""

    async def renew_lease(self, heard_at: float) -> None:
        """Lets what must not run without a server go on, from when that was last heard."""
        if any(attempt.intent.stop_after_ms for attempt in self._running()):
            try:
                await self._work(self._journal.renew_lease, heard_at)
            except OSError as error:  # it is stopped then, which is what the server believes too
                log.warning("the lease of running attempts is not renewed: %s", error)

    async def cancel(self, key: Key, grace_ms: int) -> None:
        """Has an attempt killed; returns when that is durable, unless the disk is full."""
        if key in self.answers:
            return
        attempt = self._attempts.get(key)
        if attempt is None:
            log.warning("attempt %s.%d is to be cancelled and not known here", *key)
            return
        if attempt.report is not None:
            return
        try:
            await self._work(self._journal.request_cancel, attempt.directory, grace_ms)
        except OSError as error:
            log.warning("the cancel of attempt %s cannot be made durable yet: %s", attempt, error)
            self._signal_wrapper(attempt, signal.SIGUSR2)  # it need not wait for that
            self._tasks.start(self._cancel_later(key, grace_ms), name=f"cancel {attempt}")
            return
        self._signal_wrapper(attempt, signal.SIGUSR1)

    async def judge(self, verdicts: Iterable[AttemptVerdict]) -> None:
        """Does what the server decided about the attempts that Hello named."""
        for verdict in verdicts:
            key = verdict.run_id, verdict.attempt
            if key in self.answers:
                self.answers.judge(key, verdict)
                continue
            attempt = self._attempts.get(key)
            if attempt is None:
                continue
            if verdict.verdict == Verdict.FORGET:
                await self._forget(attempt)
                continue
            attempt.is_start_reported = False
            attempt.spools.rewind(verdict.stdout_offset, verdict.stderr_offset)
            self.speaking[attempt.key] = attempt
            if verdict.verdict == Verdict.KILL:
                await self.cancel(attempt.key, GRACE_MS)
        self.on_news()

    def acknowledge_output(self, key: Key, stream: Stream, offset: int) -> int:
        """Notes what the server has; returns how many bytes of the window that frees."""
        if key in self.answers:
            return self.answers.acknowledge_output(key, offset)
        attempt = self._attempts.get(key)
        return 0 if attempt is None else attempt.spools.acknowledge(stream, offset)

    def acknowledge_report(self, key: Key) -> int:
        """Forgets an attempt that the server has all of; returns how many bytes that frees."""
        if key in self.answers:
            freed = self.answers.acknowledge_report(key)
            while dispatch := self.answers.take_put_off():
                self._answer(dispatch)
                self.on_news()
            return freed
        attempt = self._attempts.get(key)
        if attempt is None or attempt.report is None:
            return 0
        self._delete(attempt)
        return attempt.spools.unacked

    async def launched(self, within: float) -> None:
        """Returns when all that was accepted has been started, or after so many seconds: the next agent could not
        tell how far the rest got.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._until_launched(), within)

    async def _until_launched(self) -> None:
        async with self._accepting:  # the end of it
            pass
        while self._launching:
            self._is_one_launched.clear()
            await self._is_one_launched.wait()

    async def kill_all(self) -> None:
        """Kills whatever runs, and forgets everything."""
        async with self._accepting:  # the end of it: the link may be gone, and this still going on
            self.answers.clear()
            for attempt in list(self._attempts.values()):
                await self._forget(attempt)
        while self._attempts:
            self._is_one_gone.clear()
            await self._is_one_gone.wait()

    def _running(self) -> Iterable[Attempt]:
        return (attempt for attempt in self._attempts.values() if attempt.report is None)

    def _intend(self, dispatch: Dispatch, start: Start) -> Intent:
        timeouts = [timeout for timeout in (dispatch.timeout_ms, start.timeout_ms) if timeout]
        return Intent(
            run_id=dispatch.run_id,
            attempt=dispatch.attempt,
            fencing_token=dispatch.fencing_token,
            command_text=start.command_text,
            shell=_shell(),
            timeout_ms=min(timeouts, default=0),
            grace_ms=GRACE_MS,
            max_output_bytes=dispatch.max_output_bytes,
            boot_id=self._boot_id,
            kind=dispatch.kind,
            program=start.program,
            arguments=start.arguments,
            environment=dispatch.environment,
            payload=dispatch.payload,
            limits=runtimes.limits_of(dispatch, start),
            discards_output=dispatch.discard_output,
            stop_after_ms=dispatch.stop_after_ms,
        )

    async def _launch(self, attempt: Attempt) -> None:
        try:
            process = await self._start(attempt)
        except SpawnFailed as error:
            with contextlib.suppress(OSError):
                await self._work(self._journal.record_refusal, attempt.directory, str(error))
            self._end_by_exit(attempt, Exit(spawn_error=str(error)))
            return
        except LauncherLost:
            await self._settle(attempt)
            return
        log.debug("attempt %s started, pid %d", attempt, process.pid)
        self._look_pause = _FASTEST_LOOK_SECONDS
        await self._follow(attempt, process)

    async def _start(self, attempt: Attempt) -> Process:
        try:
            return await self._launcher.start(attempt.directory)
        finally:
            self._launching.discard(attempt.key)
            self._is_one_launched.set()

    async def _follow(self, attempt: Attempt, process: Process) -> None:
        attempt.process = process
        attempt.started_us = process.started_us
        self._is_running_one.set()
        asyncio.get_running_loop().call_later(_QUICK_SECONDS, self._announce, attempt)
        if self._journal.is_cancelled(attempt.directory):
            # It was asked for before the process was known.
            self._signal_wrapper(attempt, signal.SIGUSR1)
        await processes.wait_for_end(process.pid, process.start)
        try:
            await self._conclude(attempt, process)
        except OSError as error:
            self._put_off(attempt, error)

    def _announce(self, attempt: Attempt) -> None:
        attempt.is_start_due = True
        self.on_news()

    async def _conclude(self, attempt: Attempt, process: Process) -> None:
        if self._has_ended(attempt):
            return
        # Somebody killed the wrapper. Nothing that nobody watches may go on.
        await self._work(processes.kill_session, process.pid, process.start)
        self._end_in_doubt(
            attempt, "what watched the command was killed, and what was left of its session"
        )

    async def _settle(self, attempt: Attempt) -> None:
        """Finds out how far an attempt got that this agent did not see through, now or later."""
        try:
            await self._find_out(attempt)
        except OSError as error:
            self._put_off(attempt, error)

    def _put_off(self, attempt: Attempt, error: OSError) -> None:
        log.warning("what became of attempt %s cannot be settled yet: %s", attempt, error)
        self._tasks.start(self._settle_later(attempt), name=f"settle {attempt}")

    async def _settle_later(self, attempt: Attempt) -> None:
        await asyncio.sleep(_RETRY_SECONDS)
        await self._settle(attempt)

    async def _find_out(self, attempt: Attempt) -> None:
        directory = attempt.directory
        if attempt.intent.rejection:
            self._end(attempt, Exit(), AttemptPhase.REJECTED, attempt.intent.rejection)
            return
        if self._has_ended(attempt):
            return
        if attempt.intent.boot_id != self._boot_id:
            self._end_in_doubt(attempt, "the machine restarted")
            return
        if await self._work(self._journal.claim, directory):
            self._end_in_doubt(attempt, "the agent stopped before the command was started")
        else:
            process = await self._work(self._journal.process, directory)
            if process is None:
                self._end_in_doubt(attempt, "the command's process left no trace")
            elif processes.is_alive(process.pid, process.start):
                log.info("attempt %s goes on, pid %d", attempt, process.pid)
                self._tasks.start(self._follow(attempt, process), name=f"attempt {attempt}")
            else:
                await self._conclude(attempt, process)

    def _has_ended(self, attempt: Attempt) -> bool:
        """Ends an attempt that left an exit file."""
        try:
            outcome = self._journal.exit(attempt.directory)  # a few bytes: no worker is needed
        except ExitUnreadable as error:
            self._end_in_doubt(attempt, f"how the command ended cannot be read: {error}")
            return True
        if outcome is not None:
            self._end_by_exit(attempt, outcome)
        return outcome is not None

    def _end_by_exit(self, attempt: Attempt, outcome: Exit) -> None:
        if outcome.spawn_error:
            reason = f"SPAWN_FAILED: {outcome.spawn_error}"
            self._end(attempt, outcome, AttemptPhase.REJECTED, reason)
            return
        phase = _ENDED_BY.get(outcome.ended_by or "", AttemptPhase.EXITED)
        attempt.spools.finish(outcome.stdout_bytes, outcome.stderr_bytes)
        if attempt.intent.boot_id == self._boot_id:
            attempt.ended_ms = outcome.ended_ms
        self._end(attempt, outcome, phase, outcomes.in_words(outcome, attempt.intent.limits))

    def _end_in_doubt(self, attempt: Attempt, what_happened: str) -> None:
        """Ends an attempt that left no exit file which can be read."""
        if self._journal.is_cancelled(attempt.directory):
            phase = AttemptPhase.CANCELLED
        elif self._journal.is_timed_out(attempt.directory):
            phase = AttemptPhase.TIMED_OUT
        elif self._journal.is_stopped(attempt.directory):
            phase = AttemptPhase.STOPPED
        else:
            phase = AttemptPhase.UNKNOWN
        self._end(attempt, Exit(), phase, what_happened)

    def _end(self, attempt: Attempt, outcome: Exit, phase: AttemptPhase, message: str) -> None:
        if phase != AttemptPhase.EXITED and not outcome.finished_us:
            attempt.spools.finish_as_is()
        attempt.end(outcome, phase, message)
        log.info("attempt %s ended: %s%s", attempt, phase.name, f" ({message})" if message else "")
        if attempt.is_forgotten:
            self._delete(attempt)
        self.on_news()

    async def _forget(self, attempt: Attempt) -> None:
        attempt.is_forgotten = True
        self.speaking.pop(attempt.key, None)
        if attempt.report is None:
            await self.cancel(attempt.key, GRACE_MS)
        else:
            self._delete(attempt)

    def _delete(self, attempt: Attempt) -> None:
        self._attempts.pop(attempt.key, None)
        self.speaking.pop(attempt.key, None)
        self._is_one_gone.set()
        self._deleted[attempt.key] = None
        if len(self._deleted) > _MOST_DELETED:
            self._deleted.popitem(last=False)
        self._tasks.start(self._clear_away(attempt), name=f"delete {attempt}")

    async def _clear_away(self, attempt: Attempt) -> None:
        try:
            await self._work(self._journal.delete, attempt.directory)
        except OSError as error:
            # Harmless: the next start finds it, and the server has it forgotten again.
            log.warning("the files of attempt %s cannot be deleted: %s", attempt, error)

    async def _cancel_later(self, key: Key, grace_ms: int) -> None:
        await asyncio.sleep(_RETRY_SECONDS)
        await self.cancel(key, grace_ms)

    def _signal_wrapper(self, attempt: Attempt, number: int) -> None:
        if attempt.process is not None:
            # A stopped wrapper would not look.
            numbers = (signal.SIGCONT, number)
            processes.signal_process(attempt.process.pid, attempt.process.start, *numbers)

    async def _work(self, blocking: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> _R:
        assert not named  # noqa: S101 - run_in_executor passes none on
        return await asyncio.get_running_loop().run_in_executor(self._workers, blocking, *arguments)


def _shell() -> str:
    # Phones keep it elsewhere.
    return "/bin/sh" if os.access("/bin/sh", os.X_OK) else shutil.which("sh") or "/bin/sh"
