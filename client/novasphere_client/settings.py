"""Where the server is and who calls: from arguments, the environment, or this machine's files."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_SERVER = "127.0.0.1:9090"
DEFAULT_PORT = 9090
REQUEST_IDS = "up to 255 printable ASCII characters"


class SettingsError(ValueError):
    """A setting that cannot be used; the message says which and what to put there."""


@dataclass(frozen=True)
class Settings:
    """A resolved server address and credential.

    `token_source` tells people where the token came from, or where one was looked for.
    """

    server: str
    token: str | None
    token_source: str
    is_loopback: bool


def data_dir(environment: Mapping[str, str]) -> Path:
    """Returns where a server on this machine keeps its files."""
    if explicit := environment.get("NOVASPHERE_DATA_DIR"):
        return Path(explicit)
    if shared := environment.get("XDG_DATA_HOME"):
        return Path(shared) / "novasphere"
    return Path.home() / ".local" / "share" / "novasphere"


def resolve(
    server: str | None = None, token: str | None = None, *, environment: Mapping[str, str] | None = None
) -> Settings:
    """Returns the settings; reads `admin.token` when nobody named a token.

    That file opens the server of this machine, so it is sent to a loopback address, or where the
    environment names the data directory, and to nobody else.
    """
    environment = os.environ if environment is None else environment
    if server:
        host, port = _split(server, "the server address")
    elif named := environment.get("NOVASPHERE_SERVER"):
        host, port = _split(named, "NOVASPHERE_SERVER")
    else:
        host, port = _split(DEFAULT_SERVER, "the default address")
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    is_loopback = _is_loopback(host)

    if token:
        return Settings(address, _checked(token, "the given token"), "the given token", is_loopback)
    if named := environment.get("NOVASPHERE_TOKEN"):
        return Settings(address, _checked(named, "NOVASPHERE_TOKEN"), "NOVASPHERE_TOKEN", is_loopback)
    file = data_dir(environment) / "admin.token"
    if not is_loopback and not environment.get("NOVASPHERE_DATA_DIR"):
        return Settings(address, None, "NOVASPHERE_TOKEN", is_loopback)
    try:
        found = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return Settings(address, None, str(file), is_loopback)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file} cannot be read ({getattr(error, 'strerror', None) or error}): "
            "run as the user that runs the server, or set NOVASPHERE_TOKEN"
        ) from None
    return Settings(address, _checked(found, str(file)) if found else None, str(file), is_loopback)


def is_request_id(text: str) -> bool:
    """Returns whether the server takes a text as a request id, in a header too."""
    return len(text) <= 255 and text.isascii() and text.isprintable()


def _split(text: str, what: str) -> tuple[str, int]:
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
