"""Keeps the loops running: a loop that fails is started again, later and later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from novasphere_server import logs

log = logs.get(__name__)

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
# A loop that ran for so long has recovered: its next failure is a first one again.
_HEALTHY_AFTER = 60.0


class LoopState(StrEnum):
    """How a loop stands."""

    STOPPED = "stopped"
    RUNNING = "running"
    WAITING = "waiting"  # it failed and will be started again


@dataclass(slots=True)
class Loop:
    """One loop under supervision."""

    name: str
    run: Callable[[], Awaitable[None]]
    state: LoopState = LoopState.STOPPED
    restarts: int = 0
    failures: int = 0  # in a row
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """Owns the loops' tasks. `on_change` hears of every change of state."""

    def __init__(
        self,
        on_change: Callable[[Loop], None] = lambda loop: None,
        *,
        first_delay: float = _FIRST_DELAY,
        random_source: random.Random | None = None,
    ) -> None:
        self._loops: list[Loop] = []
        self._on_change = on_change
        self._first_delay = first_delay
        self._random = random_source or random.Random()  # noqa: S311 - spreads restarts, guards nothing

    @property
    def loops(self) -> tuple[Loop, ...]:
        return tuple(self._loops)

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Runs `run` until stop(), again whenever it fails or returns."""
        loop = Loop(name, run)
        self._loops.append(loop)
        loop.task = asyncio.get_running_loop().create_task(self._keep(loop), name=f"loop {name}")

    async def stop(self) -> None:
        """Stops the loops, the last started first, each before the next."""
        while self._loops:
            loop = self._loops.pop()
            if loop.task is not None:
                loop.task.cancel()
                await asyncio.wait([loop.task])
            self._enter(loop, LoopState.STOPPED)

    async def _keep(self, loop: Loop) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._enter(loop, LoopState.RUNNING)
            started = clock()
            try:
                await loop.run()
                log.error("loop ended by itself", loop=loop.name)
            except Exception:
                log.exception("loop failed", loop=loop.name)
            loop.failures = 1 if clock() - started > _HEALTHY_AFTER else loop.failures + 1
            loop.restarts += 1
            self._enter(loop, LoopState.WAITING)
            await asyncio.sleep(self._delay(loop.failures))

    def _delay(self, failures: int) -> float:
        longest: float = min(_LONGEST_DELAY, self._first_delay * 2 ** min(failures - 1, 16))
        return longest * self._random.uniform(0.5, 1.0)

    def _enter(self, loop: Loop, state: LoopState) -> None:
        loop.state = state
        self._on_change(loop)
