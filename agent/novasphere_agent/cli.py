"""The command line: `novasphere-agent`, and `novasphere agent`."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from novasphere_agent import __version__, hiding

# Nothing that the agent says is encrypted yet, and OpenSSL would be a seventh of its memory.
with hiding.hidden("ssl"):
    import asyncio

    from novasphere_agent import agent as agents
from novasphere_agent import lock, logs, parents, profile
from novasphere_agent.identity import Identity, IdentityFile, IdentityUnreadable
from novasphere_agent.runtimes import DEFAULT, KINDS
from novasphere_agent.settings import Settings

EXIT_USAGE = 2
log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST_NAME = 253
_ROLES = ("worker", "compute", "storage", "mobile", "nas", "gpu")

# The server would cut what is more.
_MOST_LABELS = 64
_LONGEST_LABEL = 253


def console() -> None:
    """Is the entry point of the `novasphere-agent` script."""
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Runs an agent until it is told to stop, and returns the exit code."""
    parser = _parser()
    try:
        options = parser.parse_args(argv)
        labels = len(dict(options.label))
        if labels > _MOST_LABELS:
            parser.error(
                f"argument --label: a node has {_MOST_LABELS} labels at most, and these are {labels}"
            )
    except SystemExit as told:  # what argparse does after it has said what is wrong, or has helped
        return int(told.code or 0)
    logs.configure(options.log_format)
    settings = _settings(options)
    if options.parent_stdin:
        parents.die_with_parent()
    with contextlib.ExitStack() as held:
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(lock.hold(settings.data_dir))
        except lock.DataDirInUse as error:
            return _refuse(f"{error}; stop that one, or choose another directory with --data-dir")
        except OSError as error:
            return _refuse(f"cannot use {settings.data_dir}: {error}; choose another with --data-dir")
        return _run(settings, options)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    identity_file = IdentityFile(settings.data_dir)
    if options.reset_identity:
        identity_file.forget()
    try:
        identity = identity_file.load()
    except IdentityUnreadable as error:
        return _refuse(f"{error}; start with --reset-identity and a join token to join again")
    if settings.is_name_given and identity.node_id not in {"", settings.name}:
        return _refuse(
            f"{settings.data_dir} belongs to node {identity.node_id!r}, not {settings.name!r}; "
            "leave --name out, choose another --data-dir, or start with --reset-identity"
        )
    if not identity.is_enrolled:
        identity = Identity(incarnation=identity.incarnation)
    for name in sorted(set(settings.allowed) - set(KINDS)):
        if shutil.which(name) is None:
            log.warning("--allow %s: that is no kind of work, and no program on the PATH by now", name)
    return asyncio.run(
        agents.run(settings, identity_file, identity, ends_with_stdin=options.parent_stdin)
    )


def _refuse(why: str) -> int:
    print(f"novasphere-agent: {why}", file=sys.stderr)  # noqa: T201 - words for people
    return EXIT_USAGE


def _settings(options: argparse.Namespace) -> Settings:
    host, port = options.server
    return Settings(
        host=host,
        port=port,
        name=options.name or profile.default_name(),
        is_name_given=options.name is not None,
        data_dir=options.data_dir.absolute(),
        token=options.token or os.environ.get("NOVASPHERE_JOIN_TOKEN", ""),
        token_file=options.token_file,
        labels=dict(options.label),
        role=options.role,
        allowed=options.allow,
        capacity=options.capacity,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="novasphere-agent", description="Makes this machine a node and runs what the server sends."
    )
    parser.add_argument(
        "--server", type=_address, required=True, metavar="HOST:PORT", help="the server's gRPC address"
    )
    parser.add_argument(
        "--token", default="", help="join token, for the first start (default: $NOVASPHERE_JOIN_TOKEN)"
    )
    parser.add_argument(
        "--token-file",
        type=_path,
        metavar="FILE",
        help="file with the join token, read when one is needed",
    )
    parser.add_argument("--name", type=_name, help="the node's name (default: the host name)")
    parser.add_argument(
        "--label", type=_label, action="append", default=[], metavar="KEY=VALUE", help="may be repeated"
    )
    parser.add_argument(
        "--role", choices=_ROLES, default="", help="what this machine is for (default: worker)"
    )
    parser.add_argument(
        "--allow",
        type=_allowed,
        default=list(DEFAULT),
        metavar="NAME,...",
        help=f"what the server may run here: kinds of work ({', '.join(KINDS)}), programs by name, or none; "
        "exec is any program (default: all but python_eval)",
    )
    parser.add_argument(
        "--data-dir",
        type=_path,
        default=_default_data_dir(),
        metavar="DIR",
        help="identity and unfinished work (default: %(default)s)",
    )
    parser.add_argument(
        "--reset-identity",
        action="store_true",
        help="forget who this agent was, and join as a new one, with a join token; "
        "its old name is free once that node is deleted",
    )
    parser.add_argument(
        "--capacity",
        type=_capacity,
        default=8,
        metavar="N",
        help="attempts at once (default: %(default)s)",
    )
    parser.add_argument(
        "--parent-stdin", action="store_true", help="stop when standard input closes or the parent dies"
    )
    parser.add_argument("--log-format", choices=logs.FORMATS, default="plain")
    parser.add_argument("--version", action="version", version=f"novasphere-agent {__version__}")
    return parser


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "novasphere-agent"


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    # What begins with http:// or has a user in it would pass for a host, and never be found.
    if not host or re.search(r"[\s/@]", host) or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in 127.0.0.1:9090")
    return host, int(port)


def _name(text: str) -> str:
    if len(text) > _LONGEST_NAME or not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a node name: 1 to {_LONGEST_NAME} letters, digits, dots, dashes and "
            "underscores, with a letter or digit at both ends"
        )
    return text


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty: give it a path, or leave it out")
    return Path(text)


def _label(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    for what, words in (("key", key), ("value", value)):
        if len(words) > _LONGEST_LABEL:
            raise argparse.ArgumentTypeError(
                f"the {what} of label {key[:40]!r} has {len(words)} characters, and may have "
                f"{_LONGEST_LABEL}"
            )
    return key, value


def _allowed(text: str) -> list[str]:
    if text == "none":
        return []
    names = text.split(",")
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", name):
            raise argparse.ArgumentTypeError(
                f"{text!r} is neither a list of names, as in shell,python3,echo, nor none"
            )
    return names


def _capacity(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of attempts from 1 to {1 << 16}")
    return int(text)
