"""The pages of filters are those that a model in Python finds, on every database."""

from __future__ import annotations

import json
import operator
import random
import re
import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from novasphere.schedule.v1 import job_service_pb2, task_pb2
from novasphere_server import errors
from novasphere_server.core import instants, pages
from novasphere_server.core.pages import Field
from novasphere_server.store.kinds import TASKS
from novasphere_server.store.store import Store

_STATES = {
    task_pb2.TASK_STATUS_PENDING: (task_pb2.WORK_STATE_PENDING,),
    task_pb2.TASK_STATUS_RUNNING: (task_pb2.WORK_STATE_RUNNING,),
    task_pb2.TASK_STATUS_FAILED: (task_pb2.WORK_STATE_FAILED, task_pb2.WORK_STATE_LOST),
}
FIELDS = {
    "id": Field("key", pages.Text()),
    "namespace_id": Field("namespace", pages.Text()),
    "job_id": Field("job_id", pages.Text(), empty_is_null=True),
    "priority": Field("priority", pages.Integer()),
    "exit_code": Field("exit_code", pages.Integer()),
    "took": Field("execution_ms", pages.Number()),
    "cancelled": Field("cancel_requested", pages.Boolean()),
    "completed_at": Field("completed_at_us", pages.Instant()),
    "status": Field("state", pages.Words(task_pb2.TaskStatus, _STATES)),
    "coded": Field("cancel_requested", pages.Codes({1: True, 0: False})),
    "locked_at": Field("", pages.Instant()),
}
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "aB",
    "a%b",
    "a_b",
    "_",
    "%",
    "作业",
    "作业-1",
    "e\u0301",
    "🙂a",
    "\\",
    "'",
    "*a?",
    "[a]",
]
START = 1_800_000_000
HALF = 500_000  # microseconds

Row = dict[str, Any]


def printed(row: Row, name: str) -> Any:
    """Returns a field as a row prints it."""
    value = row["cancelled" if name == "coded" else name]
    return value // 1_000_000 if name == "completed_at" and value is not None else value


def random_row(chance: random.Random) -> Row:
    return {
        "namespace_id": chance.choice(TEXTS),
        "job_id": chance.choice([None, "a", "b", "ab"]),
        "priority": chance.randint(-2, 2),
        "exit_code": chance.choice([None, 0, 1, 2]),
        "took": chance.choice([0, 1, 2**40]),
        "cancelled": chance.random() < 0.5,
        "completed_at": chance.choice([None, *(START * 1_000_000 + n * HALF for n in range(6))]),
        "status": chance.choice([1, 10, 90]),
        "locked_at": None,
    }


def make(tx: Any, row: Row, chance: random.Random) -> str:
    """Stores a task that reads like the row. Returns its key."""
    number = tx.next_id("tasks")
    stored = task_pb2.StoredTask()
    task, instance = stored.task, stored.instance
    task.number, task.id = number, f"{number:032x}"
    task.namespace_id = row["namespace_id"]
    if row["job_id"] is not None:
        task.job_id = row["job_id"]
    task.priority = row["priority"]
    if row["exit_code"] is not None:
        instance.exit_code = row["exit_code"]
    instance.execution_time_ms = row["took"]
    task.cancel_requested = row["cancelled"]
    if row["completed_at"] is not None:
        task.completed_at.CopyFrom(instants.timestamp(row["completed_at"]))
    task.state = chance.choice(_STATES[row["status"]])
    tx.put(TASKS, stored)
    return str(TASKS.key(stored))


# -- conditions, as JSON and as the model has them

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
_PARTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
_CAPITALS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def of_one_text() -> Iterator[tuple[str, Callable[[str, str], bool]]]:
    """Yields the operators that take a text, and what each says of another."""
    for name, holds in _PARTS.items():
        yield name, holds
        yield f"not_{name}", lambda text, part, holds=holds: not holds(text, part)

        def holds_ci(text: str, part: str, holds: Callable[[str, str], bool] = holds) -> bool:
            return holds(text.translate(_CAPITALS), part.translate(_CAPITALS))

        yield f"{name}_ci", holds_ci
        yield f"not_{name}_ci", lambda text, part, holds=holds_ci: not holds(text, part)
    yield "ilike", lambda text, part: like(text.translate(_CAPITALS), part.translate(_CAPITALS))


def like(text: str, pattern: str) -> bool:
    signs = {"%": ".*", "_": "."}
    return (
        re.fullmatch("".join(signs.get(c) or re.escape(c) for c in pattern), text, re.DOTALL) is not None
    )


def of_texts() -> Iterator[tuple[str, Callable[[str, list[str]], bool]]]:
    """Yields the operators that take several texts."""
    for name, holds in _PARTS.items():
        for each in (any, all) if name == "contains" else (any,):
            full = f"{name}_{each.__name__}"
            yield full, lambda text, parts, holds=holds, each=each: each(holds(text, p) for p in parts)
            yield (
                f"not_{full}",
                lambda text, parts, holds=holds, each=each: not each(holds(text, p) for p in parts),
            )


OF_TEXTS = dict(of_one_text())
OF_SEVERAL = dict(of_texts())


