"""What the frames of /ws/node say, as messages of the link, and the other way round."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from novasphere.link.v1 import link_service_pb2 as link

from novasphere_gateway.bridges.frames import Code, FrameError

CAPACITY = 1024  # the most that a node may say it runs at once
FAULT = "the node reports an error"

_CHUNK_BYTES = 64 * 1024  # of one output chunk on the link
_FRAME_BYTES = 1024 * 1024  # of output in one frame of the link
_INT32 = range(-(2**31), 2**31)
_UINT64 = 2**64
# What the id of a frame says, of the 122 bits that a UUID leaves for it: 28 are of the command.
_ATTEMPT_BITS = 31
_TOKEN_BITS = 63
_PLACE_BITS = _ATTEMPT_BITS + _TOKEN_BITS
_LOW = 2**62 - 1

# Keys of a metrics object, and the fields of a sample that they are.
_PERCENTAGES = ("cpu_usage", "memory_usage", "disk_usage")
_SIZES = {
    "memory_total": "memory_total_bytes",
    "memory_available": "memory_available_bytes",
    "disk_total": "disk_total_bytes",
    "disk_available": "disk_available_bytes",
    "uptime": "uptime_seconds",
}


def profile(data: Mapping[str, Any], peer: str) -> link.Profile:
    """Returns what a registration says of the machine. Raises FrameError."""
    return link.Profile(
        hostname=_text(data, "hostname", 253),
        ip_address=_text(data, "ip_address", 64) or peer,
        os_info=_text(data, "os_info", 256),
        capabilities=["shell"],
    )


def capacity(data: Mapping[str, Any]) -> int:
    """Returns how many commands the node runs at once: one, unless it says more. Raises FrameError."""
    given = data.get("capacity", 1)
    if not _is_whole(given) or not 1 <= given <= CAPACITY:
        raise FrameError(
            Code.INVALID_REGISTER_DATA, f"capacity: must be a whole number from 1 to {CAPACITY}"
        )
    return int(given)


def sample(metrics: object) -> link.Sample:
    """Returns a reading of the load. What a node does not measure counts as 0. Raises FrameError."""
    if not isinstance(metrics, dict):
        raise FrameError(Code.INVALID_METRIC_DATA, "metrics: must be a JSON object")
    values: dict[str, Any] = {name: _number(metrics, name, 100) for name in _PERCENTAGES}
    values["load_average"] = _number(metrics, "load_average", _UINT64 - 1)
    for name, field in _SIZES.items():
        values[field] = int(_number(metrics, name, _UINT64 - 1))
    return link.Sample(**values)


def command_id(data: Mapping[str, Any]) -> str:
    """Returns the command that a frame is about. Raises FrameError."""
    given = data.get("command_id")
    if not isinstance(given, str) or not given or len(given) > 255:
        raise FrameError(Code.PARSE_ERROR, "command_id: must be the id of a command")
    return given


def dispatch_id(dispatch: link.Dispatch) -> str:
    """Returns the id of the execute_command frame for a dispatch: a UUID that says which one it is.

    Nodes send it back with all that they say of the command, on whatever connection: nothing else of the published
    protocol tells one attempt from the next.
    """
    place = dispatch.attempt << _TOKEN_BITS | dispatch.fencing_token
    said = _digest(dispatch.run_id) << _PLACE_BITS | place
    return str(
        uuid.UUID(int=said >> 74 << 80 | 8 << 76 | (said >> 62 & 0xFFF) << 64 | 2 << 62 | said & _LOW)
    )


def _dispatch(run_id: str, frame_id: str) -> dict[str, Any]:
    """Returns the fields by which messages of the link name the dispatch whose frame had this id; the command
    alone, where no frame of the command had it.
    """
    try:
        number = uuid.UUID(frame_id).int
    except ValueError:
        return {"run_id": run_id}
    said = number >> 80 << 74 | (number >> 64 & 0xFFF) << 62 | number & _LOW
    is_ours = (number >> 76 & 0xF, number >> 62 & 0b11) == (8, 2)
    if not is_ours or said >> _PLACE_BITS != _digest(run_id):
        return {"run_id": run_id}
    attempt = said >> _TOKEN_BITS & 2**_ATTEMPT_BITS - 1
    return {"run_id": run_id, "attempt": attempt, "fencing_token": said & 2**_TOKEN_BITS - 1}


def _digest(run_id: str) -> int:
    """Returns what of a command fits into the id of a frame beside attempt and token."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:4], "big") >> 4


