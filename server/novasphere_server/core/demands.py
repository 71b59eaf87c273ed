"""What a task asks of a node, and what a node lacks of that.

A demand is spelled as one line of JSON, which is the same for all tasks that ask for the same: nodes look for
work by the demands that they meet, so a task that nobody can take costs nobody anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from novasphere.node.v1 import node_pb2
from novasphere.schedule.v1 import task_pb2 as pb

_GIB = 1024**3
# Kinds of work that agents answer by themselves, without a process: most of them need no slot for it.
ANSWERED = ("echo", "system_info")


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that a node does not have."""

    what: str  # one word: TASK_TYPE, LABEL, CPU, MEMORY, STORAGE, PLATFORM, ROLE, TAG, GPU
    wanted: str
    present: str


@dataclass(frozen=True, slots=True)
class Demand:
    """What a task asks of any node that is to run it."""

    capabilities: tuple[str, ...]  # one of them will do
    labels: tuple[tuple[str, str], ...] = ()
    cpu_count: int = 0
    memory_bytes: int = 0
    storage_bytes: int = 0
    platform: str = ""
    role: str = ""
    tags: tuple[str, ...] = ()
    gpu: bool = False

    # Whether agents do it by themselves, without a process.
    is_answered: bool = field(init=False)

    def __post_init__(self) -> None:
        is_answered = all(capability in ANSWERED for capability in self.capabilities)
        object.__setattr__(self, "is_answered", is_answered)

    @classmethod
    def of(cls, config: pb.TaskConfig) -> Demand:
        """Returns what the config of a task asks for."""
        wanted = config.requirements
        return cls(
            capabilities=_capabilities(config),
            labels=tuple(sorted(config.labels.items())),
            cpu_count=wanted.min_cpu_cores,
            memory_bytes=_bytes(wanted.min_memory_gb),
            storage_bytes=_bytes(wanted.min_storage_gb),
            platform=wanted.platform.lower(),
            role=wanted.role.lower(),
            tags=tuple(sorted(set(wanted.tags))),
            gpu=wanted.gpu_required,
        )

    def spell(self) -> str:
        """Returns the demand as text; parse() reads it."""
        said: dict[str, Any] = {"capabilities": self.capabilities}
        for name in (
            "labels",
            "cpu_count",
            "memory_bytes",
            "storage_bytes",
            "platform",
            "role",
            "tags",
            "gpu",
        ):
            if value := getattr(self, name):
                said[name] = dict(value) if name == "labels" else value
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def lacks(self, node: node_pb2.Node) -> Iterator[Lack]:
        """Yields what the node does not have, the most telling first."""
        has = {"shell"} if node.is_foreign else set(node.capabilities)
        if not has.intersection(self.capabilities):
            yield Lack("TASK_TYPE", " or ".join(self.capabilities), ", ".join(sorted(has)))
        for name, value in self.labels:
            if node.labels.get(name) != value:
                yield Lack("LABEL", f"{name}={value}", node.labels.get(name, ""))
        if self.platform and node.platform.system.lower() != self.platform:
            yield Lack("PLATFORM", self.platform, node.platform.system)
        if self.role and node.role.lower() != self.role:
            yield Lack("ROLE", self.role, node.role)
        for tag in self.tags:
            if tag not in node.tags:
                yield Lack("TAG", tag, ", ".join(node.tags))
        resources = node.resources
        if resources.cpu_count < self.cpu_count:
            yield Lack("CPU", f"{self.cpu_count} cores", f"{resources.cpu_count} cores")
        if resources.memory_total_bytes < self.memory_bytes:
            yield Lack("MEMORY", _gib(self.memory_bytes), _gib(resources.memory_total_bytes))
        if resources.storage_total_bytes < self.storage_bytes:
            yield Lack("STORAGE", _gib(self.storage_bytes), _gib(resources.storage_total_bytes))
        if self.gpu and not resources.gpu_count:
            yield Lack("GPU", "a GPU", "none")

    def is_met_by(self, node: node_pb2.Node) -> bool:
        return next(self.lacks(node), None) is None


def spelled(config: pb.TaskConfig) -> str:
    """Returns what the config of a task asks for, as text; parse() reads it."""
    # Few demands are ever asked for, each of them by many tasks.
    return _spelled(
        config.cmd,
        config.task_type,
        bool(config.command_text),
        # To ask an empty map for what is in it costs more than all the rest.
        tuple(sorted(config.labels.items())) if config.labels else (),
        config.requirements.SerializeToString(deterministic=True),
    )


@lru_cache(maxsize=4096)
def _spelled(
    cmd: str, task_type: str, is_shell: bool, labels: tuple[tuple[str, str], ...], requirements: bytes
) -> str:
    config = pb.TaskConfig(cmd=cmd, task_type=task_type, labels=dict(labels))
    config.command_text = "true" if is_shell else ""
    config.requirements.ParseFromString(requirements)
    return Demand.of(config).spell()


@lru_cache(maxsize=4096)
def parse(text: str) -> Demand:
    """Returns the demand that spell() made the text of."""
    said = json.loads(text)
    said["labels"] = tuple(sorted(said.get("labels", {}).items()))
    for name in ("capabilities", "tags"):
        said[name] = tuple(said.get(name, ()))
    return Demand(**said)


def _capabilities(config: pb.TaskConfig) -> tuple[str, ...]:
    """Returns what a node may be allowed to run, any of which lets it run this."""
    if config.command_text:
        return ("shell",)
    if config.task_type == "command":
        return ("command", "shell")
    if config.task_type:
        return (config.task_type,)
    return ("exec", PurePath(config.cmd).name)


def _bytes(gib: float) -> int:
    # What is more than any machine has need not be told apart.
    return round(min(gib * _GIB, 2.0**63))


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
