"""Times Salt's test.ping through LocalClient, as its users call it.

Runs in Salt's environment: `python -m bench.salt_client MASTER_CONFIG SECONDS`. Says "ready" once the minion
answers; from then on each line in is a number of pings, each line out the seconds that each took.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time

import salt.client
import salt.exceptions


def _ping(client: salt.client.LocalClient) -> float:
    start = time.perf_counter()
    answer = client.cmd("bench", "test.ping", timeout=10)
    if answer != {"bench": True}:
        raise salt.exceptions.SaltClientError(f"the minion answered {answer!r}")
    return time.perf_counter() - start


def _connected(config: str, seconds: float) -> salt.client.LocalClient:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(salt.exceptions.SaltException):
            client = salt.client.LocalClient(
                c_path=config
            )  # it reads the key, which must be there by then
            _ping(client)
            return client
        time.sleep(0.5)
    sys.exit("no minion answered")


if __name__ == "__main__":
    connected = _connected(sys.argv[1], float(sys.argv[2]))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps([_ping(connected) for _ in range(int(line))]), flush=True)
