"""The small parts of an agent, and what it imports."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from novasphere_agent import durable, lock, processes, profile, refusals, wrapper
from novasphere_agent.backoff import Backoff
from novasphere_agent.flow import Flow
from novasphere_agent.identity import Identity, IdentityFile, IdentityUnreadable
from novasphere_agent.metrics import Sampler

REPOSITORY = Path(__file__).parents[2]


def test_delays_grow_to_a_cap_with_full_jitter_and_start_over() -> None:
    backoff = Backoff(first=0.5, cap=60.0)
    for ceiling in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        assert 0 <= backoff.next_delay() <= ceiling
    for _ in range(2000):
        assert backoff.next_delay(at_least=3.0) <= 63.0
    backoff.reset()
    assert 3.0 <= backoff.next_delay(at_least=3.0) <= 3.5


def test_the_window_grows_on_quick_links_up_to_the_servers() -> None:
    now = 0.0
    flow = Flow(1 << 20, clock=lambda: now)
    for _ in range(10):
        room = flow.room
        flow.sent(room)
        assert flow.room == 0
        now += 0.01
        flow.acknowledged(room)
    assert flow.room == 1 << 20


def test_what_waits_on_a_thin_line_is_never_more_than_passes_in_a_second() -> None:
    now, bytes_per_second = 0.0, 8000
    flow = Flow(1 << 20, clock=lambda: now)
    for _ in range(100):
        room = flow.room
        flow.sent(room)
        now += 0.1 + room / bytes_per_second
        flow.acknowledged(room)
        assert 0 < flow.room <= bytes_per_second


def test_the_window_shrinks_on_a_line_that_becomes_thin() -> None:
    now, bytes_per_second = 0.0, 10_000_000
    flow = Flow(1 << 20, clock=lambda: now)
    for number in range(100):
        if number == 50:
            assert flow.room > 500_000
            bytes_per_second = 8000
        room = flow.room
        flow.sent(room)
        now += 0.01 + room / bytes_per_second
        flow.acknowledged(room)
    assert flow.room <= bytes_per_second


def test_the_window_grows_on_a_line_that_is_long_and_not_thin() -> None:
    now = 0.0
    flow = Flow(1 << 20, clock=lambda: now)
    for _ in range(12):
        room = flow.room
        flow.sent(room)
        now += 0.8
        flow.acknowledged(room)
    assert flow.room == 1 << 20


def test_the_window_is_never_above_a_small_limit() -> None:
    assert Flow(1000).room == 1000


def test_an_identity_is_stored_whole_and_private(tmp_path: Path) -> None:
    file = IdentityFile(tmp_path)
    assert file.load() == Identity()
    identity = Identity("n1", "uid", "secret", "token", 3)
    file.store(identity)
    assert file.load() == identity
    assert stat.S_IMODE((tmp_path / "identity.json").stat().st_mode) == 0o600
    assert "secret" not in repr(identity)
    file.forget()
    assert file.load() == Identity()


def test_an_identity_that_makes_no_sense_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text("{")
    with pytest.raises(IdentityUnreadable, match=r"identity\.json"):
        IdentityFile(tmp_path).load()


def test_a_file_is_replaced_even_by_an_empty_one(tmp_path: Path) -> None:
    durable.replace(tmp_path / "x", b"before")
    durable.replace(tmp_path / "x", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b""


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    with (
        lock.hold(tmp_path),
        pytest.raises(lock.DataDirInUse) as refused,
        lock.hold(tmp_path, patience=0.1),
    ):
        pass
    assert refused.value.holder == str(os.getpid())
    with lock.hold(tmp_path, patience=0):
        pass


def refusal(*details: any_pb2.Any) -> str:
    data = status_pb2.Status(code=5, message="你好", details=details).SerializeToString()
    return refusals.StatusDetails().decode(Status.NOT_FOUND, "no", data)


def packed(message: object) -> any_pb2.Any:
    detail = any_pb2.Any()
    detail.Pack(message)
    return detail


def test_the_reason_is_found_among_other_details() -> None:
    info = error_details_pb2.ErrorInfo(reason="NODE_DELETED", domain="x", metadata={"node_id": "n1"})
    other = error_details_pb2.RetryInfo()
    other.retry_delay.seconds = 3
    assert refusal(packed(other), packed(info)) == "NODE_DELETED"
    assert refusal(packed(other)) == ""
    assert refusal() == ""


@pytest.mark.parametrize("data", [b"\x08", b"\xff" * 20, b"\x1a\x7fx", b"\x0d1234"])
def test_details_that_make_no_sense_give_no_reason(data: bytes) -> None:
    assert refusals.StatusDetails().decode(Status.ABORTED, None, data) == ""


def test_an_error_without_a_reason_is_known_by_its_status() -> None:
    assert refusals.reason_of(GRPCError(Status.UNAUTHENTICATED, "no")) == "UNAUTHENTICATED"
    assert (
        refusals.reason_of(GRPCError(Status.ABORTED, "no", "DUPLICATE_IDENTITY")) == "DUPLICATE_IDENTITY"
    )


def test_samples_come_from_proc_and_sys(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    battery = tmp_path / "sys/class/power_supply/BAT0"
    mains = tmp_path / "sys/class/power_supply/AC"
    for folder in (proc, battery, mains):
        folder.mkdir(parents=True)
    (mains / "type").write_text("Mains\n")
    (battery / "type").write_text("Battery\n")
    (battery / "capacity").write_text("81\n")
    (battery / "status").write_text("Charging\n")
    (proc / "meminfo").write_text("MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n")
    (proc / "stat").write_text("cpu  100 0 100 700 100 0 0 0 50 0\n")
    sampler = Sampler(tmp_path, proc=proc, sys=tmp_path / "sys")
    (proc / "stat").write_text("cpu  130 0 120 740 110 0 0 0 60 0\n")
    sample = sampler.take()
    assert sample.cpu_usage == 50.0
    assert sample.memory_usage == 75.0
    assert (sample.memory_total_bytes, sample.memory_available_bytes) == (1_024_000, 256_000)
    assert (sample.battery_percent, sample.is_charging) == (81.0, True)


def test_a_machine_that_tells_nothing_is_sampled_all_the_same(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    sample = Sampler(nothing, proc=nothing, sys=nothing).take()
    assert (sample.disk_total_bytes, sample.battery_percent) == (0, None)


def test_the_default_name_is_one_that_the_command_line_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for host_name, name in (
        ("web-1.example", "web-1.example"),
        ("Müller's PC", "M-ller-s-PC"),
        ("__", "node"),
    ):
        monkeypatch.setattr("socket.gethostname", lambda host_name=host_name: host_name)
        assert profile.default_name() == name


def test_a_process_is_told_from_a_later_one_with_its_pid() -> None:
    start = wrapper.start_of(os.getpid())
    assert processes.is_alive(os.getpid(), start)
    assert not processes.is_alive(os.getpid(), str(int(start) + 1))
    assert not processes.is_alive(2**22 + 1, start)


def test_importing_the_agent_leaves_out_what_it_does_not_need() -> None:
    unwanted = ["pydantic", "dateutil", "google.protobuf", "grpc", "aiohttp", "psutil", "ctypes"]
    unwanted += ["yaml", "ssl"]
    code = f"import sys, novasphere_agent.cli; print([m for m in {unwanted} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"


@pytest.mark.slow
def test_the_light_wheel_runs_where_nothing_can_be_compiled(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "-w", str(tmp_path / "wheels"), str(REPOSITORY / "agent")],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if built.returncode != 0 and "hatchling" in built.stderr:
        pytest.skip("the build backend cannot be fetched: this needs a package index")
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "wheels").iterdir()
    target = tmp_path / "pure"
    any_platform = [
        "--only-binary",
        ":all:",
        "--platform",
        "any",
        "--implementation",
        "py",
        "--abi",
        "none",
    ]
    pip_install = [*pip, "install", "--target", str(target), "--python-version", "3.10", *any_platform]
    installed = subprocess.run(
        [*pip_install, str(wheel)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if installed.returncode != 0:
        pytest.skip(f"the agent's dependencies cannot be fetched: {installed.stderr.strip()[-200:]}")
    assert not list(target.rglob("*.so"))
    code = (
        "import sys, novasphere_agent.cli\n"
        "files = [m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)]\n"
        "print([f for f in files if f.endswith('.so') and not f.startswith(sys.base_prefix)])\n"
        "print(sorted(m for m in ('pydantic', 'google', 'grpc', 'psutil') if m in sys.modules))\n"
        "print(novasphere_agent.__file__)\n"
    )
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    answer = subprocess.run(
        [str(base), "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(target)!r})\n{code}"],
        check=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert answer.stdout.splitlines() == ["[]", "[]", str(target / "novasphere_agent" / "__init__.py")]
