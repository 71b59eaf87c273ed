"""procrastinate on PostgreSQL: the tasks, for its worker, and the client.

Runs in procrastinate's environment, with the address of the database in PEER_URL. It keeps no results: a task is
done when its row says so.
"""

from __future__ import annotations

import asyncio
import os
import time

import procrastinate
import psycopg

from bench import queue_client

FLIGHT = 64
BATCH = 500
_DONE = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["PEER_URL"], max_size=16),
    import_paths=["bench.procrastinate_peer"],
)


@app.task(name="echo")
async def echo(message: str) -> str:
    return message


def _run(runner: asyncio.Runner, count: int, *, is_batch: bool, poll: float = 0.02) -> None:
    with psycopg.connect(os.environ["PEER_URL"], autocommit=True) as database:
        before = _done(database)
        runner.run(_defer_batches(count) if is_batch else _defer(count))
        while _done(database) < before + count:
            time.sleep(poll)


def _done(database: psycopg.Connection[tuple[int]]) -> int:
    row = database.execute(_DONE).fetchone()
    assert row is not None
    return row[0]


async def _defer(count: int) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for _ in numbers:
            await echo.defer_async(message=queue_client.MESSAGE)

    await asyncio.gather(*(work() for _ in range(min(FLIGHT, count))))


async def _defer_batches(count: int) -> None:
    for start in range(0, count, BATCH):
        some = range(min(BATCH, count - start))
        await echo.batch_defer_async(*({"message": queue_client.MESSAGE} for _ in some))


async def _open() -> None:
    await app.open_async()


async def _close() -> None:
    await app.close_async()


def main() -> None:
    with asyncio.Runner() as runner:
        runner.run(_open())
        queue_client.serve(
            {
                "single": lambda count: _run(runner, count, is_batch=False),
                "batch": lambda count: _run(runner, count, is_batch=True),
            },
            lambda: _run(runner, 1, is_batch=False, poll=0.001),
        )
        runner.run(_close())


if __name__ == "__main__":
    # The module that the worker imports, and not this copy of it, has the app.
    from bench import procrastinate_peer

    procrastinate_peer.main()