def random_value(name: str, chance: random.Random) -> tuple[Any, Any]:
    """Returns a value in JSON, and as it compares to what rows print."""
    match name:
        case "namespace_id" | "job_id":
            text = chance.choice(TEXTS)
            return text, text
        case "coded":
            truth = chance.random() < 0.5
            return int(truth), truth
        case "completed_at" | "locked_at":
            half_seconds = chance.randint(-1, 7)
            us = START * 1_000_000 + half_seconds * HALF
            whole, rest = divmod(us, 1_000_000)
            text = instants.timestamp(whole * 1_000_000).ToJsonString()
            return (text.replace("Z", ".5Z") if rest else text), us / 1_000_000
        case "status":
            word, number = chance.choice(
                [("pending", 1), ("RUNNING", 10), ("failed", 90), ("locked", 2)]
            )
            return chance.choice([word, number]), number
        case "cancelled":
            truth = chance.random() < 0.5
            return truth, truth
        case "took":
            value = chance.choice([0, 0.5, 1, 1.5, 2**40])
            return value, value
    value = chance.randint(-3, 3)
    return value, value


def random_condition(name: str, chance: random.Random) -> tuple[str, Any, Callable[[Any], bool]]:
    """Returns an operator, its value in JSON, and whether a printed value meets it."""
    names = ["eq", "not", "in", "not_in", "null"]
    names += COMPARE if name not in ("cancelled", "coded") else ()
    names += [*OF_TEXTS, *OF_SEVERAL, "empty"] if name in ("namespace_id", "job_id") else ()
    chosen = chance.choice(names)
    if chosen == "empty":
        wanted = chance.random() < 0.5
        return chosen, wanted, lambda value: (value in (None, "")) == wanted
    if chosen in OF_SEVERAL:
        parts = chance.sample([text for text in TEXTS if text], chance.randint(1, 3))
        holds_of = OF_SEVERAL[chosen]
        return chosen, parts, lambda value: value is not None and holds_of(value, parts)
    if chosen == "null":
        wanted = chance.random() < 0.5
        return chosen, wanted, lambda value: (value is None) == wanted
    if chosen in OF_TEXTS:
        part = chance.choice([text for text in TEXTS if text])
        holds = OF_TEXTS[chosen]
        return chosen, part, lambda value: value is not None and holds(value, part)
    if chosen in ("in", "not_in"):
        pairs = [random_value(name, chance) for _ in range(chance.randint(1, 3))]
        values, wanted_in = [value for _, value in pairs], chosen == "in"
        return chosen, [given for given, _ in pairs], lambda value: (value in values) == wanted_in
    given, value = random_value(name, chance)
    if chosen in ("eq", "not"):
        return chosen, given, lambda printed: (printed == value) == (chosen == "eq")
    compare = COMPARE[chosen]
    return chosen, given, lambda printed: printed is not None and compare(printed, value)


def sort_key(row: Row, name: str) -> tuple[bool, Any]:
    value = row["cancelled" if name == "coded" else name]
    return (value is not None, 0 if value is None else value)


@pytest.mark.parametrize("seed", range(2))
async def test_the_page_of_a_filter_is_what_a_model_finds(store: Store, seed: int):
    chance = random.Random(seed)
    rows = [random_row(chance) for _ in range(50)]

    def fill(tx: Any) -> None:
        for row in rows:
            row["id"] = make(tx, row, chance)

    await store.write(fill)
    found_some = 0
    for _ in range(150):
        request, conditions = job_service_pb2.ListJobsRequest(), []
        for name in chance.sample([name for name in FIELDS if name != "id"], chance.randint(1, 2)):
            for _ in range(chance.randint(1, 2)):
                given_name, given, holds = random_condition(name, chance)
                if request.filter[name].HasField(given_name):
                    continue
                is_json = given_name not in (*OF_TEXTS, "null", "empty")
                setattr(request.filter[name], given_name, json.dumps(given) if is_json else given)
                conditions.append((name, holds))
        matching = [row for row in rows if all(holds(printed(row, n)) for n, holds in conditions)]
        order = chance.sample([n for n in FIELDS if n not in ("id", "status")], chance.randint(0, 2))
        signs = [chance.choice(["", "-"]) for _ in order]
        expected = matching if order else matching[::-1]
        for name, sign in reversed(list(zip(order, signs, strict=True))):
            expected = sorted(expected, key=lambda row: sort_key(row, name), reverse=sign == "-")
        request.page.order_by[:] = [sign + name for name, sign in zip(order, signs, strict=True)]
        request.page.page, request.page.page_size = chance.randint(1, 3), chance.choice([1, 5, 100])
        first = (request.page.page - 1) * request.page.page_size
        page = await store.list(pages.query(TASKS, FIELDS, request))
        assert page.total == len(expected), request
        keys = [TASKS.key(item.message()) for item in page.items]
        assert keys == [row["id"] for row in expected[first : first + request.page.page_size]], request
        found_some += bool(keys)
    assert found_some > 30


