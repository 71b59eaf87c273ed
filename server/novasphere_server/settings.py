"""What an operator may set, and where a value comes from: flags, then NOVASPHERE_*, then a TOML file."""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import os
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.store.limits import Limits

ENVIRONMENT_PREFIX = "NOVASPHERE_"
CONFIG_NAME = "config.toml"
LOG_FORMATS = ("console", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")
MINIMUM_ADMIN_TOKEN = 16
MINIMUM_JWT_SECRET = 32  # bytes: as long as what HS256 makes of them
_MINIMUM_MESSAGE = 1024 * 1024  # bytes; agents send a quarter of it at once, and more with reports


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (
    ipaddress.IPv4Network("127.0.0.0/8"),
    ipaddress.IPv6Network("::1/128"),
)
_IPV4_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # no peer is: it is taken for what it maps
_LISTS = ("cors_origins", "trusted_gateways")


class CannotStart(Exception):
    """The server cannot start; the text says why and what to do, and nothing secret."""


class SettingsError(CannotStart):
    """A setting that cannot be used; the text names it and says what to write instead."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener binds. Port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def reachable(self) -> Address:
        """Returns the address under which this machine itself reaches the listener."""
        anywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
        return Address(anywhere.get(self.host, self.host), self.port)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Returns the address that "HOST:PORT" or "[IPv6]:PORT" spells, or raises ValueError."""
        host, colon, port = text.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        if not colon or not bare or (":" in bare and not host.startswith("[")):
            raise ValueError(text)
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError(text)
        return cls(bare, int(port))


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How the log is written. An empty format means console on a terminal, JSON elsewhere."""

    format: str = ""
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the server is told at its start."""

    data_dir: Path
    http: Address = Address("127.0.0.1", 8080)
    grpc: Address = Address("127.0.0.1", 9090)
    database_url: str = ""
    admin_token: str = field(default="", repr=False)
    no_auth: bool = False
    jwt_secret: str = field(default="", repr=False)  # of HS256
    jwt_jwks: Path | None = None  # a file of public keys
    jwt_issuer: str = ""
    jwt_audience: str = ""
    refusal_burst: int = 100  # wrong credentials of an address that need not wait
    trusted_gateways: tuple[Network, ...] = LOOPBACK  # which may say for whom they ask
    log: LogSettings = LogSettings()
    cors_origins: tuple[str, ...] = ()
    query_tokens: bool = True
    drain_seconds: float = 30.0
    stream_write_seconds: float = 30.0
    message_bytes: int = 4 * 1024 * 1024  # one request, over gRPC or REST
    limits: Limits = field(default_factory=Limits)
    fleet: FleetSettings = field(default_factory=FleetSettings)

    def __post_init__(self) -> None:
        if not self.database_url:
            object.__setattr__(
                self, "database_url", f"sqlite:///{self.data_dir.absolute() / 'novasphere.db'}"
            )


@dataclass(frozen=True, slots=True)
class ApartSettings:
    """Everything that a gateway on its own is told at its start."""

    server: Address
    http: Address = Address("127.0.0.1", 8080)
    log: LogSettings = LogSettings()
    cors_origins: tuple[str, ...] = ()
    query_tokens: bool = True
    drain_seconds: float = 30.0
    stream_write_seconds: float = 30.0
    message_bytes: int = 4 * 1024 * 1024  # the server's limit, so that both refuse the same


def default_data_dir(environment: Mapping[str, str]) -> Path:
    base = environment.get("XDG_DATA_HOME") or ""
    # The XDG specification says to ignore a relative path.
    root = Path(base) if base.startswith("/") else Path.home() / ".local" / "share"
    return root / "novasphere"


def load(
    flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Returns the settings that flags, environment and file give together.

    `flags` holds what the command line set, by setting name, with `config` for the file. Raises
    SettingsError.
    """
    flags = _given(flags)
    environment = os.environ if environment is None else environment
    data_dir = _data_dir(flags, environment)
    sources = _Sources(flags, environment, *_read_file(flags, environment, data_dir))
    values: dict[str, Any] = {
        "data_dir": data_dir,
        "admin_token": _admin_token(environment),
        "jwt_secret": sources.take("jwt_secret", "", _jwt_secret, is_secret=True),
        "log": _log_settings(sources),
    }
    for name, parse in _PLAIN.items():
        values[name] = sources.take(name, _default(Settings, name), parse)
    for table, schema in (("limits", Limits), ("fleet", FleetSettings)):
        values[table] = sources.take_table(table, schema)
    sources.refuse_unknown()
    settings = Settings(**values)
    _check(settings)
    return settings


def load_apart(
    flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> ApartSettings:
    """Returns the settings of a gateway on its own, as load() does for the server.

    A file is read only where one is named: the default one is the server's.
    """
    flags = _given(flags)
    environment = os.environ if environment is None else environment
    is_named = flags.get("config") or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    file = _read_file(flags, environment, Path()) if is_named else ({}, "")
    sources = _Sources(flags, environment, *file)
    server = sources.take("server", None, _address)
    if server is None:
        raise SettingsError(
            "--server is missing: name the server's gRPC address, as in --server 127.0.0.1:9090"
        )
    values = {
        name: sources.take(name, _default(ApartSettings, name), _PLAIN[name])
        for name in _PLAIN
        if name in ApartSettings.__slots__
    }
    values["log"] = _log_settings(sources)
    sources.refuse_unknown()
    return ApartSettings(server=server, **values)


def _given(flags: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the flags that were set. Raises SettingsError for an empty one."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    for name, value in given.items():
        if value == "":  # a shell variable that is not set, as likely as not
            raise SettingsError(f"{_flag(name)} is empty: give it a value, or leave it out")
    return given


def _log_settings(sources: _Sources) -> LogSettings:
    return LogSettings(
        format=sources.take("log_format", "", _one_of(LOG_FORMATS)),
        level=sources.take("log_level", "info", _one_of(LOG_LEVELS)),
    )


def _check(settings: Settings) -> None:
    if settings.no_auth:
        for name, address in (("http", settings.http), ("grpc", settings.grpc)):
            if not address.is_loopback:
                raise SettingsError(
                    f"no_auth works on loopback addresses only, and {name} is {address}: "
                    f"drop --no-auth, or use --{name} 127.0.0.1:{address.port}"
                )
    if settings.message_bytes < _MINIMUM_MESSAGE:
        raise SettingsError(
            f"message_bytes must be {_MINIMUM_MESSAGE} or more, or agents could not send what commands "
            f"print; it is {settings.message_bytes}"
        )
    fleet = settings.fleet
    if fleet.heartbeat_interval < 1:
        raise SettingsError(
            f"fleet.heartbeat_interval must be 1 or more; it is {fleet.heartbeat_interval}"
        )
    if fleet.silence_limit <= fleet.heartbeat_interval:
        raise SettingsError(
            f"fleet.silence_limit is {fleet.silence_limit} and fleet.heartbeat_interval "
            f"{fleet.heartbeat_interval}: links would be cut between heartbeats; make the limit longer, "
            "twice the interval or more"
        )


def _flag(name: str) -> str:
    """Returns the flag of a setting: one that takes a list names one element, and may be repeated."""
    one = name.removesuffix("s") if name in _LISTS else name
    return f"--{one.replace('_', '-')}"


def _data_dir(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Path:
    # Known before the file is read, because the file's default place is inside.
    given = flags.get("data_dir") or environment.get(f"{ENVIRONMENT_PREFIX}DATA_DIR")
    return Path(given).expanduser().absolute() if given else default_data_dir(environment)


def _admin_token(environment: Mapping[str, str]) -> str:
    name = f"{ENVIRONMENT_PREFIX}ADMIN_TOKEN"
    token = environment.get(name, "")
    if token:
        check_admin_token(token, name)
    return token


def check_admin_token(token: str, name: str) -> None:
    """Raises SettingsError unless any client could send the token in a header."""
    is_printable = all(" " <= c <= "~" for c in token)
    if len(token) < MINIMUM_ADMIN_TOKEN or not is_printable or token != token.strip():
        raise SettingsError(
            f"{name} must be {MINIMUM_ADMIN_TOKEN} or more printable ASCII characters, without spaces at "
            "the ends: clients send it in a header, which carries nothing else"
        )


def _read_file(
    flags: Mapping[str, Any], environment: Mapping[str, str], data_dir: Path
) -> tuple[dict[str, Any], str]:
    named = flags.get("config") or environment.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    path = Path(named).expanduser() if named else data_dir / CONFIG_NAME
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), str(path)
    except FileNotFoundError:
        if named:
            raise SettingsError(f"config: there is no file {path}; name one that exists") from None
        return {}, str(path)
    except OSError as error:
        raise SettingsError(f"config: {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"config: {path} is not TOML: {error}") from None


Parse = Callable[[Any], Any]


class _Sources:
    """The three places a value may come from, and what has been asked of the file so far."""

    def __init__(
        self,
        flags: Mapping[str, Any],
        environment: Mapping[str, str],
        file: Mapping[str, Any],
        file_name: str,
    ) -> None:
        self._flags = flags
        self._environment = environment
        self._file = file
        self._file_name = file_name
        self._known: set[str] = set()

    def take(
        self, name: str, default: Any, parse: Parse, table: str = "", *, is_secret: bool = False
    ) -> Any:
        """Returns the parsed value of the first source that has one, else `default`. No error shows a
        secret.
        """
        dotted = f"{table}.{name}" if table else name
        variable = ENVIRONMENT_PREFIX + dotted.replace(".", "_").upper()
        file = self._file.get(table, {}) if table else self._file
        self._known.add(dotted)
        if not table and name in self._flags:
            value, where = self._flags[name], _flag(name)
        elif self._environment.get(variable):
            value, where = self._environment[variable], variable
        elif name in file:
            value, where = file[name], f"{dotted} in {self._file_name}"
        else:
            return default
        try:
            return parse(value)
        except (ValueError, TypeError) as error:
            given = "" if is_secret else f"; it is {value!r}"
            raise SettingsError(f"{where} must be {error}{given}") from None

    def take_table(self, table: str, schema: type[Any]) -> Any:
        """Returns an instance of the dataclass `schema`, filled from a table of the file."""
        if not isinstance(self._file.get(table, {}), dict):
            raise SettingsError(f"{table} in {self._file_name} must be a table: write [{table}]")
        hints = typing.get_type_hints(schema)
        values = {
            f.name: self.take(
                f.name,
                _default(schema, f.name),
                _MAY_BE_NONE.get(f"{table}.{f.name}") or _parser(hints[f.name]),
                table,
            )
            for f in dataclasses.fields(schema)
        }
        return schema(**values)

    def refuse_unknown(self) -> None:
        given = [
            f"{key}.{inner}" if isinstance(value, dict) else key
            for key, value in self._file.items()
            for inner in (value if isinstance(value, dict) else [""])
        ]
        for name in given:
            if name not in self._known:
                near = difflib.get_close_matches(name, self._known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise SettingsError(f"{self._file_name} sets {name}, which does not exist{hint}")


def _default(schema: type[Any], name: str) -> Any:
    for f in dataclasses.fields(schema):
        if f.name == name:
            return f.default_factory() if callable(f.default_factory) else f.default
    raise KeyError(name)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _jwt_secret(value: Any) -> str:
    text = _text(value)
    if len(text.encode()) < MINIMUM_JWT_SECRET:
        raise ValueError(
            f"{MINIMUM_JWT_SECRET} bytes or longer, or it could be guessed: take the output of "
            "`openssl rand -base64 48`"
        )
    return text


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser().absolute()


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("true or false")


def _whole(value: Any) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise ValueError("a whole number") from None
    if number < 0:
        raise ValueError("a whole number, 0 or more")
    return number


def _count(value: Any) -> int:
    try:
        number = _whole(value)
    except ValueError:
        number = 0
    if not number:
        raise ValueError("a whole number, 1 or more")
    return number


def _number(value: Any) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError("a number") from None
    if not 0 <= number < float("inf"):
        raise ValueError("a number, 0 or more")
    return number


def _positive(value: Any) -> float:
    try:
        number = _number(value)
    except ValueError:
        number = 0
    if not number:
        raise ValueError("a number above 0")
    return number


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise TypeError("a list of texts")
    return tuple(value)


def _networks(value: Any) -> tuple[Network, ...]:
    try:
        networks = tuple(ipaddress.ip_network(text) for text in _texts(value))
    except (TypeError, ValueError):
        raise ValueError("addresses or networks, such as 10.0.0.7 or 10.0.0.0/24") from None
    if any(network.subnet_of(_IPV4_MAPPED) for network in networks if network.version == 6):
        raise ValueError("written as IPv4 where they are, such as 10.0.0.0/24 for ::ffff:10.0.0.0/120")
    return networks


def _address(value: Any) -> Address:
    try:
        return Address.parse(_text(value))
    except (TypeError, ValueError):
        raise ValueError("HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080") from None


def _one_of(words: tuple[str, ...]) -> Parse:
    def parse(value: Any) -> str:
        if value not in words:
            raise ValueError("one of " + ", ".join(words))
        return str(value)

    return parse


_PLAIN: dict[str, Parse] = {
    "http": _address,
    "grpc": _address,
    "database_url": _text,
    "no_auth": _truth,
    "jwt_jwks": _path,
    "jwt_issuer": _text,
    "jwt_audience": _text,
    "refusal_burst": _count,
    "trusted_gateways": _networks,
    "cors_origins": _texts,
    "query_tokens": _truth,
    "drain_seconds": _number,
    "stream_write_seconds": _positive,
    "message_bytes": _count,
}

# Of the tables' numbers, those that may be 0 and mean none then. Without the others nothing works.
_MAY_BE_NONE: dict[str, Parse] = {
    "limits.ring_bytes": _whole,
    "limits.cache_bytes": _whole,
    "limits.cached_queries": _whole,
    "fleet.cancel_grace": _number,
    "fleet.inline_output_bytes": _whole,
}

_BY_TYPE: dict[Any, Parse] = {
    str: _text,
    bool: _truth,
    int: _count,
    float: _positive,
    tuple[str, ...]: _texts,
    Path: _path,
}


def _parser(hint: Any) -> Parse:
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in typing.get_args(hint) if arm is not types.NoneType)
    return _BY_TYPE[hint]
