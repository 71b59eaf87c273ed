"""Where settings come from, and what is said of those that cannot be used."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from novasphere_server.core.fleet_settings import FleetSettings
from novasphere_server.settings import Address, SettingsError, default_data_dir, load, load_apart
from novasphere_server.store.limits import Limits


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_nothing_needs_to_be_set(tmp_path: Path):
    settings = load({}, {"XDG_DATA_HOME": str(tmp_path)})
    assert settings.data_dir == tmp_path / "novasphere"
    assert str(settings.http) == "127.0.0.1:8080"
    assert str(settings.grpc) == "127.0.0.1:9090"
    assert settings.database_url == f"sqlite:///{tmp_path}/novasphere/novasphere.db"
    assert not settings.no_auth


def test_without_xdg_the_data_are_in_the_home_directory():
    home = Path.home() / ".local/share/novasphere"
    assert default_data_dir({}) == home
    assert default_data_dir({"XDG_DATA_HOME": "relative/is/ignored"}) == home


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path):
    write(
        tmp_path / "config.toml",
        'http = "127.0.0.1:1"\ngrpc = "127.0.0.1:1"\nlog_level = "debug"\n'
        "[fleet]\nlost_after = 60\n[limits]\nqueue_length = 5\n",
    )
    environment = {
        "NOVASPHERE_DATA_DIR": str(tmp_path),
        "NOVASPHERE_HTTP": "127.0.0.1:2",
        "NOVASPHERE_GRPC": "127.0.0.1:2",
        "NOVASPHERE_LIMITS_QUEUE_LENGTH": "6",
    }
    settings = load({"http": "127.0.0.1:3", "grpc": None}, environment)
    assert (settings.http.port, settings.grpc.port, settings.log.level) == (3, 2, "debug")
    assert (settings.fleet.lost_after, settings.limits.queue_length) == (60.0, 6)


def test_a_file_may_be_named(tmp_path: Path):
    path = write(tmp_path / "elsewhere.toml", 'cors_origins = ["https://a.example"]\nno_auth = true\n')
    settings = load({"config": str(path), "data_dir": str(tmp_path)}, {})
    assert settings.cors_origins == ("https://a.example",)
    assert settings.no_auth


def test_lists_and_truths_can_be_said_in_the_environment(tmp_path: Path):
    settings = load(
        {"data_dir": tmp_path},
        {"NOVASPHERE_CORS_ORIGINS": "https://a, https://b", "NOVASPHERE_QUERY_TOKENS": "off"},
    )
    assert settings.cors_origins == ("https://a", "https://b")
    assert not settings.query_tokens


@pytest.mark.parametrize(
    ("flags", "environment", "said"),
    [
        ({"http": "8080"}, {}, ["--http", "HOST:PORT", "'8080'"]),
        ({"http": "127.0.0.1:99999"}, {}, ["--http", "HOST:PORT"]),
        ({"grpc": "::1:80"}, {}, ["--grpc", "[::1]:8080"]),
        ({}, {"NOVASPHERE_GRPC": "x"}, ["NOVASPHERE_GRPC", "HOST:PORT"]),
        ({}, {"NOVASPHERE_NO_AUTH": "maybe"}, ["NOVASPHERE_NO_AUTH", "true or false"]),
        ({}, {"NOVASPHERE_LIMITS_QUEUE_LENGTH": "-1"}, ["NOVASPHERE_LIMITS_QUEUE_LENGTH", "1 or more"]),
        ({}, {"NOVASPHERE_FLEET_LOST_AFTER": "nan"}, ["NOVASPHERE_FLEET_LOST_AFTER", "a number"]),
        ({}, {"NOVASPHERE_LIMITS_READERS": "0"}, ["NOVASPHERE_LIMITS_READERS", "1 or more", "'0'"]),
        ({}, {"NOVASPHERE_FLEET_LOST_AFTER": "0"}, ["NOVASPHERE_FLEET_LOST_AFTER", "above 0", "'0'"]),
        ({}, {"NOVASPHERE_STREAM_WRITE_SECONDS": "0"}, ["NOVASPHERE_STREAM_WRITE_SECONDS", "above 0"]),
        ({"data_dir": ""}, {}, ["--data-dir is empty"]),
        ({"data_dir": "", "config": "/nowhere.toml"}, {}, ["--data-dir is empty"]),
        ({"config": ""}, {}, ["--config is empty"]),
        ({"database_url": ""}, {}, ["--database-url is empty"]),
        ({"log_format": "xml"}, {}, ["--log-format", "console, json"]),
        ({}, {"NOVASPHERE_ADMIN_TOKEN": "short"}, ["NOVASPHERE_ADMIN_TOKEN", "16"]),
        ({}, {"NOVASPHERE_ADMIN_TOKEN": " spaces at both ends "}, ["NOVASPHERE_ADMIN_TOKEN", "ends"]),
        (
            {},
            {"NOVASPHERE_ADMIN_TOKEN": "unübertragbares Kennwort"},
            ["NOVASPHERE_ADMIN_TOKEN", "ASCII"],
        ),
        ({"config": "/nowhere.toml"}, {}, ["/nowhere.toml"]),
        (
            {"no_auth": True, "http": "0.0.0.0:8080"},
            {},
            ["no_auth", "loopback", "--http 127.0.0.1:8080"],
        ),
        ({"no_auth": True, "grpc": "[::]:9090"}, {}, ["no_auth", "grpc"]),
    ],
)
def test_what_cannot_be_used_is_named_with_what_to_write(tmp_path: Path, flags, environment, said):
    with pytest.raises(SettingsError) as caught:
        load({"data_dir": tmp_path, **flags}, environment)
    for part in said:
        assert part in str(caught.value)


def test_an_empty_variable_counts_as_unset(tmp_path: Path):
    empty = ("DATA_DIR", "CONFIG", "HTTP", "DATABASE_URL", "NO_AUTH", "LIMITS_QUEUE_LENGTH")
    environment = {f"NOVASPHERE_{name}": "" for name in empty} | {"XDG_DATA_HOME": str(tmp_path)}
    assert load({}, environment) == load({}, {"XDG_DATA_HOME": str(tmp_path)})


def test_an_admin_token_is_never_repeated_in_a_message(tmp_path: Path):
    with pytest.raises(SettingsError) as caught:
        load({"data_dir": tmp_path}, {"NOVASPHERE_ADMIN_TOKEN": "hunter2"})
    assert "hunter2" not in str(caught.value)
    settings = load({"data_dir": tmp_path}, {"NOVASPHERE_ADMIN_TOKEN": "hunter2-hunter2-hunter2"})
    assert settings.admin_token == "hunter2-hunter2-hunter2"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("htpp = '127.0.0.1:1'", ["htpp", "did you mean http"]),
        ("[fleet]\nlost_afterr = 1", ["fleet.lost_afterr", "fleet.lost_after"]),
        ("fleet = 1", ["[fleet]"]),
        ("http = 8080", ["http in", "HOST:PORT"]),
        ("[limits]\nqueue_length = 1.5", ["limits.queue_length", "whole number"]),
        ("[limits]\nbatch_length = 0", ["limits.batch_length", "1 or more"]),
        ("message_bytes = 1000", ["message_bytes", "1048576 or more", "1000"]),
        ("[fleet]\nheartbeat_interval = 0.0", ["fleet.heartbeat_interval", "above 0"]),
        ("[fleet]\nheartbeat_interval = 0.5", ["fleet.heartbeat_interval", "1 or more", "0.5"]),
        (
            "[fleet]\nheartbeat_interval = 20",
            ["fleet.silence_limit", "20.0", "fleet.heartbeat_interval", "longer"],
        ),
        ("[fleet]\nsilence_limit = 9", ["fleet.silence_limit", "fleet.heartbeat_interval"]),
        ("not toml", ["not TOML"]),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said):
    write(tmp_path / "config.toml", text)
    with pytest.raises(SettingsError) as caught:
        load({"data_dir": tmp_path}, {})
    for part in said:
        assert part in str(caught.value)


def test_nothing_is_taken_only_where_it_means_none(tmp_path: Path):
    none = {
        "limits": ("ring_bytes", "cache_bytes", "cached_queries"),
        "fleet": ("cancel_grace", "inline_output_bytes"),
    }
    for table, defaults in {"limits": Limits(), "fleet": FleetSettings()}.items():
        for field in dataclasses.fields(defaults):
            if isinstance(getattr(defaults, field.name), str):
                continue
            variable = f"NOVASPHERE_{table}_{field.name}".upper()
            if field.name in none[table]:
                settings = load({"data_dir": tmp_path}, {variable: "0"})
                assert getattr(getattr(settings, table), field.name) == 0
            else:
                with pytest.raises(SettingsError, match=variable):
                    load({"data_dir": tmp_path}, {variable: "0"})


@pytest.mark.parametrize("text", ["127.0.0.1:0", "[::1]:9090", "localhost:80", "example.org:1"])
def test_addresses_read_as_they_are_written(text: str):
    assert str(Address.parse(text)) == text


def test_loopback_and_reachable_addresses_are_known():
    assert Address.parse("127.0.0.9:1").is_loopback
    assert Address.parse("[::1]:1").is_loopback
    assert Address.parse("localhost:1").is_loopback
    assert not Address.parse("0.0.0.0:1").is_loopback
    assert not Address.parse("example.org:1").is_loopback
    assert str(Address.parse("0.0.0.0:7").reachable) == "127.0.0.1:7"
    assert str(Address.parse("[::]:7").reachable) == "[::1]:7"


def test_trusted_gateways_are_addresses_and_networks(tmp_path: Path):
    def trusted(**sources: Any) -> list[str]:
        flags = {"data_dir": str(tmp_path)} | sources.get("flags", {})
        return list(map(str, load(flags, sources.get("environment", {})).trusted_gateways))

    assert trusted() == ["127.0.0.0/8", "::1/128"]
    assert trusted(flags={"trusted_gateways": ["10.0.0.7", "10.0.1.0/24"]}) == [
        "10.0.0.7/32",
        "10.0.1.0/24",
    ]
    assert trusted(environment={"NOVASPHERE_TRUSTED_GATEWAYS": "2001:db8::/32, ::1"}) == [
        "2001:db8::/32",
        "::1/128",
    ]
    write(tmp_path / "config.toml", "trusted_gateways = []\n")
    assert trusted() == []
    for wrong in ("gateway.example", "10.0.0.7/24", "10.0.0.7:9090"):
        with pytest.raises(SettingsError, match=r"--trusted-gateway must be addresses or networks"):
            trusted(flags={"trusted_gateways": [wrong]})
    with pytest.raises(SettingsError, match=r"--trusted-gateway must be written as IPv4"):
        trusted(flags={"trusted_gateways": ["::ffff:10.0.0.0/104"]})


def test_a_gateway_apart_is_set_as_the_server_is(tmp_path: Path):
    file = tmp_path / "gateway.toml"
    file.write_text('http = "127.0.0.1:1"\nmessage_bytes = 2000000\nlog_level = "debug"\n')
    flags = {"config": str(file), "cors_origins": ["https://a", "https://b"]}
    environment = {"NOVASPHERE_SERVER": "10.0.0.1:9090", "NOVASPHERE_HTTP": "127.0.0.1:2"}
    settings = load_apart(flags, environment)
    assert str(settings.server) == "10.0.0.1:9090"
    assert str(settings.http) == "127.0.0.1:2"
    assert (settings.message_bytes, settings.log.level) == (2_000_000, "debug")
    assert settings.cors_origins == ("https://a", "https://b")


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        ({}, {}, ["--server is missing", "--server 127.0.0.1:9090"]),
        ({"server": "nowhere"}, {}, ["--server", "HOST:PORT", "nowhere"]),
        ({"server": ""}, {}, ["--server is empty"]),
        ({}, {"NOVASPHERE_SERVER": "x"}, ["NOVASPHERE_SERVER", "HOST:PORT"]),
    ],
)
def test_a_gateway_apart_says_what_it_cannot_use(flags: dict, environment: dict, words: list[str]):
    with pytest.raises(SettingsError) as caught:
        load_apart(flags, environment)
    assert all(word in str(caught.value) for word in words)


def test_a_gateway_apart_does_not_read_the_servers_file(tmp_path: Path):
    (tmp_path / "novasphere").mkdir()
    (tmp_path / "novasphere" / "config.toml").write_text('no_such_setting = "x"\n')
    environment = {"XDG_DATA_HOME": str(tmp_path), "NOVASPHERE_SERVER": "127.0.0.1:1"}
    assert str(load_apart({}, environment).http) == "127.0.0.1:8080"
