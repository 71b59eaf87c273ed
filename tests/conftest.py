"""What every test shares: skips are loud, and forbidden where the run must be complete."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import postgresql
import pytest
from xdist.scheduler import LoadScopeScheduling

COMPLETE = bool(os.environ.get("NOVASPHERE_NO_SKIPS"))

# Tests start our programs by the hundred. Where nothing compiled may be kept, each spends seconds on
# compiling the same modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The short form tries the same examples each time: it must not fail for who changed something else. The long
# form tries others each time, wherever it runs.
hypothesis.settings.register_profile("short", derandomize=True)
hypothesis.settings.register_profile("long", derandomize=False)
hypothesis.settings.load_profile("long" if os.environ.get("NOVASPHERE_FAULTS") == "long" else "short")

# A shell starts background jobs deaf to Ctrl-C, and what they start inherits that. Tests send Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


# What runs in one process, one after the other: tests that share what takes long to make, and tests that
# measure. Everything else goes to whichever process is free.
TOGETHER = {
    "tests/codegen/": "generated code",
    "tests/e2e/test_nodes_face.py": "a fleet",
    "tests/faults/test_slow_watchers.py": "measures",
    "tests/faults/test_bad_networks.py::test_bulk": "measures",
    "tests/faults/test_herds.py": "measures",
    "tests/agent/test_link.py::test_a_link_that_fell_silent_is_given_up": "measures",
}


class Scheduling(LoadScopeScheduling):
    """As --dist loadgroup, whose marks pytest 9 does not let through."""

    def _split_scope(self, nodeid: str) -> str:
        return next((group for start, group in TOGETHER.items() if nodeid.startswith(start)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Most tests wait for something most of the time: more of them than there are processors run at once."""
    return min(2 * (os.cpu_count() or 1), 8)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.PostgresServer]:
    """A PostgreSQL server of this run's own."""
    programs = postgresql.programs()
    if programs is None:
        pytest.skip(postgresql.MISSING)
    server = postgresql.PostgresServer(programs)
    yield server
    server.remove()


@pytest.fixture
def own_postgres(postgres: postgresql.PostgresServer) -> Iterator[postgresql.PostgresServer]:
    """A PostgreSQL server that the test may stop."""
    server = postgresql.PostgresServer(postgres.programs)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in its tables: the test runs on each kind."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").new_database()
    from novasphere_server.testing import new_database  # slow to import, and not every test wants it

    new_database(tmp_path / "novasphere.db")
    return f"sqlite:///{tmp_path}/novasphere.db"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if COMPLETE and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        reasons = sorted(
            {str(r.longrepr[2] if isinstance(r.longrepr, tuple) else r.longrepr) for r in skipped}
        )
        terminalreporter.section("NOT EVERYTHING RAN", sep="!")
        for reason in reasons:
            terminalreporter.line(reason)
