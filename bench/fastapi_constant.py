"""G3's baseline: FastAPI + uvicorn answering one node as a constant dict.

Runs in an environment of its own: `python -m bench.fastapi_constant PORT`.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from bench import example

app = FastAPI()
_answer: dict[str, Any] = {"success": True, "data": example.node()}


@app.get("/api/v1/nodes/{node_id}")
async def get_node(node_id: str) -> dict[str, Any]:
    return _answer


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
