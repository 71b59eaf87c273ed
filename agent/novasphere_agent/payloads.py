"""The JSON object of a built-in type, taken apart field by field."""

from __future__ import annotations

import json
from typing import Any

_MISSING: Any = object()


class InvalidPayload(Exception):
    """A payload makes no sense; the text begins with the field's name."""


class Payload:
    """Hands each field out once, checked; `finish` refuses what nobody asked for."""

    def __init__(self, text: str) -> None:
        try:
            fields = json.loads(text or "{}")
        except (ValueError, RecursionError) as error:
            raise InvalidPayload(f"payload: this is no JSON: {error}") from error
        if not isinstance(fields, dict):
            raise InvalidPayload("payload: it must be a JSON object, as in {}")
        self._left: dict[str, Any] = fields
        self._known: list[str] = []

    def value(self, name: str, default: Any = _MISSING) -> Any:
        """Returns a field that may be any JSON; null is as good as nothing."""
        self._known.append(name)
        value = self._left.pop(name, None)
        if value is None:
            if default is _MISSING:
                raise InvalidPayload(f"{name}: it is missing")
            return default
        return value

    def text(self, name: str, default: str = _MISSING) -> str:
        value = self.value(name, default)
        if not isinstance(value, str):
            raise InvalidPayload(f"{name}: it must be a text")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidPayload(f"{name}: it holds half a character") from error
        return value

    def whole(self, name: str, least: int, most: int, default: int = _MISSING) -> int:
        """Returns a whole number."""
        value = self.value(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidPayload(f"{name}: it must be a whole number from {least} to {most}")
        return value

    def seconds(self, name: str, most: int, default: float = _MISSING) -> float:
        """Returns a duration."""
        value = self.value(name, default)
        # Said this way round, it refuses what is no number by name only.
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= most:
            raise InvalidPayload(f"{name}: it must be a number of seconds from 0 to {most}")
        return value

    def texts(self, name: str) -> dict[str, str]:
        """Returns an object of texts."""
        value = self.value(name, {})
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise InvalidPayload(f"{name}: it must be an object of texts")
        return value

    def finish(self) -> None:
        """Raises where a field is left."""
        for name in self._left:
            known = ", ".join(self._known) or "none"
            raise InvalidPayload(f"{name[:100]}: there is no such field (there are: {known})")
