"""The built-in types: what their payloads may hold, and what each comes to on this machine."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from novasphere_agent import launcher, metrics
from novasphere_agent.messages import Profile
from novasphere_agent.payloads import InvalidPayload, Payload

# What the agent answers by itself is kept in its memory.
_LONGEST_ANSWER = 1 << 20
_LONGEST_SECONDS = 366 * 24 * 3600
_LONGEST_REQUEST_SECONDS = 3600
_REQUEST_SECONDS = 30.0
_LONGEST_EXPRESSION = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PROGRAMS = Path(__file__).parent / "programs"
# Enough for what is worth an expression.
_EVAL_LIMITS = {"memory_bytes": 256 << 20, "cpu_seconds": 10}


class NoSuchProgram(Exception):
    """A program is not where the agent looks for it."""


@dataclasses.dataclass(frozen=True)
class Start:
    """A process that is to be started: a program, or a line for the shell."""

    program: str = ""
    # Its own name first.
    arguments: Sequence[str] = ()
    command_text: str = ""
    # What ends it sooner than the dispatch says; 0: nothing.
    timeout_ms: int = 0
    # Where they are lower than those of the dispatch.
    limits: Mapping[str, int] = dataclasses.field(default_factory=dict)


def echo(payload: Payload) -> str:
    """Returns the message, `repeat` times, each on a line of its own."""
    message = payload.text("message")
    repeat = payload.whole("repeat", 1, _LONGEST_ANSWER, default=1)
    if repeat * (len(message) + 1) > _LONGEST_ANSWER:
        raise InvalidPayload(f"repeat: {repeat} times the message is more than {_LONGEST_ANSWER} bytes")
    return "\n".join([message] * repeat)


def system_info(machine: Profile) -> str:
    """Returns what the machine is, and how loaded, as JSON."""
    told = {
        name: getattr(machine, name)
        for name in (
            "hostname", "os_info", "system", "release", "machine", "distribution", "python_version",
            "agent_version", "is_virtual", "cpu_count", "memory_total_bytes", "storage_total_bytes",
            "gpu_count",
        )
    }  # fmt: skip
    load = {"load_average": metrics.load_average(), "uptime_seconds": metrics.uptime_seconds()}
    return json.dumps({**told, **load}, ensure_ascii=False)


def sleep(payload: Payload) -> Start:
    """Waits, and says nothing."""
    duration = payload.seconds("duration", _LONGEST_SECONDS)
    # Not every system's program takes a fraction, and none all that Python prints.
    text = str(int(duration)) if duration == int(duration) else f"{duration:.3f}"
    return Start(program=find("sleep"), arguments=["sleep", text])


def command(payload: Payload) -> Start:
    """Runs a line, as the kind "shell" does."""
    text = payload.text("command")
    if not text:
        raise InvalidPayload("command: it is empty")
    return Start(command_text=text, timeout_ms=_timeout_ms(payload))


def http_request(payload: Payload) -> Start:
    """Asks a web server; see the program."""
    url = payload.text("url")
    if not re.fullmatch(r"[!-~]+", url):
        raise InvalidPayload("url: it must be percent-encoded, with no spaces")
    try:
        parts = urllib.parse.urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise InvalidPayload("url: its host or port makes no sense") from error
    if parts.scheme not in {"http", "https"} or not has_host:
        raise InvalidPayload("url: it must begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise InvalidPayload("url: a user and password go into the header Authorization")
    if not _TOKEN.fullmatch(payload.text("method", "GET")):
        raise InvalidPayload("method: it must be one, as GET")
    for name, value in payload.texts("headers").items():
        if not _TOKEN.fullmatch(name) or not re.fullmatch(r"[\t -~\x80-\xff]*", value):
            raise InvalidPayload(f"headers: {name[:100]!r} is none, or its value has a line break")
    payload.value("data", None)
    seconds = payload.seconds("timeout", _LONGEST_REQUEST_SECONDS, _REQUEST_SECONDS)
    if not seconds:
        raise InvalidPayload("timeout: it must be more than 0 seconds")
    return _own("http_request")


def python_eval(payload: Payload) -> Start:
    """Evaluates a Python expression; see the program."""
    expression = payload.text("expression")
    if not expression.strip() or len(expression) > _LONGEST_EXPRESSION:
        raise InvalidPayload(f"expression: it must have from 1 to {_LONGEST_EXPRESSION} characters")
    return dataclasses.replace(_own("python_eval"), limits=_EVAL_LIMITS)


STARTED: Mapping[str, Callable[[Payload], Start]] = {
    "sleep": sleep,
    "http_request": http_request,
    "command": command,
    "python_eval": python_eval,
}
NAMES = ("echo", "system_info", *STARTED)


def find(name: str) -> str:
    """Returns the file of a program on the agent's PATH."""
    found = shutil.which(name)
    if found is None:
        raise NoSuchProgram(f"there is no program {name!r} on the PATH of this agent")
    return str(Path(found).absolute())  # a PATH may name the folder that the agent was started in


def _own(name: str) -> Start:
    """Returns the start of a program of the agent, in a Python without packages."""
    python = launcher.interpreter()
    return Start(program=python, arguments=[python, "-I", "-S", str(_PROGRAMS / f"{name}.py")])


def _timeout_ms(payload: Payload) -> int:
    return math.ceil(payload.seconds("timeout", _LONGEST_SECONDS, 0) * 1000)
