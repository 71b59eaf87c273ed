"""The tree of commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from novasphere_client.cli import (
    applying,
    completing,
    extensions,
    nouns,
    options,
    printing,
    sessions,
    terminal,
)
from novasphere_client.cli.options import Everywhere, Form


class Extension(TyperCommand):
    """A command of another package: it parses its own arguments."""

    def __init__(self, name: str) -> None:
        self._entry = extensions.find(name)
        super().__init__(
            name, help=extensions.describe(self._entry) if self._entry else "", add_help_option=False
        )

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.args = list(args)
        return []

    def invoke(self, ctx: Any) -> None:
        if self._entry is not None:
            ctx.exit(extensions.run(self._entry, ctx.args))


class Root(TyperGroup):
    """The commands of this package, its nouns among them, and those that others add."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._promise(nouns.NOUNS)

    def _promise(self, names: Iterable[str]) -> None:
        """Has commands be listed, and suggested for what is spelled alike, that get_command() will load."""
        commands: dict[str, Any] = {**self.commands}
        for name in names:
            commands.setdefault(name)
        self.commands = commands

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and options.asked_everywhere(args):
            args = []  # a shell completes the value of one of this group's own options
        return list(super().parse_args(ctx, options.hoist(args)))

    def list_commands(self, ctx: Any) -> list[str]:
        self._promise(extensions.names())
        return super().list_commands(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if extensions.asked(args) is not None:
            return args[0], Extension(args[0]), args[1:]
        if args[0] not in self.commands:
            self._promise(extensions.names())
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if own := super().get_command(ctx, cmd_name):
            return own
        if cmd_name in nouns.NOUNS:
            return nouns.group(cmd_name)
        return Extension(cmd_name) if extensions.find(cmd_name) is not None else None


class Exec(TyperCommand):
    """Keeps what follows `--` apart: it is the remote command, whatever it looks like."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words: list[str] = []
        if "--" in args:
            at = args.index("--")
            args, words = args[:at], args[at + 1 :]
            ctx.meta["novasphere.is_remote_command"] = True
        ctx.meta["novasphere.words"] = words
        return list(super().parse_args(ctx, args))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- CMD..."]


app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    add_completion=False,  # `novasphere completion` does it, and edits nobody's files
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("apply")(applying.apply_file)


@app.callback()
def everywhere(
    context: typer.Context,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="The server's gRPC address; else NOVASPHERE_SERVER, the context's, 127.0.0.1:9090.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="The credential; else NOVASPHERE_TOKEN, the context's, this machine's admin.token.",
        ),
    ] = None,
    named: Annotated[
        str | None,
        typer.Option(
            "--context",
            metavar="NAME",
            help="The context to use; else NOVASPHERE_CONTEXT, else the current one.",
            autocompletion=completing.contexts,
        ),
    ] = None,
    request_id: Annotated[
        str,
        typer.Option(
            parser=options.request_id,
            metavar="ID",
            help="An id of your own: a change repeated under it is made once.",
        ),
    ] = "",
) -> None:
    """Runs work on machines, and tells what became of it.

    --server, --token, --context and --request-id may also stand after the command.
    """
    context.obj = Everywhere(server, token, named, request_id)


@app.command("exec", cls=Exec)
def execute(
    context: typer.Context,
    node: Annotated[
        list[str] | None,
        typer.Argument(metavar="NODE...", help="Where to run it.", autocompletion=completing.nodes),
    ] = None,
    selector: options.Selector = "",
    timeout: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds,
            metavar="DURATION",
            help="How long it may run. The server's default is 30s.",
        ),
    ] = None,
    queue_timeout: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds,
            metavar="DURATION",
            help="How long it may wait for its node. The server's default is 24h.",
        ),
    ] = None,
    contact_timeout: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds,
            metavar="DURATION",
            help="How long to do without the server before giving up. Unset: 60s.",
        ),
    ] = None,
    attach: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Follow a command that exists, from the start of its output.",
            autocompletion=completing.commands,
        ),
    ] = None,
    offset: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="With --attach: leave out this many bytes first.")
    ] = 0,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The namespace. Unset: the context's, or commands.")
    ] = "",
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Print the command's id and leave.")
    ] = False,
    dry_run: options.DryRun = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say the command's id.")] = False,
) -> None:
    """Runs a command on nodes and streams its output here.

    One word after -- is a shell line; several are quoted and joined. The exit code is the remote one;
    124: timed out; 125: contact lost, its end is not known; 126: the node refused it; 130: cancelled;
    255: the server could not be reached, and nothing was sent. Of several nodes, the greatest. Ctrl-C
    cancels; a second one leaves at once.
    """
    words: list[str] = context.meta["novasphere.words"]
    if attach:
        if node or selector or words:
            raise typer.BadParameter("--attach follows a command that exists; leave out nodes and CMD")
        if dry_run:
            raise typer.BadParameter("--attach changes nothing; leave out --dry-run")
    elif offset:
        raise typer.BadParameter(
            "--offset goes with --attach: a new command's output starts at its start"
        )
    elif not words:
        raise typer.BadParameter("no command: put it after --, as in: novasphere exec NODE -- uname -a")
    else:
        options.check_names_or_selector(node, selector)

    patience = contact_timeout or 60

    async def work(client: Any) -> int:
        from novasphere_client.cli.executions import Execution, Request

        request = Request(
            nodes=node or (),
            selector=selector,
            command_text=words[0] if len(words) == 1 else shlex.join(words),
            attach=attach or (),
            offset=offset,
            timeout_seconds=timeout,
            queue_timeout_seconds=queue_timeout,
            contact_timeout=patience,
            namespace=namespace or client.settings.namespace,
            is_detached=no_wait,
            is_dry_run=dry_run,
            is_verbose=verbose,
        )
        return await Execution(client, request).run()

    sessions.run(context, work, timeout=patience)


@app.command("wait")
def wait(
    context: typer.Context,
    wish: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="WHAT",
            help="Of nodes: online, offline, error, deleted, condition=TYPE[=false]. "
            "Of commands: state=STATE, deleted. Of tasks: finished, succeeded, state=STATE, deleted. "
            "Of schedules: active, paused, ended, deleted.",
        ),
    ],
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[nodes/NAME | commands/ID | tasks/ID | schedules/NAME]...",
            help="For whom to wait: for all of them.",
            autocompletion=completing.targets,
        ),
    ] = None,
    selector: options.Selector = "",
    timeout: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds_or_none,
            metavar="DURATION",
            help="For how long; 0 looks once. Unset: 30s.",
        ),
    ] = None,
) -> None:
    """Waits until nodes, commands, tasks or schedules are so.

    Exit code 1: they are not so in time. 3: one of them never will be: the command or the task ended
    otherwise, or what was waited for was deleted. A node that has not joined yet is waited for.
    """
    names = options.targets(targets, selector)

    async def work(client: Any) -> int:
        from novasphere_client.cli import conditions, selecting
        from novasphere_client.cli.waiting import COMMANDS, NODES, SCHEDULES, TASKS, Wait
        from novasphere_client.tasks import task_id

        kind, parse = {
            "nodes": (NODES, conditions.for_nodes),
            "commands": (COMMANDS, conditions.for_commands),
            "tasks": (TASKS, conditions.for_tasks),
            "schedules": (SCHEDULES, conditions.for_schedules),
        }[names.kind]
        try:
            condition = parse(wish)
        except ValueError as error:
            raise typer.BadParameter(f"--for: {error}") from None
        called = names.names
        if kind is TASKS:
            called = [task_id(name) for name in called]
        elif kind is SCHEDULES:
            called = await selecting.schedules(client, called, may_be_gone=condition.is_deletion)
        wanted = await selecting.nodes(client, called, selector)
        if not wanted:
            return 0 if condition.is_deletion else sessions.FAILED
        return await Wait(client, kind, condition, 30 if timeout is None else timeout).run(wanted)

    sessions.run(context, work)


@app.command("version")
def version(
    context: typer.Context,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask the server for its version too.")
    ] = False,
    output: options.Output = Form.TABLE,
) -> None:
    """Prints the version."""
    from importlib.metadata import version as installed

    own = installed("novasphere")
    if not remote:
        _print_version(output, {"client": own})
        return

    async def work(client: Any) -> None:
        theirs = await client.system.version()
        _print_version(
            output,
            {
                "client": own,
                "server": theirs.version,
                "address": client.settings.server,
                "python_version": theirs.python_version,
                "database": theirs.database,
            },
        )

    sessions.run(context, work)


def _print_version(form: Form, known: dict[str, str]) -> None:
    if form in {Form.JSON, Form.YAML}:
        printing.document(form, known)
        return
    terminal.put(f"novasphere {known['client']}")
    if "server" in known:
        terminal.put(f"server {known['server']} at {known['address']}, on {known['database']}")
