"""Changes a YAML file that people wrote: what did not change keeps its comments and its order."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml


class _Edit(NamedTuple):
    """Characters to replace."""

    start: int
    end: int
    text: str


def revised(text: str, after: dict[str, Any]) -> str:
    """Returns a document that holds `after`, with as much of the old one's text as can stay."""
    if text and not text.endswith("\n"):
        text += "\n"
    try:
        before = yaml.safe_load(text)
        root = yaml.compose(text)
        if isinstance(before, dict) and isinstance(root, yaml.MappingNode) and not root.flow_style:
            changed = text
            for edit in sorted(_edits(text, root, before, after), reverse=True):
                changed = changed[: edit.start] + edit.text + changed[edit.end :]
            # Anchors, keys that are no text, values over several lines: these edits may fail at them.
            if yaml.safe_load(changed) == after:
                return changed
    except (yaml.YAMLError, KeyError):
        pass
    return _dumped(after)


def _edits(
    text: str, node: yaml.MappingNode, before: dict[str, Any], after: dict[str, Any]
) -> list[_Edit]:
    edits: list[_Edit] = []
    for key, value in node.value:
        old, new = before[key.value], after.get(key.value)
        start, end = text.rfind("\n", 0, key.start_mark.index) + 1, _end_of_lines(text, value)
        if key.value not in after:
            edits.append(_Edit(start, end, ""))
        elif isinstance(old, dict) and isinstance(new, dict) and old and new:
            edits += _edits(text, value, old, new)
        elif old != new and isinstance(value, yaml.ScalarNode) and isinstance(new, str):
            mark = value.start_mark.index
            edits.append(_Edit(mark, value.end_mark.index, _dumped(new).split("\n")[0]))
        elif old != new:
            edits.append(_Edit(start, end, _indented({key.value: new}, node)))
    added = {key: value for key, value in after.items() if key not in before}
    if added:
        end = _end_of_lines(text, node)
        edits.append(_Edit(end, end, _indented(added, node)))
    return edits


def _end_of_lines(text: str, node: yaml.Node) -> int:
    """Returns where the last line of a value ends; comments behind a block count to what follows it."""
    last = node
    while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    return text.find("\n", last.end_mark.index) + 1


def _indented(data: dict[str, Any], parent: yaml.MappingNode) -> str:
    indent = " " * parent.start_mark.column
    return "".join(f"{indent}{line}\n" for line in _dumped(data).splitlines())


def _dumped(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000)
