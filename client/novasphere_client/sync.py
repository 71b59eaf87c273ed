"""The client for programs without an event loop: the same nouns and verbs, and calls that return.

    with SyncClient.connect() as client:
        for node in client.nodes.all():
            print(node.node_id)

What a call does is written once, in the asynchronous client, which runs here on a thread of its own.
A SyncClient may be shared by threads, and used inside an event loop that it then blocks.
"""

from __future__ import annotations

import concurrent.futures
import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Concatenate, Final, Generic, ParamSpec, Self, TypeVar

from novasphere.node.v1 import command_pb2, command_service_pb2

from novasphere_client import (
    commands,
    instances,
    jobs,
    keys,
    nodes,
    outputs,
    schedules,
    subscriptions,
    systems,
    tasks,
    watches,
)
from novasphere_client.client import Client
from novasphere_client.portals import ClientClosed, Portal
from novasphere_client.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=watches.Event)
T = TypeVar("T")


class _End:
    """What comes after the last row."""


_END: Final = _End()


class _Noun:
    """A noun of the asynchronous client, and where its calls run."""

    def __init__(self, portal: Portal, own: Any) -> None:
        self._portal = portal
        self._own = own


def _returning(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Any, P], R]:
    """Returns the method that waits for the result of an asynchronous one."""

    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        done: R = self._portal.call(method, self._own, *args, **kwargs)
        return done

    return call


def _iterating(
    method: Callable[Concatenate[Any, P], AsyncIterator[R]],
) -> Callable[Concatenate[Any, P], Iterator[R]]:
    """Returns the method that yields what an asynchronous one yields."""

    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        rows = method(self._own, *args, **kwargs)
        try:
            while not isinstance(row := self._portal.call(_next, rows), _End):
                yield row
        finally:
            if isinstance(rows, AsyncGenerator):
                with suppress(ClientClosed):
                    self._portal.call(rows.aclose)

    return call


async def _next(rows: AsyncIterator[R]) -> R | _End:
    return await anext(rows, _END)


