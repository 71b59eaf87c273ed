"""What a machine says of itself, written on its node."""

from __future__ import annotations

from novasphere.link.v1 import link_service_pb2 as link
from novasphere.node.v1 import node_pb2 as pb

_COUNT = 2**31 - 1
_SIZE = 2**63 - 1
_LABELS = 64
_LABEL_LENGTH = 253


def apply(node: pb.Node, profile: link.Profile, peer: str) -> None:
    """Writes the profile on the node. `peer` stands in for an address that the agent cannot tell."""
    node.hostname = profile.hostname
    node.ip_address = profile.ip_address or peer
    node.os_info = profile.os_info
    node.role = profile.role or "worker"
    node.platform.CopyFrom(
        pb.Platform(
            system=profile.system.lower(),
            release=profile.release,
            machine=profile.machine,
            distribution=profile.distribution,
            python_version=profile.python_version,
            is_virtual=profile.is_virtual,
        )
    )
    node.resources.CopyFrom(
        pb.Resources(
            cpu_count=min(profile.cpu_count, _COUNT),
            memory_total_bytes=min(profile.memory_total_bytes, _SIZE),
            storage_total_bytes=min(profile.storage_total_bytes, _SIZE),
            gpu_count=min(profile.gpu_count, _COUNT),
        )
    )
    if not node.has_given_labels:
        node.labels.clear()
        for name, value in sorted(profile.labels.items())[:_LABELS]:
            node.labels[name[:_LABEL_LENGTH]] = value[:_LABEL_LENGTH]
    node.capabilities[:] = sorted(set(profile.capabilities))
    node.agent_version = profile.agent_version
    node.tags[:] = _tags(profile)


def _tags(profile: link.Profile) -> list[str]:
    tags = {profile.system.lower(), profile.machine.lower()}
    if profile.is_virtual:
        tags.add("virtual")
    if profile.gpu_count:
        tags.add("gpu")
    return sorted(tags - {""})
