"""Regenerates everything under gen/ from proto/.

Run `make gen`, or `python gen/generate.py --check` to compare without writing: it exits 1 and names
the files that differ. Everything is first built in a temporary folder, so a failure changes nothing, and
only files that differ are written, so whoever reads gen/ meanwhile finds it whole.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GEN = ROOT / "gen"
PACKAGES = ("novasphere", "novasphere_lite")


def sources() -> list[str]:
    """Returns our own protos, relative to proto/."""
    return sorted(str(p.relative_to(PROTO)) for p in (PROTO / "novasphere").rglob("*.proto"))


def protoc(out: Path, *options: str, files: list[str]) -> None:
    """Runs protoc with the plugins of this very environment."""
    scripts = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", *options, *files]
    done = subprocess.run(
        command, stderr=subprocess.PIPE, text=True, check=False, env=environment, cwd=out
    )
    if done.returncode != 0:
        sys.exit(done.stderr)


def generate(out: Path) -> None:
    """Writes both packages into `out`."""
    files = sources()
    services = [f for f in files if f.endswith("_service.proto")]
    protoc(
        out,
        f"--grpc_python_out={out}",
        f"--mypy_grpc_out=quiet,only_async:{out}",
        files=services,
    )
    protoc(
        out,
        f"--python_out={out}",
        f"--mypy_out=quiet,readable_stubs:{out}",
        f"--novasphere_out={out}",
        "--novasphere_opt=title=Novasphere,version=v1",
        files=files,
    )
    for folder in {out / "novasphere", *(p.parent for p in (out / "novasphere").rglob("*.py"))}:
        for parent in (folder, *folder.parents):
            if parent == out:
                break
            (parent / "__init__.py").touch()
    (out / "novasphere" / "py.typed").touch()
    lite = out / "novasphere_lite"
    lite.mkdir()
    protoc(
        out,
        f"--python_betterproto2_out={lite}",
        "--python_betterproto2_opt=client_generation=async,server_generation=none",
        files=[f for f in files if "/link/" in f],
    )


def _differences(built: Path, kept: Path) -> list[str]:
    def listing(base: Path) -> set[str]:
        return {
            str(p.relative_to(base))
            for p in base.rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        }

    new, old = listing(built), listing(kept) if kept.exists() else set()
    changed = [f for f in new & old if not filecmp.cmp(built / f, kept / f, shallow=False)]
    return sorted({*changed, *(new ^ old)})


def _bring_over(names: list[str], built: Path, kept: Path) -> None:
    """Replaces, adds or removes each named file, and removes folders that this empties."""
    for name in names:
        target = kept / name
        if (built / name).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            new = target.with_name(f".{target.name}.new")
            shutil.copyfile(built / name, new)
            new.replace(target)
            continue
        target.unlink()
        for folder in target.parents:
            if folder == kept or any(p.name != "__pycache__" for p in folder.iterdir()):
                break
            shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        generate(out)
        stale = False
        for package in PACKAGES:
            differences = _differences(out / package, GEN / package)
            if arguments.check:
                for name in differences:
                    print(f"gen/{package}/{name} differs from what proto/ says; run `make gen`")
                stale = stale or bool(differences)
            else:
                _bring_over(differences, out / package, GEN / package)
        return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
