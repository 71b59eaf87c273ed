"""dramatiq with Redis as broker and for results: the actors, for its workers, and the client.

Runs in dramatiq's environment, with the address of Redis in PEER_URL.
"""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from bench import queue_client

_broker = RedisBroker(url=os.environ["PEER_URL"])
_broker.add_middleware(Results(backend=RedisBackend(url=os.environ["PEER_URL"])))
dramatiq.set_broker(_broker)


@dramatiq.actor(store_results=True)
def echo(message: str) -> str:
    return message


def _singly(count: int) -> None:
    for sent in [echo.send(queue_client.MESSAGE) for _ in range(count)]:
        queue_client.check(sent.get_result(block=True, timeout=60_000))


if __name__ == "__main__":
    queue_client.serve({"single": _singly}, lambda: _singly(1))
