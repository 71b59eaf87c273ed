"""An event loop on a thread of its own, for callers who have none, or who are inside theirs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class ClientClosed(RuntimeError):
    """The client was closed, before this call or while it ran."""

    def __init__(self) -> None:
        super().__init__("the client is closed")


class Portal:
    """Runs coroutines for other threads until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="novasphere client", daemon=True)
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread.start()

    def submit(
        self, work: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> concurrent.futures.Future[R]:
        """Starts `work` on the loop. Raises ClientClosed."""

        async def run() -> R:
            return await work(*args, **kwargs)

        if threading.current_thread() is self._thread:
            raise RuntimeError("a callback of a SyncClient cannot call it: it would wait for itself")
        with self._lock:
            if self._is_closed:
                raise ClientClosed
            return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def call(self, work: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Returns what `work` returns; one that is interrupted, as by Ctrl-C, is cancelled.

        Raises ClientClosed when the portal is closed before it is done.
        """
        future = self.submit(work, *args, **kwargs)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise ClientClosed from None
        except BaseException:
            future.cancel()
            raise

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """Cancels what runs, does `last`, and returns once the thread has ended."""

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            try:
                await last()
            finally:
                self._loop.call_soon(self._loop.stop)

        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
            ended = asyncio.run_coroutine_threadsafe(end(), self._loop) if is_first else None
        self._thread.join()
        if ended is not None:
            ended.result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()
