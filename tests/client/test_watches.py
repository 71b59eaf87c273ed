from __future__ import annotations

from typing import Any

import grpc
import pytest
from novasphere.api.v1 import watch_pb2
from novasphere.node.v1 import node_pb2
from novasphere_client import Client, errors
from scripted_server import TOKEN, Refusal, ScriptedServer, event


def node(name: str, revision: int = 1) -> node_pb2.Node:
    return node_pb2.Node(node_id=name, uid=f"uid-{name}", revision=revision)


def told(row: Any) -> tuple[str, str]:
    kind = watch_pb2.EventType.Name(row.type).removeprefix("EVENT_TYPE_")
    return kind, row.object.node_id or row.cursor


async def take(watch: Any, count: int) -> list[tuple[str, str]]:
    return [told(await anext(watch)) for _ in range(count)]


async def test_a_watch_shows_the_present_then_changes(server: ScriptedServer) -> None:
    server.watch_streams = [
        [
            [event("ADDED", node("a")), event("BOOKMARK", cursor="e.1")],
            [event("MODIFIED", node("a", 2), "e.2")],
        ]
    ]
    async with Client.connect(server.address, TOKEN) as client, client.nodes.watch() as watch:
        assert await take(watch, 3) == [("ADDED", "a"), ("BOOKMARK", "e.1"), ("MODIFIED", "a")]
        assert watch.cursor == "e.2"


async def test_a_broken_stream_goes_on_after_the_last_cursor(server: ScriptedServer) -> None:
    server.watch_streams = [
        [[event("BOOKMARK", cursor="e.1")], [event("ADDED", node("a"), "e.2")]],
        [],
        [[event("DELETED", node("a"), "e.3")]],
    ]
    broke: list[errors.NovasphereError] = []
    async with (
        Client.connect(server.address, TOKEN) as client,
        client.nodes.watch(on_interruption=broke.append) as watch,
    ):
        assert await take(watch, 3) == [("BOOKMARK", "e.1"), ("ADDED", "a"), ("DELETED", "a")]
    assert [request.cursor for request in server.requests("WatchNodes")] == ["", "e.2", "e.2"]
    assert len(broke) == 2


async def test_a_message_is_one_mutation_and_its_cursor_counts_once_all_of_it_was_given(
    server: ScriptedServer,
) -> None:
    server.watch_streams = [
        [
            [event("BOOKMARK", cursor="e.1")],
            [event("ADDED", node("a"), "e.2"), event("ADDED", node("b"), "e.2")],
        ]
    ]
    async with Client.connect(server.address, TOKEN) as client, client.nodes.watch() as watch:
        assert await take(watch, 2) == [("BOOKMARK", "e.1"), ("ADDED", "a")]
        assert watch.cursor == "e.1"
        assert await take(watch, 1) == [("ADDED", "b")]
        assert watch.cursor == "e.2"


async def test_a_break_inside_the_present_state_shows_nothing_twice_and_loses_nothing(
    server: ScriptedServer,
) -> None:
    server.watch_streams = [
        [
            [event("ADDED", node("same")), event("ADDED", node("changed"))],
            [event("ADDED", node("gone"))],
        ],
        [
            [event("ADDED", node("same")), event("ADDED", node("changed", 5))],
            [event("ADDED", node("new")), event("BOOKMARK", cursor="e.9")],
        ],
    ]
    async with Client.connect(server.address, TOKEN) as client, client.nodes.watch() as watch:
        assert await take(watch, 7) == [
            ("ADDED", "same"),
            ("ADDED", "changed"),
            ("ADDED", "gone"),
            ("MODIFIED", "changed"),
            ("ADDED", "new"),
            ("DELETED", "gone"),
            ("BOOKMARK", "e.9"),
        ]


async def test_a_gap_is_raised(server: ScriptedServer) -> None:
    lost = watch_pb2.Gap(first_lost_revision=3, last_lost_revision=8, oldest_cursor="e.8")
    server.watch_streams = [[[event("BOOKMARK", cursor="e.2")], [event("GAP", gap=lost)]]]
    async with Client.connect(server.address, TOKEN) as client, client.nodes.watch() as watch:
        await take(watch, 1)
        with pytest.raises(errors.Gap) as caught:
            await anext(watch)
    gap = caught.value
    assert (gap.first_lost_revision, gap.last_lost_revision, gap.oldest_cursor) == (3, 8, "e.8")


async def test_a_cursor_that_expired_meanwhile_is_a_gap_too(server: ScriptedServer) -> None:
    server.watch_streams = [[[event("BOOKMARK", cursor="e.2")]], []]
    async with Client.connect(server.address, TOKEN) as client, client.nodes.watch() as watch:
        await take(watch, 1)
        expired = {"oldest_cursor": "e.7"}
        server.refuse(
            "WatchNodes", Refusal(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", metadata=expired)
        )
        with pytest.raises(errors.Gap) as caught:
            await anext(watch)
    assert isinstance(caught.value, errors.CursorExpired)
    assert caught.value.oldest_cursor == "e.7"


async def test_a_refusal_ends_a_watch(server: ScriptedServer) -> None:
    async with Client.connect(server.address, "another-token-01") as client:
        with pytest.raises(errors.Unauthenticated):
            await anext(client.nodes.watch())
    assert len(server.calls) == 1


async def test_leaving_a_watch_cancels_its_stream(server: ScriptedServer) -> None:
    server.watch_streams = [[[event("BOOKMARK", cursor="e.1")]]]
    async with Client.connect(server.address, TOKEN) as client:
        async with client.nodes.watch() as watch:
            await take(watch, 1)
            assert server.open_streams == 1
        await server.until(lambda: server.open_streams == 0)


async def test_a_server_that_stays_away_ends_a_watch(server: ScriptedServer) -> None:
    server.watch_streams = [[[event("BOOKMARK", cursor="e.1")]]]
    async with (
        Client.connect(server.address, TOKEN) as client,
        client.nodes.watch(patience=0.5) as watch,
    ):
        await take(watch, 1)
        await server.stop()
        with pytest.raises(errors.Unreachable):
            await anext(watch)
