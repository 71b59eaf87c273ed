"""Finds the route of a method and a path.

Paths are matched as they came over the wire: a segment is percent-decoded after the path was split, so
an encoded slash stays inside its segment, and an encoded colon begins no verb.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from novasphere_gateway.model import ANY, REST, Route

T = TypeVar("T")


class PathNotFound(LookupError):
    """No route has that path."""


class MethodNotAllowed(LookupError, Generic[T]):
    """Routes have that path, none of them with that method. `near` is one of them."""

    def __init__(self, allowed: Sequence[str], near: T) -> None:
        super().__init__(f"allowed are {', '.join(allowed)}")
        self.allowed = tuple(allowed)
        self.near = near


class Match(NamedTuple, Generic[T]):
    """What a request reaches, by the `action` of its body; "" where the body does not choose."""

    actions: dict[str, T]
    segments: Sequence[str]
    """Decoded, without the verb."""


_MAX_SEEN = 4096
_MAX_SEEN_LENGTH = 256

_Methods = dict[str, dict[str, T]]


class _Node(Generic[T]):
    __slots__ = ("any", "ends", "literals", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.any: _Node[T] | None = None
        self.rest: _Node[T] | None = None
        self.ends: dict[str, _Methods[T]] = {}  # by verb


class Router(Generic[T]):
    """A table of routes; `T` is what the caller keeps for each."""

    def __init__(self, routes: Iterable[tuple[Route, T]]) -> None:
        self._root: _Node[T] = _Node()
        self._seen: dict[
            str, list[tuple[_Methods[T], list[str]]]
        ] = {}  # what was found for recent paths
        self._fixed: dict[str, _Methods[T]] = {}  # paths without variables, whole
        for route, target in routes:
            self._add(route, target)

    def _add(self, route: Route, target: T) -> None:
        node = self._root
        for segment in route.segments:
            if segment == ANY:
                node.any = node = node.any or _Node()
            elif segment == REST:
                node.rest = node = node.rest or _Node()
            else:
                node = node.literals.setdefault(segment, _Node())
        methods = node.ends.setdefault(route.verb, {})
        actions = methods.setdefault(route.http_method, {})
        if route.action in actions:
            raise ValueError(f"two routes answer {route.label}; the second is {route.method}")
        actions[route.action] = target
        if ANY not in route.segments and REST not in route.segments:
            verb = f":{route.verb}" if route.verb else ""
            self._fixed["/" + "/".join(route.segments) + verb] = methods

    def match(self, method: str, path: str) -> Match[T]:
        """Returns the route of `path`, without its query. HEAD finds what GET would.

        Raises PathNotFound, or MethodNotAllowed; UnicodeDecodeError where an escape is not UTF-8.
        """
        if method == "HEAD":
            method = "GET"
        fixed = self._fixed.get(path)
        if fixed is not None:
            actions = fixed.get(method)
            if actions is not None:
                return Match(actions, ())
        candidates = self._seen.get(path)
        if candidates is None:
            candidates = self._candidates(path)
            if candidates and len(path) <= _MAX_SEEN_LENGTH:
                if len(self._seen) >= _MAX_SEEN:
                    self._seen.clear()
                self._seen[path] = candidates
        for methods, segments in candidates:
            actions = methods.get(method)
            if actions is not None:
                return Match(actions, segments)
        if not candidates:
            raise PathNotFound(path)
        near = next(iter(next(iter(candidates[0][0].values())).values()))
        raise MethodNotAllowed(_spell(methods for methods, _ in candidates), near)

    def allowed(self, path: str) -> list[str]:
        """Returns the methods that `path` takes; none: no route has it."""
        candidates = self._candidates(path)
        return _spell(methods for methods, _ in candidates) if candidates else []

    def _candidates(self, path: str) -> list[tuple[_Methods[T], list[str]]]:
        """Returns every place where the path ends, the most specific first."""
        if not path.startswith("/"):
            return []
        raw = path[1:].split("/")
        last = raw.pop()
        head, colon, verb = last.rpartition(":")
        if "%" in path:
            raw = [unquote(s, errors="strict") for s in raw]
            last, head = unquote(last, errors="strict"), unquote(head, errors="strict")
        found: list[tuple[_Methods[T], list[str]]] = []
        self._walk(self._root, raw, 0, last, head if colon and verb else None, verb, found)
        return found

    def _walk(
        self,
        node: _Node[T],
        segments: list[str],
        depth: int,
        last: str,
        head: str | None,
        verb: str,
        found: list[tuple[_Methods[T], list[str]]],
    ) -> None:
        if depth == len(segments):
            self._end(node, segments, last, head, verb, found)
        else:
            segment = segments[depth]
            literal = node.literals.get(segment)
            if literal is not None:
                self._walk(literal, segments, depth + 1, last, head, verb, found)
            if node.any is not None and segment:
                self._walk(node.any, segments, depth + 1, last, head, verb, found)
        if node.rest is not None:
            if head is not None and verb in node.rest.ends:
                found.append((node.rest.ends[verb], [*segments, head]))
            if "" in node.rest.ends:
                found.append((node.rest.ends[""], [*segments, last]))

    def _end(
        self,
        node: _Node[T],
        segments: list[str],
        last: str,
        head: str | None,
        verb: str,
        found: list[tuple[_Methods[T], list[str]]],
    ) -> None:
        """Tries the last segment: as a literal, then as one with a verb, then as a variable."""
        literal = node.literals.get(last)
        if literal is not None and "" in literal.ends:
            found.append((literal.ends[""], [*segments, last]))
        if head:
            literal = node.literals.get(head)
            if literal is not None and verb in literal.ends:
                found.append((literal.ends[verb], [*segments, head]))
            if node.any is not None and verb in node.any.ends:
                found.append((node.any.ends[verb], [*segments, head]))
        if last and node.any is not None and "" in node.any.ends:
            found.append((node.any.ends[""], [*segments, last]))


def _spell(tables: Iterable[_Methods[T]]) -> list[str]:
    """Returns the methods of all tables as an Allow header lists them."""
    methods = {method for table in tables for method in table}
    if "GET" in methods:
        methods.add("HEAD")
    return [*sorted(methods), "OPTIONS"]
