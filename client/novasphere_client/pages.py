"""Pages of rows that satisfy conditions: what jobs, schedules, tasks and their attempts are listed by.

A filter is a mapping from the names of fields, as rows print them, to what they must be: a value, a list of
values of which it must be one, or a mapping of operators, as in {"created_at": {"gte": yesterday}}.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from novasphere.api.v1 import options_pb2
from novasphere.schedule.v1 import page_pb2

Filter = Mapping[str, Any]

_PAGE = 500

T = TypeVar("T", covariant=True)


class Page(Protocol[T]):
    """One page of rows, and how many match in all."""

    @property
    def data(self) -> Sequence[T]: ...

    @property
    def total(self) -> int: ...


def conditions(where: Filter | None) -> dict[str, page_pb2.Condition]:
    """Returns a filter as requests have it. Raises ValueError for an operator that there is not."""
    return {field: _condition(wanted) for field, wanted in (where or {}).items()}


def spec(page: int | None, page_size: int | None, order_by: Sequence[str]) -> page_pb2.PageSpec:
    """Returns which page is asked for; what is None is the server's choice."""
    return page_pb2.PageSpec(page=page, page_size=page_size, order_by=order_by)


async def every(fetch: Callable[[int, int], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Yields the rows of all pages. `fetch` gets the number of a page and its size."""
    number = 0
    while True:
        number += 1
        page = await fetch(number, _PAGE)
        for row in page.data:
            yield row
        if not page.data or number * _PAGE >= page.total:
            return


def _condition(wanted: Any) -> page_pb2.Condition:
    if isinstance(wanted, page_pb2.Condition):
        return wanted
    if isinstance(wanted, Mapping):
        operators = wanted
    elif isinstance(wanted, list | tuple | set | frozenset):
        operators = {"in": list(wanted)}
    else:
        operators = {"eq": wanted}
    made = page_pb2.Condition()
    for name, value in operators.items():
        field = _OPERATORS.get(name)
        if field is None:
            raise ValueError(f"there is no operator {name!r}; there are {', '.join(_OPERATORS)}")
        is_json = field.GetOptions().Extensions[options_pb2.json_text]
        setattr(made, field.name, _json(value) if is_json else value)
    return made


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_moment)


def _moment(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise ValueError(f"{value!r} is no value of a filter; times need a time zone")


_OPERATORS = {
    field.GetOptions().Extensions[options_pb2.key] or field.name: field
    for field in page_pb2.Condition.DESCRIPTOR.fields
}
