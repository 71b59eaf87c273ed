"""What the kernel says of running processes."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Returns the processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def rss_mib(pid: int) -> float:
    """Returns the memory that a process has: none once it has ended."""
    try:
        _, _, found = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")
    except FileNotFoundError:
        return 0.0
    return int(found.split()[0]) / 1024 if found else 0.0


def children(pid: int) -> list[int]:
    """Returns the processes that a process started."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def tree(pid: int) -> list[int]:
    """Returns a process and everything below it."""
    return [pid, *(below for child in children(pid) for below in tree(child))]


def tree_rss_mib(pid: int) -> float:
    return sum(rss_mib(each) for each in tree(pid))
