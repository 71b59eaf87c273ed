"""Why the server said no, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from grpclib.const import Status
from grpclib.encoding.base import StatusDetailsCodecBase
from grpclib.exceptions import GRPCError

NODE_DELETED = "NODE_DELETED"

_NEXT_STEPS = {
    "UNAUTHENTICATED": (
        "give it a valid join token with --token or --token-file; an agent that was enrolled before "
        "needs --reset-identity too"
    ),
    "PERMISSION_DENIED": "the credential may not enrol nodes; give it a join token with --token",
    "NODE_NAME_TAKEN": "another machine has this node name; choose one with --name, or delete that node",
    "DUPLICATE_IDENTITY": (
        "another agent goes on with this identity, as after a disk was cloned; start this agent, which "
        "was refused, with --reset-identity, a join token and another --name (or delete the node first, "
        "which ends the other agent, and keep the name)"
    ),
    NODE_DELETED: "the node was deleted; start the agent with a join token to join again",
    "UNIMPLEMENTED": "nobody there speaks with agents; --server wants the gRPC address of the server",
}


class StatusDetails(StatusDetailsCodecBase):
    """Finds the reason in `grpc-status-details-bin`: all that the agent needs of google.rpc."""

    def encode(self, status: Status, message: str | None, details: Any) -> bytes:
        raise NotImplementedError("clients send no status")

    def decode(self, status: Status, message: str | None, data: bytes) -> str:
        """Returns the reason of the first google.rpc.ErrorInfo, or nothing."""
        try:
            for detail in _fields(data, 3):
                kinds = list(_fields(detail, 1))
                if kinds and kinds[0].endswith(b"/google.rpc.ErrorInfo"):
                    for info in _fields(detail, 2):
                        for reason in _fields(info, 1):
                            return reason.decode()
        except (IndexError, ValueError):
            return ""  # not what we know: the status has to do
        return ""


def reason_of(error: GRPCError) -> str:
    """Returns the reason of an error, or the name of its status where the server gave none."""
    return error.details if isinstance(error.details, str) and error.details else error.status.name


def next_step(reason: str) -> str:
    """Returns what to do about it, or nothing where waiting is all there is to do."""
    return _NEXT_STEPS.get(reason, "")


def _fields(data: Sequence[int], wanted: int) -> Iterator[bytes]:
    """Yields the length-delimited fields of that number in a message."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == 0:
            _, position = _varint(data, position)
        elif kind == 2:
            length, position = _varint(data, position)
            if tag >> 3 == wanted:
                yield bytes(data[position : position + length])
            position += length
        else:
            raise ValueError(f"wire type {kind}")


def _varint(data: Sequence[int], position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7
