"""How loaded this machine is: from /proc, from psutil where that is installed and /proc is not enough.

What a system does not tell is 0 in the sample; nothing here fails because of it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from novasphere_agent.messages import Sample

# Shorter windows say more about this very moment than about the machine.
FIRST_WINDOW_SECONDS = 0.3


class CpuTimes(NamedTuple):
    """Processor time since boot, in whatever unit: only ratios matter."""

    busy: float
    total: float


class Sampler:
    """Takes samples; processor use is that since the sample before."""

    def __init__(self, data_dir: Path, *, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._data_dir = data_dir
        self._proc = proc
        self._sys = sys
        self._before = self._cpu_times()

    def take(self) -> Sample:
        """Returns a sample. Blocks for as long as the file systems take to answer."""
        memory_total, memory_available = self._memory()
        disk_total, disk_available, disk_used = self._disk()
        battery = self._battery()
        return Sample(
            cpu_usage=self._cpu_usage(),
            memory_usage=_percent(memory_total - memory_available, memory_total),
            disk_usage=_percent(disk_used, disk_used + disk_available),
            load_average=load_average(),
            memory_total_bytes=memory_total,
            memory_available_bytes=memory_available,
            disk_total_bytes=disk_total,
            disk_available_bytes=disk_available,
            uptime_seconds=uptime_seconds(),
            battery_percent=battery[0] if battery else None,
            is_charging=battery[1] if battery else False,
        )

    def memory_total(self) -> int:
        return self._memory()[0]

    def disk_total(self) -> int:
        return self._disk()[0]

    def _cpu_usage(self) -> float:
        before, now = self._before, self._cpu_times()
        if before is None or now is None:
            return 0.0
        self._before = now
        return _percent(now.busy - before.busy, now.total - before.total)

    def _cpu_times(self) -> CpuTimes | None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            line = (self._proc / "stat").read_text().split("\n", 1)[0]
            # user nice system idle iowait irq softirq steal; guest time is counted in user already.
            times = [int(field) for field in line.split()[1:9]]
            return CpuTimes(sum(times) - times[3] - times[4], sum(times))
        if (psutil := _psutil()) is not None:
            with contextlib.suppress(OSError):
                found = psutil.cpu_times()
                return CpuTimes(sum(found) - found.idle - getattr(found, "iowait", 0.0), sum(found))
        return None

    def _memory(self) -> tuple[int, int]:
        with contextlib.suppress(OSError, ValueError, KeyError):
            lines = (self._proc / "meminfo").read_text().splitlines()
            kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
            sizes = {name: 1024 * size for name, size in kilobytes.items()}
            return sizes["MemTotal"], sizes.get("MemAvailable", sizes["MemFree"])
        if (psutil := _psutil()) is not None:
            memory = psutil.virtual_memory()
            return memory.total, memory.available
        with contextlib.suppress(AttributeError, OSError, ValueError):
            page = os.sysconf("SC_PAGE_SIZE")
            total = os.sysconf("SC_PHYS_PAGES") * page
            with contextlib.suppress(ValueError):
                return total, os.sysconf("SC_AVPHYS_PAGES") * page
            return total, total
        return 0, 0

    def _disk(self) -> tuple[int, int, int]:
        try:
            usage = shutil.disk_usage(self._data_dir)
        except OSError:
            return 0, 0, 0
        return usage.total, usage.free, usage.used

    def _battery(self) -> tuple[float, bool] | None:
        try:
            supplies = sorted((self._sys / "class/power_supply").iterdir())
        except OSError:
            return None
        for supply in supplies:
            with contextlib.suppress(OSError, ValueError):
                if (supply / "type").read_text().strip() == "Battery":
                    percent = min(max(float((supply / "capacity").read_text()), 0.0), 100.0)
                    return percent, (supply / "status").read_text().strip() in {"Charging", "Full"}
        return None


def _psutil() -> Any:
    # Only where /proc is not enough: it is larger than all of this.
    try:
        import psutil  # type: ignore[import-untyped,unused-ignore]  # has no types of its own
    except ImportError:
        return None
    return psutil


def _percent(part: float, whole: float) -> float:
    # Finer than a hundredth is noise.
    return round(min(max(100.0 * part / whole, 0.0), 100.0), 2) if whole > 0 else 0.0


def load_average() -> float:
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):  # Windows; some phones
        return 0.0


def uptime_seconds() -> int:
    # Linux counts sleep in a clock of its own; elsewhere the monotonic clock starts at boot.
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return int(time.monotonic() if clock is None else time.clock_gettime(clock))
