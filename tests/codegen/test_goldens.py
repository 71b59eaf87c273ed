"""What the generator writes, compared with files that were read by people once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

GOLDENS = Path(__file__).parent / "goldens"
FILES = (
    "things/gateway.py",
    "things/openapi.json",
    "things/v1/thing_gateway.py",
    "things/v1/thing_service_gateway.py",
)


@pytest.mark.parametrize("name", FILES)
def test_what_is_generated_is_what_was_reviewed(
    generated: Any, name: str, request: pytest.FixtureRequest
) -> None:
    text = (generated.folder / name).read_text(encoding="utf-8")
    # Not *.py: the goldens are data, which neither tests nor linters should pick up.
    golden = GOLDENS / f"{Path(name).name}.golden"
    if request.config.getoption("--update-goldens", default=False):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), (
        "generated code changed; if that is meant, run `pytest tests/codegen --update-goldens` and "
        "read the diff"
    )


def test_nothing_else_is_generated(generated: Any) -> None:
    found = {
        str(p.relative_to(generated.folder))
        for p in generated.folder.rglob("*")
        if p.is_file() and "_pb2" not in p.name and "__pycache__" not in p.parts
    }
    assert found == set(FILES)
