"""What this machine is."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from novasphere_agent import __version__
from novasphere_agent.messages import Profile
from novasphere_agent.metrics import Sampler

_LONGEST_NAME = 253


def default_name() -> str:
    """Returns a node name made from the host name."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", socket.gethostname()).strip("-._")
    return name[:_LONGEST_NAME].rstrip("-._") or "node"


def describe(
    sampler: Sampler, *, labels: Mapping[str, str], role: str, capabilities: Sequence[str]
) -> Profile:
    """Returns the profile, but for the address, which depends on the connection. Blocks a little."""
    release = _os_release()
    distribution = release.get("NAME", "")
    return Profile(
        hostname=socket.gethostname(),
        os_info=release.get("PRETTY_NAME") or platform.platform(terse=True),
        system=platform.system().lower(),
        release=platform.release(),
        machine=platform.machine(),
        distribution=distribution,
        python_version=platform.python_version(),
        is_virtual=_is_virtual(),
        cpu_count=os.cpu_count() or 1,
        memory_total_bytes=sampler.memory_total(),
        storage_total_bytes=sampler.disk_total(),
        gpu_count=_gpu_count(),
        labels=dict(labels),
        capabilities=list(capabilities),
        role=role,
        agent_version=__version__,
    )


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _is_virtual() -> bool:
    with contextlib.suppress(OSError):
        if re.search(r"^flags\s*:.*\bhypervisor\b", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return True
    if any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv", "/proc/xen")):
        return True
    with contextlib.suppress(OSError):
        product = Path("/sys/class/dmi/id/product_name").read_text()
        return bool(re.search(r"KVM|QEMU|VMware|VirtualBox|Virtual Machine|HVM", product))
    return False


def _gpu_count() -> int:
    # Render nodes: a screen without a processor of its own has none.
    with contextlib.suppress(OSError):
        return sum(1 for device in Path("/dev/dri").iterdir() if device.name.startswith("renderD"))
    with contextlib.suppress(OSError):
        return sum(1 for device in Path("/dev").iterdir() if re.fullmatch(r"nvidia\d+", device.name))
    return 0
