"""The log: structured, with the id of the call that a line belongs to, and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from typing import TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# The id of the call, and its traceparent as it came, which is read only where a line is written. Set by the
# pipeline; one ContextVar of our own because binding a dict per call costs more.
call: ContextVar[tuple[str, str]] = ContextVar("call", default=("", ""))
_TRACE = re.compile(
    r"(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)

MASK = "***"

_SECRETS = re.compile(
    r"""
      (?P<prefix>\bns[kjat]_[a-z0-9]{0,8}_?)[A-Za-z0-9]+         # our own; the public part stays
    | (?P<session>\bnss_)[A-Za-z0-9_-]+
    | (?P<scheme>\bbearer\s+)[A-Za-z0-9._~+/=-]+
    | (?P<name>\b(?:(?:access_)?token|ticket)=)[^&\s"'\\]+         # in URLs
    | (?P<signed>\beyJ)[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*   # signed tokens
    | (?P<subprotocol>\bbearer\.authorization\.novasphere\.io\.)[A-Za-z0-9_-]+
    | (?P<header>["']?x-api-key["']?\s*[:=]\s*["']?)[^\s"',}]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


# One of these, in lower case, is in whatever matches. Most lines hold none, and to look for them takes no time.
_SIGNS = ("nsk_", "nsj_", "nsa_", "nst_", "nss_", "bearer", "token=", "ticket=", "eyj", "x-api-key")


def _masked(match: re.Match[str]) -> str:
    shown = ("prefix", "session", "scheme", "name", "signed", "subprotocol", "header")
    return next(filter(None, match.group(*shown)), "") + MASK


def _quoted(secret: str) -> str:
    """Returns a pattern for the secret within any number of JSON's and Python's quotes."""
    escaped = {"\\": r"\\+", '"': r'\\*"', "'": r"\\*'"}
    return "".join(escaped.get(character) or re.escape(character) for character in secret)


class Mask:
    """The last processor: hides secrets in the finished line, wherever they came from."""

    def __init__(self) -> None:
        self._hidden: frozenset[str] = frozenset()
        self._given: re.Pattern[str] | None = None
        self._signs: tuple[str, ...] = ()  # of those that are given, what no quotes can change

    def hide(self, secrets: Iterable[str]) -> None:
        """Hides these texts too, which no pattern could recognise."""
        self._hidden = self._hidden.union(filter(None, secrets))
        if self._hidden:
            longest_first = sorted(self._hidden, key=len, reverse=True)
            self._given = re.compile("|".join(map(_quoted, longest_first)))
            self._signs = tuple(max(re.split(r"""[\\"']""", each), key=len) for each in longest_first)

    def text(self, line: str) -> str:
        if self._given is not None and any(sign in line for sign in self._signs):
            line = self._given.sub(MASK, line)
        # Beyond ASCII some letters stand for others where case does not count.
        if line.isascii():
            lowered = line.lower()
            if not any(sign in lowered for sign in _SIGNS):
                return line
        return _SECRETS.sub(_masked, line)

    def __call__(self, logger: WrappedLogger, name: str, rendered: str) -> str:
        return self.text(rendered)


mask = Mask()


def _add_call(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    request_id, traceparent = call.get()
    if request_id:
        event.setdefault("request_id", request_id)
    trace = _TRACE.fullmatch(traceparent)
    if trace is not None and (trace[1] != "00" or not trace[3]):
        event.setdefault("trace_id", trace[2])
    return event


def is_json(log_format: str, stream: TextIO | None = None) -> bool:
    """Returns whether lines are JSON: as asked, else wherever nobody looks on."""
    stream = sys.stderr if stream is None else stream
    return log_format == "json" or (not log_format and not stream.isatty())


class _Lines:
    """Where structlog's lines go: straight to the stream. The standard library's records would cost several times
    what all the rest does.
    """

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def msg(self, line: str) -> None:
        # No call fails because its line cannot be written, which is what the standard library's handlers hold, too.
        with suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


def configure(log_format: str, level: str, stream: TextIO | None = None) -> None:
    """Sends structlog's and the standard library's lines to `stream`, standard error unless given."""
    stream = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        _add_call,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
        if is_json(log_format, stream)
        # Not the richer one that it takes by itself: that shows the values of variables.
        else [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    rendering.append(mask)  # type: ignore[arg-type]  # the last ones turn the event into text
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # aiohttp would write a line a request, with the query in it.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    for chatty in ("alembic", "aiosqlite", "sqlalchemy", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, *rendering],
        logger_factory=lambda name: _Lines(name, stream),
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        cache_logger_on_first_use=False,
    )


def _json(event: EventDict, default: Callable[[object], object]) -> str:
    try:
        return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a number of more than 64 bits, or half of a character
        return json.dumps(event, default=default)


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(name)
    return logger
