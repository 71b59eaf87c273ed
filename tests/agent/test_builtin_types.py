"""Each built-in type does what its payload says, and refuses what makes no sense."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from link_stand_in import AgentProcess, Run, StandIn, running, until
from novasphere.link.v1 import link_service_pb2 as pb
from novasphere_agent.messages import Dispatch, Profile
from novasphere_agent.runtimes import KINDS, Refused, Runtimes

ALLOWED = "shell,exec,echo,sleep,system_info,http_request,command,python_eval"


def send(server: StandIn, kind: str, payload: Any = None, **fields: Any) -> Run:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return server.dispatch("", kind=kind, payload="" if payload is None else text, **fields)


async def outcome_of(server: StandIn, run: Run) -> tuple[int, str, str]:
    report = await server.result_of(run)
    assert report.phase == pb.ATTEMPT_PHASE_EXITED, report
    return report.exit_code, run.stdout.decode(), run.stderr.decode()


async def refusal_of(server: StandIn, run: Run) -> str:
    report = await server.result_of(run)
    assert (report.phase, run.order) == (pb.ATTEMPT_PHASE_REJECTED, [])
    return report.message


async def test_echo_repeats_its_message(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = send(server, "echo", {"message": "Hello World", "repeat": 3})
    assert await outcome_of(server, run) == (0, "Hello World\nHello World\nHello World", "")
    assert await outcome_of(server, send(server, "echo", {"message": "über"})) == (0, "über", "")
    assert await outcome_of(server, send(server, "echo", {"message": ""})) == (0, "", "")


async def test_system_info_tells_what_the_machine_is(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    code, out, _ = await outcome_of(server, send(server, "system_info"))
    told = json.loads(out)
    assert (code, told["hostname"], told["system"]) == (0, socket.gethostname(), "linux")
    assert told["cpu_count"] >= 1
    assert told["memory_total_bytes"] > 1 << 28
    assert told["uptime_seconds"] > 0


async def test_sleep_takes_its_time_and_can_be_cancelled(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = send(server, "sleep", {"duration": 0.3})
    assert await outcome_of(server, run) == (0, "", "")
    assert run.final is not None
    assert 300 <= run.final.duration_ms < 30_000
    mark = f"{1_000_000 + time.time_ns() // 1000 % 30_000_000}.125"  # less than a year
    long = send(server, "sleep", {"duration": float(mark)})
    await until(lambda: running(mark))
    server.cancel(long)
    assert (await server.result_of(long)).phase == pb.ATTEMPT_PHASE_CANCELLED
    assert not running(mark)


async def test_command_is_a_line_for_the_shell(server: StandIn, agent: AgentProcess) -> None:
    await agent.link()
    run = send(server, "command", {"command": "echo $((6 * 7)); exit 4"})
    assert await outcome_of(server, run) == (4, "42\n", "")
    for shorter in ({"timeout": 0.3}, {"timeout": 60}):
        run = send(server, "command", {"command": "sleep 86397", **shorter}, timeout_ms=400)
        report = await server.result_of(run)
        assert report.phase == pb.ATTEMPT_PHASE_TIMED_OUT
        assert report.duration_ms >= (300 if shorter["timeout"] < 1 else 400)


async def test_an_expression_is_evaluated_by_itself(server: StandIn, agent: AgentProcess) -> None:
    await agent.link("--allow", ALLOWED, "--capacity", "20")
    forbidden = "begins with two underscores\n"
    wanted = {
        "sum(i * i for i in range(4))": (0, "14", ""),
        " sorted([3, 1, 2])": (0, "[1, 2, 3]", ""),
        "'ä' * 2": (0, "ää", ""),
        "1 / 0": (1, "", "ZeroDivisionError: division by zero\n"),
        "open('/etc/passwd')": (1, "", "NameError: name 'open' is not defined\n"),
        "__import__('os')": (1, "", f"NameError: '__import__' {forbidden}"),
        "().__class__": (1, "", f"NameError: '__class__' {forbidden}"),
        "'x' * 10**9": (1, "", "MemoryError: \n"),
    }
    runs = {text: send(server, "python_eval", {"expression": text}) for text in wanted}
    assert {text: await outcome_of(server, run) for text, run in runs.items()} == wanted
    code, _, err = await outcome_of(server, send(server, "python_eval", {"expression": "1 +"}))
    assert (code, err.startswith("SyntaxError: ")) == (1, True)


async def test_an_expression_that_goes_on_for_ever_does_not(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link("--allow", ALLOWED)
    run = send(
        server, "python_eval", {"expression": "sum(1 for _ in iter(int, 1))"}, limits={"cpu_seconds": 1}
    )
    report = await server.result_of(run)
    assert report.message == "it reached its limit of cpu_seconds, 1"
    assert report.usage.cpu_time_us >= 500_000


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = {
            "method": self.command,
            "headers": dict(self.headers),
            "body": self.rfile.read(length).decode(),
        }
        status = int(self.path.rpartition("/")[2])
        body = b"x" * (2 << 20) if status == 206 else json.dumps(asked).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status == 504:
            self.rfile.read(1)  # until the other side goes
        elif status != 502:  # which breaks off
            self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815 - so named by the base class

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def web() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def taken_apart(out: str) -> tuple[str, dict[str, Any]]:
    head, _, body = out.partition("\n\n")
    return head.splitlines()[0], json.loads(body)


async def test_a_request_prints_the_answer(server: StandIn, agent: AgentProcess, web: str) -> None:
    await agent.link()
    code, out, _ = await outcome_of(
        server, send(server, "http_request", {"url": f"{web}/200", "headers": {"X-Word": "a b"}})
    )
    status, asked = taken_apart(out)
    assert (code, status, asked["method"], asked["headers"]["X-Word"]) == (
        0,
        "HTTP/1.1 200 OK",
        "GET",
        "a b",
    )
    assert "\nContent-Type: application/json\n" in out
    posted = {"url": f"{web}/201", "data": {"a": [1]}}
    status, asked = taken_apart((await outcome_of(server, send(server, "http_request", posted)))[1])
    assert (status, asked["method"], asked["body"]) == ("HTTP/1.1 201 Created", "POST", '{"a": [1]}')
    assert asked["headers"]["Content-Type"].startswith("application/json")
    put = {"url": f"{web}/200", "data": "text", "method": "put", "headers": {"Content-Type": "x/y"}}
    _, asked = taken_apart((await outcome_of(server, send(server, "http_request", put)))[1])
    assert (asked["method"], asked["body"], asked["headers"]["Content-Type"]) == ("PUT", "text", "x/y")


async def test_the_exit_code_of_a_request_is_that_of_its_answer(
    server: StandIn, agent: AgentProcess, web: str
) -> None:
    await agent.link("--capacity", "20")
    wanted = {302: 0, 399: 0, 400: 1, 404: 1, 503: 1}
    runs = {status: send(server, "http_request", {"url": f"{web}/{status}"}) for status in wanted}
    assert {status: (await outcome_of(server, run))[0] for status, run in runs.items()} == wanted
    assert all(run.stdout.startswith(f"HTTP/1.1 {status} ".encode()) for status, run in runs.items())


async def test_a_request_without_an_answer_fails_and_says_why(
    server: StandIn, agent: AgentProcess, web: str
) -> None:
    await agent.link()
    refused = send(server, "http_request", {"url": "http://127.0.0.1:1/"})
    silent = send(server, "http_request", {"url": f"{web}/504", "timeout": 0.3})
    broken = send(server, "http_request", {"url": f"{web}/502"})
    long = send(server, "http_request", {"url": f"{web}/206"})
    assert await outcome_of(server, refused) == (1, "", "[Errno 111] Connection refused\n")
    assert await outcome_of(server, silent) == (1, "", "no answer within 0.3 s\n")
    broke_off = "the connection broke in the middle of the answer\n"
    assert await outcome_of(server, broken) == (1, "", broke_off)
    code, out, err = await outcome_of(server, long)
    assert (code, err, len(out.partition("\n\n")[2])) == (
        0,
        "the body was cut at 1048576 bytes\n",
        1 << 20,
    )


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        ("echo", {}, "message: it is missing"),
        ("echo", {"message": 1}, "message: it must be a text"),
        ("echo", '{"message": "\\ud800"}', "message: it holds half a character"),
        ("echo", {"message": "x", "repeat": 0}, "repeat: it must be a whole number from 1 to"),
        ("echo", {"message": "x", "repeat": True}, "repeat: it must be a whole number from 1 to"),
        ("echo", {"message": "xx", "repeat": 400_000}, "repeat: 400000 times the message is more than"),
        (
            "echo",
            {"mesage": "x", "message": "x"},
            "mesage: there is no such field (there are: message, repeat)",
        ),
        ("echo", "[1]", "payload: it must be a JSON object"),
        ("echo", "{", "payload: this is no JSON: "),
        ("echo", "[" * 100_000, "payload: this is no JSON: "),
        ("system_info", {"verbose": 1}, "verbose: there is no such field (there are: none)"),
        ("sleep", {"duration": -1}, "duration: it must be a number of seconds from 0 to"),
        ("sleep", '{"duration": NaN}', "duration: it must be a number of seconds from 0 to"),
        ("sleep", {"duration": "5"}, "duration: it must be a number of seconds from 0 to"),
        ("command", {"command": ""}, "command: it is empty"),
        ("command", {"command": "true", "timeout": "x"}, "timeout: it must be a number of seconds"),
        ("http_request", {"url": "ftp://h/x"}, "url: it must begin with http:// or https:// and a host"),
        ("http_request", {"url": "file:///etc/passwd"}, "url: it must begin with http:// or https://"),
        ("http_request", {"url": "http://"}, "url: it must begin with http:// or https:// and a host"),
        ("http_request", {"url": "http://h/a b"}, "url: it must be percent-encoded"),
        ("http_request", {"url": "http://h:x/"}, "url: its host or port makes no sense"),
        ("http_request", {"url": "http://u:p@h/"}, "url: a user and password go into the header"),
        ("http_request", {"url": "http://h", "method": "A B"}, "method: it must be one, as GET"),
        ("http_request", {"url": "http://h", "headers": {"A": "b\r\nC: d"}}, "headers: 'A' is none, or"),
        (
            "http_request",
            {"url": "http://h", "headers": {"A": 1}},
            "headers: it must be an object of texts",
        ),
        ("http_request", {"url": "http://h", "timeout": 0}, "timeout: it must be more than 0 seconds"),
        ("python_eval", {"expression": " "}, "expression: it must have from 1 to 10000 characters"),
    ],
)
def test_a_payload_that_makes_no_sense_is_refused_by_field(kind: str, payload: Any, words: str) -> None:
    runtimes = Runtimes(Profile(capabilities=list(KINDS)))
    text = payload if isinstance(payload, str) else json.dumps(payload)
    with pytest.raises(Refused) as refused:
        runtimes.plan(Dispatch(kind=kind, payload=text))
    assert str(refused.value).startswith(f"INVALID_PAYLOAD: {words}")


async def test_a_refused_payload_is_reported_and_leaves_nothing(
    server: StandIn, agent: AgentProcess
) -> None:
    await agent.link()
    instant, started = send(server, "echo", {"repeat": 2}), send(server, "sleep", {"duration": "x"})
    assert await refusal_of(server, instant) == "INVALID_PAYLOAD: message: it is missing"
    assert (await refusal_of(server, started)).startswith("INVALID_PAYLOAD: duration: it must be")
    assert not list((agent.data_dir / "attempts").iterdir())