class Subscription(Generic[T]):
    """An iterator over a stream; `close`, from any thread, ends it. Threads that share it share its rows."""

    def __init__(self, portal: Portal, own: subscriptions.Subscription[T]) -> None:
        self._portal = portal
        self._rows = own
        self._turn = threading.Lock()  # whose turn it is to read
        self._state = threading.Lock()
        self._reading: concurrent.futures.Future[T | _End] | None = None
        self._is_closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        with self._turn:
            with self._state:
                if self._is_closed:
                    raise StopIteration
                self._reading = reading = self._portal.submit(_next, self._rows)
            try:
                row = reading.result()
            except concurrent.futures.CancelledError:
                if self._is_closed:
                    raise StopIteration from None
                raise ClientClosed from None
            except BaseException:
                reading.cancel()
                raise
        if isinstance(row, _End):
            raise StopIteration
        return row

    def close(self) -> None:
        """Cancels the stream; whoever waits for a row of it gets none."""
        with self._state:
            self._is_closed = True
            if self._reading is not None:
                self._reading.cancel()
        with self._turn, suppress(ClientClosed):
            self._portal.call(self._rows.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Watch(Subscription[E], Generic[E]):
    """Yields the present objects, a BOOKMARK, then changes; see `watches.Watch`."""

    def __init__(self, portal: Portal, own: watches.Watch[E]) -> None:
        super().__init__(portal, own)
        self._own = own

    @property
    def cursor(self) -> str:
        """Returns how far the watch has got: everything up to it was yielded."""
        return self._own.cursor


class Output(Subscription[command_service_pb2.OutputEvent]):
    """Yields the pieces of a command's output in order; see `outputs.Output`."""

    def __init__(self, portal: Portal, own: outputs.Output) -> None:
        super().__init__(portal, own)
        self._own = own

    @property
    def offset(self) -> int:
        """Returns where the next piece begins."""
        return self._own.offset

    @property
    def attempt(self) -> int:
        """Returns the attempt that the next piece is of; 0 as long as that is not known."""
        return self._own.attempt

    @property
    def command(self) -> command_pb2.Command | None:
        """Returns the command as it stood at the end of the output; None before."""
        return self._own.command


def _watching(
    method: Callable[Concatenate[Any, P], watches.Watch[E]],
) -> Callable[Concatenate[Any, P], Watch[E]]:
    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Watch[E]:
        return Watch(self._portal, method(self._own, *args, **kwargs))

    return call


def _reading(
    method: Callable[Concatenate[Any, P], outputs.Output],
) -> Callable[Concatenate[Any, P], Output]:
    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Output:
        return Output(self._portal, method(self._own, *args, **kwargs))

    return call


class Metrics(_Noun):
    """Load samples of nodes."""

    latest = _returning(nodes.Metrics.latest)
    latest_all = _returning(nodes.Metrics.latest_all)
    list = _returning(nodes.Metrics.list)
    summary = _returning(nodes.Metrics.summary)


class Nodes(_Noun):
    """Machines and their presence. `metrics` has their load."""

    list = _returning(nodes.Nodes.list)
    all = _iterating(nodes.Nodes.all)
    get = _returning(nodes.Nodes.get)
    delete = _returning(nodes.Nodes.delete)
    watch = _watching(nodes.Nodes.watch)

    @property
    def metrics(self) -> Metrics:
        """Returns the load of nodes."""
        return Metrics(self._portal, self._own.metrics)


class Commands(_Noun):
    """Creates commands, reads their output, cancels and watches them."""

    create = _returning(commands.Commands.create)
    create_all = _returning(commands.Commands.create_all)
    get = _returning(commands.Commands.get)
    get_all = _returning(commands.Commands.get_all)
    explain = _returning(commands.Commands.explain)
    list = _returning(commands.Commands.list)
    cancel = _returning(commands.Commands.cancel)
    cancel_all = _returning(commands.Commands.cancel_all)
    watch = _watching(commands.Commands.watch)
    output = _reading(commands.Commands.output)


class Keys(_Noun):
    """API keys: credentials for programs."""

    create = _returning(keys.Keys.create)
    list = _returning(keys.Keys.list)
    all = _iterating(keys.Keys.all)
    get = _returning(keys.Keys.get)
    update = _returning(keys.Keys.update)
    revoke = _returning(keys.Keys.revoke)
    watch = _watching(keys.Keys.watch)


class JoinTokens(_Noun):
    """Join tokens: how a machine becomes a node."""

    create = _returning(keys.JoinTokens.create)
    list = _returning(keys.JoinTokens.list)
    all = _iterating(keys.JoinTokens.all)
    revoke = _returning(keys.JoinTokens.revoke)


class Jobs(_Noun):
    """Jobs, by id."""

    create = _returning(jobs.Jobs.create)
    list = _returning(jobs.Jobs.list)
    all = _iterating(jobs.Jobs.all)
    get = _returning(jobs.Jobs.get)
    named = _returning(jobs.Jobs.named)
    update = _returning(jobs.Jobs.update)
    delete = _returning(jobs.Jobs.delete)
    enable = _returning(jobs.Jobs.enable)
    disable = _returning(jobs.Jobs.disable)
    trigger = _returning(jobs.Jobs.trigger)
    watch = _watching(jobs.Jobs.watch)


class Schedules(_Noun):
    """Makes, changes and watches schedules, and reads their ledgers."""

    list = _returning(schedules.Schedules.list)
    all = _iterating(schedules.Schedules.all)
    get = _returning(schedules.Schedules.get)
    explain = _returning(schedules.Schedules.explain)
    create = _returning(schedules.Schedules.create)
    update = _returning(schedules.Schedules.update)
    delete = _returning(schedules.Schedules.delete)
    enable = _returning(schedules.Schedules.enable)
    disable = _returning(schedules.Schedules.disable)
    pause = _returning(schedules.Schedules.pause)
    resume = _returning(schedules.Schedules.resume)
    trigger = _returning(schedules.Schedules.trigger)
    backfill = _returning(schedules.Schedules.backfill)
    preview = _returning(schedules.Schedules.preview)
    preview_timing = _returning(schedules.Schedules.preview_timing)
    firings = _iterating(schedules.Schedules.firings)
    last_firings = _returning(schedules.Schedules.last_firings)
    missed = _iterating(schedules.Schedules.missed)
    watch = _watching(schedules.Schedules.watch)


class Tasks(_Noun):
    """Submits tasks, reads their output, cancels, retries and watches them."""

    list = _returning(tasks.Tasks.list)
    all = _iterating(tasks.Tasks.all)
    get = _returning(tasks.Tasks.get)
    explain = _returning(tasks.Tasks.explain)
    create = _returning(tasks.Tasks.create)
    create_all = _returning(tasks.Tasks.create_all)
    cancel = _returning(tasks.Tasks.cancel)
    retry = _returning(tasks.Tasks.retry)
    watch = _watching(tasks.Tasks.watch)
    output = _reading(tasks.Tasks.output)


class Instances(_Noun):
    """Shows and watches attempts."""

    list = _returning(instances.Instances.list)
    all = _iterating(instances.Instances.all)
    get = _returning(instances.Instances.get)
    watch = _watching(instances.Instances.watch)


class Agents(_Noun):
    """Nodes as the schedules face has them."""

    list = _returning(jobs.Agents.list)
    all = _iterating(jobs.Agents.all)
    get = _returning(jobs.Agents.get)


class System(_Noun):
    """Counts, health and version of the server."""

    stats = _returning(systems.System.stats)
    health = _returning(systems.System.health)
    version = _returning(systems.System.version)


class SyncClient:
    """A connection to one server, with the API's resources as attributes; see `Client`.

    What it is told to call when a stream breaks is called on its own thread, and cannot call it back.
    """

    def __init__(self, portal: Portal, own: Client, leave: AsyncExitStack) -> None:
        self._portal = portal
        self._own = own
        self._leave = leave
        self.nodes = Nodes(portal, own.nodes)
        self.commands = Commands(portal, own.commands)
        self.keys = Keys(portal, own.keys)
        self.join_tokens = JoinTokens(portal, own.join_tokens)
        self.jobs = Jobs(portal, own.jobs)
        self.schedules = Schedules(portal, own.schedules)
        self.tasks = Tasks(portal, own.tasks)
        self.instances = Instances(portal, own.instances)
        self.agents = Agents(portal, own.agents)
        self.system = System(portal, own.system)

    @classmethod
    def connect(
        cls,
        server: str | None = None,
        token: str | None = None,
        *,
        context: str | None = None,
        timeout: float = 30.0,
        patience: float = 5.0,
        request_id: str = "",
    ) -> Self:
        """Opens a client; see `Client.connect`. Use it with `with`, or `close` it. Raises SettingsError."""
        portal, leave = Portal(), AsyncExitStack()
        connecting = Client.connect(
            server, token, context=context, timeout=timeout, patience=patience, request_id=request_id
        )
        try:
            own = portal.call(leave.enter_async_context, connecting)
        except BaseException:
            portal.close(leave.aclose)
            raise
        return cls(portal, own, leave)

    @property
    def settings(self) -> Settings:
        """Returns where this client calls, and as whom."""
        return self._own.settings

    def wait_until_ready(self, timeout: float) -> None:
        """Returns once there is a connection; raises Unreachable when there is none in time."""
        self._portal.call(self._own.wait_until_ready, timeout)

    def close(self) -> None:
        """Ends every call and stream, and returns once the client's thread has ended."""
        self._portal.close(self._leave.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
