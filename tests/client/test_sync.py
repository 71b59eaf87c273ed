"""The synchronous client, against a server on another thread's loop: this one is blocked meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from novasphere_client import (
    ClientClosed,
    SyncClient,
    client,
    commands,
    errors,
    instances,
    jobs,
    keys,
    nodes,
    schedules,
    sync,
    systems,
    tasks,
)
from novasphere_client.portals import Portal
from novasphere_client.settings import SettingsError
from scripted_server import OUT, TOKEN, Refusal, ScriptedServer, event


@pytest.fixture
def portal() -> Iterator[Portal]:
    async def nothing() -> None:
        pass

    running = Portal()
    yield running
    running.close(nothing)


@pytest.fixture
def scripted(portal: Portal) -> Iterator[ScriptedServer]:
    async def make() -> ScriptedServer:
        made = ScriptedServer()
        await made.start()
        return made

    running = portal.call(make)
    yield running
    portal.call(running.stop)


@pytest.fixture
def connected(scripted: ScriptedServer) -> Iterator[SyncClient]:
    with SyncClient.connect(scripted.address, TOKEN, patience=30.0) as made:
        yield made


def eventually(check: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def client_threads() -> int:
    return sum(thread.name == "novasphere client" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("own", "facade"),
    [
        (nodes.Nodes, sync.Nodes),
        (nodes.Metrics, sync.Metrics),
        (commands.Commands, sync.Commands),
        (jobs.Jobs, sync.Jobs),
        (jobs.Agents, sync.Agents),
        (schedules.Schedules, sync.Schedules),
        (tasks.Tasks, sync.Tasks),
        (instances.Instances, sync.Instances),
        (keys.Keys, sync.Keys),
        (keys.JoinTokens, sync.JoinTokens),
        (systems.System, sync.System),
    ],
)
def test_every_verb_is_there_with_its_words_and_arguments(own: type, facade: type) -> None:
    def verbs(of: type) -> dict[str, Any]:
        return {name: it for name, it in vars(of).items() if callable(it) and name[0] != "_"}

    assert verbs(own).keys() == verbs(facade).keys()
    for name, method in verbs(own).items():
        assert verbs(facade)[name].__doc__ == method.__doc__
        assert inspect.signature(verbs(facade)[name]).parameters == inspect.signature(method).parameters


def test_every_noun_is_there(connected: SyncClient) -> None:
    def nouns(of: object) -> set[str]:
        return {name for name in vars(of) if name[0] != "_"}

    assert nouns(connected) == nouns(connected._own)
    assert connected.settings.token == TOKEN
    assert inspect.signature(client.Client.connect).parameters.keys() - {"token_seconds"} == (
        inspect.signature(SyncClient.connect).parameters.keys()
    )


def test_calls_return_and_errors_are_raised(scripted: ScriptedServer, connected: SyncClient) -> None:
    for number in range(3):
        scripted.add_node(f"n{number}")
    assert connected.nodes.get("n1").hostname == "host-n1"
    assert [node.node_id for node in connected.nodes.all()] == ["n0", "n1", "n2"]
    assert next(connected.nodes.all()).node_id == "n0"  # and leaves the rest
    with pytest.raises(errors.NoMetricsData):
        connected.nodes.metrics.latest("n1")
    with pytest.raises(errors.NodeNotFound):
        connected.nodes.get("nobody")
    with pytest.raises(SettingsError):
        SyncClient.connect("http://no")


def test_a_mutation_is_repeated_under_one_request_id(
    scripted: ScriptedServer, connected: SyncClient
) -> None:
    scripted.add_node("n1")
    # The answer is lost after the command was made.
    scripted.refuse("AfterCreate", Refusal(grpc.StatusCode.UNAVAILABLE))
    created = connected.commands.create("n1", "true")
    sent = scripted.requests("CreateCommand")
    assert len(sent) == 2
    assert len({request.request_id for request in sent}) == 1
    assert list(scripted.scripts) == [created.command_id]


def test_a_watch_is_an_iterator_that_resumes(scripted: ScriptedServer, connected: SyncClient) -> None:
    node = scripted.add_node("n1")
    scripted.watch_streams = [
        [[event("ADDED", node), event("BOOKMARK", cursor="e.1")]],
        [[event("DELETED", node, "e.2")]],
    ]
    with connected.nodes.watch() as watch:
        rows = [next(watch) for _ in range(3)]
        assert [row.type for row in rows] == [1, 4, 3]
        assert watch.cursor == "e.2"
    assert list(watch) == []
    eventually(lambda: scripted.open_streams == 0)


def test_a_gap_is_raised(scripted: ScriptedServer, connected: SyncClient) -> None:
    scripted.watch_streams = [[[event("BOOKMARK", cursor="e.1")], [event("GAP")]]]
    with pytest.raises(errors.Gap):
        list(connected.nodes.watch())


def test_output_ends_with_its_command(
    portal: Portal, scripted: ScriptedServer, connected: SyncClient
) -> None:
    script = scripted.add_command()
    portal.call(scripted.print, script, (OUT, b"one\n"), (OUT, b"two\n"))
    portal.call(scripted.finish, script, 4, 0)
    with connected.commands.output(script.command.command_id, follow=True) as pieces:
        assert b"".join(piece.data for piece in pieces) == b"one\ntwo\n"
        assert pieces.offset == 8
        assert pieces.command is not None
        assert pieces.command.exit_code == 0


def test_many_threads_share_a_client(scripted: ScriptedServer, connected: SyncClient) -> None:
    scripted.add_node("n1")
    before = client_threads()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: connected.nodes.get("n1").node_id, range(200)))
    assert found == ["n1"] * 200
    assert client_threads() == before


async def test_it_works_inside_a_running_event_loop(tmp_path: Any) -> None:
    def work() -> str:
        ready = threading.Event()
        address: list[str] = []
        stop: list[Any] = []

        async def serve() -> None:
            scripted = ScriptedServer()
            await scripted.start()
            scripted.add_node("n1")
            address.append(scripted.address)
            ended = asyncio.Event()
            stop.append((asyncio.get_running_loop(), ended))
            ready.set()
            await ended.wait()
            await scripted.stop()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        assert ready.wait(60)
        try:
            with SyncClient.connect(address[0], TOKEN) as made:
                return str(made.nodes.get("n1").node_id)
        finally:
            loop, ended = stop[0]
            loop.call_soon_threadsafe(ended.set)
            thread.join()

    assert work() == "n1"  # called on the loop of this test


def test_closing_a_watch_ends_whoever_waits_for_it(
    scripted: ScriptedServer, connected: SyncClient
) -> None:
    scripted.watch_streams = [[[event("BOOKMARK", cursor="e.1")]]]
    watch = connected.nodes.watch()
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(lambda: [row.cursor for row in watch]) for _ in range(2)]
        eventually(lambda: watch.cursor == "e.1")
        watch.close()
        assert sorted(reader.result(60) for reader in readers) == [[], ["e.1"]]
    eventually(lambda: scripted.open_streams == 0)
    watch.close()


def test_closing_the_client_ends_every_call_and_its_thread(scripted: ScriptedServer) -> None:
    async def silence(*_: Any) -> None:
        scripted.calls.append(("silence", None))
        await asyncio.Event().wait()

    before = client_threads()
    made = SyncClient.connect(scripted.address, TOKEN)
    watch = made.nodes.watch()
    scripted.enter = silence  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(made.nodes.list), pool.submit(next, watch)]
        eventually(lambda: len(scripted.calls) == 2)
        made.close()
        for call in calls:
            with pytest.raises(ClientClosed):
                call.result(60)
    assert client_threads() == before
    made.close()
    watch.close()
    with pytest.raises(ClientClosed):
        made.nodes.list()
    with pytest.raises(ClientClosed):
        next(made.nodes.watch())


def test_a_callback_cannot_wait_for_itself(scripted: ScriptedServer, connected: SyncClient) -> None:
    said: list[str] = []

    def interrupted(_: errors.NovasphereError) -> None:
        try:
            connected.nodes.list()
        except RuntimeError as error:
            said.append(str(error))

    scripted.watch_streams = [[[event("BOOKMARK", cursor="e.1")]], [[event("BOOKMARK", cursor="e.2")]]]
    with connected.nodes.watch(on_interruption=interrupted) as watch:
        assert [next(watch).cursor, next(watch).cursor] == ["e.1", "e.2"]
    assert "cannot call it" in said[0]
