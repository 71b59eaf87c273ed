"""Decides whether what clients saw of one object could have happened one step at a time.

The search is Wing and Gong's, with Lowe's memory of what was tried in vain. An operation that was never
answered may have had its effect at any time after it began, or never.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

State = Hashable


@dataclass(frozen=True)
class Operation:
    """What one client asked and was told. `ended` is infinite, and `answer` None, if it never knew."""

    begun: float
    ended: float
    question: Any
    answer: Any = None

    @property
    def is_answered(self) -> bool:
        return self.ended < math.inf


# Returns the states in which an operation with its answer may leave an object: none if it cannot be.
Step = Callable[[State, Operation], Iterable[State]]


def order_of(history: Sequence[Operation], initial: State, step: Step) -> list[Operation] | None:
    """Returns an order in which the history makes sense, or None: it is not linearizable."""
    operations = sorted(history, key=lambda operation: operation.begun)
    answered = sum(1 << n for n, operation in enumerate(operations) if operation.is_answered)
    # What was taken so far, as bits; the state that it left; and in which order it was.
    branches: list[tuple[int, State, tuple[int, ...]]] = [(0, initial, ())]
    tried: set[tuple[int, State]] = set()
    while branches:
        taken, state, order = branches.pop()
        if taken & answered == answered:
            return [operations[n] for n in order]
        left = [n for n in range(len(operations)) if not taken >> n & 1]
        first_end = min(operations[n].ended for n in left)
        for n in left:
            if operations[n].begun > first_end:
                break  # something was over before this began, and so did all after it
            for next_state in step(state, operations[n]):
                branch = (taken | 1 << n, next_state)
                if branch not in tried:
                    tried.add(branch)
                    branches.append((*branch, (*order, n)))
    return None
