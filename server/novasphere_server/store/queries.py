"""What lists ask for, and how that is said in SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from google.protobuf.message import Message

from novasphere_server import errors
from novasphere_server.store import tables
from novasphere_server.store.kinds import Kind
from novasphere_server.store.rendered import Rendered

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_OPERATORS: Mapping[str, Callable[[sa.ColumnElement[Any], Any], sa.ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "in": lambda column, value: column.in_(value),
    # Null is none of these.
    "is not": lambda column, value: column.is_distinct_from(value),
    "not in": lambda column, value: column.not_in(value) | column.is_(None),
    "null": lambda column, value: column.is_(None) if value else column.is_not(None),
    "like": lambda column, value: sa.func.lower(column).like(value, escape="\\"),
    # Of (low, high), with the high one left out: in one of them, or in none.
    "within": lambda column, value: _within(column, value),
    "not within": lambda column, value: ~_within(column, value) | column.is_(None),
}


# Of texts, in functions that every database reads alike: LIKE differs in what it says of case, and lower() changes
# A to Z alone.
_PARTS: Mapping[str, Callable[[sa.ColumnElement[Any], str], sa.ColumnElement[bool]]] = {
    "contains": lambda text, part: sa.func.replace(text, part, "") != text,
    "starts with": lambda text, part: sa.func.substr(text, 1, len(part)) == part,
    "ends with": lambda text, part: sa.and_(
        sa.func.length(text) >= len(part),
        sa.func.substr(text, sa.func.length(text) - len(part) + 1) == part,
    ),
}


def _within(column: sa.ColumnElement[Any], ranges: Sequence[tuple[Any, Any]]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *((column >= low) & (column < high) for low, high in ranges))


_JOINTS: Mapping[str, Callable[..., sa.ColumnElement[bool]]] = {
    "any": lambda *conditions: sa.or_(sa.false(), *conditions),
    "all": lambda *conditions: sa.and_(sa.true(), *conditions),
}

_SET = re.compile(r"(?P<name>\S+)\s+(?P<verb>in|notin)\s*\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(r"(?P<name>[^=!\s]+)\s*(?P<sign>==|=|!=)\s*(?P<value>\S*)")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,252}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?")


class Relation(Enum):
    """How a label has to stand to the values. The negative ones hold for objects without the label."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """One term of a selector."""

    name: str
    relation: Relation
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.name)
        match self.relation:
            case Relation.IN:
                return value in self.values
            case Relation.NOT_IN:
                return value not in self.values
            case Relation.EXISTS:
                return value is not None
            case Relation.ABSENT:
                return value is None


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Terms that all have to hold, as Kubernetes spells them: "a=b,c!=d,e,!f,g in (x,y)"."""

    requirements: tuple[LabelRequirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """Returns the selector that `text` spells; empty text selects everything."""
        if not text.strip():
            return cls()
        terms = re.split(r",(?![^()]*\))", text)  # commas within parentheses part values, not terms
        # Sorted, so that selectors that mean the same share what is remembered for them.
        parsed = {_requirement(term.strip()) for term in terms}
        return cls(tuple(sorted(parsed, key=lambda r: (r.name, r.relation.value, r.values))))

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.holds(labels) for requirement in self.requirements)


def _requirement(term: str) -> LabelRequirement:
    if found := _SET.fullmatch(term):
        values = [value.strip() for value in found["values"].split(",")]
        relation = Relation.IN if found["verb"] == "in" else Relation.NOT_IN
        return _checked(found["name"], relation, values, term)
    if found := _EQUALITY.fullmatch(term):
        relation = Relation.NOT_IN if found["sign"] == "!=" else Relation.IN
        return _checked(found["name"], relation, [found["value"]], term)
    if term.startswith("!"):
        return _checked(term[1:].strip(), Relation.ABSENT, [], term)
    return _checked(term, Relation.EXISTS, [], term)


def _checked(name: str, relation: Relation, values: list[str], term: str) -> LabelRequirement:
    if not _NAME.fullmatch(name) or not all(_VALUE.fullmatch(value) for value in values):
        raise errors.InvalidArgument(
            "label_selector",
            f"{term[:64]!r} is not a term like name=value, name!=value, name in (a,b), name or !name",
        )
    return LabelRequirement(name, relation, tuple(sorted(set(values))))


