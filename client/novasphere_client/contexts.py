"""Contexts: named servers, each with the credential and the namespace to use there, in a file."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CURRENT = "current-context"
CONTEXTS = "contexts"
TOKENS = ("token", "token_file", "token_command")  # a context has one of them at most


class SettingsError(ValueError):
    """A setting that cannot be used; the message says which and what to put there."""


@dataclass(frozen=True)
class Context:
    """Where to call, as whom, and in which namespace. Empty fields say nothing.

    `server` is the gRPC address, `url` the base of the REST routes. `token_command` is a program with
    its arguments, which prints the token.
    """

    name: str
    server: str = ""
    url: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    token_command: tuple[str, ...] = ()
    namespace: str = ""


class Contexts:
    """The contexts of one file. Keys that it does not know are kept as they are."""

    def __init__(self, file: Path, text: str, data: dict[str, Any]) -> None:
        self.file = file
        self.data = data
        self._text = text

    @classmethod
    def read(cls, file: Path) -> Contexts:
        """Returns what a file holds; one that is not there holds nothing. Raises SettingsError."""
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls(file, "", {})
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or error
            raise SettingsError(f"{file} cannot be read: {said}") from None
        import yaml  # here, for commands that need no file are quicker without

        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as error:
            # The parser quotes the line that it stumbled over, which may hold a token.
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark is not None else ""
            raise SettingsError(f"{file}{where}: this is not YAML; mend it or move it away") from None
        data = {} if data is None else data
        found = data.get(CONTEXTS) if isinstance(data, dict) else data
        if not isinstance(data, dict) or not isinstance(found or {}, dict):
            raise SettingsError(
                f"{file}: `{CONTEXTS}` must map names to contexts; mend it or move it away"
            )
        return cls(file, text, data)

    @property
    def current(self) -> str:
        """Returns the name of the context in use, if there is one."""
        return str(self.data.get(CURRENT) or "")

    @property
    def names(self) -> list[str]:
        return sorted(str(name) for name in self._all)

    @property
    def _all(self) -> dict[str, Any]:
        return self.data.get(CONTEXTS) or {}

    def get(self, name: str) -> Context:
        """Returns a context. Raises SettingsError, which names those that are there."""
        if name not in self._all:
            raise SettingsError(self._unknown(name))
        entry = self._all[name]
        where = f"{self.file}: {CONTEXTS}.{name}"
        if not isinstance(entry, dict):
            raise SettingsError(f"{where} must map settings to values; see novasphere config view")
        known: dict[str, Any] = {}
        for key in ("server", "url", "token", "token_file", "namespace"):
            value = entry.get(key)
            if value is not None and not isinstance(value, str):
                raise SettingsError(f"{where}.{key} must be a text, in quotes if it looks like a number")
            known[key] = value or ""
        command = entry.get("token_command") or []
        if not isinstance(command, list) or not all(isinstance(word, str) for word in command):
            raise SettingsError(
                f"{where}.token_command must be a list of texts: the program and its arguments"
            )
        named = [key for key in TOKENS if entry.get(key)]
        if len(named) > 1:
            raise SettingsError(f"{where} has {' and '.join(named)}; keep one of them")
        return Context(name, **known, token_command=tuple(command))

    def put(self, name: str, changes: Mapping[str, Any]) -> None:
        """Changes or adds a context. An empty value removes a setting."""
        entry = dict(self._all.get(name) or {})
        for key, value in changes.items():
            if value:
                if key in TOKENS:
                    entry = {k: v for k, v in entry.items() if k not in TOKENS}
                entry[key] = value
            else:
                entry.pop(key, None)
        self.data = {**self.data, CONTEXTS: {**self._all, name: entry}}

    def use(self, name: str) -> None:
        """Makes a context the current one. Raises SettingsError."""
        self.get(name)
        self.data = {CURRENT: name, **self.data} if not self.current else {**self.data, CURRENT: name}

    def delete(self, name: str) -> None:
        """Removes a context; if it was the current one, there is none. Raises SettingsError."""
        if name not in self._all:
            raise SettingsError(self._unknown(name))
        self.data = {
            key: value for key, value in self.data.items() if key != CURRENT or self.current != name
        }
        self.data[CONTEXTS] = {key: value for key, value in self._all.items() if key != name}

    def write(self) -> None:
        """Writes the file for its owner's eyes alone: whole or not at all. Raises SettingsError."""
        from novasphere_client import yaml_edits

        text = yaml_edits.revised(self._text, self.data)
        file = self.file.resolve()  # which may be a link into somebody's collection of settings
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes files that nobody else can read.
            descriptor, draft = tempfile.mkstemp(prefix=".config-", suffix=".yaml", dir=file.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                    out.write(text)
                    out.flush()
                    os.fsync(out.fileno())
                Path(draft).replace(file)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
        self._text = text

    def _unknown(self, name: str) -> str:
        if not self.names:
            return (
                f"there is no context {name!r}: {self.file} has none. "
                f"Make one: novasphere config set {name} --server HOST:PORT"
            )
        near = difflib.get_close_matches(name, self.names, 1)
        meant = f"; did you mean {near[0]!r}?" if near else "."
        return f"there is no context {name!r} in {self.file}{meant} It has: {', '.join(self.names)}"


def default_file(environment: Mapping[str, str]) -> Path:
    """Returns where the contexts of this user are kept."""
    folder = environment.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "novasphere" / "config.yaml"
