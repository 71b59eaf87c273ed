"""The kinds of resources: which message is stored, where, and under what name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from novasphere.api.v1 import key_pb2
from novasphere.node.v1 import command_pb2, node_pb2

from novasphere_server.store import tables

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, eq=False)
class Kind(Generic[M]):
    """One kind of resource.

    `stamp` writes the revision into a message. `columns` derives the typed columns from a message at
    every put. Labels go into the table `labels`, where selectors find them.
    """

    name: str
    message: type[M]
    table: sa.Table
    key: Callable[[M], str]
    revision: Callable[[M], int]
    stamp: Callable[[M, int], None]
    columns: Callable[[M], dict[str, Any]]
    labels: Callable[[M], Mapping[str, str]] | None = None


def _us(instant: Timestamp) -> int:
    return instant.seconds * 1_000_000 + instant.nanos // 1000


def _node_columns(node: node_pb2.Node) -> dict[str, Any]:
    return {
        "id": node.id,
        "uid": node.uid,
        "status": node.status,
        "connection": node.connection,
        "role": node.role,
        "registered_at_us": _us(node.registered_at),
    }


def _stamp_node(node: node_pb2.Node, revision: int) -> None:
    node.revision = revision


def _command_columns(stored: command_pb2.CommandWithResult) -> dict[str, Any]:
    command = stored.command
    created_at_us = _us(command.created_at)
    return {
        "id": command.id,
        "namespace": command.namespace,
        "node_id": command.target_node_id,
        "node_uid": command.node_uid,
        "status": command.status,
        "state": command.state,
        "attempt": command.attempt,
        "cancel_requested": command.cancel_requested,
        "created_at_us": created_at_us,
        "queue_deadline_us": created_at_us + command.queue_timeout_seconds * 1_000_000,
        "started_at_us": _us(command.started_at) if command.HasField("started_at") else None,
        "completed_at_us": _us(command.completed_at) if command.HasField("completed_at") else None,
    }


def _stamp_command(stored: command_pb2.CommandWithResult, revision: int) -> None:
    stored.command.revision = revision


def _key_columns(key: key_pb2.Key) -> dict[str, Any]:
    return {
        "name": key.name,
        "created_at_us": _us(key.created_at),
        "expires_at_us": _us(key.expires_at) if key.HasField("expires_at") else None,
        "revoked_at_us": _us(key.revoked_at) if key.HasField("revoked_at") else None,
    }


def _stamp_key(key: key_pb2.Key, revision: int) -> None:
    key.revision = revision


def _join_token_columns(token: key_pb2.JoinToken) -> dict[str, Any]:
    return {
        "is_reusable": token.is_reusable,
        "created_at_us": _us(token.created_at),
        "expires_at_us": _us(token.expires_at),
        "revoked_at_us": _us(token.revoked_at) if token.HasField("revoked_at") else None,
        "used_at_us": _us(token.used_at) if token.HasField("used_at") else None,
    }


def _stamp_join_token(token: key_pb2.JoinToken, revision: int) -> None:
    token.revision = revision


NODES: Kind[node_pb2.Node] = Kind(
    name="node",
    message=node_pb2.Node,
    table=tables.nodes,
    key=lambda node: node.node_id,
    revision=lambda node: node.revision,
    stamp=_stamp_node,
    columns=_node_columns,
    labels=lambda node: node.labels,
)

COMMANDS: Kind[command_pb2.CommandWithResult] = Kind(
    name="command",
    message=command_pb2.CommandWithResult,
    table=tables.commands,
    key=lambda stored: stored.command.command_id,
    revision=lambda stored: stored.command.revision,
    stamp=_stamp_command,
    columns=_command_columns,
)

KEYS: Kind[key_pb2.Key] = Kind(
    name="key",
    message=key_pb2.Key,
    table=tables.keys,
    key=lambda key: key.key_id,
    revision=lambda key: key.revision,
    stamp=_stamp_key,
    columns=_key_columns,
)

JOIN_TOKENS: Kind[key_pb2.JoinToken] = Kind(
    name="join_token",
    message=key_pb2.JoinToken,
    table=tables.join_tokens,
    key=lambda token: token.token_id,
    revision=lambda token: token.revision,
    stamp=_stamp_join_token,
    columns=_join_token_columns,
)

KINDS: tuple[Kind[Any], ...] = (NODES, COMMANDS, KEYS, JOIN_TOKENS)
