"""Compiles protos for tests: messages, gRPC stubs and gateway code, importable from where they go.

Needs grpcio-tools, which the product does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class CompileError(Exception):
    """protoc or the plugin refused; the text is what they said."""


def compile_protos(
    protos: Path, out: Path, *, imports: Sequence[Path] = (), options: str = "", timeout: float = 60
) -> None:
    """Generates Python for every proto under `protos` into `out`. Raises CompileError.

    `imports` are further folders that protos import from. `options` go to protoc-gen-novasphere. With
    `out` on sys.path, `folder/v1/x.proto` gives the modules folder.v1.x_pb2, folder.v1.x_pb2_grpc and
    folder.v1.x_gateway, and `folder.gateway` with ROUTES beside folder/openapi.json.
    """
    files = sorted(str(p.relative_to(protos)) for p in protos.rglob("*.proto"))
    out.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "grpc_tools.protoc",
        *(f"-I{folder}" for folder in (protos, *imports)),
        f"--plugin=protoc-gen-novasphere={Path(sys.executable).parent / 'protoc-gen-novasphere'}",
        f"--python_out={out}", f"--grpc_python_out={out}", f"--novasphere_out={out}",
        *([f"--novasphere_opt={options}"] if options else []),
        *files,
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, env=os.environ, check=False
    )
    if done.returncode != 0:
        raise CompileError(done.stderr.strip())