@dataclass(frozen=True, slots=True)
class Query(Generic[M]):
    """A list: which objects of a kind, in which order, and which part of them.

    `filters` are (column, operator, value) over the columns of the kind's table, with the operators above;
    they all have to hold. Without a column, value is filters of which "any" or "all" must hold. `order_by`
    names columns, "-name" for descending; null comes before everything. Not `is_counted`, it has no total,
    and looks no further than its last row.
    Hashable: what it found is remembered until an object of the kind changes.
    """

    kind: Kind[M]
    filters: tuple[tuple[str, str, Any], ...] = ()
    labels: LabelSelector | None = None
    order_by: tuple[str, ...] = ("id",)
    limit: int = 50
    offset: int = 0
    is_counted: bool = True

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Returns the filters and the selector as conditions on the kind's table."""
        found = conditions(self.kind.table, self.filters)
        if self.labels is not None:
            found += [_label_condition(self.kind, r) for r in self.labels.requirements]
        return found

    def ordering(self) -> list[sa.ColumnElement[Any]]:
        return ordering(self.kind.table, self._order())

    def statement(self) -> sa.Select[Any]:
        """Returns rows (value, total, key, revision, body): the page, with the log's last revision and
        the number of all beside it, as they were at one moment.

        When the page is empty, there is one row whose key is null.
        """
        table, state = self.kind.table, tables.revision
        conditions = self.conditions()
        total: sa.Select[Any] = sa.select(sa.literal_column("0").label("total"))
        if self.is_counted:
            total = sa.select(sa.func.count().label("total")).select_from(table).where(*conditions)
        counted = total.cte("counted")
        page = (
            sa.select(table.c.key, table.c.revision, table.c.body, *self._sorted_columns())
            .where(*conditions)
            .order_by(*self.ordering())
            .limit(self.limit)
            .offset(self.offset)
            .cte("page")
        )
        order = ordering(table, self._order(), [page.c[f"sort_{n}"] for n in range(len(self._order()))])
        return (
            sa.select(state.c.value, counted.c.total, page.c.key, page.c.revision, page.c.body)
            .select_from(state.join(counted, sa.true()).outerjoin(page, sa.true()))
            .order_by(*order)
        )

    def _order(self) -> tuple[str, ...]:
        """Returns the wanted order, made total by the id."""
        return self.order_by if {"id", "-id"} & set(self.order_by) else (*self.order_by, "id")

    def _sorted_columns(self) -> list[sa.Label[Any]]:
        columns = self.kind.table.c
        return [columns[name.lstrip("-")].label(f"sort_{n}") for n, name in enumerate(self._order())]


def conditions(table: sa.Table, filters: Iterable[tuple[str, str, Any]]) -> list[sa.ColumnElement[bool]]:
    """Returns filters, as Query has them, as conditions on a table."""
    return [_condition(table, *filter_) for filter_ in filters]


def _condition(table: sa.Table, name: str, sign: str, value: Any) -> sa.ColumnElement[bool]:
    if sign in _JOINTS:
        return _JOINTS[sign](*conditions(table, value))
    if sign in _OPERATORS:
        return _OPERATORS[sign](_compared(table.c[name]), value)
    return _of_text(table.c[name], sign, value)


def _compared(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Returns the column as values are compared to it: whole numbers may be greater than any that it holds."""
    return sa.type_coerce(column, sa.BigInteger) if isinstance(column.type, sa.Integer) else column


def _of_text(column: sa.Column[Any], sign: str, part: str) -> sa.ColumnElement[bool]:
    """Returns what is asked of a text: one of _PARTS, after "not" and before "ci" where that is so."""
    plain = sign.removeprefix("not ").removesuffix(" ci")
    text = sa.func.lower(column) if sign.endswith(" ci") else column
    condition = _PARTS[plain](text, part)
    return ~condition if sign.startswith("not ") else condition


def ordering(
    table: sa.Table, order_by: Sequence[str], sorted_: Sequence[sa.ColumnElement[Any]] = ()
) -> list[sa.ColumnElement[Any]]:
    """Returns an order, as Query has it, in terms of a table's columns or of those that stand for them."""
    columns = sorted_ or [table.c[name.removeprefix("-")] for name in order_by]
    return [_directed(table, *pair) for pair in zip(order_by, columns, strict=True)]


def _directed(table: sa.Table, name: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Returns the column in the direction of `name`. Databases differ in where they put nulls."""
    is_descending = name.startswith("-")
    directed = column.desc() if is_descending else column.asc()
    if not table.c[name.removeprefix("-")].nullable:
        return directed
    return directed.nulls_last() if is_descending else directed.nulls_first()


def _label_condition(kind: Kind[Any], requirement: LabelRequirement) -> sa.ColumnElement[bool]:
    labels = tables.labels
    label = sa.select(sa.literal(1)).where(
        labels.c.kind == kind.name,
        labels.c.key == kind.table.c.key,
        labels.c.name == requirement.name,
    )
    if requirement.values:
        label = label.where(labels.c.value.in_(requirement.values))
    if requirement.relation in (Relation.IN, Relation.EXISTS):
        return label.exists()
    return ~label.exists()


def objects_by_key(kind: Kind[Any], key: str = "") -> sa.Select[Any]:
    """Returns a statement for rows (value, floor, key, revision, body) by key, after the key `after` and
    `limit` of them, or of one object alone; without objects, one row with nulls.
    """
    table = kind.table
    page = (
        sa.select(table.c.key, table.c.revision, table.c.body)
        .where(table.c.key > sa.bindparam("after", type_=sa.String))
        .order_by(table.c.key)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )
    if key:
        page = page.where(table.c.key == key)
    return _beside_the_log(page.cte("page"))


def objects_of(kind: Kind[Any], keys: Sequence[str]) -> sa.Select[Any]:
    """Returns a statement for the same rows, of the objects with these keys."""
    table = kind.table
    found = sa.select(table.c.key, table.c.revision, table.c.body).where(table.c.key.in_(keys))
    return _beside_the_log(found.cte("page"))


def _beside_the_log(found: sa.CTE) -> sa.Select[Any]:
    state = tables.revision
    return (
        sa.select(state.c.value, state.c.floor, found)
        .select_from(state.outerjoin(found, sa.true()))
        .order_by(found.c.key)
    )


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """A part of a list. `total` counts what matches, whatever the limit."""

    items: Sequence[Rendered[M]]
    total: int
    _memo: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """Returns `make()`, remembered under `key` for everybody who is given this very page."""
        if key not in self._memo:
            self._memo[key] = make()
        known: T = self._memo[key]
        return known
