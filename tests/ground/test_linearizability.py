"""The judge of linearizability, on histories whose verdict is known."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable
from typing import Any

import pytest
from linearizability import Operation, order_of

NEVER = math.inf


def register(state: Any, operation: Operation) -> Iterable[Any]:
    """A register with ("read",), ("write", value) and ("cas", expected, value)."""
    match operation.question:
        case ("read",):
            return [state] if operation.answer == state else []
        case ("write", value):
            return [value]
        case ("cas", expected, value):
            if not operation.is_answered:
                return [value] if state == expected else [state]
            if operation.answer != (state == expected):
                return []
            return [value] if operation.answer else [state]
    raise AssertionError(operation)


def read(begun: float, ended: float, value: Any) -> Operation:
    return Operation(begun, ended, ("read",), value)


def write(begun: float, ended: float, value: Any) -> Operation:
    return Operation(begun, ended, ("write", value))


def cas(begun: float, ended: float, expected: Any, value: Any, answer: bool | None) -> Operation:
    return Operation(begun, ended, ("cas", expected, value), answer)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [write(0, 1, "a"), read(2, 3, "a")],
        # At the same time: either order will do, and both readers agree on one.
        [write(0, 9, "a"), write(0, 9, "b"), read(10, 11, "a"), read(12, 13, "a")],
        [write(0, 9, "a"), read(1, 2, None), read(3, 4, "a")],
        # One of two may win.
        [cas(0, 9, None, "a", True), cas(0, 9, None, "b", False), read(10, 11, "a")],
        # Nobody knows of this one: it happened late, or never.
        [write(0, NEVER, "a"), read(1, 2, None), read(3, 4, "a")],
        [write(0, NEVER, "a"), read(1, 2, None), read(3, 4, None)],
        [cas(0, NEVER, None, "a", None), cas(1, 2, "a", "b", True)],
    ],
)
def test_what_could_have_happened_is_accepted(history: list[Operation]) -> None:
    assert order_of(history, None, register) is not None


@pytest.mark.parametrize(
    "history",
    [
        # A read of what was overwritten before it began.
        [write(0, 1, "a"), write(2, 3, "b"), read(4, 5, "a")],
        # Time does not run backwards between two readers.
        [write(0, 9, "a"), read(1, 2, "a"), read(3, 4, None)],
        # The lost update: both were told that they replaced the same value.
        [cas(0, 9, None, "a", True), cas(0, 9, None, "b", True)],
        # Two that nobody knows of may explain one value each, but not one of them twice.
        [write(0, NEVER, "a"), read(1, 2, "a"), write(3, 4, "b"), read(5, 6, "b"), read(7, 8, "a")],
        # It had not begun.
        [read(0, 1, "a"), write(2, NEVER, "a")],
        # Refused, although nothing had changed.
        [cas(0, 1, None, "a", False), read(2, 3, None)],
    ],
)
def test_what_cannot_have_happened_is_rejected(history: list[Operation]) -> None:
    assert order_of(history, None, register) is None


def test_the_order_it_returns_explains_every_answer() -> None:
    history = [write(0, 9, "a"), write(0, 9, "b"), read(1, 2, "b"), read(3, 9, "a")]
    order = order_of(history, None, register)
    assert order is not None
    assert [operation.question[-1] for operation in order] == ["b", "read", "a", "read"]


@pytest.mark.parametrize("seed", range(20))
def test_a_history_of_a_real_register_is_accepted_and_a_forged_one_is_not(seed: int) -> None:
    """Operations overlap at random; each takes effect at a point between its ends."""
    chance = random.Random(seed)
    state: Any = 0
    values = itertools.count(1)
    effects = sorted(chance.uniform(0, 100) for _ in range(60))
    history: list[Operation] = []
    for effect in effects:
        begun, ended = effect - chance.uniform(0, 10), effect + chance.uniform(0, 10)
        if chance.random() < 0.1:
            ended = NEVER
        if chance.random() < 0.5:
            history.append(read(begun, ended, state if ended < NEVER else None))
            continue
        expected, value = chance.choice([state, 0]), next(values)
        swapped = state == expected
        if swapped:
            state = value
        history.append(cas(begun, ended, expected, value, swapped if ended < NEVER else None))
    assert order_of([o for o in history if o.question != ("read",) or o.is_answered], 0, register)
    end = max(o.ended for o in history if o.is_answered)
    forged = [*history, cas(end + 1, end + 2, state, -1, True), cas(end + 3, end + 4, state, -2, True)]
    assert order_of(forged, 0, register) is None
