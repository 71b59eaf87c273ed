"""Throw-away environments for what others make and we are measured against. They live in `.bench/`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure import Unavailable

FOLDER = Path(".bench").absolute()
FASTAPI = ("fastapi==0.165.0", "uvicorn[standard]==0.54.0")
SALT = ("salt==3008.3",)
INSTALL_SECONDS = 600


def python(name: str, packages: tuple[str, ...]) -> str:
    """Returns the Python of an environment that has these packages. Raises Unavailable."""
    folder = FOLDER / name
    program = folder / "bin" / "python"
    done = folder / "packages"  # written last: without it the environment is not whole
    if not done.exists() or done.read_text() != "\n".join(packages):
        uv = Path(sys.executable).with_name("uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        _run(uv, "pip", "install", "--quiet", "--python", program, *packages)
        done.write_text("\n".join(packages))
    return str(program)


def _run(*command: str | Path) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"`{' '.join(map(str, command))}` failed: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{' '.join(map(str, command))}` failed: {error}") from error
