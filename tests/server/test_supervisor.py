"""Loops are kept running, and stop in order."""

from __future__ import annotations

import asyncio

from novasphere_server.loops.supervisor import Loop, LoopState, Supervisor


async def test_a_loop_that_fails_is_started_again(until):
    runs, states = [], []

    async def fragile() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise RuntimeError("fell over")
        await asyncio.Event().wait()

    supervisor = Supervisor(lambda loop: states.append(loop.state), first_delay=0.001)
    supervisor.start("fragile", fragile)
    await until(lambda: len(runs) == 3)
    (loop,) = supervisor.loops
    assert (loop.state, loop.restarts) == (LoopState.RUNNING, 2)
    await supervisor.stop()
    running, waiting, stopped = LoopState.RUNNING, LoopState.WAITING, LoopState.STOPPED
    assert states == [running, waiting, running, waiting, running, stopped]


async def test_a_loop_that_returns_is_started_again(until):
    runs = []

    async def short() -> None:
        runs.append(1)

    supervisor = Supervisor(first_delay=0.001)
    supervisor.start("short", short)
    await until(lambda: len(runs) > 2)
    await supervisor.stop()


async def test_loops_stop_in_the_reverse_order_each_before_the_next():
    events = []

    def loop(name: str):
        async def run() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                events.append(name)

        return run

    supervisor = Supervisor()
    for name in ("first", "second", "third"):
        supervisor.start(name, loop(name))
    await asyncio.sleep(0)
    await supervisor.stop()
    assert events == ["third", "second", "first"]
    assert supervisor.loops == ()


def test_delays_grow_to_a_limit_and_vary():
    supervisor = Supervisor(first_delay=0.5)
    delays = [supervisor._delay(failures) for failures in (1, 2, 3, 20, 200)]
    for delay, longest in zip(delays, (0.5, 1, 2, 30, 30), strict=True):
        assert longest / 2 <= delay <= longest


def test_a_loop_knows_its_name():
    async def nothing() -> None: ...

    assert Loop("presence", nothing).state is LoopState.STOPPED
