"""The `novasphere` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command line and exits with its code."""
    from novasphere_client.cli import extensions, terminal

    arguments = sys.argv[1:]
    if (extension := extensions.asked(arguments)) is not None:
        sys.exit(extensions.run(extension, arguments[1:]))
    for argument in arguments:
        if not _is_text(argument):
            terminal.say(f"the argument {os.fsencode(argument)!r} is not text in UTF-8")
            sys.exit(2)
    # gRPC's own remarks about broken connections are not for the people who read ours.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    _fill_closed_streams()
    from novasphere_client.cli import app, completing, sessions

    if completing.VARIABLE in os.environ:
        completing.prepare()
    try:
        app.app(args=arguments, prog_name="novasphere")
    except terminal.CannotWrite as failure:
        # Python must not complain about the rest when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if failure.has_no_reader:
            sys.exit(sessions.BROKEN_PIPE)
        terminal.say(str(failure))
        sys.exit(sessions.FAILED)


def _is_text(argument: str) -> bool:
    """Tells whether a message can hold an argument: bytes that are no text arrive as lone surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fill_closed_streams() -> None:
    """Puts /dev/null where a standard stream is closed: a connection must not get its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
