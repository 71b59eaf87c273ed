"""A process that writes to a store until it is killed, and says what was acknowledged.

`python store_process.py URL increments` puts nodes w0-N, w1-N, ... for ever and prints each name that
was acknowledged. `python store_process.py URL claim` makes one claim and prints what it got.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from novasphere_server.clock import SystemClock
from novasphere_server.store.idempotency import Idempotency
from novasphere_server.store.store import Store
from store_samples import put_node, together


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # one write: a kill never leaves half a line


async def _increments(store: Store) -> None:
    async def caller(number: int) -> None:
        for n in itertools.count():
            name = f"w{number}-{n}"
            # Two objects in one mutation: never one without the other.
            await store.write(together(put_node(name), put_node(f"twin-of-{name}")))
            _say(name)

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(caller(number))


async def _claim(store: Store) -> None:
    claim = Idempotency("admin", "key-1", b"fingerprint")
    name = f"made-by-{os.getpid()}"
    node = await store.write(put_node(name), idempotency=claim)
    _say(f"{node.node_id} {claim.was_replayed}")


async def main(url: str, task: str) -> None:
    store = await Store.open(url, clock=SystemClock())
    await {"increments": _increments, "claim": _claim}[task](store)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
