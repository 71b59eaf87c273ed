"""`make bench`: measures every speed goal and prints the table."""

from __future__ import annotations

import argparse
import asyncio

from bench import bench_store, measure, rest


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rotating rounds (default 5)")
    parser.add_argument("goals", nargs="*", metavar="GOAL", help="only these: G1 G2 G5 G6")
    arguments = parser.parse_args()
    wanted = set(arguments.goals)
    results: list[measure.Result] = []
    if not wanted or wanted & {"G1", "G2", "G5"}:
        results += rest.run(arguments.rounds)
    if not wanted or "G6" in wanted:
        results += asyncio.run(bench_store.run(arguments.rounds))
    measure.show([r for r in results if not wanted or r.goal in wanted])


if __name__ == "__main__":
    main()
