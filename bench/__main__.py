"""`make bench`: measures every speed goal and prints the tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from bench import agents, bench_store, dispatch, measure, rest, round_trips, schedules, starts

_OTHERS = {
    "G6": bench_store.run,
    "G10": agents.run,
    "G11": dispatch.run_sqlite,
    "G12": round_trips.run,
    "G13": dispatch.run_postgresql,
    "G14": schedules.run,
    "start": starts.run,
}
_GOALS = rest.GOALS | _OTHERS.keys()


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rotating rounds (default 5)")
    names = sorted(_GOALS, key=lambda goal: (len(goal), goal))
    parser.add_argument(
        "goals", nargs="*", metavar="GOAL", choices=[*names, []], help=f"only these: {' '.join(names)}"
    )
    arguments = parser.parse_args()
    wanted = set(arguments.goals) or _GOALS
    measurements: list[Callable[[], list[measure.Row]]] = []
    if wanted & rest.GOALS:
        measurements.append(partial(rest.run, arguments.rounds, wanted & rest.GOALS))
    for goal, run in _OTHERS.items():
        if goal in wanted:
            measurements.append(partial(run, arguments.rounds))
    rows: list[measure.Row] = []
    # Each in a process of its own: gRPC hangs in a second event loop of the same process.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
        for measurement in measurements:
            rows += alone.submit(measurement).result()
    measure.show(rows)


if __name__ == "__main__":
    main()
