"""Bad networks: an agent in a network namespace of its own, behind a wire that a test cuts, thins and chokes.

    this machine (server) -- wire (drops, loses, limits) -- agent

The wire is a router in a namespace of its own. What it drops is gone without a word: neither end gets a
reset or an error, as on a real line. Nothing outside the namespaces is touched but one interface and the
route through it.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# Set aside for measuring (RFC 2544): on no real network.
_FIRST_ADDRESS = 198 << 24 | 18 << 16
_BLOCK = 8  # addresses of one network: two of four each, for the two halves of the wire
_BLOCKS = (1 << 17) // _BLOCK
_TRIES = 20
_PROGRAMS = {"ip": "iproute2", "tc": "iproute2", "iptables": "iptables", "nsenter": "util-linux"}
# What a modem keeps before it drops, and what may pass at once: a packet or two.
_QUEUE = "1000ms"
_BURST_BYTES = 3200


class NoNetworks(Exception):
    """Networks cannot be made here; the text says what to do."""


class Network:
    """One agent's way to the server."""

    def __init__(self, block: int) -> None:
        self._interface = f"nvs{block}"
        self._wire, self._agent = f"novasphere-{block}-wire", f"novasphere-{block}-agent"
        first = _FIRST_ADDRESS + block * _BLOCK
        self._addresses = [_dotted(first + n) for n in range(_BLOCK)]

    @property
    def server_address(self) -> str:
        """Where the agent finds a server on this machine."""
        return self._addresses[1]

    @property
    def agent_side(self) -> list[str]:
        """What goes before a command that is to run at the agent's end."""
        return _inside(self._agent)

    # -- the weather

    def cut(self, *, from_agent: bool = True, to_agent: bool = True) -> None:
        """Swallows everything, both ways or one way."""
        for interface, is_cut in (("agent", from_agent), ("server", to_agent)):
            if is_cut:
                self._rule("-I", "FORWARD", "-i", interface, "-j", "DROP")

    def loss(self, percent: float) -> None:
        """Swallows that share of the packets, both ways."""
        self._rule(
            "-A", "FORWARD", "-m", "statistic", "--mode", "random",
            "--probability", str(percent / 100), "-j", "DROP",
        )  # fmt: skip

    def slow(self, kbit_per_second: int) -> None:
        """Lets no more than that through, in each direction."""
        for interface in ("server", "agent"):
            _run(
                "tc", "-n", self._wire, "qdisc", "replace", "dev", interface, "root", "tbf",
                "rate", f"{kbit_per_second}kbit", "burst", str(_BURST_BYTES), "latency", _QUEUE,
            )  # fmt: skip

    def heal(self) -> None:
        """Makes the wire a good one again."""
        self._rule("-F", "FORWARD")
        for interface in ("server", "agent"):
            with contextlib.suppress(NoNetworks):  # it was not slow
                _run("tc", "-n", self._wire, "qdisc", "del", "dev", interface, "root")

    # -- making and removing

    def claim(self) -> bool:
        """Makes the interface that only one network can have; false if another has it."""
        try:
            _run(
                "ip",
                "link",
                "add",
                self._interface,
                "type",
                "veth",
                "peer",
                "name",
                f"{self._interface}w",
            )
        except NoNetworks as error:
            if "File exists" in str(error):
                return False
            raise
        return True

    def lay(self) -> None:
        """Lays the wire."""
        wire, agent, at = self._wire, self._agent, self._addresses
        for namespace in (wire, agent):
            _run("ip", "netns", "add", namespace)
            _run("ip", "-n", namespace, "link", "set", "lo", "up")
        _run("ip", "link", "set", f"{self._interface}w", "netns", wire, "name", "server")
        _run(
            "ip",
            "-n",
            wire,
            "link",
            "add",
            "agent",
            "type",
            "veth",
            "peer",
            "name",
            "wire",
            "netns",
            agent,
        )
        for within, interface, address in (
            ([], self._interface, at[1]),
            (["-n", wire], "server", at[2]),
            (["-n", wire], "agent", at[5]),
            (["-n", agent], "wire", at[6]),
        ):
            _run("ip", *within, "addr", "add", f"{address}/30", "dev", interface)
            _run("ip", *within, "link", "set", interface, "up")
        _run("ip", "-n", agent, "route", "add", "default", "via", at[5])
        _run("ip", "route", "add", f"{at[4]}/30", "via", at[2])
        _run(*_inside(wire), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.heal()

    def remove(self) -> None:
        """Takes away what is there of it."""
        # The interface takes its other end and the route along.
        for command in (
            ("ip", "link", "del", self._interface),
            ("ip", "netns", "del", self._agent),
            ("ip", "netns", "del", self._wire),
        ):
            with contextlib.suppress(NoNetworks):
                _run(*command)

    def _rule(self, *arguments: str) -> None:
        _run(*_inside(self._wire), "iptables", "-w", "5", *arguments)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Yields a good network, and leaves nothing of it behind. Raises NoNetworks."""
    _check_programs()
    for _ in range(_TRIES):
        found = Network(random.randrange(_BLOCKS))
        if not found.claim():
            continue
        try:
            found.lay()
            yield found
        finally:
            found.remove()
        return
    raise NoNetworks(f"{_TRIES} addresses were taken: remove the nvs* interfaces that nobody uses")


def network_or_skip() -> Iterator[Network]:
    """Is what a fixture yields from: a network, or a skip that says what is missing."""
    with contextlib.ExitStack() as held:
        try:
            made = held.enter_context(network())
        except NoNetworks as error:
            pytest.skip(str(error))
        yield made


def _check_programs() -> None:
    missing = sorted(
        {package for program, package in _PROGRAMS.items() if shutil.which(program) is None}
    )
    if missing:
        raise NoNetworks(f"bad networks need the Debian packages: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise NoNetworks("bad networks need network namespaces: run as root, as in sudo make test")


def _inside(namespace: str) -> list[str]:
    # Not "ip netns exec", which mounts /sys anew: containers refuse that.
    return ["nsenter", f"--net={Path('/run/netns') / namespace}", "--"]


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if result.returncode:
        raise NoNetworks(
            f"this machine makes no bad networks: {' '.join(command)}: {result.stderr.strip()}"
        )


def _dotted(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))
