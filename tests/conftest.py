"""What every test shares: skips are loud, and forbidden where the run must be complete."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import postgresql
import pytest

COMPLETE = bool(os.environ.get("NOVASPHERE_NO_SKIPS"))

# A shell starts background jobs deaf to Ctrl-C, and what they start inherits that. Tests send Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.PostgresServer]:
    """A PostgreSQL server of this run's own."""
    programs = postgresql.programs()
    if programs is None:
        pytest.skip(postgresql.MISSING)
    server = postgresql.PostgresServer(programs)
    yield server
    server.remove()


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
