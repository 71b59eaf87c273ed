"""Imports go one way; see the layout in the README."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# (folder, imports that may not appear in it, why)
BOUNDARIES = [
    ("server/novasphere_server/store", ["novasphere_server.core", "novasphere_server.rpc", "novasphere_server.loops",
                                        "novasphere_server.app", "grpc", "aiohttp", "novasphere_gateway"],
     "the store knows nobody above it"),
    ("server/novasphere_server/core", ["novasphere_server.rpc", "novasphere_server.loops", "novasphere_server.app",
                                       "grpc", "aiohttp", "sqlalchemy.dialects", "novasphere_gateway"],
     "core decides, it neither serves nor speaks a dialect"),
    ("server/novasphere_server/loops", ["novasphere_server.rpc", "novasphere_server.store", "novasphere_server.app",
                                        "grpc", "aiohttp", "sqlalchemy"],
     "loops call core"),
    # What core hands over is the store's (rendered objects, pages of watches); what asks the store is not rpc's.
    ("server/novasphere_server/rpc", ["novasphere_server.loops", "novasphere_server.app", "aiohttp", "sqlalchemy",
                                      "novasphere_server.store.kinds", "novasphere_server.store.queries",
                                      "novasphere_server.store.store", "novasphere_server.store.tables",
                                      "novasphere_server.store.transactions"],
     "rpc translates"),
    ("server", ["novasphere_agent", "novasphere_client", "novasphere_lite"], "the server knows its API only"),
    ("gateway", ["novasphere_server", "novasphere_agent", "novasphere_client", "grpc"],
     "the gateway knows the server by its protos only"),
    ("agent", ["novasphere", "novasphere_server", "novasphere_gateway", "novasphere_client", "grpc",
               "google.protobuf", "aiohttp", "orjson"], "the agent is pure Python and knows the API only"),
    ("client", ["novasphere_server", "novasphere_gateway", "novasphere_agent", "novasphere_lite"],
     "the client knows the API only"),
]  # fmt: skip
# The one place where the gateway is put inside the server, and the one that calls a server elsewhere.
ALLOWED = {
    "server/novasphere_server/rpc/inprocess.py": {"novasphere_gateway"},
    "gateway/novasphere_gateway/channel.py": {"grpc"},
}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


@pytest.mark.parametrize(("folder", "forbidden", "why"), BOUNDARIES, ids=[b[0] for b in BOUNDARIES])
def test_imports_go_one_way(folder: str, forbidden: list[str], why: str) -> None:
    offences = [
        f"{name} imports {imported}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in [str(path.relative_to(ROOT))]
        for imported in _imports(path)
        for bad in forbidden
        if (imported == bad or imported.startswith(f"{bad}.")) and bad not in ALLOWED.get(name, ())
    ]
    assert not offences, f"{why}: {offences}"


def test_every_source_folder_is_looked_at() -> None:
    assert all((ROOT / folder).is_dir() for folder, _, _ in BOUNDARIES)
