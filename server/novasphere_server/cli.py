"""`novasphere server`, `novasphere up` and `novasphere gateway`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

# Before grpc is imported: its own words about a taken port would stand beside ours, and its fork
# handlers would stop a child that never calls it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from novasphere_server import garbage, logs
from novasphere_server import settings as setting
from novasphere_server.settings import CannotStart, SettingsError

USAGE_ERROR = 2


def server(argv: Sequence[str]) -> int:
    """Runs the control plane. Returns the exit code."""
    return _main(_parser("novasphere server", "Run the control plane."), argv, has_agent=False)


def up(argv: Sequence[str]) -> int:
    """Runs the control plane and the agent of this machine. Returns the exit code."""
    parser = _parser("novasphere up", "Run the control plane with this machine as its first node.")
    parser.add_argument(
        "--no-agent", action="store_true", default=None, help="do not make this machine a node"
    )
    return _main(parser, argv, has_agent=True)


def gateway(argv: Sequence[str]) -> int:
    """Runs the gateway apart from its server. Returns the exit code."""
    parser = _new_parser("novasphere gateway", "Serve REST in front of a server that runs elsewhere.")
    add = parser.add_argument
    add("--server", metavar="HOST:PORT", help="the server's gRPC address")
    add("--http", metavar="HOST:PORT", help="where REST listens (127.0.0.1:8080)")
    add(
        "--cors-origin",
        dest="cors_origins",
        action="append",
        metavar="ORIGIN",
        help="let pages of this origin use the API; may be repeated",
    )
    _add_common(parser, "the configuration file (none)")
    return _run(parser, lambda: _gateway(vars(parser.parse_args(argv))))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message}; `{self.prog} --help` lists what there is")


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    secrets = (
        " Secrets have no flags, which everybody on the machine could read: they are NOVASPHERE_ADMIN_TOKEN "
        "and NOVASPHERE_JWT_SECRET."
    )
    parser = _new_parser(name, description, secrets)
    add = parser.add_argument
    add("--data-dir", metavar="DIR", help="where everything is kept ($XDG_DATA_HOME/novasphere)")
    add("--http", metavar="HOST:PORT", help="where REST listens (127.0.0.1:8080)")
    add("--grpc", metavar="HOST:PORT", help="where gRPC listens (127.0.0.1:9090)")
    add("--database-url", metavar="URL", help="the database (SQLite in the data directory)")
    add(
        "--no-auth",
        action="store_true",
        default=None,
        help="ask nobody for a credential; on loopback addresses only",
    )
    add("--jwt-jwks", metavar="FILE", help="public keys (JWKS) that sign tokens which are taken (none)")
    add("--jwt-issuer", metavar="ISS", help="the only issuer whose signed tokens are taken (any)")
    add("--jwt-audience", metavar="AUD", help="what signed tokens must be meant for (anything)")
    add(
        "--trusted-gateway",
        dest="trusted_gateways",
        action="append",
        metavar="ADDRESS",
        help="believe a gateway of this address or network whose clients it speaks for; may be repeated "
        "(this machine)",
    )
    _add_common(parser, "the configuration file (config.toml in the data directory)")
    return parser


def _new_parser(name: str, description: str, more: str = "") -> argparse.ArgumentParser:
    return _Parser(
        prog=name,
        description=description,
        epilog="Flags win over NOVASPHERE_* variables, such as NOVASPHERE_HTTP for --http, and those "
        f"over the configuration file.{more}",
        allow_abbrev=False,
    )


def _add_common(parser: argparse.ArgumentParser, config: str) -> None:
    """Adds what every process of ours that serves understands."""
    add = parser.add_argument
    add(
        "--no-query-tokens",
        dest="query_tokens",
        action="store_false",
        default=None,
        help="take no ?token= on streams, only tickets",
    )
    add("--config", metavar="FILE", help=config)
    add("--log-format", metavar="FORMAT", help="console or json (console on a terminal)")
    add("--log-level", metavar="LEVEL", help="debug, info, warning or error (info)")


def _main(parser: argparse.ArgumentParser, argv: Sequence[str], *, has_agent: bool) -> int:
    return _run(parser, lambda: _serve(vars(parser.parse_args(argv)), has_agent=has_agent))


def _serve(flags: dict[str, Any], *, has_agent: bool) -> None:
    has_agent = has_agent and not flags.pop("no_agent", None)
    settings = setting.load(flags)
    logs.configure(settings.log.format, settings.log.level)
    # Not before: most of the start is importing, and --help needs none of it.
    with garbage.not_looked_for():
        from novasphere_server import serving

    serving.run(settings, has_agent=has_agent)


def _gateway(flags: dict[str, Any]) -> None:
    settings = setting.load_apart(flags)
    logs.configure(settings.log.format, settings.log.level)
    with garbage.not_looked_for():
        from novasphere_server import apart

    apart.run(settings)


def _run(parser: argparse.ArgumentParser, serve: Callable[[], None]) -> int:
    try:
        serve()
    except CannotStart as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)  # noqa: T201 - words for people
        return USAGE_ERROR
    except SystemExit as finished:  # --help
        return int(finished.code or 0)
    return 0
