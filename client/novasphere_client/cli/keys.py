"""`novasphere key` and `novasphere token`: credentials for programs and for machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from novasphere_client.cli import completing, options, sessions, terminal, times, watching
from novasphere_client.cli.options import Form
from novasphere_client.cli.printing import Column, Printer
from novasphere_client.cli.watching import Manner

if TYPE_CHECKING:
    from novasphere_client.client import Client
    from novasphere_client.errors import NovasphereError
    from novasphere_client.keys import KeyWatch
    from novasphere_client.settings import Settings

keys = typer.Typer(no_args_is_help=True, help="API keys: credentials for programs.")
tokens = typer.Typer(no_args_is_help=True, help="Join tokens: how a machine becomes a node.")


def _moment(message: Any, field: str) -> str:
    return times.age(getattr(message, field).seconds) if message.HasField(field) else ""


def _left(message: Any) -> str:
    """Returns how long a credential still works."""
    if message.HasField("revoked_at"):
        return "revoked"
    if not message.HasField("expires_at"):
        return "never"
    left = times.until(message.expires_at.seconds)
    return left or "expired"


def _scopes(key: Any) -> str:
    from novasphere_client import json_form

    enum = key.DESCRIPTOR.fields_by_name["scopes"].enum_type
    return ",".join((json_form.spell(enum, scope) or "").lower() for scope in key.scopes)


KEY_COLUMNS = [
    Column("ID", lambda k: str(k.key_id)),
    Column("NAME", lambda k: str(k.name)),
    Column("SCOPES", _scopes),
    Column("EXPIRES", _left, colour={"revoked": "red", "expired": "red"}.get),
    Column("USED", lambda k: _moment(k, "last_used_at")),
    Column("AGE", lambda k: times.age(k.created_at.seconds)),
    Column("NAMESPACES", lambda k: ",".join(k.namespaces) or "all", is_wide=True),
    Column("CREATED-BY", lambda k: str(k.created_by), is_wide=True),
]

TOKEN_COLUMNS = [
    Column("ID", lambda t: str(t.token_id)),
    Column("EXPIRES", _left, colour={"revoked": "red", "expired": "red"}.get),
    Column("REUSABLE", lambda t: "yes" if t.is_reusable else "no"),
    Column("USED", lambda t: _moment(t, "used_at")),
    Column("USED-BY", lambda t: str(t.used_by_node_id)),
    Column("AGE", lambda t: times.age(t.created_at.seconds)),
    Column("CREATED-BY", lambda t: str(t.created_by), is_wide=True),
]

KeyIds = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="The keys' ids.", autocompletion=completing.keys),
]
TokenIds = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="The tokens' ids.", autocompletion=completing.join_tokens),
]


def _key_name(key: Any) -> str:
    return str(key.key_id)


def _token_name(token: Any) -> str:
    return str(token.token_id)


def scope_option(text: str) -> str:
    """Checks a --scope word as it is given."""
    from novasphere.api.v1 import options_pb2

    from novasphere_client import json_form

    enum = options_pb2.Scope.DESCRIPTOR
    if json_form.number_of(enum, text) is None:
        known = ", ".join(word.lower() for word in json_form.words(enum))
        raise typer.BadParameter(f"{text!r} is not one of {known}")
    return text


def moment_option(text: str) -> datetime:
    """Parses --expires."""
    try:
        return times.parse_moment(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@keys.command("create")
def create_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            parser=scope_option,
            metavar="SCOPE",
            help="What it may do: read, write, admin, agent, enrol; repeatable. Unset: read.",
        ),
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option("--namespace", "-n", help="A namespace it may touch; repeatable. Unset: all."),
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(
            parser=moment_option,
            metavar="WHEN",
            help="When it stops working: 30d, or a time. Unset: never.",
        ),
    ] = None,
    output: options.Output = Form.NAME,
    dry_run: options.DryRun = False,
) -> None:
    """Makes a key and prints its secret, this once."""

    async def work(client: Client) -> int:
        from novasphere.api.v1 import options_pb2

        from novasphere_client import json_form

        numbers: list[Any] = [
            json_form.number_of(options_pb2.Scope.DESCRIPTOR, word) for word in scope or ()
        ]
        made = await client.keys.create(
            name, scopes=numbers, namespaces=namespace or (), expires_at=expires, validate_only=dry_run
        )
        if dry_run:
            terminal.say(f"key {name!r} would be made")
            return 0
        return _tell_secret(
            made,
            made.secret,
            Printer(output, KEY_COLUMNS, _key_name),
            f"key {made.key_id} ({made.name}) made. Keep its secret now: it is not shown again.",
        )

    sessions.run(context, work)


def _tell_secret(made: Any, secret: str, printer: Printer, said: str) -> int:
    """Prints a new secret as data, alone unless a document was asked for, and the rest as words."""
    if printer.is_data:
        printer.data(made)
    elif secret:
        terminal.put(secret)
    if not secret:
        terminal.say(
            "this request id made it before, and its secret was shown then; use another --request-id"
        )
        return sessions.FAILED
    terminal.say(said)
    return 0


@keys.command("list")
def list_keys(
    context: typer.Context,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Lists keys, newest first; never their secrets."""
    printer = Printer(output, KEY_COLUMNS, _key_name, no_headers=no_headers)

    async def work(client: Client) -> int:
        from novasphere.api.v1 import key_service_pb2

        if watch or watch_only:
            return await _watch(client, printer, Manner(changes_only=watch_only))
        found = [key async for key in client.keys.all()]
        response = key_service_pb2.ListKeysResponse(keys=found)
        printer.list(found, response, empty="no key yet. Make one: novasphere key create NAME")
        return 0

    sessions.run(context, work)


