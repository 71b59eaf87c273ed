"""Counts and times what the server does, for Prometheus."""

from __future__ import annotations

import bisect
import itertools
import platform
import sys
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from novasphere_server.backlogs import Backlog
from novasphere_server.clock import Clock

CONTENT_TYPE = CONTENT_TYPE_LATEST

# A second series for every counter, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BATCH = 100  # calls

# The label must stay a short list, whatever clients send.
_CLIENT_TYPES = frozenset({"web", "electron", "flutter", "cli", "sdk", "agent"})
_USER_AGENTS = (
    ("electron", "electron"),  # whatever else it names: its application, and Mozilla
    ("flutter", "flutter"),
    ("dart", "flutter"),
    ("novasphere-agent", "agent"),
    ("novasphere-cli", "cli"),
    ("novasphere", "sdk"),
    ("mozilla", "web"),
    ("grpcurl", "grpcurl"),
    ("curl", "curl"),
    ("grpc-", "grpc"),
    ("python", "python"),
)
_REMEMBERED_AGENTS = 1024


class _Durations:
    """A histogram of one client type's calls."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: list[float]) -> None:
        """Counts calls. Sorts the list, which takes a fraction of finding the place of each."""
        seconds.sort()
        counted = 0
        for place, bound in enumerate(_BOUNDS):
            within = bisect.bisect_right(seconds, bound, counted)
            self.counts[place] += within - counted
            counted = within
        self.counts[-1] += len(seconds) - counted
        self.total += sum(seconds)

    def cumulative(self) -> list[tuple[str, float]]:
        bounds = [*map(str, _BOUNDS), "+Inf"]
        return list(zip(bounds, itertools.accumulate(self.counts), strict=True))


class Endpoint:
    """The call metrics of one RPC as one transport names it.

    Kept in plain numbers: all calls are counted on the event loop, and locks and label look-ups would
    cost more than the rest of the pipeline. They are counted a batch at a time, which costs each call
    a third.
    """

    __slots__ = ("_durations", "_recent", "_requests", "endpoint", "method")

    def __init__(self, method: str, endpoint: str) -> None:
        self.method = method
        self.endpoint = endpoint
        # How long calls took that are not counted yet, by client type and status.
        self._recent: dict[tuple[str, str], list[float]] = {}
        self._requests: dict[tuple[str, str], int] = {}
        self._durations: dict[str, _Durations] = {}

    def record(self, client_type: str, status: str, seconds: float) -> None:
        key = (client_type, status)
        recent = self._recent.get(key)
        if recent is None:
            recent = self._recent[key] = []
        recent.append(seconds)
        if len(recent) >= _BATCH:
            self._count(key, recent)

    def _count(self, key: tuple[str, str], recent: list[float]) -> None:
        client_type, _ = key
        self._requests[key] = self._requests.get(key, 0) + len(recent)
        durations = self._durations.get(client_type)
        if durations is None:
            durations = self._durations[client_type] = _Durations()
        durations.add(recent)
        recent.clear()

    def collect(self, requests: CounterMetricFamily, durations: HistogramMetricFamily) -> None:
        for key, recent in self._recent.items():
            self._count(key, recent)
        for (client_type, status), count in self._requests.items():
            requests.add_metric((self.method, self.endpoint, client_type, status), count)
        for client_type, kept in self._durations.items():
            labels = (self.method, self.endpoint, client_type)
            durations.add_metric(labels, kept.cumulative(), kept.total)


class _Endpoints(Collector):
    """Every endpoint's metrics."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Endpoint] = {}

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "api_requests",
            "Calls answered, by how the client made them and how they ended.",
            labels=("method", "endpoint", "client_type", "status"),
        )
        durations = HistogramMetricFamily(
            "api_request_duration_seconds",
            "How long calls took; a stream counts until it ends.",
            labels=("method", "endpoint", "client_type"),
        )
        for endpoint in self.known.values():
            endpoint.collect(requests, durations)
        return (requests, durations)


