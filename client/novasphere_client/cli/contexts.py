"""`novasphere config`: the servers of this user, and which of them is the current one."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer

from novasphere_client import contexts, settings
from novasphere_client.cli import completing, options, printing, sessions, terminal
from novasphere_client.cli.options import Everywhere, Form
from novasphere_client.cli.printing import Column, Printer
from novasphere_client.contexts import Context, Contexts, SettingsError

app = typer.Typer(no_args_is_help=True, help="Contexts: servers, with the credentials to use there.")

T = TypeVar("T")

_MASK = "(masked)"
_HARMLESS = {"server", "url", "token_file", "token_command", "namespace"}


class Document(StrEnum):
    """How the file is printed."""

    YAML = "yaml"
    JSON = "json"


def _token_kind(context: Context) -> str:
    """Returns how the token is kept, and never the token."""
    return next((key.replace("_", "-") for key in contexts.TOKENS if getattr(context, key)), "")


COLUMNS = [
    Column("CURRENT", lambda row: "*" if row[1] else ""),
    Column("NAME", lambda row: str(row[0].name)),
    Column("SERVER", lambda row: str(row[0].server)),
    Column("URL", lambda row: str(row[0].url)),
    Column("NAMESPACE", lambda row: str(row[0].namespace)),
    Column("TOKEN", lambda row: _token_kind(row[0])),
]


def _with_file(act: Callable[[Contexts], T]) -> T:
    """Reads the file and does something with it; what is wrong with it ends the command."""
    try:
        return act(Contexts.read(contexts.default_file(os.environ)))
    except SettingsError as error:
        _refuse(str(error))


def _refuse(text: str) -> NoReturn:
    terminal.say(text)
    raise typer.Exit(sessions.USAGE)


def address(text: str | None) -> str | None:
    """Checks --server."""
    if not text:
        return text
    try:
        settings.parse_address(text, "--server")
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from None
    return text.strip()


def base_url(text: str) -> str:
    """Parses --url."""
    parts = urlsplit(text)
    if parts.username or parts.password:
        raise typer.BadParameter("it takes no credentials; give those as --token, --token-file or so")
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
        raise typer.BadParameter(f"{text!r} is not a base such as http://127.0.0.1:8080")
    return text.rstrip("/")


def command_words(text: str | None) -> list[str] | None:
    """Parses --token-command: a program and its arguments, quoted as for a shell, which never sees them."""
    try:
        return shlex.split(text) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"--token-command: {error}; quote it as for a shell") from None


def name_argument(text: str) -> str:
    """Checks the name of a context."""
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter(f"{text!r} cannot be the name of a context")
    return text


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        parser=name_argument,
        help="The context's name.",
        autocompletion=completing.contexts,
    ),
]


@app.command("set")
def set_context(
    context: typer.Context,
    name: Name,
    server: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The server's gRPC address.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(parser=base_url, metavar="URL", help="The base of its REST routes."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", help="The credential; - reads it from standard input."),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file that holds the credential, read at every use."),
    ] = None,
    token_command: Annotated[
        str | None,
        typer.Option(
            metavar="CMD",
            help="A program that prints the credential, with its arguments; no shell runs it.",
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", metavar="NAMESPACE", help="The namespace to work in."),
    ] = None,
) -> None:
    """Makes or changes a context.

    What is not given stays; an empty value removes a setting. The first context becomes the current one. A context has one of --token, --token-file and
    --token-command: setting one removes the others.
    """
    # These two may stand before the command as well, where they mean the same here.
    everywhere: Everywhere = context.obj
    given = {
        "server": address(server if server is not None else everywhere.server),
        "url": url,
        "token": _secret(token if token is not None else everywhere.token),
        "token_file": _absolute(token_file),
        "token_command": command_words(token_command),
        "namespace": namespace,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("nothing to set: give --server, --token, --namespace or so")
    kinds = [f"--{key.replace('_', '-')}" for key in contexts.TOKENS if changes.get(key)]
    if len(kinds) > 1:
        raise typer.BadParameter(f"give one of {' and '.join(kinds)}")

    def change(known: Contexts) -> bool:
        is_first = not known.names
        known.put(name, changes)
        if is_first:
            known.use(name)
        known.write()
        return is_first

    is_first = _with_file(change)
    terminal.say(f"context {name!r} saved{'; it is the current one' if is_first else ''}")


def _secret(text: str | None) -> str | None:
    if text != "-":
        return text
    secret = sys.stdin.readline().strip()
    if not secret:
        raise typer.BadParameter("--token - found no token on standard input")
    return secret


def _absolute(file: str | None) -> str | None:
    if not file or file.startswith("~"):
        return file
    return str(Path(file).absolute())


@app.command("view")
def view(
    context: typer.Context,
    raw: Annotated[bool, typer.Option("--raw", help="Show tokens too.")] = False,
    minify: Annotated[
        bool, typer.Option("--minify", help="Only the current context, or that of --context.")
    ] = False,
    output: Annotated[Document, typer.Option("--output", "-o", help="How to print.")] = Document.YAML,
) -> None:
    """Prints the file of contexts, tokens masked."""
    wanted = context.obj.context or os.environ.get("NOVASPHERE_CONTEXT", "")

    def shown(known: Contexts) -> dict[str, Any]:
        data = dict(known.data)
        entries: dict[str, Any] = data.get(contexts.CONTEXTS) or {}
        if minify:
            name = wanted or known.current
            if not name:
                raise SettingsError("there is no current context: novasphere config use-context NAME")
            known.get(name)
            entries = {name: entries[name]}
            data[contexts.CURRENT] = name
        if not raw:
            entries = {name: _masked(entry) for name, entry in entries.items()}
        return {**data, contexts.CONTEXTS: entries}

    printing.document(Form(output.value), _with_file(shown))


def _masked(entry: Any) -> Any:
    """Hides what may be a secret: also what only a newer version knows."""
    if not isinstance(entry, dict):
        return _MASK
    return {
        key: value if key in _HARMLESS or value in (None, "") else _MASK for key, value in entry.items()
    }


@app.command("get-contexts")
def get_contexts(output: options.Output = Form.TABLE, no_headers: options.NoHeaders = False) -> None:
    """Lists the contexts; the current one has a star."""

    def rows(known: Contexts) -> list[tuple[Context, bool]]:
        return [(known.get(name), name == known.current) for name in known.names]

    found = _with_file(rows)
    printer = Printer(output, COLUMNS, lambda row: str(row[0].name), no_headers=no_headers)
    if printer.is_data:
        data = [
            {"name": c.name, "is_current": is_current, "server": c.server, "url": c.url}
            | {"namespace": c.namespace, "token_kind": _token_kind(c)}
            for c, is_current in found
        ]
        printing.document(output, {contexts.CONTEXTS: data})
    elif found:
        printer.rows(found)
    elif output is not Form.NAME:
        terminal.say("no context yet. Make one: novasphere config set NAME --server HOST:PORT")


@app.command("use-context")
def use_context(name: Name) -> None:
    """Makes a context the current one."""

    def use(known: Contexts) -> None:
        known.use(name)
        known.write()

    _with_file(use)
    terminal.say(f"context {name!r} is the current one")


@app.command("delete-context")
def delete_context(name: Name) -> None:
    """Removes a context from the file. What it leads to stays as it is."""

    def delete(known: Contexts) -> bool:
        was_current = known.current == name
        known.delete(name)
        known.write()
        return was_current

    was_current = _with_file(delete)
    left = "; there is no current one now: novasphere config use-context NAME" if was_current else ""
    terminal.say(f"context {name!r} removed{left}")
