"""What a command or a task printed, as this process's own output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from novasphere_client.cli import sessions

if TYPE_CHECKING:
    from novasphere_client.client import Client

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Stay until it has ended.")]
Stream = Annotated[str | None, typer.Option(metavar="stdout|stderr", help="Only this stream.")]
Offset = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Leave out this many bytes first.")]


def check_stream(stream: str | None) -> None:
    """Refuses a stream that there is not."""
    if stream not in {None, "stdout", "stderr"}:
        raise typer.BadParameter(f"--stream is stdout or stderr, not {stream!r}")


async def show(
    client: Client,
    spelled: str,
    *,
    stream: str | None,
    offset: int,
    follow: bool,
    only_attempt: int = 0,
) -> None:
    """Prints the output of the command or the task that is spelled so, or of one of its attempts."""
    from novasphere.node.v1 import command_service_pb2

    from novasphere_client.cli.sinks import Sink

    await client.wait_until_ready(sessions.PATIENCE)
    which = command_service_pb2.OutputStream.Value(
        f"OUTPUT_STREAM_{stream.upper() if stream else 'UNSPECIFIED'}"
    )
    sink = Sink()
    pieces = client.tasks.output(
        spelled,
        stream=which,
        offset=offset,
        follow=follow,
        only_attempt=only_attempt,
        patience=None if follow else 10.0,
    )
    async with pieces:
        async for piece in pieces:
            is_error = piece.stream == command_service_pb2.OUTPUT_STREAM_STDERR
            await sink.write(piece.data, is_error=is_error)
