"""`novasphere completion`: what the shell completes, names from the server among it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import typer

from novasphere_client.cli import terminal

if TYPE_CHECKING:
    from novasphere_client.client import Client

PROGRAM = "novasphere"
VARIABLE = "_NOVASPHERE_COMPLETE"

# A shell waits for this between two keystrokes.
_SECONDS = 1.0
_MOST = 200

app = typer.Typer(no_args_is_help=True, help="Prints a script that makes your shell complete.")


def prepare() -> None:
    """Readies this process to answer a shell that asks for completions."""
    # typer.completion has it too, and loads what guesses the shell.
    from typer._completion_classes import completion_init

    completion_init()
    # Words in the middle of a line that somebody types are worse than no completion.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _add(shell: str, how: str) -> None:
    def print_script() -> None:
        from typer._completion_shared import get_completion_script

        terminal.put(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))

    print_script.__doc__ = f"Prints the script for {shell}. {how}"
    app.command(shell)(print_script)


_add("bash", "In ~/.bashrc: source <(novasphere completion bash)")
_add("zsh", "In ~/.zshrc, after compinit: source <(novasphere completion zsh)")
_add("fish", "In ~/.config/fish/config.fish: novasphere completion fish | source")
_add("powershell", "In $PROFILE: novasphere completion powershell | Out-String | Invoke-Expression")


def contexts(incomplete: str) -> list[str]:
    """Returns the names of contexts that begin so."""
    from novasphere_client.contexts import Contexts, SettingsError, default_file

    try:
        names = Contexts.read(default_file(os.environ)).names
    except SettingsError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def nodes(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the names of nodes that begin so."""

    async def names(client: Client) -> AsyncIterator[str]:
        async for node in client.nodes.all():
            yield str(node.node_id)

    return _from_server(context, incomplete, names)


def commands(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the ids of the newest commands that begin so."""

    async def ids(client: Client) -> AsyncIterator[str]:
        for command in (await client.commands.list(limit=_MOST)).commands:
            yield str(command.command_id)

    return _from_server(context, incomplete, ids)


def tasks(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the ids of the newest tasks that begin so."""

    async def ids(client: Client) -> AsyncIterator[str]:
        for task in (await client.tasks.list(page_size=_MOST)).data:
            yield str(task.id)

    return _from_server(context, incomplete, ids)


def instances(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the ids of the newest attempts that begin so."""

    async def ids(client: Client) -> AsyncIterator[str]:
        for instance in (await client.instances.list(page_size=_MOST)).data:
            yield str(instance.id)

    return _from_server(context, incomplete, ids)


def schedules(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the names of schedules that begin so."""

    async def names(client: Client) -> AsyncIterator[str]:
        async for schedule in client.schedules.all():
            yield str(schedule.name)

    return _from_server(context, incomplete, names)


def targets(context: typer.Context, incomplete: str) -> list[str]:
    """Returns what one can wait for, as nodes/NAME, commands/ID, tasks/ID and schedules/NAME."""
    kind, slash, name = incomplete.partition("/")
    if not slash:
        kinds = ("nodes/", "commands/", "tasks/", "schedules/")
        return [word for word in kinds if word.startswith(kind)]
    names = {"nodes": nodes, "commands": commands, "tasks": tasks, "schedules": schedules}.get(kind)
    return [f"{kind}/{found}" for found in names(context, name)] if names else []


def keys(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the ids of API keys that begin so."""

    async def ids(client: Client) -> AsyncIterator[str]:
        async for key in client.keys.all():
            yield str(key.key_id)

    return _from_server(context, incomplete, ids)


def jobs(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the jobs that begin so, as NAMESPACE/NAME."""

    async def names(client: Client) -> AsyncIterator[str]:
        async for job in client.jobs.all():
            yield f"{job.namespace_id}/{job.name}"

    return _from_server(context, incomplete, names)


def join_tokens(context: typer.Context, incomplete: str) -> list[str]:
    """Returns the ids of join tokens that begin so."""

    async def ids(client: Client) -> AsyncIterator[str]:
        async for token in client.join_tokens.all():
            yield str(token.token_id)

    return _from_server(context, incomplete, ids)


def _from_server(
    context: typer.Context, incomplete: str, names: Callable[[Client], AsyncIterator[str]]
) -> list[str]:
    """Returns what the server knows within a second, and nothing when it cannot be asked."""
    if context.meta.get("novasphere.is_remote_command"):
        return []
    import asyncio

    from novasphere_client.client import Client
    from novasphere_client.errors import NovasphereError
    from novasphere_client.settings import SettingsError

    everywhere: dict[str, Any] = context.find_root().params
    found: list[str] = []

    async def ask() -> None:
        async with (
            asyncio.timeout(_SECONDS),
            Client.connect(
                everywhere.get("server"),
                everywhere.get("token"),
                context=everywhere.get("named"),
                timeout=_SECONDS,
                patience=0.0,
                token_seconds=_SECONDS,
            ) as client,
        ):
            async for name in names(client):
                if name.startswith(incomplete):
                    found.append(name)
                if len(found) >= _MOST:
                    return

    try:
        asyncio.run(ask())
    except (NovasphereError, SettingsError, TimeoutError):
        return found
    return found
