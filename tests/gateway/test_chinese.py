"""Errors in the language that the client reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateways import NODES, FakeBackend, Server, failure, node_not_found
from google.rpc import code_pb2
from novasphere.gateway import ERRORS
from novasphere_gateway.runtime import chinese

ROOT = Path(__file__).parents[2]
ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
# What makes an error text in the gateway, and which of its arguments is one.
MAKERS = {"Failure": 1, "Violation": 1, "_invalid": 1, "invalid": 2, "BindError": 2, "_told": 2}
GATEWAY = sorted((ROOT / "gateway/novasphere_gateway").glob("*.py")) + sorted(
    (ROOT / "gateway/novasphere_gateway/runtime").glob("*.py")
)


def has_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def sample(node: ast.expr) -> str | None:
    """Returns a text as it may read; None: it is no text of its own."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values
        )
    return None


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yields every error text that a module makes, and where."""
    tree = ast.parse(path.read_text())
    for scope in [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]:
        named = {
            target.id: assigned.value
            for assigned in ast.walk(scope)
            if isinstance(assigned, ast.Assign)
            for target in assigned.targets
            if isinstance(target, ast.Name)
        }
        for call in (n for n in ast.walk(scope) if isinstance(n, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            place = MAKERS.get(name)
            if place is None or len(call.args) <= place:
                continue
            given = call.args[place]
            if isinstance(given, ast.Name):
                given = named.get(given.id, given)
            if (text := sample(given)) is not None and " " in text:
                yield call.lineno, text


@pytest.mark.parametrize("reason", sorted(ERRORS))
def test_every_reason_has_its_meaning_in_chinese(reason: str) -> None:
    meaning = ERRORS[reason].meaning_zh
    assert has_chinese(meaning), f"{reason} needs meaning_zh in error_reason.proto"
    assert meaning.endswith("。")


@pytest.mark.parametrize("path", GATEWAY, ids=lambda p: p.name)
def test_every_text_of_the_gateways_own_has_a_phrase(path: Path) -> None:
    missing = [
        f"{path.name}:{line}: {text}"
        for line, text in texts_of(path)
        # A text may begin with the name of what it is about.
        if not any(map(has_chinese, filter(None, map(chinese.phrase, (text, text.removeprefix("7: "))))))
    ]
    assert not missing, f"add these to runtime/chinese.py: {missing}"


SERVER = ROOT / "server/novasphere_server"
# What agents are told over their links, in English alone.
OF_LINKS = {
    "attempts.py",
    "foreign_nodes.py",
    "identities.py",
    "links.py",
    "output_chunks.py",
    "sessions.py",
}


def server_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yields every error text that a module of the server makes, and where."""
    for call in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        module = getattr(getattr(call.func, "value", None), "id", "")
        is_maker = name in SERVER_MAKERS or (path.name, name) == ("errors.py", "__init__")
        is_refused = name == "refused" and isinstance(
            call.func, ast.Attribute
        )  # a field of an expression is
        if module == "errors" or is_maker or is_refused:
            for given in [*call.args, *(keyword.value for keyword in call.keywords)]:
                text = sample(given)
                if text is not None and re.search("[a-z] [a-z]", text):
                    yield call.lineno, text


SERVER_MAKERS = {"InvalidArgument", "InvalidExpression", "Violation", "_Wrong"}


@pytest.mark.parametrize(
    "path",
    sorted(path for path in SERVER.rglob("*.py") if path.name not in OF_LINKS),
    ids=lambda path: str(path.relative_to(SERVER)),
)
def test_every_text_of_the_servers_has_a_phrase(path: Path) -> None:
    missing = [
        f"{path.name}:{line}: {text}"
        for line, text in server_texts(path)
        if not any(map(has_chinese, filter(None, map(chinese.phrase, (text, text.removeprefix("7: "))))))
    ]
    assert not missing, f"add these to runtime/chinese.py: {missing}"


def test_the_walk_finds_texts() -> None:
    assert sum(len(list(texts_of(path))) for path in GATEWAY) > 40


def test_phrases_carry_over_what_differs() -> None:
    assert chinese.phrase("must be at least 1, not 0") == "必须不小于 1，不能是 0"
    assert chinese.phrase("must be a string, not a number") == "必须是字符串，不能是数字"
    assert chinese.phrase("node 'a does not exist' does not exist") == "节点 'a does not exist' 不存在"
    assert chinese.phrase("must be {}") == "必须是 {}"
    assert chinese.phrase('unknown parameter; did you mean "{x}"?') == '未知的参数；您是指 "{x}" 吗？'
    assert chinese.phrase("something that nobody translated") is None


def test_phrases_carry_over_phrases() -> None:
    told = {
        "field 2 (minutes): there is no step of 70 among 60 minutes; use 1 to 60, or a schedule with an interval "
        "for what does not fit into the calendar": (
            "第 2 个字段（minutes）：60 个 minutes 中没有 70 的步长；请使用 1 至 60，与日历不合的周期请用 interval 调度"
        ),
        "device 'a' has not 9 cores (it has 2 cores); a GPU (it has none)": (
            "设备 'a' 缺少 9 核（现有：2 核）；GPU（现有：无）"
        ),
    }
    assert {text: chinese.phrase(text) for text in told} == told


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (("GET", "/nowhere", {}), 404, "没有路径为 /nowhere 的路由"),
        (("GET", "/api/v1/keys?limt=1", {}), 400, 'limt：未知的参数；您是指 "limit" 吗？'),
        (("POST", "/api/v1/keys", {"data": b"{"}), 415, "Content-Type 必须是"),
        (("POST", "/api/v1/keys", {"json": {"name": 1}}), 400, "name：必须是字符串，不能是数字"),
        (("PUT", "/api/v1/keys", {}), 405, "/api/v1/keys 不接受 PUT"),
        (("GET", "/api/v1/nodes:watch", {"Accept": "image/png"}), 406, "流只能以下列形式之一答复"),
    ],
)
async def test_a_problem_is_told_in_chinese(
    server: Server, request_: tuple[str, str, dict[str, Any]], status: int, said: str
) -> None:
    method, path, options = request_
    headers = ZH | {"Accept": options.pop("Accept", "*/*")}
    response, body = await server.ask(method, path, headers=headers, **dict(options))
    assert response.status == status
    assert said in body["detail"]
    assert has_chinese(body["title"])
    assert all(has_chinese(v["description"]) for v in body["violations"])
    assert body["code"] == response.headers["X-Novasphere-Reason"]


async def test_the_nodes_face_too_and_who_reads_english_gets_it(
    backend: FakeBackend, server: Server
) -> None:
    backend.fails(NODES + "GetNode", node_not_found("n1"))
    for headers, said in (
        (ZH, "节点 'n1' 不存在"),
        ({"Accept-Language": "en, zh;q=0.5"}, "node 'n1' does not exist"),
        ({}, "node 'n1' does not exist"),
    ):
        _, body = await server.get("/api/v1/nodes/n1", headers=headers)
        assert body["message"] == said


async def test_a_text_that_nobody_translated_keeps_its_words_behind_the_meaning(
    backend: FakeBackend, server: Server
) -> None:
    error = failure("OVERLOADED", code_pb2.RESOURCE_EXHAUSTED, "all nine lives are in use")
    backend.fails(NODES + "GetNode", error)
    _, body = await server.get("/api/v1/nodes/n1", headers=ZH)
    assert body["message"] == f"{ERRORS['OVERLOADED'].meaning_zh}（all nine lives are in use）"