class _Counted(Collector):
    """A counter that is kept elsewhere."""

    def __init__(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        self._name = name
        self._meaning = meaning
        self._read = read

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(self._name, self._meaning, value=self._read())


class _Backlogs(Collector):
    """What loops have still to delete, by what it is."""

    def __init__(self, clock: Clock, backlogs: Mapping[str, Backlog]) -> None:
        self._clock = clock
        self._backlogs = backlogs

    def collect(self) -> Iterable[Metric]:
        deleted = CounterMetricFamily(
            "novasphere_retention_deleted_rows",
            "Rows deleted or moved on because they were past their time.",
            labels=("of",),
        )
        age = GaugeMetricFamily(
            "novasphere_retention_backlog_seconds",
            "How long the oldest row that is to be deleted has been past its time.",
            labels=("of",),
        )
        success = GaugeMetricFamily(
            "novasphere_retention_last_success_timestamp_seconds",
            "When all that was past its time had been deleted; 0 before the first time.",
            labels=("of",),
        )
        now_us = self._clock.now_us()
        for name, backlog in self._backlogs.items():
            deleted.add_metric((name,), backlog.deleted)
            age.add_metric((name,), backlog.age(now_us))
            success.add_metric((name,), backlog.last_success_us / 1e6)
        return (deleted, age, success)


class Telemetry:
    """The metrics of one server, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._endpoints = _Endpoints()
        self.registry.register(self._endpoints)
        self.open_streams = self._gauge("open_streams", "Streams that are open, by RPC.", ("endpoint",))
        self.loop_up = self._gauge("loop_up", "1 while the loop runs, 0 while it waits.", ("loop",))
        self.loop_restarts = Counter(
            "novasphere_loop_restarts",
            "How often a loop failed and was started again.",
            ("loop",),
            registry=self.registry,
        )
        self._refused_credentials = Counter(
            "novasphere_refused_credentials",
            "Credentials that were wrong, expired or revoked, by what they claimed to be.",
            ("kind",),
            registry=self.registry,
        )
        self._gauge(
            "build_info", "What runs; always 1.", ("version", "python", "implementation")
        ).labels(version, platform.python_version(), sys.implementation.name).set(1)
        self._client_types: dict[str, str] = {}

    def credential_refused(self, kind: str) -> None:
        """Counts a credential that was refused."""
        self._refused_credentials.labels(kind).inc()

    def endpoint(self, method: str, endpoint: str) -> Endpoint:
        """Returns the metrics of one endpoint; `endpoint` is a template, never a path with ids."""
        known = self._endpoints.known
        found = known.get((method, endpoint))
        if found is None:
            found = known[method, endpoint] = Endpoint(method, endpoint)
        return found

    def count_request(
        self,
        method: str,
        route: str,
        status: int,
        seconds: float,
        declared_type: str,
        user_agent: str,
        face: int,
        request_id: str,
    ) -> None:
        """Counts an answered HTTP request: a novasphere_gateway.runtime.app.OnRequest."""
        client_type = self.client_type(declared_type, user_agent)
        endpoint = self._endpoints.known.get((method, route)) or self.endpoint(method, route)
        endpoint.record(client_type, str(status), seconds)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Adds the gauge `novasphere_<name>`, read when somebody looks."""
        self._gauge(name, meaning).set_function(read)

    def counter(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Adds the counter `novasphere_<name>_total`, which somebody else counts."""
        self.registry.register(_Counted(f"novasphere_{name}", meaning, read))

    def backlogs(self, clock: Clock, backlogs: Mapping[str, Backlog]) -> None:
        """Adds what loops tell of what they have still to delete."""
        self.registry.register(_Backlogs(clock, backlogs))

    def client_type(self, declared: str, user_agent: str) -> str:
        """Returns what kind of client calls, out of a fixed list."""
        if declared and (named := declared.strip().lower()) in _CLIENT_TYPES:
            return named
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
