"""Prints resources in every form: tables for people, JSON, YAML and names for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novasphere_client.cli import terminal
from novasphere_client.cli.options import Form

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from novasphere_client.errors import Gap

_GAP = "   "


@dataclass(frozen=True)
class Column:
    """One column of a table. `is_wide` columns show with -o wide alone."""

    title: str
    value: Callable[[Any], str]
    is_wide: bool = False
    colour: Callable[[str], str | None] | None = None


class Printer:
    """Prints resources of one kind in the form that was asked for.

    Widths only grow, so rows that come later, as in a watch, stay aligned with the first ones.
    """

    def __init__(
        self,
        form: Form,
        columns: Sequence[Column],
        name: Callable[[Any], str],
        *,
        no_headers: bool = False,
        events: bool = False,
    ) -> None:
        self._form = form
        self._columns = [c for c in columns if form is Form.WIDE or not c.is_wide]
        self._name = name
        self._header_due = not no_headers
        self._events = events
        self._widths = [0] * (len(self._columns) + events)
        self._colours = terminal.has_colours(sys.stdout)

    @property
    def is_data(self) -> bool:
        return self._form in {Form.JSON, Form.YAML}

    def list(self, items: Sequence[Message], response: Message, *, empty: str) -> None:
        """Prints a list; JSON and YAML are the whole response. `empty` is said when there is nothing."""
        if self.is_data:
            self.data(response)
        elif items:
            self.rows(items)
        elif self._form is not Form.NAME:
            terminal.say(empty)

    def one(self, item: Message) -> None:
        """Prints one resource."""
        if self.is_data:
            self.data(item)
        else:
            self.rows([item])

    def data(self, message: Message) -> None:
        """Prints a message as one document."""
        from novasphere_client import json_form

        document(self._form, json_form.encode(message))

    def rows(self, items: Iterable[Any]) -> None:
        """Prints rows or names."""
        if self._form is Form.NAME:
            for item in items:
                terminal.put(self._name(item))
        else:
            self._table([("", item) for item in items])

    def changes(self, events: Sequence[Any]) -> None:
        """Prints events of a watch, each as soon as it is handed over.

        JSON goes one document a line, YAML one document a `---`. Bookmarks are for programs that
        will resume, so tables and lists of bare objects leave them out.
        """
        from novasphere_client import json_form

        if self.is_data:
            for event in events:
                if self._events:
                    document(self._form, json_form.encode(event), is_one_of_many=True)
                elif event.HasField("object"):
                    document(self._form, json_form.encode(event.object), is_one_of_many=True)
            return
        objects = [event for event in events if event.HasField("object")]
        if self._form is Form.NAME:
            for event in objects:
                terminal.put(self._name(event.object))
            return
        enum = json_form.spell
        self._table(
            [
                (enum(e.DESCRIPTOR.fields_by_name["type"].enum_type, e.type) or "", e.object)
                for e in objects
            ]
        )

    def gap(self, gap: Gap) -> None:
        """Prints that a watch lost changes, as a row of its own."""
        from novasphere.api.v1 import watch_pb2

        from novasphere_client import json_form

        if not self.is_data:
            if self._form is not Form.NAME:
                terminal.put("GAP")
            return
        lost = watch_pb2.Gap(
            first_lost_revision=gap.first_lost_revision,
            last_lost_revision=gap.last_lost_revision,
            oldest_cursor=gap.oldest_cursor,
        )
        row = {"type": "GAP", "cursor": "", "gap": json_form.encode(lost)}
        document(self._form, row, is_one_of_many=True)

    def _table(self, items: Sequence[tuple[str, Any]]) -> None:
        from rich.cells import cell_len

        if not items:
            return
        rows: list[list[tuple[str, str | None]]] = []
        if self._header_due:
            self._header_due = False
            titles = [*(["EVENT"] if self._events else []), *(c.title for c in self._columns)]
            rows.append([(title, None) for title in titles])
        for event, item in items:
            row: list[tuple[str, str | None]] = [(event, None)] if self._events else []
            for column in self._columns:
                text = plain(column.value(item)) or "-"
                row.append((text, column.colour(text) if column.colour and self._colours else None))
            rows.append(row)
        for row in rows:
            for number, (text, _) in enumerate(row):
                self._widths[number] = max(self._widths[number], cell_len(text))
        lines = []
        for row in rows:
            cells = [
                terminal.paint(text, colour) + " " * (self._widths[number] - cell_len(text))
                for number, (text, colour) in enumerate(row)
            ]
            lines.append(_GAP.join(cells).rstrip())
        terminal.put("\n".join(lines))


def document(form: Form, data: dict[str, Any], *, is_one_of_many: bool = False) -> None:
    """Prints data as JSON or YAML; one of many goes on one line of JSON, or after a `---`."""
    if form is Form.YAML:
        import yaml

        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip("\n")
        terminal.put(f"---\n{text}" if is_one_of_many else text)
    elif is_one_of_many:
        terminal.put(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    else:
        terminal.put(json.dumps(data, ensure_ascii=False, indent=2))


def plain(text: str) -> str:
    """Returns text in one line that cannot steer the terminal: names and outputs come from elsewhere."""
    return "".join(c if c.isprintable() else " " for c in text)