def started(run_id: str, frame_id: str) -> link.AttemptReport:
    return link.AttemptReport(**_dispatch(run_id, frame_id), phase=link.ATTEMPT_PHASE_RUNNING)


def result(run_id: str, frame_id: str, data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Returns what the link is told of a result, frame by frame, its end in the last. Raises FrameError."""
    exit_code = data.get("exit_code")
    if not _is_whole(exit_code) or exit_code not in _INT32:
        raise FrameError(Code.PARSE_ERROR, "exit_code: must be a whole number of 32 bits")
    took = data.get("execution_time_ms", 0)
    if took is None:
        took = 0
    if isinstance(took, bool) or not isinstance(took, int | float) or not 0 <= took < _UINT64:
        raise FrameError(Code.PARSE_ERROR, "execution_time_ms: must be a number that is not negative")
    printed = {
        link.STREAM_STDOUT: _printed(data, "stdout"),
        link.STREAM_STDERR: _printed(data, "stderr"),
    }
    dispatch = _dispatch(run_id, frame_id)
    report = link.AttemptReport(
        **dispatch,
        phase=link.ATTEMPT_PHASE_EXITED,
        exit_code=exit_code,
        duration_ms=int(took),
        stdout_bytes=len(printed[link.STREAM_STDOUT]),
        stderr_bytes=len(printed[link.STREAM_STDERR]),
    )
    return _in_frames(dispatch, printed, report)


def _in_frames(
    dispatch: Mapping[str, Any],
    printed: Mapping[link.Stream.ValueType, bytes],
    report: link.AttemptReport,
) -> Iterator[dict[str, Any]]:
    output: list[link.OutputChunk] = []
    for stream, data in printed.items():
        for offset in range(0, len(data), _CHUNK_BYTES):
            piece = data[offset : offset + _CHUNK_BYTES]
            output.append(link.OutputChunk(**dispatch, stream=stream, offset=offset, data=piece))
            if len(output) * _CHUNK_BYTES >= _FRAME_BYTES:
                yield {"output": output}
                output = []
    yield {"output": output, "reports": [report]}


def undelivered(dispatch: link.Dispatch) -> link.AttemptReport:
    return link.AttemptReport(
        run_id=dispatch.run_id,
        attempt=dispatch.attempt,
        fencing_token=dispatch.fencing_token,
        phase=link.ATTEMPT_PHASE_UNDELIVERED,
    )


def execution(dispatch: link.Dispatch) -> dict[str, Any]:
    """Returns the data of an execute_command frame."""
    return {
        "command_id": dispatch.run_id,
        "command_text": dispatch.command_text,
        "timeout": dispatch.timeout_ms // 1000,
    }


def _text(data: Mapping[str, Any], name: str, length: int) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > length or not value.isprintable():
        raise FrameError(
            Code.INVALID_REGISTER_DATA, f"{name}: must be at most {length} printable characters"
        )
    return value


def _number(metrics: Mapping[str, Any], name: str, greatest: float) -> float:
    value = metrics.get(name)
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= greatest:
        most = f" up to {greatest:g}" if greatest < _UINT64 - 1 else ""
        raise FrameError(
            Code.INVALID_METRIC_DATA, f"{name}: must be a number that is not negative,{most}".rstrip(",")
        )
    return value


def _printed(data: Mapping[str, Any], name: str) -> bytes:
    value = data.get(name)
    if value is None:
        return b""
    if not isinstance(value, str):
        raise FrameError(Code.PARSE_ERROR, f"{name}: must be a string")
    return value.encode()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
