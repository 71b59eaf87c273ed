"""Counts and times what the server does, for Prometheus."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

# The label must stay a short list, whatever clients send.
_CLIENT_TYPES = frozenset({"web", "electron", "flutter", "cli", "sdk", "agent"})
_USER_AGENTS = (
    ("novasphere-agent", "agent"),
    ("novasphere-cli", "cli"),
    ("novasphere", "sdk"),
    ("electron", "electron"),
    ("dart", "flutter"),
    ("mozilla", "web"),
    ("grpcurl", "grpcurl"),
    ("curl", "curl"),
    ("grpc-", "grpc"),
    ("python", "python"),
)
_REMEMBERED_AGENTS = 1024


class Endpoint:
    """The call metrics of one RPC as one transport names it. Label lookups happen once."""

    __slots__ = ("_children", "_labels", "_requests", "_seconds")

    def __init__(self, requests: Counter, seconds: Histogram, method: str, endpoint: str) -> None:
        self._requests = requests
        self._seconds = seconds
        self._labels = (method, endpoint)
        self._children: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    def record(self, client_type: str, status: str, seconds: float) -> None:
        children = self._children.get((client_type, status))
        if children is None:
            method, endpoint = self._labels
            children = self._children[client_type, status] = (
                self._requests.labels(method, endpoint, client_type, status),
                self._seconds.labels(method, endpoint, client_type),
            )
        children[0].inc()
        children[1].observe(seconds)


class Telemetry:
    """The metrics of one server, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "api_requests",
            "Calls answered, by how the client made them and how they ended.",
            ("method", "endpoint", "client_type", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "api_request_duration_seconds",
            "How long calls took; a stream counts until it ends.",
            ("method", "endpoint", "client_type"),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.open_streams = self._gauge("open_streams", "Streams that are open, by RPC.", ("endpoint",))
        self.loop_up = self._gauge("loop_up", "1 while the loop runs, 0 while it waits.", ("loop",))
        self.loop_restarts = Counter(
            "novasphere_loop_restarts",
            "How often a loop failed and was started again.",
            ("loop",),
            registry=self.registry,
        )
        self.refused_credentials = Counter(
            "novasphere_refused_credentials",
            "Credentials that were wrong, expired or revoked.",
            registry=self.registry,
        )
        self._gauge(
            "build_info", "What runs; always 1.", ("version", "python", "implementation")
        ).labels(version, platform.python_version(), sys.implementation.name).set(1)
        self._client_types: dict[str, str] = {}
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    def endpoint(self, method: str, endpoint: str) -> Endpoint:
        """Returns the metrics of one endpoint; `endpoint` is a template, never a path with ids."""
        known = self._endpoints.get((method, endpoint))
        if known is None:
            known = self._endpoints[method, endpoint] = Endpoint(
                self._requests, self._seconds, method, endpoint
            )
        return known

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Adds the gauge `novasphere_<name>`, read when somebody looks."""
        self._gauge(name, meaning).set_function(read)

    def client_type(self, declared: str, user_agent: str) -> str:
        """Returns what kind of client calls, out of a fixed list."""
        if declared in _CLIENT_TYPES:
            return declared
        known = self._client_types.get(user_agent)
        if known is None:
            text = user_agent.lower()
            known = next((kind for mark, kind in _USER_AGENTS if mark in text), "other")
            if len(self._client_types) < _REMEMBERED_AGENTS:
                self._client_types[user_agent] = known
        return known

    def exposition(self) -> bytes:
        """Returns everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"novasphere_{name}", meaning, labels, registry=self.registry)
