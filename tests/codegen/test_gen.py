"""What is committed under gen/ is what proto/ says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


def test_generated_code_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "gen" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
