"""Machines that run what they are sent in a world's own time, and keep a journal as agents do."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

from novasphere.link.v1 import link_service_pb2 as link

Key = tuple[str, int]  # run id and attempt

SLOTS = 200
_AT_ONCE = 200  # reports in one frame


@dataclass
class Run:
    """An attempt that a machine was sent."""

    dispatch: link.Dispatch
    until_us: int
    outcome: dict[str, Any]
    is_over: bool = False
    is_told: bool = False  # of its present phase, by the present link

    def end(self, phase: int, **outcome: Any) -> None:
        if not self.is_over:
            self.outcome = {"phase": phase} | outcome
            self.is_over, self.is_told = True, False

    @property
    def phase(self) -> int:
        return self.outcome["phase"] if self.is_over else link.ATTEMPT_PHASE_RUNNING


class Machine:
    """A machine of a world. Most of what it runs succeeds, soon."""

    def __init__(self, agent: Any, chance: random.Random) -> None:
        self.agent = agent
        self.chance = chance
        self.starts: Counter[Key] = Counter()  # how often each attempt was begun here
        self.said: dict[Key, dict[str, Any]] = {}  # how each ended
        self.runs: dict[Key, Run] = {}
        self.is_away = True
        self._left_us = 0
        self._boots = 1

    @property
    def _now_us(self) -> int:
        now: int = self.agent.world.clock.now_us()
        return now

    async def leave(self, *, is_reboot: bool = False) -> None:
        """Is cut off, or starts anew: then nobody knows what became of what it ran."""
        await self.agent.cut()
        self.is_away = True
        self._left_us = self._now_us
        if is_reboot:
            self._boots += 1
            self.agent.boot_id = f"boot-{self._boots}"
            for run in self.runs.values():
                run.end(link.ATTEMPT_PHASE_UNKNOWN)

    async def come(self) -> None:
        """Says Hello, and does as it is told."""
        away_ms = (self._now_us - self._left_us) // 1000
        for run in self.runs.values():
            if 0 < run.dispatch.stop_after_ms <= away_ms:
                run.end(link.ATTEMPT_PHASE_STOPPED, signal=15)
        welcome = await self.agent.connect(
            attempts=[
                link.AttemptState(
                    run_id=run.dispatch.run_id,
                    attempt=run.dispatch.attempt,
                    fencing_token=run.dispatch.fencing_token,
                    phase=run.phase,
                )
                for run in self.runs.values()
            ],
            free_slots=self._free,
        )
        self.is_away = False
        for verdict in welcome.verdicts:
            key = (verdict.run_id, verdict.attempt)
            run = self.runs[key]
            run.is_told = False
            if verdict.verdict == link.VERDICT_KILL:
                run.end(link.ATTEMPT_PHASE_CANCELLED, signal=9)
            elif verdict.verdict == link.VERDICT_FORGET:
                del self.runs[key]

    async def step(self) -> None:
        """Does what it was told, tells what became of that, and waits until it was heard."""
        if self.agent.has_ended:
            self.is_away = True
        if self.is_away:
            await self.come()
        frames = list(self.agent.frames)
        for frame in frames[1:]:  # what comes first was looked at, or is the Welcome
            for dispatch in frame.dispatches:
                self._start(dispatch)
            for cancel in frame.cancels:
                if run := self.runs.get((cancel.run_id, cancel.attempt)):
                    run.end(link.ATTEMPT_PHASE_CANCELLED, signal=15)
            for ack in frame.report_acks:
                self.runs.pop((ack.run_id, ack.attempt), None)
        del self.agent.frames[: len(frames) - 1]
        news = []
        for key, run in self.runs.items():
            if not run.is_over and run.until_us <= self._now_us:
                run.end(**run.outcome)
            if not run.is_told:
                news.append(self._report(key, run))
        for start in range(0, len(news), _AT_ONCE):
            self.agent.send(reports=news[start : start + _AT_ONCE], free_slots=self._free)
        self.agent.beat(free_slots=self._free)
        await self.agent.settle(free_slots=self._free)

    @property
    def _free(self) -> int:
        return SLOTS - sum(not run.is_over for run in self.runs.values())

    def _start(self, dispatch: link.Dispatch) -> None:
        key = (dispatch.run_id, dispatch.attempt)
        if key in self.starts:  # it comes again after a break, and is not begun again
            return
        self.starts[key] += 1
        exit_code = self.chance.choice((0, 0, 0, 0, 3))
        seconds = self.chance.choice((0, 1, 3, 10, 45))
        self.runs[key] = Run(
            dispatch,
            self._now_us + seconds * 1_000_000,
            {"phase": link.ATTEMPT_PHASE_EXITED, "exit_code": exit_code},
        )

    def _report(self, key: Key, run: Run) -> link.AttemptReport:
        run.is_told = True
        told = {"phase": run.phase} | (run.outcome if run.is_over else {})
        if run.is_over:
            self.said[key] = told
        return link.AttemptReport(
            run_id=run.dispatch.run_id,
            attempt=run.dispatch.attempt,
            fencing_token=run.dispatch.fencing_token,
            **told,
        )
