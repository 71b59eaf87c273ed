"""The JSON frames of /ws/node: `{type, id, timestamp, data}`, in both directions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

_ID_LENGTH = 128
_SHOWN = 64  # characters of a client's own words that are said back to it


class Code(StrEnum):
    """The `error_code` of an error frame. Others are the API's error reasons, as the nodes face has them."""

    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - a word, not a secret
    PARSE_ERROR = "PARSE_ERROR"
    TOO_LARGE = "TOO_LARGE"
    UNKNOWN_MESSAGE_TYPE = "UNKNOWN_MESSAGE_TYPE"
    NODE_ID_MISMATCH = "NODE_ID_MISMATCH"
    INVALID_REGISTER_DATA = "INVALID_REGISTER_DATA"
    INVALID_METRIC_DATA = "INVALID_METRIC_DATA"
    NODE_NOT_FOUND = "NODE_NOT_FOUND"
    NODE_NAME_TAKEN = "NODE_NAME_TAKEN"
    NODE_DELETED = "NODE_DELETED"
    FORBIDDEN = "FORBIDDEN"
    COMMAND_NOT_FOUND = "COMMAND_NOT_FOUND"
    COMMAND_TIMEOUT = "COMMAND_TIMEOUT"
    COMMAND_FINISHED = "COMMAND_FINISHED"
    DUPLICATE_IDENTITY = "DUPLICATE_IDENTITY"
    DATABASE_ERROR = "DATABASE_ERROR"
    DRAINING = "DRAINING"
    OVERLOADED = "OVERLOADED"
    SERVER_UNREACHABLE = "SERVER_UNREACHABLE"
    TOO_MANY_REFUSALS = "TOO_MANY_REFUSALS"
    INTERNAL_ERROR = "INTERNAL_ERROR"


# What the frames say: in the face's own language, and in English.
ERRORS: Mapping[str, tuple[str, str]] = {
    Code.INVALID_TOKEN: ("认证令牌无效", "the token is not valid"),
    Code.PARSE_ERROR: ("消息解析失败", "the message cannot be read"),
    Code.TOO_LARGE: ("消息过大", "the message is too large"),
    Code.UNKNOWN_MESSAGE_TYPE: ("未知的消息类型", "this type of message is not known"),
    Code.NODE_ID_MISMATCH: ("节点 ID 与连接不一致", "the frame names another node than the connection"),
    Code.INVALID_REGISTER_DATA: ("注册数据无效", "the registration is not valid"),
    Code.INVALID_METRIC_DATA: ("监控数据无效", "the metrics are not valid"),
    Code.NODE_NOT_FOUND: ("节点不存在，请先注册", "the node does not exist: register it first"),
    Code.NODE_NAME_TAKEN: ("节点名称已被占用", "the node's name is taken"),
    Code.NODE_DELETED: ("节点已被删除", "the node was deleted"),
    Code.FORBIDDEN: ("权限不足", "the token does not permit this"),
    Code.COMMAND_NOT_FOUND: ("命令不存在", "the command does not exist"),
    Code.COMMAND_TIMEOUT: ("命令已超时", "the command had timed out"),
    Code.COMMAND_FINISHED: ("命令已结束", "the command had ended already"),
    Code.DUPLICATE_IDENTITY: ("节点已被新的连接接管", "a newer connection has taken over the node"),
    Code.DATABASE_ERROR: ("数据库暂不可用", "the database does not answer"),
    Code.DRAINING: ("服务器正在关闭", "the server is shutting down"),
    Code.OVERLOADED: ("服务器繁忙", "the server is busy"),
    Code.SERVER_UNREACHABLE: ("网关无法连接服务器", "the gateway cannot reach the server"),
    Code.TOO_MANY_REFUSALS: ("近期被拒绝的令牌过多", "too many tokens were refused lately"),
    Code.INTERNAL_ERROR: ("服务器内部错误", "the server failed"),
}
_ANY_ERROR = ("请求失败", "the request failed")
WELCOME = ("连接成功，请注册节点", "connected: register the node")
REGISTERED = ("节点注册成功", "the node is registered")


class FrameError(Exception):
    """A frame is refused; the connection stays."""

    def __init__(self, code: str, details: str, frame_id: str = "") -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.frame_id = frame_id  # of the frame that is refused; empty: not known


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a node."""

    type: str
    id: str  # empty: the node gave none
    data: Mapping[str, Any]


def parse(text: str, limit: int) -> Frame:
    """Returns the frame that a message of at most `limit` characters is. Raises FrameError."""
    if len(text) > limit:
        raise FrameError(Code.TOO_LARGE, f"a message has at most {limit} characters")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FrameError(
            Code.PARSE_ERROR, f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    if not isinstance(value, dict):
        raise FrameError(Code.PARSE_ERROR, "a message must be a JSON object")
    given = value.get("id", "")
    if not isinstance(given, str) or len(given) > _ID_LENGTH:
        raise FrameError(Code.PARSE_ERROR, f"id: must be a string of at most {_ID_LENGTH} characters")
    kind = value.get("type")
    if not isinstance(kind, str) or not kind:
        raise FrameError(Code.PARSE_ERROR, "type: must be a string that names a message", given)
    data = value.get("data")
    if data is not None and not isinstance(data, dict):
        raise FrameError(Code.PARSE_ERROR, "data: must be a JSON object", given)
    return Frame(kind, given, data or {})


def shown(text: str) -> str:
    """Returns as much of a client's own words as is said back to it."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


class Writer:
    """Makes the frames of one connection, in its language."""

    def __init__(self, now: Callable[[], bytes], *, is_english: bool) -> None:
        self._now = now
        self._is_english = is_english

    def said(self, texts: tuple[str, str]) -> str:
        return texts[self._is_english]

    def frame(self, kind: str, data: Mapping[str, Any], frame_id: str = "") -> str:
        """Returns a frame; `frame_id` is that of the frame that it answers."""
        frame = {
            "type": kind,
            "id": frame_id or str(uuid.uuid4()),
            "timestamp": self._now().decode(),
            "data": data,
        }
        return orjson.dumps(frame).decode()

    def error(self, code: str, details: str, frame_id: str = "") -> str:
        message = self.said(ERRORS.get(code, _ANY_ERROR))
        data = {"error_code": code, "message": message, "details": details}
        return self.frame("error", data, frame_id)
