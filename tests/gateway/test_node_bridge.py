"""What the bridge of foreign nodes owes to its sockets, whatever the server behind it."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from aiohttp import WSMsgType
from novasphere.link.v1 import link_service_pb2 as link
from novasphere_gateway.bridges import frames, node_messages
from novasphere_gateway.bridges.frames import Code, FrameError


async def test_a_node_that_answers_no_ping_is_cut(start) -> None:
    server = await start(ping_interval=0.2)
    async with server.session.ws_connect(server.url("/ws/node"), autoping=False) as socket:
        assert (await socket.receive()).type is WSMsgType.TEXT
        assert (await socket.receive()).type is WSMsgType.PING
        end = await asyncio.wait_for(socket.receive(), 60)
        assert end.type in (WSMsgType.CLOSED, WSMsgType.ERROR, WSMsgType.CLOSE)


async def test_a_node_that_answers_pings_stays(start) -> None:
    server = await start(ping_interval=1.0)
    async with server.session.ws_connect(server.url("/ws/node"), autoping=False) as socket:
        assert (await socket.receive()).type is WSMsgType.TEXT
        for _ in range(2):
            assert (await socket.receive()).type is WSMsgType.PING
            await socket.pong()
        await socket.send_json({"type": "ping", "id": "7"})
        assert (await socket.receive_json())["type"] == "pong"


async def test_a_gateway_that_stops_says_goodbye_to_nodes(start) -> None:
    server = await start()
    socket = await server.session.ws_connect(server.url("/ws/node"))
    await socket.receive()
    stopping = asyncio.create_task(server.gateway.stop(5))
    frame = await socket.receive_json()
    assert (frame["type"], frame["data"]["error_code"]) == ("error", "DRAINING")
    assert (await socket.receive()).type is WSMsgType.CLOSE
    assert socket.close_code == 1001
    await stopping


@pytest.mark.parametrize(
    "headers",
    [
        {"Upgrade": "websocket", "Connection": "Upgrade"},
        {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
        {"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x"},
    ],
)
async def test_a_handshake_that_is_wrong_is_a_clear_error(start, headers: dict[str, str]) -> None:
    server = await start()
    answer, problem = await server.get("/ws/node", headers=headers)
    assert (answer.status, problem["code"]) == (400, "INVALID_ARGUMENT")


async def test_only_get_opens_a_socket(start) -> None:
    server = await start()
    answer, problem = await server.ask("POST", "/ws/node")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert problem["code"] == "METHOD_NOT_ALLOWED"


async def test_the_path_that_clients_of_the_old_server_know_serves_too(start) -> None:
    server = await start()
    async with server.session.ws_connect(server.url("/api/v1/ws?node_id=n")) as socket:
        assert (await socket.receive_json())["data"]["node_id"] == "n"


def test_every_code_has_words_in_both_languages() -> None:
    assert set(frames.ERRORS) == set(Code)
    for chinese, english in frames.ERRORS.values():
        assert english.isascii()
        assert not chinese.isascii()


def test_a_result_is_sent_in_pieces_and_its_report_comes_last() -> None:
    data = {"exit_code": 0, "stdout": "é" * 1_500_000, "stderr": "e", "execution_time_ms": 1.5}
    parts = list(node_messages.result("cmd-1", "", data))
    assert all("reports" not in part for part in parts[:-1])
    (report,) = parts[-1]["reports"]
    assert (report.stdout_bytes, report.stderr_bytes, report.duration_ms) == (3_000_000, 1, 1)
    for stream, printed in ((1, "é" * 1_500_000), (2, "e")):
        chunks = [c for part in parts for c in part["output"] if c.stream == stream]
        assert b"".join(c.data for c in chunks).decode() == printed
        assert [c.offset for c in chunks] == [65536 * n for n in range(len(chunks))]


@pytest.mark.parametrize("value", [-1, 2**64, 1e300, "1", True, []])
def test_an_execution_time_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(FrameError, match="execution_time_ms"):
        node_messages.result("cmd-1", "", {"exit_code": 0, "execution_time_ms": value})


@pytest.mark.parametrize("attempt", [1, 2, 2**31 - 1])
@pytest.mark.parametrize("token", [1, 2**62 + 1, 2**63 - 1])
def test_the_id_of_a_commands_frame_says_which_dispatch_it_is(attempt: int, token: int) -> None:
    dispatch = link.Dispatch(run_id="cmd-1", attempt=attempt, fencing_token=token)
    frame_id = node_messages.dispatch_id(dispatch)
    assert (uuid.UUID(frame_id).version, uuid.UUID(frame_id).variant) == (8, uuid.RFC_4122)
    (part,) = node_messages.result("cmd-1", frame_id, {"exit_code": 0, "stdout": "x"})
    for said in (node_messages.started("cmd-1", frame_id.upper()), *part["reports"], *part["output"]):
        assert (said.run_id, said.attempt, said.fencing_token) == ("cmd-1", attempt, token)


@pytest.mark.parametrize("frame_id", ["", "7", "c229692f-cdce-49a1-8c77-4894ca41a6f1", "x" * 32])
def test_another_id_says_nothing_of_a_dispatch(frame_id: str) -> None:
    said = node_messages.started("cmd-1", frame_id)
    assert (said.run_id, said.attempt, said.fencing_token) == ("cmd-1", 0, 0)


def test_nor_does_that_of_another_command() -> None:
    frame_id = node_messages.dispatch_id(link.Dispatch(run_id="cmd-2", attempt=1, fencing_token=5))
    assert node_messages.started("cmd-1", frame_id).attempt == 0
