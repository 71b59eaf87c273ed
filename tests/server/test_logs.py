"""The log is structured and holds no secrets."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import aiohttp
import pytest
from novasphere.node.v1 import node_service_pb2, node_service_pb2_grpc
from novasphere_server import logs
from novasphere_server.core import secrets
from novasphere_server.testing import running_server


def lines_of(log_format: str, write) -> str:
    stream = io.StringIO()
    logs.configure(log_format, "info", stream)
    write()
    return stream.getvalue()


def test_a_line_is_json_with_the_id_of_its_call():
    def write() -> None:
        token = logs.call.set(("r-1", ""))
        logs.get("novasphere.test").info("something happened", node_id="n1")
        logs.call.reset(token)

    line = json.loads(lines_of("json", write))
    assert line["event"] == "something happened"
    assert (line["level"], line["logger"]) == ("info", "novasphere.test")
    assert (line["node_id"], line["request_id"]) == ("n1", "r-1")
    assert line["timestamp"].endswith("Z")


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"01-{TRACE}-00f067aa0ba902b7-01-more", TRACE),
        (f"00-{TRACE}-00f067aa0ba902b7-01-more", None),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE[:-1]}-00f067aa0ba902b7-01", None),
        ("", None),
    ],
)
async def test_a_line_belongs_to_the_trace_of_its_call(
    traceparent: str, trace_id: str | None, tmp_path: Path
):
    """Both halves read one header in one way: the gateway that passes it on, and the server's log."""
    stream = io.StringIO()
    logs.configure("json", "debug", stream)
    async with running_server(tmp_path) as server, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bearer {server.admin_token}", "traceparent": traceparent}
        async with http.get(f"{server.http_url}/api/v1/nodes", headers=headers) as answer:
            assert answer.status == 200
        metadata = (*server.authorization(), ("traceparent", traceparent))
        async with server.channel() as channel:
            stub = node_service_pb2_grpc.NodeServiceStub(channel)
            await stub.ListNodes(node_service_pb2.ListNodesRequest(), metadata=metadata)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    calls = [line for line in lines if line["event"] == "call"]
    assert [line.get("trace_id") for line in calls] == [trace_id, trace_id]


@pytest.mark.parametrize("value", ["half \ud800 of a character", 2**100, {1: "x"}, object(), b"\xff"])
def test_no_value_is_too_odd_for_a_line(value: object):
    line = json.loads(lines_of("json", lambda: logs.get("x").info("odd", value=value)))
    assert line["event"] == "odd"
    assert line["value"]


def test_a_stream_that_takes_no_line_fails_no_call():
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    stream.close()
    logs.get("x").info("unheard")


def test_lines_of_libraries_look_the_same():
    line = json.loads(lines_of("json", lambda: logging.getLogger("aiohttp").warning("odd %s", 1)))
    assert (line["event"], line["level"], line["logger"]) == ("odd 1", "warning", "aiohttp")


def test_the_console_is_for_people():
    line = lines_of("console", lambda: logs.get("x").warning("careful", node_id="n1"))
    assert "careful" in line
    assert "node_id=n1" in line
    assert "{" not in line


SECRETS = {prefix: secrets.new(prefix) for prefix in ("nsk", "nsj", "nsa", "nst")}


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        *[pytest.param(f"with {made} inside", made, id=prefix) for prefix, made in SECRETS.items()],
        ("Authorization: Bearer abc.DEF-123_x", "abc.DEF-123_x"),
        ("GET /api/v1/nodes:watch?cursor=1&token=s3cr3t&x=1", "s3cr3t"),
        ("ws://h/ws/node?token=s3cr3t", "s3cr3t"),
        ("GET /api/v1/nodes:watch?ticket=s3cr3t&cursor=1", "s3cr3t"),
        ("the token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-bmF_dHVyZQ was", "c2ln-bmF_dHVyZQ"),
        ("base64url.bearer.authorization.novasphere.io.czNjcjN0-_", "czNjcjN0"),
        ("X-API-Key: s3cr3ts3cr3ts3", "s3cr3ts3cr3ts3"),
        ("the given one is correct-horse-battery", "correct-horse-battery"),
        ("session nss_aZ09-_x-yZ_0 ended", "aZ09-_x-yZ_0"),
        ("the session 'nss_-starts-with-a-dash'", "starts-with-a-dash"),
    ],
)
def test_secrets_are_masked_wherever_they_are(log_format: str, text: str, secret: str):
    logs.mask.hide(["correct-horse-battery"])

    def write() -> None:
        log = logs.get("x")
        log.info(text)
        log.info("event", value=text, nested={"deep": [text]})
        logging.getLogger("library").warning(text)
        log.error("failed", exc_info=RuntimeError(text))

    written = lines_of(log_format, write)
    assert secret not in written
    assert logs.MASK in written


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("quoted", ['"', "'", "\\", "\\\"'"])
def test_a_given_secret_is_masked_however_it_is_quoted(log_format: str, quoted: str):
    token = f"correct{quoted}horse-battery"
    logs.mask.hide([token])

    def write() -> None:
        log = logs.get("x")
        log.info("event", value=token, nested={"deep": [token]}, told=repr({"token": token}))
        log.error("failed", exc_info=RuntimeError(f"{token} or {token!r}"))

    written = lines_of(log_format, write)
    assert "correct" not in written
    assert "horse-battery" not in written


def test_the_console_shows_where_it_failed_and_no_variables():
    def fail(password: str) -> None:
        raise RuntimeError("fell over")

    def write() -> None:
        secret = "-".join(["hunter2"] * 2)
        try:
            fail(secret)
        except RuntimeError:
            logs.get("x").exception("failed")

    written = lines_of("console", write)
    assert "RuntimeError: fell over" in written
    assert ", in fail" in written
    assert "hunter2-hunter2" not in written


def test_the_public_part_of_a_key_stays_readable():
    secret = SECRETS["nsk"]
    assert f"nsk_{secrets.public_part(secret)}_***" in lines_of(
        "json", lambda: logs.get("x").info(secret)
    )


def test_what_only_looks_a_little_like_a_secret_stays():
    text = "page_token=abc next, bearer of news"
    assert "page_token=abc" in lines_of("json", lambda: logs.get("x").info(text))