@keys.command("get")
def get_keys(
    context: typer.Context,
    ids: KeyIds,
    watch: options.Watch = False,
    watch_only: options.WatchOnly = False,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows keys by id; never their secrets."""
    printer = Printer(output, KEY_COLUMNS, _key_name, no_headers=no_headers)
    options.check_one_is_watched(ids, watch or watch_only)

    async def work(client: Client) -> int:
        from novasphere.api.v1 import key_service_pb2

        found = [await client.keys.get(key_id) for key_id in ids]
        if watch or watch_only:
            return await _watch(client, printer, Manner(changes_only=watch_only), key_id=ids[0])
        if len(found) == 1:
            printer.one(found[0])
        else:
            printer.list(found, key_service_pb2.ListKeysResponse(keys=found), empty="")
        return 0

    sessions.run(context, work)


@keys.command("watch")
def watch_keys(
    context: typer.Context,
    key_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="Only this key.", autocompletion=completing.keys)
    ] = "",
    cursor: options.Cursor = "",
    watch_only: options.WatchOnly = False,
    events: options.WatchEvents = True,
    timeout: options.WatchTimeout = None,
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
) -> None:
    """Shows keys and every change to them, as events; never their secrets.

    It goes on where it was after any break. Exit code 4: changes were lost, and it ends.
    """
    printer = Printer(output, KEY_COLUMNS, _key_name, no_headers=no_headers, events=events)
    manner = Manner(cursor, changes_only=watch_only, timeout=timeout, needs_all=True)

    async def work(client: Client) -> int:
        return await _watch(client, printer, manner, key_id=key_id)

    sessions.run(context, work)


async def _watch(client: Client, printer: Printer, manner: Manner, *, key_id: str = "") -> int:
    def start(cursor: str, on_interruption: Callable[[NovasphereError], None]) -> KeyWatch:
        return client.keys.watch(
            cursor=cursor, key_id=key_id, patience=None, on_interruption=on_interruption
        )

    return await watching.show(client, start, printer, manner)


@keys.command("update")
def update_key(
    context: typer.Context,
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="The key's id.", autocompletion=completing.keys)
    ],
    name: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(
            parser=moment_option, metavar="WHEN", help="When it stops working: 30d, or a time."
        ),
    ] = None,
    never_expires: Annotated[
        bool, typer.Option("--never-expires", help="It works until it is revoked.")
    ] = False,
    etag: Annotated[
        str,
        typer.Option(help="Change it only if it is at this revision, as `key get -o json` shows it."),
    ] = "",
    output: options.Output = Form.TABLE,
    no_headers: options.NoHeaders = False,
    dry_run: options.DryRun = False,
) -> None:
    """Changes what a key is called and when it stops working. Its secret stays."""
    if expires is not None and never_expires:
        raise typer.BadParameter("give one of --expires and --never-expires")
    if name is None and expires is None and not never_expires:
        raise typer.BadParameter("what is to change? Give --name, --expires or --never-expires")
    printer = Printer(output, KEY_COLUMNS, _key_name, no_headers=no_headers)

    async def work(client: Client) -> int:
        key = await client.keys.update(
            key_id,
            name=name,
            expires_at=expires,
            never_expires=never_expires,
            etag=etag,
            validate_only=dry_run,
        )
        terminal.say(f"key {key_id} {'would be changed' if dry_run else 'changed'}")
        printer.one(key)
        return 0

    sessions.run(context, work)


@keys.command("revoke")
def revoke_keys(context: typer.Context, ids: KeyIds, dry_run: options.DryRun = False) -> None:
    """Makes keys useless at once."""

    async def work(client: Client) -> int:
        return await sessions.each(
            client,
            ids,
            lambda key_id, request_id: client.keys.revoke(
                key_id, request_id=request_id, validate_only=dry_run
            ),
            lambda key_id, _: terminal.say(
                f"key {key_id} {'would be revoked' if dry_run else 'revoked'}"
            ),
        )

    sessions.run(context, work)


@tokens.command("join")
def create_join_token(
    context: typer.Context,
    ttl: Annotated[
        int | None,
        typer.Option(
            parser=options.seconds,
            metavar="DURATION",
            help="How long it works. The server's default is 1h.",
        ),
    ] = None,
    reusable: Annotated[
        bool, typer.Option("--reusable", help="Any number of machines may join with it, not one.")
    ] = False,
    output: options.Output = Form.NAME,
    dry_run: options.DryRun = False,
) -> None:
    """Makes a join token and prints its secret, this once."""

    async def work(client: Client) -> int:
        made = await client.join_tokens.create(
            ttl_seconds=ttl, is_reusable=reusable, validate_only=dry_run
        )
        if dry_run:
            terminal.say("a join token would be made")
            return 0
        lasts = made.join_token.expires_at.seconds - made.join_token.created_at.seconds
        return _tell_secret(
            made,
            made.secret,
            Printer(output, TOKEN_COLUMNS, _token_name),
            f"it works for {times.span(lasts)}, "
            f"{'any number of times' if reusable else 'once'}. {_how_to_join(client.settings)}",
        )

    sessions.run(context, work)


def _how_to_join(settings: Settings) -> str:
    if not settings.is_loopback:
        return f"On the new machine: novasphere agent --server {settings.server} --token TOKEN"
    _, _, port = settings.server.rpartition(":")
    return (
        f"On the new machine: novasphere agent --server HOST:{port} --token TOKEN\n"
        "HOST is an address of the server that this machine reaches, and the server must listen there: "
        f'make up ARGS="--grpc 0.0.0.0:{port}", or novasphere server --grpc 0.0.0.0:{port}'
    )


@tokens.command("list")
def list_join_tokens(
    context: typer.Context, output: options.Output = Form.TABLE, no_headers: options.NoHeaders = False
) -> None:
    """Lists join tokens, newest first; never their secrets."""

    async def work(client: Client) -> None:
        from novasphere.api.v1 import join_token_service_pb2

        found = [token async for token in client.join_tokens.all()]
        printer = Printer(output, TOKEN_COLUMNS, _token_name, no_headers=no_headers)
        response = join_token_service_pb2.ListJoinTokensResponse(join_tokens=found)
        printer.list(found, response, empty="no join token yet. Make one: novasphere token join")

    sessions.run(context, work)


@tokens.command("revoke")
def revoke_join_tokens(context: typer.Context, ids: TokenIds, dry_run: options.DryRun = False) -> None:
    """Makes join tokens useless at once. Machines that joined with them stay."""

    async def work(client: Client) -> int:
        return await sessions.each(
            client,
            ids,
            lambda token_id, request_id: client.join_tokens.revoke(
                token_id, request_id=request_id, validate_only=dry_run
            ),
            lambda token_id, _: terminal.say(
                f"join token {token_id} {'would be revoked' if dry_run else 'revoked'}"
            ),
        )

    sessions.run(context, work)
