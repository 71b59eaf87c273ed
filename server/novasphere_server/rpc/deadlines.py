"""Calls that must end in time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from novasphere_server.errors import DeadlineExceeded

R = TypeVar("R")


async def within(seconds: float, call: Coroutine[Any, Any, R]) -> R:
    """Returns what the call does. Raises DeadlineExceeded if it has to wait for longer than that.

    Most calls are answered from memory and wait for nothing: a timer is set for the others alone.
    """
    try:
        awaited = call.send(None)
    except StopIteration as answered:
        return answered.value  # type: ignore[no-any-return]
    timeout = asyncio.timeout(seconds)
    try:
        async with timeout:
            return await _Begun(call, awaited)  # type: ignore[no-any-return]
    except TimeoutError:
        if timeout.expired():
            raise DeadlineExceeded from None
        raise


class _Begun(Generator[Any, Any, Any]):
    """A coroutine that has run up to its first wait. Awaiting this goes on from there."""

    __slots__ = ("_awaited", "_call", "_is_passed_on")

    def __init__(self, call: Coroutine[Any, Any, Any], awaited: object) -> None:
        self._call = call
        self._awaited = awaited
        self._is_passed_on = False

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def send(self, value: Any) -> Any:
        if self._is_passed_on:
            return self._call.send(value)
        self._is_passed_on = True
        return self._awaited

    def throw(self, *error: Any) -> Any:
        return self._call.throw(*error)
