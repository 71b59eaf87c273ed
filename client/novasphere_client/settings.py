"""Where the server is and who calls: from arguments, the environment, a context, or this machine's files."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from novasphere_client import contexts, tokens
from novasphere_client.contexts import Context, Contexts
from novasphere_client.contexts import SettingsError as SettingsError

DEFAULT_SERVER = "127.0.0.1:9090"
DEFAULT_PORT = 9090
_NO_CONTEXT = Context("")
REQUEST_IDS = "up to 255 printable ASCII characters"


@dataclass(frozen=True)
class Settings:
    """A resolved server address and credential.

    `token_source` tells people where the token came from, or where one was looked for. `url` is the
    base of the REST routes, `namespace` the one to work in; both are empty where nobody named them.
    `context` is the name of the context that had a say.
    """

    server: str
    token: str | None = field(repr=False)
    token_source: str
    is_loopback: bool
    url: str = ""
    namespace: str = ""
    context: str = ""


def data_dir(environment: Mapping[str, str]) -> Path:
    """Returns where a server on this machine keeps its files."""
    if explicit := environment.get("NOVASPHERE_DATA_DIR"):
        return Path(explicit)
    if shared := environment.get("XDG_DATA_HOME"):
        return Path(shared) / "novasphere"
    return Path.home() / ".local" / "share" / "novasphere"


def resolve(
    server: str | None = None,
    token: str | None = None,
    *,
    context: str | None = None,
    environment: Mapping[str, str] | None = None,
    token_seconds: float = tokens.COMMAND_SECONDS,
) -> Settings:
    """Returns the settings. Arguments win over the environment, and that over the current context.

    A context that is named as an argument is an argument. Any other one counts for its own server alone:
    its token and namespace go nowhere else. `admin.token` is read when nobody named a token; it opens
    the server of this machine, so it is sent to a loopback address, or where the environment names the
    data directory, and to nobody else. A context's token_command gets `token_seconds`.
    """
    environment = os.environ if environment is None else environment
    file = contexts.default_file(environment)
    chosen = _context(file, context, environment)
    first, last = (chosen, _NO_CONTEXT) if context else (_NO_CONTEXT, chosen)

    address = _first(
        (server, "the server address"),
        (first.server, f"the server of context {first.name!r}"),
        (environment.get("NOVASPHERE_SERVER"), "NOVASPHERE_SERVER"),
        (last.server, f"the server of context {last.name!r}"),
        (DEFAULT_SERVER, "the default address"),
    )
    host, port = parse_address(*address)
    if last.name and (host, port) != parse_address(last.server or DEFAULT_SERVER, "its server"):
        chosen = last = _NO_CONTEXT
    url = _first((first.url, ""), (environment.get("NOVASPHERE_URL"), ""), (last.url, ""))[0]

    if token:
        found, source = token, "the given token"
    elif any(getattr(first, key) for key in contexts.TOKENS):
        found, source = tokens.of(first, file.parent, within=token_seconds)
    elif named := environment.get("NOVASPHERE_TOKEN"):
        found, source = named, "NOVASPHERE_TOKEN"
    elif any(getattr(last, key) for key in contexts.TOKENS):
        found, source = tokens.of(last, file.parent, within=token_seconds)
    elif _is_loopback(host) or environment.get("NOVASPHERE_DATA_DIR"):
        found, source = _admin_token(data_dir(environment) / "admin.token")
    else:
        found, source = "", "NOVASPHERE_TOKEN"
    return Settings(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        _checked(found, source) if found else None,
        source,
        _is_loopback(host),
        url=url,
        namespace=chosen.namespace,
        context=chosen.name,
    )


def _context(file: Path, named: str | None, environment: Mapping[str, str]) -> Context:
    """Returns the context that was named, or the current one, or an empty one. Raises SettingsError."""
    known = Contexts.read(file)
    if named := named or environment.get("NOVASPHERE_CONTEXT"):
        return known.get(named)
    return known.get(known.current) if known.current else _NO_CONTEXT


def _first(*candidates: tuple[str | None, str]) -> tuple[str, str]:
    """Returns the first text that somebody gave, and what it is."""
    return next(((text, what) for text, what in candidates if text), ("", ""))


def _admin_token(file: Path) -> tuple[str, str]:
    try:
        return file.read_text(encoding="utf-8").strip(), str(file)
    except FileNotFoundError:
        return "", str(file)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} cannot be read ({getattr(error, 'strerror', None) or error}): "
            "run as the user that runs the server, or set NOVASPHERE_TOKEN"
        ) from None


def is_request_id(text: str) -> bool:
    """Returns whether the server takes a text as a request id, in a header too."""
    return len(text) <= 255 and text.isascii() and text.isprintable()


def parse_address(text: str, what: str) -> tuple[str, int]:
    """Returns host and port of a gRPC address. Raises SettingsError, which calls it `what`."""
    text = text.strip()
    if "/" in text or "@" in text or not text.isprintable():
        raise SettingsError(
            f"{what} is {text!r}, but takes the gRPC address as HOST:PORT: {DEFAULT_SERVER}"
        )
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not host:
        raise SettingsError(
            f"{what} is {text!r} and names no host; it takes HOST:PORT, as {DEFAULT_SERVER}"
        )
    if not port:
        return host, DEFAULT_PORT
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise SettingsError(f"{what} is {text!r}, whose port is not a number from 1 to 65535")
    return host, int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(token: str, what: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()):
        raise SettingsError(f"{what} holds characters that no token has; copy it again")
    return token
