"""Celery with Redis as broker and for results: the tasks, for its worker, and the client.

Runs in Celery's environment, with the address of Redis in PEER_URL.
"""

from __future__ import annotations

import os

import celery

from bench import queue_client

app = celery.Celery("peer", broker=os.environ["PEER_URL"], backend=os.environ["PEER_URL"])
app.conf.broker_connection_retry_on_startup = True


@app.task(name="echo")
def echo(message: str) -> str:
    return message


def _singly(count: int) -> None:
    for result in [echo.delay(queue_client.MESSAGE) for _ in range(count)]:
        queue_client.check(result.get(timeout=60))


if __name__ == "__main__":
    queue_client.serve({"single": _singly}, lambda: _singly(1))
