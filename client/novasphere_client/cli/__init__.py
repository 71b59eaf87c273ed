"""The `novasphere` command."""

from __future__ import annotations

import os
import sys

# Options that apply to every command and may stand before or after it.
_EVERYWHERE = ("--server", "--token", "--request-id")


def main() -> None:
    """Runs the command line and exits with its code."""
    from novasphere_client.cli import extensions

    arguments = sys.argv[1:]
    if arguments and (extension := extensions.find(arguments[0])) is not None:
        sys.exit(extensions.run(extension, arguments[1:]))
    # gRPC's own remarks about broken connections are not for the people who read ours.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    _fill_closed_streams()
    from novasphere_client.cli import app

    app.app(args=hoist(arguments), prog_name="novasphere")


def _fill_closed_streams() -> None:
    """Puts /dev/null where a standard stream is closed: a connection must not get its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def hoist(arguments: list[str]) -> list[str]:
    """Returns the arguments with the options that apply everywhere moved to the front.

    Nothing after `--` is touched: it belongs to the remote command.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front: list[str] = []
    rest: list[str] = []
    position = 0
    while position < end:
        word = arguments[position]
        if word in _EVERYWHERE and position + 1 < end:
            front += arguments[position : position + 2]
            position += 2
            continue
        if word.startswith(tuple(f"{option}=" for option in _EVERYWHERE)):
            front.append(word)
        else:
            rest.append(word)
        position += 1
    return front + rest + arguments[end:]