@pytest.mark.parametrize(
    ("field", "condition", "path", "told"),
    [
        ("statu", {"eq": "1"}, "filter.statu", 'unknown field; did you mean "status"?'),
        ("zzz", {"eq": "1"}, "filter.zzz", "unknown field; known are id, namespace_id"),
        ("priority", {"eq": '"high"'}, "filter.priority.eq", "must be a whole number, not a string"),
        ("priority", {"gt": "1.5"}, "filter.priority.gt", "must be a whole number, not a number"),
        ("priority", {"in": "[1, true]"}, "filter.priority.in", "must be a whole number, not a boolean"),
        ("priority", {"eq": str(2**63)}, "filter.priority.eq", "is too large"),
        ("priority", {"eq": "9" * 5000}, "filter.priority.eq", "must be JSON"),
        ("priority", {"eq": "null"}, "filter.priority.eq", "must be a whole number, not null"),
        ("took", {"lt": "1e999"}, "filter.took.lt", "is too large"),
        ("took", {"lt": "NaN"}, "filter.took.lt", "must be JSON"),
        ("took", {"lt": "[" * 100_000}, "filter.took.lt", "must be JSON"),
        ("job_id", {"eq": "job-1"}, "filter.job_id.eq", "must be JSON"),
        ("job_id", {"eq": "{}"}, "filter.job_id.eq", "must be a string, not an object"),
        ("job_id", {"eq": '"\\u0000"'}, "filter.job_id.eq", "must not contain NUL"),
        ("job_id", {"eq": '"\\ud800"'}, "filter.job_id.eq", "must be UTF-8"),
        ("job_id", {"not_in": "[]"}, "filter.job_id.notIn", "must have 1 to 100 elements, not 0"),
        ("job_id", {"in": json.dumps(["a"] * 101)}, "filter.job_id.in", "not 101"),
        ("job_id", {"in": '"a"'}, "filter.job_id.in", "must be a list, not a string"),
        ("job_id", {}, "filter.job_id", "must name an operator, such as eq"),
        ("job_id", {"contains_any": '["a", ""]'}, "filter.job_id.containsAny", "must have no empty elements"),
        ("job_id", {"contains_all": "[]"}, "filter.job_id.containsAll", "must have 1 to 100 elements"),
        ("job_id", {"ends_with_any": "[1]"}, "filter.job_id.endsWithAny", "must be a string, not a number"),
        ("priority", {"contains_any": '["1"]'}, "filter.priority.containsAny", "for texts alone"),
        ("priority", {"empty": True}, "filter.priority.empty", "for texts alone"),
        ("locked_at", {"gte": '"yesterday"'}, "filter.locked_at.gte", "must be a time like"),
        ("coded", {"eq": "2"}, "filter.coded.eq", "unknown value 2; known are 1, 0"),
        ("cancelled", {"gt": "true"}, "filter.cancelled.gt", "what has an order"),
        ("cancelled", {"eq": "1"}, "filter.cancelled.eq", "must be true or false, not a number"),
        ("priority", {"contains": "1"}, "filter.priority.contains", "for texts alone"),
        ("completed_at", {"gte": '"yesterday"'}, "filter.completed_at.gte", "must be a time like"),
        ("completed_at", {"gte": "5"}, "filter.completed_at.gte", "must be a time like"),
        ("status", {"eq": '"runing"'}, "filter.status.eq", 'unknown value "runing"; did you mean "running"?'),
        ("status", {"eq": "7"}, "filter.status.eq", "unknown value 7; known are pending, locked"),
        ("status", {"eq": "0"}, "filter.status.eq", "unknown value 0"),
        ("status", {"eq": "true"}, "filter.status.eq", "must be a word, not a boolean"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_field_and_operator(
    field: str, condition: dict[str, Any], path: str, told: str
):
    request = job_service_pb2.ListJobsRequest()
    request.filter[field].SetInParent()
    for name, value in condition.items():
        setattr(request.filter[field], name, value)
    with pytest.raises(errors.ApiError) as caught:
        pages.query(TASKS, FIELDS, request)
    (violation,) = caught.value.violations
    assert violation.field == path
    assert told in violation.description


def test_an_unknown_field_to_sort_by_is_named():
    request = job_service_pb2.ListJobsRequest()
    request.page.order_by[:] = ["priority", "-complete_at"]
    with pytest.raises(errors.UnknownField, match='did you mean "completed_at"') as caught:
        pages.query(TASKS, FIELDS, request)
    assert caught.value.violations[0].field == "page.order_by[1]"


async def test_parts_of_texts_are_found_letter_by_letter(store: Store):
    def fill(tx: Any) -> list[str]:
        row = random_row(random.Random(0))
        return [make(tx, row | {"namespace_id": text}, random.Random(0)) for text in TEXTS]

    keys = await store.write(fill)
    for name, holds in OF_TEXTS.items():
        for part in TEXTS[1:]:
            request = job_service_pb2.ListJobsRequest()
            setattr(request.filter["namespace_id"], name, part)
            request.page.page_size = 100
            page = await store.list(pages.query(TASKS, FIELDS, request))
            found = {TASKS.key(item.message()) for item in page.items}
            assert found == {key for key, text in zip(keys, TEXTS, strict=True) if holds(text, part)}, (
                name,
                part,
            )
