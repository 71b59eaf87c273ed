from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from novasphere_client import Client, errors
from novasphere_client.settings import SettingsError
from scripted_server import TOKEN, Refusal, ScriptedServer

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def connect(server: ScriptedServer, **options: Any) -> Any:
    return Client.connect(server.address, TOKEN, **options)


async def test_reads_what_is_there(server: ScriptedServer) -> None:
    for number in range(5):
        server.add_node(f"n{number}")
    async with connect(server) as client:
        assert (await client.nodes.list()).total == 5
        assert [n.node_id async for n in client.nodes.all()] == ["n0", "n1", "n2", "n3", "n4"]
        assert (await client.nodes.get("n3")).hostname == "host-n3"
        assert (await client.system.stats()).total_nodes == 5
        assert (await client.system.health()).status == "healthy"
        summary = await client.nodes.metrics.summary(
            "n1", start_time=datetime(2030, 1, 1, tzinfo=UTC), end_time=datetime(2030, 1, 2, tzinfo=UTC)
        )
        assert summary.sample_count == 120
        with pytest.raises(ValueError, match="time zone"):
            await client.nodes.metrics.list("n1", start_time=datetime(2030, 1, 1))  # noqa: DTZ001


async def test_an_error_carries_everything_the_api_said(server: ScriptedServer) -> None:
    refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        "limit: must be at most 1000",
        {"key": "value"},
        [("limit", "must be at most 1000")],
    )
    server.refuse("ListNodes", refusal)
    async with connect(server) as client:
        with pytest.raises(errors.InvalidArgument) as caught:
            await client.nodes.list(limit=5000)
    error = caught.value
    assert (error.reason, error.code) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert error.violations == (errors.Violation("limit", "must be at most 1000"),)
    assert error.metadata == {"key": "value"}
    assert error.request_id == "req-17"
    assert not error.is_retriable
    assert len(server.requests("ListNodes")) == 1


async def test_reasons_have_classes_of_their_own(server: ScriptedServer) -> None:
    async with connect(server) as client:
        with pytest.raises(errors.NodeNotFound):
            await client.nodes.get("nobody")
        with pytest.raises(errors.CommandNotFound):
            await client.commands.get("cmd-0")
        with pytest.raises(errors.NoMetricsData):
            await client.nodes.metrics.latest("nobody")
        with pytest.raises(errors.KeyNotFound):
            await client.keys.get("nokey")
    async with Client.connect(server.address, "another-token-01") as client:
        with pytest.raises(errors.Unauthenticated):
            await client.nodes.list()


async def test_a_server_that_is_busy_is_asked_again(server: ScriptedServer) -> None:
    server.add_node("n1")
    server.refuse(
        "ListNodes",
        Refusal(UNAVAILABLE, "DRAINING"),
        Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after=0.3),
        Refusal(UNAVAILABLE),
    )
    started = time.monotonic()
    async with connect(server) as client:
        assert (await client.nodes.list()).total == 1
    assert len(server.requests("ListNodes")) == 4
    assert time.monotonic() - started >= 0.3


async def test_a_refusal_that_will_stay_one_is_not_repeated(server: ScriptedServer) -> None:
    server.refuse("ListNodes", Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "SOMETHING_NEW"))
    async with connect(server) as client:
        with pytest.raises(errors.ResourceExhausted):
            await client.nodes.list()
    assert len(server.requests("ListNodes")) == 1


async def test_patience_ends(server: ScriptedServer) -> None:
    server.refuse("ListNodes", *[Refusal(UNAVAILABLE, "DATABASE_UNAVAILABLE")] * 100)
    async with connect(server, patience=2.0) as client:
        with pytest.raises(errors.Unavailable, match="refused"):
            await client.nodes.list()
    assert 2 <= len(server.requests("ListNodes")) < 100


async def test_a_mutation_is_repeated_under_one_request_id(server: ScriptedServer) -> None:
    server.add_node("n1")
    # The first answer is lost after the command was made.
    server.refuse("AfterCreate", Refusal(UNAVAILABLE), Refusal(grpc.StatusCode.INTERNAL))
    async with connect(server) as client:
        created = await client.commands.create("n1", "true")
    sent = server.requests("CreateCommand")
    assert len(sent) == 3
    assert len({request.request_id for request in sent}) == 1
    assert sent[0].request_id
    assert list(server.scripts) == [created.command_id]


async def test_a_request_id_of_the_caller_is_used(server: ScriptedServer) -> None:
    server.add_node("n1")
    async with connect(server) as client:
        await client.nodes.delete("n1", request_id="mine")
    assert server.requests("DeleteNode")[0].request_id == "mine"


@pytest.mark.parametrize("request_id", ["größe", "two\nlines", "x" * 256])
async def test_a_request_id_that_no_header_holds_is_refused_in_words(
    server: ScriptedServer, request_id: str
) -> None:
    with pytest.raises(SettingsError, match="request_id takes up to 255 printable ASCII characters"):
        async with connect(server, request_id=request_id):
            pass


async def test_a_server_that_does_not_answer_meets_a_deadline(server: ScriptedServer) -> None:
    async def silence(*_: Any) -> None:
        await asyncio.Event().wait()

    server.enter = silence  # type: ignore[method-assign]
    async with connect(server, timeout=0.5) as client:
        started = time.monotonic()
        with pytest.raises(errors.DeadlineExceeded):
            await client.nodes.list()
    assert time.monotonic() - started < 20  # and not after the half minute that a call usually has


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with Client.connect("127.0.0.1:1", TOKEN, patience=0.2) as client:
        with pytest.raises(errors.Unreachable) as caught:
            await client.nodes.list()
        with pytest.raises(errors.Unreachable):
            await client.wait_until_ready(0.3)
    assert caught.value.metadata["server"] == "127.0.0.1:1"
    assert caught.value.is_retriable
