"""Plants known bugs, one at a time, in a copy of the sources: the fault test that names each must go red.

A patch under known_bugs/ begins with a line "Caught by: PYTEST_NODE_ID". The copy is used through
PYTHONPATH by the tests and by every process that they start.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATCHES = sorted((Path(__file__).parent / "known_bugs").glob("*.patch"))
SOURCES = ("server", "gateway", "agent", "client", "gen")
LONG = os.environ.get("NOVASPHERE_FAULTS") == "long"

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in (*SOURCES, "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _plant(patch: Path, copy: Path) -> None:
    subprocess.run(["git", "apply", patch], check=True, cwd=copy)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.stem)
def test_every_planted_bug_still_applies(patch: Path, copy: Path) -> None:
    _plant(patch, copy)


def test_every_test_that_shall_catch_one_exists() -> None:
    named = {_catcher(patch) for patch in PATCHES}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *named]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode == 0, found.stdout[-1000:] + found.stderr[-1000:]


def _catcher(patch: Path) -> str:
    """Returns the id of the test that must go red."""
    found = re.match(r"Caught by: (\S+)", patch.read_text())
    assert found, f"{patch.name} must begin with 'Caught by: PYTEST_NODE_ID'"
    return found[1]


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.stem)
def check_that_a_planted_bug_is_caught(patch: Path, copy: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", _catcher(patch)]
    roots = os.pathsep.join(str(copy / folder) for folder in SOURCES)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NOVASPHERE_")} | {
        "PYTHONPATH": roots
    }
    healthy = {**environment, "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in SOURCES)}
    control = subprocess.run(
        command, cwd=ROOT, env=healthy, capture_output=True, text=True, timeout=400, check=False
    )
    assert control.returncode == 0, f"red without the bug:\n{control.stdout[-3000:]}"
    _plant(patch, copy)
    result = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert result.returncode == 1, f"not caught:\n{result.stdout[-3000:]}"
    verdict = [line for line in result.stdout.splitlines() if line.startswith("E  ")]
    print(f"\n{patch.stem}: caught: {verdict[0][4:].strip() if verdict else result.stdout[-200:]}")


if LONG:  # minutes for each: not part of every test run
    test_a_planted_bug_is_caught = check_that_a_planted_bug_is_caught
