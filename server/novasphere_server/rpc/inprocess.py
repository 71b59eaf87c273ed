"""Serves the gateway in the same process, through the same pipeline as gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from google.protobuf.message import Message
from novasphere_gateway.backend import ACCEPTED, Answer, Call, CallError

from novasphere_server.rpc.methods import Method
from novasphere_server.rpc.pipeline import CallFailed, Pipeline, Result
from novasphere_server.rpc.views import STANDS


class InProcess:
    """A novasphere_gateway.backend.Backend. The gateway counts its requests by itself."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def admit(self, call: Call) -> None:
        try:
            method = await self._method(call)
            await self._pipeline.admit(method, call.request, call.metadata, call.peer)
        except CallFailed as failure:
            raise CallError(failure.status) from failure

    async def unary(self, call: Call) -> Answer:
        method = self._pipeline.methods.get(call.method) or await self._method(call)
        try:
            result, headers = await self._pipeline.unary(
                method, call.request, call.metadata, call.timeout, peer=call.peer
            )
        except CallFailed as failure:
            raise CallError(failure.status) from failure
        return _answer(result, headers)

    def stream(self, call: Call) -> AsyncIterator[Answer]:
        return self._answers(call, call.request)

    def duplex(self, call: Call, requests: AsyncIterator[Message]) -> AsyncIterator[Answer]:
        return self._answers(call, requests)

    async def _answers(
        self, call: Call, request: Message | AsyncIterator[Message]
    ) -> AsyncIterator[Answer]:
        method = await self._method(call)
        try:
            stream = await self._pipeline.open(method, request, call.metadata, call.peer, call.timeout)
            try:
                while (result := await stream.next()) is not None:
                    yield ACCEPTED if result is STANDS else _answer(result, stream.headers())
            finally:
                await stream.close()
        except CallFailed as failure:
            raise CallError(failure.status) from failure

    async def _method(self, call: Call) -> Method:
        method = self._pipeline.methods.get(call.method)
        if method is None:
            failure = await self._pipeline.unknown(call.method, call.metadata, call.peer)
            raise CallError(failure.status)
        return method


def _answer(result: Result, headers: Mapping[str, str]) -> Answer:
    if isinstance(result, Message):
        return Answer(result, None, headers)
    return Answer(result.rest, result, headers)
