"""What watches and output readers share: an async iterator that one can also close."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Subscription(ABC, Generic[T]):
    """An async iterator over a stream.

    Leaving its `async with` block, or `aclose`, cancels the stream at once; one that is read to its
    end needs neither.
    """

    def __init__(self) -> None:
        self._rows = self._read()

    @abstractmethod
    def _read(self) -> AsyncGenerator[T, None]: ...

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await anext(self._rows)

    async def aclose(self) -> None:
        await self._rows.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
