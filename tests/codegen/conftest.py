"""Generates code from the protos beside this file, once, and makes it importable."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from novasphere_gateway.codegen import testing

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent


@dataclass(frozen=True)
class Generated:
    """Generated modules of the scratch protos."""

    folder: Path
    messages: Any
    codecs: Any
    service_messages: Any
    service_codecs: Any
    gateway: Any


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="write what is generated over the golden files"
    )


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("generated")
    testing.compile_protos(HERE / "protos", folder, imports=[REPOSITORY / "proto"])
    sys.path.insert(0, str(folder))
    try:
        yield Generated(
            folder=folder,
            messages=importlib.import_module("things.v1.thing_pb2"),
            codecs=importlib.import_module("things.v1.thing_gateway"),
            service_messages=importlib.import_module("things.v1.thing_service_pb2"),
            service_codecs=importlib.import_module("things.v1.thing_service_gateway"),
            gateway=importlib.import_module("things.gateway"),
        )
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n == "things" or n.startswith("things.")]:
            del sys.modules[name]


@pytest.fixture
def routes(generated: Generated) -> dict[tuple[str, str], Any]:
    """The scratch routes by label and action."""
    return {(route.label, route.action): route for route in generated.gateway.ROUTES}
